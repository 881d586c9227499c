#!/bin/sh
# Builds the bridge's wheel and puts it into the virtual environment $1, which has the libraries. Run beside pyproject.toml.
set -eu
python3 -m pip --python "$1/bin/python" install --quiet --disable-pip-version-check --root-user-action=ignore \
    --no-deps .
