// The program against the description of its control API: good requests,
// conflicts, and nonsense of each kind; every answer has to be as the document
// says, and every answer that it names has to come.
// Usage: conformance.js PROGRAM SOURCE-TREE
"use strict";
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { Book } = require("./book.js");
const { Conflicts } = require("./conflicts.js");
const { Document } = require("./document.js");
const { Fixture } = require("./fixture.js");
const { checkArguments, checkGood, checkNames } = require("./good.js");
const { checkMutants, checkNonsense, checkTokens } =
	require("./nonsense.js");
const { Server } = require("./server.js");

const [program, source] = process.argv.slice(2);
const recorded = path.join(source, "tests", "fixtures", "recorded");

const document =
	Document.read(path.join(source, "server", "control", "openapi.json"));
const book = new Book(document);
const conflicts = new Conflicts(document, book);
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "mockndes-control."));

async function withServer(flags, check) {
	const server = await Server.start(program, ["--challenge", "secret",
		"--keys", path.join(recorded, "keys"), "--seed", "1", ...flags]);
	try {
		await check(server);
		await server.checkLiving();
	} finally {
		await server.stop();
	}
}

async function checkAll() {
	// Each request has a site of its own.
	await withServer(["--max-sites", "4096"], async (server) => {
		const fixture = new Fixture(server, recorded);
		const bench = { server, fixture, book };
		await checkNames(document, bench);
		await checkGood(document, bench);
		await checkArguments(document, bench);
		await conflicts.ofSites(server, await fixture.open());
		await checkNonsense(document, bench);
		await checkMutants(document, bench);
		await checkGood(document, bench);
	});
	await withServer(["--control-token", "secret"], (server) =>
		checkTokens(document, { server, book }));
	await withServer(["--max-sites", "2", "--state-dir",
		path.join(folder, "state")], async (server) => {
		await conflicts.ofState(server);
		await conflicts.ofRoom(server);
	});
	book.checkSeen();
}

checkAll().catch((error) => book.complain(error.stack)).finally(() => {
	fs.rmSync(folder, { recursive: true });
	process.exitCode = book.report() ? 0 : 1;
});
