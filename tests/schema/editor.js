// An editor's YAML server reads the schema: it completes keys and words,
// shows their help, and marks what is wrong. Usage: editor.js SCHEMA
"use strict";
const assert = require("node:assert");
const { spawn } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { pathToFileURL } = require("node:url");

const PATIENCE_MS = 60000;
const schemaFile = path.resolve(process.argv[2]);
const schema = JSON.parse(fs.readFileSync(schemaFile, "utf8"));

// The server on its standard input and output, in JSON-RPC.
class Editor {
	constructor() {
		const program = require.resolve(
			"yaml-language-server/bin/yaml-language-server");
		this.server = spawn(process.execPath, [program, "--stdio"],
			{ stdio: ["pipe", "pipe", "inherit"] });
		this.server.stdout.on("data", (data) => this.read(data));
		this.input = Buffer.alloc(0);
		this.asked = new Map();
		this.marked = new Map();
		this.last = 0;
	}

	read(data) {
		this.input = Buffer.concat([this.input, data]);
		for (;;) {
			const end = this.input.indexOf("\r\n\r\n");
			if (end === -1)
				return;
			const length = Number(/Content-Length: (\d+)/i.exec(
				this.input.subarray(0, end).toString())[1]);
			const next = end + 4 + length;
			if (this.input.length < next)
				return;
			const message = JSON.parse(
				this.input.subarray(end + 4, next).toString());
			this.input = this.input.subarray(next);
			this.take(message);
		}
	}

	take(message) {
		const { id, method, params } = message;
		if (method === undefined) {
			assert.strictEqual(message.error, undefined);
			this.asked.get(id)(message.result);
		} else if (method === "textDocument/publishDiagnostics") {
			this.marked.get(params.uri)?.(params.diagnostics);
		} else if (id !== undefined) {
			const settings = method === "workspace/configuration" ?
				params.items.map(() => null) : null;
			this.send({ id, result: settings });
		}
	}

	send(message) {
		const body = JSON.stringify({ jsonrpc: "2.0", ...message });
		this.server.stdin.write(
			`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
	}

	tell(method, params) {
		this.send({ method, params });
	}

	ask(method, params) {
		const id = ++this.last;
		this.send({ id, method, params });
		return new Promise((resolve) => this.asked.set(id, resolve));
	}

	async start() {
		await this.ask("initialize", { processId: process.pid,
			rootUri: null, capabilities: { textDocument: {
				completion: { completionItem: {
					documentationFormat: ["plaintext"],
				} },
				hover: { contentFormat: ["plaintext"] },
			} } });
		this.tell("initialized", {});
		this.tell("workspace/didChangeConfiguration", { settings: {
			yaml: { completion: true, hover: true, validate: true,
				schemaStore: { enable: false } },
		} });
	}

	// With "|" where the cursor is; the first line names the schema.
	async open(text) {
		const head = "# yaml-language-server: $schema=" +
			`${pathToFileURL(schemaFile)}\n`;
		const uri = `file:///${++this.last}.yaml`;
		const before = (head + text).split("|")[0].split("\n");
		const marks = new Promise((resolve) =>
			this.marked.set(uri, resolve));
		this.tell("textDocument/didOpen", { textDocument: { uri,
			languageId: "yaml", version: 1,
			text: head + text.replace("|", "") } });
		return { uri, marks, at: { textDocument: { uri }, position: {
			line: before.length - 1,
			character: before.at(-1).length } } };
	}

	async complete(text) {
		const { at } = await this.open(text);
		return (await this.ask("textDocument/completion", at)).items;
	}

	async hover(text) {
		const { at } = await this.open(text);
		const { contents } = await this.ask("textDocument/hover", at);
		return contents.value ?? contents;
	}

	async marks(text) {
		return (await this.open(text)).marks;
	}

	stop() {
		this.server.kill();
	}
}

const TOP = "mockndes: 1\nname: x\n";

// The schema of a key, and what is below it.
function at(...names) {
	let here = schema;
	for (const name of names)
		here = name === "[]" ? here.items : here.properties[name];
	return here;
}
const keysOf = (...names) => Object.keys(at(...names).properties);

function offers(items, wanted) {
	const labels = items.map((item) => item.label);
	for (const word of wanted)
		assert(labels.includes(word),
			`"${word}" is not offered: ${labels}`);
}

async function test(editor) {
	offers(await editor.complete(`${TOP}|`),
		keysOf().filter((key) => !TOP.includes(key)));
	offers(await editor.complete(`${TOP}server:\n  |`),
		keysOf("server"));
	offers(await editor.complete(`${TOP}server:\n  mscep:\n    reply:\n` +
		"      |"), keysOf("server", "mscep", "reply"));
	offers(await editor.complete(`${TOP}server:\n  windows: |`),
		["2008r2", "2012r2"]);
	offers(await editor.complete(`${TOP}server:\n  mscep:\n    bom: |`),
		["true", "false"]);
	offers(await editor.complete(`${TOP}faults:\n  - |`),
		keysOf("faults", "[]"));
	offers(await editor.complete(`${TOP}faults:\n  - when:\n      |`),
		keysOf("faults", "[]", "when"));
	offers(await editor.complete(`${TOP}faults:\n  - do:\n      |`),
		keysOf("faults", "[]", "do"));
	for (const section of keysOf("faults", "[]", "do")) {
		if (at("faults", "[]", "do", section).properties === undefined)
			continue;
		offers(await editor.complete(`${TOP}faults:\n  - do:\n` +
			`      ${section}:\n        |`),
		keysOf("faults", "[]", "do", section));
	}

	const nonce = at("faults", "[]", "do", "scep", "recipient_nonce");
	const items = await editor.complete(`${TOP}faults:\n  - do:\n` +
		"      scep:\n        recipient_nonce: |");
	offers(items, nonce.enum);
	const helps = nonce.enum.map((word) => items.find((item) =>
		item.label === word).documentation);
	assert.deepStrictEqual(helps, nonce.enumDescriptions);

	const shown = await editor.hover(`${TOP}faults:\n  - do:\n` +
		"      scep:\n        recipient_|nonce: wrong\n");
	assert(nonce.description.length > 0 &&
		shown.includes(nonce.description), shown);

	assert.deepStrictEqual(await editor.marks(TOP), []);
	const marks = await editor.marks(`${TOP}server: {widnows: 2016}\n`);
	assert.strictEqual(marks.length, 1);
	assert.match(marks[0].message, /widnows/);
	assert.strictEqual(marks[0].range.start.line, 3);
	const both = await editor.marks(`${TOP}faults:\n  - do: {http: ` +
		"{body: x, redirect: /y}}\n");
	assert.strictEqual(both.length, 1, JSON.stringify(both));
	assert.match(both[0].message, /an answer has one body/);
}

async function main() {
	const editor = new Editor();
	const timer = setTimeout(() => {
		console.error("editor.js: no answer in time");
		editor.stop();
		process.exit(1);
	}, PATIENCE_MS);
	try {
		await editor.start();
		await test(editor);
		console.log("an editor completes, explains and marks");
	} finally {
		clearTimeout(timer);
		editor.stop();
	}
}
main().catch((error) => {
	console.error(error);
	process.exitCode = 1;
});
