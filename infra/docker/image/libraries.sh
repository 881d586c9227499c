#!/bin/sh
# Puts the locked libraries into a new virtual environment, $1, which has no pip of its own. Run beside requirements.txt.
set -eu
python3 -m venv --without-pip "$1"
python3 -m pip --python "$1/bin/python" install --quiet --disable-pip-version-check --root-user-action=ignore \
    --require-hashes --requirement requirements.txt
