# SPDX-License-Identifier: Apache-2.0
"""Contract 11: device and host memory, copies and sets."""

from __future__ import annotations

import ctypes
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from conformance import acl
from conformance.test_rt_device import in_thread
from conformance.test_rt_stream import Gate, held, new_stream, other_context

fake_only = pytest.mark.fake_only

H2H, H2D, D2H, D2D, DEFAULT, STAGED = range(6)


@contextmanager
def device_memory(lib: acl.Library, size: int) -> Iterator[int]:
    pointer = ctypes.c_void_p()
    assert lib.aclrtMalloc(ctypes.byref(pointer), size, 0) == 0
    yield pointer.value or 0
    assert lib.aclrtFree(pointer) == 0


@contextmanager
def host_memory(lib: acl.Library, size: int) -> Iterator[int]:
    pointer = ctypes.c_void_p()
    assert lib.aclrtMallocHost(ctypes.byref(pointer), size) == 0
    yield pointer.value or 0
    assert lib.aclrtFreeHost(pointer) == 0


def read(lib: acl.Library, source: int, size: int) -> bytes:
    buffer = ctypes.create_string_buffer(size)
    assert lib.aclrtMemcpy(buffer, size, source, size, D2H) == 0
    return buffer.raw


# ---- allocation --------------------------------------------------------------------------------


def test_malloc_arguments(lib: acl.Library) -> None:
    """RT-MEM-01 (11.1): NULL, size 0 and a size that cannot be rounded are 100000; 107002."""
    pointer = ctypes.c_void_p()
    out = ctypes.byref(pointer)
    for name in ("aclrtMalloc", "aclrtMallocAlign32", "aclrtMallocCached"):
        malloc = getattr(lib, name)
        assert malloc(None, 8, 0) == 100000
        assert malloc(out, 0, 0) == 100000
        assert malloc(out, 2**64 - 1, 0) == 100000
        assert in_thread(partial(malloc, out, 8, 0)) == 107002
    assert lib.aclrtMalloc(out, 1 << 45, 0) == 207001
    assert "free" in lib.message()
    assert pointer.value is None


@pytest.mark.parametrize("policy", [0, 1, 2, 3, 4, 5, 6, 7, 9, -1, 0x100, 0x1000, 0x100000])
def test_policies(lib: acl.Library, policy: int) -> None:
    """RT-MEM-02 (11.1): any policy is accepted; pointers are 64-byte aligned."""
    pointers = []
    for size in (1, 31, 33, 1000):
        pointer = ctypes.c_void_p()
        assert lib.aclrtMalloc(ctypes.byref(pointer), size, policy) == 0
        assert (pointer.value or 1) % 64 == 0
        pointers.append(pointer)
    for pointer in pointers:
        assert lib.aclrtFree(pointer) == 0


@fake_only
@pytest.mark.parametrize(
    ("function", "policy", "slack"),
    [
        ("aclrtMalloc", 0, 32),
        ("aclrtMalloc", 6, 0),
        ("aclrtMallocAlign32", 0, 0),
        ("aclrtMallocCached", 0, 32),
    ],
)
def test_slack(lib: acl.Library, function: str, policy: int, slack: int) -> None:
    """RT-MEM-03 (11.1): round_up(size, 32) + 32 bytes are usable; 1 GiB pages add nothing."""
    pointer = ctypes.c_void_p()
    assert getattr(lib, function)(ctypes.byref(pointer), 33, policy) == 0
    real = 64 + slack
    assert lib.aclrtMemset(pointer, real, 1, real) == 0
    assert lib.aclrtMemset(pointer, real + 1, 1, real + 1) == 107000
    assert lib.ledger()["objects"]["device_memory"]["live_bytes"] == real
    assert lib.aclrtFree(pointer) == 0


def test_content_is_poisoned(lib: acl.Library) -> None:
    """RT-MEM-04 (11.1): memory is not zeroed."""
    with device_memory(lib, 100) as pointer:
        assert read(lib, pointer, 100) == b"\xa5" * 100


def test_free_errors(lib: acl.Library) -> None:
    """RT-MEM-05 (11.1): NULL 100000; freed, inner, host, invented 107000; no context needed."""
    with device_memory(lib, 64) as pointer:
        assert lib.aclrtFree(pointer + 32) == 107000
        assert lib.acldvppFree(pointer) == 107000
    assert lib.aclrtFree(pointer) == 107000
    assert lib.aclrtFree(None) == 100000
    assert lib.aclrtFree(0x1000) == 107000
    with host_memory(lib, 64) as host:
        assert lib.aclrtFree(host) == 107000
    other = ctypes.c_void_p()
    assert lib.aclrtMalloc(ctypes.byref(other), 8, 0) == 0
    assert in_thread(lambda: lib.aclrtFree(other)) == 0


def test_dvpp_memory(lib: acl.Library) -> None:
    """RT-MEM-06 (11.3): acldvppMalloc's memory is freed by acldvppFree alone."""
    pointer = ctypes.c_void_p()
    assert lib.acldvppMalloc(ctypes.byref(pointer), 100) == 0
    assert lib.aclrtMemset(pointer, 100, 0, 100) == 0
    assert lib.aclrtFree(pointer) == 107000
    assert lib.acldvppFree(pointer) == 0
    assert lib.acldvppFree(None) == 100000


def test_configured_malloc(lib: acl.Library) -> None:
    """RT-MEM-07 (11.1): aclrtMallocWithCfg checks attributes (100000) and policy (107000)."""
    pointer = ctypes.c_void_p()
    bad = (ctypes.c_size_t * 2)(0, 1)
    assert lib.aclrtMallocWithCfg(ctypes.byref(pointer), 8, 0, bad) == 100000
    assert lib.aclrtMallocWithCfg(ctypes.byref(pointer), 8, 9, None) == 107000
    assert lib.aclrtMallocWithCfg(ctypes.byref(pointer), 8, 0x1000, None) == 0
    assert lib.aclrtFreeWithDevSync(pointer) == 0
    assert lib.aclrtFreeWithDevSync(pointer) == 107000


def test_host_memory(lib: acl.Library) -> None:
    """RT-MEM-08 (11.2): needs a context, aligned to 64; freeing others' pointers is 107000."""
    out = ctypes.byref(ctypes.c_void_p())
    assert lib.aclrtMallocHost(None, 8) == 100000
    assert lib.aclrtMallocHost(out, 0) == 100000
    assert in_thread(lambda: lib.aclrtMallocHost(out, 8)) == 107002
    with host_memory(lib, 100) as host:
        assert host % 64 == 0
        ctypes.memset(host, 7, 100)
    assert lib.aclrtFreeHost(host) == 107000
    assert lib.aclrtFreeHost(None) == 100000
    with device_memory(lib, 8) as device:
        assert lib.aclrtFreeHost(device) == 107000


def test_registered_memory(lib: acl.Library) -> None:
    """RT-MEM-09 (11.2): registering makes memory page-locked; twice 507910, not at all 507911."""
    buffer, stream, mapped = ctypes.create_string_buffer(256), new_stream(lib), ctypes.c_void_p()
    out = ctypes.byref(mapped)
    assert lib.aclrtHostRegister(None, 8, 0, out) == 100000
    assert lib.aclrtHostRegister(buffer, 256, 4, out) == 207000
    assert lib.aclrtHostRegister(buffer, 256, 0, out) == 0
    assert lib.aclrtHostRegister(buffer, 8, 0, out) == 507910
    with device_memory(lib, 256) as device:
        assert lib.aclrtMemcpyAsync(device, 256, buffer, 256, DEFAULT, stream) == 0
        assert lib.aclrtSynchronizeStream(stream) == 0
    assert lib.aclrtHostUnregister(buffer) == 0
    assert lib.aclrtHostUnregister(buffer) == 507911
    assert lib.aclrtDestroyStream(stream) == 0


def test_pointer_attributes(lib: acl.Library) -> None:
    """RT-MEM-10 (11.3): device, host and foreign pointers."""
    words = (ctypes.c_uint32 * 7)()
    with device_memory(lib, 8) as device, host_memory(lib, 8) as host:
        for pointer, kind in ((device, 1), (device + 4, 1), (host, 0), (0x1000, 2)):
            assert lib.aclrtPointerGetAttributes(pointer, words) == 0
            assert words[1] == kind
    assert lib.aclrtPointerGetAttributes(None, words) == 100000


def test_flush(lib: acl.Library) -> None:
    """RT-MEM-11 (11.1): flush and invalidate do nothing; NULL and 0 are 100000."""
    with device_memory(lib, 8) as device:
        for function in (lib.aclrtMemFlush, lib.aclrtMemInvalidate):
            assert function(device, 8) == 0
            assert function(device, 0) == 100000
            assert function(None, 8) == 100000


@fake_only
def test_host_cannot_touch_device_memory() -> None:
    """RT-MEM-12 (architecture): reading through a device pointer faults, as on a card."""
    script = (
        "import ctypes, sys\n"
        "lib, pointer = ctypes.CDLL(sys.argv[1]), ctypes.c_void_p()\n"
        "assert lib.aclrtSetDevice(0) == 0\n"
        "assert lib.aclrtMalloc(ctypes.byref(pointer), ctypes.c_size_t(64), 0) == 0\n"
        "ctypes.string_at(pointer.value, 1)\n"
    )
    command = [sys.executable, "-c", script, str(acl.library_path())]
    assert subprocess.run(command, check=False).returncode == -signal.SIGSEGV


@fake_only
def test_large_memory_costs_nothing(lib: acl.Library) -> None:
    """RT-MEM-13 (fake): 16 GiB can be allocated and freed without being resident."""

    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

    before = resident()
    for _ in range(3):
        with device_memory(lib, 16 << 30):
            assert resident() - before < 64 << 20


# ---- synchronous copies and sets ---------------------------------------------------------------


def test_memcpy_order_of_checks(lib: acl.Library) -> None:
    """RT-CPY-01 (11.3): count 0, NULL, kind, destMax, same address, context, in this order."""
    buffer = ctypes.create_string_buffer(8)
    assert lib.aclrtMemcpy(None, 0, None, 0, 99) == 0
    assert lib.aclrtMemcpy(None, 8, buffer, 8, 99) == 100000
    assert lib.aclrtMemcpy(buffer, 8, None, 8, 1) == 100000
    for kind in (-1, 6, 7):
        assert lib.aclrtMemcpy(buffer, 0, buffer, 8, kind) == 100000
    assert lib.aclrtMemcpy(buffer, 0, buffer, 8, 1) == 107000
    assert lib.aclrtMemcpy(buffer, 7, buffer, 8, 1) == 107000
    other = ctypes.create_string_buffer(8)
    assert in_thread(lambda: lib.aclrtMemcpy(buffer, 8, buffer, 8, 1)) == 0
    assert in_thread(lambda: lib.aclrtMemcpy(buffer, 8, other, 8, 0)) == 107002


def test_round_trip(lib: acl.Library) -> None:
    """RT-CPY-02 (11.3): host to device to device to host keeps the bytes."""
    data = bytes(range(256)) * 40
    with device_memory(lib, len(data)) as first, device_memory(lib, len(data)) as second:
        assert lib.aclrtMemcpy(first, len(data), data, len(data), H2D) == 0
        assert lib.aclrtMemcpy(second, len(data), first, len(data), D2D) == 0
        assert read(lib, second, len(data)) == data
        assert lib.aclrtMemcpy(second + 5, 10, data, 3, DEFAULT) == 0
        assert read(lib, second, 9) == data[:5] + data[:3] + data[8:9]


@pytest.mark.parametrize("kind", [H2H, H2D, D2H, D2D, STAGED])
def test_kind_has_to_fit(lib: acl.Library, kind: int) -> None:
    """RT-CPY-03 (11.3): an address in the wrong role is 107000."""
    buffer, other = ctypes.create_string_buffer(8), ctypes.create_string_buffer(8)
    with device_memory(lib, 8) as device, device_memory(lib, 8) as second:
        ways = {
            H2H: (other, buffer),
            H2D: (device, buffer),
            D2H: (buffer, device),
            D2D: (second, device),
        }
        for way, (dst, src) in ways.items():
            right = way == (H2D if kind == STAGED else kind)
            assert lib.aclrtMemcpy(dst, 8, src, 8, kind) == (0 if right else 107000)


@fake_only
def test_device_ranges(lib: acl.Library) -> None:
    """RT-CPY-04 (11.3): past the end of an allocation, or freed: 107000, nothing is written."""
    buffer = ctypes.create_string_buffer(b"x" * 4096, 4096)
    with device_memory(lib, 64) as device:
        assert lib.aclrtMemcpy(device, 4096, buffer, 4096, H2D) == 107000
        assert lib.aclrtMemcpy(buffer, 4096, device, 4096, D2H) == 107000
        assert lib.aclrtMemcpy(device - 8, 16, buffer, 16, H2D) == 107000
        assert read(lib, device, 64) == b"\xa5" * 64
    assert lib.aclrtMemcpy(device, 8, buffer, 8, H2D) == 107000
    assert "not inside" in lib.message()
    assert lib.ledger()["guards_damaged"] == 0


def test_memset(lib: acl.Library) -> None:
    """RT-SET-01 (11.3): low 8 bits; count 0 is 0; NULL 100000; 107002; count > maxCount 107000."""
    assert lib.aclrtMemset(None, 0, 1, 0) == 0
    assert lib.aclrtMemset(None, 8, 1, 8) == 100000
    with device_memory(lib, 64) as device, host_memory(lib, 64) as host:
        assert in_thread(lambda: lib.aclrtMemset(device, 8, 1, 9)) == 107002
        assert lib.aclrtMemset(device, 8, 1, 9) == 107000
        assert lib.aclrtMemset(device, 64, 0x1FF, 3) == 0
        assert read(lib, device, 4) == b"\xff\xff\xff\xa5"
        assert lib.aclrtMemset(host, 64, 5, 64) == 0
        assert ctypes.string_at(host, 64) == b"\x05" * 64
        assert lib.aclrtMemset(ctypes.create_string_buffer(8), 8, 1, 8) == 107000
        assert lib.aclrtMemsetD32(device, 64, 0x01020304, 2) == 0
        assert read(lib, device, 8) == b"\x04\x03\x02\x01" * 2
        assert lib.aclrtMemsetD32(device, 7, 0, 2) == 107000


def test_memcpy2d(lib: acl.Library) -> None:
    """RT-CPY-05 (11.3): rows with pitches; width over a pitch and host to host are 100000."""
    data = bytes(range(24))
    with device_memory(lib, 64) as device:
        assert lib.aclrtMemset(device, 64, 0, 64) == 0
        assert lib.aclrtMemcpy2d(device, 16, data, 8, 6, 3, H2D) == 0
        got = read(lib, device, 48)
        for row in range(3):
            assert got[16 * row : 16 * row + 16] == data[8 * row : 8 * row + 6] + bytes(10)
        assert lib.aclrtMemcpy2d(device, 16, data, 8, 0, 3, H2D) == 0
        assert lib.aclrtMemcpy2d(device, 16, data, 8, 9, 3, H2D) == 100000
        assert lib.aclrtMemcpy2d(device, 5, data, 8, 6, 3, H2D) == 100000
        assert lib.aclrtMemcpy2d(device, 16, data, 8, 6, 3, H2H) == 100000
        assert lib.aclrtMemcpy2d(None, 16, data, 8, 6, 3, H2D) == 100000
        assert lib.aclrtMemcpy2d(device, 1 << 62, data, 1 << 62, 6, 8, H2D) == 100000
        assert lib.aclrtMemcpy2d(device, 64, data, 8, 6, 3, H2D) == 107000


# ---- asynchronous copies and sets --------------------------------------------------------------


def test_memcpy_async_order_of_checks(lib: acl.Library) -> None:
    """RT-CPY-06 (11.3): as the synchronous form, with stream tests; the context comes late."""
    buffer, stream, dead = ctypes.create_string_buffer(8), new_stream(lib), new_stream(lib)
    assert lib.aclrtDestroyStream(dead) == 0
    assert lib.aclrtMemcpyAsync(None, 0, None, 0, 9, dead) == 0
    assert lib.aclrtMemcpyAsync(None, 0, buffer, 8, 9, dead) == 100000
    assert lib.aclrtMemcpyAsync(buffer, 0, buffer, 8, 6, dead) == 100000
    assert lib.aclrtMemcpyAsync(buffer, 0, buffer, 8, 1, dead) == 107017
    assert lib.aclrtMemcpyAsync(buffer, 7, buffer, 8, 1, stream) == 107000
    assert in_thread(lambda: lib.aclrtMemcpyAsync(buffer, 8, buffer, 8, 1, stream)) == 107002
    with device_memory(lib, 8) as device, host_memory(lib, 8) as host, other_context(lib):
        assert lib.aclrtMemcpyAsync(device, 8, host, 8, H2D, stream) == 107003
        assert lib.aclrtMemcpyAsync(device, 8, device, 8, D2D, stream) == 0
    assert lib.aclrtDestroyStream(stream) == 0


def test_pinned_copies_are_late(lib: acl.Library) -> None:
    """RT-CPY-07 (11.3): page-locked host memory is read when the stream gets there."""
    stream = new_stream(lib)
    with device_memory(lib, 8) as device, host_memory(lib, 8) as host:
        ctypes.memset(host, 1, 8)
        with held(lib, stream):
            assert lib.aclrtMemcpyAsync(device, 8, host, 8, H2D, stream) == 0
            ctypes.memset(host, 2, 8)
        assert read(lib, device, 8) == b"\2" * 8
    assert lib.aclrtDestroyStream(stream) == 0


def test_staged_copies_are_early(lib: acl.Library) -> None:
    """RT-CPY-08 (11.3): kind 5 takes the source when it is queued."""
    stream, buffer = new_stream(lib), ctypes.create_string_buffer(b"early", 8)
    with device_memory(lib, 8) as device:
        with held(lib, stream):
            assert lib.aclrtMemcpyAsync(device, 8, buffer, 8, STAGED, stream) == 0
            buffer.value = b"late"
        assert read(lib, device, 8).startswith(b"early")
        assert lib.aclrtMemcpyAsync(buffer, 8, device, 8, STAGED, stream) == 107000
    assert lib.aclrtDestroyStream(stream) == 0


def test_pageable_copies_wait_for_the_stream(lib: acl.Library) -> None:
    """RT-CPY-09 (11.3): plain memory: the stream is synchronised and the copy done on return."""
    stream, buffer = new_stream(lib), ctypes.create_string_buffer(8)
    gate = Gate(lib, stream)
    with device_memory(lib, 8) as device:
        assert lib.aclrtMemsetAsync(device, 8, 3, 8, stream) == 0
        assert gate.reached.wait(10)
        thread = threading.Timer(0.05, gate.opened.set)
        thread.start()
        assert lib.aclrtMemcpyAsync(buffer, 8, device, 8, D2H, stream) == 0
        assert buffer.raw == b"\3" * 8
        with other_context(lib):
            assert lib.aclrtMemcpyAsync(device, 8, buffer, 8, H2D, stream) == 0
        assert lib.aclrtMemcpyAsync(device, 8, buffer, 8, D2H, stream) == 107000
        assert lib.aclrtMemcpyAsync(device, 8, buffer, 8, DEFAULT, stream) == 107000
        assert lib.aclrtMemcpyAsync(device, 8, buffer, 8, D2D, stream) == 0
        assert lib.aclrtMemcpyAsyncWithCondition(device, 8, buffer, 8, H2D, stream) == 107000
        thread.join()
    assert lib.aclrtDestroyStream(stream) == 0


def test_kind_is_corrected(lib: acl.Library) -> None:
    """RT-CPY-10 (11.3): with both sides known the addresses decide; host to host is 207000."""
    stream = new_stream(lib)
    with device_memory(lib, 8) as device, host_memory(lib, 8) as a, host_memory(lib, 8) as b:
        for kind in (H2H, H2D, D2H, D2D, DEFAULT):
            ctypes.memset(a, kind + 1, 8)
            assert lib.aclrtMemcpyAsync(device, 8, a, 8, kind, stream) == 0
            assert lib.aclrtSynchronizeStream(stream) == 0
            assert read(lib, device, 1) == bytes([kind + 1])
        assert lib.aclrtMemcpyAsync(a, 8, b, 8, DEFAULT, stream) == 207000
        plain = ctypes.create_string_buffer(8)
        assert lib.aclrtMemcpyAsync(plain, 8, a, 8, H2H, stream) == 207000
    assert lib.aclrtDestroyStream(stream) == 0


def test_sync_copies_do_not_wait(lib: acl.Library) -> None:
    """RT-CPY-11 (1.4): aclrtMemcpy is not ordered against queued work."""
    stream = new_stream(lib)
    with device_memory(lib, 8) as device, held(lib, stream):
        assert lib.aclrtMemsetAsync(device, 8, 9, 8, stream) == 0
        assert read(lib, device, 8) == b"\xa5" * 8
        assert lib.aclrtMemcpy(device, 8, b"12345678", 8, H2D) == 0
        assert read(lib, device, 8) == b"12345678"
    assert lib.aclrtDestroyStream(stream) == 0


def test_memset_async(lib: acl.Library) -> None:
    """RT-SET-02 (11.3): 0, 100000, 107000, 107002, 107003 in this order."""
    stream = new_stream(lib)
    assert lib.aclrtMemsetAsync(None, 0, 0, 0, stream) == 0
    assert lib.aclrtMemsetAsync(None, 8, 0, 9, stream) == 100000
    with device_memory(lib, 8) as device:
        assert in_thread(lambda: lib.aclrtMemsetAsync(device, 8, 0, 9, stream)) == 107000
        assert in_thread(lambda: lib.aclrtMemsetAsync(device, 8, 0, 8, stream)) == 107002
        with other_context(lib):
            assert lib.aclrtMemsetAsync(device, 8, 0, 8, stream) == 107003
        assert lib.aclrtMemsetAsync(device, 8, 0x107, 8, stream) == 0
        assert lib.aclrtSynchronizeStream(stream) == 0
        assert read(lib, device, 8) == b"\7" * 8
    assert lib.aclrtDestroyStream(stream) == 0


@fake_only
def test_engines_overlap(raw: acl.Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """RT-CPY-12 (boards): H2D and D2H are engines of their own; one engine works one by one."""
    monkeypatch.setenv("ACLRT_FAKE_H2D_US", "20000")
    monkeypatch.setenv("ACLRT_FAKE_D2H_US", "20000")
    assert raw.aclrtSetDevice(0) == 0
    streams = [new_stream(raw) for _ in range(2)]

    def run(*copies: tuple[int, int, int]) -> float:
        start = time.monotonic()
        for stream, (dst, src, kind) in zip(streams, copies, strict=True):
            assert raw.aclrtMemcpyAsync(dst, 8, src, 8, kind, stream) == 0
        for stream in streams:
            assert raw.aclrtSynchronizeStream(stream) == 0
        return (time.monotonic() - start) * 1e3

    with (
        device_memory(raw, 8) as a,
        device_memory(raw, 8) as b,
        host_memory(raw, 8) as x,
        host_memory(raw, 8) as y,
    ):
        run((a, x, H2D), (y, b, D2H))
        assert 20 <= min(run((a, x, H2D), (y, b, D2H)) for _ in range(5)) < 36
        assert min(run((a, x, H2D), (b, y, H2D)) for _ in range(3)) >= 40
    for stream in streams:
        assert raw.aclrtDestroyStream(stream) == 0
    assert raw.aclrtResetDevice(0) == 0
