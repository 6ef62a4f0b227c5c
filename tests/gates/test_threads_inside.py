# SPDX-License-Identifier: Apache-2.0
"""The GIL is free while a model runs: threads are inside AscendCL at the same moment."""

from __future__ import annotations


def test_two_threads_are_inside_execute_at_once(child):
    """Two models on two devices hang in aclmdlExecute, and it is this Python thread that sees both
    there. Ended by disarming: nothing here depends on time."""
    child(
        """
        devices = [load(device_id=i) for i in range(2)]
        fault = aclrt.fake.faults.arm(
            function="aclmdlExecute", action="hang", ms=600_000, persistent=True
        )
        threads = [threading.Thread(target=m, args=(X,)) for m in devices]
        for t in threads: t.start()
        while len(inside := {site["thread"] for site in aclrt.fake.faults.fired()}) < 2:
            pass
        assert threading.get_native_id() not in inside
        aclrt.fake.faults.disarm(fault)
        for t in threads: t.join()
        """,
        env={"ACLRT_FAKE_DEVICES": "2"},
    ).assert_clean()


def test_python_runs_while_a_device_is_loading(child):
    """A slow load holds no other thread up."""
    child(
        """
        fault = aclrt.fake.faults.arm(group="load", action="hang", ms=600_000, persistent=True)
        loaded = []
        t = threading.Thread(target=lambda: loaded.append(load()))
        t.start()
        while not aclrt.fake.faults.fired():
            pass
        assert not loaded
        aclrt.fake.faults.disarm(fault)
        t.join()
        assert loaded
        """
    ).assert_clean()


def test_copies_of_two_devices_overlap(child):
    """The same for a copy: each device's thread waits in aclrtMemcpy, and Python goes on."""
    child(
        """
        models = [load(device_id=i) for i in range(2)]
        fault = aclrt.fake.faults.arm(
            function="aclrtMemcpy", action="hang", ms=600_000, persistent=True
        )
        threads = [threading.Thread(target=m, args=(X,)) for m in models]
        for t in threads: t.start()
        while len(aclrt.fake.faults.fired()) < 2:
            pass
        aclrt.fake.faults.disarm(fault)
        for t in threads: t.join()
        """,
        env={"ACLRT_FAKE_DEVICES": "2"},
    ).assert_clean()
