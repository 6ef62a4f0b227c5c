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
CXX_FILES = $(shell find csrc tests examples benchmarks -name '*.[ch]' -o -name '*.[ch]pp')
PIP := $(BIN)/python -m pip --quiet

.PHONY: demo test bench check build wheel clean check-cxx check-asan check-ubsan check-tsan check-sanitized

demo: build
	$(BIN)/python examples/digits/demo.py

test: build
	$(BIN)/python -m pytest -n 2

# All goals of speed. BENCH="--quick --only calls" passes options on; benchmarks/README.md has them.
bench: build
	$(BIN)/python -m benchmarks $(BENCH)

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

# The Python tests with the shim and the fake under AddressSanitizer and UndefinedBehaviorSanitizer.
# libstdc++ is preloaded too, or the sanitizer misses __cxa_throw. Leaks are the ledger's to judge:
# the interpreter's own would drown them. Left out: what runs a compiler or pip (the C++ tests have
# check-cxx), a log with an environment of its own, and the host that follows a device pointer.
SANITIZED := $(CURDIR)/build/sanitized
runtime_of = $(shell $(or $(CXX),g++) -print-file-name=$(1).so)
check-sanitized: build
	cd csrc && cmake --preset sanitized
	cmake --build $(SANITIZED) --parallel 2
	LD_LIBRARY_PATH=$(SANITIZED)/lib \
	ACLRT_TEST_FAKE=$(SANITIZED)/lib/fake/libascendcl.so \
	LD_PRELOAD="$(call runtime_of,libasan) $(call runtime_of,libstdc++)" PYTHONMALLOC=malloc \
	ASAN_OPTIONS=detect_leaks=0:abort_on_error=1 UBSAN_OPTIONS=print_stacktrace=1 \
	$(BIN)/python -m pytest -q -n 2 tests/conformance tests/unit tests/onnx_suite \
	  --ignore tests/unit/test_cpp.py --ignore tests/unit/test_demo.py \
	  --ignore tests/unit/test_packaging.py \
	  --deselect tests/conformance/test_base.py::test_log \
	  --deselect tests/conformance/test_rt_memory.py::test_host_cannot_touch_device_memory

# One environment with everything that the tests and the checks need. pip asks the package index only
# for what is not installed yet, so a rebuild needs no network; CMake compiles only what changed.
$(VENV)/built: $(VENV)/tools $(NATIVE)
	$(PIP) install --no-build-isolation -e '.[test]'
	$(BIN)/python -m compileall -q aclrt  # as pip does where it copies; no import has to
	touch $@

$(VENV)/tools: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install 'setuptools>=77' 'cffi>=2.0' 'cmake>=3.24' 'ninja>=1.10'
	touch $@
