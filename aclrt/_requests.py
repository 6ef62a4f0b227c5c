# SPDX-License-Identifier: Apache-2.0
"""A run that is prepared now and executed later: checked arrays, and what the library gets of them.

A ``Request`` keeps every array and every C structure of its run alive. Whoever submits it keeps the
request until the library says that the device has let go of it.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

from . import _check, _gears, dtypes
from ._failure import raise_run
from ._ffi import ffi, lib
from ._fixed import is_packed_array, point
from .device_tensor import DeviceTensor
from .errors import InputError
from .result import Result

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ._dynamic import DynamicRunner
    from .tensor import TensorSpec

__all__ = ["NEVER", "Preparer", "Request", "keep_lender", "timeout_ms_of"]

_LONGEST_S = 10**9
NEVER = math.inf

Arrays = Sequence["NDArray[Any]"]


def timeout_ms_of(timeout_s: object) -> int:
    """Milliseconds of a time-out in seconds; -1 for None.

    Raises:
        InputError: It is no positive number.
    """
    if timeout_s is None:
        return -1
    number = isinstance(timeout_s, (int, float, np.integer, np.floating))
    seconds = float(min(timeout_s, _LONGEST_S)) if isinstance(timeout_s, int) else timeout_s
    if not number or isinstance(timeout_s, bool) or not float(cast("float", seconds)) > 0:
        raise InputError(f"timeout_s must be None or a positive number, not {timeout_s!r}")
    return math.ceil(min(float(cast("float", seconds)), _LONGEST_S) * 1000)


class _Outcome(NamedTuple):
    """How outputs become what the caller asked for."""

    finish: Callable[[Arrays], Sequence[NDArray[Any]]] | None  # None: they are it
    gear: tuple[int, ...] | None
    waste: float


class Request:
    """One run: fill a submission with ``write``; once it is done, ``result`` or ``failure``."""

    __slots__ = (
        "_buffers",
        "_dims",
        "_kept",
        "_outcome",
        "_preparer",
        "_shapes",
        "_sources",
        "_targets",
        "deadline",
        "future",
        "is_accepted",
        "is_over",
        "tag",
        "timeout_ms",
    )

    def __init__(
        self,
        preparer: Preparer,
        sources: Arrays,
        targets: Sequence[NDArray[Any] | None],
        shapes: Sequence[tuple[int, ...]] | None,
        outcome: _Outcome,
        is_open: bool = False,
    ) -> None:
        # targets: arrays of the outputs' shapes; None where the library allocates. Both may be
        # tensors of the device's. is_open: the run itself tells the outputs' shapes.
        self._preparer = preparer
        self._sources = sources
        self._targets = targets
        self._outcome = outcome
        self.tag = 0
        self.timeout_ms = -1
        self.deadline = NEVER
        self.future: Any = None
        self.is_accepted = False
        self.is_over = False  # its future has a result, or nobody waits for one
        inputs = ffi.new("aclrt_buffer_t[]", len(sources))
        outputs = ffi.new("aclrt_buffer_t[]", len(targets))
        # An int4 tensor is two elements in a byte on the device.
        self._kept: list[Any] = []
        for place, array in enumerate(sources):
            packed = dtypes.pack(array) if is_packed_array(array) else array
            _point(inputs[place], packed, self._kept)
        for place, target in enumerate(targets):
            if target is None:
                continue
            packed = target
            if is_packed_array(target):
                packed = np.empty((target.size + 1) // 2, np.uint8)
            _point(outputs[place], packed, self._kept)
        self._buffers = (inputs, outputs)
        self._dims, self._shapes = ffi.NULL, ffi.NULL
        if shapes is not None:
            self._dims = ffi.new("aclrt_dims_t[]", len(shapes))
            for place, shape in enumerate(shapes):
                dims = ffi.new("int64_t[]", shape)
                self._kept.append(dims)
                self._dims[place].dims, self._dims[place].rank = dims, len(shape)
            if is_open:
                self._shapes = ffi.new("aclrt_shape_t[]", len(targets))

    def write(self, submission: Any, timeout_ms: int) -> None:
        """Fills an ``aclrt_submission_t``."""
        submission.inputs, submission.outputs = self._buffers
        submission.input_shapes, submission.shapes = self._dims, self._shapes
        submission.input_count = len(self._sources)
        submission.output_count = len(self._targets)
        submission.tag, submission.timeout_ms = self.tag, timeout_ms

    def uses(self, arrays: Arrays) -> bool:
        """Whether the run reads or writes memory of one of these."""
        own = [*self._sources, *(target for target in self._targets if target is not None)]
        return any(_share(array, mine) for array in arrays for mine in own)

    @property
    def targets(self) -> Arrays:
        """The arrays that are known before the run to receive outputs."""
        return [target for target in self._targets if target is not None]

    def result(self) -> Result:
        """The result of a run that is done."""
        outputs = self._buffers[1]
        arrays: list[NDArray[Any]] = []
        for place, target in enumerate(self._targets):
            if target is None:
                arrays.append(self._allocated(place))
                continue
            if self._shapes:
                self._refuse_shape(place, target.shape)
            if is_packed_array(target):
                nbytes = (target.size + 1) // 2
                raw = np.frombuffer(ffi.buffer(outputs[place].data, nbytes), np.uint8)
                dtypes.unpack(raw, target)
            arrays.append(target)
        finish, gear, waste = self._outcome
        final = arrays if finish is None else finish(arrays)
        owner = self._preparer
        return Result(tuple(final), owner.output_names, owner.output_index, gear, waste)

    def _dims_of(self, place: int) -> tuple[int, ...]:
        shape = self._shapes[place]
        return tuple(int(shape.dims[axis]) for axis in range(shape.rank))

    def _refuse_shape(self, place: int, given: tuple[int, ...]) -> None:
        dims = self._dims_of(place)
        if given != dims:
            raise InputError(
                f"output {self._preparer.output_names[place]!r} of {self._preparer.name} is {dims} "
                f"in this run; the one given for it is {given}",
                hint="leave it out of out=, and it is allocated as large as it has to be",
            )

    def _allocated(self, place: int) -> NDArray[Any]:
        buffer, dims = self._buffers[1][place], self._dims_of(place)
        dtype = self._preparer.outputs[place].dtype
        if buffer.nbytes == 0:
            return np.empty(dims, dtype)
        memory = ffi.gc(buffer.data, lib.aclrt_data_release)
        raw: NDArray[np.uint8] = np.frombuffer(ffi.buffer(memory, buffer.nbytes), np.uint8)
        if not dtypes.is_packed(dtype):
            return raw.view(dtype).reshape(dims)
        array = np.empty(dims, dtype)
        dtypes.unpack(raw, array)
        return array

    def failure(self, status: Any) -> BaseException:
        """The exception that a status stands for; the status is released."""
        try:
            raise_run(status, self._preparer.name, self._preparer.inputs, self._sources)
        except BaseException as error:
            return error.with_traceback(None)


def _point(buffer: Any, value: Any, kept: list[Any]) -> None:
    kept.append(point(buffer, value))  # the exporting object bars a resize
    if isinstance(value, np.ndarray) and value.base is not None:
        keep_lender(value.base, kept)


def _share(some: Any, other: Any) -> bool:
    if isinstance(some, DeviceTensor) or isinstance(other, DeviceTensor):
        return some is other  # no two tensors share memory
    return np.may_share_memory(some, other)


def keep_lender(base: Any, kept: list[Any]) -> None:
    """Bars whoever lent an array its memory from giving that back."""
    # np.ndarray(buffer=...) does not keep its memory from being given back.
    while isinstance(base, np.ndarray):
        base = base.base
    with contextlib.suppress(TypeError):  # it lends no memory
        kept.append(memoryview(base))


class Preparer:
    """Turns what a call takes into requests; knows the model, but does not keep it alive.

    Args:
        name: The model's name for messages.
        inputs: What it takes.
        outputs: What it gives.
        runner: Its runner if its shapes vary.
        safe: Its ``cast``.
        pad: Its ``pad``.
    """

    def __init__(
        self,
        name: str,
        inputs: Sequence[TensorSpec],
        outputs: Sequence[TensorSpec],
        runner: DynamicRunner | None,
        safe: bool,
        pad: bool,
    ) -> None:
        self.name = name
        self.inputs = inputs
        self.outputs = outputs
        self.output_names = tuple(spec.name for spec in outputs)
        self.output_index = _check.positions(outputs)
        self._input_names = tuple(spec.name for spec in inputs)
        self._input_index = _check.positions(inputs)
        self._runner = runner
        self._safe = safe
        self._pad = pad

    def item(self, value: Any) -> Request:
        """A request for what an iterable gave: an array, a tuple of arrays, or a dict by name."""
        args = value if isinstance(value, tuple) else (value,)
        return self.request(args, {}, None, None, None, None)

    def request(
        self,
        args: Sequence[Any],
        named: Mapping[str, Any],
        out: Any,
        cast: str | None,
        pad: str | None,
        split: bool | None,
    ) -> Request:
        """A request for what a call takes.

        Raises:
            InputError: The arrays do not fit.
        """
        safe = self._safe if cast is None else _check.cast_of(cast)
        pads = self._pad if pad is None else _check.pad_of(pad)
        if split is not None and _check.split_of(split):
            raise InputError(
                "split=True runs a model several times, a run in flight is one",
                hint="call the model itself, or submit the parts",
            )
        first = args[0] if len(args) == 1 else None
        if isinstance(first, Mapping):
            twice = first.keys() & named.keys()
            if twice:
                raise InputError(f"input {min(twice)!r} is given twice, in the dict and by keyword")
            args, named = (), {**first, **named}
        sources = self._exact(args, named)
        if sources is None:
            sources = _check.inputs(self.name, self.inputs, self._input_index, args, named, safe)
        if self._runner is None:
            if pads:
                raise InputError(f"pad= has no meaning for {self.name}, whose shapes are fixed")
            return self._fixed(sources, out)
        return self._dynamic(self._runner, sources, out, pads)

    def _exact(self, args: Sequence[Any], named: Mapping[str, Any]) -> Arrays | None:
        """The values in the model's order, where they are exactly what it takes."""
        if len(args) + len(named) != len(self.inputs) or (args and named):
            return None
        values = args if args else [named.get(name) for name in self._input_names]
        for spec, value in zip(self.inputs, values, strict=True):
            if type(value) is not np.ndarray or value.dtype is not spec.dtype:
                return None
            if not value.flags.c_contiguous or not _check.shape_matches(spec, value.shape):
                return None
        return cast("Arrays", values)

    def _fixed(self, sources: Arrays, out: Any) -> Request:
        targets: Sequence[NDArray[Any] | None]
        if out is None:
            targets = [np.empty(spec.shape, spec.dtype) for spec in self.outputs]
        else:
            targets = _check.outputs(self.name, self.outputs, self.output_index, out, sources)
        return Request(self, sources, targets, None, _Outcome(None, None, 0.0))

    def _dynamic(self, runner: DynamicRunner, sources: Arrays, out: Any, pads: bool) -> Request:
        shapes = [array.shape for array in sources]
        if pads and not runner.gears:
            raise InputError(
                f"pad= has no meaning for {self.name}, which has no gears",
                hint="feed the arrays as they are",
            )
        plan = runner.plan(shapes)
        if plan is not None:
            if out is None:
                targets = [np.empty(spec.shape, spec.dtype) for spec in plan.produced]
            else:
                targets = _check.outputs(self.name, plan.produced, self.output_index, out, sources)
            outcome = _Outcome(None, plan.gear.values, 0.0)
            return Request(self, sources, targets, shapes, outcome)
        number = _gears.next_up(runner.gears, shapes) if pads else None
        if number is not None:
            return self._padded(runner, number, sources, shapes, out)
        if runner.finds_all_gears:
            runner.refuse(shapes, pads)
        wanted: Sequence[NDArray[Any] | None] = [None] * len(self.outputs)
        if out is not None:
            wanted = _check.given_outputs(self.name, self.outputs, self.output_index, out, sources)
        return Request(self, sources, wanted, shapes, _Outcome(None, None, 0.0), is_open=True)

    def _padded(
        self, runner: DynamicRunner, number: int, sources: Arrays, shapes: Any, out: Any
    ) -> Request:
        _check.refuse_padded_tensors(self.name, sources)
        gear, cropped, wanted = runner.cropped(number, shapes, out, sources)
        _check.refuse_padded_tensors(self.name, wanted)
        padded = [
            _gears.pad_to(array, shape) for array, shape in zip(sources, gear.inputs, strict=True)
        ]
        plan = runner.plan(gear.inputs)
        assert plan is not None
        targets = [np.empty(spec.shape, spec.dtype) for spec in plan.produced]

        def finish(arrays: Arrays) -> Arrays:
            return _gears.crop(arrays, cropped, wanted)

        outcome = _Outcome(finish, gear.values, _gears.waste(shapes, gear))
        return Request(self, padded, targets, gear.inputs, outcome)
