// Sites in which every operation finds something to do.
"use strict";
const assert = require("node:assert");
const fs = require("node:fs");
const path = require("node:path");

const OCTETS = { "Content-Type": "application/octet-stream" };

class Fixture {
	// The server has the keys of `recorded`, a folder with messages.
	constructor(server, recorded) {
		this.server = server;
		// The transactionID of scepclient has a slash in it.
		[this.first, this.second] = ["strongswan", "scepclient"].map(
			(name) => fs.readFileSync(
				path.join(recorded, `${name}-pkcsreq.der`)));
		this.count = 0;
	}

	async enrol(url, message) {
		const answer = await this.server.ask({ method: "POST",
			target: `${new URL(url).pathname}?operation=PKIOperation`,
			headers: OCTETS, body: message });
		assert.strictEqual(answer.status, 200);
	}

	// Returns what its paths are made of.
	async open() {
		const { server } = this;
		const id = `fixture-${++this.count}`, here = `/v1/sites/${id}`;
		const { url } = await server.call("POST", "/v1/sites", { id },
			201);
		await this.enrol(url, this.first);
		await server.call("PATCH", `${here}/server`,
			{ ca: { approval: "manual" } });
		await this.enrol(url, this.second);
		const { certificates } =
			await server.call("GET", `${here}/certificates`);
		const { pending } = await server.call("GET", `${here}/pending`);
		assert.strictEqual(certificates.length, 1);
		assert.strictEqual(pending.length, 1);
		return { id, seq: "1", serial: certificates[0].serial,
			transaction: pending[0].transaction_id };
	}

	// Whether the operation has left it or not: there is room for a next.
	async close({ id }) {
		await this.server.send({ method: "DELETE",
			target: `/v1/sites/${id}` });
	}

	async openGone() {
		const values = await this.open();
		await this.server.call("DELETE", `/v1/sites/${values.id}`,
			undefined, 204);
		return values;
	}

	// The same for one operation, whose other names are those of the
	// document.
	static for(operation, values) {
		return Object.fromEntries(operation.inPath.map((one) =>
			[one.name, encodeURIComponent(values[one.name] ??
				one.schema.enum?.[0] ?? one.example)]));
	}
}

module.exports = { Fixture };
