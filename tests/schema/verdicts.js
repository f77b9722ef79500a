// Compares ajv's verdict on scenarios with that of `mockndes check`: those
// that ship, those of the folder of invalid ones, and others that are made up:
// every key of the schema with many values, and any two keys of a rule. What the program takes, the schema
// has to take; what it refuses, the schema refuses too, or inexpressible.txt
// says why it cannot. Usage: verdicts.js PROGRAM SCHEMA SOURCE-TREE
"use strict";
const assert = require("node:assert");
const { spawnSync } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const Ajv = require("ajv");
const Ajv2020 = require("ajv/dist/2020");
const YAML = require("yaml");

const [program, schemaFile, source] = process.argv.slice(2);
const schema = JSON.parse(fs.readFileSync(schemaFile, "utf8"));
const BATCH = 500;

// All that ajv is strict about, but for types that are lists; editors know
// errorMessage.
const options = { allErrors: true, strict: true, strictTypes: false,
	strictRequired: false, keywords: ["errorMessage", "enumDescriptions"] };
const validate = new Ajv2020(options).compile(schema);
const old = { ...schema };
delete old.$schema;
const validateOld = new Ajv(options).compile(old);

// What is wrong with a text, or null.
function judge(text) {
	let data;
	try {
		data = YAML.parse(text, { stringKeys: true });
	} catch (error) {
		return error.message;
	}
	const good = validate(data);
	assert.strictEqual(validateOld(data), good, "draft-07 differs");
	return good ? null : validate.errors.map((error) =>
		`${error.instancePath}: ${error.message}`).join("; ");
}

function checkAlone(file) {
	const run = spawnSync(program, ["check", file], { encoding: "utf8" });
	assert.strictEqual(run.status, 1, `${file}: no verdict`);
	return run.stderr.trim().split("\n");
}

// For each file what the program says against it, a line each, or null.
function check(files) {
	const said = new Map(files.map((file) => [file, []]));
	for (let i = 0; i < files.length; i += BATCH) {
		const batch = files.slice(i, i + BATCH);
		const run = spawnSync(program, ["check", ...batch],
			{ encoding: "utf8", maxBuffer: 1 << 28 });
		assert([0, 1].includes(run.status), run.stderr);
		for (const line of run.stdout.split("\n"))
			if (line.endsWith(": ok"))
				said.set(line.slice(0, -4), null);
		for (const line of run.stderr.split("\n")) {
			const [, file, what] =
				/^(.*?\.yaml):\d+:\d+: (.*)$/.exec(line) ?? [];
			said.get(file)?.push(what);
		}
	}
	// What is wrong with a file may stand in another one.
	for (const [file, what] of said)
		if (what?.length === 0)
			what.push(...checkAlone(file));
	return said;
}

function yamlFiles(...folder) {
	const place = path.join(source, ...folder);
	return fs.readdirSync(place).filter((name) => name.endsWith(".yaml"))
		.map((name) => path.join(place, name));
}

// "FILE.yaml: why" and "/value: what is said/: why"
function readExceptions() {
	const files = new Map(), sayings = [];
	const lines = fs.readFileSync(
		path.join(__dirname, "inexpressible.txt"), "utf8").split("\n");
	for (const line of lines) {
		if (line === "" || line.startsWith("#"))
			continue;
		const saying = /^\/(.*)\/ +(.+)$/.exec(line);
		const file = /^([^/]*): (.+)$/.exec(line);
		assert(saying ?? file, `inexpressible.txt: ${line}`);
		if (saying)
			sayings.push({ words: new RegExp(saying[1]), used: 0 });
		else
			files.set(file[1], 0);
	}
	return { files, sayings };
}

const wrong = [];
function complain(what) {
	wrong.push(what);
}

function compareShipped() {
	const files = yamlFiles("scenarios");
	for (const [file, said] of check(files)) {
		const mine = judge(fs.readFileSync(file, "utf8"));
		if (said !== null || mine !== null)
			complain(`${file}: ${said}; ${mine}`);
	}
	console.log(`${files.length} scenarios that ship`);
}

function compareInvalid({ files }) {
	const folder = yamlFiles("tests", "scenarios", "invalid");
	for (const [file, said] of check(folder)) {
		const mine = judge(fs.readFileSync(file, "utf8"));
		const name = path.basename(file);
		if (said === null)
			complain(`${name}: the program takes it`);
		if (mine === null && !files.has(name))
			complain(`${name}: the schema takes it: ${said}`);
		if (mine !== null && files.has(name))
			complain(`${name} is listed but refused: ${mine}`);
		files.delete(name);
	}
	for (const name of files.keys())
		complain(`${name} is listed, but there is none`);
	console.log(`${folder.length} invalid ones`);
}

const LONG = "x".repeat(300);
const VALUES = ["", "healthy", "a-file", "~", "null", "true", "false", "True", "yes", "0", "1", "-1",
	"+1", "-0", "2", "007", "1.0", "0.5", ".5", "0.25", "0.1234567", "1e2",
	"0x10", "1_000", "99999999999999999999", "503", "500.0", "500.0.1346",
	"404.13", "99", "199", "200", "999", "1000", "0503", "500.", "500.1000",
	"250ms", "3s", "90m", "-1d", "+2y", "0s", "-0s", "1000y", "5 s", "5S",
	"3", "50%", "+50%", "050%", "101%", "-5%", "abc", "a b", "\u00e4",
	"\"a\\nb\"", "'5'", "\"true\"", "''", "' 5'", "[]", "[a]", "[1, 2]",
	"[1s, 2s]", "[2s, 1s]", "[1s]", "[1s, 2s, 3s]", "{}", "{a: b}",
	"{a: 1, b: }", "{a: [b, c]}", "[[a]]", "[{a: b}]", "[~, true, 1.5]",
	"1.3.6.1.5.5.7.3.2", "[1.3.6.1.5.5.7.3.2, 2.5.29.37.0]", "2.5", "3.1",
	"1.40", "1.39", "[2.5, 1.2]", "2.05", "[a, a]", "0o17", "2001-01-01",
	"\"CN=x,O=y\"", "\"C=US, CN=x\"", LONG, `[${LONG}]`,
	`[${Array(200).fill("a")}]`];

// Scalars that this part of the schema names.
function* named(form) {
	for (const [name, value] of Object.entries(form)) {
		if (name === "enum")
			yield* value.map(String);
		else if (name === "minimum" || name === "maximum")
			yield* [value - 1, value, value + 1].map(String);
		else if (typeof value === "object" && value !== null)
			yield* named(value);
	}
}

// Every key with a value, as [names, schema].
function* leaves(form, names) {
	if (form.items?.properties !== undefined) {
		yield* leaves(form.items, [...names, "[]"]);
	} else if (form.properties === undefined) {
		yield [names, form];
		return;
	}
	for (const [name, below] of Object.entries(form.properties ?? {}))
		yield* leaves(below, [...names, name]);
}

// Keys that mean nothing without another one beside them.
const COMPANIONS = {
	"faults.[].when.per": [["faults.[].when.first", "1"]],
	"faults.[].do.scep.fail_info": [["faults.[].do.scep.status", "failure"]],
	"faults.[].do.scep.fail_info_text":
		[["faults.[].do.scep.status", "failure"]],
	"faults.[].do.wire.pause.at": [["faults.[].do.wire.pause.time", "1s"]],
	"faults.[].processed": [["faults.[].do.http.status", "503"]],
	"evidence.[].in": [["evidence.[].text", "x"]],
	"evidence.[].text": [["evidence.[].in", "registry"]],
	...Object.fromEntries(["source", "id", "level"].map((name) =>
		[`evidence.[].${name}`, [["evidence.[].in", "system-log"],
			["evidence.[].text", "x"]]])),
};

function print(node) {
	if (typeof node === "string")
		return node;
	if (node["[]"] !== undefined)
		return `[${print(node["[]"])}]`;
	return `{${Object.entries(node).map(([name, below]) =>
		`${name}: ${print(below)}`).join(", ")}}`;
}

// A scenario with these keys, a.b.c, and values; a rule does something.
function compose(name, entries) {
	const top = { mockndes: "1", name };
	const all = new Map(entries);
	if ([...all.keys()].some((key) => key.startsWith("faults.")) &&
	    ![...all.keys()].some((key) => key.startsWith("faults.[].do")))
		all.set("faults.[].do.delay", "1s");
	for (const [key, value] of all) {
		const names = key.split("."), last = names.pop();
		let here = top;
		for (const part of names)
			here = here[part] ??= {};
		here[last] = value;
	}
	return `${print(top)}\n`;
}

// Scenarios of our own making, each a file.
class MadeUp {
	constructor(folder) {
		this.folder = path.resolve(folder);
		this.cases = new Map();
		fs.rmSync(this.folder, { recursive: true, force: true });
		fs.mkdirSync(this.folder);
		fs.writeFileSync(path.join(this.folder, "a-file"), "content");
	}

	add(what, entries) {
		const name = `x${this.cases.size}`;
		const file = path.join(this.folder, `${name}.yaml`);
		const text = compose(name, entries);
		fs.writeFileSync(file, text);
		this.cases.set(file, { what, entries, text });
	}

	// Yields the entries of those that the program takes.
	*compare(sayings) {
		for (const [file, said] of check([...this.cases.keys()])) {
			const { what, entries, text } = this.cases.get(file);
			const mine = judge(text);
			if (said === null && mine !== null)
				complain(`the program takes ${text}  but: ${mine}`);
			if (said === null)
				yield entries;
			else if (mine === null)
				this.explain(said.map((one) => `${what}: ${one}`),
					text, sayings);
		}
	}

	explain(said, text, sayings) {
		for (const one of said) {
			const saying = sayings.find(({ words }) =>
				words.test(one));
			if (saying === undefined)
				complain(`the schema takes ${text}  but: ${one}`);
			else
				saying.used++;
		}
	}
}

// Every key with every value; returns for each key one that is taken.
function compareValues(sayings) {
	const madeUp = new MadeUp("values"), taken = new Map();
	for (const [names, form] of leaves(schema, [])) {
		const key = names.join(".");
		if (key === "mockndes" || key === "name")
			continue;
		taken.set(key, undefined);
		for (const value of new Set([...VALUES, ...named(form)]))
			madeUp.add(value, [[key, value],
				...COMPANIONS[key] ?? []]);
	}
	for (const [[key, value]] of madeUp.compare(sayings))
		taken.set(key, value === "false" ? taken.get(key) : value);
	for (const [key, value] of taken)
		if (value === undefined)
			complain(`no value of ${key} is taken`);
	console.log(`${madeUp.cases.size} values`);
	return [...taken].filter(([, value]) => value !== undefined);
}

// Any two keys of a rule.
function comparePairs(taken, sayings) {
	const madeUp = new MadeUp("pairs");
	const ofRule = taken.filter(([key]) => key.startsWith("faults."));
	ofRule.forEach((one, i) => {
		for (const other of ofRule.slice(i + 1))
			madeUp.add("two", [one, other]);
	});
	for (const _ of madeUp.compare(sayings))
		continue;
	console.log(`${madeUp.cases.size} pairs`);
}

const exceptions = readExceptions();
compareShipped();
compareInvalid(exceptions);
comparePairs(compareValues(exceptions.sayings), exceptions.sayings);
for (const { words, used } of exceptions.sayings)
	if (used === 0)
		complain(`nobody says ${words}`);
for (const what of wrong)
	console.error(what);
process.exitCode = wrong.length > 0 ? 1 : 0;
