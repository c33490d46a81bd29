# make demo | test | endurance | lint | lowest | bench | bench-servers | walk | fuzz | tables | screenshot: each makes
# its own environment in .venv first. Python 3.11 or later with pip is all that has to be there; for the screenshot also
# chromium, chromium-driver and fonts-noto-cjk.

PYTHON ?= python3
PY := .venv/bin/python
PYTEST := -m pytest -n 4 --dist worksteal
LINT = $(MAKE) --no-print-directory lint

# Python keeps what it compiles, and pytest the assertions that it rewrites: this saves each worker five seconds.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test endurance lowest lint ruff mypy pyright bench bench-servers walk fuzz tables screenshot format clean
.DEFAULT_GOAL := test

# Without ensurepip (Debian keeps it in a package of its own), so pip is put in from outside.
.venv/made: pyproject.toml
	$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or later is needed")'
	$(PYTHON) -m venv --clear --without-pip .venv
	$(PYTHON) -m pip --disable-pip-version-check --python $(PY) install --quiet "pip>=25.1"
	$(PY) -m pip --disable-pip-version-check install --quiet --editable ".[all]" --group dev
	touch $@

demo: .venv/made
	$(PY) -m wechat_msg demo

# The type checkers run beside the tests, and what they say comes at the end.
test: .venv/made
	@echo "Lint, types and tests: about 4 minutes on two cores. Long runs on real servers are make endurance."
	@$(LINT) >.venv/lint 2>&1 & lint=$$!; \
		$(PY) $(PYTEST); tests=$$?; wait $$lint; lint=$$?; cat .venv/lint; exit $$((tests | lint))

# Real servers with a real clock, killed workers, races of many processes: tests that make test leaves out. Then the
# tests of properties with ten times the values, others in each run.
endurance: .venv/made
	@echo "Long runs on real servers: several minutes on two cores."
	$(PY) $(PYTEST) -m endurance -n 2 $(if $(LONG),-k "$(LONG)")
	$(if $(LONG),,$(PY) $(PYTEST) -m hypothesis -n 2 --hypothesis-profile many)

# The tests with the lowest versions that pyproject.toml allows.
lowest: .venv/made
	$(PYTHON) -m venv --clear --without-pip .venv/lowest
	$(PY) -m pip --disable-pip-version-check install --quiet uv
	$(PY) -m uv pip install --quiet --python .venv/lowest --resolution lowest-direct \
		"pip>=25.1" --editable ".[all]" --group dev
	.venv/lowest/bin/python $(PYTEST)

lint: .venv/made
	@$(MAKE) --no-print-directory --jobs 3 --output-sync ruff mypy pyright

ruff: .venv/made
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

mypy: .venv/made
	$(PY) -m mypy

pyright: .venv/made
	$(PY) -m pyright

# Speed, beside the other libraries, in an environment that has them. ARGS="functions" for one table of several,
# ARGS=--write to put the results into docs/benchmarks.md, ARGS=--help for more.
bench: .venv/bench/made
	.venv/bench/bin/python -m tests.benchmarks $(ARGS)

# The same bot on real servers: CPU time of a message, with a load generator in C.
bench-servers: .venv/bench/made
	@command -v wrk >/dev/null || { [ "$$(id -u)" = 0 ] && apt-get -qq update && apt-get -qq install -y wrk; } \
		|| { echo "wrk is not installed: apt-get install wrk"; exit 1; }
	.venv/bench/bin/python -m tests.benchmarks.servers $(ARGS)

.venv/bench/made: pyproject.toml tests/benchmarks/requirements.txt
	$(PYTHON) -m venv --clear --without-pip .venv/bench
	$(PYTHON) -m pip --disable-pip-version-check --python .venv/bench/bin/python install --quiet "pip>=25.1"
	.venv/bench/bin/python -m pip --disable-pip-version-check install --quiet --editable ".[all]" --group test \
		--requirement tests/benchmarks/requirements.txt
	touch $@

# The functions that one sealed push calls, in order.
walk: .venv/made
	$(PY) -m tests.helpers.walk

# The reader of pushes on inputs that a coverage-guided fuzzer finds, for SECONDS.
fuzz: SECONDS ?= 60
fuzz: .venv/made
	$(PY) -m pip --disable-pip-version-check install --quiet --group fuzz
	$(PY) -m tests.fuzz $(SECONDS)

# The tables of events, messages and API functions in docs/, from the code.
tables: .venv/made
	$(PY) -m tests.helpers.written_tables --write

screenshot: .venv/made
	$(PY) docs/images/make_playground.py

format: .venv/made
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .hypothesis
