# SPDX-License-Identifier: Apache-2.0
"""The fake device's own controls: what is alive on it, and a fresh start.

Each function chooses the backend if that has not happened yet, and fails with ``BackendError``
where it is not the fake.
"""

from __future__ import annotations

from typing import Any

from . import runtime
from ._ffi import ffi, lib, raise_for, take_string

__all__ = ["is_active", "ledger", "reset"]


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
    import json

    runtime.ensure()
    raw = ffi.new("char **")
    raise_for(lib.aclrt_fake_ledger(raw))
    ledger = json.loads(take_string(raw[0]))
    assert isinstance(ledger, dict)
    return ledger


def reset() -> None:
    """Frees every object on the fake device and clears its counters and errors.

    Raises:
        BackendError: The backend in use is not the fake.
        InputError: Models or devices are open.
    """
    runtime.ensure()
    raise_for(lib.aclrt_fake_reset())
