#!/usr/bin/env bash
# usage: run.sh PREFIX BY LANGUAGE LIBRARY WORK
# Builds client_test.c as somebody would who has nothing but what is installed
# below PREFIX, and runs it. BY: find_package or pkg-config; LANGUAGE: c or cxx;
# LIBRARY: shared or static. WORK is a directory to do it in. CC and CXX say
# the compilers.
set -euo pipefail
prefix=$1 by=$2 language=$3 library=$4 work=$5
here=$(cd "$(dirname "$0")" && pwd)

# The example is what is copied, not where it lies.
rm -rf "$work"
mkdir -p "$work"
cp "$here"/{client_test.c,CMakeLists.txt,Makefile} "$work"
cd "$work"

build_by_find_package() {
	local target=mockndes::mockndes
	[ "$library" = shared ] || target=mockndes::mockndes_static
	cmake -S . -B build -D CMAKE_PREFIX_PATH="$prefix" \
		-D CLIENT_LANGUAGE="${language^^}" -D CLIENT_LIBRARY="$target"
	cmake --build build
	program=build/client_test
}

build_by_pkg_config() {
	local name=mockndes
	[ "$library" = shared ] || name=mockndes-static
	PKG_CONFIG_PATH=$(echo "$prefix"/lib*/pkgconfig "$prefix"/lib*/*/pkgconfig |
		tr ' ' :)
	export PKG_CONFIG_PATH
	program=client_test
	[ "$language" = c ] || program=client_test_cxx
	make CC="$CC" CXX="$CXX" MOCKNDES="$name" "$program"
}

"build_by_${by//-/_}"
# What it is linked with must be what was asked for.
needed=$(readelf -d "$program" | grep -c 'NEEDED.*libmockndes\.so\.0' || :)
case $library:$needed in
shared:1 | static:0) ;;
*)
	echo "run.sh: $library, but $program needs libmockndes.so $needed times" >&2
	exit 1
	;;
esac
"./$program"
