# SPDX-License-Identifier: Apache-2.0
"""Which libascendcl is in use, and why.

The library initialises itself once per process, at the first model, device or question. This
module hands it what only Python knows (where packages are installed) and announces the fake.
"""

from __future__ import annotations

import os
import sys
import warnings
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ._ffi import ffi, lib, raise_for, take_string, text

__all__ = ["RuntimeInfo", "runtime_info", "search", "version"]


@dataclass(frozen=True)
class RuntimeInfo:
    """The backend in use.

    Attributes:
        backend: ``"npu"`` or ``"fake"``.
        library: Absolute path of the libascendcl in use.
        reason: One sentence: why this one.
        trail: Every place looked at, as ``"<place>: <outcome>"``.
        soc_name: Device 0's chip, ``"Ascend310P3"``; ``""`` where unknown.
        is_default: The fake was taken because nothing was asked for and nothing else was found.
        is_adopted: Somebody else in this process had initialised AscendCL.
        acl_version: Major, minor, patch; None where the library cannot tell.
        device_count: Devices visible to this process.
        version: The version of aclrt's own library.
    """

    backend: str
    library: str
    reason: str
    trail: tuple[str, ...]
    soc_name: str
    is_default: bool
    is_adopted: bool
    acl_version: tuple[int, int, int] | None
    device_count: int
    version: str

    @property
    def is_fake(self) -> bool:
        """Whether the devices are the fake's."""
        return self.backend == "fake"


def version() -> str:
    """The version of aclrt, as its library says."""
    return text(lib.aclrt_version())


@cache
def _prefixes() -> bytes:
    # CANN's wheels unpack beside this package, its conda packages below the environment.
    packages = [Path(__file__).parent.parent, Path(np.__file__).parent.parent]
    roots = [*map(str, packages), os.environ.get("CONDA_PREFIX", ""), sys.prefix]
    return b":".join(os.fsencode(root) for root in dict.fromkeys(roots) if root)


@cache
def _onnxruntime() -> bytes:
    """The shared library of the installed onnxruntime, which is not imported; b"" if none."""
    from importlib.util import find_spec

    try:
        spec = find_spec("onnxruntime")
    except (ImportError, ValueError):
        return b""
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        found = sorted(Path(folder, "capi").glob("libonnxruntime.so*"))
        if found:
            return os.fsencode(found[0])
    return b""


def find_onnxruntime() -> str:
    """The shared library of the installed onnxruntime, ``""`` if none; the answer is kept."""
    return os.fsdecode(_onnxruntime())


def _options(backend: str | None, acl_config: str | None = None) -> tuple[Any, list[Any]]:
    """An aclrt_runtime_options_t*, and the strings that it points to (the caller keeps both)."""
    options = ffi.new("aclrt_runtime_options_t *")
    options.struct_size = ffi.sizeof("aclrt_runtime_options_t")
    keep: list[Any] = []

    def string(value: bytes) -> Any:
        keep.append(ffi.new("char[]", value))
        return keep[-1]

    if backend is not None:
        options.backend = string(os.fsencode(backend))
    if acl_config is not None:
        options.acl_config = string(os.fsencode(acl_config))
    options.prefixes = string(_prefixes())
    # An option beats the environment, so it is not set where the environment speaks.
    if not os.environ.get("ACLRT_FAKE_ONNXRUNTIME") and _onnxruntime():
        options.onnxruntime = string(_onnxruntime())
    return options, keep


_unannounced = [True]


def load() -> None:
    """Chooses and loads libascendcl without initialising it; announces the fake as ``ensure`` does.

    Raises:
        BackendError: No usable libascendcl.
        ForkedProcessError: This is a child of the process that initialised.
        ClosedError: The process is exiting.
    """
    options, keep = _options(None)
    is_default = ffi.new("int32_t *")
    raise_for(lib.aclrt_runtime_load(options, is_default))
    del keep
    if _unannounced:
        _announce(bool(is_default[0]), stacklevel=6)  # past load_once, pointer and the call


def _announce(is_default: bool, stacklevel: int) -> None:
    try:
        _unannounced.pop()
    except IndexError:  # another thread was first
        return
    if is_default:
        warnings.warn(
            "no CANN was found: models run on aclrt's fake device, on the CPU "
            '(ask for it with backend="fake" or ACLRT_BACKEND=fake to silence this; '
            "`aclrt doctor` shows where CANN was looked for)",
            RuntimeWarning,
            stacklevel=stacklevel,
        )


def ensure(backend: str | None = None, acl_config: str | None = None) -> None:
    """Initialises if needed, with a RuntimeWarning (once) if the fake was taken by default.

    Call it from a public function directly: the warning points at that function's caller.

    Raises:
        BackendError: No usable libascendcl, another backend than ``backend`` is in use, or AscendCL
            is initialised without ``acl_config``.
        ForkedProcessError: This is a child of the process that initialised.
        ClosedError: The process is exiting.
    """
    options, keep = _options(backend, acl_config)
    raise_for(lib.aclrt_runtime_init(options))
    del keep
    if _unannounced:
        _announce(_info().is_default, stacklevel=4)


def _info() -> RuntimeInfo:
    raw = ffi.new("aclrt_runtime_info_t *")
    raise_for(lib.aclrt_runtime_info(raw))
    acl_version = (int(raw.acl_version[0]), int(raw.acl_version[1]), int(raw.acl_version[2]))
    return RuntimeInfo(
        backend=text(raw.backend),
        library=text(raw.library),
        reason=text(raw.reason),
        trail=tuple(text(raw.trail).splitlines()),
        soc_name=text(raw.soc_name),
        is_default=bool(raw.is_default),
        is_adopted=bool(raw.is_adopted),
        acl_version=None if acl_version[0] < 0 else acl_version,
        device_count=int(raw.device_count),
        version=version(),
    )


def runtime_info(*, backend: str | None = None) -> RuntimeInfo:
    """The backend in use; it is chosen and initialised if that has not happened yet.

    Args:
        backend: ``"auto"``, ``"npu"`` or ``"fake"``; None for ``$ACLRT_BACKEND``, else auto.

    Returns:
        A snapshot.

    Raises:
        BackendError: No usable libascendcl, or another backend than ``backend`` is in use.
        AclError: AscendCL cannot be initialised.
    """
    ensure(backend)
    return _info()


def search(*, backend: str | None = None) -> tuple[str, ...]:
    """The places where libascendcl is looked for and what was found there; loads nothing.

    Args:
        backend: As for ``runtime_info``.

    Returns:
        ``"<place>: <outcome>"``, in the order of the search.

    Raises:
        BackendError: ``backend`` is no backend.
    """
    options, keep = _options(backend)
    trail = ffi.new("char **")
    raise_for(lib.aclrt_runtime_search(options, trail))
    del keep
    return tuple(take_string(trail[0]).splitlines())
