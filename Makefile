# `make up` and `make test` are all that a newcomer types.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
APP := apps/swiss_army_py
PIP_INSTALL := install --quiet --disable-pip-version-check
PIN := pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe \
  --no-emit-index-url --no-emit-find-links --no-emit-trusted-host

.DEFAULT_GOAL := help
.PHONY: help up down test test-docker test-others check lock bench docs

help: ## Show this list.
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

up: $(VENV)/.installed ## Install, start (the observability layer with Docker, all that is ready without), show what is up.
	$(BIN)/arcctl up
	$(BIN)/arcctl health
	@echo "try next: $(BIN)/arcctl info, $(BIN)/arcctl up --stack, $(BIN)/arcctl engine list"

down: $(VENV)/.installed ## Stop everything; data is kept.
	$(BIN)/arcctl down

test: check $(APP)/.venv/.installed ## All checks and all tests, with a Docker engine of their own where none answers.
	cd $(APP) && .venv/bin/python -m pytest
	$(BIN)/python -m tests.testbed prepare
	$(MAKE) --jobs 2 --keep-going --no-print-directory test-docker test-others

test-docker test-others: # Two processes beside each other: most of the time one waits for servers.
	$(BIN)/python -m pytest -m $(if $(findstring docker,$@),docker,"not docker")

check: $(VENV)/.installed ## Style, types, structure, rendered files: seconds, without Docker.
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/arcctl render --check

docs: $(VENV)/.installed ## Render the reference of all commands again.
	$(BIN)/python -m arcctl.cli.reference > docs/commands.md

bench: $(VENV)/.installed ## Measure the promises of speed and memory on the running platform.
	$(BIN)/python -m benchmarks

lock: $(VENV)/.installed ## Pin every dependency by hash again.
	$(BIN)/$(PIN) --extra dev --extra embedded --output-file requirements.lock pyproject.toml
	cd $(APP) && ../../$(BIN)/$(PIN) --output-file requirements.lock pyproject.toml
	cd $(APP) && ../../$(BIN)/$(PIN) --extra dev --constraint requirements.lock --output-file requirements-dev.lock pyproject.toml

$(VENV)/.installed: requirements.lock pyproject.toml
	@echo "installing into $(VENV) (about a minute the first time)"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip $(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(APP)/.venv/.installed: $(APP)/requirements-dev.lock $(APP)/pyproject.toml
	@echo "installing the sample application into $(APP)/.venv"
	$(PYTHON) -m venv $(APP)/.venv
	$(APP)/.venv/bin/pip $(PIP_INSTALL) --require-hashes -r $(APP)/requirements-dev.lock
	$(APP)/.venv/bin/pip $(PIP_INSTALL) --no-deps --no-build-isolation --editable $(APP)
	@touch $@
