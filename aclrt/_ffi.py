# SPDX-License-Identifier: Apache-2.0
"""The C boundary: the only importer of the compiled extension ``aclrt._native``.

Everything else takes ``ffi`` and ``lib`` from here, and turns statuses into exceptions with
``raise_for``. Importing registers the one exit hook; nothing foreign is loaded by it.
"""

from __future__ import annotations

import atexit
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from . import _elf
from .errors import error_for


def _refuse_sub_interpreter() -> None:
    # The shim and NumPy keep one state per process: a second interpreter would share handles
    # with the first and free them at its own end.
    module = "_interpreters" if sys.version_info >= (3, 13) else "_xxsubinterpreters"
    try:
        current = import_module(module).get_current()
    except ImportError:
        return
    if int(current[0] if isinstance(current, tuple) else current) != 0:
        raise ImportError(
            "aclrt does not support sub-interpreters: import it in the main one", name="aclrt"
        )


_refuse_sub_interpreter()


def _refuse_broken_files() -> None:
    # The loader would take the process with it, and aclrt doctor too.
    home = Path(__file__).parent
    for path in (*home.glob("_native*.so"), home / "_lib/libaclrt.so"):
        why = _elf.problem(path) if path.exists() else "does not exist"
        if why:
            raise ImportError(f"{path} {why}")


try:
    _refuse_broken_files()
    from ._native import ffi, lib
except ImportError as error:
    raise ImportError(
        f"the compiled part of aclrt cannot be loaded ({error}); `aclrt doctor` tells what to do",
        name="aclrt._native",
    ) from error

__all__ = ["ffi", "lib", "out_of_cycles", "raise_for", "take_string", "text"]

atexit.register(lib.aclrt_runtime_shutdown)


def out_of_cycles(handle: Any) -> Any:
    """What the owner of a handle keeps besides it.

    The collector releases the handles of a cycle in any order, so that a ``__del__`` in the same
    cycle would use one that is gone. It does not look into arrays: held by one, a handle is
    released with its owner, after all of these.
    """
    from numpy import empty  # not before sub-interpreters are refused

    holder = empty((), object)
    holder[()] = handle
    return holder


def text(pointer: Any) -> str:
    """The UTF-8 of a C string; ``""`` for NULL. Bytes that are not UTF-8 come as surrogates."""
    if not pointer:
        return ""
    raw: bytes = ffi.string(pointer)
    return raw.decode("utf-8", "surrogateescape")


def take_string(pointer: Any) -> str:
    """The text of a string that the caller owns; it is released."""
    try:
        return text(pointer)
    finally:
        lib.aclrt_string_release(pointer)


def raise_for(status: Any, *filenames: str) -> None:
    """Releases a status and raises what it says.

    Args:
        status: What a function of aclrt.h returned; NULL is success.
        *filenames: The files that the caller named, for ``OSError.filename``.

    Raises:
        AclrtError: The class that belongs to the status' kind.
        OSError: The operating system refused.
        MemoryError: Out of host memory.
    """
    if not status:
        return
    try:
        error = lib.aclrt_status_error(status)
        exception = error_for(
            int(error.kind),
            text(error.message),
            code=int(error.code),
            name=text(error.name),
            call=text(error.call),
            detail=text(error.detail),
            hint=text(error.hint),
            filenames=filenames,
        )
    finally:
        lib.aclrt_status_release(status)
    raise exception
