# Everything a newcomer types. `make run` and `make test` need nothing but Debian and Python 3.11+.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: run test check unit setup system lock wheel bench soak grafana docs vendor clean
.DEFAULT_GOAL := help

help:            ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/' | expand -t 10

run: setup       ## set up and run the demo organisation; prints the board's address
	$(BIN)/bsc-monitor run

test: setup system ## set up (Debian's servers included) and pass every test
	scripts/test

check: setup     ## lint, types, import rule
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: setup      ## the fast tests only
	$(BIN)/pytest tests/unit

setup: $(VENV)/.installed

$(VENV)/.installed: requirements.txt pyproject.toml
	scripts/setup $(PYTHON) $(VENV)
	@touch $@

system:          # Debian's servers that the tests talk to
	scripts/system

lock:            ## pin every dependency with hashes
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--all-extras --group dev pyproject.toml -o requirements.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --extra aws --extra focus \
		--extra postgresql --extra report --extra xlsx -c requirements.txt pyproject.toml -o docker/requirements.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --group pyproject.toml:build \
		-c requirements.txt -o docker/build.txt

wheel: setup     ## the wheel for this Python and machine in dist/, scoring in machine code (wants a C compiler)
	HATCH_BUILD_HOOKS_ENABLE=1 scripts/wheel dist

bench: setup system ## measure against named peers, in one run
	$(BIN)/python -m benchmarks

grafana: setup   ## write the boards' JSON from their code
	$(BIN)/python -m grafana

docs: setup      ## write docs/reference from the code
	$(BIN)/python -m scripts.docs
	$(BIN)/bsc-monitor plugin docs --out docs/reference/plugins

vendor:          ## bring the board's scripts and typeface anew from npm, with their licences
	scripts/vendor

soak: setup system ## the long fault runs
	$(BIN)/pytest tests/faults tests/unit/alert tests/unit/notify tests/integration/alert tests/integration/notify \
		tests/integration/test_package.py --soak -v

clean:
	rm -rf $(VENV) dist .pytest_cache .mypy_cache .ruff_cache
