# `make up` and `make test` are all that a newcomer types.
PYTHON ?=
FIND_PYTHON := python=$$(PYTHON="$(PYTHON)" sh .ci/find-python) &&
VENV := .venv
BIN := $(VENV)/bin
APP := apps/swiss_army_py
FIRST_FILES := $(wildcard tests/e2e/test_4_*.py)
FIRST_HALF := $(FIRST_FILES) tests/e2e/test_5_custom_services.py
THIRD_FILES := $(wildcard tests/e2e/test_4_[l-z]*.py)
# These have the usual ports, which in the network of this machine belong to the first engine.
USUAL_PORTS := tests/e2e/test_6_ports.py tests/e2e/test_8_three_projects.py
PIP_INSTALL := install --quiet --disable-pip-version-check
PIN := pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe \
  --no-emit-index-url --no-emit-find-links --no-emit-trusted-host

.DEFAULT_GOAL := help
.PHONY: help up down test test-app test-docker test-docker-2 test-official test-local test-local-2 test-local-3 test-unit test-3.14 test-arm64 check lock bench docs

help: ## Show this list.
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

up: $(VENV)/.installed ## Install, start (the observability layer with Docker, all that is ready without), show what is up.
	$(BIN)/arcctl up
	$(BIN)/arcctl health
	@echo "try next: $(BIN)/arcctl info, $(BIN)/arcctl up --stack, $(BIN)/arcctl engine list"

down: $(VENV)/.installed ## Stop everything; data is kept.
	$(BIN)/arcctl down

test: $(VENV)/.installed ## All checks and all tests, with a Docker engine of their own where none answers.
	$(MAKE) --jobs 2 --keep-going --no-print-directory check test-app
	$(BIN)/python -m tests.testbed prepare
	$(MAKE) --jobs 3 --keep-going --no-print-directory test-unit test-3.14 test-docker-2 test-docker test-local test-local-2 test-local-3

test-app: $(APP)/.venv/.installed
	cd $(APP) && .venv/bin/python -m pytest

# Three at a time on two cores: tests wait about a third of the time, for faults to pass and servers to start.
PYTEST := $(BIN)/python -m pytest --durations 15

test-docker: # The half that builds images, which needs the network.
	$(PYTEST) -m docker $(FIRST_HALF)

test-docker-2: # The other half, on a second engine in a network of its own.
	$(BIN)/python -m tests.testbed isolated -- $(PYTEST) -m docker $(addprefix --ignore=,$(FIRST_HALF))

test-official: $(VENV)/.installed ## Only the Docker tests, on the official images; needs an engine that can pull.
	$(BIN)/python -m tests.testbed official
	$(MAKE) --no-print-directory test-docker test-docker-2

test-local: # The embedded engine; this half builds servers, which needs the network.
	$(PYTEST) -m "not docker" $(addprefix --ignore=,$(FIRST_FILES) $(USUAL_PORTS)) tests/e2e

test-local-2: # A quarter of them, in a network of its own.
	$(BIN)/python -m tests.testbed --embedded isolated -- $(PYTEST) -m "not docker" $(filter-out $(THIRD_FILES),$(FIRST_FILES))

test-local-3: # Another quarter, likewise.
	$(BIN)/python -m tests.testbed --embedded isolated -- $(PYTEST) -m "not docker" $(THIRD_FILES) $(USUAL_PORTS)

test-unit: # In a network of its own, because platforms run at the same time.
	$(BIN)/python -m tests.testbed --embedded isolated -- $(PYTEST) -m "not docker" --ignore tests/e2e

test-3.14: # The unit tests and what they cover, on the newest Python (which counts branches at no cost), in a Debian of its own.
	$(BIN)/python -m tests.testbed.other_python 3.14

test-arm64: $(VENV)/.installed # The light services on an emulated ARM processor; not part of `make test`, because it takes long.
	$(BIN)/python -m tests.testbed.arm64

check: $(VENV)/.installed ## Style, types, structure, rendered files, docs: seconds, without Docker.
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/arcctl render --check
	$(BIN)/python -m docs.render --check
	$(BIN)/zensical build --strict

docs: $(VENV)/.installed ## Render the reference pages and build the site.
	$(BIN)/python -m docs.render
	$(BIN)/zensical build --strict

bench: $(VENV)/.installed ## Measure speed and memory of the running platform, then of eight projects of their own.
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks --projects

lock: $(VENV)/.installed ## Pin every dependency by hash again.
	$(BIN)/$(PIN) --extra dev --extra embedded --output-file requirements.lock pyproject.toml
	cd $(APP) && ../../$(BIN)/$(PIN) --output-file requirements.lock pyproject.toml
	cd $(APP) && ../../$(BIN)/$(PIN) --extra dev --constraint requirements.lock --output-file requirements-dev.lock pyproject.toml

$(VENV)/.installed: requirements.lock pyproject.toml
	@PYTHON="$(PYTHON)" sh .ci/find-python >/dev/null
	@echo "installing into $(VENV) (about a minute the first time)"
	@$(FIND_PYTHON) "$$python" -m venv $(VENV)
	$(BIN)/pip install --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip $(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(APP)/.venv/.installed: $(APP)/requirements-dev.lock $(APP)/pyproject.toml
	@echo "installing the sample application into $(APP)/.venv"
	@$(FIND_PYTHON) "$$python" -m venv $(APP)/.venv
	$(APP)/.venv/bin/pip $(PIP_INSTALL) --require-hashes -r $(APP)/requirements-dev.lock
	$(APP)/.venv/bin/pip $(PIP_INSTALL) --no-deps --no-build-isolation --editable $(APP)
	@touch $@
