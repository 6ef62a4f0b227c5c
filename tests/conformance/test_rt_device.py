# SPDX-License-Identifier: Apache-2.0
"""Contract 6, 7 and 21.1: devices and contexts."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from typing import Any

import pytest

from conformance import acl

fake_only = pytest.mark.fake_only


def in_thread(work: Callable[[], Any]) -> Any:
    """What work returns in a thread of its own."""
    result: list[Any] = []
    thread = threading.Thread(target=lambda: result.append(work()))
    thread.start()
    thread.join()
    return result[0]


def current(lib: acl.Library) -> tuple[int, int | None]:
    """Code and handle of aclrtGetCurrentContext."""
    context = ctypes.c_void_p()
    code = lib.aclrtGetCurrentContext(ctypes.byref(context))
    return code, context.value


def device_count(lib: acl.Library) -> tuple[int, int]:
    """Code and value of aclrtGetDeviceCount; -1 where it was left alone."""
    count = ctypes.c_uint32(2**32 - 1)
    code = lib.aclrtGetDeviceCount(ctypes.byref(count))
    return code, ctypes.c_int32(count.value).value


def test_set_device_is_counted(raw: acl.Library) -> None:
    """RT-DEV-01 (6): as many resets as sets; one more is 507007; then the thread has no context."""
    assert raw.aclrtSetDevice(0) == 0
    assert raw.aclrtSetDevice(0) == 0
    assert raw.aclrtResetDevice(0) == 0
    assert current(raw)[0] == 0
    assert raw.aclrtResetDevice(0) == 0
    assert current(raw)[0] == 107002
    assert raw.aclrtResetDevice(0) == 507007


def test_reset_force_ignores_the_count(raw: acl.Library) -> None:
    """RT-DEV-02 (6): ResetDeviceForce ends it at once; again, or a plain reset, is 507007."""
    for _ in range(3):
        assert raw.aclrtSetDevice(0) == 0
    assert raw.aclrtResetDeviceForce(0) == 0
    assert raw.aclrtResetDeviceForce(0) == 507007
    assert raw.aclrtResetDevice(0) == 507007


@pytest.mark.parametrize("device", [-1, 1, 4096, -(2**31)])
def test_bad_device_id(lib: acl.Library, device: int) -> None:
    """RT-DEV-03 (6): ids outside the visible devices are 107001 and change nothing."""
    context = ctypes.c_void_p()
    assert lib.aclrtSetDevice(device) == 107001
    assert lib.aclrtResetDevice(device) == 107001
    assert lib.aclrtCreateContext(ctypes.byref(context), device) == 107001
    assert lib.aclrtQueryDeviceStatus(device, ctypes.byref(ctypes.c_int())) == 107001
    assert current(lib)[0] == 0


def test_reset_ends_the_context_of_other_threads(lib: acl.Library) -> None:
    """RT-DEV-04 (6): after the last reset the other threads get 107002 until they set anew."""
    go, reset, codes = threading.Event(), threading.Event(), []

    def work() -> None:
        lib.aclrtSetDevice(0)
        go.set()
        reset.wait(10)
        codes.append(current(lib)[0])
        lib.aclrtSetDevice(0)
        codes.append(current(lib)[0])

    thread = threading.Thread(target=work)
    thread.start()
    go.wait(10)
    assert lib.aclrtResetDevice(0) == 0
    assert lib.aclrtResetDevice(0) == 0
    reset.set()
    thread.join()
    assert codes == [107002, 0]


def test_new_thread_has_no_context(lib: acl.Library) -> None:
    """RT-DEV-05 (1.3): 107002 in a new thread; the primary context can be handed over."""
    _, primary = current(lib)
    assert in_thread(lambda: current(lib)[0]) == 107002
    assert in_thread(lambda: lib.aclrtGetDevice(ctypes.byref(ctypes.c_int32()))) == 107002
    given = in_thread(lambda: (lib.aclrtSetCurrentContext(primary), current(lib)))
    assert given == (0, (0, primary))


def test_explicit_context(lib: acl.Library) -> None:
    """RT-CTX-01 (7): CreateContext makes it current; after DestroyContext the thread has none."""
    _, primary = current(lib)
    context = ctypes.c_void_p()
    assert lib.aclrtCreateContext(ctypes.byref(context), 0) == 0
    assert current(lib) == (0, context.value)
    assert lib.aclrtDestroyContext(context) == 0
    assert current(lib)[0] == 107002
    assert lib.aclrtSetCurrentContext(primary) == 0


def test_destroy_context_errors(lib: acl.Library) -> None:
    """RT-CTX-02 (7): NULL 100000; primary, destroyed and unknown contexts 107002."""
    _, primary = current(lib)
    context = ctypes.c_void_p()
    assert lib.aclrtDestroyContext(None) == 100000
    assert lib.aclrtDestroyContext(primary) == 107002
    assert lib.aclrtCreateContext(ctypes.byref(context), 0) == 0
    assert lib.aclrtDestroyContext(context) == 0
    assert lib.aclrtDestroyContext(context) == 107002
    assert lib.aclrtDestroyContext(0x1234) == 107002


def test_set_current_context_errors(lib: acl.Library) -> None:
    """RT-CTX-03 (7): NULL 100000, a dead or foreign handle 107000; the current one stays."""
    _, primary = current(lib)
    context = ctypes.c_void_p()
    assert lib.aclrtSetCurrentContext(None) == 100000
    assert lib.aclrtGetCurrentContext(None) == 100000
    assert lib.aclrtCreateContext(None, 0) == 100000
    assert lib.aclrtCreateContext(ctypes.byref(context), 0) == 0
    assert lib.aclrtSetCurrentContext(primary) == 0
    assert lib.aclrtDestroyContext(context) == 0
    assert lib.aclrtSetCurrentContext(context) == 107000
    assert lib.aclrtSetCurrentContext(0xDEAD) == 107000
    assert current(lib) == (0, primary)


def test_explicit_context_drops_the_set_device_choice(lib: acl.Library) -> None:
    """RT-CTX-04 (1.3): destroying the explicit context does not fall back to the primary one."""
    context = ctypes.c_void_p()
    assert lib.aclrtCreateContext(ctypes.byref(context), 0) == 0
    assert lib.aclrtDestroyContext(context) == 0
    assert lib.aclrtCreateStream(ctypes.byref(ctypes.c_void_p())) == 107002
    assert lib.aclrtSetDevice(0) == 0
    assert current(lib)[0] == 0
    assert lib.aclrtResetDevice(0) == 0


def test_default_stream_and_primary_state(lib: acl.Library) -> None:
    """RT-CTX-05 (7): the default stream's handle; whether the primary context is active."""
    stream, active = ctypes.c_void_p(), ctypes.c_int32(-1)
    assert lib.aclrtCtxGetCurrentDefaultStream(ctypes.byref(stream)) == 0
    assert lib.aclrtSynchronizeStream(stream) == 0
    assert lib.aclrtGetPrimaryCtxState(0, None, ctypes.byref(active)) == 0
    assert active.value == 1
    assert lib.aclrtGetPrimaryCtxState(0, ctypes.byref(active), ctypes.byref(active)) == 100000
    assert lib.aclrtGetPrimaryCtxState(9, None, ctypes.byref(active)) == 107001


def test_system_options(lib: acl.Library) -> None:
    """RT-CTX-06 (7): get before set 107021, bad option 100000; context and process apart."""
    value = ctypes.c_int64()
    out = ctypes.byref(value)
    assert lib.aclrtCtxGetSysParamOpt(0, out) == 107021
    assert lib.aclrtCtxSetSysParamOpt(0, 5) == 0
    assert lib.aclrtCtxGetSysParamOpt(0, out) == 0
    assert value.value == 5
    assert lib.aclrtGetSysParamOpt(0, out) == 107021
    assert lib.aclrtSetSysParamOpt(3, 1) == 0
    assert lib.aclrtGetSysParamOpt(3, out) == 0
    assert lib.aclrtCtxSetSysParamOpt(3, 1) == 100000
    assert lib.aclrtSetSysParamOpt(4, 1) == 100000
    assert lib.aclrtSetSysParamOpt(-1, 1) == 100000


@fake_only
@pytest.mark.parametrize(
    ("visible", "expected"),
    [
        (None, (0, 4)),
        ("0", (0, 1)),
        ("1,3", (0, 2)),
        ("1, 2,3", (0, 1)),
        ("0,9", (0, 1)),
        ("", (207004, -1)),
        ("x", (207004, -1)),
        ("2,1", (207004, -1)),
        ("1,1", (207004, -1)),
    ],
)
def test_visible_devices(
    raw: acl.Library,
    monkeypatch: pytest.MonkeyPatch,
    visible: str | None,
    expected: tuple[int, int],
) -> None:
    """RT-DEV-06 (21.1): ASCEND_RT_VISIBLE_DEVICES renumbers, or makes count and set fail."""
    monkeypatch.setenv("ACLRT_FAKE_DEVICES", "4")
    if visible is None:
        monkeypatch.delenv("ASCEND_RT_VISIBLE_DEVICES", raising=False)
    else:
        monkeypatch.setenv("ASCEND_RT_VISIBLE_DEVICES", visible)
    assert device_count(raw) == expected
    assert raw.aclrtSetDevice(0) == (0 if expected[0] == 0 else 107001)
    if expected[0] == 0:
        assert raw.aclrtSetDevice(expected[1]) == 107001
        assert raw.aclrtResetDevice(0) == 0


@fake_only
@pytest.mark.parametrize(
    ("profile", "soc", "devices", "gib"),
    [
        ("atlas300i", b"Ascend310", 4, 8),
        ("atlas300i-pro", b"Ascend310P3", 1, 24),
        ("atlas300i-duo", b"Ascend310P3", 2, 48),
        ("null", b"Ascend310P3", 1, 24),
    ],
)
def test_profiles(
    raw: acl.Library,
    monkeypatch: pytest.MonkeyPatch,
    profile: str,
    soc: bytes,
    devices: int,
    gib: int,
) -> None:
    """RT-DEV-07 (6, boards): SoC name, number of devices and memory of the boards."""
    monkeypatch.setenv("ACLRT_FAKE_PROFILE", profile)
    free, total = ctypes.c_size_t(), ctypes.c_size_t()
    assert raw.aclrtGetSocName() == soc
    assert device_count(raw) == (0, devices)
    assert raw.aclrtSetDevice(devices - 1) == 0
    assert raw.aclrtGetMemInfo(0, ctypes.byref(free), ctypes.byref(total)) == 0
    assert free.value == total.value == gib << 30
    assert raw.aclrtResetDevice(devices - 1) == 0


@fake_only
def test_unknown_profile(raw: acl.Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """RT-DEV-08 (fake): an unknown board is an error that lists the known ones."""
    monkeypatch.setenv("ACLRT_FAKE_PROFILE", "atlas9000")
    assert raw.aclrtSetDevice(0) == 500000
    assert "atlas300i-pro" in raw.message()


def test_mem_info(lib: acl.Library) -> None:
    """RT-DEV-09 (6): classes 0..17, else 107016 even without a context; 107002; 100000."""
    free, total = ctypes.c_size_t(), ctypes.c_size_t()
    out = (ctypes.byref(free), ctypes.byref(total))
    assert lib.aclrtGetMemInfo(18, *out) == 107016
    assert lib.aclrtGetMemInfo(0, None, out[1]) == 100000
    assert in_thread(lambda: lib.aclrtGetMemInfo(-1, *out)) == 107016
    assert in_thread(lambda: lib.aclrtGetMemInfo(0, *out)) == 107002
    assert lib.aclrtGetMemInfo(1, *out) == 0
    assert (free.value, total.value) == (0, 0)
    before = ctypes.c_size_t()
    assert lib.aclrtGetMemInfo(0, ctypes.byref(before), out[1]) == 0
    pointer = ctypes.c_void_p()
    assert lib.aclrtMalloc(ctypes.byref(pointer), 1000, 0) == 0
    assert lib.aclrtGetMemInfo(0, *out) == 0
    assert before.value - free.value == 1024 + 32
    assert lib.aclrtFree(pointer) == 0


def test_saturation_mode(raw: acl.Library) -> None:
    """RT-DEV-10 (6): one value for the process, settable before everything else."""
    mode = ctypes.c_int(-1)
    assert raw.aclrtGetDeviceSatMode(ctypes.byref(mode)) == 0
    assert mode.value == 0
    assert raw.aclrtSetDeviceSatMode(1) == 0
    assert raw.aclrtSetDeviceSatMode(2) == 107000
    assert raw.aclrtGetDeviceSatMode(None) == 100000
    assert raw.aclrtGetDeviceSatMode(ctypes.byref(mode)) == 0
    assert mode.value == 1


def test_queries(lib: acl.Library) -> None:
    """RT-DEV-11 (6): run mode, status, capabilities, attributes, utilisation, task scheduler."""
    mode, status, value = ctypes.c_int(-1), ctypes.c_int(-1), ctypes.c_int64(-1)
    assert lib.aclrtGetRunMode(ctypes.byref(mode)) == 0
    assert mode.value == 1
    assert lib.aclrtGetRunMode(None) == 100000
    assert lib.aclrtQueryDeviceStatus(0, ctypes.byref(status)) == 0
    assert status.value == 0
    assert lib.aclGetDeviceCapability(0, 0, ctypes.byref(value)) == 0
    assert value.value == 8
    assert lib.aclGetDeviceCapability(7, 0, ctypes.byref(value)) == 100000
    assert lib.aclGetDeviceCapability(0, 3, ctypes.byref(value)) == 100000
    listed, count = ctypes.POINTER(ctypes.c_int)(), ctypes.c_size_t()
    assert lib.aclGetCannAttributeList(ctypes.byref(listed), ctypes.byref(count)) == 0
    assert listed[: count.value] == [0, 1, 2]
    assert lib.aclGetCannAttribute(3, ctypes.byref(ctypes.c_int32())) == 100000
    usage = (ctypes.c_int64 * 3)(0, 0, 0)
    assert lib.aclrtGetDeviceUtilizationRate(77, usage) == 0
    assert usage[0] == -1
    assert lib.aclrtSetTsDevice(1) == 0
    assert lib.aclrtSetTsDevice(2) == 100000
    assert lib.aclrtGetDeviceInfo(0, 0, ctypes.byref(value)) == 207000


@fake_only
def test_peer_access(raw: acl.Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """RT-DEV-12 (6): the same device 100000, flags 200006, no peers on these boards."""
    monkeypatch.setenv("ACLRT_FAKE_DEVICES", "2")
    can = ctypes.c_int32(-1)
    assert raw.aclrtSetDevice(0) == 0
    assert raw.aclrtDeviceCanAccessPeer(ctypes.byref(can), 0, 0) == 100000
    assert raw.aclrtDeviceCanAccessPeer(ctypes.byref(can), 0, 1) == 0
    assert can.value == 0
    assert raw.aclrtDeviceEnablePeerAccess(0, 0) == 100000
    assert raw.aclrtDeviceEnablePeerAccess(1, 1) == 200006
    assert raw.aclrtDeviceDisablePeerAccess(0) == 100000
    assert raw.aclrtResetDevice(0) == 0


@fake_only
def test_device_memory_goes_with_the_last_reset(raw: acl.Library) -> None:
    """RT-DEV-13 (11.1): memory is freed when the device is reset."""
    pointer = ctypes.c_void_p()
    assert raw.aclrtSetDevice(0) == 0
    assert raw.aclrtMalloc(ctypes.byref(pointer), 64, 0) == 0
    assert raw.live() == {"device_memory": 1}
    assert raw.aclrtResetDevice(0) == 0
    assert raw.live() == {}
    assert raw.aclrtFree(pointer) == 107000
