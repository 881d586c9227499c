#!/bin/sh
# Runs the tests with every Python from 3.11 to 3.14 that is installed, each in an environment of its own. Arguments go to pytest:
#   sh infra/dev/pythons.sh tests/store tests/ghl
set -eu
cd "$(dirname "$0")/../.."
# pyenv has commands for the chosen versions only: all are.
PYENV_VERSION=${PYENV_VERSION:-$(pyenv versions --bare 2>/dev/null | paste -sd: -)}
export PYENV_VERSION
tested=0
failed=""
for version in 3.11 3.12 3.13 3.14; do
    python=$(command -v "python$version" || true)
    # A version manager's shim is there even where the version is not.
    [ -n "$python" ] && "$python" --version >/dev/null 2>&1 || continue
    echo "== Python $version"
    [ -d ".venv-$version" ] || "$python" -m venv ".venv-$version"
    for lock in requirements.txt requirements-dev.txt; do
        ".venv-$version/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --requirement "$lock"
    done
    ".venv-$version/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --editable .
    ".venv-$version/bin/python" -m pytest "$@" || failed="$failed $version"
    tested=$((tested + 1))
done
echo "tested with $tested of 4; failed with:${failed:- none}"
[ "$tested" -gt 0 ] && [ -z "$failed" ]
