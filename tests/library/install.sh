#!/usr/bin/env bash
# usage: install.sh BUILD PREFIX
# Installs BUILD somewhere and moves it to PREFIX: what is installed must know
# no path of the build, nor of where it was first.
set -euo pipefail
rm -rf "$2" "$2.first"
cmake --install "$1" --prefix "$2.first" >/dev/null
mv "$2.first" "$2"
found=$(grep -rlF -e "$1" -e "$2.first" "$2"/lib*/pkgconfig "$2"/lib*/*/pkgconfig \
	"$2"/lib*/cmake "$2"/lib*/*/cmake "$2"/include 2>/dev/null || :)
if [ -n "$found" ]; then
	echo "install.sh: these have a path of the build in them: $found" >&2
	exit 1
fi
