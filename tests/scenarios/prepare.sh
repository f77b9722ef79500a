#!/usr/bin/env bash
# What the rows have in common: prepare.sh PROGRAM MESSAGE DIR makes a key set,
# a device's key, and a PKCSReq for that set, in DIR.
set -euo pipefail
program=$1 message=$2 dir=$3
rm -rf "$dir"
mkdir -p "$dir"
"$program" keys --out "$dir/keys"
openssl genrsa -traditional -out "$dir/device.key" 2048 2>/dev/null
"$program" serve --listen 127.0.0.1:0 --control off --keys "$dir/keys" \
	--ready-file "$dir/ready" >/dev/null 2>&1 &
trap 'kill $!' EXIT
until [ -s "$dir/ready" ]; do sleep 0.02; done
url=$(grep -o '"url":"[^"]*' "$dir/ready" | cut -d'"' -f4)
"$message" "$url" secret "$dir/pkcsreq.der"
