# SPDX-License-Identifier: Apache-2.0
"""The ledger, the reset and what happens at exit (docs/fake.md)."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from conformance import acl
from conformance.test_rt_event import new_event
from conformance.test_rt_stream import Gate, new_stream

fake_only = pytest.mark.fake_only


def run(script: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """A child process that has the fake as ``lib``."""
    head = "import ctypes, os, sys\nlib = ctypes.CDLL(sys.argv[1])\n"
    command = [sys.executable, "-c", head + script, str(acl.library_path())]
    environment = {**os.environ, **environment}
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, check=True, timeout=60
    )


@fake_only
def test_counts(raw: acl.Library) -> None:
    """FAKE-LED-01 (fake): live, peak, total objects and bytes by kind; calls by function; state."""
    assert raw.aclInit(None) == 0
    assert raw.aclrtSetDevice(0) == 0
    pointers = [ctypes.c_void_p() for _ in range(3)]
    for pointer in pointers:
        assert raw.aclrtMalloc(ctypes.byref(pointer), 32, 0) == 0
    for pointer in pointers[:2]:
        assert raw.aclrtFree(pointer) == 0
    ledger = raw.ledger()
    assert ledger["schema"] == "aclfake-ledger/1"
    assert ledger["objects"]["device_memory"] == {
        "live": 1,
        "peak": 3,
        "total": 3,
        "live_bytes": 64,
        "peak_bytes": 192,
        "total_bytes": 192,
    }
    assert ledger["live"] == 1
    assert ledger["calls"] == {
        "aclInit": 1,
        "aclrtSetDevice": 1,
        "aclrtMalloc": 3,
        "aclrtFree": 2,
    }
    assert ledger["state"] == {
        "initialised": True,
        "init_count": 1,
        "devices": [{"id": 0, "set_count": 1, "streams": 1}],
        "executing": [],
        "profile": "atlas300i-pro",
        "window": False,
        "deterministic": False,
    }
    assert raw.aclrtResetDevice(0) == 0
    assert raw.aclFinalize() == 0


@fake_only
def test_cut_buffer(raw: acl.Library) -> None:
    """FAKE-LED-02 (fake): the JSON is cut to the buffer, the length is the whole one's."""
    buffer = ctypes.create_string_buffer(b"#" * 16, 16)
    need = raw.aclfake_ledger_json(None, 0)
    assert need > 100
    assert raw.aclfake_ledger_json(buffer, 8) == need
    assert buffer.raw[:9] == b'{"schem\0#'


@fake_only
def test_reset_destroys_everything(raw: acl.Library) -> None:
    """FAKE-LED-03 (fake): reset counts what was live, waits for work, and leaves nothing."""
    assert raw.aclInit(None) == 0
    assert raw.aclrtSetDevice(0) == 0
    context = ctypes.c_void_p()
    assert raw.aclrtCreateContext(ctypes.byref(context), 0) == 0
    stream, event, host = new_stream(raw), new_event(raw), ctypes.c_void_p()
    buffer = raw.aclCreateDataBuffer(None, 0)
    desc = raw.aclCreateTensorDesc(0, 0, None, 2)
    assert raw.aclrtMallocHost(ctypes.byref(host), 8) == 0
    gate = Gate(raw, stream)
    threading.Timer(0.05, gate.opened.set).start()
    assert raw.aclfake_reset() == 6
    ledger = raw.ledger()
    assert ledger["live"] == 0
    assert ledger["calls"] == {}
    assert ledger["state"] == {
        "initialised": False,
        "init_count": 0,
        "devices": [],
        "executing": [],
        "profile": None,
        "window": False,
        "deterministic": False,
    }
    assert raw.aclrtSynchronizeStream(stream) == 107017
    assert raw.aclrtDestroyEvent(event) == 107017
    assert raw.aclDestroyDataBuffer(buffer) == 100000
    assert raw.aclGetTensorDescSize(desc) == 0
    assert raw.aclrtFreeHost(host) == 107000
    assert raw.aclrtSetCurrentContext(context) == 107000


@fake_only
def test_written_at_exit(tmp_path: Path) -> None:
    """FAKE-LED-04 (fake): $ACLRT_FAKE_LEDGER gets the ledger when the process ends."""
    path = tmp_path / "ledger.json"
    script = (
        "stream = ctypes.c_void_p()\n"
        "lib.aclInit(None); lib.aclrtSetDevice(0)\n"
        "lib.aclrtCreateStream(ctypes.byref(stream))\n"
        "pid = os.fork()\n"
        "if pid == 0: ctypes.CDLL(None).exit(0)\n"
        "os.waitpid(pid, 0)\n"
        "assert not os.path.exists(os.environ['ACLRT_FAKE_LEDGER'])\n"
    )
    done = run(script, {"ACLRT_FAKE_LEDGER": str(path)})
    assert (done.stdout, done.stderr) == ("", "")
    ledger = json.loads(path.read_text())
    assert ledger["objects"]["stream"]["live"] == 1
    assert ledger["state"]["init_count"] == 1


@fake_only
def test_exit_with_work_in_flight() -> None:
    """FAKE-LED-05 (fake): a process may end while streams wait; threads and state are let alone."""
    script = (
        "event, stream = ctypes.c_void_p(), ctypes.c_void_p()\n"
        "lib.aclrtSetDevice(0)\n"
        "lib.aclrtCreateStream(ctypes.byref(stream))\n"
        "lib.aclrtCreateEventWithFlag(ctypes.byref(event), 1)\n"
        "assert lib.aclrtStreamWaitEvent(stream, event) == 0\n"
    )
    done = run(script, {})
    assert (done.stdout, done.stderr) == ("", "")


@fake_only
def test_threads_end(lib: acl.Library) -> None:
    """FAKE-LED-06 (fake): destroyed streams leave no thread behind."""
    before = len(list(Path("/proc/self/task").iterdir()))
    for _ in range(50):
        stream = new_stream(lib)
        assert lib.aclrtRecordEvent(event := new_event(lib), stream) == 0
        assert lib.aclrtDestroyEvent(event) == 0
        assert lib.aclrtDestroyStream(stream) == 0
    assert len(list(Path("/proc/self/task").iterdir())) == before


@fake_only
def test_concurrent_use(lib: acl.Library) -> None:
    """FAKE-LED-07 (fake): eight threads with streams, events, memory and copies at once."""
    errors: list[BaseException] = []

    def work() -> None:
        try:
            assert lib.aclrtSetDevice(0) == 0
            stream, event = new_stream(lib), new_event(lib)
            for number in range(100):
                device, host = ctypes.c_void_p(), ctypes.c_void_p()
                assert lib.aclrtMalloc(ctypes.byref(device), 64, 0) == 0
                assert lib.aclrtMallocHost(ctypes.byref(host), 64) == 0
                assert lib.aclrtMemsetAsync(device, 64, number, 64, stream) == 0
                assert lib.aclrtMemcpyAsync(host, 64, device, 64, 2, stream) == 0
                assert lib.aclrtRecordEvent(event, stream) == 0
                assert lib.aclrtSynchronizeEvent(event) == 0
                assert ctypes.string_at(host, 64) == bytes([number]) * 64
                assert lib.aclrtSynchronizeStream(stream) == 0
                assert lib.aclrtFree(device) == 0
                assert lib.aclrtFreeHost(host) == 0
            assert lib.aclrtDestroyEvent(event) == 0
            assert lib.aclrtDestroyStream(stream) == 0
            assert lib.aclrtResetDevice(0) == 0
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
