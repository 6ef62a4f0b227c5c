# SPDX-License-Identifier: Apache-2.0
"""The CANN installations on a machine, in the order in which libascendcl is looked for.

Every layout: a variable, the new and the old tree, nnrt, what pip and conda unpack. Files are
looked at and not loaded; what cannot be read is a finding.
"""

from __future__ import annotations

import os
import platform
import re
import site
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from .. import _elf

__all__ = ["VARIABLES", "installs", "is_dir", "shown", "text_of", "version_in"]

LIBRARY: Final = "libascendcl.so"
VARIABLES: Final = ("ASCEND_HOME_PATH", "ASCEND_TOOLKIT_HOME", "ASCEND_INSTALL_PATH")
# In the order of the search for libascendcl (csrc/acl/search.cpp).
_PRODUCTS: Final = (
    ("cann", "new"),
    ("ascend-toolkit/latest", "old"),
    ("nnrt/latest", "nnrt"),
    ("nnae/latest", "nnae"),
    ("acllib", "old"),
)


def is_dir(path: Path) -> bool:
    """Whether it is a folder; what may not be looked at is none."""
    return os.path.isdir(path)


def text_of(path: Path) -> str:
    """The file's text; ``""`` where it cannot be read."""
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""


def shown(path: Path, root: Path) -> str:
    """The path as programs on that machine see it."""
    try:
        return "/" + path.relative_to(root).as_posix()
    except ValueError:
        return str(path)


def version_in(folder: Path) -> str | None:
    """The version that an installation of driver, firmware or CANN states; None if none."""
    arch = f"{platform.machine()}-linux"
    names = (
        "version.info",
        "runtime/version.info",
        "version.cfg",
        "ascend_toolkit_install.info",
        f"{arch}/ascend_toolkit_install.info",
        "ascend_nnrt_install.info",
        f"{arch}/ascend_nnrt_install.info",
    )
    for name in names:
        found = re.search(
            r"^\s*(?:version|package_version|runtime_running_version)\s*=\s*\[?([\w.:-]+)",
            text_of(folder / name),
            re.I | re.M,
        )
        if found:
            return found[1].rsplit(":", 1)[-1]
    return None


def _places(root: Path, variables: Mapping[str, str]) -> Iterator[tuple[Path, str, str]]:
    """Folder, layout and how it came to be looked at."""
    for name in VARIABLES:
        if variables.get(name):
            yield _below(root, variables[name]), "variable", name
    bases = [root / "usr/local/Ascend"]
    if variables.get("HOME"):
        bases.append(_below(root, variables["HOME"]) / "Ascend")
    for base in bases:
        yield from _products(base)
    if os.path.realpath(root) == "/":
        for folder in dict.fromkeys([*site.getsitepackages(), sys.prefix]):
            yield from ((p, "pip", where) for p, _, where in _products(Path(folder) / "Ascend"))
    conda = variables.get("CONDA_PREFIX")
    if conda:
        prefix = _below(root, conda)
        yield prefix, "conda", "CONDA_PREFIX"
        yield from ((p, "conda", where) for p, _, where in _products(prefix / "Ascend"))


def _products(base: Path) -> Iterator[tuple[Path, str, str]]:
    for product, layout in _PRODUCTS:
        yield base / product, layout, "standard place"
    for pattern, layout in (("cann-*", "new"), ("ascend-toolkit/[0-9]*", "old")):
        for folder in sorted(base.glob(pattern), reverse=True):
            yield folder, layout, "another version"


def _below(root: Path, path: str) -> Path:
    return root / path.lstrip("/") if path.startswith("/") else Path(path)


def installs(root: Path, variables: Mapping[str, str]) -> list[dict[str, Any]]:
    """Every installation, in the order of the search.

    Args:
        root: The folder that stands for ``/``.
        variables: The environment.

    Returns:
        ``path``, ``layout``, ``source``, ``version``, ``library``, ``exists``, ``wins`` (the first
        with a library) and ``problem`` (why its library cannot be loaded; null if nothing shows).
    """
    found: list[dict[str, Any]] = []
    seen: set[str] = set()
    won = False
    for folder, layout, source in _places(root, variables):
        asked = source in VARIABLES
        place = os.path.realpath(folder)
        if place in seen or not (asked or is_dir(folder) or os.path.islink(folder)):
            continue
        seen.add(place)
        library, problem = _library(folder)
        if layout == "conda" and library is None and problem is None:
            continue  # any conda environment; it need not have CANN
        wins = not won and library is not None and source != "another version"
        won = won or wins
        found.append(
            {
                "path": shown(folder, root),
                "layout": layout,
                "source": source,
                "version": version_in(folder),
                "library": None if library is None else shown(library, root),
                "exists": is_dir(folder),
                "wins": wins,
                "problem": problem,
            }
        )
    return found


def _library(folder: Path) -> tuple[Path | None, str | None]:
    """The installation's libascendcl, and what is wrong with it."""
    dead = None
    for place in ("lib64", "runtime/lib64", f"{platform.machine()}-linux/lib64", "lib"):
        path = folder / place / LIBRARY
        if {"stub", "devlib"} & set(Path(os.path.realpath(path)).parts):
            continue
        if os.path.isfile(path):
            return path, _elf.problem(path) or None
        if os.path.islink(path):
            dead = dead or f"{place}/{LIBRARY} is a link that leads nowhere"
    if dead is None and is_dir(folder) and not os.access(folder, os.R_OK | os.X_OK):
        dead = "the folder may not be read"
    return None, dead
