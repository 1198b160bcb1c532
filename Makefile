# `make run` sets up and starts SpeedData with its demo sources; `make test` sets up and passes the tests.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
SOURCES := $(wildcard lib/*.pyx lib/*.pxd lib/*.h lib/*.pyi relay/*.pyx relay/*.pxd relay/*.pyi)
PACKAGED := $(wildcard lib/*.py relay/*.py registry/*.py stripchart/*.py pivot/*.py)
# Packages that real recordings come in, which tests read; nothing of them is imported.
RECORDINGS := heartpy vega_datasets aeon sktime
# Programs of Debian's that tests use.
TOOLS := $(addprefix $(VENV)/.,browser hdf5-tools strace network-tools systemd promtool)
# Files with tests that need the machine for themselves.
ALONE = $(shell grep -rl --include='test_*.py' 'mark\.alone' tests)
export PYTHONSAFEPATH := 1
# What is imported is compiled once, at its first import: few of the packages' modules are, and the tests start hundreds of processes.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help run test install build style types coverage bench bench-history bench-live bench-charts validate-schemas proof proof-of-tests docs dist clean

help:  ## Show the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 20

run: build  ## Set up, then start everything with the demo sources (Ctrl-C stops it)
	$(PY) -m speeddata demo $(ARGS)

test: build $(TOOLS)  ## Set up, then run every test
	$(PY) -m pytest -n 4 -p no:benchmark -m "not alone"
	$(PY) -m pytest -p no:benchmark -m alone $(ALONE)

install: build  ## The same as build
build: $(VENV)/.built  ## Make .venv with everything needed to run and test

$(VENV)/bin/python:
	@sh tools/prerequisites $(PYTHON)
	$(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --no-compile --upgrade pip

$(VENV)/.dependencies: $(VENV)/bin/python pyproject.toml
	$(PY) -m pip install --quiet --no-compile --group dev
	$(PY) -m pip install --quiet --no-compile --no-deps $(RECORDINGS)
	@touch $@

$(VENV)/.installed: $(VENV)/.dependencies setup.py
	SPEEDDATA_NO_EXTENSIONS=1 $(PY) -m pip install --quiet --no-build-isolation --editable '.[demo]'
	@touch $@

$(VENV)/.built: $(VENV)/.installed $(SOURCES) $(PACKAGED)
	$(PY) setup.py --quiet build_ext --inplace
	@touch $@

$(VENV)/.browser:
	@sh tools/prerequisites chromium-headless-shell
	@mkdir -p $(VENV) && touch $@

$(VENV)/.hdf5-tools:
	@sh tools/prerequisites hdf5-tools
	@mkdir -p $(VENV) && touch $@

$(VENV)/.strace:
	@sh tools/prerequisites strace
	@mkdir -p $(VENV) && touch $@

$(VENV)/.network-tools:
	@sh tools/prerequisites network-tools
	@mkdir -p $(VENV) && touch $@

$(VENV)/.systemd:
	@sh tools/prerequisites systemd
	@mkdir -p $(VENV) && touch $@

$(VENV)/.promtool: | $(VENV)/bin/python
	@sh tools/prerequisites promtool $(VENV)/bin
	@touch $@

style: build  ## Check format and lint
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .

types: build  ## Check types strictly
	$(PY) -m mypy

coverage: build $(TOOLS)  ## Run the tests with branch coverage
	$(PY) -m coverage run -m pytest -p no:benchmark
	$(PY) -m coverage report

bench: build  ## Run the micro-benchmarks
	$(PY) -m pytest tests/bench --benchmark-only -o python_files='bench_*.py'

bench-history: build  ## Measure history beside goals and rivals (ROWS="decode queries": those alone)
	$(PY) -m pip install --quiet rugo
	$(PY) tests/bench/history.py $(ROWS)

bench-live: build  ## Measure how many browsers one core serves, beside goals
	$(PY) -P tests/bench/live_fanout.py

bench-charts: build $(VENV)/.browser  ## Measure charts in a browser beside goals and rivals (ROWS="size wall": those alone; LONG=1: an hour for memory)
	@sh tools/prerequisites chromium
	@command -v npm >/dev/null || { echo "npm is missing, for the rivals: apt-get install npm"; exit 2; }
	$(PY) -m pip install --quiet rjsmin
	npm install --silent --no-audit --no-fund --ignore-scripts --prefix build/bench uplot@1.6.32 smoothie@1.36.1 terser@5
	$(PY) -P tests/bench/charts.py $(ROWS) $(if $(LONG),--minutes 60 --hidden 10)

validate-schemas: build  ## Compile every schema in config/agents, naming file and field of an error
	$(PY) -m speeddata.schema config/agents/*.avsc

proof: build $(VENV)/.strace  ## Long proofs: all, or one (make proof PART=kill; docs/proofs.md tells which there are)
	@test -z "$(PART)" || test -e tests/proof/proof_$(PART).py || { echo "PART is '$(PART)', wanted one of" \
	    $(patsubst tests/proof/proof_%.py,%,$(wildcard tests/proof/proof_*.py)); exit 2; }
	$(PY) -m pytest tests/proof -s -o python_files='proof_$(or $(PART),*).py'

proof-of-tests: build $(VENV)/.strace  ## See a test go red for each protection that is removed (ONLY=word: those with it in name or file)
	$(PY) -P tools/proof_of_tests "$(ONLY)"

docs: build  ## Build the documents as a site that needs no network: build/site/index.html
	NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs build --strict

dist: build  ## Build the sdist and, from it, the wheel, into dist/
	rm -rf dist
	$(PY) -m build --outdir dist .

clean:  ## Remove what was built (not .venv)
	rm -rf build dist *.egg-info lib/*.so relay/*.so $(VENV)/.built
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
