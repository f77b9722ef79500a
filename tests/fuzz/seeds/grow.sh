#!/usr/bin/env bash
# usage: [FUZZ_BUILD=DIR] grow.sh CORPORA [HARNESS...]
# Adds to tests/fixtures/corpus, as grown-*, few and small ones of the inputs
# in CORPORA/HARNESS that reach edges which no seed reaches.
set -euo pipefail
corpora=$(realpath "$1")
shift
cd "$(dirname "$0")/../../.."
export MOCKNDES_SOURCE=$PWD
build=$(realpath "${FUZZ_BUILD:-build-fuzz}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

[ $# -gt 0 ] || set -- message ber csr x509 query get_message scenario state
for name; do
	seeds=tests/fixtures/corpus/$name
	mkdir "$work/$name" "$work/small"
	cp "$seeds"/* "$work/$name"
	find "$corpora/$name" -type f -size -3 -exec cp -t "$work/small" {} +
	# Of counters, only whether they are zero: edges, not how often.
	"$build/tests/${name}_fuzz" -set_cover_merge=1 -use_counters=0 -max_len=4096 \
		"$work/$name" "$work/small" >"$work/log" 2>&1 ||
		{ cat "$work/log"; exit 1; }
	for input in "$work/$name"/*; do
		[ ! -e "$seeds/$(basename "$input")" ] || continue
		cp "$input" "$seeds/grown-$(basename "$input" | cut -c 1-8)"
	done
	rm -r "$work/small"
	echo "$name: $(find "$seeds" -name 'grown-*' | wc -l) grown"
done
find tests/fixtures/corpus -type f -printf "%s\n" | awk "{ sum += \$1 } END { print sum, \"octets in all\" }"
