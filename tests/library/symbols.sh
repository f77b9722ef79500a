#!/usr/bin/env bash
# usage: symbols.sh CC HEADER SHARED STATIC OBJECTS WORK
# Both libraries show the functions that HEADER declares and no other name. A
# program whose functions have all the names that the objects of the library
# (a file with one a line) have among themselves is linked with either, and a
# server runs in it.
set -euo pipefail
cc=$1 header=$2 shared=$3 static=$4 objects=$5 work=$6
export LC_ALL=C
mkdir -p "$work"
cd "$work"

# The name before the first parenthesis of each declaration.
grep -v '^#' "$header" | tr '\n' ' ' | grep -o 'MOCKNDES_API[^;]*' |
	sed 's/^MOCKNDES_API[^(]*\(mockndes_[a-z_]*\)(.*/\1/' | sort >declared
[ "$(wc -l <declared)" -gt 10 ] || {
	echo "symbols.sh: found no functions in $header" >&2
	exit 1
}

names() {
	nm --defined-only --format=posix "$@" | awk 'NF > 1 { print $1 }' | sort
}
names -D "$shared" >shown
diff -u declared shown
names -g "$static" >shown
diff -u declared shown
readelf -d "$shared" | grep -q 'SONAME.*\[libmockndes\.so\.[0-9]*\]'

# As many as there are; each would end the program if the library called it.
xargs nm -g --defined-only --format=posix <"$objects" |
	awk 'NF > 1 { print $1 }' | sort -u | comm -23 - declared >internal
for name in site_make scep_reply_encode journal_add span_of; do
	grep -qx "$name" internal
done
# A library that is used would take them from the program, too.
ldd "$shared" | awk '$3 ~ "^/" { print $3 }' |
	xargs nm -D --defined-only --format=posix |
	awk 'NF > 1 { sub("@.*", "", $1); print $1 }' | sort -u |
	comm -12 - internal >taken
if [ -s taken ]; then
	echo "symbols.sh: libraries that mockndes uses have these names:" $(<taken) >&2
	exit 1
fi
{
	echo '#include <mockndes.h>'
	echo '#include <stdio.h>'
	echo 'void abort(void);'
	sed 's/.*/void &(void); void &(void) { abort(); }/' internal
	cat <<-'END'
	int
	main(int argc, char **argv)
	{
		struct mockndes_options options = MOCKNDES_OPTIONS_INIT;
		char error[MOCKNDES_ERROR_SIZE], pem[MOCKNDES_PEM_SIZE];
		struct mockndes_site *site;
		struct mockndes *server;

		options.keys = argv[argc - 1];
		if (mockndes_start(&options, &server, error) != 0 ||
		    mockndes_open_site(server, NULL, &site, error) != 0 ||
		    mockndes_site_ca_pem(site, pem, error) != 0) {
			puts(error);
			return 1;
		}
		mockndes_stop(server);
		return 0;
	}
	END
} >clash.c

include=$(dirname "$header")
needs=$(pkg-config --libs libmicrohttpd libssl libcrypto yaml-0.1 jansson)
keys=$MOCKNDES_SOURCE/tests/fixtures/keys
# shellcheck disable=SC2086
"$cc" -I "$include" -o clash-static clash.c "$static" $needs -pthread
./clash-static "$keys"
# With its names shown to libraries, which take them from the program first.
"$cc" -I "$include" -rdynamic -o clash-shared clash.c "$shared" \
	-Wl,-rpath,"$(dirname "$shared")"
./clash-shared "$keys"
echo "$(wc -l <declared) functions shown, $(wc -l <internal) names kept apart"
