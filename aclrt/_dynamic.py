# SPDX-License-Identifier: Apache-2.0
"""Runs of models whose shapes vary: by gear, or inside a range.

A gear is found by the fed shapes in a dictionary, and each has frames of its own, so a run costs
what a run of a model with fixed shapes costs. Where AscendCL tells the shape of an output only
after the run, the library allocates it and the array takes that memory over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING, Any, Final, NoReturn, cast

import numpy as np

from . import _check, _gears, dtypes
from ._failure import raise_run
from ._ffi import ffi, lib
from ._fixed import is_packed_array, point
from .device_tensor import DeviceTensor
from .errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .tensor import TensorSpec

__all__ = ["KINDS", "DynamicRunner", "read_gears"]

KINDS: Final = ("none", "batch", "image", "dims", "range")

_from_buffer = ffi.from_buffer
_run_shaped = lib.aclrt_model_run_shaped

Shape = tuple[int, ...]
Arrays = Sequence["NDArray[Any]"]
Ran = tuple[list["NDArray[Any]"], "Shape | None", float]  # outputs, gear, waste


def read_gears(info: Any) -> tuple[_gears.Gear, ...]:
    """The gears of an ``aclrt_model_info_t``."""

    def shapes(dims: Any, count: int) -> tuple[Shape, ...]:
        return tuple(
            tuple(int(dims[place].dims[axis]) for axis in range(dims[place].rank))
            for place in range(count)
        )

    return tuple(
        _gears.Gear(
            tuple(int(gear.values[number]) for number in range(gear.value_count)),
            shapes(gear.inputs, info.input_count),
            shapes(gear.outputs, info.output_count),
        )
        for gear in (info.gears[number] for number in range(info.gear_count))
    )


def _nbytes(spec: TensorSpec, shape: Shape) -> int:
    count = prod(shape)
    return (count + 1) // 2 if dtypes.is_packed(spec.dtype) else count * spec.dtype.itemsize


class _Frame:
    """What one run hands to the library; never used by two threads at once."""

    def __init__(self, inputs: int, outputs: int) -> None:
        self.inputs = ffi.new("aclrt_buffer_t[]", inputs)
        self.outputs = ffi.new("aclrt_buffer_t[]", outputs)
        self.dims = ffi.new("aclrt_dims_t[]", inputs)
        self.shapes = ffi.new("aclrt_shape_t[]", outputs)
        self._kept: list[Any] = []

    def point(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> list[Any]:
        """Points at arrays and tensors; an output that is None gets memory from the run.

        Returns:
            What must live until the run is over.
        """
        kept = [point(self.inputs[place], value) for place, value in enumerate(inputs)]
        for place, value in enumerate(outputs):
            if value is None:
                self.outputs[place] = {"data": ffi.NULL, "nbytes": 0, "memory": ffi.NULL}
            else:
                kept.append(point(self.outputs[place], value))
        return kept

    def set_shapes(self, shapes: Sequence[Shape]) -> None:
        self._kept = [ffi.new("int64_t[]", shape) for shape in shapes]
        for place, kept in enumerate(self._kept):
            self.dims[place].dims = kept
            self.dims[place].rank = len(shapes[place])


class _Plan:
    """One gear: what it takes and gives, and frames for it."""

    def __init__(self, gear: _gears.Gear, number: int, outputs: Sequence[TensorSpec]) -> None:
        self.gear = gear
        self.number = number
        self.produced = tuple(
            replace(spec, shape=shape, dynamic=False)
            for spec, shape in zip(outputs, gear.outputs, strict=True)
        )
        # A stack: append and pop are atomic, so threads never share a frame.
        self.frames: list[_Frame] = []


class DynamicRunner:
    """Runs one model with dynamic shapes.

    Args:
        name: The model's name for messages.
        handle: Its handle.
        kind: One of ``KINDS``; ``"none"`` where only images for dynamic AIPP vary.
        inputs: What it takes.
        outputs: What it gives.
        gears: Its gears.
    """

    def __init__(
        self,
        name: str,
        handle: Any,
        kind: str,
        inputs: Sequence[TensorSpec],
        outputs: Sequence[TensorSpec],
        gears: Sequence[_gears.Gear],
    ) -> None:
        self._name = name
        self._handle = handle
        self._kind = kind
        self._inputs = inputs
        self._outputs = outputs
        self._gears = gears
        self._input_index = _check.positions(inputs)
        self._output_index = _check.positions(outputs)
        self._dtypes = tuple(spec.dtype for spec in inputs)
        self._is_packed = any(dtypes.is_packed(s.dtype) for s in (*inputs, *outputs))
        # Gears that take images of any size are found by the library instead.
        self._plans = {
            gear.inputs: _Plan(gear, number, outputs)
            for number, gear in enumerate(gears)
            if not any(dim < 0 for shape in gear.inputs for dim in shape)
        }
        self._frames: list[_Frame] = []
        self._crop: _gears.Cropper | None = None

    @property
    def kind(self) -> str:
        """One of ``KINDS``."""
        return self._kind

    @property
    def gears(self) -> Sequence[_gears.Gear]:
        """The gears; none for a shape range."""
        return self._gears

    @property
    def finds_all_gears(self) -> bool:
        """Whether ``plan`` knows every shape that the model takes."""
        return bool(self._gears) and len(self._plans) == len(self._gears)

    def reserve(self, count: int) -> None:
        """Makes the frames for so many calls at a time, of each gear."""
        for plan in self._plans.values():
            while len(plan.frames) < count:
                plan.frames.append(self._planned_frame(plan))
        while not self.finds_all_gears and len(self._frames) < count:
            self._frames.append(_Frame(len(self._inputs), len(self._outputs)))

    def plan(self, shapes: Sequence[Shape]) -> _Plan | None:
        """What the gear for these shapes takes and gives; None if it is not one of those known."""
        return self._plans.get(tuple(shapes))

    def refuse(self, shapes: Sequence[Shape], pad: bool, split: bool = False) -> NoReturn:
        """Says which gears there are.

        Raises:
            InputError: Always.
        """
        _gears.refuse(
            self._name,
            self._kind,
            self._inputs,
            self._gears,
            shapes,
            self._advice(shapes, pad, split),
        )

    def run(
        self,
        values: Sequence[Any] | None,
        out: Any,
        safe: bool,
        pad: bool,
        split: bool,
        positional: Sequence[Any],
        named: Mapping[str, Any],
    ) -> Ran:
        """Runs with values in the model's order; if None or not exactly right, with the rest.

        Raises:
            InputError: The arrays do not fit, or no gear takes their shapes.
        """
        if values is None or not self._are_right(values):
            values = _check.inputs(
                self._name, self._inputs, self._input_index, positional, named, safe
            )
        arrays = cast("Arrays", values)
        shapes = tuple(array.shape for array in arrays)
        if pad and not self._gears:
            raise InputError(
                f"pad= has no meaning for {self._name}, which has no gears",
                hint="feed the arrays as they are",
            )
        plan = self._plans.get(shapes)
        if plan is not None:
            return self._run_plan(plan, arrays, out), plan.gear.values, 0.0
        if split:
            cut = self._cut(arrays, shapes, pad)
            if cut is not None:
                _check.refuse_padded_tensors(self._name, arrays)
                return self._run_parts(arrays, cut, out, pad)
        if not self.finds_all_gears:
            return self._run_open(arrays, out)
        number = _gears.next_up(self._gears, shapes) if pad else None
        if number is None:
            self.refuse(shapes, pad, split)
        return self._run_padded(number, arrays, shapes, out)

    def output_shapes(self, shapes: tuple[Shape, ...]) -> list[Shape] | None:
        """Of a run with inputs of these shapes; None where only a run tells."""
        plan = self._plans.get(shapes)
        return None if plan is None else [spec.shape for spec in plan.produced]

    def _are_right(self, values: Sequence[Any]) -> bool:
        if len(values) != len(self._inputs):
            return False
        for value, dtype in zip(values, self._dtypes, strict=True):
            if type(value) is not np.ndarray or value.dtype is not dtype:
                return False
            if not value.flags.c_contiguous:
                return False
        return all(map(_check.shape_matches, self._inputs, (value.shape for value in values)))

    def _advice(self, shapes: Sequence[Shape], pad: bool, split: bool) -> str:
        ways = ["feed the shape of a gear"]
        if not pad and _gears.next_up(self._gears, shapes) is not None:
            ways.append('pad="up" fills up to the next one')
        if not split and self._batch_of(shapes) is not None:
            ways.append("split=True runs a larger batch in parts")
        return "; ".join(ways)

    # ---- one run -------------------------------------------------------------------------------

    def _run_plan(self, plan: _Plan, arrays: Arrays, out: Any) -> list[NDArray[Any]]:
        if out is None:
            results = [np.empty(spec.shape, spec.dtype) for spec in plan.produced]
        else:
            results = _check.outputs(self._name, plan.produced, self._output_index, out, arrays)
        sources, targets = arrays, results
        if self._is_packed:
            sources = [dtypes.pack(a) if is_packed_array(a) else a for a in arrays]
            targets = [
                np.empty(_nbytes(spec, spec.shape), np.uint8) if is_packed_array(a) else a
                for spec, a in zip(plan.produced, results, strict=True)
            ]
        has_tensors = any(isinstance(one, DeviceTensor) for one in (*sources, *targets))
        if has_tensors:
            frame = self._planned_frame(plan)  # of its own: the others name no memory
            frame.point(sources, targets)
        else:
            try:
                frame = plan.frames.pop()
            except IndexError:
                frame = self._planned_frame(plan)
            for place, source in enumerate(sources):
                frame.inputs[place].data = _from_buffer(source)
            for place, target in enumerate(targets):
                frame.outputs[place].data = _from_buffer(target)
        status = _run_shaped(
            *(self._handle, frame.inputs, frame.dims, len(self._inputs)),
            *(frame.outputs, len(self._outputs), ffi.NULL),
        )
        if status:
            raise_run(status, self._name, self._inputs, arrays)
        if not has_tensors:
            plan.frames.append(frame)
        for target, result in zip(targets, results, strict=True):
            if target is not result:
                dtypes.unpack(cast("NDArray[np.uint8]", target), result)
        return results

    def _planned_frame(self, plan: _Plan) -> _Frame:
        frame = _Frame(len(self._inputs), len(self._outputs))
        frame.set_shapes(plan.gear.inputs)
        for place, (spec, shape) in enumerate(zip(self._inputs, plan.gear.inputs, strict=True)):
            frame.inputs[place].nbytes = _nbytes(spec, shape)
        for place, spec in enumerate(plan.produced):
            frame.outputs[place].nbytes = _nbytes(spec, spec.shape)
        return frame

    def _run_open(self, arrays: Arrays, out: Any) -> Ran:
        """The library finds the gear, if there are any, and the outputs' shapes come after it."""
        wanted: Sequence[NDArray[Any] | None] = [None] * len(self._outputs)
        if out is not None:
            wanted = _check.given_outputs(
                self._name, self._outputs, self._output_index, out, arrays
            )
        try:
            frame = self._frames.pop()
        except IndexError:
            frame = _Frame(len(self._inputs), len(self._outputs))
        frame.set_shapes([array.shape for array in arrays])
        sources = [dtypes.pack(a) if is_packed_array(a) else a for a in arrays]
        given: Sequence[Any] = wanted
        tensors = [value if isinstance(value, DeviceTensor) else None for value in given]
        kept = frame.point(sources, tensors)
        status = _run_shaped(
            *(self._handle, frame.inputs, frame.dims, len(self._inputs)),
            *(frame.outputs, len(self._outputs), frame.shapes),
        )
        if status:
            raise_run(status, self._name, self._inputs, arrays)
        del kept
        taken = [
            (ffi.gc(buffer.data, lib.aclrt_data_release), int(buffer.nbytes))
            if tensor is None
            else None
            for buffer, tensor in zip(frame.outputs, tensors, strict=True)
        ]
        results: list[Any] = []
        for place, (memory, shape) in enumerate(zip(taken, frame.shapes, strict=True)):
            dims = tuple(int(shape.dims[axis]) for axis in range(shape.rank))
            if memory is None:
                self._refuse_shape(place, dims, tensors[place])
                results.append(tensors[place])
            else:
                results.append(self._array(place, *memory, dims))
        self._frames.append(frame)
        return (
            [
                array if target is None or target is array else self._copied(place, array, target)
                for place, (array, target) in enumerate(zip(results, wanted, strict=True))
            ],
            None,
            0.0,
        )

    def _array(self, place: int, memory: Any, nbytes: int, shape: Shape) -> NDArray[Any]:
        """An output that the library allocated; the array keeps the memory."""
        dtype = self._outputs[place].dtype
        if nbytes == 0:
            return np.empty(shape, dtype)
        raw: NDArray[np.uint8] = np.frombuffer(ffi.buffer(memory, nbytes), np.uint8)
        if not dtypes.is_packed(dtype):
            return raw.view(dtype).reshape(shape)
        array = np.empty(shape, dtype)
        dtypes.unpack(raw, array)
        return array

    def _copied(self, place: int, array: NDArray[Any], wanted: NDArray[Any]) -> NDArray[Any]:
        self._refuse_shape(place, array.shape, wanted)
        wanted[...] = array
        return wanted

    def _refuse_shape(self, place: int, shape: Shape, wanted: Any) -> None:
        if wanted.shape != shape:
            raise InputError(
                f"output {self._outputs[place].name!r} of {self._name} is {shape} in this "
                f"run; the one given for it is {wanted.shape}",
                hint="leave it out of out=, and it is allocated as large as it has to be",
            )

    # ---- padding and splitting -----------------------------------------------------------------

    def _cropper(self) -> _gears.Cropper:
        if self._crop is None:
            self._crop = _gears.Cropper(self._name, self._inputs, self._outputs, self._gears)
        return self._crop

    def _run_padded(self, number: int, arrays: Arrays, shapes: Sequence[Shape], out: Any) -> Ran:
        gear, cropped, wanted = self.cropped(number, shapes, out, arrays)
        padded = [
            _gears.pad_to(array, shape) for array, shape in zip(arrays, gear.inputs, strict=True)
        ]
        whole = self._run_plan(self._plans[gear.inputs], padded, None)
        results = _gears.crop(whole, cropped, wanted)
        return results, gear.values, _gears.waste(shapes, gear)

    def cropped(
        self, number: int, shapes: Sequence[Shape], out: Any, arrays: Arrays
    ) -> tuple[_gears.Gear, Sequence[Shape], Sequence[NDArray[Any] | None]]:
        """A gear that inputs are padded to, what its outputs are cropped to, and the arrays given.

        Raises:
            InputError: An output cannot be cropped, or an array of ``out`` does not fit.
        """
        cropped = self._cropper().shapes(number, shapes)
        return self._gears[number], cropped, self._given(cropped, out, arrays)

    def _given(
        self, shapes: Sequence[Shape], out: Any, arrays: Arrays
    ) -> Sequence[NDArray[Any] | None]:
        if out is None:
            return [None] * len(self._outputs)
        specs = [
            replace(spec, shape=shape) for spec, shape in zip(self._outputs, shapes, strict=True)
        ]
        return _check.given_outputs(self._name, specs, self._output_index, out, arrays)

    def _batch_of(self, shapes: Sequence[Shape]) -> int | None:
        """The batch that the inputs with a dynamic first axis share; None if they have none."""
        batches = {
            shape[0]
            for spec, shape in zip(self._inputs, shapes, strict=True)
            if spec.shape and spec.shape[0] < 0
        }
        return batches.pop() if len(batches) == 1 else None

    def _part(self, spec: TensorSpec, shape: Shape, batch: int) -> Shape:
        return (batch, *shape[1:]) if spec.shape and spec.shape[0] < 0 else shape

    def _cut(self, arrays: Arrays, shapes: Sequence[Shape], pad: bool) -> list[int] | None:
        """The parts that a batch is run in; None if it needs none, or has no way of its own."""
        total = self._batch_of(shapes)
        if total is None:
            raise InputError(
                f"split= has no meaning for {self._name}: its inputs share no dynamic batch",
                hint="feed the shape of a gear" if self._gears else "feed the arrays as they are",
            )
        if not self._gears:
            limits = [
                spec.range[0][1]
                for spec in self._inputs
                if spec.shape and spec.shape[0] < 0 and spec.range and spec.range[0][1] >= 0
            ]
            if not limits or total <= min(limits):
                return None
            return _gears.parts(total, range(1, min(limits) + 1), padded=False)
        sizes = set()
        for gear in self._gears:
            batch = self._batch_of(gear.inputs)
            if batch is None:
                continue
            part = [
                self._part(spec, shape, batch)
                for spec, shape in zip(self._inputs, shapes, strict=True)
            ]
            number = _gears.next_up([gear], part) if pad else None
            if tuple(part) == gear.inputs or number is not None:
                sizes.add(batch)
        if not sizes or (pad and total <= max(sizes)):
            return None
        cut = _gears.parts(total, sorted(sizes), padded=pad)
        return cut if cut is None or len(cut) > 1 else None

    def _run_parts(self, arrays: Arrays, cut: Sequence[int], out: Any, pad: bool) -> Ran:
        pieces: list[list[NDArray[Any]]] = []
        padding = fed = 0.0
        first = 0
        for size in cut:
            part = [
                array[first : first + size] if spec.shape and spec.shape[0] < 0 else array
                for spec, array in zip(self._inputs, arrays, strict=True)
            ]
            results, _, waste = self.run(part, None, False, pad, False, part, {})
            self._check_rows(results, size)
            pieces.append(results)
            first += size
            elements = float(sum(array.size for array in part))
            fed += elements
            padding += elements * waste / (1.0 - waste) if waste < 1.0 else 0.0
        joined = [np.concatenate(column, axis=0) for column in zip(*pieces, strict=True)]
        wanted = self._given([array.shape for array in joined], out, arrays)
        results = [
            array if target is None else self._copied(place, array, target)
            for place, (array, target) in enumerate(zip(joined, wanted, strict=True))
        ]
        return results, None, padding / (padding + fed) if padding else 0.0

    def _check_rows(self, results: Arrays, size: int) -> None:
        for place, (spec, result) in enumerate(zip(self._outputs, results, strict=True)):
            has_rows = (
                self._cropper().follows_batch(place)
                if self._gears
                else bool(result.ndim) and result.shape[0] == size
            )
            if not has_rows:
                raise InputError(
                    f"output {spec.name!r} of {self._name} is {result.shape} for a batch of "
                    f"{size}: without a batch axis the parts of a batch cannot be joined",
                    hint="feed the shape of a gear, without split=",
                )
