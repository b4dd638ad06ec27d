# `make demo`, `make test` and `make cloud` need Python 3.13, Node 20 or newer and make, and set up the rest themselves.

PYTHON ?= $(shell command -v python3.13 || command -v python3)
VENV   := .venv
BIN    := $(VENV)/bin
SET_UP := $(VENV)/.fanout node_modules/.installed
PIN    := $(BIN)/uv pip compile --quiet --upgrade --generate-hashes --python-version 3.13 --universal --custom-compile-command 'make lock'

.DEFAULT_GOAL := help
.PHONY: help setup demo cloud test check bench package lock clean

help: ## what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 10

setup: $(SET_UP) ## install what everything else needs, and the command fanout

demo: $(SET_UP) ## play the article's example on a cloud of its own, and check it
	@$(BIN)/python -m infra.local.demo $(ARGS)

cloud: $(SET_UP) ## the local cloud and the app, until Ctrl-C
	@$(BIN)/python -m infra.local $(ARGS)

test: $(SET_UP) ## all tests
	@$(BIN)/python -m pytest -n 4 --dist loadfile $(ARGS)

check: $(SET_UP) ## lint, format, types, import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports

bench: $(SET_UP) ## benchmarks: Fanout beside the plain script
	@$(BIN)/python -m tests.bench $(ARGS)

package: $(SET_UP) ## the zip that a deployment uploads
	@$(BIN)/python -m infra.package .local/fanout.zip

lock: $(SET_UP) ## pin the newest versions of requirements*.in and package.json
	$(PIN) requirements.in -o requirements.txt
	$(PIN) requirements-dev.in -c requirements.txt -o requirements-dev.txt
	npm install --package-lock-only --ignore-scripts

clean: ## remove all that is not committed: packages, state, caches
	rm -rf $(VENV) node_modules .local* build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.installed: requirements-dev.txt .python-version
	@command -v '$(PYTHON)' >/dev/null || { echo 'Python 3.13 is missing: install it from python.org, or name it: make PYTHON=/path/to/python3.13'; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' \
	  || { echo "Python 3.13 is needed, $(PYTHON) is $$($(PYTHON) -V 2>&1): install it from python.org, then: make PYTHON=/path/to/python3.13"; exit 2; }
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

$(VENV)/.fanout: $(VENV)/.installed pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-index --no-deps --no-build-isolation --editable .
	@touch $@

node_modules/.installed: package.json package-lock.json
	@command -v node >/dev/null && command -v npm >/dev/null || { echo 'Node.js is missing: install Node 20 or newer from nodejs.org'; exit 2; }
	@node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' \
	  || { echo "Node 20 or newer is needed, this is $$(node --version): install it from nodejs.org"; exit 2; }
	npm ci --ignore-scripts --loglevel=error
	@touch $@
