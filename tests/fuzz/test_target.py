# SPDX-License-Identifier: Apache-2.0
"""The fuzz targets are what libFuzzer links: any compiler's objects have its entry point."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TARGETS = sorted((ROOT / "tests/fuzz").glob("*_fuzz.cpp"))


def test_there_are_targets():
    """The CMake file globs for them."""
    assert TARGETS


@pytest.mark.parametrize("source", TARGETS, ids=lambda path: path.stem)
def test_the_entry_point_is_exported(source, tmp_path):
    """A global C symbol with libFuzzer's name, and no main of its own."""
    compiler, nm = shutil.which("c++"), shutil.which("nm")
    assert compiler, "the package itself is built with a compiler"
    assert nm, "binutils come with it"
    target = tmp_path / "target.o"
    include = f"-I{ROOT / 'csrc'}"
    flags = ["-std=c++17", "-fvisibility=hidden", include, "-c", source, "-o", target]
    subprocess.run([compiler, *flags], check=True)
    listed = subprocess.run([nm, "--defined-only", "--extern-only", target], capture_output=True)
    symbols = {line.split()[-1]: line.split()[-2] for line in listed.stdout.decode().splitlines()}
    assert "T" == symbols["LLVMFuzzerTestOneInput"]
    assert "main" not in symbols


def test_libfuzzer_wants_clang():
    """The option and the preset exist; another compiler is refused by name."""
    rules = (ROOT / "tests/fuzz/CMakeLists.txt").read_text("utf-8")
    assert "ACLRT_LIBFUZZER needs clang" in rules
    assert '"name": "libfuzzer"' in (ROOT / "csrc/CMakePresets.json").read_text("utf-8")
    assert "-fsanitize=fuzzer" in rules
