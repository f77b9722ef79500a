#!/usr/bin/env bash
# usage: [FUZZ_BUILD=DIR] run.sh SECONDS [HARNESS...]
# Runs each harness for SECONDS on a copy of its corpus; 0 only replays that.
# One line each: executions, executions a second, edges covered, findings.
# Fails if there is a finding; what makes it happen is kept, with the log, in
# FUZZ_BUILD/findings. FUZZ_BUILD is build-fuzz if not given.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
corpora=$here/../fixtures/corpus
export MOCKNDES_SOURCE=${here%/tests/fuzz}

# name, longest input in octets, dictionary
table='message 8192 der
ber 8192 der
csr 4096 der
x509 4096 der
query 2048 query
get_message 4096 get_message
scenario 4096 scenario
state 4096 state
control 2048 control'

die() {
	echo "run.sh: $*" >&2
	exit 2
}

# last PATTERN FILE: the number after the last place of it, or 0
last() {
	grep -ao "$1 *[0-9][0-9]*" "$2" | tail -n 1 | grep -o '[0-9]*$' || echo 0
}

# run NAME MAX-LENGTH DICTIONARY: prints the line; fails with the harness
run() {
	local program=$build/tests/$1_fuzz log=$work/log fresh=$work/found
	local how=(-max_total_time="$seconds") status=0 found
	[ -x "$program" ] || die "no $program: is it built?"
	[ "$seconds" -gt 0 ] || how=(-runs=0)
	mkdir -p "$work/$1" "$fresh"
	[ ! -d "$corpora/$1" ] || cp "$corpora/$1"/* "$work/$1"
	"$program" "${how[@]}" -max_len="$2" -dict="$here/$3.dict" \
		-rss_limit_mb=1024 -timeout=10 -print_final_stats=1 \
		-artifact_prefix="$fresh/$1-" "$work/$1" \
		>"$log" 2>&1 || status=$?
	# Slow is not wrong: libFuzzer itself goes on.
	rm -f "$fresh/$1"-slow-unit-*
	found=$(find "$fresh" -type f | wc -l)
	# Without input to keep: a leak at the end, or a start that failed.
	[ "$status" -eq 0 ] || [ "$found" -gt 0 ] || found=1
	printf '%-12s %10d executions %7d/s  cov %5d  findings %d\n' "$1" \
		"$(last 'stat::number_of_executed_units:' "$log")" \
		"$(last 'stat::average_exec_per_sec:' "$log")" \
		"$(last 'cov:' "$log")" "$found"
	[ "$found" -gt 0 ] || return 0
	mkdir -p "$findings"
	cp "$log" "$findings/$1.log"
	find "$fresh" -type f -exec mv -t "$findings" {} +
	grep -a -m 1 -E 'does not hold|ERROR|SUMMARY' "$log" || true
	echo "    see $findings/$1.log"
	return 1
}

[[ ${1-} =~ ^[0-9]+$ ]] || die "usage: run.sh SECONDS [HARNESS...]"
seconds=$1
shift
[ $# -gt 0 ] || read -r -d '' -a names < <(cut -d ' ' -f 1 <<<"$table") || true
[ $# -eq 0 ] || names=("$@")
build=$(realpath "${FUZZ_BUILD:-$MOCKNDES_SOURCE/build-fuzz}")
findings=$build/findings
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

failed=0
for name in "${names[@]}"; do
	row=$(grep "^$name " <<<"$table") || die "no harness \"$name\""
	# shellcheck disable=SC2086
	run $row || failed=1
done
exit $failed
