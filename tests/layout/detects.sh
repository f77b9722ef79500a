#!/bin/sh
# The check must find every offence that fixture/ commits, and nothing else.
set -eu
cd "$(dirname "$0")/fixture"
status=0
found=$(sh ../check.sh . objects.txt) || status=$?
echo "$found"
if [ "$status" -eq 0 ]; then
	echo "check.sh passed a tree that offends"
	exit 1
fi
echo "$found" | diff expected.txt -
