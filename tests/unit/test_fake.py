# SPDX-License-Identifier: Apache-2.0
"""The fake device as Python sees it: its ledger and its reset."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import aclrt
from aclrt import config


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


def test_the_ledger_as_a_table(om_factory):
    """A line for each kind, and where what is alive was made."""
    with aclrt.OfflineModel(om_factory.identity()):
        table = aclrt.fake.ledger_text()
    assert "aclrt fake device" in table
    assert "model, " in table
    assert "made by" in table


def test_a_fault_is_armed_inside_its_block(om_factory):
    """``fault`` and ``faults`` (tests/faults has the rest)."""
    try:
        with (
            aclrt.fake.fault(function="aclmdlLoadFromMem", code=507899),
            pytest.raises(aclrt.ModelLoadError),
        ):
            aclrt.OfflineModel(om_factory.identity())
        assert "aclmdlLoadFromMem" == aclrt.fake.faults.fired()[-1]["function"]
    finally:
        aclrt.fake.faults.clear()


def test_the_table_of_checks_and_their_mode():
    """``check_table`` and ``set_checks``; an unknown mode is refused."""
    table = aclrt.fake.check_table()
    assert {"id", "severity", "code", "title", "remedy"} == set(table[0])
    assert len(table) == len({row["id"] for row in table})
    before = aclrt.fake.set_checks("warn")
    try:
        assert "warn" == aclrt.fake.set_checks("error")
        with pytest.raises(aclrt.InputError):
            aclrt.fake.set_checks("loud")
    finally:
        aclrt.fake.set_checks(before)


def test_the_drop_in_folders_exist():
    """``get_fake_library_dir`` holds libascendcl.so, ``get_fake_include`` acl/acl.h."""
    assert (Path(config.get_fake_library_dir()) / "libascendcl.so").is_file()
    assert (Path(config.get_fake_include()) / "acl" / "acl.h").is_file()
