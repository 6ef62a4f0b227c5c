# SPDX-License-Identifier: Apache-2.0
#
# Everything in .venv, from python3 (3.10 or later, with venv), make and g++ alone. Each target sets
# up what it needs; what is up to date is left alone. PYTHON=python3.12 chooses the interpreter.
PYTHON ?= python3
VENV := $(CURDIR)/.venv
BIN := $(VENV)/bin
export PATH := $(BIN):$(PATH)
export VIRTUAL_ENV := $(VENV)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

NATIVE := $(shell find csrc) setup.py packaging/backend.py aclrt/_ffi_build.py VERSION
CXX_FILES = $(shell find csrc tests examples -name '*.[ch]' -o -name '*.[ch]pp')
PIP := $(BIN)/python -m pip --quiet

.PHONY: demo test check build wheel clean check-cxx check-asan check-ubsan check-tsan

demo: build
	$(BIN)/python examples/digits/demo.py

test: build
	$(BIN)/python -m pytest -n 2

check: build
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/clang-format --dry-run -Werror $(CXX_FILES)
	$(BIN)/python -m pytest -q tests/layout
	if command -v codespell >/dev/null; then codespell; fi

build: $(VENV)/built

wheel: $(VENV)/tools
	rm -rf build/lib* build/bdist*
	$(PIP) wheel --no-build-isolation --no-deps --wheel-dir dist .

clean:
	rm -rf build dist out .venv aclrt/_lib aclrt/_native.* *.egg-info .*_cache
	find . -name __pycache__ -prune -exec rm -rf {} +

# The C++ tests under a sanitizer, each in its own build folder.
check-cxx: check-asan check-ubsan
check-asan check-ubsan check-tsan: check-%: build
	$(BIN)/python tests/cpp/make_models.py build/models
	cd csrc && cmake --preset $* -DPython3_EXECUTABLE=$(BIN)/python
	cmake --build build/$* --parallel 2
	ctest --test-dir build/$* --output-on-failure

# One environment with everything that the tests and the checks need. pip asks the package index only
# for what is not installed yet, so a rebuild needs no network; CMake compiles only what changed.
$(VENV)/built: $(VENV)/tools $(NATIVE)
	$(PIP) install --no-build-isolation -e '.[test]'
	touch $@

$(VENV)/tools: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install 'setuptools>=77' 'cffi>=2.0' 'cmake>=3.24' 'ninja>=1.10'
	touch $@
