# SPDX-License-Identifier: Apache-2.0
"""The fake device as Python sees it: its ledger and its reset."""

from __future__ import annotations

import json

import numpy as np
import pytest

import aclrt


def test_it_is_active():
    """The tests run on it."""
    assert aclrt.fake.is_active() is True


def test_the_ledger_counts_objects_and_calls(om_factory):
    """A loaded model shows up by kind, its calls by name; the snapshot is plain data."""
    before = aclrt.fake.ledger()
    with aclrt.OfflineModel(om_factory.identity()) as model:
        model(np.zeros((2, 3), "f4"))
        inside = aclrt.fake.ledger()
    after = aclrt.fake.ledger()
    assert before["objects"]["model"]["live"] + 1 == inside["objects"]["model"]["live"]
    assert before["objects"]["model"]["live"] == after["objects"]["model"]["live"]
    assert inside["objects"]["device_memory"]["live_bytes"] > 0
    assert inside["calls"]["aclmdlExecute"] == before["calls"].get("aclmdlExecute", 0) + 1
    assert 0 == after["guards_damaged"]
    assert after == json.loads(json.dumps(after))
    inside.clear()
    assert aclrt.fake.ledger()


def test_reset_is_refused_while_something_is_open(om_factory):
    """It would pull the device from under a model."""
    with aclrt.OfflineModel(om_factory.identity()), pytest.raises(aclrt.InputError):
        aclrt.fake.reset()
    with aclrt.Device(0), pytest.raises(aclrt.InputError):
        aclrt.fake.reset()


def test_reset_clears_the_counters(om_factory):
    """Afterwards everything starts anew, and works."""
    with aclrt.OfflineModel(om_factory.identity()) as model:
        model(np.zeros((2, 3), "f4"))
    aclrt.fake.reset()
    ledger = aclrt.fake.ledger()
    assert 0 == ledger["live"]
    assert "aclmdlExecute" not in ledger["calls"]
    with aclrt.OfflineModel(om_factory.identity()) as model:
        np.testing.assert_array_equal(1, model(np.ones((2, 3), "f4"))[0])
