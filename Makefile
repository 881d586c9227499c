# Everything runs from a virtual environment in the project's own folder; python3 >= 3.11 and make are all it needs.
PYTHON ?= python3
# pyenv obeys .python-version, which is Heroku's: here any python3 >= 3.11 will do.
export PYENV_VERSION := $(or $(PYENV_VERSION),$(shell pyenv global 2>/dev/null | paste -sd: -))
BIN := .venv/bin
.DEFAULT_GOAL := help

.PHONY: help demo cluster test proof soak nightly bench install check docs reference lock clean

help: ## show this
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: install ## everything on this machine, simulated; ONCE=1 stops after the first reply
	@$(BIN)/ghl-bridge demo $(if $(ONCE),--once)

cluster: .venv/.dev ## a Redis cluster on this machine to try, until Ctrl-C; PRIMARIES=3 REPLICAS=1
	@$(BIN)/python -m infra.dev.cluster --primaries $(or $(PRIMARIES),3) --replicas $(or $(REPLICAS),1)

# Stories mostly wait for processes: four files at a time left a third of two cores idle, so it is six; tests/conftest.py puts the
# longest first.
# A file stays together, for the processes that it shares. Bytecode is kept, whatever the environment says: otherwise each job compiles
# 300 files.
# FAST=1 leaves out what starts processes of the bridge, browsers or other servers than Redis, or works on many examples.
SLOW := proof story browser infra cli simulator soak workers receiver answering
MANY := tests/test_fuzzing.py tests/test_upgrades.py tests/test_text_speed.py tests/store/lanes/test_leases_model.py
FASTER := $(foreach room,$(SLOW),--ignore=tests/$(room)) $(foreach file,$(MANY),--ignore=$(file))
test: .venv/.dev ## the whole test suite, real Redis included; FAST=1 only its quick part, JOBS=0 one test after the other
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest --numprocesses $(or $(JOBS),6) --dist loadfile --no-loadscope-reorder $(if $(FAST),$(FASTER)) $(ARGS)

proof: .venv/.dev ## every fault at every call of a turn; PAIRS=1 a second fault after each (hours; PAIRS=3/20 a share), WALKS=100 SEED=1 random walks
	@$(BIN)/python -m tests.proof $(if $(PAIRS),--pairs $(PAIRS)) $(if $(WALKS),--walks $(WALKS)) --seed $(or $(SEED),1) $(ARGS)

soak: .venv/.dev ## random kills of everything under load, beside a tutorial's bridge; MINUTES=10 SEED=1, RESULTS=FILE sums runs
	@$(BIN)/python -m tests.soak --minutes $(or $(MINUTES),10) --seed $(or $(SEED),1) $(if $(RESULTS),--results $(RESULTS)) $(ARGS)

nightly: .venv/.dev ## walks, pairs of faults, a short soak, benchmarks and fuzzers with the day's seeds; a report in build/nightly
	@$(BIN)/python -m infra.dev.nightly $(ARGS)

bench: .venv/.dev ## how fast, beside baselines, as a table (some ten minutes); AGAINST=REV beside another commit; QUICK=1 only sees that it runs
	@$(BIN)/python -m infra.bench$(if $(AGAINST),.against $(AGAINST)) $(if $(QUICK),--quick) $(ARGS)

install: .venv/.run ## only the install, .venv/bin/ghl-bridge included

check: .venv/.dev ## lint, types, import rules, conventions; the Lua scripts too where luacheck is on PATH
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python infra/dev/lint_lua.py
	@$(BIN)/python -m pytest tests/test_conventions.py tests/test_names.py tests/test_rooms.py tests/test_documents.py tests/store/test_lua_interface.py tests/store/test_keys.py

docs: .venv/.dev ## the documentation as a site in build/site; a broken link fails
	@sh infra/dev/site.sh

reference: .venv/.dev ## renew the reference pages that follow from the code
	@$(BIN)/python -m infra.dev.reference

lock: ## renew requirements.txt and requirements-dev.txt
	@sh infra/dev/lock.sh

clean: ## remove what was installed and what the demo kept
	rm -rf .venv .ghl-bridge build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

.venv/bin/python:
	@$(PYTHON) infra/dev/preflight.py $(MAKECMDGOALS)
	@echo "installing into .venv (once)"
	@$(PYTHON) -m venv .venv

.venv/.run: requirements.txt pyproject.toml | .venv/bin/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

.venv/.dev: requirements-dev.txt .venv/.run
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@
