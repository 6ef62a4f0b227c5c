# SPDX-License-Identifier: Apache-2.0
"""Inputs and outputs of an ONNX graph: their element types and declared dims."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ..errors import ModelFormatError
from . import _types
from ._load import import_onnx

if TYPE_CHECKING:
    import onnx

__all__ = ["OnnxDim", "check_kinds", "dims_of", "dims_text", "element_type", "free_inputs"]
__all__ += ["set_dims", "static_dims"]

_INTERNAL = ("ascend_mbatch_shape_data", "ascend_dynamic_aipp_data")

OnnxDim = int | str | None  # a number, a symbol, or nothing


def free_inputs(model: onnx.ModelProto) -> list[onnx.ValueInfoProto]:
    """The inputs that the caller feeds: before IR version 4, constants were listed too."""
    constants = {tensor.name for tensor in model.graph.initializer}
    constants.update(tensor.values.name for tensor in model.graph.sparse_initializer)
    return [value for value in model.graph.input if value.name not in constants]


def check_kinds(kind: str, values: Iterable[onnx.ValueInfoProto]) -> None:
    """Refuses ``values`` (``kind`` is "input" or "output") that an .om file cannot have."""
    names: set[str] = set()
    for value in values:
        if not value.name:
            raise ModelFormatError(f"the ONNX model has an {kind} without a name")
        if value.name in names:
            raise ModelFormatError(
                f"the ONNX model lists the {kind} {value.name!r} twice",
                hint="give the second one a name of its own with an Identity node",
            )
        names.add(value.name)
        if kind == "input" and value.name.startswith(_INTERNAL):
            raise ModelFormatError(
                f"{value.name!r} is a name of AscendCL's own inputs; the ONNX model cannot have it",
                hint="rename the input",
            )
        element_type(kind, value)


def element_type(kind: str, value: onnx.ValueInfoProto) -> _types.ElementType:
    """The type in AscendCL's terms."""
    label = f"{kind} {value.name!r}"
    given = value.type.WhichOneof("value")
    if given != "tensor_type":
        raise ModelFormatError(
            f"{label} is of kind {(given or 'unknown').removesuffix('_type')}; "
            "an .om file holds tensors only"
        )
    number = value.type.tensor_type.elem_type
    dtype = _types.of_onnx(number)
    if dtype is None:
        onnx = import_onnx()
        known = {code: name for name, code in onnx.TensorProto.DataType.items()}
        raise ModelFormatError(
            f"{label} has elements of type {known.get(number, str(number)).lower()}, which an "
            f".om file cannot have here; possible are {', '.join(_types.names())}"
        )
    return dtype


def dims_of(value: onnx.ValueInfoProto) -> list[OnnxDim] | None:
    """The declared dims; None where not even their number is known."""
    tensor = value.type.tensor_type
    if not tensor.HasField("shape"):
        return None
    dims: list[OnnxDim] = []
    for dim in tensor.shape.dim:
        kind = dim.WhichOneof("value")
        if kind == "dim_value" and dim.dim_value >= 0:
            dims.append(dim.dim_value)
        else:
            dims.append(dim.dim_param or None)
    return dims


def static_dims(value: onnx.ValueInfoProto) -> tuple[int, ...] | None:
    """The declared dims where all are numbers."""
    dims = dims_of(value)
    if dims is None:
        return None
    numbers = tuple(dim for dim in dims if isinstance(dim, int))
    return numbers if len(numbers) == len(dims) else None


def dims_text(dims: Sequence[OnnxDim] | None) -> str:
    """The dims for people."""
    if dims is None:
        return "unknown"
    return "(" + ", ".join("?" if dim is None else str(dim) for dim in dims) + ")"


def set_dims(value: onnx.ValueInfoProto, dims: Sequence[int | str]) -> None:
    """Replaces the declared dims by numbers and symbols."""
    shape = value.type.tensor_type.shape
    shape.Clear()
    shape.SetInParent()  # a scalar has a shape without dims, which is not "no shape"
    for dim in dims:
        if isinstance(dim, str):
            shape.dim.add().dim_param = dim
        else:
            shape.dim.add().dim_value = dim
