// A test of a SCEP client: a site of its own, a request, the journal.
// Usage: node client.mjs [CONTROL-URL], which is `control` of the READY line.
import assert from "node:assert/strict";

const control = process.argv[2] ?? process.env.MOCKNDES_CONTROL ??
	"http://127.0.0.1:8081";

async function api(method, path, body) {
	const reply = await fetch(control + path, body === undefined ? { method } :
		{ method, headers: { "Content-Type": "application/json" },
			body: JSON.stringify(body) });
	const text = await reply.text();
	assert(reply.ok, `${method} ${path}: ${reply.status} ${text}`);
	return text === "" ? null : JSON.parse(text);
}

const site = await api("POST", "/v1/sites", { scenario: "caps-without-post" });
const here = `/v1/sites/${site.id}`;
try {
	// The client under test goes here; this one asks what the server can.
	const reply = await fetch(`${site.url}?operation=GetCACaps`);
	const caps = (await reply.text()).split(/\s+/);

	// The entry is written when the answer is out: wait for it.
	const found = await api("GET",
		`${here}/requests?operation=GetCACaps&wait=5`);

	assert(caps.includes("SHA-256"), String(caps));
	assert(!caps.includes("POSTPKIOperation"), String(caps));
	const statuses = found.requests.map((entry) => entry.reply.status);
	assert.deepEqual(statuses, [200]);
	console.log(`GetCACaps: ${statuses[0]}, without POSTPKIOperation`);
} finally {
	await api("DELETE", here);
}
