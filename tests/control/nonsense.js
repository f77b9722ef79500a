// Nonsense of each kind, made from the document: what its schemas refuse, the
// program has to refuse, in the form that the document gives to errors, and
// nothing may change by it.
"use strict";
const { Fixture } = require("./fixture.js");
const { GOOD, plain, withBody } = require("./good.js");

const DEEP = 100000;
const BODY_MAX = 1 << 20;
const JSON_TYPE = "application/json", YAML_TYPE = "application/yaml";
const JSON_PLACE = /^body:\d+:\d+: ./, YAML_PLACE = /^\S+:\d+:\d+: ./m;

const METHODS = ["GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "OPTIONS",
	"TRACE", "PROPFIND", "BREW", "get", "Post"];

const NOT_JSON = ["{", "}", "[", "]", "{]", "{\"a\":}", "{\"a\"}", "{\"a\" 1}",
	"{\"a\":1,}", "{,}", "{'a':1}", "{a:1}", "{} {}", "{}x", "nul", "True",
	"\"x", "{\"a\":\"\t\"}", "{\"a\":\"\\x\"}", "{\"a\":\"\\u12\"}",
	"{\"a\":01}", "{\"a\":+1}", "{\"a\":.5}", "{\"a\":1.}", "{\"a\":1e}",
	"{\"a\":0x10}", "{\"a\":NaN}", "{\"a\":Infinity}", "{\"a\":-}",
	"// x\n{}", "{/* x */}", "\ufeff{}", "---\n{}", "a=1&b=2", "<x/>",
	" ", "\n", "{\"a\":\"\\ud800\"}", "{\"\\udc00\":1}",
	"{\"a\":\"\\u0000\"}", "{\"\\u0000\":1}", "\0", "{\"a\":\"\0\"}", "{}\0",
	"{\"a\":1e400}", "{\"a\":-1e99999}", `{"a":${"9".repeat(400)}}`,
	`{"a":-${"9".repeat(5000)}}`, "{\"a\":9223372036854775808}",
	"[".repeat(DEEP), "{\"a\":".repeat(DEEP), "[{\"a\":".repeat(DEEP / 2),
	"[".repeat(DEEP) + "]".repeat(DEEP)];
const NOT_UTF8 = [[0xff], [0xc3, 0x28], [0xc0, 0xaf], [0xed, 0xa0, 0x80],
	[0xf8, 0x88, 0x80, 0x80, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82]]
	.map((octets) => Buffer.concat([Buffer.from("{\"a\":\""),
		Buffer.from(octets), Buffer.from("\"}")]));
const NO_OBJECT = ["null", "true", "1", "-1.5", "\"x\"", "[]", "[{}]", "[1,2]"];

const VALUES = [null, true, false, 0, 1, -1, 1.5, 65536, 1e300, 9007199254740993,
	"", "x", "1", " ", "ä", "a/b", "../x", "x".repeat(70000), [], ["x"], {},
	{ a: 1 }, [[[]]]];

// Of a scenario.
const NOT_YAML = ["", " ", "{", "a: [", "\t- x", "a: b: c", "mockndes: 2", "[]",
	"x", "mockndes: 1", "mockndes: 1\nname: x\nwidnows: 1\n",
	"mockndes: 1\nname: x\nname: x\n", "mockndes: 1\nname: [x]\n",
	"mockndes: 1\nname: x\nextends: no-such\n",
	"mockndes: 1\nname: x\nextends: x\n",
	"mockndes: 1\nname: x\nfaults:\n  - do: {http: {status: 99}}\n",
	"mockndes: 1\nname: x\nfaults: [{do: {bytes: {file: /etc/passwd}}}]\n",
	"mockndes: 1\nname: x\nserver: {iis: {status: hello}}\n",
	"mockndes: 1\nname: x\n---\nmockndes: 1\nname: y\n",
	"mockndes: !!int x\nname: x\n", "mockndes: 1\nname: *x\n",
	"mockndes: 1\nname: x\ntitle: \"\\0\"\n", "%YAML 9.9\n---\nmockndes: 1\n",
	`mockndes: 1\nname: ${"x".repeat(70000)}\n`,
	"mockndes: 1\nname: x\ntitle: \u0007\n", "\0", "[".repeat(DEEP),
	"{a: ".repeat(DEEP), "- ".repeat(DEEP), "? ".repeat(DEEP),
	`mockndes: 1\nname: x\nserver: ${"[".repeat(DEEP)}`,
	// A billion laughs.
	`a0: &a0 [x]\n${Array.from({ length: 30 }, (_, i) =>
		`a${i + 1}: &a${i + 1} [*a${i}, *a${i}]\n`).join("")}`];

const WRONG_TYPES = [null, "", "text/plain", "text/json", "application/jsonx",
	"application", "/", "application/x-www-form-urlencoded",
	"multipart/form-data; boundary=x", "application/octet-stream",
	"text/plain; application/json", "application/json/json",
	"application/json,text/plain", "application/j son", "*/*"];

const NUMBERS = ["", "x", "-1", "+1", "1.5", "1e3", "0x10", "1 ", " 1", "1,2",
	"1%002", "%31%zz", "99999999999999999999", "9".repeat(400), "NaN", "\u0661"];

// As they stand in a path; %2f makes no new part of it.
const NAMES = ["%00", "a%00b", "%2f", "%2e%2e", "..", ".", "%2e%2e%2fx", "%zz",
	"%", "%2", "%2g", "%c0%af", "%ff", "%ed%a0%80", "%u0041", "%25", "%0d%0a",
	"a%20b", "+", ";", "*", "~", "'\"", "\u00e4", "%c3%a4", "no-such",
	"x".repeat(300), "x".repeat(6000), "{id}", "-", "--help", "/etc/passwd"];

const PATHS = ["/", "//", "/v1", "/v1/", "/v2/sites", "/v1/sites/", "/V1/sites",
	"/v1//sites", "//v1/sites", "/healthz/", "/healthz/x", "/HEALTHZ",
	"/v1/sites/default/", "/v1/sites//requests", "/v1/./sites",
	"/v1/../v1/sites", "/v1/sites/default/../default", "/%76%31/sites",
	"/v1%2fsites", "/v1/sites/default/certificates/.pem",
	"/v1/sites/default/pending//approve", "/v1/sites/default/requests/1/x",
	"/certsrv/mscep/mscep.dll", "/t/default/certsrv/mscep/mscep.dll", "*",
	"/%00", "/\u0001", "/index.html", "/.git/config", "/v1/openapi.json/"];

const STRANGERS = [
	{ Origin: "http://evil.example" }, { Origin: "null" }, { Origin: "" },
	{ Origin: "file://" }, { Origin: "http://127.0.0.1" },
	{ Origin: "http://127.0.0.1:1" }, { Origin: "http://localhost" },
	{ Origin: "http://127.0.0.1.evil.example" },
	{ Origin: "chrome-extension://abc" }, { Host: "evil.example" },
	{ Host: "127.0.0.1.evil.example" }, { Host: "localhost.evil.example" },
	{ Host: "127.evil.example" }, { Host: "[::1].evil.example" },
	{ Host: "[::2]" }, { Host: "10.0.0.1" }, { Host: "0.0.0.0" },
	{ Host: "evil.example:80@localhost" }, { Host: "localhost@evil.example" },
	{ Host: "evil.example", Origin: "http://evil.example" },
];

const WRONG_TOKENS = [undefined, "", "Bearer", "Bearer ", "Bearer wrong",
	"Bearer SECRET", "Bearer secret ", "Bearer secretx", "Bearer secre",
	"Bearer  x secret", "Bearer Bearer secret", "secret", "Basic secret",
	"Basic c2VjcmV0", "Bearer \u00ff", `Bearer ${"x".repeat(5000)}`];

function percent(text) {
	return encodeURIComponent(text).replace(/%25/g, "%");
}

function* wrongMethods(operation, document) {
	const methods = document.methodsOf(operation.path);
	if (methods.includes("GET"))
		methods.push("HEAD");
	if (operation.method !== methods[0])
		return; /* once a path */
	for (const method of METHODS)
		if (!methods.includes(method))
			yield { method, statuses: [405], code: "method",
				allow: methods };
}

function* wrongValues(operation) {
	const { inPath } = operation;
	for (const { name, judge, schema } of inPath) {
		for (const value of NAMES)
			yield { values: { [name]: value }, statuses: [400, 404] };
		if (schema.type === "integer")
			for (const value of [...NUMBERS, "0", "999999"])
				if (value !== "")
					yield { values: { [name]: percent(value) },
						statuses: [400, 404] };
		yield { values: { [name]: "999999" }, statuses: [404] };
		yield { values: { [name]: "" }, statuses: [400, 404, 405] };
	}
}

function* wrongQueries(operation) {
	const names = operation.inQuery.map((one) => one.name);
	const refused = (query, says) =>
		({ query, statuses: [400], code: "parameter", says });
	for (const name of ["no_such", "id", "%00", "%zz", "%ff", "a%00b", "%",
		...names.map((one) => one.toUpperCase()),
		...names.map((one) => `${one}[]`)])
		for (const value of ["", "=", "=1"])
			yield refused(`?${name}${value}`);
	yield refused("?=1");
	for (const name of names)
		yield refused(`?${name.slice(0, -1)}=1`, new RegExp(`"${name}"`));
	for (const { name, schema, judge, example } of operation.inQuery) {
		const edges = schema.type !== "integer" ? [""] : [...NUMBERS,
			String(schema.minimum - 1),
			...schema.maximum === undefined ? [] :
				[String(schema.maximum + 1)]];
		for (const value of [...edges, "%00", "%ff", "%zz", "%"])
			yield refused(`?${name}=${percent(value)}`);
		yield refused(`?${name}=${example}&${name}=${example}`);
		yield refused(`?${name}`);
		if (schema.enum !== undefined)
			yield refused(`?${name}=no-such`);
	}
}

function* notJson(body) {
	for (const text of [...NOT_JSON, ...NOT_UTF8])
		yield { headers: { "Content-Type": JSON_TYPE }, body: text,
			statuses: [400], code: "json", says: JSON_PLACE };
	for (const text of NO_OBJECT)
		yield { headers: { "Content-Type": JSON_TYPE }, body: text,
			statuses: [400], code: "json", says: JSON_PLACE };
	for (const key of Object.keys(body.schema.properties ?? { a: 1 }))
		yield { headers: { "Content-Type": JSON_TYPE },
			body: `{"${key}":1,"${key}":1}`, statuses: [400],
			code: "json", says: JSON_PLACE };
}

// What the schema refuses in an object.
function* notValid(body) {
	const good = body.examples[0];
	const say = (value) => ({ ...withBody(body, value), statuses: [400] });
	const offer = [];
	for (const name of ["no_such", "", "ä", "__proto__", "x".repeat(70000),
		"a.b", "a\nb"])
		offer.push({ ...good, [name]: 1 }, { [name]: {} });
	for (const name of Object.keys(body.schema.properties ?? {})) {
		for (const value of VALUES)
			offer.push({ [name]: value }, { ...good, [name]: value });
		offer.push({ ...good, [`${name}x`]: good[name] ?? 1 });
		const { [name]: _, ...without } = good;
		offer.push(without);
	}
	for (const value of offer)
		if (body.judge(value) !== null)
			yield say(value);
}

function* notSettings(body) {
	const at = body.schema.properties === undefined ? (set) => set :
		(set) => ({ ...body.examples[0], set });
	const good = body.schema.properties?.set !== undefined ||
		body.schema.additionalProperties !== false;
	if (!good)
		return;
	for (const set of [{ widnows: "2016" }, { windows: "1999" },
		{ windows: null }, { windows: {} }, { windows: [] },
		{ windows: { a: 1 } }, { iis: 1 }, { iis: "x" }, { iis: [] },
		{ "iis.": 1 }, { ".iis": 1 }, { "": 1 }, { "iis..status": "1" },
		{ "server.server.windows": "2016" }, { "windows=2016\nx": 1 },
		{ mscep: { bom: "perhaps" } }, { mscep: { bom: 1e300 } },
		{ ["iis.".repeat(1000)]: 1 }, { windows: "x".repeat(70000) },
		{ windows: "\u0007" }, { windows: "2016\nfaults: x" },
		Object.fromEntries(Array.from({ length: 5000 },
			(_, i) => [`k${i}`, i])),
		JSON.parse("{\"iis\":".repeat(500) + "1" + "}".repeat(500))])
		yield { ...withBody(body, at(set)), statuses: [400] };
}

function* notYaml(operation, body) {
	for (const text of [...NOT_YAML, ...NOT_UTF8]) {
		if (body.type === YAML_TYPE)
			yield { headers: { "Content-Type": YAML_TYPE }, body: text,
				statuses: [400], ...text.length > 0 ?
					{ code: "scenario", says: YAML_PLACE } : {} };
		else if (body.schema.properties?.yaml !== undefined &&
		    typeof text === "string" && !text.includes("\0"))
			yield { ...withBody(body, { yaml: text }),
				statuses: [400], code: "scenario",
				says: YAML_PLACE };
	}
}

function* wrongBodies(operation) {
	const [first] = operation.bodies;
	if (first === undefined)
		return;
	for (const body of operation.bodies) {
		if (body.type === JSON_TYPE) {
			yield* notJson(body);
			yield* notValid(body);
			yield* notSettings(body);
		}
		yield* notYaml(operation, body);
	}
	const { body, headers } = withBody(first, first.examples[0]);
	for (const type of WRONG_TYPES)
		yield { headers: { "Content-Type": type }, body,
			statuses: [415], code: "content_type" };
	if (operation.bodies.length === 1)
		yield { headers: { "Content-Type": YAML_TYPE }, body,
			statuses: [415], code: "content_type" };
	if (operation.needsBody) {
		yield { bare: true, statuses: [400] };
		yield { bare: true, headers, statuses: [400] };
		yield { headers, body: "", statuses: [400] };
	}
	yield { headers: { ...headers, "Transfer-Encoding": "gzip" },
		statuses: [501], code: "transfer_encoding" };
	yield* tooLarge(headers);
}

function* tooLarge(headers) {
	const refused = { statuses: [413], code: "body_too_large" };
	for (const length of [BODY_MAX + 1, 2 ** 31, 2 ** 32 + 5, 2 ** 53])
		yield { headers: { ...headers, "Content-Length": length },
			...refused };
	yield { headers, body: `{${" ".repeat(BODY_MAX)}}`, ...refused };
	yield { headers: { ...headers, "Transfer-Encoding": "chunked" },
		body: `${(BODY_MAX + 1).toString(16)}\r\n` +
			`${" ".repeat(BODY_MAX + 1)}\r\n0\r\n\r\n`, ...refused };
	yield { headers: { ...headers, "Transfer-Encoding": "chunked" },
		body: `1000\r\n${" ".repeat(4096)}\r\n`.repeat(300), ...refused };
}

function* strangers() {
	for (const headers of STRANGERS)
		yield { headers, statuses: [403], code:
			headers.Origin === undefined ? "host" :
				headers.Host === undefined ? "origin" : undefined };
}

// All that is wrong with a request for an operation.
function* wrongRequests(operation, document) {
	yield* wrongMethods(operation, document);
	yield* wrongValues(operation);
	yield* wrongQueries(operation);
	yield* wrongBodies(operation);
	yield* strangers();
}

function complete(operation, values, wrong) {
	const { query = "", values: changes, bare, ...rest } = wrong;
	const usual = bare ? {} : plain(operation);
	const target = operation.target(
		{ ...Fixture.for(operation, values), ...changes }) + query;
	return { method: operation.method, target, ...usual, ...rest,
		headers: { ...usual.headers, ...rest.headers } };
}

// What can be seen of a site, but for the time.
async function look(server, { id }) {
	const here = `/v1/sites/${id}`;
	const { now, ...site } =
		(await server.send({ target: here })).json;
	const sites = await server.call("GET", "/v1/sites");
	return JSON.stringify([site, sites.sites.length,
		(await server.send({ target: `${here}/pending` })).json,
		(await server.send({ target: `${here}/certificates` })).json]);
}

async function sendOne(operation, values, wrong, { server, book }) {
	const { statuses, code, says, allow, ...rest } = wrong;
	const request = complete(operation, values, rest);
	const answer = await book.ask(server,
		{ operation, request, statuses, code, says });
	const said = answer?.headers.get("allow")?.split(", ").sort().join();
	if (answer !== null && said !== allow?.slice().sort().join())
		book.complain(`${request.method} ${request.target}: ` +
			`Allow: ${said}, not ${allow}`);
}

async function checkNonsense(document, bench) {
	const { server, fixture, book } = bench;
	const gone = await fixture.openGone();
	for (const operation of document.operations) {
		const values = await fixture.open();
		const before = await look(server, values);
		for (const wrong of wrongRequests(operation, document))
			await sendOne(operation, values, wrong, bench);
		if (operation.path.startsWith("/v1/sites/{id}"))
			await sendOne(operation, gone,
				{ statuses: [410], code: "site_gone" }, bench);
		if (await look(server, values) !== before)
			book.complain(`${operation.name}: nonsense changed the site`);
		await server.checkLiving();
	}
	for (const target of PATHS) {
		const request = { method: "GET", target };
		await book.ask(server, { request, statuses: [400, 404] });
	}
	await server.checkLiving();
}

// Of a server whose token is "secret".
async function checkTokens(document, { server, book }) {
	const values = { id: "default", seq: "1", serial: "01",
		transaction: "1" };
	for (const operation of document.operations) {
		for (const token of WRONG_TOKENS) {
			const request = complete(operation, values, { headers:
				{ Authorization: token ?? null } });
			await book.ask(server, operation.isPublic ?
				{ operation, request, statuses: [200] } :
				{ operation, request, statuses: [401],
					code: "token" });
		}
		const request = complete(operation, values,
			{ headers: { Authorization: "Bearer secret" } });
		await book.ask(server, { operation, request,
			statuses: [...GOOD, 404, 409] });
	}
	await server.checkLiving();
}

// Deterministic.
function* randoms() {
	for (let state = 1; ; )
		yield state = (state * 48271) % 0x7fffffff;
}

function* mutants(text, random) {
	const octets = Buffer.from(text);
	for (let i = 0; i < octets.length; i++)
		yield octets.subarray(0, i);
	for (let i = 0; i < octets.length; i++) {
		const changed = Buffer.from(octets);
		changed[i] = random.next().value & 0xff;
		yield changed;
		const at = random.next().value % octets.length;
		yield Buffer.concat([octets.subarray(0, at),
			octets.subarray(i), octets.subarray(at)]);
	}
}

// Bodies that are almost right: what comes of them is documented.
async function checkMutants(document, { server, fixture, book }) {
	const random = randoms();
	for (const operation of document.operations) {
		const values = await fixture.open();
		for (const body of operation.bodies)
			for (const mutant of mutants(
				body.format(body.examples.at(-1)), random)) {
				const request = complete(operation, values,
					{ headers: { "Content-Type": body.type },
						body: mutant });
				await server.unmake(await book.ask(server,
					{ operation, request, statuses:
						[...GOOD, 400, 404, 409] }));
			}
	}
	await server.checkLiving();
}

module.exports = { checkNonsense, checkTokens, checkMutants };
