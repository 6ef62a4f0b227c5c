# SPDX-License-Identifier: Apache-2.0
"""Scenes about memory: allocation, freeing, copies and sets."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

from conformance.misuse import NOWHERE, Stage, right, wrong

H2H, H2D, D2H, D2D, DEFAULT = 0, 1, 2, 3, 4


def _own(s: Stage, size: int = 64) -> int:
    """Memory of the client."""
    memory = ctypes.create_string_buffer(size)
    s.kept.append(memory)
    return ctypes.addressof(memory)


# ---- freeing ------------------------------------------------------------------------------------


@wrong("MEM-01")
def free_in_flight(s: Stage) -> None:
    memory, gate = s.device_memory(), s.hold(None)
    s.ok("aclrtMemsetAsync", memory, 64, 1, 64, None)
    s.ok("aclrtFree", memory)
    assert s.release(gate, None) == 507899


@wrong("MEM-02")
def free_host_in_flight(s: Stage) -> None:
    device, host, gate = s.device_memory(), s.host_memory(), s.hold(None)
    s.ok("aclrtMemcpyAsync", device, 64, host, 64, H2D, None)
    s.ok("aclrtFreeHost", host)
    assert s.release(gate, None) == 0


@right("MEM-01", "MEM-02")
def free_after_synchronise(s: Stage) -> None:
    device, host, gate = s.device_memory(), s.host_memory(), s.hold(None)
    s.ok("aclrtMemcpyAsync", device, 64, host, 64, H2D, None)
    assert s.release(gate, None) == 0
    s.ok("aclrtFreeHost", host)
    s.ok("aclrtFree", device)


@wrong("MEM-03")
def free_twice(s: Stage) -> None:
    memory = s.device_memory()
    s.ok("aclrtFree", memory)
    s.gives(107000, "aclrtFree", memory)


@wrong("MEM-04")
def free_host_twice(s: Stage) -> None:
    memory = s.host_memory()
    s.ok("aclrtFreeHost", memory)
    s.gives(107000, "aclrtFreeHost", memory)


@wrong("MEM-05", times=2)
def free_inside(s: Stage) -> None:
    s.gives(107000, "aclrtFree", s.device_memory() + 32)
    s.gives(107000, "aclrtFreeHost", s.host_memory() + 32)


@wrong("MEM-06")
def free_host_as_device(s: Stage) -> None:
    s.gives(107000, "aclrtFree", s.host_memory())


@wrong("MEM-07")
def free_device_as_host(s: Stage) -> None:
    s.gives(107000, "aclrtFreeHost", s.device_memory())


@wrong("MEM-08")
def free_dvpp_memory(s: Stage) -> None:
    s.gives(107000, "aclrtFree", s.made("acldvppMalloc", 64))


@wrong("MEM-09")
def free_by_dvpp(s: Stage) -> None:
    s.gives(107000, "acldvppFree", s.device_memory())


@wrong("MEM-10", times=2)
def free_foreign(s: Stage) -> None:
    s.gives(107000, "aclrtFree", _own(s))
    s.gives(107000, "aclrtFreeHost", NOWHERE)


@right("MEM-03", "MEM-04", "MEM-05", "MEM-06", "MEM-07", "MEM-08", "MEM-09", "MEM-10")
def free_each_its_way(s: Stage) -> None:
    s.ok("aclrtFree", s.device_memory())
    s.ok("aclrtFreeHost", s.host_memory())
    s.ok("acldvppFree", s.made("acldvppMalloc", 64))


def _overwrite(address: int, byte: bytes) -> None:
    """Writes to device memory past the fake: through the file behind the mapping."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        span, _, offset, _, inode, *name = line.split(maxsplit=5)
        start, end = (int(part, 16) for part in span.split("-"))
        if start <= address < end and "aclrt-fake-device-memory" in name[0]:
            for fd in Path("/proc/self/fd").iterdir():
                if str(fd.stat().st_ino if fd.exists() else "") == inode:
                    os.pwrite(int(fd.name), byte, int(offset, 16) + address - start)
                    return
    raise AssertionError("no memory file")


@wrong("MEM-11")
def write_beyond(s: Stage) -> None:
    memory = s.made("aclrtMallocAlign32", 64, 0)
    _overwrite(memory + 64, b"!")
    s.ok("aclrtFree", memory)


@right("MEM-11")
def write_inside(s: Stage) -> None:
    memory = s.made("aclrtMallocAlign32", 64, 0)
    _overwrite(memory + 63, b"!")
    s.ok("aclrtFree", memory)


def _register(s: Stage, memory: int) -> int:
    return int(s.lib.aclrtHostRegister(memory, 64, 0, ctypes.byref(ctypes.c_void_p())))


@wrong("MEM-12")
def register_twice(s: Stage) -> None:
    memory = _own(s)
    assert _register(s, memory) == 0
    assert _register(s, memory) == 507910
    s.ok("aclrtHostUnregister", memory)


@wrong("MEM-13")
def unregister_nothing(s: Stage) -> None:
    s.gives(507911, "aclrtHostUnregister", _own(s))


@right("MEM-12", "MEM-13")
def register_once(s: Stage) -> None:
    memory = _own(s)
    assert _register(s, memory) == 0
    s.ok("aclrtHostUnregister", memory)


# ---- copies and sets ----------------------------------------------------------------------------


def _copy(s: Stage, dst: int, src: int, kind: int, size: int = 64, room: int = 64) -> int:
    return int(s.lib.aclrtMemcpy(dst, room, src, size, kind))


@wrong("CPY-01")
def beyond_target(s: Stage) -> None:
    assert _copy(s, s.device_memory(), _own(s), H2D, 64, 32) == 107000


@wrong("CPY-02")
def set_beyond(s: Stage) -> None:
    s.gives(107000, "aclrtMemset", s.device_memory(), 32, 0, 64)


@wrong("CPY-03")
def host_as_device(s: Stage) -> None:
    assert _copy(s, _own(s), _own(s), H2D) == 107000


@wrong("CPY-04")
def device_as_host(s: Stage) -> None:
    assert _copy(s, s.device_memory(), s.device_memory(), H2D) == 107000


@wrong("CPY-05")
def copy_freed(s: Stage) -> None:
    memory = s.device_memory()
    s.ok("aclrtFree", memory)
    assert _copy(s, _own(s), memory, D2H) == 107000


@wrong("CPY-06", times=3)
def copy_beyond(s: Stage) -> None:
    device, host = s.device_memory(), s.host_memory()
    assert _copy(s, device, _own(s, 256), H2D, 256, 256) == 107000
    assert _copy(s, host, s.device_memory(256), D2H, 256, 256) == 107000
    s.gives(107000, "aclrtMemset", device, 256, 0, 256)


@wrong("CPY-07")
def copy_overlapping(s: Stage) -> None:
    memory = s.device_memory(128)
    assert _copy(s, memory + 32, memory, D2D) == 0


@wrong("CPY-08")
def copy_on_other_device(s: Stage) -> None:
    memory = s.device_memory()
    s.ok("aclrtSetDevice", 1)
    assert _copy(s, memory, _own(s), H2D) == 0


@wrong("CPY-09")
def queue_host_copy(s: Stage) -> None:
    s.gives(207000, "aclrtMemcpyAsync", s.host_memory(), 64, s.host_memory(), 64, H2H, None)


@wrong("CPY-10", times=2)
def set_own_memory(s: Stage) -> None:
    memory = _own(s)
    s.gives(107000, "aclrtMemset", memory, 64, 0, 64)
    s.ok("aclrtMemsetAsync", memory, 64, 0, 64, None)
    s.gives(507899, "aclrtSynchronizeStream", None)


@wrong("CPY-11", times=2)
def pageable(s: Stage) -> None:
    memory, own = s.device_memory(), _own(s)
    s.gives(107000, "aclrtMemcpyAsyncWithCondition", memory, 64, own, 64, H2D, None)
    s.gives(107000, "aclrtMemcpyAsync", memory, 64, own, 64, DEFAULT, None)


@right(*(f"CPY-{number:02}" for number in range(1, 12)))
def copies(s: Stage) -> None:
    device, other, host, own = s.device_memory(), s.device_memory(128), s.host_memory(), _own(s)
    assert _copy(s, device, own, H2D) == 0
    assert _copy(s, own, device, D2H) == 0
    assert _copy(s, other + 64, device, D2D) == 0
    assert _copy(s, other, other + 64, D2D) == 0
    assert _copy(s, host, own, H2H) == 0
    for pair in ((device, host), (host, device), (other, device)):
        s.ok("aclrtMemcpyAsync", pair[0], 64, pair[1], 64, DEFAULT, None)
    s.ok("aclrtMemcpyAsyncWithCondition", device, 64, host, 64, H2D, None)
    s.ok("aclrtMemsetAsync", host, 64, 0, 64, None)
    s.ok("aclrtSynchronizeStream", None)
    s.ok("aclrtMemset", host, 64, 0, 64)
    s.ok("aclrtMemset", device, 64, 0, 64)
    s.ok("aclrtFree", device)
    s.ok("aclrtFree", other)
    s.ok("aclrtFreeHost", host)
