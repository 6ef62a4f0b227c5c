# SPDX-License-Identifier: Apache-2.0
"""Gates of speed hold by counts, never by time: calls, allocations, objects, threads inside."""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from process.conftest import child  # noqa: F401 - a fixture

import aclrt


def _calls_of(call: Callable[[], object], n: int = 20) -> dict[str, float]:
    """AscendCL calls by name, for one of n calls, after one that is not counted."""
    call()
    before = Counter(aclrt.fake.ledger()["calls"])
    for _ in range(n):
        call()
    made = Counter(aclrt.fake.ledger()["calls"]) - before
    return {name: count / n for name, count in made.items()}


@pytest.fixture
def calls_of() -> Callable[..., dict[str, float]]:
    """What one inference costs in AscendCL calls."""
    return _calls_of


@pytest.fixture(scope="session")
def heap_counter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library to preload, which counts the calls of the heap (``heap.c``)."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    assert compiler, "a C compiler is needed"
    library = tmp_path_factory.mktemp("heap") / "libheap.so"
    source = Path(__file__).with_name("heap.c")
    command = [
        compiler,
        "-O2",
        "-Wall",
        "-Werror",
        "-shared",
        "-fPIC",
        source,
        "-ldl",
        "-o",
        library,
    ]
    subprocess.run(command, check=True)
    return library
