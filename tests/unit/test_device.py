# SPDX-License-Identifier: Apache-2.0
"""Devices: listing, describing, keeping one warm."""

from __future__ import annotations

import numpy as np
import pytest

import aclrt


def test_devices_are_listed():
    """There is at least the fake's first one, and none is kept open by listing."""
    devices = aclrt.devices()
    assert list(range(len(devices))) == [device.id for device in devices]
    assert len(devices) == aclrt.runtime_info().device_count
    assert not any(device.is_open for device in devices)


def test_a_device_says_what_it_is():
    """Chip, memory, backend."""
    device = aclrt.Device(0)
    assert device.soc_name.startswith("Ascend")
    assert "fake" == device.backend
    assert device.is_fake
    free, total = device.memory
    assert 0 < free <= total
    assert total == device.memory.total
    assert f"Device(0, soc_name={device.soc_name!r}, backend='fake')" == repr(device)


def test_equal_ids_are_equal_devices():
    """Devices compare and hash by id."""
    assert aclrt.Device(0) == aclrt.Device(0)
    assert 1 == len({aclrt.Device(0), aclrt.Device(0)})
    assert aclrt.Device(0) != 0


def test_a_block_keeps_the_device_open(om_factory, live_objects):
    """Models come and go, the device stays until the end of the block."""
    before = live_objects()
    with aclrt.Device(0) as device:
        assert device.is_open
        warm = live_objects()
        with aclrt.OfflineModel(om_factory.identity()) as model:
            np.testing.assert_array_equal(0, model(np.zeros((2, 3), "f4"))[0])
        assert warm == live_objects()
        device.open()
        assert device.memory.total
    assert not device.is_open
    assert before == live_objects()
    device.close()
    with device:
        assert device.is_open


def test_closing_the_device_does_not_disturb_a_model(om_factory):
    """The model holds the device itself."""
    with aclrt.Device(0) as device, aclrt.OfflineModel(om_factory.identity()) as model:
        device.close()
        np.testing.assert_array_equal(0, model(np.zeros((2, 3), "f4"))[0])


def test_a_dropped_device_is_released(live_objects):
    """Without close(), the last reference gives it back."""
    before = live_objects()
    device = aclrt.Device(0)
    device.open()
    del device
    assert before == live_objects()


@pytest.mark.parametrize("device_id", [-1, 4096])
def test_no_such_device(device_id):
    """The id is named."""
    with pytest.raises(aclrt.DeviceError, match=str(device_id)):
        aclrt.Device(device_id)


@pytest.mark.parametrize("device_id", ["0", None, 1.0])
def test_an_id_is_an_integer(device_id):
    """Nothing is converted."""
    with pytest.raises(aclrt.InputError, match="must be an integer"):
        aclrt.Device(device_id)


def test_numpy_integers_are_integers():
    """As everywhere in Python."""
    assert 0 == aclrt.Device(np.int64(0)).id


def test_memory_of_a_model_is_counted(om_factory):
    """A loaded model makes free memory less."""
    with aclrt.Device(0) as device:
        before = device.memory.free
        with aclrt.OfflineModel(om_factory.identity("float32", (1024, 1024))):
            assert device.memory.free < before
        assert before == device.memory.free
