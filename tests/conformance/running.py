# SPDX-License-Identifier: Apache-2.0
"""What a client does around a model: device buffers, datasets, one execution."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np

from conformance import acl


def address(array: np.ndarray) -> int:
    """Where an array's bytes are."""
    return int(array.__array_interface__["data"][0])


class Buffers:
    """Device memory, data buffers and datasets; everything made here is freed here."""

    def __init__(self, lib: acl.Library) -> None:
        self.lib = lib
        self.memory: list[int] = []
        self.buffers: list[int] = []
        self.datasets: list[int] = []

    def alloc(self, size: int) -> int:
        """Device memory."""
        out = ctypes.c_void_p()
        assert self.lib.aclrtMalloc(ctypes.byref(out), size, acl.MALLOC_HUGE_FIRST) == 0
        assert out.value
        self.memory.append(out.value)
        return out.value

    def upload(self, array: np.ndarray) -> int:
        """Device memory that holds an array's bytes."""
        array = np.ascontiguousarray(array)
        target = self.alloc(max(array.nbytes, 1))
        self.write(target, array)
        return target

    def write(self, target: int, array: np.ndarray) -> None:
        """Host to device."""
        if array.nbytes:
            args = (target, array.nbytes, address(array), array.nbytes, acl.HOST_TO_DEVICE)
            assert self.lib.aclrtMemcpy(*args) == 0

    def read(self, source: int, like: np.ndarray) -> np.ndarray:
        """Device to host, as an array of the same dtype and shape."""
        array = np.empty_like(like)
        if array.nbytes:
            args = (address(array), array.nbytes, source, array.nbytes, acl.DEVICE_TO_HOST)
            assert self.lib.aclrtMemcpy(*args) == 0
        return array

    def buffer(self, data: int | None, size: int) -> int:
        """A data buffer."""
        handle = self.lib.aclCreateDataBuffer(data, size)
        assert handle
        self.buffers.append(handle)
        return int(handle)

    def dataset(self, *pieces: tuple[int | None, int]) -> int:
        """A dataset of (address, size)."""
        handle = self.lib.aclmdlCreateDataset()
        assert handle
        self.datasets.append(handle)
        for data, size in pieces:
            assert self.lib.aclmdlAddDatasetBuffer(handle, self.buffer(data, size)) == 0
        return int(handle)

    def close(self) -> None:
        """Frees all of it."""
        for handle in self.datasets:
            assert self.lib.aclmdlDestroyDataset(handle) == 0
        for handle in self.buffers:
            assert self.lib.aclDestroyDataBuffer(handle) == 0
        for data in self.memory:
            assert self.lib.aclrtFree(data) == 0
        self.memory, self.buffers, self.datasets = [], [], []

    def __enter__(self) -> Buffers:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()


def load(lib: acl.Library, om: bytes) -> int:
    """aclmdlLoadFromMem; the id."""
    model_id = ctypes.c_uint32()
    code = lib.aclmdlLoadFromMem(om, len(om), ctypes.byref(model_id))
    assert code == 0, lib.message()
    return model_id.value


def load_memory(lib: acl.Library, om: bytes) -> tuple[int, int]:
    """(code, id); the id is what the call wrote."""
    model_id = ctypes.c_uint32(77)
    code = lib.aclmdlLoadFromMem(om, len(om), ctypes.byref(model_id))
    return code, model_id.value


def execute(
    lib: acl.Library, model_id: int, feeds: Sequence[np.ndarray], likes: Sequence[np.ndarray]
) -> list[np.ndarray]:
    """One synchronous execution: copies in, runs, copies out."""
    with Buffers(lib) as device:
        sources = [(device.upload(feed), feed.nbytes) for feed in feeds]
        targets = [(device.alloc(max(like.nbytes, 1)), like.nbytes) for like in likes]
        code = lib.aclmdlExecute(model_id, device.dataset(*sources), device.dataset(*targets))
        assert code == 0, lib.message()
        return [device.read(where, like) for (where, _), like in zip(targets, likes, strict=True)]
