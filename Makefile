# `make` alone lists what there is.
SHELL := /bin/bash
.DEFAULT_GOAL := help

SYSTEM_PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed
SOURCES := functions layers/shared/trading layers/venues/prune.py cli tests benchmarks

# SAM and the layers' makefiles find their tools in the virtual environment.
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PYTHON := $(CURDIR)/$(BIN)/python
export SAM_CLI_TELEMETRY := 0
export AWS_DEFAULT_REGION ?= us-east-1

.PHONY: help install demo test lint fuzz audit bench build openapi lock clean

help: ## Show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 12

install: $(INSTALLED) ## Make the virtual environment .venv with everything pinned

$(INSTALLED): requirements-dev.txt pyproject.toml layers/shared/pyproject.toml \
		$(wildcard layers/numeric/kernel/*.* layers/numeric/kernel/trading_kernel/*.*)
	@"$(SYSTEM_PYTHON)" -c 'import sys; v = sys.version_info[:2]; \
		sys.exit(0 if v == (3, 11) else f"Python 3.11 is needed, as in Lambda; this is {v[0]}.{v[1]}")'
	"$(SYSTEM_PYTHON)" -m venv $(VENV)
	"$(PYTHON)" -m pip install --quiet --disable-pip-version-check --no-deps \
		--require-hashes -r requirements-dev.txt
	@# setuptools warns of folders named like packages, which these are on purpose.
	PYTHONWARNINGS=ignore "$(PYTHON)" -m pip install --quiet --disable-pip-version-check \
		--no-deps --no-build-isolation \
		-e layers/shared -e . ./layers/numeric/kernel
	@rm -rf layers/numeric/kernel/build layers/numeric/kernel/*.egg-info
	@touch $@

demo: install ## Run the whole pipeline on real candles, on this machine
	@$(BIN)/trading demo $(DEMO)

test: lint ## Check style and types, then run every test
	$(BIN)/pytest $(PYTEST)

lint: install ## Check style, types, import contracts and the template
	$(BIN)/ruff check $(wildcard $(SOURCES))
	$(BIN)/ruff format --check $(wildcard $(SOURCES))
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/sam validate --lint

SEED ?= $(shell date +%s)
CASES ?= 200

fuzz: install ## Try the deployed API with thousands of inputs by its document (SEED, CASES)
	FUZZ_SEED=$(SEED) FUZZ_CASES=$(CASES) FUZZ_PHASES=examples,coverage,fuzzing $(BIN)/pytest -s tests/services/test_random_input.py tests/stack/test_fuzz.py

# Needs a network: pip-audit asks for what is known of the pinned packages.
AUDIT := .venv-audit

audit: $(AUDIT)/installed ## Look for known weaknesses in packages, code and template
	$(AUDIT)/bin/bandit -q -c pyproject.toml -r functions layers/shared/trading cli
	$(AUDIT)/bin/checkov --config-file .checkov.yaml -f template.yaml
	@for lock in requirements-dev layers/shared/requirements layers/numeric/requirements \
		layers/venues/requirements requirements-audit; do \
		echo "pip-audit $$lock.txt"; \
		$(AUDIT)/bin/pip-audit --strict --disable-pip --require-hashes -r $$lock.txt || exit; \
	done

$(AUDIT)/installed: requirements-audit.txt
	"$(SYSTEM_PYTHON)" -m venv $(AUDIT)
	$(AUDIT)/bin/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $<
	@touch $@

# The order of docs/figures.md. The load's full size is `make bench BENCH=load LOAD=20000`.
BENCH ?= cold_start warm watching scrape billed_units cost decisions peer_orders backtests contention load
LOAD ?= 2000

bench: install ## Measure times, units, cost, contention and load (docs/figures.md)
	@for figure in $(BENCH); do \
		$(BIN)/python -m benchmarks.$$figure \
			$$(test $$figure = load && echo --recommendations $(LOAD)) || exit; \
	done

build: install ## Build every function and layer into .aws-sam
	$(BIN)/sam build

openapi: install ## Write docs/openapi.json anew
	$(BIN)/python -m trading.api.openapi

# Tests run on the versions that the layers ship, so the layers' locks follow the big one.
LOCK := uv pip compile --quiet --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-header --upgrade
LAYER_LOCK := $(LOCK) --constraint requirements-dev.txt --only-binary :all: \
	--python-platform x86_64-manylinux2014

lock: ## Pin newer versions (needs uv)
	$(LOCK) --universal requirements-dev.in -o requirements-dev.txt
	$(LOCK) --universal requirements-audit.in -o requirements-audit.txt
	$(LAYER_LOCK) layers/shared/requirements.in -o layers/shared/requirements.txt
	$(LAYER_LOCK) layers/numeric/requirements.in -o layers/numeric/requirements.txt
	$(LAYER_LOCK) --override layers/venues/overrides.txt layers/venues/requirements.in \
		-o layers/venues/requirements.txt

clean: ## Delete everything that was made here, the virtual environment too
	-@test ! -x $(BIN)/trading || $(BIN)/trading down
	rm -rf $(VENV) $(AUDIT) .aws-sam .local .pytest_cache .mypy_cache .ruff_cache .hypothesis \
		.import_linter_cache layers/shared/build
	find . -name .git -prune -o \( -name __pycache__ -o -name '*.egg-info' \) -exec rm -rf {} +
