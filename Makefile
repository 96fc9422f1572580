# `make up` and `make test` are all that a newcomer types.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help up down test check lock bench

help: ## Show this list.
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

up: $(VENV)/.installed ## Install, start the observability layer, say what to try next.
	$(BIN)/arcctl up
	$(BIN)/arcctl info observability
	@echo "try next: $(BIN)/arcctl up --stack, then $(BIN)/arcctl health all"

down: $(VENV)/.installed ## Stop everything; data is kept.
	$(BIN)/arcctl down

test: $(VENV)/.installed check ## All checks and all tests, with a Docker engine of their own where none answers.
	$(BIN)/pytest

check: $(VENV)/.installed ## Style, types, structure, rendered files: seconds, without Docker.
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/arcctl render --check

bench: $(VENV)/.installed ## Measure the promises of speed and memory on the running platform.
	$(BIN)/python -m benchmarks

lock: ## Pin every dependency by hash again.
	$(BIN)/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
	  --extra dev --output-file requirements.lock pyproject.toml

$(VENV)/.installed: requirements.lock pyproject.toml
	@echo "installing into $(VENV) (about a minute the first time)"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
