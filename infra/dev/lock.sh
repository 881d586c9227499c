#!/bin/sh
# Renews the two locks from pyproject.toml, with hashes and for every supported Python; names no registry.
set -eu
cd "$(dirname "$0")/../.."
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
python3 -m venv "$tools"
"$tools/bin/pip" install --quiet uv
compile() { "$tools/bin/uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url "$@"; }
compile pyproject.toml -o requirements.txt
compile --group dev -c requirements.txt pyproject.toml -o requirements-dev.txt
