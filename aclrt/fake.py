# SPDX-License-Identifier: Apache-2.0
"""The fake device's own controls: what is alive on it, faults to come, and a fresh start.

Each function chooses the backend if that has not happened yet, and fails with ``BackendError``
where it is not the fake.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import _faults as faults
from . import runtime
from ._faults import fault, read_ledger
from ._ffi import ffi, lib, raise_for, take_string

if TYPE_CHECKING:
    from ._replay import Replay, replay

__all__ = [
    "Replay",
    "check_table",
    "checks",
    "fault",
    "faults",
    "is_active",
    "ledger",
    "ledger_text",
    "profile",
    "replay",
    "reset",
    "set_checks",
    "trace",
]


def __getattr__(name: str) -> Any:
    if name in ("Replay", "replay"):  # which need what takes long to import
        from . import _replay

        return getattr(_replay, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


_CHECK_MODES = ("error", "warn", "abort")


def is_active() -> bool:
    """Whether this process runs on the fake device.

    Raises:
        BackendError: No usable libascendcl.
    """
    runtime.ensure()
    return runtime.runtime_info().is_fake


def ledger() -> dict[str, Any]:
    """Every object and byte that is alive on the fake device, by kind.

    Returns:
        The ledger (``docs/fake.md`` describes its fields); a snapshot, yours to keep.

    Raises:
        BackendError: The backend in use is not the fake.
    """
    runtime.ensure()
    return read_ledger()


def ledger_text() -> str:
    """The ledger as a table: counts by kind, where live objects were made, faults that fired.

    Returns:
        Lines of text.

    Raises:
        BackendError: The backend in use is not the fake.
    """
    runtime.ensure()
    raw = ffi.new("char **")
    raise_for(lib.aclrt_fake_ledger_text(raw))
    return take_string(raw[0])


def profile() -> dict[str, Any]:
    """The board that the fake device plays, with what the environment changes in it.

    Returns:
        The profile's values (``docs/fake.md`` describes them).

    Raises:
        BackendError: The backend in use is not the fake.
    """
    values = _document(lib.aclrt_fake_profile)
    assert isinstance(values, dict)
    return values


def trace() -> list[dict[str, Any]]:
    """What the deterministic scheduler (``ACLRT_FAKE_SEED``) has done, in order of beginning.

    Returns:
        One dict for each piece of work: ``begin_us``, ``end_us``, ``device``, ``engine``,
        ``stream``, ``task``, ``n``. Empty where the clock is real.

    Raises:
        BackendError: The backend in use is not the fake.
    """
    entries = _document(lib.aclrt_fake_trace)["entries"]
    assert isinstance(entries, list)
    return entries


def _document(write: Any) -> Any:
    import json

    runtime.ensure()
    raw = ffi.new("char **")
    raise_for(write(raw))
    return json.loads(take_string(raw[0]))


def checks() -> dict[str, int]:
    """How often each misuse check has fired since the last reset.

    Returns:
        Count by ID (``"ACLFAKE-MEM-03"``); checks that have not fired are left out.

    Raises:
        BackendError: The backend in use is not the fake.
    """
    return {check: row["count"] for check, row in ledger()["checks"].items()}


def check_table() -> list[dict[str, str]]:
    """All misuse checks, as in ``docs/checks.md``.

    Returns:
        One dict for each: ``id``, ``severity`` (error, notice, hint), ``code``, ``title``,
        ``remedy``.

    Raises:
        BackendError: The backend in use is not the fake.
    """
    table = _document(lib.aclrt_fake_check_table)
    assert isinstance(table, list)
    return table


def set_checks(mode: str) -> str:
    """Chooses what a misuse check does when it fires, as ``ACLRT_FAKE_CHECKS`` does.

    Args:
        mode: ``"error"`` (code and message), ``"warn"`` (also a line on stderr) or ``"abort"``.

    Returns:
        The mode until now.

    Raises:
        BackendError: The backend in use is not the fake.
        InputError: There is no such mode.
    """
    runtime.ensure()
    before = ffi.new("int32_t *")
    number = _CHECK_MODES.index(mode) if mode in _CHECK_MODES else -1
    raise_for(lib.aclrt_fake_set_checks(number, before))
    return _CHECK_MODES[before[0]]


def reset() -> None:
    """Frees every object on the fake device and clears its counters, errors and faults.

    Raises:
        BackendError: The backend in use is not the fake.
        InputError: Models or devices are open.
    """
    runtime.ensure()
    raise_for(lib.aclrt_fake_reset())
