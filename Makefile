# make demo    hash Python's standard library through shmzmq, and show its speed
# make test    run the whole test suite
# make pyzmq-suite  run pyzmq's own tests with shmzmq in the place of zmq
# make bench   run all benchmarks, briefly; `python -m benchmarks --help` has more
# make lint    check style, types and the direction of imports
# make docs    check links, named files and Python blocks of the documentation, and docs/options.md
# make clean   remove everything that make has made
#
# Each makes what it needs in .venv; nothing is installed outside it.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# The compiled modules are Python files, so any change of a source may be a change of one of them;
# setup.py knows which are, and does nothing for the others.
SOURCES := $(shell find shmzmq -name '*.py' -o -name '*.pxd')
BUILD := $(BIN)/python setup.py --quiet build_ext --inplace --parallel $(shell nproc)
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
INSTALLED := $(VENV)/.installed
BUILT := $(VENV)/.built

# The package as it is installed (transports/ inside shmzmq/), for tools that read source trees.
VIEW := build/view

.PHONY: help demo test pyzmq-suite bench lint docs clean
.DELETE_ON_ERROR:

help:
	@sed -n '/^# make/s/^# //p' Makefile

demo: $(BUILT)
	$(BIN)/python -m demo

test: $(BUILT)
	$(BIN)/python -m pytest $(PYTEST_ARGS)

# pyzmq's tests come from its source distribution, into build/; one process for each module.
pyzmq-suite: $(BUILT)
	cd tests && ../$(BIN)/python -m pyzmq_suite $(SUITE_ARGS)

bench: $(BUILT)
	$(BIN)/python -m benchmarks all --quick --json bench-all.json

# The import checker reads Python's imports only, so it gets the compiled modules' cimports as such.
lint: $(BUILT)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	rm -rf $(VIEW)
	$(BIN)/python setup.py --quiet build_py --build-lib $(VIEW)
	ln -s ../../benchmarks ../../demo $(VIEW)
	cd $(VIEW) && ../../$(BIN)/mypy --config-file ../../pyproject.toml
	find $(VIEW)/shmzmq -name '*.py' -exec sed -i 's/\bcython\.cimports\.shmzmq\b/shmzmq/' {} +
	cd $(VIEW) && for pxd in $$(find shmzmq -name '*.pxd'); do \
		sed -n 's/^from \(shmzmq[^ ]*\) cimport .*/import \1/p' $$pxd >> $${pxd%.pxd}.py; done
	cd $(VIEW) && ../../$(BIN)/lint-imports --no-cache --config ../../pyproject.toml

docs: $(BUILT)
	$(PYTHON) docs/check.py
	$(BIN)/python -m shmzmq.options --check docs/options.md

clean:
	rm -rf $(VENV) build *.egg-info bench-*.json
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -prune -exec rm -rf {} +
	find shmzmq -name '*.so' -delete

$(INSTALLED): pyproject.toml setup.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "shmzmq needs Python 3.11 or later; say which: make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -c 'import tomllib; \
		print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")' \
		> $(VENV)/build-requires.txt
	$(PIP) install --requirement $(VENV)/build-requires.txt
	$(BUILD)
	$(PIP) install --no-build-isolation --editable '.[bench,lint,test]'
	touch $@

$(BUILT): $(INSTALLED) $(SOURCES)
	$(BUILD)
	touch $@
