// The OpenAPI document, as operations with parameters, bodies and answers;
// references in it are resolved, and every schema can be asked.
"use strict";
const assert = require("node:assert");
const fs = require("node:fs");
const Ajv2020 = require("ajv/dist/2020");
const addFormats = require("ajv-formats");

const METHODS = ["get", "put", "post", "delete", "patch"];
const PROSE = ["description", "title", "example", "examples"];

// What stands beside a $ref narrows what it names.
function merge(below, above) {
	const out = { ...below };
	for (const [name, value] of Object.entries(above)) {
		if (out[name] === undefined || PROSE.includes(name))
			out[name] = value;
		else if (name === "required")
			out[name] = [...out[name], ...value];
		else if (typeof value === "object" && !Array.isArray(value))
			out[name] = merge(out[name], value);
		else
			assert.deepStrictEqual(value, out[name], name);
	}
	return out;
}

function resolve(whole, node) {
	if (Array.isArray(node))
		return node.map((one) => resolve(whole, one));
	if (typeof node !== "object" || node === null)
		return node;
	const { $ref, ...beside } = node;
	const own = Object.fromEntries(Object.entries(beside).map(
		([name, value]) => [name, resolve(whole, value)]));
	if (typeof $ref !== "string")
		return own;
	let target = whole;
	for (const part of $ref.slice("#/".length).split("/"))
		target = target[part];
	return merge(resolve(whole, target), own);
}

// Answers may grow, so the document leaves their objects open; here a member
// that it does not name is a mistake.
function close(schema) {
	if (Array.isArray(schema))
		return schema.map(close);
	if (typeof schema !== "object" || schema === null)
		return schema;
	const out = Object.fromEntries(Object.entries(schema).map(
		([name, value]) => [name, name === "properties" ?
			Object.fromEntries(Object.entries(value).map(
				([key, one]) => [key, close(one)])) :
			PROSE.includes(name) ? value : close(value)]));
	if (out.properties !== undefined)
		out.additionalProperties ??= false;
	return out;
}

const ajv = addFormats(new Ajv2020({ allErrors: true, strict: true,
	strictTypes: false, strictRequired: false, keywords: ["example"] }));

// Returns what is wrong with a value, or null.
function judge(schema) {
	const validate = ajv.compile(schema);
	return (value) => validate(value) ? null : ajv.errorsText(validate.errors);
}

function examplesOf({ example, examples }) {
	return example !== undefined ? [example] :
		Object.values(examples ?? {}).map(({ value }) => value);
}

class Body {
	constructor(type, media) {
		this.type = type;
		this.schema = media.schema;
		this.examples = examplesOf(media);
		this.judge = judge(media.schema);
		assert(this.examples.length > 0, "a body without an example");
		for (const one of this.examples)
			assert.strictEqual(this.judge(one), null);
	}

	format(value) {
		return this.type === "application/json" ? JSON.stringify(value) :
			value;
	}
}

class Reply {
	constructor({ content = {}, headers = {} }) {
		this.content = new Map(Object.entries(content).map(
			([type, { schema }]) => [type, judge(close(schema ?? {}))]));
		this.headers = Object.entries(headers).map(([name, header]) =>
			[name, judge(header.schema)]);
	}

	// undefined: there is no body.
	types() {
		return this.content.size === 0 ? [undefined] :
			[...this.content.keys()];
	}

	// What is wrong with an answer, or null.
	judge(answer) {
		for (const [name, wrong] of this.headers) {
			const value = answer.headers.get(name.toLowerCase());
			if (value === undefined || wrong(value))
				return `${name}: ${value}`;
		}
		if (this.content.size === 0)
			return answer.body.length > 0 ? "there is a body" : null;
		if (!this.content.has(answer.type))
			return `Content-Type: ${answer.type}`;
		if (answer.type === "application/octet-stream")
			return answer.body.length > 0 ? null : "no octets";
		return this.content.get(answer.type)(
			answer.type === "application/json" ? answer.json :
				answer.text);
	}
}

class Operation {
	constructor(path, method, item, own) {
		this.path = path;
		this.method = method.toUpperCase();
		this.name = `${this.method} ${path}`;
		this.isPublic = own.security?.length === 0;
		const parameters = [...item.parameters ?? [],
			...own.parameters ?? []].map((one) =>
			({ ...one, judge: judge(one.schema) }));
		this.inPath = parameters.filter((one) => one.in === "path");
		this.inQuery = parameters.filter((one) => one.in === "query");
		this.needsBody = own.requestBody?.required === true;
		this.bodies = Object.entries(own.requestBody?.content ?? {}).map(
			([type, media]) => new Body(type, media));
		this.replies = new Map(Object.entries(own.responses)
			.filter(([status]) => status !== "default")
			.map(([status, one]) => [Number(status), new Reply(one)]));
	}

	// "/v1/sites/x/requests"; a value is as it is to stand there.
	target(values) {
		return this.path.replace(/\{(\w+)\}/g, (_, name) => {
			assert(values[name] !== undefined, `${this.name}: ${name}`);
			return values[name];
		});
	}

	// What its good answers can be.
	types() {
		return [...this.replies].filter(([status]) => status < 300)
			.flatMap(([, reply]) => [...reply.content.keys()]);
	}

	judge(answer) {
		const reply = this.replies.get(answer.status);
		return reply === undefined ? "a status that is not documented" :
			reply.judge(answer);
	}
}

class Document {
	constructor(whole) {
		const { paths, components } = resolve(whole, whole);
		this.operations = Object.entries(paths).flatMap(([path, item]) =>
			METHODS.filter((method) => item[method] !== undefined)
				.map((method) =>
					new Operation(path, method, item, item[method])));
		this.replies = Object.fromEntries(Object.entries(
			components.responses).map(([name, one]) =>
			[name, new Reply(one)]));
	}

	methodsOf(path) {
		return this.operations.filter((one) => one.path === path)
			.map((one) => one.method);
	}

	static read(file) {
		return new Document(JSON.parse(fs.readFileSync(file, "utf8")));
	}
}

module.exports = { Document };
