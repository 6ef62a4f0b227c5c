# SPDX-License-Identifier: Apache-2.0
"""The build backend: setuptools' own, which also asks for cmake and ninja where they are absent.

Distributions and developers who have them on PATH get no second copy from PyPI.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from typing import Any

from setuptools import build_meta
from setuptools.build_meta import (
    build_editable,
    build_sdist,
    build_wheel,
    get_requires_for_build_sdist,
    prepare_metadata_for_build_editable,
    prepare_metadata_for_build_wheel,
)

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]

# The same floors as csrc/CMakeLists.txt and csrc/CMakePresets.json.
TOOLS = {"cmake": (3, 24), "ninja": (1, 10)}


def tool_version(name: str) -> tuple[int, ...]:
    """The version of the program on PATH; () where there is none that runs."""
    path = shutil.which(name)
    if path is None:
        return ()
    try:
        reply = subprocess.run([path, "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ()
    found = re.search(r"\d+(?:\.\d+)+", reply.stdout)
    return tuple(int(part) for part in found.group().split(".")) if found else ()


def missing_tools() -> list[str]:
    """Requirements for the build programs that PATH lacks or has too old."""
    return [
        f"{name}>={'.'.join(map(str, floor))}"
        for name, floor in TOOLS.items()
        if tool_version(name) < floor
    ]


def _with_tools(hook: Callable[[Any], list[str]]) -> Callable[[Any], list[str]]:
    def requires(config_settings: Any = None) -> list[str]:
        return [*hook(config_settings), *missing_tools()]

    return requires


get_requires_for_build_wheel = _with_tools(build_meta.get_requires_for_build_wheel)
get_requires_for_build_editable = _with_tools(build_meta.get_requires_for_build_editable)
