# SPDX-License-Identifier: Apache-2.0
"""``direct.cpp``, compiled into a run's folder with the C++ compiler and called by ctypes."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import timing

if TYPE_CHECKING:
    from numpy.typing import NDArray

HERE = Path(__file__).resolve().parent
CSRC = HERE.parents[1] / "csrc"


def build(folder: Path) -> Path:
    """The library; compiled if it is not there."""
    library = folder / "libbench.so"
    if library.exists():
        return library
    compiler = os.environ.get("CXX") or shutil.which("g++") or shutil.which("c++")
    if compiler is None:
        raise RuntimeError("no C++ compiler: install g++, or name one in CXX")
    part = library.with_suffix(f".{os.getpid()}")
    command = [compiler, "-std=c++17", "-O2", "-shared", "-fPIC", f"-I{CSRC}"]
    subprocess.run([*command, str(HERE / "direct.cpp"), "-ldl", "-o", str(part)], check=True)
    part.rename(library)
    return library


class Direct:
    """The C++ side, on one model."""

    def __init__(
        self, folder: Path, ascendcl: str, model: Path, arrays: Sequence[NDArray[Any]]
    ) -> None:
        """``arrays`` are the host's side: inputs, then outputs, in order."""
        dll = ctypes.CDLL(str(build(folder)))
        dll.bench_open.restype = ctypes.c_void_p
        dll.bench_open.argtypes = [ctypes.c_char_p] * 3
        dll.bench_direct.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
        dll.bench_naive.argtypes = [ctypes.c_void_p] * 3
        dll.bench_naive_release.argtypes = [ctypes.c_void_p] * 2
        dll.bench_naive_release.restype = None
        dll.bench_close.argtypes = [ctypes.c_void_p]
        error = ctypes.create_string_buffer(256)
        self.dll = dll
        self.handle = dll.bench_open(ascendcl.encode(), os.fsencode(model), error)
        if not self.handle:
            raise RuntimeError(f"the C++ loop cannot start: {error.value.decode()}")
        self._arrays = arrays
        addresses = [array.ctypes.data for array in arrays]
        dll.bench_use.argtypes = [ctypes.c_void_p] * 2
        dll.bench_use.restype = None
        dll.bench_use(self.handle, (ctypes.c_void_p * len(arrays))(*addresses))

    def run(self, n: int) -> float:
        """Seconds for n inferences straight on the C ABI."""
        begin = timing.clock()
        if self.dll.bench_direct(self.handle, n):
            raise RuntimeError("the C++ loop failed")
        return timing.clock() - begin

    def close(self) -> None:
        if self.dll.bench_close(self.handle):
            raise RuntimeError("the C++ loop left something behind")
