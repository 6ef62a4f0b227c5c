# SPDX-License-Identifier: Apache-2.0
"""Runs of a model with fixed shapes: what is exactly right by ``_call``, all else from here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _call, _check, dtypes
from ._failure import raise_run
from ._ffi import ffi, lib
from .device_tensor import DeviceTensor, shared_handle

if TYPE_CHECKING:
    from .tensor import TensorSpec

__all__ = ["FixedRunner", "is_packed_array", "point"]


def point(buffer: Any, value: Any) -> Any:
    """Points an ``aclrt_buffer_t`` at an array or a device tensor.

    Returns:
        What must live as long as the buffer is used.
    """
    if isinstance(value, DeviceTensor):
        buffer.data, buffer.nbytes, buffer.memory = value._buffer()
        return value
    kept = ffi.from_buffer(value)
    buffer.data, buffer.nbytes, buffer.memory = kept, value.nbytes, shared_handle(value)
    return kept


class FixedRunner:
    """Runs one model with fixed shapes.

    Args:
        name: The model's name for messages.
        handle: Its handle.
        inputs: What it takes.
        outputs: What it gives.
        about: What its results know of the model (``Result``).
        frames: Where calls take their frames from (``_call.specialise``).
    """

    def __init__(
        self,
        name: str,
        handle: Any,
        inputs: Sequence[TensorSpec],
        outputs: Sequence[TensorSpec],
        about: tuple[Any, ...],
        frames: list[Any],
    ) -> None:
        self._name = name
        self._handle = handle
        self._inputs = inputs
        self._outputs = outputs
        self._input_index = _check.positions(inputs)
        self._output_index = _check.positions(outputs)
        is_packed = any(dtypes.is_packed(spec.dtype) for spec in (*inputs, *outputs))
        self.quick: _call.Call = _call.never
        """The call for what is exactly right; never where elements share bytes."""
        self.quick_into: _call.Call = _call.never
        """The same with ``out=``."""
        if not is_packed:
            self.quick, self.quick_into = _call.specialise(
                name, handle, inputs, outputs, about, frames
            )

    def run(
        self, positional: Sequence[Any], named: Mapping[str, Any], out: Any, safe: bool
    ) -> list[Any]:
        """Runs with whatever was given.

        Returns:
            The outputs: new arrays, except where ``out`` gave some.

        Raises:
            InputError: The values do not fit; the message shows expected beside given.
        """
        sources = _check.inputs(
            self._name, self._inputs, self._input_index, positional, named, safe
        )
        if out is None:
            results = [np.empty(spec.shape, spec.dtype) for spec in self._outputs]
        else:
            results = _check.outputs(self._name, self._outputs, self._output_index, out, sources)
        # The device's form of int4 tensors in between. Both lists keep alive what is pointed to.
        fed = [dtypes.pack(a) if is_packed_array(a) else a for a in sources]
        fetched = [
            np.empty(spec.nbytes, np.uint8) if is_packed_array(result) else result
            for spec, result in zip(self._outputs, results, strict=True)
        ]
        frame_in = ffi.new("aclrt_buffer_t[]", len(fed))
        frame_out = ffi.new("aclrt_buffer_t[]", len(fetched))
        for frame, values in ((frame_in, fed), (frame_out, fetched)):
            for place, value in enumerate(values):
                point(frame[place], value)
        status = lib.aclrt_model_run(
            self._handle, frame_in, len(fed), frame_out, len(fetched), ffi.NULL
        )
        if status:
            raise_run(status, self._name, self._inputs, sources)
        for packed, result in zip(fetched, results, strict=True):
            if packed is not result:
                dtypes.unpack(packed, result)
        return list(results)


def is_packed_array(value: Any) -> bool:
    """Whether the device holds its elements otherwise, two in a byte."""
    return isinstance(value, np.ndarray) and dtypes.is_packed(value.dtype)
