#!/bin/sh
# usage: check.sh SOURCE OBJECTS
# Holds the #include lines of SOURCE/server and SOURCE/include against
# arrows.txt. OBJECTS names the object files of the build, one a line; the
# compiler's dependency files (.d) lie beside them.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
objects=$(realpath "$2")
cd "$1"
find server include -name '*.[ch]' | LC_ALL=C sort |
	awk -v table="$here/arrows.txt" -v objects="$objects" -v root="$1/" \
	    -f "$here/arrows.awk"
