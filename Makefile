# `make` lists the targets. Paths may be given as arguments or as environment variables:
#   make build EXTRACTS_PATH=exports WAREHOUSE_PATH=data/mine.duckdb
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help build load snapshot freshness docs dashboard report test lint lint-models lint-files format answers diff \
    bench backup restore share soak mutants lock clean \
    export build-spark analyse-spark compare-engines portability dagster test-dagster

# Recipes read these from the environment, so a path may hold spaces and quotes.
WAREHOUSE_PATH ?= data/warehouse.duckdb
LAKE_PATH ?= data/lake
SPARK_PATH ?= data/spark
export AS_OF EXTRACTS_PATH WAREHOUSE_PATH SCALE BACKUPS_PATH BACKUPS_KEPT BACKUP BASE SHARE_PATH MARTS_PATH \
    MARTS_PERSONAL_DATA LAKE_PATH SPARK_PATH BUILD_BATCH BUILD_STEP

# The first of these that is 3.11, 3.12 or 3.13 makes the virtual environment; dbt 1.11 runs on no newer.
PYTHON ?= python3
PYTHONS := $(PYTHON) python3.13 python3.12 python3.11 python

VENV := .venv
SPARK := .venv-spark/bin
DAGSTER := .venv-dagster/bin
# Where Dagster keeps runs, logs and partitions.
DAGSTER_HOME := $(CURDIR)/data/dagster
BIN := $(VENV)/bin
# On a terminal pip shows what it downloads.
PIP := $(BIN)/python -m pip $(shell [ -t 2 ] && [ -z "$$CI" ] || echo -qq) --no-input \
    --disable-pip-version-check
# $(call install,NAME) installs NAME.txt, with the hashes of NAME.lock where there is one.
install = echo "installing $(1).txt" && options=$$($(BIN)/python scripts/lock.py --options $(1).txt) && \
    $(PIP) install $$options
EXTRACTS := data/extracts
SQL := $(shell find analyses models snapshots tests -name '*.sql' -not -path 'tests/generic/*')
MACROS := $(wildcard macros/*.sql macros/*/*.sql)
# Linting needs no warehouse, and leaves what dbt remembers of yours alone.
LINT_ENVIRONMENT := WAREHOUSE_PATH=:memory: DBT_TARGET_PATH=target/lint PYTHONWARNINGS=ignore

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-15s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

# PULL=1 takes the vendors' records in place of the sample company.
build: $(VENV)/.installed $(if $(PULL),$(VENV)/.installed-pull) ## extracts, load, snapshots, every model, tests of the data; PULL=1 pulls first, AS_OF=2026-06-30 shows that day
	@if [ -n "$(PULL)" ]; then $(BIN)/python -m ingest pull; fi
	@if [ -z "$(PULL)$$EXTRACTS_PATH" ]; then $(MAKE) --silent $(EXTRACTS); fi
	@$(BIN)/python -m ingest build

load: $(VENV)/.installed ## load the batches into the raw schemas only
	@if [ -z "$$EXTRACTS_PATH" ]; then $(MAKE) --silent $(EXTRACTS); fi
	@$(BIN)/python -m ingest load

snapshot: $(VENV)/.installed ## record the history of the loaded batches in snapshots
	@$(BIN)/dbt build --select +resource_type:snapshot --exclude-resource-type test unit_test

freshness: $(VENV)/.installed ## the age of each source's newest extract; fails if a source is late
	@$(BIN)/dbt source freshness

docs: $(VENV)/.installed ## the documentation of a built warehouse, target/site/index.html
	@$(BIN)/python -m ingest docs

dashboard: $(VENV)/.installed ## the dashboards on a local server, up to date with the warehouse
	@$(BIN)/python -m ingest dashboard

test: $(VENV)/.installed-dev lint ## everything CI runs
	@$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile \
	    --no-loadscope-reorder

answers: $(VENV)/.installed-dev ## compare the README's answers with what `make build` built
	@ANSWERS_PATH="$$WAREHOUSE_PATH" $(BIN)/python -m pytest -q tests/python/test_readme.py -k make_build

# Side by side: what reads SQL takes both cores once dbt has read the project on one.
lint: $(VENV)/.installed-dev ## style of Python, SQL, YAML, workflows and prose, types, layering
	@$(MAKE) --silent --jobs 2 lint-models lint-files

lint-models:
	@$(LINT_ENVIRONMENT) $(BIN)/dbt --quiet compile
	@COLUMNS=150 $(BIN)/dbt-bouncer
	@DBT_TARGET_PATH=target/lint $(BIN)/python scripts/measures.py
	@$(MAKE) --silent target/.sql-linted

lint-files:
	@$(BIN)/codespell --dictionary - --dictionary docs/wording.txt
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/yamllint --strict .
	@$(BIN)/zizmor --quiet --offline --pedantic .github/workflows

# All files again when what they are rendered with has changed, else those that have.
target/.sql-linted: .sqlfluff dbt_project.yml $(MACROS) $(SQL)
	@$(LINT_ENVIRONMENT) $(BIN)/python scripts/sqlfluff_quick.py lint --disable-progress-bar \
	    $(if $(filter-out $(SQL),$?),$(SQL),$?)
	@touch $@

format: $(VENV)/.installed-dev ## fix what lint reports, where a tool can
	@$(BIN)/ruff check --fix --quiet || true
	@$(BIN)/ruff format
	@$(LINT_ENVIRONMENT) $(BIN)/python scripts/sqlfluff_quick.py fix --disable-progress-bar --quiet

report: $(VENV)/.installed ## data quality as one page, data/report/report.html
	@$(BIN)/python -m ingest report

diff: $(VENV)/.installed ## compare models, metrics and rows of the working tree with those of BASE=main
	@$(BIN)/python -m ingest diff

bench: $(VENV)/.installed ## speed and memory of generator, loader and build; SCALE=small picks one
	@$(BIN)/python -m ingest bench

backup: $(VENV)/.installed ## keep a dated, verified copy of the warehouse; BACKUPS_KEPT=7
	@$(BIN)/python -m ingest backup

restore: $(VENV)/.installed ## restore the newest backup, or BACKUP=<name>
	@$(BIN)/python -m ingest restore

share: $(VENV)/.installed ## copy the marts without personal data to SHARE_PATH, data/share.duckdb
	@$(BIN)/python -m ingest share

soak: $(VENV)/.installed ## fault injection for some minutes: kill processes, fill the disk, corrupt input; report lost rows
	@$(BIN)/python -m ingest soak

mutants: $(VENV)/.installed-dev ## which of MUTANTS=150 single faults in models the tests notice; SEED=1
	@PYTHONPATH=tests/python $(BIN)/python -m mutants --count $(or $(MUTANTS),150) --seed $(or $(SEED),1)

lock: $(VENV)/.python ## the hashes of the pinned packages, requirements*.lock
	@$(PIP) install -r requirements-lock.txt
	@$(BIN)/python scripts/lock.py

export: $(VENV)/.installed ## append the landed batches to the lake, LAKE_PATH=data/lake
	@$(BIN)/python -m ingest export

build-spark: .venv-spark/.installed load export ## every model with its tests on Spark, from the lake; needs Java 17
	@$(SPARK)/python -m ingest.lake.register "$$LAKE_PATH"
	@$(SPARK)/dbt build --target spark --target-path target/spark

compare-engines: build build-spark ## every mart of Spark against DuckDB's, row for row; SCALE=tiny picks a new sample's size
	@$(BIN)/python -m ingest.lake.compare "$$WAREHOUSE_PATH" "$$SPARK_PATH/warehouse"

analyse-spark: .venv-spark/.installed ## whether Spark understands every model, on empty tables; needs Java 17
	@$(SPARK)/python -m ingest.lake.analyse

portability: $(VENV)/.installed ## what Snowflake, BigQuery and Databricks would not parse
	@$(LINT_ENVIRONMENT) $(BIN)/python scripts/portability.py

# With PULL=1 the schedule of pulls is on.
dagster: .venv-dagster/.installed ## the pipeline in Dagster on 127.0.0.1:3000, with schedule and sensor; PULL=1 pulls too
	@if [ -z "$(PULL)$$EXTRACTS_PATH" ]; then $(MAKE) --silent $(EXTRACTS); fi
	@$(DAGSTER)/dbt --quiet parse
	@mkdir -p "$(DAGSTER_HOME)" && cp orchestration/dagster.yaml "$(DAGSTER_HOME)"
	@DAGSTER_HOME="$(DAGSTER_HOME)" PULL="$(PULL)" PYTHONWARNINGS=ignore $(DAGSTER)/python -m dagster dev \
	    --host 127.0.0.1 --port 3000 --module-name orchestration.definitions

test-dagster: $(VENV)/.installed-dev .venv-dagster/.installed ## everything through Dagster, compared with `make build`
	@DAGSTER_PYTHON="$(CURDIR)/$(DAGSTER)/python" $(BIN)/python -m pytest tests/python/test_orchestration.py

# What was pulled stays: vendors keep neither old events nor deleted records.
clean: ## remove the sample company, the default warehouse and whatever the tools wrote
	@if [ -d $(EXTRACTS)/_truth ]; then rm -rf $(EXTRACTS); fi
	@rm -rf data/warehouse.duckdb data/warehouse.duckdb.wal data/marts.duckdb
	@rm -rf data/.marts.duckdb.writing data/diff data/mutants target logs
	@rm -rf .mypy_cache .pytest_cache .ruff_cache

$(VENV)/.python:
	@for python in $(PYTHONS); do \
	    if "$$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then \
	        echo "creating $(VENV) with $$("$$python" --version)"; \
	        "$$python" -m venv --clear $(VENV) && touch $@ && exit 0; exit 1; \
	    fi; \
	done; \
	echo "Python 3.11, 3.12 or 3.13 is needed; name yours with PYTHON=/path/to/python3" >&2; exit 1

$(VENV)/.installed: $(VENV)/.python requirements.txt $(wildcard requirements.lock) pyproject.toml
	@$(call install,requirements)
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

# Environments of their own: their packages would change what the others do.
.venv-spark/.installed .venv-dagster/.installed: .venv-%/.installed: \
    $(VENV)/.python requirements.txt requirements-%.txt $(wildcard requirements*.lock) pyproject.toml
	@echo "installing requirements-$*.txt"
	@$(BIN)/python -m venv --clear .venv-$*
	@options=$$($(BIN)/python scripts/lock.py --options requirements-$*.txt) && \
	    .venv-$*/bin/python -m pip -qq --no-input --disable-pip-version-check install $$options
	@.venv-$*/bin/python -m pip -qq --no-input --disable-pip-version-check install \
	    --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.txt requirements-pull.txt requirements-predict.txt $(wildcard requirements*.lock)
	@$(call install,requirements-dev)
	@touch $@

$(VENV)/.installed-pull: $(VENV)/.installed requirements-pull.txt $(wildcard requirements-pull.lock)
	@$(call install,requirements-pull)
	@touch $@

# Written aside and moved: a folder that is there is whole, and one of your own is left alone.
$(EXTRACTS):
	@echo "generating $@"
	@rm -rf $@.partial
	@$(BIN)/python -m ingest generate $(if $(SCALE),--scale $(SCALE)) --out $@.partial
	@mv $@.partial $@
