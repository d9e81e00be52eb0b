# The two commands are `make demo` and `make test`; the rest is what they stand on.
SHELL := /bin/bash
PYTHON ?= $(shell .ci/python)
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

.PHONY: setup demo debian test lint core line digest wire others search bench realtime lock clean

setup: $(VENV)/.ready

# One stamp for one lock: a changed lock installs anew. Wheels only, every one of them hashed.
$(VENV)/.ready: requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: setup
	@$(BIN)/beltkeeper demo $(ARGS)

# `others` belongs here too, where its quarter of an hour is to be had.
TEST := debian lint core line digest wire

test: setup $(TEST)
	@test -n "$(BELTKEEPER_TEST_DATA)" || echo "not run: tests on real orders and the region table (BELTKEEPER_TEST_DATA is not set)"
	@test -n "$(filter others,$(TEST))" || echo "not run: the lanes themselves on CPython 3.12 and 3.13 (make others)"
	@echo "All lanes have passed. Lines 'SKIPPED' and 'not run' above, if any, say what this machine lacks."

# Broker, Prometheus, browser: what some tests stand on. Only root installs; the demo needs none of them.
debian:
	@.ci/debian

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .

core: setup
	$(BIN)/pytest tests/core -n 2 -q

line: setup
	$(BIN)/pytest tests/line -n 2 -q

# Mostly waiting: two at once take half the time. What they wait for is a cause, however slow the machine is.
wire: setup
	$(BIN)/pytest tests/wire -n 2 --dist worksteal -q

# The same two lanes on the other CPythons that the project supports, where they are present.
others: setup
	@.ci/other-python 3.12 lanes
	@.ci/other-python 3.13 lanes

# One simulated line on each of them: the record must be the very same.
digest: setup
	@.ci/other-python 3.12 digest
	@.ci/other-python 3.13 digest

# Properties with examples that nobody has drawn yet; the lanes draw the same ones each time.
search: setup
	$(BIN)/pytest tests/core tests/line -n 2 -q --hypothesis-profile=search

bench: setup
	$(BIN)/python -m benchmarks $(ARGS)

# Five minutes of the fast line, its process on a core of its own: make realtime ARGS="--minutes 1"
realtime: setup
	$(BIN)/python -m benchmarks.real_time $(ARGS)

# Universal for 3.11–3.13; hashes, and no addresses.
lock: setup
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 \
		--generate-hashes --no-header --no-annotate --quiet -o requirements.lock

clean:
	rm -rf $(VENV) $(VENV)-* .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis build dist
