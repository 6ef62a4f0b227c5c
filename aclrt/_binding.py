# SPDX-License-Identifier: Apache-2.0
"""Runs of a model on arrays that stay the same: ``model.bind(...)``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _check, dtypes
from ._closing import Closing
from ._failure import raise_run
from ._ffi import ffi, lib, out_of_cycles, raise_for
from ._fixed import point
from ._requests import keep_lender
from .device_tensor import DeviceTensor, pinned_empty
from .errors import InputError
from .result import Result

if TYPE_CHECKING:
    from .fallback import FallbackModel
    from .model import OfflineModel
    from .tensor import TensorSpec

__all__ = ["Binding", "bind"]

_run = lib.aclrt_binding_run


class Binding(Closing):
    """A model's run on arrays that stay the same, made by ``model.bind``.

    Call it without arguments, from any thread: runs take turns on the same arrays. Close it with
    ``close()`` or a ``with`` block; one that is dropped is released too.
    """

    __slots__ = ("_closed", "_fed", "_handle", "_holder", "_inputs", "_kept", "_model", "_result")

    _again = "bind the model again"
    _elsewhere = "bind the model in the other process"

    def __init__(self, model: OfflineModel, inputs: list[Any], outputs: list[Any]) -> None:
        self._model = model
        self._fed = inputs
        self._inputs = dict(zip((spec.name for spec in model.inputs), inputs, strict=True))
        self._result = Result(tuple(outputs), model._output_names, model._output_index)
        self._closed = False
        frame_in = ffi.new("aclrt_buffer_t[]", len(inputs))
        frame_out = ffi.new("aclrt_buffer_t[]", len(outputs))
        self._kept = [point(frame_in[i], value) for i, value in enumerate(inputs)]
        self._kept += [point(frame_out[i], value) for i, value in enumerate(outputs)]
        for value in (*inputs, *outputs):
            if getattr(value, "base", None) is not None:
                keep_lender(value.base, self._kept)
        dims = [ffi.new("int64_t[]", value.shape) for value in inputs]
        shapes = ffi.new("aclrt_dims_t[]", len(inputs))
        for place, value in enumerate(inputs):
            shapes[place].dims, shapes[place].rank = dims[place], len(value.shape)
        handle = ffi.new("aclrt_binding_t **")
        varies = model._runner is not None
        status = lib.aclrt_binding_create(
            *(model._handle, frame_in, shapes if varies else ffi.NULL, len(inputs)),
            *(frame_out, len(outputs), handle),
        )
        if status:
            raise_run(status, model._name, model.inputs, inputs)
        self._handle = ffi.gc(handle[0], lib.aclrt_binding_release)
        self._holder = out_of_cycles(self._handle)

    def _what(self) -> str:
        return "the binding"

    def __call__(self) -> Result:
        """Runs the model on what the inputs hold now.

        Returns:
            The outputs: the same object each time, with the arrays that were bound.

        Raises:
            InputError: A run in flight uses a bound output or writes a bound input: the message
                names it. At once, also where the device hangs.
            ClosedError: The binding, the model or a tensor is closed.
            ForkedProcessError: This is a child of the process that loaded the model.
            DeviceLostError: The device died.
            AclError: AscendCL refused the run.
        """
        status = _run(self._handle)
        if status:
            raise_run(status, self._model._name, self._model.inputs, self._fed)
        return self._result

    @property
    def inputs(self) -> Mapping[str, Any]:
        """The bound inputs by name; empty once it is closed."""
        return dict(self._inputs)

    @property
    def outputs(self) -> Result:
        """What a call returns."""
        return self._result

    def close(self) -> None:
        """Waits for a run in progress and lets go of the arrays. Idempotent.

        Raises:
            ForkedProcessError: This is a child of the process that loaded the model.
        """
        self._closed = True
        raise_for(lib.aclrt_binding_close(self._handle))
        self._fed, self._kept, self._inputs = [], [], {}

    def __repr__(self) -> str:
        """The model, and what is bound."""
        state = ", closed" if self._closed else ""
        given = ", ".join(f"{name}: {v.dtype} {v.shape}" for name, v in self._inputs.items())
        return f"<Binding of {self._model._name}{state}: {given} -> {self._result!r}>"


def arrays_of(
    model: OfflineModel | FallbackModel, inputs: Any, outputs: Any, named: Mapping[str, Any]
) -> tuple[list[Any], list[Any]]:
    """The arrays that are fed, and those that receive; None for an output that was not given.

    Outputs are held against the specs of the model: shapes that vary are the caller's to check.
    """
    fed, given = _parted(model, inputs, outputs, named)
    if given is None:
        return fed, [None] * len(model.outputs)
    return fed, _check.given_outputs(model._what(), model.outputs, model._output_index, given, fed)


def _parted(
    model: OfflineModel | FallbackModel, inputs: Any, outputs: Any, named: Mapping[str, Any]
) -> tuple[list[Any], Any]:
    feed, positional = _by_name_or_place(inputs)
    given: Any = outputs
    if named:
        if outputs is not None and not isinstance(outputs, Mapping):
            raise InputError("give outputs by position or by name, not both")
        given = dict(outputs or {})
        for name, value in named.items():
            if name in model._input_index or name not in model._output_index:
                feed[name] = _once(feed, name, value)
            else:
                given[name] = _once(given, name, value)
    what, index = model._what(), model._input_index
    values = _check.inputs(what, model.inputs, index, positional, feed, False)
    return _as_given(model, values, [*positional, *feed.values()]), given


def bind(model: OfflineModel, inputs: Any, outputs: Any, named: Mapping[str, Any]) -> Binding:
    """What ``OfflineModel.bind`` does."""
    fed, given = _parted(model, inputs, outputs, named)
    shapes = _output_shapes(model, fed)
    specs = [
        spec if shape == spec.shape else _with_shape(spec, shape)
        for spec, shape in zip(model.outputs, shapes, strict=True)
    ]
    wanted: Sequence[Any] = [None] * len(specs)
    if given is not None:
        wanted = _check.given_outputs(model._name, specs, model._output_index, given, fed)
    results = [
        _allocate(spec, model._device_id) if array is None else array
        for spec, array in zip(specs, wanted, strict=True)
    ]
    for spec, value in zip((*model.inputs, *specs), (*fed, *results), strict=True):
        if dtypes.is_packed(spec.dtype) and not isinstance(value, DeviceTensor):
            raise InputError(
                f"{spec.name!r} of {model._name} is {spec.dtype}, which an array holds otherwise "
                "than the device: a binding would have to convert it",
                hint="bind a DeviceTensor, or call the model",
            )
    return Binding(model, fed, results)


def _by_name_or_place(inputs: Any) -> tuple[dict[str, Any], list[Any]]:
    if inputs is None:
        return {}, []
    if isinstance(inputs, Mapping):
        return dict(inputs), []
    if isinstance(inputs, (tuple, list)):
        return {}, list(inputs)
    return {}, [inputs]


def _once(given: Mapping[str, Any], name: str, value: Any) -> Any:
    if name in given:
        raise InputError(f"{name!r} is given twice, in a dict and as a keyword")
    return value


def _as_given(
    model: OfflineModel | FallbackModel, values: Sequence[Any], given: Sequence[Any]
) -> list[Any]:
    """Refuses what a call would have converted or copied: later changes would not be seen."""
    own = {id(value) for value in given if isinstance(value, (np.ndarray, DeviceTensor))}
    for spec, value in zip(model.inputs, values, strict=True):
        base = value if isinstance(value, DeviceTensor) or id(value) in own else value.base
        if id(base) not in own:
            raise InputError(
                f"input {spec.name!r} of {model._what()} cannot be bound: a binding reads the "
                "array that it was given, which must be a contiguous NumPy array or a DeviceTensor",
                hint="x = np.ascontiguousarray(x), and write new values into it: x[...] = ...",
            )
    return list(values)


def _output_shapes(model: OfflineModel, fed: Sequence[Any]) -> list[tuple[int, ...]]:
    runner = model._runner
    if runner is None:
        return [spec.shape for spec in model.outputs]
    known = runner.output_shapes(tuple(value.shape for value in fed))
    if known is not None:
        return known
    arrays = [v.numpy() if isinstance(v, DeviceTensor) else v for v in fed]
    return [array.shape for array in model._call_dynamic(arrays, {}, None, None, None, False)]


def _with_shape(spec: TensorSpec, shape: tuple[int, ...]) -> TensorSpec:
    from dataclasses import replace

    return replace(spec, shape=shape, dynamic=False)


def _allocate(spec: TensorSpec, device_id: int) -> Any:
    if dtypes.is_packed(spec.dtype):
        return np.empty(spec.shape, spec.dtype)
    return pinned_empty(spec.shape, spec.dtype, device_id=device_id)
