# SPDX-License-Identifier: Apache-2.0
"""What a script is told when it does what pyACL cannot take: the mistake, and the right call."""

from __future__ import annotations

import operator
import threading
import warnings
from functools import cache
from typing import Any

from aclrt._ffi import lib, text

from . import _abi

_FROM_HOST = (
    "device = acl.rt.malloc(size, 0)[0], then acl.rt.memcpy(device, size, host, size, 1), where "
    "host is acl.util.bytes_to_ptr(data) of bytes or acl.util.numpy_to_ptr(array) of an array"
)


class _State(threading.local):
    failure: tuple[str, int] | None = None
    unread = ""  # messages that were shown, but that the script has not asked for yet


_state = _State()


def remember(name: str, code: int) -> None:
    """Keeps the last failing call of this thread, for scripts that look at no return code.

    A failed execution is shown at once: what the script reads afterwards is no result.
    """
    _state.failure = (name, code)
    if name.startswith("mdl.execute"):
        _state.unread = recent_message()
        warnings.warn(f"acl.{name} returned {_words(code, _state.unread)}", RuntimeWarning, 4)


@cache
def _code_names() -> dict[int, tuple[str, str]]:
    rows = (lib.aclrt_code_at(index) for index in range(lib.aclrt_code_count()))
    return {int(row.value): (text(row.name), text(row.meaning)) for row in rows}


def recent_message() -> str:
    """AscendCL's messages of this thread since they were last asked for."""
    shown, _state.unread = _state.unread, ""
    return _abi.string(_abi.pointer("get_recent_err_msg")()) + shown


def _words(code: int, reason: str) -> str:
    known = _code_names().get(code)
    words = f"{code} ({known[0]}: {known[1]})" if known else str(code)
    return f"{words}: {reason.strip()}" if reason.strip() else words


def before() -> str:
    """The sentence about a call that failed before and was not looked at; ``""`` if none did."""
    if _state.failure is None:
        return ""
    name, code = _state.failure
    return f"\nBefore that, acl.{name} had returned {_words(code, recent_message())}"


def count_error(name: str, labels: list[str], given: int, keywords: bool) -> TypeError:
    """The arguments are not those of the function."""
    if keywords:
        return TypeError(f"acl.{name}({', '.join(labels)}) takes no keyword arguments")
    wanted = f"exactly {len(labels)} argument{'' if len(labels) == 1 else 's'}"
    return TypeError(f"acl.{name}({', '.join(labels)}) takes {wanted} ({given} given)")


def as_int(name: str, position: int, label: str, value: Any) -> int:
    """An integer argument.

    Raises:
        TypeError: It is none.
    """
    if type(value) is int:
        return value
    try:
        return int(operator.index(value))
    except TypeError:
        raise TypeError(
            f"acl.{name}: argument {position} ({label}) must be int, not {type(value).__name__}"
        ) from None


def as_address(name: str, position: int, label: str, value: Any) -> int:
    """An argument that is an address or a handle.

    Raises:
        TypeError: It is none; bytes and arrays are told how to become one.
    """
    if type(value) is int:
        return value
    try:
        return int(operator.index(value))
    except TypeError:
        pass
    wanted = f"acl.{name}: argument {position} ({label}) must be int, an address"
    kind = type(value).__name__
    if isinstance(value, (bytes, bytearray, memoryview)) or hasattr(value, "__array_interface__"):
        hint = f"The bytes must be in device memory: {_FROM_HOST}."
        if label in ("src", "host_ptr", "model"):
            call = "bytes_to_ptr(data)" if isinstance(value, bytes) else "numpy_to_ptr(array)"
            hint = (
                f"acl.util.{call} gives the address; keep the object alive until the call is over."
            )
        raise TypeError(f"{wanted}, not {kind}. {hint}") from None
    if isinstance(value, tuple):
        raise TypeError(
            f"{wanted}, not a tuple: most functions of acl return (value, ret); unpack it"
        ) from None
    hint = "; the call that should have made it failed" if value is None else ""
    raise TypeError(f"{wanted}, not {kind}{hint}{before()}") from None
