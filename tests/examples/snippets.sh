#!/usr/bin/env bash
# Runs the clients of this folder whose language is on this machine, against
# a server that does what they expect, and against one that does not: there
# they have to fail. Usage: snippets.sh PROGRAM KEYS
set -euo pipefail
program=$1 keys=$2
cd "$(dirname "$0")"
dir=$(mktemp -d "${TMPDIR:-/tmp}/mockndes-snippets.XXXXXX")
servers=()
finish() {
	for pid in "${servers[@]}"; do kill "$pid"; done
	wait
	rm -rf "$dir"
} 2>/dev/null
trap finish EXIT
export no_proxy='*' GOCACHE=${GOCACHE-$dir/go}
expected="GetCACaps: 200, without POSTPKIOperation"

# serve NAME [flags]: its control address becomes $control
serve() {
	"$program" serve --listen 127.0.0.1:0 --control 127.0.0.1:0 \
		--keys "$keys" --ready-file "$dir/$1" "${@:2}" >/dev/null &
	servers+=($!)
	until [ -s "$dir/$1" ]; do
		kill -0 $! || exit 1
		sleep 0.02
	done
	control=$(grep -o '"control":"[^"]*' "$dir/$1" | cut -d'"' -f4)
}

die() {
	echo "snippets.sh: $*: $(cat "$dir/out")" >&2
	exit 1
}

# run COMMAND...: told by argument, and by environment
run() {
	local status=0
	{ "$@" "$right" && MOCKNDES_CONTROL=$right "$@"; } >"$dir/out" ||
		die "$* failed"
	[ "$(cat "$dir/out")" = "$expected"$'\n'"$expected" ] ||
		die "$* says something else"
	"$@" "$wrong" >"$dir/out" 2>&1 || status=$?
	[ $status -eq 1 ] || die "$* noticed nothing: $status"
	! "$@" http://127.0.0.1:1 >"$dir/out" 2>&1 ||
		die "$* passed without a server"
	echo "passed: $*"
}

serve right
right=$control
# The same name, but another thing is wrong.
printf 'mockndes: 1\nname: caps-without-post\n' >"$dir/caps-without-post.yaml"
serve wrong --scenario-dir "$dir"
wrong=$control

while read -r language command; do
	if command -v "$language" >/dev/null; then
		run $command </dev/null
	else
		echo "left out: $command: no $language here"
	fi
done <<-'END'
	curl sh ./client.sh
	python3 python3 client.py
	node node client.mjs
	java java Client.java
	go go run client.go
END
for control in "$right" "$wrong"; do
	curl -sSf "$control/v1/sites" >"$dir/out"
	grep -q '^{"sites":\[{[^{}]*}\]}$' "$dir/out" ||
		die "sites were left behind"
done
