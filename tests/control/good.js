// What the document promises: every operation, with every example of its
// parameters and of its body, and the same said in other ways.
"use strict";
const { Fixture } = require("./fixture.js");

const GOOD = [200, 201, 204];

function withBody(body, value) {
	return { headers: { "Content-Type": body.type },
		body: body.format(value) };
}

// The least that an operation takes.
function plain(operation) {
	return operation.needsBody ?
		withBody(operation.bodies[0], operation.bodies[0].examples[0]) :
		{};
}

function chunks(text) {
	const half = Math.ceil(text.length / 2);
	return [text.slice(0, half), text.slice(half)].filter(Boolean)
		.map((part) => `${Buffer.byteLength(part).toString(16)}\r\n` +
			`${part}\r\n`).join("") + "0\r\n\r\n";
}

function* otherwise(request) {
	const { headers, body } = request, type = headers["Content-Type"];
	for (const other of [`${type}; charset=utf-8`, `${type} ;a="b"`,
		type.toUpperCase()])
		yield { ...request, headers: { ...headers, "Content-Type": other } };
	yield { ...request, body: chunks(body),
		headers: { ...headers, "Transfer-Encoding": "chunked" } };
	yield { ...request, headers: { ...headers, Expect: "100-continue" } };
	if (type === "application/json")
		yield { ...request, body: `\r\n\t ${body} \n\n` };
}

function* hosts(port) {
	for (const host of ["localhost", "LocalHost", "127.0.0.1", "127.1.2.3",
		"[::1]", `localhost:${port}`, `[::1]:${port}`])
		yield { headers: { Host: host } };
	yield { headers: { Origin: `http://127.0.0.1:${port}` } };
	yield { headers: { Host: `localhost:${port}`,
		Origin: `http://localhost:${port}` } };
}

// What an action cannot do without is said in no example.
const NEEDED = {
	"set-password-max": { passwords: 5 },
	"set-ndes-certificate-thumbprint": { thumbprint: "00 11" },
};

function withArguments({ bodies }, name, rest) {
	return NEEDED[name] === undefined ? rest :
		withBody(bodies[0], NEEDED[name]);
}

// "?query", other values in the path, and the rest of the request.
function* variants(operation, port) {
	const rest = plain(operation);
	yield { rest };
	for (const { name, example } of operation.inQuery)
		yield { query: `?${name}=${encodeURIComponent(example)}`, rest };
	if (operation.inQuery.length > 0)
		yield { query: "?", rest };
	for (const { name, schema } of operation.inPath)
		for (const value of schema.enum ?? [])
			yield { values: { [name]: value },
				rest: withArguments(operation, value, rest) };
	for (const body of operation.bodies) {
		for (const value of body.examples)
			yield { rest: withBody(body, value) };
		for (const other of otherwise(withBody(body, body.examples[0])))
			yield { rest: other };
	}
	for (const type of operation.types())
		yield { rest: { ...rest,
			headers: { ...rest.headers, Accept: type } } };
	for (const { headers } of hosts(port))
		yield { rest: { ...rest,
			headers: { ...rest.headers, ...headers } } };
	if (operation.method === "GET")
		yield { rest: { method: "HEAD" } };
}

async function checkGood(document, { server, fixture, book }) {
	for (const operation of document.operations)
		for (const { query = "", values, rest } of
			variants(operation, server.control)) {
			const site = await fixture.open();
			const request = { method: operation.method,
				target: operation.target({ ...Fixture.for(operation,
					site), ...values }) + query,
				...rest };
			const answer = await book.ask(server,
				{ operation, request, statuses: GOOD });
			await server.unmake(answer);
			await fixture.close(site);
		}
}

// Names are listed by the program as they stand in the document.
async function checkNames(document, { server, book }) {
	const { id } = await server.call("POST", "/v1/sites", {}, 201);
	for (const what of ["evidence", "actions"]) {
		const { [what]: listed } =
			await server.call("GET", `/v1/sites/${id}/${what}`);
		const names = listed.map((one) => one.name).join();
		const [{ inPath }] = document.operations.filter((one) =>
			one.path === `/v1/sites/{id}/${what}/{name}`);
		const wanted = inPath.find((one) => one.name === "name")
			.schema.enum.join();
		if (names !== wanted)
			book.complain(`${what}: ${names}\n    not ${wanted}`);
	}
}

// What an argument takes, as it goes and beyond, and with which status.
function argumentValues({ type, minimum, maximum, minLength, maxLength }) {
	return type === "string" ? [
		["x".repeat(minLength), 200], ["x".repeat(maxLength), 200],
		["x".repeat(maxLength + 1), 400], ["", minLength > 0 ? 400 : 200],
		["\u200e00", 400], ["00\n", 400], [17, 200],
	] : [
		[minimum, 200], [maximum, 200], [`${minimum}`, 200],
		[minimum - 1, 400], [maximum + 1, 400],
		["", 400], ["x", 400], [`${minimum} `, 400],
	];
}

// Each argument of each action.
async function checkArguments(document, { server, book }) {
	const { id } = await server.call("POST", "/v1/sites", {}, 201);
	const { actions } = await server.call("GET", `/v1/sites/${id}/actions`);
	const operation = document.operations.find((one) =>
		one.path === "/v1/sites/{id}/actions/{name}");
	for (const action of actions)
		for (const argument of action.arguments)
			for (const [value, status] of argumentValues(argument))
				await book.ask(server, { operation, request: {
					method: operation.method,
					target: operation.target(
						{ id, name: action.name }),
					...withBody(operation.bodies[0],
						{ [argument.name]: value }),
				}, statuses: [status] });
}

module.exports = { checkArguments, checkGood, checkNames, plain, withBody, GOOD };
