#!/usr/bin/env bash
# usage: manual.sh PAGE PREFIX WORK
# Builds the test of the page as the page says, against what is installed below
# PREFIX, and runs it. The client that it is about is made here.
set -euo pipefail
page=$1 prefix=$2 work=$3
mkdir -p "$work"
cd "$work"

# What is literal from the first #include on.
awk '/^\.Bd -literal/ { literal = 1; next } /^\.Ed/ { if (seen) exit; literal = 0 }
	literal && /^#include/ { seen = 1 } seen' "$page" |
	sed 's/\\e/\\/g' >client_test.c
echo 'int client_get_capabilities(const char *url);' >client.h
cat >client.c <<'END'
#include <curl/curl.h>
#include <stdio.h>
#include "client.h"

static size_t
ignore(char *data, size_t size, size_t count, void *unused)
{
	(void)data, (void)unused;
	return size * count;
}

int
client_get_capabilities(const char *scep_url)
{
	char url[512];
	CURL *curl = curl_easy_init();
	long status = 0;

	snprintf(url, sizeof(url), "%s?operation=GetCACaps", scep_url);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, ignore);
	for (int i = 0; i < 5 && status != 200; i++)
		if (curl_easy_perform(curl) == CURLE_OK)
			curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(curl);
	return status == 200 ? 0 : -1;
}
END

PKG_CONFIG_PATH=$(echo "$prefix"/lib*/pkgconfig "$prefix"/lib*/*/pkgconfig | tr ' ' :)
export PKG_CONFIG_PATH
LD_LIBRARY_PATH=$(pkg-config --variable=libdir mockndes)
export LD_LIBRARY_PATH
command=$(grep '^cc -o client_test ' "$page")
eval "$command -lcurl -Wall -Wextra -Werror"
./client_test
