#!/bin/sh
# A test of a SCEP client with curl: a site of its own, a request, the journal.
# Usage: client.sh [CONTROL-URL], which is `control` of the READY line.
set -eu
control=${1:-${MOCKNDES_CONTROL:-http://127.0.0.1:8081}}

api() { # METHOD PATH [JSON]
	curl -sS --fail-with-body -X "$1" "$control$2" \
		${3:+-H "Content-Type: application/json" -d "$3"}
}

member() { # NAME, of the JSON that comes in
	sed -n 's/.*"'"$1"'":"\{0,1\}\([^",}]*\).*/\1/p'
}

fail() {
	echo "client.sh: $*" >&2
	exit 1
}

site=$(api POST /v1/sites '{"scenario":"caps-without-post"}')
here=/v1/sites/$(echo "$site" | member id)
trap 'api DELETE "$here"' EXIT

# The client under test goes here; this one asks what the server can.
caps=$(curl -sSf "$(echo "$site" | member url)?operation=GetCACaps")

# The entry is written when the answer is out: wait for it.
found=$(api GET "$here/requests?operation=GetCACaps&wait=5")

case $caps in
*POSTPKIOperation*) fail "POSTPKIOperation is among: $caps" ;;
*SHA-256*) ;;
*) fail "SHA-256 is not among: $caps" ;;
esac
status=$(echo "${found#*\"reply\":}" | member status)
[ "$status" = 200 ] || fail "GetCACaps was answered so: $found"
echo "GetCACaps: $status, without POSTPKIOperation"
