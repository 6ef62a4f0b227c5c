# SPDX-License-Identifier: Apache-2.0
"""Every public name is used by a test: Python's, and the C boundary's."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import aclrt
from aclrt import (
    bench,
    compare,
    compat,
    config,
    deployment,
    doctor,
    explain,
    fake,
    om,
    schemas,
    testing,
)
from aclrt.compat import acllite, ais_bench, mindx, onnxruntime

ROOT = Path(__file__).resolve().parents[2]
COMPAT = (compat, acllite, ais_bench, mindx, mindx.base, onnxruntime)


def used(*patterns: str) -> set[str]:
    """All words of the tests."""
    files = [path for pattern in patterns for path in (ROOT / "tests").glob(pattern)]
    assert files
    return {word for path in files for word in re.findall(r"\w+", path.read_text("utf-8"))}


def test_public_names_of_python() -> None:
    """Modules' names, and their classes' public attributes and methods."""
    names = set()
    for module in (
        aclrt,
        bench,
        compare,
        config,
        deployment,
        doctor,
        explain,
        fake,
        om,
        schemas,
        testing,
        *COMPAT,
    ):
        for name in module.__all__:
            names.add(name)
            value = getattr(module, name)
            if inspect.isclass(value) and value.__module__.startswith("aclrt"):
                names |= {member for member in vars(value) if not member.startswith("_")}
                names |= set(vars(value).get("__annotations__", {}))
    names = {name for name in names if not name.startswith("_") or name == "__version__"}
    words = used("unit/*.py", "process/*.py", "stateful/*.py", "compat/*.py")
    assert names - words == set()


def test_functions_of_the_c_boundary() -> None:
    """Each is called by a program of tests/cpp."""
    header = (ROOT / "csrc/include/aclrt/aclrt.h").read_text("utf-8")
    functions = set(re.findall(r"\b(aclrt_\w+)\(", header))
    assert {"aclrt_model_run", "aclrt_runtime_shutdown"} <= functions
    assert functions - used("cpp/*.cpp", "cpp/*.h") == set()
