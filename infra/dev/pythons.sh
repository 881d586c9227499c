#!/bin/sh
# Runs something with every Python from 3.11 to 3.15 that is installed, each in an environment or a clone of its own:
#   sh infra/dev/pythons.sh tests/store tests/ghl    the tests; arguments go to pytest
#   sh infra/dev/pythons.sh demo                     `make demo ONCE=1` of a fresh clone, with no Redis or Valkey on PATH
set -eu
cd "$(dirname "$0")/../.."
# pyenv has commands for the chosen versions only: all are.
PYENV_VERSION=${PYENV_VERSION:-$(pyenv versions --bare 2>/dev/null | paste -sd: -)}
export PYENV_VERSION
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
tried=0
failed=""

# Links to all commands of PATH but the servers: so a machine looks that has none.
without_servers() {
    mkdir -p "$scratch/bin"
    echo "$PATH" | tr : '\n' | while read -r folder; do
        for command in "$folder"/*; do
            name=${command##*/}
            case $name in redis-server | valkey-server) continue ;; esac
            [ -x "$command" ] && [ ! -e "$scratch/bin/$name" ] && ln -s "$command" "$scratch/bin/$name"
        done
    done || true
}

demo() {
    git clone --quiet . "$scratch/$1"
    PATH="$scratch/bin" make -C "$scratch/$1" demo ONCE=1 PYTHON="python$1"
    rm -rf "${scratch:?}/$1"
}

tests() {
    version=$1
    shift
    [ -d ".venv-$version" ] || "python$version" -m venv ".venv-$version"
    for lock in requirements.txt requirements-dev.txt; do
        ".venv-$version/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --requirement "$lock"
    done
    ".venv-$version/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --editable .
    ".venv-$version/bin/python" -m pytest "$@"
}

[ "${1:-}" = demo ] && without_servers
for version in 3.11 3.12 3.13 3.14 3.15; do
    # A version manager's shim is there even where the version is not.
    "python$version" --version >/dev/null 2>&1 || continue
    echo "== Python $version"
    # Not in a condition: there the shell goes on after a command that failed.
    set +e
    case ${1:-} in
        demo) (set -e; demo "$version") ;;
        *) (set -e; tests "$version" "$@") ;;
    esac
    [ $? = 0 ] || failed="$failed $version"
    set -e
    tried=$((tried + 1))
done
echo "tried with $tried of 5; failed with:${failed:- none}"
[ "$tried" -gt 0 ] && [ -z "$failed" ]
