# SPDX-License-Identifier: Apache-2.0
"""Makes of an ONNX model what goes into a file: its body, inputs, outputs and gears.

Arguments that do not fit the model are the caller's (``InputError``); everything else that is
wrong is the model's (``ModelFormatError``).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import InputError, ModelFormatError
from . import _contents, _edit, _gear_dims, _gears, _shapes
from ._bind import Binding, Input, bind, forget_dims
from ._load import LATER, MAX_BYTES, attempt, import_onnx
from ._node_options import OutputTypes
from ._output_dims import OutputDims
from ._values import check_kinds, dims_of, element_type, free_inputs
from ._weights import Weights

if TYPE_CHECKING:
    import onnx

__all__ = ["Options", "Prepared", "prepare"]

Dims = tuple[int, ...]


@dataclass(frozen=True)
class Options:
    """What the caller wants of the model's inputs and outputs.

    Attributes:
        shapes: The shapes stated.
        shape_option: The argument that they were stated with.
        gears: Wanted, if any.
        input_format: ``"NCHW"``, ``"NCDHW"`` or ``"ND"``; None for the default.
        out_nodes: What to make the model's outputs; none for those that it has.
        output_types: Element types of outputs.
        fp16_inputs: The inputs to make float16.
    """

    shapes: _shapes.Shapes
    shape_option: str = "input_shape"
    gears: _gears.Wanted | None = None
    input_format: str | None = None
    out_nodes: tuple[str, ...] = ()
    output_types: OutputTypes = field(default_factory=OutputTypes)
    fp16_inputs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Prepared:
    """What goes into the file."""

    onnx: bytes
    inputs: tuple[_contents.Tensor, ...]
    outputs: tuple[_contents.Tensor, ...]
    gears: _contents.Gears | None


def prepare(model: onnx.ModelProto, options: Options, weights: Weights) -> Prepared:
    """Binds the inputs' dims in ``model`` (changed in place) and finds the outputs'.

    ``weights`` are those that the model has elsewhere; those that ``out_nodes`` make superfluous
    are dropped.

    Raises:
        InputError: The options do not fit the model or each other.
        ModelFormatError: The model is not valid, or cannot be expressed in an .om file.
    """
    onnx = import_onnx()
    if options.out_nodes:
        _edit.choose_outputs(model, options.out_nodes)
        weights.trim(model)
    inputs = free_inputs(model)
    if not model.graph.output:
        raise ModelFormatError("the ONNX model has no outputs")
    check_kinds("input", inputs)
    check_kinds("output", model.graph.output)
    layout = _Layout(options, _edit.sources(model))  # the casts are not part of outputs' names
    _edit.cast_inputs(model, inputs, options.fp16_inputs)
    _edit.cast_outputs(model, _output_types(model, options.output_types))
    binding = bind(model, inputs, options.shapes, options.shape_option, options.gears is not None)
    if options.gears is not None:
        _gear_dims.check_axes(binding, options.gears, layout.stated)
    if binding.open_inputs:
        forget_dims(model)
    _check(onnx, model)
    output_dims = OutputDims(model, inputs, lambda: _serialise(model), weights)
    if options.gears is not None:
        return _with_gears(model, binding, options.gears, layout, output_dims)
    tensors = tuple(_input_tensor(item, layout) for item in binding.inputs)
    if binding.open_inputs:
        dims = output_dims.in_general(
            [{item.name: _sample(item, n) for item in binding.inputs} for n in _SAMPLES]
        )
    else:
        dims = output_dims.under({item.name: item.shown for item in binding.inputs})
    return Prepared(_serialise(model), tensors, _output_tensors(model, dims, layout), None)


def _with_gears(
    model: onnx.ModelProto,
    binding: Binding,
    wanted: _gears.Wanted,
    layout: _Layout,
    output_dims: OutputDims,
) -> Prepared:
    gears = [_gear_dims.input_dims(binding, wanted, gear) for gear in wanted.values]
    found = []
    for number, dims in enumerate(gears):
        try:
            found.append(output_dims.under(dims))
        except ModelFormatError as error:
            values = ",".join(map(str, wanted.values[number]))
            raise ModelFormatError(f"gear {values}: {error.message}", hint=error.hint) from error
    tensors = []
    for item in binding.inputs:
        tensor = _input_tensor(item, layout)
        if item.open_axes:
            tensor = _largest(item, tensor, tuple(dims[item.name] for dims in gears))
        tensors.append(tensor)
    largest = [max(shapes, key=_volume) for shapes in zip(*found, strict=True)]
    return Prepared(
        _serialise(model),
        tuple(tensors),
        _output_tensors(model, largest, layout),
        _contents.Gears(wanted.kind, wanted.values, binding.order, tuple(found)),
    )


def _output_types(model: onnx.ModelProto, wanted: OutputTypes) -> dict[str, int]:
    names = [value.name for value in model.graph.output]
    if wanted.for_all is not None:
        return dict.fromkeys(names, wanted.for_all)
    types: dict[str, int] = {}
    for given, number in wanted.by_output:
        tensor = _edit.find_output(model, "output_type", given)
        if tensor not in names:
            raise InputError(
                f"output_type: {given!r} is not an output of the model",
                hint=f"the outputs are {', '.join(map(repr, names))}",
            )
        if types.setdefault(tensor, number) != number:
            raise InputError(f"output_type: two types are given for the output {tensor!r}")
    return types


# ---- tensors -------------------------------------------------------------------------------------

_RANKS = {"NCHW": 4, "NCDHW": 5}


class _Layout:
    """The format of a tensor by its number of dims, and the sources of outputs."""

    def __init__(self, options: Options, sources: Mapping[str, tuple[str, int]]) -> None:
        self.sources = sources
        is_dims = options.gears is not None and options.gears.kind == "dims"
        self.stated = options.input_format or ("ND" if is_dims else "NCHW")

    def of(self, rank: int) -> str:
        return self.stated if _RANKS.get(self.stated) == rank else "ND"


def _volume(dims: Dims) -> int:
    return math.prod(dims)


# Numbers for open dims: the least that most models take, and some that heads and groups divide.
_SAMPLES = (1, 12, 72)


def _sample(item: Input, number: int) -> Dims:
    """Dims inside the ranges, as near to ``number`` as can be."""
    spans = map(_shapes.span, item.dims)
    return tuple(max(low, number if high < 0 else min(number, high)) for low, high in spans)


def _input_tensor(item: Input, layout: _Layout) -> _contents.Tensor:
    ranges = tuple(map(_shapes.span, item.dims)) if item.open_axes else ()
    return _sized(
        _contents.Tensor(
            item.name,
            element_type("input", item.value),
            item.shown,
            layout.of(len(item.dims)),
            range=ranges,
        )
    )


def _largest(
    item: Input, tensor: _contents.Tensor, gear_dims: tuple[Dims, ...]
) -> _contents.Tensor:
    return _sized(
        dataclasses.replace(
            tensor,
            dims=max(gear_dims, key=_volume),
            open_dims=item.shown,
            gear_dims=gear_dims,
            range=(),
        )
    )


def _output_tensors(
    model: onnx.ModelProto, output_dims: Sequence[Dims], layout: _Layout
) -> tuple[_contents.Tensor, ...]:
    tensors = []
    for value, dims in zip(model.graph.output, output_dims, strict=True):
        # An input or a constant that is an output as well has no node: it is its own source.
        node, index = layout.sources.get(value.name, (value.name, 0))
        node = node.replace(":", "_")  # readers split at ':'
        tensor = _contents.Tensor(
            f"{node}:{index}:{value.name}",
            element_type("output", value),
            dims,
            layout.of(len(dims)),
            (node, index),
        )
        tensors.append(_sized(tensor))
    return tuple(tensors)


def _sized(tensor: _contents.Tensor) -> _contents.Tensor:
    if tensor.nbytes >= 1 << 63:
        raise InputError(f"{tensor.name!r} with dims {tensor.dims} has more than 2**63 bytes")
    return tensor


# ---- the model -----------------------------------------------------------------------------------


def _check(onnx: Any, model: onnx.ModelProto) -> None:
    # The checker wants a shape on every output, which exporters leave out at times; the shapes
    # are computed anyway, so an empty one stands in while it looks.
    shapeless = [value for value in model.graph.output if dims_of(value) is None]
    for value in shapeless:
        value.type.tensor_type.shape.SetInParent()
    try:
        attempt("the ONNX model is not valid", lambda: onnx.checker.check_model(model))
    finally:
        for value in shapeless:
            value.type.tensor_type.ClearField("shape")


def _serialise(model: onnx.ModelProto) -> bytes:
    try:
        body: bytes = model.SerializeToString()
    except Exception as error:  # protobuf's own limit
        raise ModelFormatError(f"the ONNX model cannot be serialised: {LATER}") from error
    if len(body) > MAX_BYTES:
        raise ModelFormatError(f"the ONNX model has {len(body)} bytes; {LATER}")
    return body
