# SPDX-License-Identifier: Apache-2.0
"""Faults of the fake device: calls that fail, hang or lose their device, armed from Python.

Public as ``aclrt.fake.faults``. Arming loads the fake but does not initialise it, so the first
call that a fault meets may be the initialisation.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ._ffi import ffi, lib, raise_for, take_string
from .errors import InputError

__all__ = ["arm", "clear", "disarm", "fault", "fired", "lose_device", "set_memory_limit"]

_ACTIONS = {"fail": 0, "lose-device": 1, "hang": 2}


def arm(
    *,
    function: str | None = None,
    group: str | None = None,
    thread: int | None = None,
    nth: int = 1,
    code: int = 0,
    persistent: bool = False,
    after: bool = False,
    action: str = "fail",
    ms: int = 0,
) -> int:
    """Arms a fault: the nth call that fits will fail. Several may be armed at once.

    Args:
        function: Only calls of this AscendCL function.
        group: Only calls of this group of functions (``docs/fake.md`` lists them).
        thread: Only calls by this thread (``threading.get_native_id()``).
        nth: Which of these calls, counted from now, from 1.
        code: The AscendCL code that the call reports.
        persistent: Whether all later calls that fit fail too, instead of one.
        after: Whether the call does its work and then reports failure, instead of doing nothing.
        action: ``"fail"``; ``"lose-device"``: all later calls on the thread's device fail too,
            until it is reset; ``"hang"``: the call, or the work that it queues, takes longer.
        ms: How much longer, in milliseconds.

    Returns:
        The fault's number, for ``disarm``.

    Raises:
        InputError: The fault makes no sense; the message says why.
        BackendError: The backend in use is not the fake.
    """
    if action not in _ACTIONS:
        raise InputError(f"action is {action!r}; it can be {', '.join(_ACTIONS)}")
    if nth < 1:
        raise InputError(f"nth is {nth}; the first call is 1")
    raw = ffi.new("aclrt_fake_fault_t *")
    raw.struct_size = ffi.sizeof("aclrt_fake_fault_t")
    keep: list[Any] = []
    for field, value in (("function", function), ("group", group)):
        if value is not None:
            keep.append(ffi.new("char[]", value.encode()))
            setattr(raw, field, keep[-1])
    raw.thread = thread or 0
    raw.nth, raw.code = nth, code
    raw.persistent, raw.after = persistent, after
    raw.action, raw.hang_ms = _ACTIONS[action], ms
    number = ffi.new("uint64_t *")
    raise_for(lib.aclrt_fake_fault_arm(raw, number))
    return int(number[0])


def disarm(number: int = 0) -> None:
    """Disarms one fault, or all. What has fired stays in the ledger; hangs end.

    Args:
        number: What ``arm`` returned; 0 for all.

    Raises:
        BackendError: The backend in use is not the fake.
    """
    raise_for(lib.aclrt_fake_fault_disarm(number))


def clear() -> None:
    """Disarms all faults, forgets what has fired, brings devices back and lifts memory limits.

    Raises:
        BackendError: The backend in use is not the fake.
    """
    raise_for(lib.aclrt_fake_faults_clear())


def fired() -> list[dict[str, Any]]:
    """The calls that faults have struck since the last ``clear``, oldest first, 256 at most.

    Returns:
        ``faults.fired`` of the ledger: each with ``fault``, ``function``, ``call``, ``n``,
        ``thread``, ``code``, ``when``, ``action`` and ``ms``.

    Raises:
        BackendError: The backend in use is not the fake.
    """
    sites: list[dict[str, Any]] = read_ledger()["faults"]["fired"]
    return sites


def lose_device(device_id: int = 0, *, code: int = 0) -> None:
    """Loses a device at once: calls on it and queued work fail until it is reset.

    Args:
        device_id: The device.
        code: What they report; 0 for 507010, the lost heartbeat.

    Raises:
        DeviceError: There is no such device.
        BackendError: The backend in use is not the fake.
    """
    raise_for(lib.aclrt_fake_lose_device(device_id, code))


def set_memory_limit(nbytes: int, *, device_id: int | None = None) -> None:
    """Limits what may be allocated on a device; allocations beyond fail with 207001.

    Args:
        nbytes: Bytes; 0 lifts the limit.
        device_id: One device; None for each.

    Raises:
        BackendError: The backend in use is not the fake.
    """
    raise_for(lib.aclrt_fake_set_memory_limit(-1 if device_id is None else device_id, nbytes))


def read_ledger() -> dict[str, Any]:
    """The fake's ledger; initialises nothing.

    Raises:
        BackendError: The backend in use is not the fake.
    """
    import json

    raw = ffi.new("char **")
    raise_for(lib.aclrt_fake_ledger(raw))
    ledger = json.loads(take_string(raw[0]))
    assert isinstance(ledger, dict)
    return ledger


@contextmanager
def fault(**what: Any) -> Iterator[int]:
    """A fault that is armed inside a ``with`` block: ``with fault(function=..., code=...):``.

    Args:
        **what: As for ``arm``.

    Yields:
        The fault's number.

    Raises:
        InputError: The fault makes no sense; the message says why.
        BackendError: The backend in use is not the fake.
    """
    number = arm(**what)
    try:
        yield number
    finally:
        disarm(number)
