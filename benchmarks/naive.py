# SPDX-License-Identifier: Apache-2.0
"""How others call AscendCL: ais_bench's ``InferSession.infer``, and a pyACL-style script.

ais_bench is not on the package index and needs CANN's headers, so it is played: its Python half
here, its C++ half in ``native/direct.cpp``, after its published sources. For one inference it
makes 9 + 8 n_in + 17 n_out calls: 34 with one input and one output, 141 with eight and four.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np

from .native import Direct

H2D, D2H = 1, 2


class BaseTensor:
    """An address and a size, as aclruntime's class of this name."""

    __slots__ = ("buf", "size")

    def __init__(self, buf: int, size: int) -> None:
        self.buf = buf
        self.size = size


class InferSession:
    """``ais_bench.infer.interface.InferSession``, its ``infer`` alone, for static shapes."""

    def __init__(self, direct: Direct, outputs: Sequence[tuple[tuple[int, ...], Any]]) -> None:
        self._direct = direct
        self._outputs = [
            (ctypes.c_char * int(np.prod(shape) * np.dtype(dtype).itemsize), np.dtype(dtype), shape)
            for shape, dtype in outputs
        ]
        self._hosts_type = ctypes.c_void_p * len(outputs)
        self._static = False

    def infer(self, feeds: Sequence[np.ndarray], mode: str = "static") -> list[np.ndarray]:
        inputs, shapes = [], []
        for feed in feeds:
            if type(feed) is not np.ndarray:
                raise RuntimeError("only arrays are played here")
            array = feed if feed.flags.c_contiguous else np.ascontiguousarray(feed)
            shapes.append(array.shape)
            inputs.append(array)
        if mode == "static":
            self._static = True
        return self._run(inputs)

    def _run(self, feeds: list[np.ndarray]) -> list[np.ndarray]:
        tensors = [BaseTensor(a.__array_interface__["data"][0], a.nbytes) for a in feeds]
        addresses = (ctypes.c_void_p * len(tensors))(*[tensor.buf for tensor in tensors])
        hosts = self._hosts_type()
        direct = self._direct
        if direct.dll.bench_naive(direct.handle, addresses, hosts):
            raise RuntimeError("execute failed")
        results = []
        for host, (kind, dtype, shape) in zip(hosts, self._outputs, strict=True):
            view = np.frombuffer(kind.from_address(host), dtype).reshape(shape)
            results.append(np.array(view))
            direct.dll.bench_naive_release(direct.handle, host)
        return results


class PyaclScript:
    """What tutorials show, call by call from Python (through ctypes): memory, data buffers and
    datasets are made for each inference and destroyed after it."""

    def __init__(self, ascendcl: str, model: str) -> None:
        self.acl = acl = ctypes.CDLL(ascendcl)
        void, size = ctypes.c_void_p, ctypes.c_size_t
        for name, result, arguments in (
            ("aclrtSetDevice", ctypes.c_int, [ctypes.c_int]),
            ("aclrtResetDevice", ctypes.c_int, [ctypes.c_int]),
            ("aclrtMalloc", ctypes.c_int, [void, size, ctypes.c_int]),
            ("aclrtFree", ctypes.c_int, [void]),
            ("aclrtMemcpy", ctypes.c_int, [void, size, void, size, ctypes.c_int]),
            ("aclCreateDataBuffer", void, [void, size]),
            ("aclDestroyDataBuffer", ctypes.c_int, [void]),
            ("aclmdlCreateDataset", void, []),
            ("aclmdlDestroyDataset", ctypes.c_int, [void]),
            ("aclmdlAddDatasetBuffer", ctypes.c_int, [void, void]),
            ("aclmdlExecute", ctypes.c_int, [ctypes.c_uint32, void, void]),
            ("aclmdlLoadFromFile", ctypes.c_int, [ctypes.c_char_p, void]),
            ("aclmdlUnload", ctypes.c_int, [ctypes.c_uint32]),
        ):
            function = getattr(acl, name)
            function.restype, function.argtypes = result, arguments
        self._ok(acl.aclrtSetDevice(0))
        number = ctypes.c_uint32()
        self._ok(acl.aclmdlLoadFromFile(model.encode(), ctypes.byref(number)))
        self.model = number.value

    @staticmethod
    def _ok(code: int) -> None:
        if code:
            raise RuntimeError(f"AscendCL: {code}")

    def _dataset(self, sizes: Sequence[int]) -> tuple[int, list[tuple[int, int]]]:
        acl, dataset, made = self.acl, self.acl.aclmdlCreateDataset(), []
        for size in sizes:
            memory = ctypes.c_void_p()
            self._ok(acl.aclrtMalloc(ctypes.byref(memory), size, 0))
            buffer = acl.aclCreateDataBuffer(memory, size)
            self._ok(acl.aclmdlAddDatasetBuffer(dataset, buffer))
            made.append((memory.value or 0, buffer))
        return dataset, made

    def infer(
        self, feeds: Sequence[np.ndarray], outputs: Sequence[tuple[tuple[int, ...], Any]]
    ) -> list[np.ndarray]:
        acl = self.acl
        source, given = self._dataset([feed.nbytes for feed in feeds])
        results = [np.empty(shape, dtype) for shape, dtype in outputs]
        target, made = self._dataset([result.nbytes for result in results])
        for feed, (memory, _) in zip(feeds, given, strict=True):
            self._ok(acl.aclrtMemcpy(memory, feed.nbytes, feed.ctypes.data, feed.nbytes, H2D))
        self._ok(acl.aclmdlExecute(self.model, source, target))
        for result, (memory, _) in zip(results, made, strict=True):
            n = result.nbytes
            self._ok(acl.aclrtMemcpy(result.ctypes.data, n, memory, n, D2H))
        for dataset, buffers in ((source, given), (target, made)):
            for memory, buffer in buffers:
                self._ok(acl.aclDestroyDataBuffer(buffer))
                self._ok(acl.aclrtFree(memory))
            self._ok(acl.aclmdlDestroyDataset(dataset))
        return results

    def close(self) -> None:
        self._ok(self.acl.aclmdlUnload(self.model))
        self._ok(self.acl.aclrtResetDevice(0))
