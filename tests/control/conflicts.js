// What cannot be done as things stand: 409 and 503.
"use strict";
const assert = require("node:assert");

const TYPE = { "Content-Type": "application/json" };

class Conflicts {
	constructor(document, book) {
		this.document = document;
		this.book = book;
	}

	async ask(server, name, values, body, expected) {
		const operation = this.document.operations.find(
			(one) => one.name === name);
		assert(operation !== undefined, name);
		const request = { method: operation.method,
			target: operation.target(values) };
		if (body !== undefined)
			Object.assign(request,
				{ headers: TYPE, body: JSON.stringify(body) });
		await this.book.ask(server, { operation, request, ...expected });
	}

	conflict(server, name, values, body, code) {
		return this.ask(server, name, values, body,
			{ statuses: [409], code });
	}

	async ofSites(server, { id, serial }) {
		const { port } = await server.call("POST", "/v1/sites",
			{ port: 0 }, 201);
		await this.conflict(server, "POST /v1/sites", {}, { id },
			"site_taken");
		await this.conflict(server, "POST /v1/sites", {}, { port },
			"port_taken");
		await this.conflict(server, "DELETE /v1/sites/{id}",
			{ id: "default" }, undefined, "site_default");
		const revoke = "/v1/sites/{id}/certificates/{serial}/revoke";
		await server.call("POST", `/v1/sites/${id}/certificates/` +
			`${serial}/revoke`);
		await this.conflict(server, `POST ${revoke}`, { id, serial },
			undefined, "certificate_revoked");
		await server.call("PATCH", `/v1/sites/${id}/server`,
			{ mscep: { challenge: { mode: "none" } } });
		await this.conflict(server, "POST /v1/sites/{id}/challenge",
			{ id }, undefined, "challenge_refused");
	}

	// The default site of a server with --state-dir.
	async ofState(server) {
		const id = "default";
		await this.conflict(server, "PATCH /v1/sites/{id}/server", { id },
			{ ca: { tiers: 3 } }, "refused");
		await this.conflict(server, "PUT /v1/sites/{id}/scenario", { id },
			{ scenario: "ca-three-tiers" }, "refused");
		await this.conflict(server, "POST /v1/sites/{id}/actions/{name}",
			{ id, name: "renew-ra-certificates" }, undefined,
			"refused");
	}

	// With --max-sites 2.
	async ofRoom(server) {
		await server.call("POST", "/v1/sites", {}, 201);
		await this.ask(server, "POST /v1/sites", {}, {},
			{ statuses: [503], code: "sites_full" });
	}
}

module.exports = { Conflicts };
