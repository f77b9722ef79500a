#!/usr/bin/env bash
# What clients see of one shipped scenario, held against its rows:
#   run.sh PROGRAM PREPARED OUTCOMES NAME [--record]
# A row of OUTCOMES is "NAME | WHO | EXIT | WORDS": the exit status of a
# client, and what it says, as a glob. --record prints the rows instead.
set -uo pipefail
program=$1 prepared=$2 outcomes=$3 name=$4 record=${5-}
limit=5 # seconds that a client gets
export LC_ALL=C no_proxy='*'
dir=$(mktemp -d "${TMPDIR:-/tmp}/mockndes-scenario.XXXXXX")
pids=()
finish() {
	for pid in "${pids[@]}"; do kill -9 -- "-$pid" "$pid"; done
	rm -rf "$dir"
} 2>/dev/null
trap finish EXIT

# serve [flags]: a new server; its URLs become $base, $url, $tls
serve() {
	local ready=$dir/ready with=()
	# Its key is made at the start, which would be most of it.
	case $name in
	tls-*) with=(--tls-listen 127.0.0.1:0) ;;
	esac
	[ -z "${server-}" ] || kill "$server"
	rm -f "$ready"
	"$program" serve --scenario "$name" --listen 127.0.0.1:0 --control off \
		--keys "$prepared/keys" --seed 1 \
		--challenge secret --ca-out "$dir/ca.pem" \
		--ready-file "$ready" "${with[@]}" "$@" >/dev/null 2>"$dir/serve.err" &
	server=$!
	pids+=($!)
	until [ -s "$ready" ]; do
		kill -0 $! 2>/dev/null || { cat "$dir/serve.err" >&2; exit 1; }
		sleep 0.02
	done
	base=$(member base_url "$ready") url=$(member url "$ready")
	tls=$(member tls_url "$ready")
	case $name in
	tls-*) url=$tls ;;
	esac
}

# Before a command: it trusts our CA. Whole programs do what the machine does.
here=/etc/ssl/certs/ca-certificates.crt
trusting=()
case $name in
tls-*) trusting=(unshare -rm sh -c "mount --bind \"\$0\" $here && exec \"\$@\"" \
	"$dir/ca.pem") ;;
esac

member() {
	grep -o "\"$1\":\"[^\"]*" "$2" | cut -d'"' -f4
}

# What is never twice the same.
plain() {
	tr -s ' \t\r\n' ' ' | sed -e "s,${tls:-no TLS},TLS,g" \
		-e "s,$url,URL,g" -e "s,$base,BASE,g" -e "s,$dir,DIR,g" \
		-e 's,127\.0\.0\.1:[0-9]*,HOST,g' -e 's,port [0-9][0-9]*,port N,g' \
		 -e 's,after [0-9]* milliseconds,after N milliseconds,g' -e 's,0x[0-9a-f]*,0xN,g' \
		-e 's,after [0-9]* ms,after N ms,g' -e 's|panic({.*|panic|' \
		-e 's,[0-9a-fA-F]\{16\,\},HEX,g' -e 's,ts=[^ ]*,ts=T,g' -e 's,took=[^ ]*,took=T,g' \
		-e 's,[A-Z][a-z]\{2\} [ 0-9][0-9] [0-9:]\{8\} [0-9]\{4\},DATE,g' \
		-e 's,[0-9/]\{10\} [0-9:]\{8\},DATE,g' \
		-e 's,[0-9-]\{10\}T[0-9:.]\{8\,\}Z,DATE,g' -e 's,^ ,,' -e 's, $,,'
}

# say WHO EXIT WORDS
say() {
	printf '%s | %s | %s | %s\n' "$name" "$1" "$2" "$(printf '%s' "$3" | plain)"
}

# ask WHO URL [curl's flags]
ask() {
	local said status
	said=$(timeout -s KILL $((limit + 2)) curl -sS -m "$limit" \
		-o "$dir/body" -w '%{http_code} %{content_type}' "${@:3}" \
		"$2" 2>"$dir/err")
	status=$?
	[ -s "$dir/body" ] || said+=' empty'
	say "curl $1" $status "$said $(grep '^curl:' "$dir/err")"
	rm -f "$dir/body"
}

see_by_curl() {
	local trust=()
	case $name in
	tls-*) trust=(--cacert "$dir/ca.pem") ;;
	esac
	ask GetCACaps "$url?operation=GetCACaps" "${trust[@]}"
	ask GetCACert "$url?operation=GetCACert" "${trust[@]}"
	ask PKIOperation "$url?operation=PKIOperation" "${trust[@]}" \
		-H 'Content-Type: application/x-pki-message' \
		--data-binary "@$prepared/pkcsreq.der"
	ask admin "$base/certsrv/mscep_admin/"
	case $name in
	*next-ca* | *rollover*) ask GetNextCACert "$url?operation=GetNextCACert" ;;
	esac
}

# judge FILE: what has come of it
judge() {
	if [ ! -s "$1" ]; then
		echo 'no certificate:'
	elif ! openssl x509 -in "$1" -noout 2>/dev/null; then
		echo 'a certificate that OpenSSL cannot read:'
	elif [ "$(openssl x509 -in "$1" -noout -pubkey 2>&1)" != \
		"$(openssl pkey -in "$prepared/device.key" -pubout)" ]; then
		echo 'a certificate for another key:'
	elif [[ $(openssl x509 -in "$1" -noout -subject) != *"CN = device-1" ]]; then
		echo 'a certificate for another subject:'
	elif openssl verify -partial_chain -purpose sslclient \
		-trusted "$dir/ca.pem" "$1" >"$dir/verify" 2>&1; then
		echo 'a good certificate:'
	else
		echo "a bad certificate ($(sed -n 's/^error [0-9]* at 0 depth lookup: //p' "$dir/verify")):"
	fi
}

last_line() {
	grep -v "^ *$\|plugin 'tpm'\|^TPM \|: line [0-9]*: .* Killed " "$@" | tail -n 1
}

see_by_scepclient() {
	local d=$dir/scepclient status words
	mkdir "$d"
	cp "$prepared/device.key" "$d/key.pem"
	SSL_CERT_FILE=$dir/ca.pem timeout -s KILL "$limit" \
		scepclient -server-url "$url" \
		-private-key "$d/key.pem" -certificate "$d/cert.pem" \
		-cn device-1 -challenge secret >"$d/said" 2>&1 </dev/null
	status=$?
	# Of a page that it shows, who reads the last line learns nothing.
	words=$(sed -n 's/^\([^=]*http request failed with status [^,]*\), msg: <.*/\1/p' "$d/said")
	[ -n "$words" ] || words=$(grep -m 1 '^panic' "$d/said" || last_line "$d/said")
	say scepclient $status "$(judge "$d/cert.pem") $words"
}

# Which of two files has the certificate with this key usage, else the CA.
with_usage() {
	local file
	for file in "$2/ra.pem" "$2/ra-2.pem"; do
		openssl x509 -in "$file" -noout -ext keyUsage 2>/dev/null |
			grep -q "$1" && { echo "$file"; return; }
	done
	for file in "$2/ra.pem" "$2/ca.pem"; do
		[ -s "$file" ] && { echo "$file"; return; }
	done
}

see_by_strongswan() {
	local d=$dir/strongswan status cas=()
	mkdir "$d"
	: >"$d/strongswan.conf"
	export STRONGSWAN_CONF=$d/strongswan.conf
	"${trusting[@]}" timeout -s KILL "$limit" pki --scepca --url "$url" \
		--caout "$d/ca.pem" --raout "$d/ra.pem" --outform pem \
		>"$d/said" 2>&1 </dev/null
	status=$?
	if [ $status -ne 0 ] || [ ! -s "$d/ca.pem" ]; then
		say 'strongswan' $status "pki --scepca: $(last_line "$d/said")"
		return
	fi
	for ca in "$d"/ca*.pem; do cas+=(--cacert "$ca"); done
	"${trusting[@]}" timeout -s KILL "$limit" pki --scep --url "$url" \
		--in "$prepared/device.key" --dn CN=device-1 \
		--cacert-enc "$(with_usage 'Key Encipherment' "$d")" \
		--cacert-sig "$(with_usage 'Digital Signature' "$d")" \
		"${cas[@]}" --password secret --cipher des3 --interval 1 \
		--maxpolltime 4 --outform pem >"$d/cert.pem" 2>"$d/said" </dev/null
	status=$?
	say strongswan $status "$(judge "$d/cert.pem") $(last_line "$d/said")"
}

make_certmonger() {
	local ca
	mkdir -p "$d"/{cas,requests,local,config,tmp,home}
	export CERTMONGER_CAS_DIR=$d/cas CERTMONGER_REQUESTS_DIR=$d/requests \
		CERTMONGER_LOCAL_CA_DIR=$d/local CERTMONGER_CONFIG_DIR=$d/config \
		CERTMONGER_TMPDIR=$d/tmp HOME=$d/home \
		CERTMONGER_SYSTEM_LOCK_FILE=$d/home/lock
	export CERTMONGER_PVT_ADDRESS=unix:abstract=mockndes-$$-$name
	# Those that it knows by itself would be called.
	for ca in IPA certmaster dogtag-ipa-renew-agent local; do
		printf 'id=%s\nca_type=EXTERNAL\nca_external_helper=/bin/sh -c "exit 6"\n' \
			"$ca" >"$d/cas/$ca"
	done
	"${trusting[@]}" setsid /usr/sbin/certmonger -L -P "${CERTMONGER_PVT_ADDRESS#unix:}" -n \
		>"$d/daemon.log" 2>&1 &
	pids+=($!)
}

# try SECONDS COMMAND...: until it succeeds
try() {
	local until=$((SECONDS + $1))
	until "${@:2}" >/dev/null 2>&1; do
		[ $SECONDS -lt $until ] || return 1
		sleep 0.05
	done
}

knows_ca() {
	grep -q '^ca_encryption_cert' "$d"/cas/*
}

see_by_certmonger() {
	local d=$dir/certmonger status state
	make_certmonger
	try 10 grep -q "@${CERTMONGER_PVT_ADDRESS#*=}" /proc/net/unix
	case $name in
	tls-*) getcert add-scep-ca -c NDES -u "$url" -R "$dir/ca.pem" ;;
	*) getcert add-scep-ca -c NDES -u "$url" ;;
	esac >"$d/said" 2>&1
	try "$limit" knows_ca
	cp "$prepared/device.key" "$d/key.pem"
	timeout -s KILL 20 getcert request -c NDES -I device -k "$d/key.pem" \
		-f "$d/cert.pem" -N CN=device-1 -L secret -w \
		--wait-timeout "$limit" >"$d/said" 2>&1 </dev/null
	status=$?
	getcert list -i device >"$d/list" 2>&1
	state=$(sed -n 's/^\tstatus: //p' "$d/list")
	say certmonger $status "$(judge "$d/cert.pem") $state: $(sed -n 's/^\tca-error: //p' "$d/list")"
}

# The rows are those of these versions; of others nothing is said.
skip() {
	echo "$name: $1 is left out: $2" >>"$dir/told"
	echo "$1" >>"$dir/skipped"
}

# can WHO VERSION COMMAND...: whether there is anything to hold it against
can() {
	"${@:3}" 2>&1 | grep -qF "$2" || { skip "$1" "it is not $2"; return 1; }
	case $1-$name in
	scepclient-*) ;;
	*-tls-*) "${trusting[@]}" true || { skip "$1" 'no mounts of our own'; return 1; } ;;
	esac
}

see_all() {
	serve
	see_by_curl
	serve
	! can scepclient 2.1.0 scepclient -version || see_by_scepclient
	serve
	! can certmonger 'certmonger 0.79.17' /usr/sbin/certmonger -v || see_by_certmonger
	# 5.9.8 wants to see AES before it uses 3DES (quirk 19).
	serve --set 'server.mscep.capabilities=[POSTPKIOperation, Renewal, SHA-512, SHA-256, SHA-1, DES3, AES]'
	! can strongswan 'strongSwan 5.9.8 ' pki --help || see_by_strongswan
}

: >"$dir/skipped" >"$dir/told"
# No client that outlives it shall hold a descriptor of whoever runs this.
see_all >"$dir/seen" 2>"$dir/noise"
cat "$dir/told" >&2
if [ -n "$record" ]; then
	cat "$dir/seen"
	exit
fi

grep "^$name | " "$outcomes" >"$dir/expected" || {
	echo "$outcomes: no row for $name; run.sh ... --record prints them" >&2
	exit 1
}
while read -r who; do sed -i "/^$name | $who |/d" "$dir/expected"; done <"$dir/skipped"
failed=0
while IFS= read -r row <&3; do
	IFS= read -r seen <&4 || seen=nothing
	# The right side of == is a glob; its brackets are meant literally.
	row=${row//\\/\\\\} row=${row//[/\\[}
	# shellcheck disable=SC2053
	[[ $seen == ${row//\?/\\?} ]] || {
		printf 'expected: %s\nseen:     %s\n' "$row" "$seen" >&2
		failed=1
	}
done 3<"$dir/expected" 4<"$dir/seen"
[ "$(wc -l <"$dir/expected")" -eq "$(wc -l <"$dir/seen")" ] || failed=1
exit $failed
