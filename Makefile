# Everything a fresh machine needs is Python 3.11 or newer. `make demo` and `make test` set themselves up.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# Spinning OpenMP threads cost 2.5-22x on a shared CPU.
export OMP_WAIT_POLICY := PASSIVE
export PYTHONUNBUFFERED := 1

.PHONY: setup demo test lint lock clean

setup: $(READY)

# The lock is checked by hash; the package itself cannot be, so it goes in last and alone.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "fascnet needs Python 3.11 or newer; name one with: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)

demo: $(READY)
	$(BIN)/python scripts/demo.py $(DEMO)

# Two at a time, a file each: some fixtures are made once for a file.
test: $(READY)
	$(BIN)/python -m pytest -n 2 --dist loadfile $(PYTEST)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Needs uv on the path. No header and no index address: the file names packages and hashes only.
lock:
	uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
	  --extra dev pyproject.toml -o requirements.lock

clean:
	rm -rf $(VENV) demo outputs
