# Two commands matter: `make demo` and `make test`. Each sets up whatever it needs; `make help` lists the rest.

.DEFAULT_GOAL := help
.PHONY: help setup test check format demo synth lock schema oracle clean purge

# The first Python of 3.11 or newer that really runs (a pyenv shim may exist and not run).
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3.14 python3; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
ENV ?= dev
ARGS ?=
# One process for each core, at most four: each room of tests runs in one of them.
WORKERS ?= $(shell nproc 2>/dev/null | awk '{ print ($$1 > 4) ? 4 : $$1 }')
BIN := .venv/bin
ENVIRONMENTS = $(filter-out base,$(basename $(notdir $(wildcard environments/*.yaml))))

export PATH := $(CURDIR)/$(BIN):$(CURDIR)/node_modules/.bin:$(PATH)
# Node.js 20 is supported here on purpose; jsii would print a page about its age on every start.
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 20
export JSII_SILENCE_WARNING_DEPRECATED_NODE_VERSION := 20
# Without bytecode on disk every start compiles aws_cdk again: five seconds instead of one.
unexport PYTHONDONTWRITEBYTECODE

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install everything that is locked; instant when nothing changed
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or newer found: install one, or make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) tools/setup.py

test: setup ## run every test (ARGS="-k name" narrows it)
	@$(BIN)/python -m pytest --numprocesses $(or $(WORKERS),1) --no-loadscope-reorder $(ARGS)

check: setup ## formatting, lint, types, import rules, locks, schema, contracts, templates
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy
	$(BIN)/python tools/lock.py --check
	@mkdir -p .build && $(BIN)/python -m mlops_framework.environments.schema .build/schema.json
	diff -u environments/schema.json .build/schema.json
	$(BIN)/python tools/released.py
	@rm -rf .build/check
	@for name in $(ENVIRONMENTS); do echo "synthesizing $$name, with the CDK's own validation and cdk-nag"; \
		CDK_OUTDIR=.build/check/$$name $(BIN)/python app.py -c env=$$name || exit 1; done
	$(BIN)/cfn-lint .build/check/*/*.template.json .build/check/*/catalogue/*.template.json

format: setup ## format the sources and sort the imports
	@$(BIN)/ruff check --select I --fix --quiet .
	@$(BIN)/ruff format .

demo: setup ## the whole loop on the embedded AWS: train, gate, approve, serve, drift, retrain
	@$(BIN)/mlops demo $(ARGS)

synth: setup ## synthesize the platform's templates into cdk.out (ENV=dev)
	@node_modules/.bin/cdk synth --quiet -c env=$(ENV) $(ARGS)

schema: setup ## write environments/schema.json, for editors, from the model
	@$(BIN)/python -m mlops_framework.environments.schema environments/schema.json

lock: setup ## resolve the newest allowed versions into requirements*.txt and package-lock.json
	@$(BIN)/python tools/lock.py
	@npm install --package-lock-only --ignore-scripts --no-audit --no-fund

oracle: setup ## compare with AWS's own SDK and training toolkit (an environment of 1 GB; a C compiler)
	@$(BIN)/python -m pytest -m oracle $(ARGS)

clean: ## remove build outputs and caches
	@rm -rf .build cdk.out dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -type d -not -path './.venv*' -not -path './node_modules/*' -prune -exec rm -rf {} +

purge: clean ## also remove the environments, the CDK CLI and the embedded AWS's state
	@rm -rf .venv node_modules .mlops
