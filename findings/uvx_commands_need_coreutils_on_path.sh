#!/usr/bin/env bash
# A command of a Python package, run by `uvx` with a PATH that holds nothing but what the command itself needs (as cron jobs, unit files and tests
# have it).
# What one would expect: it starts, as the script does that pip writes for the same command: its first line is the interpreter's whole path.
# What happens: the environments that uvx keeps in its cache can be moved, so their scripts begin with a shell that finds the interpreter by
# `dirname` and `realpath`, looked up on PATH. Without these two the command ends with 127 and "realpath: not found", "exec: /python: not found".
# Versions: uv 0.13.9, cowsay 6.1. Seen 2026-11-30, Debian 12. Source: this script; no report of it was looked for.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check "uv==0.13.9" "cowsay==6.1"
"$work/venv/bin/uv" --version
export UV_CACHE_DIR="$work/cache" HOME="$work"
run=("$work/venv/bin/uvx" --quiet --python "$work/venv/bin/python" --from cowsay==6.1 cowsay --version)

echo "== the script that pip wrote, with an empty PATH"
PATH=/nowhere "$work/venv/bin/cowsay" --version
echo "== uvx, with the usual PATH"
"${run[@]}"
echo "== uvx, with an empty PATH"
code=0
PATH=/nowhere "${run[@]}" 2>"$work/said" || code=$?
cat "$work/said"
[ "$code" = 127 ] || { echo "uvx behaves otherwise now: exit code $code"; exit 1; }
grep -q "realpath: not found" "$work/said" || { echo "uvx says something else now"; exit 1; }
