#!/usr/bin/env bash
# usage: bare.sh, as root, with mmdebstrap and the network
# The example in a Debian 12 that has nothing but what ./dev installs for a
# build, and then what a user of the library needs: the commands of the README,
# client_test.c by find_package and by pkg-config, in C and C++, with both
# forms of the library. Not part of ctest, for it downloads packages.
set -euo pipefail
source=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Only what git knows: no build of this machine comes along.
git -C "$source" ls-files -z | tar -C "$source" --null -T - -cf "$work/source.tar"
cat >"$work/inside.sh" <<'END'
set -eu
export DEBIAN_FRONTEND=noninteractive
mkdir /source && cd /source && tar xf /source.tar
./dev build >/tmp/build.log 2>&1 || { tail -30 /tmp/build.log; exit 1; }
cmake --install build --prefix /usr/local >/dev/null
ldconfig
apt-get install -y --no-install-recommends g++ libcmocka-dev \
	libcurl4-openssl-dev >/dev/null
export CC=cc CXX=c++
export MOCKNDES_KEYS=/source/tests/fixtures/keys
for by in find_package pkg-config; do
	for language in c cxx; do
		for library in shared static; do
			echo "== $by $language $library"
			bash tests/examples/run.sh /usr/local "$by" \
				"$language" "$library" /tmp/example
		done
	done
done
echo "== all eight passed"
END

# The mirrors are those of this machine.
sources=(/etc/apt/sources.list.d/debian.sources)
[ -e "${sources[0]}" ] || sources=(/etc/apt/sources.list)
mmdebstrap --variant=minbase --format=null \
	--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr \
	--include=usr-is-merged,ca-certificates \
	--customize-hook="copy-in $work/source.tar $work/inside.sh /" \
	--customize-hook='chroot "$1" bash /inside.sh' \
	bookworm - "${sources[@]}" </dev/null
