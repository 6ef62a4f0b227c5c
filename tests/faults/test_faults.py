# SPDX-License-Identifier: Apache-2.0
"""Faults themselves: armed from C, from the environment and from Python; the ledger of them."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conformance import acl

import aclrt
from aclrt.fake import fault, faults

OOM, LOST, DRIVER = 207001, 507010, 507899
STREAM_TIMEOUT, EVENT_TIMEOUT = 507046, 507047


class CFault(ctypes.Structure):
    """aclfake_fault_t."""

    _fields_ = [
        ("struct_size", ctypes.c_size_t),
        ("function", ctypes.c_char_p),
        ("group", ctypes.c_char_p),
        ("thread", ctypes.c_int64),
        ("nth", ctypes.c_uint64),
        ("code", ctypes.c_int32),
        ("persistent", ctypes.c_int32),
        ("after", ctypes.c_int32),
        ("action", ctypes.c_int32),
        ("hang_ms", ctypes.c_int64),
    ]


class Armed:
    """The C functions of aclfake.h on the conformance tests' copy of the fake."""

    def __init__(self, lib: acl.Library) -> None:
        self.lib = lib
        lib.aclfake_fault_arm.restype = ctypes.c_uint64
        lib.aclfake_fault_disarm.argtypes = [ctypes.c_uint64]
        lib.aclfake_fault_disarm.restype = ctypes.c_size_t
        lib.aclfake_faults_clear.restype = None
        lib.aclfake_set_memory_limit.argtypes = [ctypes.c_int32, ctypes.c_uint64]
        lib.aclfake_set_memory_limit.restype = None
        lib.aclfake_ledger_text.restype = ctypes.c_size_t
        lib.aclfake_ledger_text.argtypes = [ctypes.c_void_p, ctypes.c_size_t]

    def __call__(self, **fields: Any) -> int:
        """Arms; 0 if refused."""
        return int(
            self.lib.aclfake_fault_arm(ctypes.byref(CFault(ctypes.sizeof(CFault), **fields)))
        )

    def ledger(self) -> dict[str, Any]:
        """Of faults."""
        return dict(self.lib.ledger()["faults"])

    def fired(self) -> list[tuple[str, int, int, str]]:
        """(function, n, code, when) of what fired."""
        return [(s["function"], s["n"], s["code"], s["when"]) for s in self.ledger()["fired"]]


@pytest.fixture
def lib() -> Iterator[acl.Library]:
    """The C ABI, initialised, device 0 set; all is undone."""
    library = acl.library()
    library.aclfake_reset()
    assert library.aclInit(None) == 0
    assert library.aclrtSetDevice(0) == 0
    yield library
    library.aclfake_faults_clear()
    library.aclfake_reset()


@pytest.fixture
def arm(lib: acl.Library) -> Armed:
    """aclfake_fault_arm."""
    return Armed(lib)


def new_stream(lib: acl.Library) -> ctypes.c_void_p:
    stream = ctypes.c_void_p()
    assert lib.aclrtCreateStream(ctypes.byref(stream)) == 0
    return stream


def new_event(lib: acl.Library) -> ctypes.c_void_p:
    event = ctypes.c_void_p()
    assert lib.aclrtCreateEvent(ctypes.byref(event)) == 0
    return event


def malloc(lib: acl.Library, size: int = 64) -> tuple[int, ctypes.c_void_p]:
    pointer = ctypes.c_void_p()
    return lib.aclrtMalloc(ctypes.byref(pointer), size, 0), pointer


def test_the_nth_call_fails_once(lib: acl.Library, arm: Armed) -> None:
    """Counted from arming, of the function named; the message names code and call."""
    assert malloc(lib)[0] == 0
    assert arm(function=b"aclrtMalloc", nth=2, code=OOM) != 0
    assert [0, OOM, 0] == [malloc(lib)[0] for _ in range(3)]
    assert "207001" in lib.message()
    assert [("aclrtMalloc", 2, OOM, "before")] == arm.fired()
    assert arm.ledger()["armed"] == []
    site = arm.ledger()["fired"][0]
    assert (site["call"], site["thread"]) == (3, threading.get_native_id())


def test_a_persistent_fault_fails_from_the_nth_on(lib: acl.Library, arm: Armed) -> None:
    """Until it is disarmed; the armed one counts what it has seen."""
    number = arm(function=b"aclrtMalloc", nth=2, code=OOM, persistent=1)
    assert [0, OOM, OOM] == [malloc(lib)[0] for _ in range(3)]
    armed = arm.ledger()["armed"][0]
    assert (armed["seen"], armed["fired"], armed["mode"]) == (3, 2, "persistent")
    assert lib.aclfake_fault_disarm(number) == 1
    assert malloc(lib)[0] == 0
    assert len(arm.fired()) == 2


def test_before_does_nothing_and_after_does_the_work(lib: acl.Library, arm: Armed) -> None:
    """What a denied call made is there, marked, and ends with its device."""
    arm(function=b"aclrtMalloc", code=OOM)
    code, pointer = malloc(lib)
    assert (code, pointer.value) == (OOM, None)
    assert lib.live() == {}
    arm(function=b"aclrtMalloc", code=OOM, after=1)
    code, pointer = malloc(lib)
    assert code == OOM
    assert pointer.value
    assert lib.live() == {"device_memory": 1}
    (entry,) = lib.ledger()["live_objects"]
    assert (entry["kind"], entry["function"], entry["call"]) == ("device_memory", "aclrtMalloc", 2)
    assert entry["denied"] is True
    arm(function=b"aclrtFree", code=DRIVER, after=1)
    assert lib.aclrtFree(pointer) == DRIVER
    assert lib.live() == {}


def test_groups_kinds_and_threads(lib: acl.Library, arm: Armed) -> None:
    """A fault meets the functions of its group, its kind, and its thread alone."""
    arm(group=b"copy", code=DRIVER)
    _, pointer = malloc(lib)
    assert lib.aclrtMemset(pointer, 64, 0, 64) == DRIVER
    arm(group=b"value", code=DRIVER)
    assert lib.aclDataTypeSize(0) == 0
    assert lib.aclDataTypeSize(0) == 4
    arm(group=b"handle", code=DRIVER)
    assert lib.aclmdlCreateDataset() is None
    arm(thread=threading.get_native_id() + 1, code=DRIVER, persistent=1)
    assert lib.aclrtMemset(pointer, 64, 0, 64) == 0
    lib.aclfake_faults_clear()
    codes: list[int] = []
    arm(group=b"memory", code=DRIVER, thread=threading.get_native_id())
    thread = threading.Thread(target=lambda: codes.append(lib.aclrtFree(pointer)))
    thread.start()
    thread.join()
    assert codes == [0]
    assert malloc(lib)[0] == DRIVER


def test_void_functions(lib: acl.Library, arm: Armed) -> None:
    """Before: nothing happens. After: all the same."""
    desc = lib.aclCreateTensorDesc(0, 0, None, 2)
    arm(function=b"aclDestroyTensorDesc", code=DRIVER)
    lib.aclDestroyTensorDesc(desc)
    assert lib.live() == {"tensor_desc": 1}
    arm(function=b"aclDestroyTensorDesc", code=DRIVER, after=1)
    lib.aclDestroyTensorDesc(desc)
    assert lib.live() == {}


def test_several_at_once(lib: acl.Library, arm: Armed) -> None:
    """All count; the one armed first decides."""
    arm(function=b"aclrtMalloc", nth=2, code=OOM)
    arm(group=b"memory", nth=1, code=DRIVER)
    arm(group=b"memory", nth=2, code=LOST)
    assert [DRIVER, OOM, 0] == [malloc(lib)[0] for _ in range(3)]


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"function": b"aclNoSuch", "code": 1}, "there is no function aclNoSuch"),
        ({"group": b"nonsense", "code": 1}, "there is no group nonsense; there are status"),
        ({"function": b"aclrtMalloc", "group": b"copy", "code": 1}, "is not in the group copy"),
        ({"function": b"aclrtMalloc"}, "code that the call reports is missing"),
        ({"action": 9, "code": 1}, "there is no action 9"),
        ({"action": 2}, "the time of a hang (ms) is missing"),
        ({"code": 1, "hang_ms": 3}, "ms is for hangs"),
        ({"code": 1, "thread": -1}, "a thread is named by its number"),
    ],
)
def test_nonsense_is_refused(arm: Armed, fields: dict[str, Any], says: str) -> None:
    """With number 0 and a message."""
    assert arm(**fields) == 0
    assert says in arm.lib.message()


def test_a_lost_device(lib: acl.Library, arm: Armed) -> None:
    """Calls on it fail, queued work fails, releases release, the last reset brings it back."""
    stream, (_, pointer) = new_stream(lib), malloc(lib)
    host = ctypes.c_void_p()
    assert lib.aclrtMallocHost(ctypes.byref(host), 64) == 0
    arm(action=2, function=b"aclrtMemcpyAsync", hang_ms=100)
    assert lib.aclrtMemcpyAsync(pointer, 64, host, 64, 1, stream) == 0
    assert lib.aclrtMemcpyAsync(host, 64, pointer, 64, 2, stream) == 0
    assert lib.aclfake_lose_device(7, 0) == 107001
    arm(action=1, function=b"aclrtMemset")
    assert lib.aclrtMemset(pointer, 64, 0, 64) == LOST
    assert malloc(lib)[0] == LOST
    assert lib.aclrtSynchronizeStream(stream) == LOST
    assert arm.ledger()["lost_devices"] == [{"device": 0, "code": LOST}]
    assert lib.aclrtDestroyStream(stream) == LOST
    assert lib.aclrtFree(pointer) == LOST
    assert lib.aclrtFreeHost(host) == LOST
    assert lib.live() == {}
    assert lib.aclrtResetDevice(0) == 0
    assert arm.ledger()["lost_devices"] == []
    assert lib.aclrtSetDevice(0) == 0
    assert malloc(lib)[0] == 0


def test_hangs_honour_timeouts(lib: acl.Library, arm: Armed) -> None:
    """Hanging work makes a synchronise with a timeout end in it; a hanging call takes as long.

    A hang of ten minutes that is not ended runs into the test's own time limit.
    """
    stream, (_, pointer) = new_stream(lib), malloc(lib)
    arm(action=2, group=b"copy", hang_ms=600_000)
    assert lib.aclrtMemsetAsync(pointer, 64, 0, 64, stream) == 0
    assert lib.aclrtSynchronizeStreamWithTimeout(stream, 50) == STREAM_TIMEOUT
    lib.aclfake_faults_clear()
    assert lib.aclrtSynchronizeStream(stream) == 0
    for function, ask, code in (
        (b"aclrtSynchronizeStreamWithTimeout", stream, STREAM_TIMEOUT),
        (b"aclrtSynchronizeEventWithTimeout", new_event(lib), EVENT_TIMEOUT),
    ):
        arm(action=2, function=function, hang_ms=600_000)
        assert getattr(lib, function.decode())(ask, 50) == code
    arm(action=2, function=b"aclrtMemset", hang_ms=60)
    start = time.monotonic()
    assert lib.aclrtMemset(pointer, 64, 0, 64) == 0
    assert time.monotonic() - start > 0.05


def test_disarming_ends_a_hang(lib: acl.Library, arm: Armed) -> None:
    """At once: the hang is longer than the test's own time limit."""
    _, pointer = malloc(lib)
    arm(action=2, function=b"aclrtMemset", hang_ms=600_000)
    threading.Timer(0.1, lambda: lib.aclfake_fault_disarm(0)).start()
    assert lib.aclrtMemset(pointer, 64, 0, 64) == 0


def test_a_denied_object_is_no_leftover(lib: acl.Library, arm: Armed) -> None:
    """Who was told that a call failed has nothing to release: aclFinalize reports the rest."""
    arm(function=b"aclrtCreateEvent", code=DRIVER, after=1)
    event = ctypes.c_void_p()
    assert lib.aclrtCreateEvent(ctypes.byref(event)) == DRIVER
    assert lib.aclFinalize() == 0
    assert "ACLFAKE-FIN-07" not in lib.ledger()["checks"]
    assert lib.aclInit(None) == 0
    kept = new_event(lib)
    assert lib.aclFinalize() == 0
    assert lib.ledger()["checks"]["ACLFAKE-FIN-07"]["last"].startswith("aclFinalize")
    assert "1 events" in lib.ledger()["checks"]["ACLFAKE-FIN-07"]["last"]
    assert lib.aclInit(None) == 0
    assert lib.aclrtDestroyEvent(kept) == 0


@pytest.mark.parametrize("seed", ["1", "2"])
def test_hangs_take_virtual_time(
    lib: acl.Library, arm: Armed, monkeypatch: pytest.MonkeyPatch, seed: str
) -> None:
    """With a seed the clock is virtual: ten minutes of hanging are told by events, not waited."""
    monkeypatch.setenv("ACLRT_FAKE_SEED", seed)
    lib.aclfake_reset()
    assert lib.aclInit(None) == 0
    assert lib.aclrtSetDevice(0) == 0
    stream, first, last = new_stream(lib), new_event(lib), new_event(lib)
    _, pointer = malloc(lib)
    assert lib.aclrtRecordEvent(first, stream) == 0
    arm(action=2, function=b"aclrtMemsetAsync", hang_ms=600_000)
    assert lib.aclrtMemsetAsync(pointer, 64, 0, 64, stream) == 0
    assert lib.aclrtRecordEvent(last, stream) == 0
    assert lib.aclrtSynchronizeStream(stream) == 0
    ms = ctypes.c_float()
    assert lib.aclrtEventElapsedTime(ctypes.byref(ms), first, last) == 0
    assert 600_000 <= ms.value < 601_000


def test_a_memory_limit(lib: acl.Library, arm: Armed) -> None:
    """Of a device; what is asked for beyond is 207001, and aclrtGetMemInfo tells the limit."""
    lib.aclfake_set_memory_limit(0, 1 << 20)
    assert malloc(lib, 2 << 20)[0] == OOM
    code, pointer = malloc(lib, 1 << 19)
    assert code == 0
    assert malloc(lib, 1 << 19)[0] == OOM
    free, total = ctypes.c_size_t(), ctypes.c_size_t()
    assert lib.aclrtGetMemInfo(0, ctypes.byref(free), ctypes.byref(total)) == 0
    assert total.value == 1 << 20
    assert free.value < 1 << 19
    assert lib.aclrtFree(pointer) == 0
    assert arm.ledger()["memory_limits"] == [{"device": 0, "bytes": 1 << 20}]
    lib.aclfake_set_memory_limit(0, 0)
    assert malloc(lib, 2 << 20)[0] == 0


def test_the_list_of_fired_sites_is_short(lib: acl.Library, arm: Armed) -> None:
    """256 sites; all are counted."""
    arm(function=b"aclDataTypeSize", code=DRIVER, persistent=1)
    for _ in range(300):
        lib.aclDataTypeSize(0)
    assert (256, 300) == (len(arm.fired()), arm.ledger()["fired_total"])


def test_the_table(lib: acl.Library, arm: Armed) -> None:
    """For people: counts by kind, where live objects were made, what fired."""
    malloc(lib)
    arm(function=b"aclrtMalloc", code=OOM)
    malloc(lib)
    need = lib.aclfake_ledger_text(None, 0)
    buffer = ctypes.create_string_buffer(need + 1)
    assert lib.aclfake_ledger_text(buffer, need + 1) == need
    text = buffer.value.decode()
    assert "device_memory" in text
    assert f"made by aclrtMalloc (call 1 of it, thread {threading.get_native_id()})" in text
    assert "fail before aclrtMalloc, call 2, code 207001" in text


def child(folder: Path, script: str, **environment: str) -> tuple[Any, dict[str, Any]]:
    """A process that has the fake as ``lib``, and the ledger that it leaves."""
    path = folder / "ledger.json"
    head = "import ctypes, sys\nlib = ctypes.CDLL(sys.argv[1])\np = ctypes.c_void_p()\n"
    head += "lib.aclGetRecentErrMsg.restype = ctypes.c_char_p\n"
    done = subprocess.run(
        [sys.executable, "-c", head + script, str(acl.library_path())],
        env={"ACLRT_FAKE_LEDGER": str(path), **os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done, json.loads(path.read_text()) if path.exists() else {}


def test_armed_by_the_environment(tmp_path: Path) -> None:
    """Several faults and a limit; the parent reads in the ledger what came of them."""
    script = (
        "codes = [lib.aclInit(None), lib.aclrtSetDevice(0)]\n"
        "codes += [lib.aclrtMalloc(ctypes.byref(p), size, 0) for size in (1, 1, 1 << 21)]\n"
        "lib.aclfake_reset()\n"
        "codes += [lib.aclInit(None)]\n"
        "print(codes)"
    )
    done, ledger = child(
        tmp_path,
        script,
        ACLRT_FAKE_FAULTS="function=aclrtMalloc,nth=2,code=207018,mode=transient,when=before; "
        "function = aclInit, nth = 2, code = 500000; group=load,action=hang,ms=5,mode=persistent",
        ACLRT_FAKE_MEMORY_LIMIT="1048576",
    )
    assert ("[0, 0, 0, 207018, 207001, 0]\n", "") == (done.stdout, done.stderr)
    assert [entry["group"] for entry in ledger["faults"]["armed"]] == ["", "", "load"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nth=x", 'ACLRT_FAKE_FAULTS: "nth=x" is no number'),
        ("function=aclrtMalloc", "fault 1: the code that the call reports is missing"),
        ("function=aclrtMalloc,code=1;group=nope,code=1", "fault 2: there is no group nope"),
        ("code", '"code" is not of the form field=value'),
        ("code=1,colour=red", '"colour=red" is no field; there are function'),
        ("code=1,mode=often", '"mode=often" is none of transient, persistent'),
        ("code=99999999999", '"code=99999999999" is too large'),
    ],
)
def test_a_bad_environment_fails_the_initialisation(tmp_path: Path, text: str, says: str) -> None:
    """aclInit gives 100000 and says what is wrong, instead of ignoring it."""
    script = "print(lib.aclInit(None)); print(lib.aclGetRecentErrMsg().decode())"
    done, _ = child(tmp_path, script, ACLRT_FAKE_FAULTS=text)
    assert done.stdout.startswith("100000\n")
    assert says in done.stdout


def test_a_bad_memory_limit_fails_the_initialisation(tmp_path: Path) -> None:
    """Likewise."""
    script = "print(lib.aclInit(None)); print(lib.aclGetRecentErrMsg().decode())"
    done, _ = child(tmp_path, script, ACLRT_FAKE_MEMORY_LIMIT="1GB")
    assert 'ACLRT_FAKE_MEMORY_LIMIT: "1GB" is no number' in done.stdout


def test_the_table_at_exit(tmp_path: Path) -> None:
    """ACLRT_FAKE_LEDGER=- prints the table on stderr; a fault from the environment is in it."""
    script = "lib.aclInit(None); lib.aclrtSetDevice(0); lib.aclrtMallocHost(ctypes.byref(p), 8)"
    done, _ = child(
        tmp_path,
        script,
        ACLRT_FAKE_LEDGER="-",
        ACLRT_FAKE_FAULTS="function=aclrtSetDevice,code=507033,when=after",
    )
    assert done.stdout == ""
    assert "host_memory, 32 bytes, made by aclrtMallocHost (call 1 of it, thread" in done.stderr
    assert "fail after aclrtSetDevice, call 1, code 507033" in done.stderr


def test_python_arms_and_reads(om_factory: Any) -> None:
    """A fault in a ``with`` block; ``fired`` tells of it until ``clear``."""
    with (
        fault(function="aclmdlLoadFromMem", code=DRIVER),
        pytest.raises(aclrt.ModelLoadError) as caught,
    ):
        aclrt.OfflineModel(om_factory.identity())
    assert ("aclmdlLoadFromMem", DRIVER) == (caught.value.call, caught.value.code)
    assert ["aclmdlLoadFromMem"] == [site["function"] for site in faults.fired()]
    faults.clear()
    assert faults.fired() == []


def test_python_disarms_at_the_end_of_the_block(om_factory: Any) -> None:
    """What was not met is not met later."""
    with fault(function="aclmdlExecute", code=DRIVER):
        pass
    number = faults.arm(function="aclmdlExecute", code=DRIVER, persistent=True)
    faults.disarm(number)
    with aclrt.OfflineModel(om_factory.identity()) as model:
        assert model(np.zeros((2, 3), "f4"))[0].shape == (2, 3)


def test_python_refuses_nonsense() -> None:
    """Each with the reason in the message."""
    for what, says in (
        ({"action": "explode"}, "action is 'explode'"),
        ({"nth": 0, "code": 1}, "the first call is 1"),
        ({"function": "aclNoSuch", "code": 1}, "there is no function"),
    ):
        with pytest.raises(aclrt.InputError) as caught:
            faults.arm(**what)
        assert says in str(caught.value)


def test_python_limits_memory(om_factory: Any) -> None:
    """A model that does not fit raises DeviceOutOfMemoryError; afterwards it fits."""
    faults.set_memory_limit(64)
    with pytest.raises(aclrt.DeviceOutOfMemoryError):
        aclrt.OfflineModel(om_factory.identity())
    faults.set_memory_limit(0)
    with aclrt.OfflineModel(om_factory.identity()):
        assert "model" in aclrt.fake.ledger_text()


def test_python_loses_a_device(om_factory: Any) -> None:
    """Runs fail, the model stays broken, closing gives all back, a new model works."""
    x = np.ones((2, 3), "f4")
    model = aclrt.OfflineModel(om_factory.identity())
    faults.lose_device(0)
    for _ in range(2):
        with pytest.raises(aclrt.DeviceLostError):
            model(x)
    model.close()
    assert aclrt.fake.ledger()["live"] == 0
    with aclrt.OfflineModel(om_factory.identity()) as again:
        np.testing.assert_array_equal(x, again(x)[0])
    with pytest.raises(aclrt.DeviceError):
        faults.lose_device(99)


def test_a_slow_load(om_factory: Any) -> None:
    """Loading takes its time."""
    with fault(group="load", action="hang", ms=80):
        start = time.monotonic()
        with aclrt.OfflineModel(om_factory.identity()):
            assert time.monotonic() - start > 0.08
