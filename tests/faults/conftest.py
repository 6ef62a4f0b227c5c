# SPDX-License-Identifier: Apache-2.0
"""Tests in this folder reset the fake device and leave nothing armed."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

import aclrt
from aclrt.fake import faults


@pytest.fixture(autouse=True)
def clean_ledger() -> Iterator[None]:
    """In place of the common fixture: a fresh device before and after, nothing armed."""
    gc.collect()
    aclrt.fake.reset()
    yield
    faults.clear()
    gc.collect()
    aclrt.fake.reset()
