# Every target sets up what it needs. Without make: the commands are the same, typed by hand (README.md, "Without make").
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help

help: ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "certmail needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Set PYTHON=python3.12, say.")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing what certmail runs on (once, about a minute) ..." >&2
	$(PIP) install --require-hashes --no-deps -r requirements.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.stamp: requirements-dev.lock $(VENV)/run.stamp
	@echo "Installing what its tests need (once) ..." >&2
	$(PIP) install --require-hashes --no-deps -r requirements-dev.lock
	@touch $@

demo: $(VENV)/run.stamp ## one command from a campaign file to mail in a mailbox
	@$(BIN)/certmail demo $(DEMO)

demos: $(VENV)/run.stamp ## the demo ten times in a row; stops at the first that finds a disagreement
	@for run in 1 2 3 4 5 6 7 8 9 10; do \
	  $(BIN)/certmail demo --json 2>/dev/null >.demo.json || { cat .demo.json; exit 1; }; \
	  $(BIN)/python -c 'import json, sys; d = json.load(open(".demo.json")); print(sys.argv[1], "ok" if d["ok"] else d["problems"], d["mailbox"], d["recorded"], len(d["faults"]), "faults", d["seconds"], "s")' $$run; \
	done; rm -f .demo.json

test: $(VENV)/dev.stamp ## the whole test suite, on real parts
	$(BIN)/python -m pytest $(TEST)

LEDGER_SEED ?= $(shell date +%s)
slow: $(VENV)/dev.stamp ## the ledger against its model: 50,000 steps on each server, new ones each time (LEDGER_SEED=n: the same again)
	LEDGER_STEPS=50000 LEDGER_SEED=$(LEDGER_SEED) $(BIN)/python -m pytest -n2 --dist=load tests/config/test_ledger_machine.py

bench: ## what a mail costs, beside Celery, arq and taskiq (about 12 minutes; BENCH="--rounds 1" for a quick look)
	@$(PYTHON) tests/bench/environments.py
	@PYTHONPATH=tests .bench/venv-certmail/bin/python -m bench run $(BENCH)

profile: ## where a worker's time goes
	@$(PYTHON) tests/bench/environments.py
	@PYTHONPATH=tests .bench/venv-certmail/bin/python -m bench profile $(BENCH)

million: $(VENV)/dev.stamp ## what a ledger with a million waiting jobs costs (about 5 minutes; MILLION="--jobs 100000" for fewer)
	@PYTHONPATH=tests $(BIN)/python -m bench.million $(MILLION)

enqueue: $(VENV)/dev.stamp ## what enqueueing costs, beside Celery's delay (about a minute; ENQUEUE="--jobs 20000" for fewer)
	@PYTHONPATH=tests $(BIN)/python -m bench.enqueue $(ENQUEUE)

pace: $(VENV)/dev.stamp ## how much of Google's limits is used, over real minutes (about 6 minutes; PACE="--mailboxes 100" for fewer)
	@PYTHONPATH=tests $(BIN)/python -m bench.pace $(PACE)

chaos: $(VENV)/dev.stamp ## everything killed at once: 10,000 reminders, and a scoreboard (about 10 minutes; CHAOS="--seed n" for the same again)
	@PYTHONPATH=tests $(BIN)/python -m chaos $(CHAOS)

lint: $(VENV)/dev.stamp ## format, lint, types, import rules
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/dev.stamp ## put the code into shape
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

lock: ## renew both locks (needs uv)
	uv pip compile -q --universal --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --python-version 3.11 \
	  --extra worker --extra sandbox --extra source $(LOCK) pyproject.toml -o requirements.lock
	uv pip compile -q --universal --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --python-version 3.11 \
	  --extra worker --extra sandbox --extra source --extra dev -c requirements.lock $(LOCK) pyproject.toml -o requirements-dev.lock

clean: ## forget the virtual environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.PHONY: help demo demos test slow bench profile million enqueue pace chaos lint format lock clean
