# Two commands set everything up on a fresh machine with Python 3.11: `make demo` and `make test`.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
VENV_112 := .venv112
VENV_2 := .venv2
VENV_AIRFLOW := .venv-airflow
VENV_DAGSTER := .venv-dagster
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
PIP_112 := $(VENV_112)/bin/python -m pip --disable-pip-version-check --quiet
AIRFLOW := apache-airflow==3.3.2 apache-airflow-providers-standard==1.21.0
DAGSTER := dagster==1.13.29
DEMO_ROWS ?= 100000
RESULTS := site/results/spring_catalog.html
SOAK_SECONDS ?= 3600
SIZES ?= 100000 1000000

.DEFAULT_GOAL := help
.PHONY: help demo test test-unit test-dbt test-orchestrators check format docs pictures soak bench release lock clean

help: ## list the targets
	@grep -hE '^[a-zA-Z0-9_-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([^:]+):.*## /  make \1\t/' | expand -t 26

# The report is written again only if something was received since.
demo: $(VENV)/run.ok ## install, make sample profiles, run spring_catalog into outbox/, receive made-up orders, write the report into site/
	@test -s data/profiles.csv || $(BIN)/dmail-runner sample-data --rows $(DEMO_ROWS)
	@$(BIN)/dmail-runner run spring_catalog
	@$(BIN)/python -m scripts.sample_answers
	@$(BIN)/dmail-runner fetch
	@{ test -s $(RESULTS) && test -z "$$(find outbox/answers -newer $(RESULTS))"; } || $(BIN)/dmail-runner report --results
	@echo "open     $(CURDIR)/$(RESULTS): what these orders say about the mailing"

test: check ## run everything that CI runs; print the ten slowest tests
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal --durations 10

test-unit: $(VENV)/dev.ok ## run the quick tests, which need neither dbt nor a server
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal -m "not slow" tests/unit

test-dbt: $(VENV)/run.ok $(VENV_112)/run.ok $(VENV_2)/run.ok ## run the sample campaigns with dbt 1.12 and dbt 2, too, and compare the files
	$(BIN)/python -m scripts.compare_dbt $(VENV_112)/bin/python $(VENV_2)/bin/dbt

test-orchestrators: $(VENV)/run.ok $(VENV_AIRFLOW)/run.ok $(VENV_DAGSTER)/run.ok ## run the files of `dmail-runner deploy` in Airflow and Dagster
	$(BIN)/python -m scripts.try_orchestrators $(VENV_AIRFLOW)/bin/python $(VENV_DAGSTER)/bin/python

check: $(VENV)/dev.ok ## check formatting, lint, types, the import contract and the dbt project
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/sqlfmt --check --quiet models macros tests/dbt
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/dmail-runner check

format: $(VENV)/dev.ok ## write the formatting that `make check` asks for
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/sqlfmt models macros tests/dbt

docs: $(VENV)/dev.ok ## write docs/reference, docs/schema, docs/servers.md and docs/sample-report from the code
	$(BIN)/python -m scripts.reference
	PYTHONPATH=tests/support $(BIN)/python -m zoo docs/servers.md
	PYTHONPATH=tests/support $(BIN)/python -m sample_report docs/sample-report

pictures: $(VENV)/dev.ok ## write docs/pictures: the report's pages of made-up runs, and a recording of a run
	PYTHONPATH=tests/support $(BIN)/python -m pictures docs/pictures

soak: $(VENV)/dev.ok ## run the complete searches, of which make test runs a part, and kill runs for an hour
	DMAIL_SOAK_SECONDS=$(SOAK_SECONDS) $(BIN)/python -m pytest -s -m soak

bench: $(VENV)/dev.ok ## compare a run with the floor, dlt and pandas; SIZES="100000 10000000"
	$(BIN)/python -m bench.end_to_end $(foreach size,$(SIZES),--rows $(size))

release: $(VENV)/dev.ok ## build wheel and sdist into dist/, and try both in a fresh environment
	$(BIN)/python -m scripts.try_release

lock: $(VENV)/dev.ok ## resolve the lock files again (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --no-strip-extras \
		pyproject.toml --group dev --group bench --output-file requirements-dev.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --no-strip-extras \
		pyproject.toml --group build --constraint requirements-dev.lock --output-file requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --no-deps \
		--group dbt-112 --output-file requirements-dbt-112.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --no-deps --prerelease allow \
		--group dbt-2 --output-file requirements-dbt-2.lock

clean: ## remove the files that this Makefile made, except the ledger
	rm -rf $(VENV) $(VENV_112) $(VENV_2) $(VENV_AIRFLOW) $(VENV_DAGSTER) target logs data outbox dist

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

# The stamps are written last, so that an interrupted installation is repeated.
$(VENV)/run.ok: requirements.lock pyproject.toml | $(VENV)/bin/python
	$(PIP) install --require-hashes -r requirements.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

# dbt 1.12 takes the place of the locked version. Its parser for dbt 2 is left out: its source package downloads a program when it is built.
$(VENV_112)/run.ok: requirements.lock requirements-dbt-112.lock pyproject.toml
	$(PYTHON) -m venv $(VENV_112)
	$(PIP_112) install --require-hashes -r requirements.lock
	$(PIP_112) install --require-hashes --no-deps -r requirements-dbt-112.lock
	$(PIP_112) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV_2)/run.ok: requirements-dbt-2.lock
	$(PYTHON) -m venv $(VENV_2)
	$(VENV_2)/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes --no-deps -r requirements-dbt-2.lock
	@touch $@

# They are not locked: nothing of them is part of the runner, and they would not fit beside it.
$(VENV_AIRFLOW)/run.ok $(VENV_DAGSTER)/run.ok: %/run.ok: | $(VENV)/run.ok
	$(PYTHON) -m venv $*
	$*/bin/python -m pip --disable-pip-version-check --quiet install $(if $(findstring airflow,$*),$(AIRFLOW),$(DAGSTER))
	@touch $@

$(VENV)/dev.ok: requirements-dev.lock $(VENV)/run.ok
	$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@
