#!/usr/bin/env bash
# usage: valgrind.sh CYCLES STARTS SITES
# Runs cycles under memcheck: no error, no block lost. ctest does a few of
# them; the numbers that the project promises are 1000 and 10000, nine minutes of CPU.
set -euo pipefail
exec valgrind --quiet --leak-check=full --show-leak-kinds=definite,indirect,possible \
	--errors-for-leak-kinds=definite,indirect,possible --error-exitcode=99 \
	--num-callers=30 "$@"
