#!/usr/bin/env bash
# What ajv and an editor make of the JSON Schema of scenarios, beside what
# `mockndes check` says. Usage: check.sh PROGRAM DIRECTORY-TO-WORK-IN
set -euo pipefail
tests=$(cd "$(dirname "$0")" && pwd)
program=$(realpath "$1")
mkdir -p "$2"
cd "$2"

cp "$tests"/package.json "$tests"/package-lock.json "$tests"/.npmrc .
npm ci --prefer-offline
"$program" schema >scenario.json
export NODE_PATH=$PWD/node_modules
node "$tests/verdicts.js" "$program" scenario.json "$tests/../.."
node "$tests/editor.js" scenario.json
