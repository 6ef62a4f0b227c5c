# SPDX-License-Identifier: Apache-2.0
"""This installation of aclrt itself: its compiled part, its libraries, the packages it uses.

Each part is tried apart, so that the first broken one does not hide the others.
"""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Iterator
from importlib import import_module, metadata
from pathlib import Path
from typing import Any, Final

from .. import _elf

__all__ = ["missing_library", "package", "problems"]

_NEEDED: Final = ("numpy", "cffi")
_PACKAGES: Final = (*_NEEDED, "onnxruntime", "onnx", "ml_dtypes", "rich")
_HOME: Final = Path(__file__).resolve().parents[1]
_AGAIN: Final = "pip install --force-reinstall aclrt (in a checkout: make build)"
# Which product ships the libraries that are missed most.
_SHIPPED: Final = (
    (r"lib(ascend_hal|c_sec|mmpa|dcmi|drvdsmi\w*|dsmi)\w*\.so", "the NPU driver", "driver"),
    (r"libonnxruntime\S*\.so", 'onnxruntime (pip install "aclrt[onnx]")', "onnxruntime"),
    (r"libaclrt\.so", "aclrt", "aclrt"),
    (
        r"lib(ascendcl|acl_\w+|ge_\w+|graph\w*|runtime|msprof\w*|profapi|error_manager|hccl|"
        r"register|platform|opskernel\w*|aicpu\w*|tiling\w*|ascend_dump|slog|alog|unified_dlog)"
        r"\w*\.so",
        "CANN (toolkit or nnrt)",
        "cann",
    ),
)
_STEPS: Final = {
    "driver": "install the driver, or mount /usr/local/Ascend/driver into the container, and have "
    "/usr/local/Ascend/driver/lib64 and .../lib64/driver in LD_LIBRARY_PATH",
    "cann": "source the set_env.sh of the installed CANN (it sets LD_LIBRARY_PATH); if the file is "
    "not below its folder, install CANN again",
    "onnxruntime": 'pip install "aclrt[onnx]"',
    "aclrt": _AGAIN,
}


def package(home: Path | None = None) -> dict[str, Any]:
    """What is installed.

    Args:
        home: The folder of the package; None for this one.

    Returns:
        ``path``, ``extension`` and ``library`` (each with ``path`` and ``problem``), ``usable``
        (``import aclrt`` gives all names), ``error`` (why not) and ``versions``.
    """
    home = home or _HOME
    extension = next(iter(sorted(home.glob("_native*.so"))), None)
    library = home / "_lib/libaclrt.so"
    error = _import_error()
    return {
        "path": str(home),
        "extension": _file(extension or home / "_native.abi3.so"),
        "library": _file(library),
        "usable": error is None,
        "error": error,
        "versions": _versions(home),
    }


def _file(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {"path": str(path), "problem": "does not exist"}
    return {"path": str(path), "problem": _elf.problem(path) or None}


def _import_error() -> str | None:
    import aclrt

    broken = aclrt._unusable
    return None if broken is None else " ".join(str(broken).split())


def _versions(home: Path) -> dict[str, str | None]:
    own: str | None = None
    try:
        # Beside the library, as CMake wrote it; the distribution's number may be another's.
        text = (home / "_lib/pkgconfig/aclrt.pc").read_text("utf-8")
        match = re.search(r"^Version:\s*(\S+)", text, re.M)
        own = match[1] if match else None
    except OSError:
        own = _distribution("aclrt")
    found: dict[str, str | None] = {"aclrt": own, "python": platform.python_version()}
    found |= {name: _distribution(name) for name in _PACKAGES}
    found["platform"] = f"{platform.system()} {platform.release()} {platform.machine()}"
    return found


def _distribution(name: str) -> str | None:
    try:
        return metadata.version(name)
    except (metadata.PackageNotFoundError, OSError, ValueError):
        return None


def missing_library(text: str) -> tuple[str, str, str] | None:
    """A library that a loader's message misses.

    Args:
        text: Such as ``"libascend_hal.so: cannot open shared object file"``.

    Returns:
        Its name, who ships it, and the next step; None if the text misses none.
    """
    match = re.search(r"(\S+\.so[.\d]*): cannot open shared object file", text)
    if match is None:
        return None
    name = Path(match[1].strip("'\"(")).name
    for pattern, who, what in _SHIPPED:
        if re.match(pattern, name):
            return name, who, _STEPS[what]
    return name, "the system, or CANN", "find the package that ships it (apt-file search, ldd)"


def problems(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What is wrong with it, and the next step of each."""
    damaged = False
    for name in _NEEDED:
        try:
            import_module("_cffi_backend" if name == "cffi" else name)
        except Exception as error:  # a broken package may raise anything
            damaged = True
            words = " ".join(str(error).split())
            short = words if len(words) < 200 else f"{words[:197]}..."
            what = "is not installed" if found["versions"][name] is None else "cannot be imported"
            yield (
                f"{name} {what}: {short}",
                f"{sys.executable} -m pip install --force-reinstall {name}",
            )
    for part in ("extension", "library"):
        if found[part]["problem"]:
            damaged = True
            yield f"{found[part]['path']} {found[part]['problem']}", _AGAIN
    if not found["usable"] and not damaged and "_native" in _cause():
        missing = missing_library(found["error"] or "")
        if missing is not None:
            yield f"{missing[0]} is missing, which {missing[1]} ships", missing[2]
        else:
            yield found["error"], f"{_AGAIN}; {_libc()}"


def _cause() -> str:
    import aclrt

    return (aclrt._unusable.name or "") if aclrt._unusable is not None else ""


def _libc() -> str:
    name, version = platform.libc_ver()
    return (
        f"wheels need glibc 2.28 or later, and this is {name or 'another libc'} {version}".strip()
    )
