# SPDX-License-Identifier: Apache-2.0
"""What a worker calls: one run, a run on data that lies on the device, or a run in flight."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import dtypes
from .._ffi import ffi, lib, raise_for
from .._flight import depth_of
from ..device_tensor import DeviceTensor
from ..errors import InputError

if TYPE_CHECKING:
    from concurrent.futures import Future

    from numpy.typing import NDArray

    from ..model import OfflineModel
    from ..result import Result
    from .loops import Step

__all__ = ["InFlight", "on_device", "one_by_one"]

Feed = Mapping[str, "NDArray[Any]"]
OnDone = Callable[["Future[Result]"], object]


def _arguments(model: OfflineModel, rows: Sequence[Feed]) -> list[Any]:
    """Arrays in order where they are known: the quickest way in."""
    names = [spec.name for spec in model.inputs]
    known = all(set(row) == set(names) for row in rows)
    return [tuple(row[n] for n in names) if known else (row,) for row in rows]


def one_by_one(model: OfflineModel, rows: Sequence[Feed]) -> Step:
    """One inference with the feed whose turn it is."""
    arguments = _arguments(model, rows)
    if len(arguments) == 1:
        only = arguments[0]
        return lambda number: model(*only)
    size = len(arguments)
    return lambda number: model(*arguments[number % size])


def on_device(model: OfflineModel, rows: Sequence[Feed], stack: ExitStack) -> Step:
    """One execution on data that lies on the device, without a copy.

    Args:
        model: The model.
        rows: The feeds; they are copied to the device once.
        stack: Frees the device memory.

    Returns:
        The step.

    Raises:
        InputError: The outputs' shapes are known only after a run.
    """
    outputs = _outputs_of_known_size(model, rows)
    held = _Frame(model, outputs, stack)
    frames = [_Frame(model, [row[spec.name] for spec in model.inputs], stack) for row in rows]
    size, handle = len(frames), model._handle

    def step(number: int) -> None:
        frame = frames[number % size]
        raise_for(
            lib.aclrt_model_run_shaped(
                *(handle, frame.buffers, frame.dims, frame.count),
                *(held.buffers, held.count, ffi.NULL),
            )
        )

    return step


class _Frame:
    """Arrays in device memory, as a run takes them."""

    def __init__(
        self,
        model: OfflineModel,
        arrays: Sequence[NDArray[Any]],
        stack: ExitStack,
    ) -> None:
        self.count = len(arrays)
        self.buffers = ffi.new("aclrt_buffer_t[]", self.count)
        self.dims = ffi.new("aclrt_dims_t[]", self.count)
        self._kept: list[Any] = []
        for place, array in enumerate(arrays):
            data = dtypes.pack(array) if dtypes.is_packed(array.dtype) else array
            raw = ffi.new("aclrt_memory_t **")
            raise_for(lib.aclrt_memory_alloc(model.device.id, data.nbytes, 0, raw))
            memory = raw[0]
            stack.callback(lib.aclrt_memory_release, memory)
            info = ffi.new("aclrt_memory_info_t *")
            raise_for(lib.aclrt_memory_info(memory, info))
            flat = np.ascontiguousarray(data).view(np.uint8).reshape(-1)
            raise_for(lib.aclrt_memory_copy_in(memory, 0, ffi.from_buffer(flat), flat.nbytes))
            buffer = self.buffers[place]
            buffer.data, buffer.nbytes, buffer.memory = info.data, data.nbytes, memory
            shape = ffi.new("int64_t[]", array.shape or (0,))
            self._kept.append(shape)
            self.dims[place].dims, self.dims[place].rank = shape, array.ndim


class InFlight:
    """Runs of one model that overlap.

    Args:
        model: The model.
        rows: The feeds, which runs take in turn.
        in_flight: Runs at a time, for each instance of the model.
        instances: Of the model.
        transfers: False: the feeds are copied to the device once, and outputs stay there, in
            memory of their own for each run in flight.
        stack: Closes the queue, and gives the memory back.

    Raises:
        InputError: Without transfers: the outputs' shapes are known only after a run.
    """

    def __init__(
        self,
        model: OfflineModel,
        rows: Sequence[Feed],
        in_flight: int,
        instances: int,
        transfers: bool,
        stack: ExitStack,
    ) -> None:
        self._arguments = _arguments(model, rows)
        self._free: SimpleQueue[list[DeviceTensor]] | None = None
        self.depth = in_flight * instances
        if not transfers:
            outputs = _outputs_of_known_size(model, rows)
            put = partial(_on_device, model, stack)
            self._arguments = [
                tuple(put([row[spec.name] for spec in model.inputs])) for row in rows
            ]
            self._free = SimpleQueue()
            for _ in range(self.depth):
                self._free.put(put(outputs))
        self._overlap = model._in_flight()
        self._pipeline = self._overlap.new_pipeline(depth_of(in_flight))
        stack.callback(self._pipeline.close)

    def start(self, number: int, on_done: OnDone | None = None) -> Future[Result]:
        """Begins a run; waits while all are in flight. ``on_done`` is told first that it landed."""
        arguments = self._arguments[number % len(self._arguments)]
        free = self._free
        if free is None:
            return self._submit(arguments, None, on_done)
        out = free.get()

        def landed(future: Future[Result]) -> None:
            if on_done is not None:
                on_done(future)
            free.put(out)

        return self._submit(arguments, out, landed)

    def _submit(self, arguments: Any, out: Any, on_done: OnDone | None) -> Future[Result]:
        return self._overlap.submit(
            *(arguments, {}, out, None, None, None, None),
            wait=True,
            pipeline=self._pipeline,
            on_done=on_done,
        )

    def __call__(self, number: int) -> Result:
        """One run, to its end."""
        return self.start(number).result()


def _on_device(
    model: OfflineModel, stack: ExitStack, arrays: Sequence[NDArray[Any]]
) -> list[DeviceTensor]:
    tensors = [DeviceTensor.from_numpy(array, device_id=model.device.id) for array in arrays]
    for tensor in tensors:
        stack.callback(tensor.close)
    return tensors


def _outputs_of_known_size(model: OfflineModel, rows: Sequence[Feed]) -> list[NDArray[Any]]:
    if model._runner is not None and not model.gears:
        raise InputError(
            "a model with ranges has outputs whose sizes only a run tells",
            hint="measure it with its transfers",
        )
    return [array for _, array in model(rows[0]).items()]
