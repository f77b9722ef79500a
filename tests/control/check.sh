#!/usr/bin/env bash
# The control API against its OpenAPI document, which has to be a valid one.
# Usage: check.sh PROGRAM DIRECTORY-TO-WORK-IN
set -euo pipefail
tests=$(cd "$(dirname "$0")" && pwd)
source=$(cd "$tests/../.." && pwd)
program=$(realpath "$1")
mkdir -p "$2"
cd "$2"

cp "$tests"/package.json "$tests"/package-lock.json "$tests"/.npmrc .
npm ci --prefer-offline
node_modules/.bin/validate-api "$source/server/control/openapi.json"
export NODE_PATH=$PWD/node_modules
exec node "$tests/conformance.js" "$program" "$source"
