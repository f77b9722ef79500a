// HTTP/1.1 by hand, so that requests can be as wrong as they like: one
// connection each, and the whole answer or an error.
"use strict";
const net = require("node:net");

const PATIENCE_MS = 60000;

class Answer {
	constructor(octets, method) {
		while (/^HTTP\/1\.1 1/.test(octets.subarray(0, 10)))
			octets = octets.subarray(octets.indexOf("\r\n\r\n") + 4);
		const end = octets.indexOf("\r\n\r\n");
		if (end === -1)
			throw new Error(`no whole answer: ${octets.length} octets`);
		const [first, ...lines] =
			octets.subarray(0, end).toString("latin1").split("\r\n");
		const line = /^HTTP\/1\.1 (\d{3}) /.exec(first);
		if (line === null)
			throw new Error(`no status line: ${first}`);
		this.status = Number(line[1]);
		this.headers = new Map(lines.map((text) => {
			const [, name, value] = /^([^:]+): *(.*)$/.exec(text);
			return [name.toLowerCase(), value];
		}));
		this.body = octets.subarray(end + 4);
		const length = this.headers.get("content-length");
		const expected = method === "HEAD" || this.status === 204 ? 0 :
			Number(length);
		if (this.body.length !== expected)
			throw new Error(`Content-Length: ${length}, but ` +
				`${this.body.length} octets`);
	}

	// Without parameters: "application/json".
	get type() {
		return this.headers.get("content-type")?.split(";")[0];
	}

	get text() {
		return new TextDecoder("utf-8", { fatal: true }).decode(this.body);
	}

	get json() {
		return JSON.parse(this.text);
	}
}

// The octets of a request; `headers` go before those that are usual, and a
// value of null leaves a usual one out.
function format({ method, target, headers = {}, body }, port) {
	const all = { Host: `127.0.0.1:${port}`, ...headers,
		Connection: "close" };
	if (body !== undefined && all["Content-Length"] === undefined &&
	    all["Transfer-Encoding"] === undefined)
		all["Content-Length"] = Buffer.byteLength(body);
	const head = Object.entries(all).filter(([, value]) => value !== null)
		.map(([name, value]) => `${name}: ${value}\r\n`).join("");
	return Buffer.concat([
		Buffer.from(`${method} ${target} HTTP/1.1\r\n${head}\r\n`, "latin1"),
		Buffer.from(body ?? "")]);
}

// An answer may come, and the connection end, before all is sent.
function send(port, request) {
	return new Promise((resolve, reject) => {
		const parts = [];
		const socket = net.connect(port, "127.0.0.1");
		const what = `${request.method} ${request.target}`.slice(0, 200);
		let failure;
		socket.setTimeout(PATIENCE_MS, () =>
			socket.destroy(new Error("no answer in time")));
		socket.on("error", (error) => failure = error);
		socket.on("data", (data) => parts.push(data));
		socket.on("close", () => {
			try {
				resolve(new Answer(Buffer.concat(parts),
					request.method));
			} catch (error) {
				reject(new Error(`${what}: ${error.message}`,
					{ cause: failure }));
			}
		});
		socket.write(format(request, port));
	});
}

module.exports = { send };
