# SPDX-License-Identifier: Apache-2.0
"""Child process of test_cycles.py: loads, runs and unloads a model again and again by the C ABI.

``python cycles.py LIBRARY ONNXRUNTIME MODEL.om CYCLES`` prints one JSON object: resident bytes at
100 moments, and what the ledger says at the end.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys

SAMPLES = 100
HOST_TO_DEVICE, DEVICE_TO_HOST = 1, 2


def resident() -> int:
    """Bytes of this process in memory."""
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - nothing imported
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


class Failure(Exception):
    """A call that did not return 0."""


def main(library: str, onnxruntime: str, model: str, cycles: int) -> None:
    """Prints the record."""
    dll = ctypes.CDLL(library)
    dll.aclfake_set_onnxruntime(onnxruntime.encode())
    dll.aclCreateDataBuffer.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    dll.aclfake_ledger_json.restype = ctypes.c_size_t
    for name in ("aclmdlCreateDesc", "aclmdlCreateDataset", "aclCreateDataBuffer"):
        getattr(dll, name).restype = ctypes.c_void_p
    for name in ("aclmdlGetInputSizeByIndex", "aclmdlGetOutputSizeByIndex"):
        getattr(dll, name).restype = ctypes.c_size_t

    def check(name: str, *arguments: object) -> None:
        code = getattr(dll, name)(*arguments)
        if code != 0:
            raise Failure(f"{name}: {code}")

    def size_of(name: str, desc: ctypes.c_void_p) -> ctypes.c_size_t:
        return ctypes.c_size_t(getattr(dll, name)(desc, ctypes.c_size_t(0)))

    def buffer(size: ctypes.c_size_t) -> list[ctypes.c_void_p]:
        memory = ctypes.c_void_p()
        check("aclrtMalloc", ctypes.byref(memory), size, 0)
        data = ctypes.c_void_p(dll.aclCreateDataBuffer(memory, size))
        dataset = ctypes.c_void_p(dll.aclmdlCreateDataset())
        check("aclmdlAddDatasetBuffer", dataset, data)
        return [memory, data, dataset]

    def cycle() -> None:
        model_id = ctypes.c_uint32()
        check("aclmdlLoadFromFile", model.encode(), ctypes.byref(model_id))
        desc = ctypes.c_void_p(dll.aclmdlCreateDesc())
        check("aclmdlGetDesc", desc, model_id)
        given = size_of("aclmdlGetInputSizeByIndex", desc)
        taken = size_of("aclmdlGetOutputSizeByIndex", desc)
        source, target = buffer(given), buffer(taken)
        host = ctypes.create_string_buffer(max(given.value, taken.value))
        check("aclrtMemcpy", source[0], given, host, given, HOST_TO_DEVICE)
        check("aclmdlExecute", model_id, source[2], target[2])
        check("aclrtMemcpy", host, taken, target[0], taken, DEVICE_TO_HOST)
        for memory, data, dataset in (source, target):
            check("aclmdlDestroyDataset", dataset)
            check("aclDestroyDataBuffer", data)
            check("aclrtFree", memory)
        check("aclmdlDestroyDesc", desc)
        check("aclmdlUnload", model_id)

    check("aclInit", None)
    check("aclrtSetDevice", 0)
    samples = []
    for index in range(cycles):
        cycle()
        if (index + 1) % (cycles // SAMPLES) == 0:
            samples.append(resident())
    check("aclrtResetDevice", 0)
    check("aclFinalize")
    text = ctypes.create_string_buffer(1 << 20)
    dll.aclfake_ledger_json(text, ctypes.c_size_t(len(text)))
    ledger = json.loads(text.value)
    print(
        json.dumps(
            {
                "samples": samples,
                "live": ledger["live"],
                "live_bytes": sum(kind["live_bytes"] for kind in ledger["objects"].values()),
                "executes": ledger["calls"]["aclmdlExecute"],
                "guards_damaged": ledger["guards_damaged"],
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
