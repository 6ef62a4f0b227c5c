# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the conformance tests: a library that is initialised, and left clean."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from conformance import acl


@pytest.fixture(autouse=True)
def clean_ledger() -> Iterator[None]:
    """Every test starts on a device as after loading, and frees what it made."""
    lib = acl.library()
    if lib.is_fake:
        lib.aclfake_reset()
    yield
    if lib.is_fake:
        left = {kind: n for kind, n in lib.live().items() if kind != "context"}
        lib.aclfake_reset()
        assert left == {}


@pytest.fixture
def raw() -> acl.Library:
    """The library before aclInit."""
    return acl.library()


@pytest.fixture
def lib(raw: acl.Library) -> Iterator[acl.Library]:
    """The library after aclInit and aclrtSetDevice(0)."""
    assert raw.aclInit(None) == 0
    assert raw.aclrtSetDevice(0) == 0
    yield raw
    assert raw.aclrtResetDevice(0) == 0
    assert raw.aclFinalize() == 0
