# The front door for people. Needs Python 3.11 or newer with pip and venv, and nothing else.
#   make run    install, then serve on this machine
#   make test   install what the tests need, then run all of them
#   make lint   style, types and the laws of imports
# Every step leaves a stamp in .venv and is repeated only when what it depends on has changed.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
PIP_INSTALL := $(PIP) install --quiet --no-input
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-emit-index-url pyproject.toml --group build

# Two installations into one environment would get in each other's way.
.NOTPARALLEL:
.PHONY: run install test lint format lock tools chromium clean help

run: install
	$(BIN)/gatewright serve

install: .venv/run.stamp .venv/editable.stamp

test: tools .venv/typescript.stamp chromium
	$(BIN)/python -m pytest $(ARGS)

lint: tools
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/python -m pytest --quiet --numprocesses=0 tests/house/test_imports.py tests/house/test_owners.py

format: tools
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

lock: tools
	$(COMPILE) --upgrade --output-file requirements/run.txt
	$(COMPILE) --upgrade --constraints requirements/run.txt --group dev --output-file requirements/dev.txt

tools: .venv/dev.stamp .venv/editable.stamp

# The first Chromium on the machine is used; root on Debian may install one, others are told.
chromium:
	@for name in chromium chromium-browser google-chrome; do \
		command -v $$name >/dev/null && exit 0; \
	done; \
	if [ "$$(id -u)" = 0 ] && [ -f /etc/debian_version ]; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
			apt-get install -y -qq --no-install-recommends chromium >/dev/null && exit 0; \
	fi; \
	echo "make: no Chromium on this machine; install one to run the browser tests"

clean:
	rm -rf .venv tests/flows/typescript/node_modules .mypy_cache .ruff_cache .pytest_cache

help:
	@sed -n '2,4s/^# *//p' Makefile

.venv/made.stamp:
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	@touch $@

.venv/run.stamp: requirements/run.txt .venv/made.stamp
	$(PIP_INSTALL) --require-hashes --requirement requirements/run.txt
	@touch $@

# The development lock holds everything of the run lock at the same versions.
.venv/dev.stamp: requirements/dev.txt requirements/run.txt .venv/made.stamp
	$(PIP_INSTALL) --require-hashes --requirement requirements/dev.txt
	@touch .venv/run.stamp $@

# Order only: installing one more lock does not undo the editable install.
.venv/editable.stamp: pyproject.toml .venv/made.stamp | .venv/run.stamp
	$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/typescript.stamp: tests/flows/typescript/package-lock.json | .venv/dev.stamp
	$(BIN)/python -m tests.services.node
	@touch $@
