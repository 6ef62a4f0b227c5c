# SPDX-License-Identifier: Apache-2.0
"""What the module has, by name: made from the prototypes, or by hand where they do not say all."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Any

from . import _abi, _functions, _messages, _special

# numpy's type numbers, which ptr_to_numpy takes and which tutorials give names to.
_NUMPY_TYPES = {
    "BOOL": 0,
    "BYTE": 1,
    "INT8": 1,
    "UBYTE": 2,
    "UINT8": 2,
    "SHORT": 3,
    "INT16": 3,
    "USHORT": 4,
    "UINT16": 4,
    "INT": 5,
    "INT32": 5,
    "UINT": 6,
    "UINT32": 6,
    "INT64": 7,
    "UINT64": 8,
    "FLOAT": 11,
    "FLOAT32": 11,
    "DOUBLE": 12,
    "FLOAT64": 12,
    "HALF": 23,
    "FLOAT16": 23,
}


def names(group: str | None) -> list[str]:
    """The names in a group (``""``: of the module itself); for None all, with their groups."""
    made = {name for name, row in _abi.prototypes().items() if _functions.is_convertible(row)}
    every = made | set(_special.FUNCTIONS)
    if group is None:
        return sorted(every)
    prefix = f"{group}." if group else ""
    inside = (name.removeprefix(prefix) for name in every if name.startswith(prefix))
    return sorted(name for name in inside if "." not in name)


def group(name: str) -> dict[str, Callable[..., Any]]:
    """The functions of a group by name, made at once.

    A script's ``__del__`` may call one when the interpreter is half gone and can make nothing.
    """
    found = {}
    for own in names(name):
        path = f"{name}.{own}" if name else own
        made = _special.FUNCTIONS.get(path) or _functions.make(_abi.prototypes()[path])
        made.__name__ = made.__qualname__ = own
        made.__module__ = f"acl.{name}" if name else "acl"
        found[own] = made
    return found


def missing(group: str, name: str) -> AttributeError:
    """An attribute that the module does not have."""
    path = f"acl.{group}.{name}" if group else f"acl.{name}"
    if group in ("media", "himpi"):
        return AttributeError(
            f"{path}: DVPP media is not supported by aclrt.compat.acl{_messages.before()}"
        )
    if group in ("op", "blas", "fv"):
        return AttributeError(
            f"{path}: single operators and retrieval are not supported by aclrt.compat.acl"
        )
    number = _NUMPY_TYPES.get(name.removeprefix("NPY_")) if name.startswith("NPY_") else None
    if number is not None:
        return AttributeError(
            f"{path}: pyACL has no constants; write numpy's type number, {number} for "
            f"{name.removeprefix('NPY_').lower()}: acl.util.ptr_to_numpy(ptr, shape, {number})"
            f"{_messages.before()}"
        )
    if name.isupper():
        return AttributeError(
            f"{path}: pyACL has no constants; define the number in the script "
            f"(ACL_MEM_MALLOC_HUGE_FIRST = 0, ACL_MEMCPY_HOST_TO_DEVICE = 1, ...)"
        )
    return AttributeError(f"{path}: pyACL has no such function{_did_you_mean(group, name)}")


def _did_you_mean(group: str, name: str) -> str:
    elsewhere = [found for found in names(None) if found.rpartition(".")[2] == name]
    if elsewhere:
        return f"; there is acl.{elsewhere[0]}"
    close = difflib.get_close_matches(name, names(group), n=1)
    return f"; did you mean {close[0]}?" if close else ""
