// The program under test.
"use strict";
const assert = require("node:assert");
const { spawn } = require("node:child_process");
const readline = require("node:readline");
const { send } = require("./http.js");

class Server {
	static async start(program, flags) {
		const server = new Server();
		server.child = spawn(program, ["serve", "--listen", "127.0.0.1:0",
			"--control", "127.0.0.1:0", ...flags],
		{ stdio: ["ignore", "pipe", "inherit"] });
		server.ended = new Promise((resolve) =>
			server.child.on("exit", (status, signal) =>
				resolve({ status, signal })));
		const lines = readline.createInterface(server.child.stdout);
		const line = await Promise.race([
			new Promise((resolve) => lines.once("line", resolve)),
			server.ended]);
		assert.match(String(line), /^READY /, "the program did not start");
		server.ready = JSON.parse(line.slice("READY ".length));
		server.control = Number(new URL(server.ready.control).port);
		server.scep = Number(new URL(server.ready.url).port);
		return server;
	}

	send(request) {
		return send(this.control, { method: "GET", ...request });
	}

	// What a client of the API does; the answer must be of this status.
	async call(method, target, body, status = 200) {
		const request = { method, target };
		if (body !== undefined) {
			request.body = JSON.stringify(body);
			request.headers = { "Content-Type": "application/json" };
		}
		const answer = await this.send(request);
		assert.strictEqual(answer.status, status,
			`${method} ${target}: ${answer.body}`);
		return answer.body.length > 0 ? answer.json : undefined;
	}

	// Deletes what an answer says that it has made.
	async unmake(answer) {
		const made = answer?.headers.get("location");
		if (made !== undefined)
			await this.call("DELETE", made, undefined, 204);
	}

	// What a SCEP client does.
	ask(request) {
		return send(this.scep, { method: "GET", ...request });
	}

	async checkLiving() {
		const answer = await this.send({ target: "/healthz" });
		assert.strictEqual(answer.json.status, "ok");
	}

	// It has to end by itself, and well: no sanitizer had anything to say.
	async stop() {
		this.child.kill("SIGTERM");
		assert.deepStrictEqual(await this.ended,
			{ status: 0, signal: null });
	}
}

module.exports = { Server };
