# SPDX-License-Identifier: Apache-2.0
"""Scenes about models: loading, datasets, executing, unloading."""

from __future__ import annotations

import ctypes
import os
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from conformance import acl, files, running, small
from conformance.misuse import Stage, right, wrong

SIZE = 24  # of the input and of the output of small.double()


@dataclass
class Ready:
    """A model with an input and an output of its own."""

    s: Stage
    model: int
    device: running.Buffers
    source: int
    target: int
    inputs: int
    outputs: int

    def run(self, inputs: int | None = None, outputs: int | None = None) -> int:
        """aclmdlExecute."""
        lib = self.s.lib
        return int(lib.aclmdlExecute(self.model, inputs or self.inputs, outputs or self.outputs))

    def queue(self, stream: int | None) -> int:
        """aclmdlExecuteAsync."""
        return int(self.s.lib.aclmdlExecuteAsync(self.model, self.inputs, self.outputs, stream))


@contextmanager
def ready(s: Stage, om: bytes | None = None, size: int = SIZE) -> Iterator[Ready]:
    """Loads and frees; whoever unloads sets the model to 0."""
    model = s.model(om)
    with s.buffers() as device:
        source, target = device.alloc(size), device.alloc(size)
        s.ok("aclrtMemset", source, size, 0, size)
        inputs, outputs = device.dataset((source, size)), device.dataset((target, size))
        made = Ready(s, model, device, source, target, inputs, outputs)
        yield made
    if made.model:
        s.ok("aclmdlUnload", made.model)


# ---- loading ------------------------------------------------------------------------------------


@wrong("MDL-01")
def no_body(s: Stage) -> None:
    assert running.load_memory(s.lib, files.without_body(small.double()))[0] == 545002


@wrong("MDL-02")
def body_of_the_future(s: Stage) -> None:
    om = small.double()
    om = files.patched(om, files.content_of(om, 0x4E4F4158)[0] + 8, "<I", 99)
    assert running.load_memory(s.lib, om)[0] == 545002


def _load_with(s: Stage, om: bytes, name: str, value: str) -> int:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        return running.load_memory(s.lib, om)[0]
    finally:
        os.environ.pop(name)
        if before is not None:
            os.environ[name] = before


@wrong("MDL-03")
def no_such_engine(s: Stage) -> None:
    assert _load_with(s, small.double(), "ACLRT_FAKE_ENGINE", "synthetik") == 545002


@wrong("MDL-04")
def another_body(s: Stage) -> None:
    other = small.two_in_two_out()
    at, size = files.content_of(other, 0x4E4F4158)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.onnx"
        path.write_bytes(other[at + 24 : at + size])
        om = files.without_body(small.double())
        assert _load_with(s, om, "ACLRT_FAKE_ONNX", str(path)) == 545002


@right("MDL-01", "MDL-02", "MDL-03", "MDL-04")
def whole_file(s: Stage) -> None:
    s.ok("aclmdlUnload", s.model())


def _given(s: Stage, work: int | None, weights: int | None, room: int) -> int:
    om, model = small.double(), ctypes.c_uint32()
    code = s.lib.aclmdlLoadFromMemWithMem(
        om, len(om), ctypes.byref(model), work, room, weights, room
    )
    if code == 0:
        s.kept.append(model.value)
    return int(code)


def _sizes(s: Stage) -> tuple[int, int]:
    om, work, weights = small.double(), ctypes.c_size_t(), ctypes.c_size_t()
    s.ok("aclmdlQuerySizeFromMem", om, len(om), ctypes.byref(work), ctypes.byref(weights))
    return work.value, weights.value


@wrong("MEM-14")
def host_work_memory(s: Stage) -> None:
    assert max(_sizes(s)) > 0
    memory = s.host_memory(1 << 20)
    assert _given(s, memory, None, 1 << 20) == 145000


@right("MEM-14", "RUN-05")
def given_memory(s: Stage) -> None:
    memory = s.device_memory(1 << 20)
    assert _given(s, memory, None, 1 << 20) == 0
    with s.buffers() as device:
        pieces = [(device.alloc(SIZE), SIZE) for _ in range(2)]
        sets = [device.dataset(piece) for piece in pieces]
        s.ok("aclmdlExecute", s.kept[-1], *sets)
    s.ok("aclmdlUnload", s.kept[-1])
    s.ok("aclrtFree", memory)


@wrong("RUN-05")
def given_memory_freed(s: Stage) -> None:
    memory = s.device_memory(1 << 20)
    assert _given(s, memory, None, 1 << 20) == 0
    s.ok("aclrtFree", memory)
    with s.buffers() as device:
        pieces = [(device.alloc(SIZE), SIZE) for _ in range(2)]
        sets = [device.dataset(piece) for piece in pieces]
        s.gives(507011, "aclmdlExecute", s.kept[-1], *sets)


# ---- ids and unloading --------------------------------------------------------------------------


@wrong("MDL-05")
def invented_id(s: Stage) -> None:
    s.gives(145003, "aclmdlUnload", 4_000_000_000)


@wrong("MDL-06")
def use_unloaded(s: Stage) -> None:
    with ready(s) as r:
        s.ok("aclmdlUnload", r.model)
        assert r.run() == 145003
        r.model = 0


@wrong("MDL-07")
def unload_twice(s: Stage) -> None:
    model = s.model()
    s.ok("aclmdlUnload", model)
    s.gives(145003, "aclmdlUnload", model)


def _busy(r: Ready) -> threading.Thread:
    """A thread that executes, seen to be inside."""
    context = r.s.made("aclrtGetCurrentContext")

    def work() -> None:
        r.s.ok("aclrtSetCurrentContext", context)
        assert r.run() == 0

    thread = threading.Thread(target=work)
    thread.start()
    while not r.s.lib.ledger()["state"]["executing"]:
        assert thread.is_alive()
    return thread


SIDE = 512


def _slow(s: Stage) -> bytes:
    return small.slow(40, SIDE)


@wrong("MDL-08")
def unload_while_running(s: Stage) -> None:
    with ready(s, _slow(s), SIDE * SIDE * 4) as r:
        thread = _busy(r)
        s.ok("aclmdlUnload", r.model)
        thread.join()
        r.model = 0


@wrong("RUN-01")
def run_twice_at_once(s: Stage) -> None:
    with ready(s, _slow(s), SIDE * SIDE * 4) as r:
        thread = _busy(r)
        assert r.run() == 500002
        thread.join()


@right("MDL-08", "RUN-01")
def one_after_the_other(s: Stage) -> None:
    with ready(s, _slow(s), SIDE * SIDE * 4) as r:
        _busy(r).join()
        assert r.run() == 0


@wrong("MDL-09")
def unload_queued(s: Stage) -> None:
    with ready(s) as r:
        gate = s.hold(None)
        assert r.queue(None) == 0
        s.ok("aclmdlUnload", r.model)
        assert s.release(gate, None) == 507011
        r.model = 0


@wrong("MDL-10")
def unload_elsewhere(s: Stage) -> None:
    primary, model = s.made("aclrtGetCurrentContext"), s.model()
    context = s.made("aclrtCreateContext", 0)
    s.ok("aclmdlUnload", model)
    s.ok("aclrtDestroyContext", context)
    s.ok("aclrtSetCurrentContext", primary)


@right("MDL-05", "MDL-06", "MDL-07", "MDL-09", "MDL-10", "RUN-02", "RUN-03", "RUN-04")
def queue_and_unload(s: Stage) -> None:
    stream = s.stream()
    with ready(s) as r:
        gate = s.hold(None)
        assert [r.queue(None), r.queue(None)] == [0, 0]
        assert s.release(gate, None) == 0
        assert r.queue(stream) == 0
        s.ok("aclrtSynchronizeStream", stream)
    s.ok("aclrtDestroyStream", stream)


# ---- executing ----------------------------------------------------------------------------------


@wrong("RUN-02")
def two_streams(s: Stage) -> None:
    stream = s.stream()
    with ready(s) as r:
        gate = s.hold(None)
        assert [r.queue(None), r.queue(stream)] == [0, 0]
        s.ok("aclrtSynchronizeStream", stream)
        assert s.release(gate, None) == 0


@wrong("RUN-03")
def both_forms(s: Stage) -> None:
    with ready(s) as r:
        assert r.run() == 0
        assert r.queue(None) == 500002


@wrong("RUN-04")
def run_elsewhere(s: Stage) -> None:
    with ready(s) as r:
        primary = s.made("aclrtGetCurrentContext")
        context = s.made("aclrtCreateContext", 0)
        assert r.run() == 107004
        s.ok("aclrtDestroyContext", context)
        s.ok("aclrtSetCurrentContext", primary)


def _run_with(s: Stage, code: int, pieces: Sequence[tuple[int | None, int]]) -> None:
    with ready(s) as r:
        assert r.run(r.device.dataset(*pieces)) == code


@wrong("BUF-05")
def empty_input(s: Stage) -> None:
    _run_with(s, 500002, [(None, 0)])


@wrong("BUF-06")
def small_output(s: Stage) -> None:
    om = small.slow(2, 16)
    with ready(s, om, 16 * 16 * 4) as r:
        assert r.run(None, r.device.dataset((r.target, 16 * 16 * 4 - 65))) == 500002


@wrong("BUF-07")
def host_input(s: Stage) -> None:
    memory = np.zeros(6, np.float32)
    s.kept.append(memory)
    _run_with(s, 507011, [(running.address(memory), SIZE)])


@wrong("BUF-08")
def freed_input(s: Stage) -> None:
    with ready(s) as r:
        memory = s.device_memory()
        s.ok("aclrtFree", memory)
        assert r.run(r.device.dataset((memory, SIZE))) == 507011


@wrong("BUF-09")
def input_of_other_device(s: Stage) -> None:
    primary = s.made("aclrtGetCurrentContext")
    s.ok("aclrtSetDevice", 1)
    memory = s.device_memory()
    s.ok("aclrtSetCurrentContext", primary)
    _run_with(s, 507011, [(memory, SIZE)])


@wrong("BUF-10")
def input_too_long(s: Stage) -> None:
    _run_with(s, 507011, [(s.made("aclrtMallocAlign32", 32, 0) + 16, SIZE)])


@right("BUF-05", "BUF-06", "BUF-07", "BUF-08", "BUF-09", "BUF-10")
@right("DSC-06", "DSC-07", "SET-05", "SET-07", "SET-08", "SET-09")
def execute(s: Stage) -> None:
    with ready(s) as r:
        desc = s.lib.aclCreateTensorDesc(acl.FLOAT, 2, (ctypes.c_int64 * 2)(2, 3), 2)
        s.ok("aclmdlSetDatasetTensorDesc", r.inputs, desc, 0)
        s.lib.aclDestroyTensorDesc(desc)
        assert r.run() == 0
        large, memory = s.device_memory(256), s.device_memory()
        assert r.run(r.device.dataset((large, 256)), r.device.dataset((memory, 1 << 6))) == 0
        s.ok("aclrtFree", memory)
        s.ok("aclrtFree", large)


def _with_dims(s: Stage, dims: Sequence[int]) -> None:
    with ready(s) as r:
        values = (ctypes.c_int64 * len(dims))(*dims)
        desc = s.lib.aclCreateTensorDesc(acl.FLOAT, len(dims), values, 2)
        s.ok("aclmdlSetDatasetTensorDesc", r.inputs, desc, 0)
        s.lib.aclDestroyTensorDesc(desc)
        assert r.run() == 0


@wrong("DSC-06")
def other_rank(s: Stage) -> None:
    _with_dims(s, [6])


@wrong("DSC-07")
def other_dims(s: Stage) -> None:
    _with_dims(s, [3, 2])


@wrong("SET-05")
def buffer_destroyed(s: Stage) -> None:
    with ready(s) as r:
        s.ok("aclDestroyDataBuffer", r.device.buffers.pop())
        assert r.run() == 100000


@wrong("SET-07")
def too_many_inputs(s: Stage) -> None:
    with ready(s) as r:
        piece = (r.source, SIZE)
        assert r.run(r.device.dataset(piece, piece)) == 500002


@wrong("SET-08")
def no_outputs(s: Stage) -> None:
    with ready(s) as r:
        assert r.run(None, r.device.dataset()) == 500002


@wrong("SET-09")
def output_over_input(s: Stage) -> None:
    with ready(s) as r:
        assert r.run(None, r.device.dataset((r.source, SIZE))) == 0
