// Holds answers to what was expected and to the document, and keeps which of
// the answers in the document were seen.
"use strict";

const MOST_SHOWN = 40;
const MOST_SILENT = 3;

function show({ method, target, headers, body }) {
	const text = body === undefined ? "" : ` ${JSON.stringify(
		body.toString("latin1").slice(0, 200))}`;
	return `${method} ${target.slice(0, 200)} ` +
		JSON.stringify(headers ?? {}).slice(0, 200) + text;
}

class Book {
	constructor(document) {
		this.document = document;
		this.wrong = [];
		this.seen = new Set();
		this.count = 0;
		this.silent = 0;
	}

	// Sends a request, and returns its answer, or null if none came.
	// `operation` undefined: the path is none of the document. `code` and
	// `says`, if given, are those of an error.
	async ask(server, { operation, request, ...expected }) {
		let answer = null, why;
		this.count++;
		try {
			answer = await server.send(request);
			why = this.judge({ operation, request, answer, ...expected });
		} catch (error) {
			why = error.message;
			if (++this.silent > MOST_SILENT)
				throw new Error("the program does not answer",
					{ cause: error });
		}
		if (why !== null)
			this.complain(`${show(request)}: ${why}\n    ` +
				`${answer?.status} ${answer?.body.subarray(0, 300)}`);
		else if (operation !== undefined)
			this.seen.add(`${operation.name} ${answer.status} ` +
				(answer.type ?? ""));
		return answer;
	}

	complain(what) {
		this.wrong.push(what);
	}

	judge({ operation, request, answer, statuses, code, says }) {
		if (!statuses.includes(answer.status))
			return `not ${statuses.join(" or ")}`;
		if (request.method === "HEAD")
			return answer.body.length > 0 ? "HEAD has a body" : null;
		const why = this.judgeForm(operation, answer);
		if (why !== null || answer.status < 400)
			return why;
		const { error } = answer.json;
		if (code !== undefined && error.code !== code)
			return `code is not ${code}`;
		return says === undefined || says.test(error.message) ? null :
			`message is not like ${says}`;
	}

	judgeForm(operation, answer) {
		const { replies } = this.document;
		const common = { 405: replies.MethodNotAllowed,
			501: replies.Unable };
		if (operation === undefined)
			Object.assign(common, { 400: replies.Invalid,
				404: replies.Unknown });
		const reply = common[answer.status];
		return reply !== undefined ? reply.judge(answer) :
			operation === undefined ? "no answer to this is documented" :
				operation.judge(answer);
	}

	// Every answer that the document names must have come.
	checkSeen() {
		for (const operation of this.document.operations)
			for (const [status, reply] of operation.replies)
				for (const type of reply.types()) {
					const what = `${operation.name} ${status} ` +
						(type ?? "");
					if (!this.seen.has(what))
						this.complain(`never seen: ${what}`);
				}
	}

	report() {
		for (const what of this.wrong.slice(0, MOST_SHOWN))
			console.error(what);
		if (this.wrong.length > MOST_SHOWN)
			console.error(`... ${this.wrong.length} in all`);
		console.log(`${this.count} requests, ${this.wrong.length} wrong`);
		return this.wrong.length === 0;
	}
}

module.exports = { Book };
