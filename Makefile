SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?=
SECONDS ?= 60
ARGS ?=

BIN := .venv/bin
BENCH := .venvs/bench
MINISTACK := .venvs/ministack
DIST := .venvs/dist
CODE := xsession tests tools $(wildcard bench examples conftest.py)
# A file's tests stay in one worker: they share what is costly to make.
PARALLEL := --numprocesses=auto --maxprocesses=4 --dist=loadfile
# -qq: locations that pip is configured with and that lack a package are no news; errors are still printed.
INSTALL := -m pip install -qq --disable-pip-version-check

.PHONY: help demo test check bench soak docs dist ministack test-all clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv/.demo ## the story of Batman and Vegeta, on a local AWS
	@$(BIN)/python examples/demo.py $(ARGS)

test: check ministack ## check, then all tests with coverage
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest -q $(PARALLEL) $(ARGS)
	@$(BIN)/coverage combine --quiet
	@echo "== branch coverage of all modules"
	@$(BIN)/coverage report
	@echo "== branch coverage of the layers without boto3: 100 % required"
	@$(BIN)/coverage report --fail-under=100 --include="$$($(BIN)/python -m tools.project)"

check: .venv/.dev ## ruff, mypy and pyright
	@$(BIN)/ruff check --quiet $(CODE)
	@$(BIN)/ruff format --quiet --check $(CODE) || { $(BIN)/ruff format --diff $(CODE); exit 1; }
	@$(BIN)/mypy $(CODE)
	@$(if $(wildcard tests/typing),$(BIN)/pyright --pythonpath $(BIN)/python tests/typing)

bench: $(BENCH)/.bench ## time and memory against other libraries
	@$(BENCH)/bin/python -m bench $(ARGS)

soak: $(BENCH)/.bench ## load for SECONDS=60 with short-lived credentials
	@$(BENCH)/bin/python -m bench.soak $(SECONDS) $(ARGS)

docs: .venv/.docs ## the documentation, into build/docs
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet --site-dir build/docs
	@echo "build/docs/index.html"

dist: $(DIST)/.dist ## sdist and wheel, checked, and the wheel tried in a clean environment
	@$(DIST)/bin/python -m tools.dist

ministack: $(MINISTACK)/.ministack ## the second AWS of the integration tests, installed on its own

test-all: .venv/.python ## the tests on each Python found, and with the oldest dependencies
	@$(BIN)/python -m tools.test_all $(ARGS)

clean: ## remove all that the other targets made
	@rm -rf .venv .venvs build dist .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A virtual environment, then a stamp for each set of extras in it, which is out of date when pyproject.toml changes.
%/.python:
	@python=$$(PYTHON="$(PYTHON)" tools/find-python) && echo "making $* with $$python" && "$$python" -m venv $*
	@touch $@

.venv/.demo: EXTRAS := cli,testing
.venv/.dev: EXTRAS := dev
.venv/.docs: EXTRAS := docs
$(BENCH)/.bench: EXTRAS := bench
$(DIST)/.dist: EXTRAS := dist

.venv/.demo .venv/.dev .venv/.docs: pyproject.toml | .venv/.python
$(BENCH)/.bench: pyproject.toml | $(BENCH)/.python
$(DIST)/.dist: pyproject.toml | $(DIST)/.python

.venv/.demo .venv/.dev .venv/.docs $(BENCH)/.bench $(DIST)/.dist:
	@echo "installing xsession[$(EXTRAS)] into $(@D)"
	@$(@D)/bin/python $(INSTALL) -e ".[$(EXTRAS)]"
	@touch $@

# It pins a botocore of its own.
$(MINISTACK)/.ministack: | $(MINISTACK)/.python
	@echo "installing MiniStack into $(@D)"
	@$(@D)/bin/python $(INSTALL) "ministack~=1.5.33"
	@touch $@
