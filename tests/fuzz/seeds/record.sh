#!/usr/bin/env bash
# usage: record.sh FUZZ-BUILD PROGRAM
# Makes tests/fixtures/corpus anew, but for regression-* (what was found) and
# grown-* (see grow.sh): what OpenSSL writes (fuzz_seeds, a target of the fuzz
# build), what scepclient sends to PROGRAM, and texts by hand. Needs python3
# for the recording proxy. Keys and nonces are fresh each time, so the octets
# differ and their meaning does not.
set -euo pipefail
build=$(realpath "$1") program=$(realpath "$2")
cd "$(dirname "$0")/../../fixtures"
work=$(mktemp -d)
trap 'rm -rf "$work"; kill $(jobs -p) 2>/dev/null || true' EXIT

for harness in message ber csr x509 query get_message scenario state; do
	mkdir -p corpus/$harness
	find corpus/$harness -type f ! -name 'regression-*' ! -name 'grown-*' -delete
done
"$build/tests/fuzz_seeds" corpus "$work/keys"

# One request of scepclient, on its way through a proxy that keeps it.
record() {
	"$program" serve --keys "$work/keys" --listen 127.0.0.1:0 --control off \
		--challenge secret --ready-file "$work/ready" >/dev/null &
	until [ -s "$work/ready" ]; do sleep 0.1; done
	python3 - "$work" <<-'PYTHON' &
	import http.server, json, sys, urllib.request
	ready = json.load(open(sys.argv[1] + '/ready'))
	class Proxy(http.server.BaseHTTPRequestHandler):
	    def forward(self, body=None):
	        if body:
	            open(sys.argv[1] + '/body', 'wb').write(body)
	        with urllib.request.urlopen(urllib.request.Request(
	            ready['base_url'] + self.path, data=body)) as answer:
	            self.send_response(answer.status)
	            data = answer.read()
	            for name in ('Content-Type', 'Content-Length'):
	                self.send_header(name, answer.headers[name])
	            self.end_headers()
	            self.wfile.write(data)
	    def do_GET(self):
	        self.forward()
	    def do_POST(self):
	        self.forward(self.rfile.read(int(self.headers['Content-Length'])))
	    def log_message(self, *args):
	        pass
	server = http.server.HTTPServer(('127.0.0.1', 0), Proxy)
	open(sys.argv[1] + '/port', 'w').write(str(server.server_port) + '\n')
	server.serve_forever()
	PYTHON
	until [ -s "$work/port" ]; do sleep 0.1; done
	(cd "$work" && scepclient -challenge secret -private-key key.pem \
		-server-url "http://127.0.0.1:$(cat port)/certsrv/mscep/mscep.dll" \
		-certificate cert.pem 2>/dev/null) || true
	cp "$work/body" corpus/message/scepclient
	openssl base64 -A -in "$work/body" >corpus/get_message/scepclient
}
record

# The same octets as other clients would spell them (quirks 23 to 25).
text=$(openssl base64 -A -in corpus/message/des-md5)
spell() {
	printf %s "$2" >"corpus/get_message/$1"
}
spell plus "$(printf %s "$text" | sed 's/+/%2B/g; s,/,%2F,g; s/=/%3D/g')"
spell lines "$(printf %s "$text" | fold -w 64 | sed 's/$/%0D%0A/' | tr -d '\n')"
spell url-safe "$(printf %s "$text" | tr '+/' '-_' | tr -d =)"
spell short 'MA%3d%3D'
spell blanks $'M\tA A\r\n='
spell misplaced 'MA=='MA==
spell bad-hex 'MA%3'
spell bad-digit 'MA%zz'
spell not-ascii $'MA\xe9='
spell one 'MA==M'
spell five 'MAAAA'
spell nothing '=='

# Elements that no client writes, as hexadecimal digits.
octets() {
	printf "$(printf %s "$2" | sed 's/../\\x&/g')" >"corpus/ber/$1"
}
octets string 2480040141248004014200000401430000
octets bits 2380030200410302054023040302074000000000
octets long-lengths 3084000000078100020101050000
octets deep "$(printf '3080%.0s' {1..24})0500$(printf '0000%.0s' {1..24})"
octets deeper "$(printf '3080%.0s' {1..26})0500$(printf '0000%.0s' {1..26})"
octets text 2c800c014f0c016b0000
octets end-missing 30800500
octets high-tag 30041f810100
for name in printable utf8-san; do
	cp "corpus/csr/$name" corpus/ber/csr-$name
done

# The first character chooses the settings, see request.c.
request() {
	printf "$2" >"corpus/query/$1"
}
host='Host: ndes.example\r\n'
dll=/certsrv/mscep/mscep.dll
request caps "TGET $dll?operation=GetCACaps HTTP/1.1\r\n$host\r\n"
request cert "TGET $dll/pkiclient.exe?operation=GetCACert&message=ca HTTP/1.1\r\n$host\r\n"
request pki "\001GET $dll?message=MAA%%3D&operation=PKIOperation HTTP/1.0\r\n\r\n"
request post "*POST $dll?operation=PKIOperation HTTP/1.1\r\n${host}Content-Length: 4\r\n\r\n0123"
request chunked "*POST $dll?OPERATION=pkioperation HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n0"
request encoding "TPOST $dll HTTP/1.1\r\n${host}Transfer-Encoding: gzip\r\n\r\n0"
request large "*POST $dll?operation=PKIOperation HTTP/1.1\r\n${host}Content-Length: 9999\r\n\r\n$(printf '%0100d' 0)"
request body "\025POST $dll?operation=PKIOperation HTTP/1.1\r\n${host}Content-Length: 4\r\n\r\n$(printf '%0100d' 0)"
request folder "\007GET /certsrv/mscep HTTP/1.1\r\n$host\r\n"
request no-host "TGET /CertSrv/mscep HTTP/1.0\r\n\r\n"
request admin "\250GET /certsrv/mscep_admin/ HTTP/1.1\r\n${host}User-Agent: a b\r\n\r\n"
request admin-full "\052GET /certsrv/mscep_admin/mscep.dll HTTP/1.1\r\n$host\r\n"
request basic "\016GET /certsrv/mscep_admin HTTP/1.1\r\n${host}Authorization: Basic YTpi\r\n\r\n"
request absolute "TGET http://ndes.example/certsrv/mscep/?operation=x HTTP/1.1\r\n$host\r\n"
request escapes "\030GET /%%63ertsrv/MSCEP%%2fmscep.dll/?a=<script>&\"b\" HTTP/1.1\r\nhost: <script>\r\nReferer: x y\r\n\r\n"
request nowhere "\016GET /<script>alert(1) HTTP/1.1\r\n$host\r\n"
request bad-escape "TGET /%%0g HTTP/1.1\r\n$host\r\n"
request star "TOPTIONS * HTTP/1.1\r\n$host\r\n"
request verb "\007PUT $dll HTTP/1.1\r\n${host}Content-Length: 0\r\n\r\n"
request bad-verb "TG@T / HTTP/1.1\r\n$host\r\n"
request long-query "\025GET $dll?$(printf '%0120d' 0) HTTP/1.1\r\n$host\r\n"
request long-path "\026GET $dll/$(printf '%0220d' 0) HTTP/1.1\r\n$host\r\n"
request long-target "\025GET /$(printf '%0450d' 0) HTTP/1.1\r\n$host\r\n"
request long-header "\025GET / HTTP/1.1\r\n${host}A: $(printf '%0450d' 0)\r\n\r\n"
request long-head "\025GET / HTTP/1.1\r\n${host}A: $(printf '%0390d' 0)\r\nB: $(printf '%0390d' 0)\r\n\r\n"
request long-segment "TGET /$(printf '%0280d' 0) HTTP/1.1\r\n$host\r\n"
request healthy "TGET $dll HTTP/1.1\r\n$host\r\n"

# Each line "--set " at the end is a --set.
scenario() {
	printf "mockndes: 1\nname: fuzz\n$2" >"corpus/scenario/$1"
}
cp ../../scenarios/*.yaml corpus/scenario
scenario texts 'server:
  mscep:
    capabilities_content_type: ""
    accept: {weakest_digest: sha256, weakest_cipher: des3}
    reply: {profile: rfc8894, digest: request, content: zero, fail_info_text: false}
    admin: {authentication: basic, user: a, password: "b c"}
    challenge: {mode: static, password: secret}
  policy_module: {expect: {subject: "CN=*", eku: [1.3.6.1.5.5.7.3.2], key_size: 2048}}
  ca: {key: ec-p256, tiers: 3, rollover_after: 1y}
'
scenario all 'server:
  windows: 2012r2
  http_sys: {max_field_length: 16384, header_wait: 2m, require_content_length: true}
  iis:
    error_pages: detailed
    log_fields: article
    max_query_string: 2048
  mscep:
    capabilities: [POSTPKIOperation, "SHA-256"]
    bom: true
    challenge: {length: 16, validity: 1d, cache: 0}
  policy_module: {installed: false}
'
scenario set-list '\n--set server.mscep.capabilities=[SHA-1, DES3]\n--set server.iis.x_powered_by=false'
scenario set-word '\n--set server.iis.error_pages=remote'
scenario set-wrong '\n--set server.iis.error_page=remote'
scenario set-duration '\n--set server.mscep.challenge.validity=90m'
scenario wrong-value 'server: {windows: 2023}\n'
scenario wrong-key 'servr: {}\n'
scenario twice 'name: again\n'
scenario anchor 'title: &a b\ndescription: *a\n'
scenario told 'evidence:\n- {in: system-log, text: "a\\r\\nb", source: WAS, id: 5002, level: Warning}\n- {in: iis-log, text: "a b\\nc"}\n- {in: registry, text: x}\ncure: [[open-crl-urls, start-app-pool], [iisreset]]\n'
scenario told-wrong 'evidence: [{in: iis-log, text: a, id: 1}, {in: here}, 7]\ncure: [iisreset, [], [[a]], [iis-reset]]\n'
scenario nested 'server: {iis: {max_url: {a: [b, {c: d}]}}}\n'
scenario two '---\nmockndes: 1\n'
scenario quoted 'title: "\\u263a \\x00"\ndescription: >-\n  folded\n  text\n'

# Lines of index.txt.
index() {
	printf "$2" >"corpus/state/$1"
}
valid='V\t271122123456Z\t\t47000000040F77E99713321D18000000000004\tunknown\t'
revoked='R\t20501122123456Z\t261122123456Z'
index empty ''
index first '# TEST ONLY\n'
index valid "$valid/C=NL/CN=device-1\n"
index expired 'E\t221122123456Z\t\t00FF\tunknown\t/CN=a\n'
index three "# TEST ONLY\n$valid/CN=a\n$revoked\t01\tunknown\t/CN=b\nE\t221122123456Z\t\t02\tunknown\t\n"
index reason "$revoked,keyCompromise\t4701\tunknown\t/CN=a+serialNumber=1\n"
index hold "$revoked,holdInstruction,1.2.840.10040.2.1\t4701\tunknown\t/CN=a\n"
index time "$revoked,CAkeyTime,20260101000000Z\t4701\tunknown\t/CN=a\n"
index later "$revoked,privilegeWithdrawn\t4701\tunknown\t/CN=a\n"
index escapes "$valid/CN=\\\\x09\\\\/b/O=\\\\+\n"
index spelling 'V\t20271122123456Z\t\t0000ab\t\t/CN=a\n'
index torn-serial "$valid/CN=a\nV\t271122123456Z\t\t4700"
index torn-subject "$valid/CN=a\n$valid/CN="
index torn-revoked "$revoked,super"
index zeros "$valid/CN=a\n\0\0\0"
index crlf "$valid/CN=a\r\n"
index fields "$valid/CN=a\tb\n"
index escaped-tab 'V\t271122123456Z\t\t01\tun\\\tknown\t/CN=a\n'
index no-date 'V\t270631123456Z\t\t01\tunknown\t/CN=a\n'
index not-revoked 'V\t271122123456Z\t261122123456Z\t01\tunknown\t/CN=a\n'
index comment "# $(printf '%0600d' 0)\n$valid/CN=a\n"
index long "$valid/CN=$(printf '%0900d' 0)\n"
find corpus -type f -size +8k
find corpus -type f -printf "%s\n" | awk "{ sum += \$1 } END { print sum, \"octets in all\" }"
