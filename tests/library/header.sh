#!/usr/bin/env bash
# usage: header.sh INCLUDE COMPILER...
# Compiles mockndes.h alone, with all warnings as errors: as C11 and C17 by the
# C compilers, as C++11 to C++20 by those for C++. Those that are not installed
# are left out, but one for each language must be there.
set -euo pipefail
include=$1
shift

source='#include <mockndes.h>
#include <mockndes.h>

int use(struct mockndes **, struct mockndes_site **);

int
use(struct mockndes **server, struct mockndes_site **site)
{
	struct mockndes_options options = MOCKNDES_OPTIONS_INIT;
	struct mockndes_site_options more = MOCKNDES_SITE_OPTIONS_INIT;

	more.port = MOCKNDES_ANY_PORT;
	return options.size == sizeof(options) && more.size == sizeof(more) &&
		mockndes_start(&options, server, NULL) == 0 ?
	    mockndes_open_site(*server, &more, site, NULL) : MOCKNDES_USAGE;
}'
warnings=(-pedantic -Wall -Wextra -Wshadow -Wundef -Wconversion -Werror)

seen_c=0 seen_cxx=0
for compiler; do
	command -v "$compiler" >/dev/null || continue
	case $compiler in
	*++*)
		language=c++ standards=(c++11 c++17 c++20)
		seen_cxx=1
		;;
	*)
		language=c standards=(c11 c17)
		seen_c=1
		;;
	esac
	for standard in "${standards[@]}"; do
		echo "$compiler -std=$standard"
		"$compiler" -x $language "-std=$standard" "${warnings[@]}" \
			-I "$include" -fsyntax-only - <<<"$source"
	done
done
if [ $seen_c$seen_cxx != 11 ]; then
	echo "header.sh: not one compiler for each of C and C++ among: $*" >&2
	exit 1
fi
