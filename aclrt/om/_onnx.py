# SPDX-License-Identifier: Apache-2.0
"""Makes an ONNX model static: loads it, binds the shapes of its inputs, finds those of its outputs.

The only user of the ``onnx`` package, which is imported when a function here is called. Arguments
that do not fit the model are the caller's (``InputError``); everything else that is wrong is the
model's (``ModelFormatError``).
"""

from __future__ import annotations

import difflib
import math
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from ..errors import InputError, ModelFormatError
from . import _container, _types

if TYPE_CHECKING:
    import onnx

__all__ = ["StaticModel", "load", "make_static"]

_MAX_BYTES = (1 << 31) - 1  # of a protobuf message
_MAX_PROPAGATED = 1 << 16  # elements; no shape is nearly as long
_LATER = "models of 2 GiB and more are not supported yet"

_T = TypeVar("_T")
_Dim = int | str | None  # a number, a symbol, or nothing
_Values = Callable[[tuple[int, ...], np.dtype[Any]], Any]  # dims and dtype to an array


@dataclass(frozen=True)
class StaticModel:
    """A model whose inputs and outputs all have one shape."""

    onnx: bytes
    inputs: tuple[_container.Tensor, ...]
    outputs: tuple[_container.Tensor, ...]


def _import_onnx() -> Any:
    try:
        import onnx
        import onnx.checker
        import onnx.external_data_helper
        import onnx.shape_inference
    except ImportError as error:
        raise ImportError(
            f"converting needs the onnx package ({error}): pip install aclrt[onnx]", name="onnx"
        ) from error
    return onnx


def _attempt(what: str, action: Callable[[], _T]) -> _T:
    """Runs code of the onnx package or of ONNX Runtime, which raise what they like."""
    try:
        return action()
    except MemoryError:
        raise
    except Exception as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        reason = " ".join(lines[:3]) or type(error).__name__
        raise ModelFormatError(f"{what}: {reason}") from error


# ---- loading -------------------------------------------------------------------------------------


def load(model: str | os.PathLike[str] | onnx.ModelProto) -> onnx.ModelProto:
    """Reads an ONNX file with its external data, or copies a ``ModelProto``.

    Raises:
        InputError: Neither a path nor a ``ModelProto``, or one whose data lie in other files.
        ModelFormatError: Not an ONNX model, too large, or its external data are missing.
        OSError: The file cannot be read.
        ImportError: The onnx package is missing.
    """
    onnx = _import_onnx()
    if isinstance(model, onnx.ModelProto):
        copy = onnx.ModelProto()
        copy.CopyFrom(model)
        if any(_external_tensors(onnx, copy)):
            raise InputError(
                "model: the weights of this ModelProto lie in other files, and where is unknown",
                hint="give the path of the .onnx file, or call onnx.load_external_data_for_model",
            )
        return copy  # type: ignore[no-any-return]
    if not isinstance(model, (str, os.PathLike)):
        raise InputError(
            f"model: expected a path or an onnx.ModelProto, given {type(model).__name__}"
        )
    path = Path(model)
    size = path.stat().st_size
    if size > _MAX_BYTES:
        raise ModelFormatError(f"{path}: {size} bytes; {_LATER}")
    raw = path.read_bytes()
    loaded = _attempt(
        f"{path} is not an ONNX model", lambda: onnx.load_model_from_string(raw, format="protobuf")
    )
    if not loaded.HasField("graph"):
        raise ModelFormatError(f"{path} is not an ONNX model: it has no graph")
    _inline_external_data(onnx, loaded, path, size)
    return loaded  # type: ignore[no-any-return]


def _external_tensors(onnx: Any, model: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    helper = onnx.external_data_helper
    return filter(helper.uses_external_data, _tensors(model))


def _tensors(model: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    """Every tensor of the model, those of subgraphs and functions too."""
    graphs = [model.graph]
    nodes = [node for function in model.functions for node in function.node]
    while graphs or nodes:
        if graphs:
            graph = graphs.pop()
            yield from graph.initializer
            nodes.extend(graph.node)
            continue
        for attribute in nodes.pop().attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors
            if attribute.HasField("g"):
                graphs.append(attribute.g)
            graphs.extend(attribute.graphs)


def _inline_external_data(onnx: Any, model: onnx.ModelProto, path: Path, size: int) -> None:
    helper = onnx.external_data_helper
    total = size
    for tensor in _external_tensors(onnx, model):
        info = helper.ExternalDataInfo(tensor)
        data_file = path.parent / info.location
        if not data_file.is_file():
            raise ModelFormatError(
                f"{path}: the data of tensor {tensor.name!r} should be in {data_file}, "
                "which is not there",
                hint="keep the .onnx file and its data file in one directory",
            )
        total += info.length or data_file.stat().st_size - (info.offset or 0)
    if total > _MAX_BYTES:
        raise ModelFormatError(f"{path}: {total} bytes with its external data; {_LATER}")
    if total > size:
        _attempt(
            f"{path}: external data",
            lambda: onnx.load_external_data_for_model(model, os.fspath(path.parent)),
        )


# ---- binding -------------------------------------------------------------------------------------


def make_static(model: onnx.ModelProto, input_shape: Mapping[str, tuple[int, ...]]) -> StaticModel:
    """Binds the inputs' shapes in ``model`` (changed in place) and finds the outputs'.

    Raises:
        InputError: ``input_shape`` names an unknown input, contradicts the model or itself, or
            leaves a dim open.
        ModelFormatError: The model is not valid, or cannot be expressed in an .om file.
    """
    onnx = _import_onnx()
    inputs = _free_inputs(model)
    _check_kinds(model, inputs)
    symbols = _bind(model, inputs, input_shape)
    _bind_symbols(model, symbols)
    _check(onnx, model)
    output_dims = _output_dims(onnx, model, inputs)
    body = _serialise(model)
    return StaticModel(
        onnx=body,
        inputs=tuple(_input_tensor(value) for value in inputs),
        outputs=_output_tensors(model, output_dims),
    )


def _free_inputs(model: onnx.ModelProto) -> list[onnx.ValueInfoProto]:
    """The inputs that the caller feeds: before IR version 4, constants were listed too."""
    constants = {tensor.name for tensor in model.graph.initializer}
    constants.update(tensor.values.name for tensor in model.graph.sparse_initializer)
    return [value for value in model.graph.input if value.name not in constants]


def _check_kinds(model: onnx.ModelProto, inputs: list[onnx.ValueInfoProto]) -> None:
    outputs = list(model.graph.output)
    if not outputs:
        raise ModelFormatError("the ONNX model has no outputs")
    for kind, values in (("input", inputs), ("output", outputs)):
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
            _element_type(kind, value)


def _element_type(kind: str, value: onnx.ValueInfoProto) -> _types.ElementType:
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
        onnx = _import_onnx()
        known = {code: name for name, code in onnx.TensorProto.DataType.items()}
        raise ModelFormatError(
            f"{label} has elements of type {known.get(number, str(number)).lower()}, which an "
            f".om file cannot have here; possible are {', '.join(_types.names())}"
        )
    return dtype


def _dims(value: onnx.ValueInfoProto) -> list[_Dim] | None:
    """The declared dims; None where not even their number is known."""
    tensor = value.type.tensor_type
    if not tensor.HasField("shape"):
        return None
    dims: list[_Dim] = []
    for dim in tensor.shape.dim:
        kind = dim.WhichOneof("value")
        if kind == "dim_value" and dim.dim_value >= 0:
            dims.append(dim.dim_value)
        else:
            dims.append(dim.dim_param or None)
    return dims


def _dims_text(dims: list[_Dim] | None) -> str:
    if dims is None:
        return "unknown"
    return "(" + ", ".join("?" if dim is None else str(dim) for dim in dims) + ")"


def _set_dims(value: onnx.ValueInfoProto, dims: tuple[int, ...]) -> None:
    shape = value.type.tensor_type.shape
    shape.Clear()
    shape.SetInParent()  # a scalar has a shape without dims, which is not "no shape"
    for dim in dims:
        shape.dim.add().dim_value = dim


def _check_names(
    model: onnx.ModelProto,
    inputs: list[onnx.ValueInfoProto],
    input_shape: Mapping[str, tuple[int, ...]],
) -> None:
    names = [value.name for value in inputs]
    for name in input_shape:
        if name in names:
            continue
        if any(value.name == name for value in model.graph.input):
            raise InputError(f"input_shape: {name!r} is a constant of the model, not an input")
        close = difflib.get_close_matches(name, names, n=1)
        if close:
            hint = f"did you mean {close[0]!r}?"
        else:
            hint = "the inputs are " + ", ".join(map(repr, names)) if names else ""
        raise InputError(f"input_shape: the model has no input {name!r}", hint=hint)


def _bind(
    model: onnx.ModelProto,
    inputs: list[onnx.ValueInfoProto],
    input_shape: Mapping[str, tuple[int, ...]],
) -> dict[str, int]:
    """Gives every input its static dims; returns what the symbolic dims became."""
    _check_names(model, inputs, input_shape)
    symbols: dict[str, tuple[int, str]] = {}
    for value in inputs:
        given = input_shape.get(value.name)
        declared = _dims(value)
        if given is None or declared is None:
            continue
        expected = f"input_shape of {value.name!r}: expected {_dims_text(declared)}"
        if len(given) != len(declared):
            raise InputError(f"{expected}, which are {len(declared)} dims, given {given}")
        for axis, (dim, new) in enumerate(zip(declared, given, strict=True)):
            if isinstance(dim, int) and dim != new:
                raise InputError(f"{expected}, given {given}: dim {axis} is {dim} in the model")
            if isinstance(dim, str):
                before, owner = symbols.setdefault(dim, (new, value.name))
                if before != new:
                    raise InputError(
                        f"{expected}, given {given}: {dim!r} is {before} in the shape of {owner!r}"
                    )
    bound = {symbol: number for symbol, (number, _) in symbols.items()}
    open_inputs: list[tuple[str, list[_Dim] | None]] = []
    for value in inputs:
        declared = _dims(value)
        given = input_shape.get(value.name)
        if given is None and declared is not None:
            known = [bound.get(dim) if isinstance(dim, str) else dim for dim in declared]
            numbers = tuple(dim for dim in known if dim is not None)
            given = numbers if len(numbers) == len(declared) else None
        if given is None:
            open_inputs.append((value.name, declared))
        else:
            _set_dims(value, given)
    if open_inputs:
        listed = "; ".join(f"{name!r} {_dims_text(dims)}" for name, dims in open_inputs)
        example = {
            name: tuple(dim if isinstance(dim, int) else 1 for dim in dims or [1])
            for name, dims in open_inputs
        }
        raise InputError(
            f"input_shape: the shape of these inputs is open: {listed}",
            hint=f"state them, for example input_shape={example}",
        )
    return bound


def _bind_symbols(model: onnx.ModelProto, symbols: Mapping[str, int]) -> None:
    for value in (*model.graph.value_info, *model.graph.output):
        if value.type.WhichOneof("value") != "tensor_type":
            continue
        for dim in value.type.tensor_type.shape.dim:
            number = symbols.get(dim.dim_param)
            if number is not None:
                dim.dim_value = number


def _check(onnx: Any, model: onnx.ModelProto) -> None:
    # The checker wants a shape on every output, which exporters leave out at times; the shapes
    # are computed below, so an empty one stands in while it looks.
    shapeless = [value for value in model.graph.output if _dims(value) is None]
    for value in shapeless:
        value.type.tensor_type.shape.SetInParent()
    try:
        _attempt("the ONNX model is not valid", lambda: onnx.checker.check_model(model))
    finally:
        for value in shapeless:
            value.type.tensor_type.ClearField("shape")


# ---- outputs -------------------------------------------------------------------------------------


def _output_dims(
    onnx: Any, model: onnx.ModelProto, inputs: list[onnx.ValueInfoProto]
) -> list[tuple[int, ...]]:
    # Propagation of values makes an object for each element of a 1-d tensor that is cut or
    # gathered from, be it a shape or two gigabytes of samples.
    values = (*model.graph.input, *model.graph.value_info)
    known = (_static_dims(value) or () for value in values)
    is_long = any(len(dims) == 1 and dims[0] > _MAX_PROPAGATED for dims in known)
    try:
        inferred = _attempt(
            "the shapes of the ONNX model do not fit together",
            lambda: onnx.shape_inference.infer_shapes(
                model, check_type=True, strict_mode=True, data_prop=not is_long
            ),
        )
    except ModelFormatError as error:
        return _dims_by_running(model, inputs, error)
    static = [_static_dims(value) for value in inferred.graph.output]
    del inferred
    if None in static:
        measured = _measured_dims(model, inputs)
        static = [found or dims for found, dims in zip(static, measured, strict=True)]
    return [dims for dims in static if dims is not None]


def _dims_by_running(
    model: onnx.ModelProto, inputs: list[onnx.ValueInfoProto], error: ModelFormatError
) -> list[tuple[int, ...]]:
    """The dims where ONNX's inference failed, which is wrong about some operators that are
    functions (MeanVarianceNormalization in 1.23); raises its error unless the model runs and gives
    what it declares."""
    try:
        measured = _measured_dims(model, inputs)
    except ModelFormatError:
        raise error from None
    declared = [_static_dims(value) for value in model.graph.output]
    if any(dims not in (None, found) for dims, found in zip(declared, measured, strict=True)):
        raise error
    return measured


def _static_dims(value: onnx.ValueInfoProto) -> tuple[int, ...] | None:
    dims = _dims(value)
    if dims is None:
        return None
    numbers = tuple(dim for dim in dims if isinstance(dim, int))
    return numbers if len(numbers) == len(dims) else None


def _session(model: onnx.ModelProto) -> Any:
    """The model in ONNX Runtime, which has the last word on what a model means."""
    names = [value.name for value in model.graph.output]
    try:
        import onnxruntime
    except ImportError as error:
        raise ModelFormatError(
            f"the dims of the outputs {names} cannot be told without running the model",
            hint="pip install aclrt[onnx] brings ONNX Runtime, which convert then asks",
        ) from error
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    return _attempt(
        "ONNX Runtime cannot load the model",
        lambda: onnxruntime.InferenceSession(
            _serialise(model), options, providers=["CPUExecutionProvider"]
        ),
    )


def _measured_dims(
    model: onnx.ModelProto, inputs: list[onnx.ValueInfoProto]
) -> list[tuple[int, ...]]:
    """Runs the model on three sets of values; an output whose dims then differ is not static."""
    session = _session(model)
    names = [value.name for value in model.graph.output]

    def run(values: _Values) -> list[tuple[int, ...]]:
        feeds = {value.name: _filled(value, values) for value in inputs}
        return [tuple(out.shape()) for out in session.run_with_ort_values(names, feeds)]

    zeros = _attempt("ONNX Runtime cannot run the model on zeros", lambda: run(np.zeros))
    for values in (np.ones, _ramp):
        try:
            others = run(values)
        except Exception:  # an index out of range, say: the other runs have to do
            continue
        for name, first, second in zip(names, zeros, others, strict=True):
            if first != second:
                raise ModelFormatError(
                    f"output {name!r} has dims that depend on the data ({first} or {second}); "
                    "such models are not supported yet"
                )
    return zeros


def _ramp(dims: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
    """0, 1, 2, ..., and from the start again where the type ends."""
    return (np.arange(math.prod(dims)) % 128).astype(dtype).reshape(dims)


def _filled(value: onnx.ValueInfoProto, values: _Values) -> Any:
    from onnxruntime import OrtValue

    dtype = _element_type("input", value)
    dims = _static_dims(value) or ()
    if dtype.name.startswith(("bfloat", "float8", "int4")):  # small bit patterns: valid and cheap
        bits = values(dims, np.dtype(f"uint{max(dtype.bits, 8)}"))
        return OrtValue.ortvalue_from_numpy_with_onnx_type(bits, value.type.tensor_type.elem_type)
    return OrtValue.ortvalue_from_numpy(values(dims, np.dtype(dtype.name)))


def _serialise(model: onnx.ModelProto) -> bytes:
    try:
        body: bytes = model.SerializeToString()
    except Exception as error:  # protobuf's own limit
        raise ModelFormatError(f"the ONNX model cannot be serialised: {_LATER}") from error
    if len(body) > _MAX_BYTES:
        raise ModelFormatError(f"the ONNX model has {len(body)} bytes; {_LATER}")
    return body


def _input_tensor(value: onnx.ValueInfoProto) -> _container.Tensor:
    dims = _static_dims(value)
    assert dims is not None, "bound above"
    return _sized(_container.Tensor(value.name, _element_type("input", value), dims))


def _output_tensors(
    model: onnx.ModelProto, output_dims: list[tuple[int, ...]]
) -> tuple[_container.Tensor, ...]:
    sources = {
        result: (node.name or node.op_type, index)
        for node in model.graph.node
        for index, result in enumerate(node.output)
        if result
    }
    tensors = []
    for value, dims in zip(model.graph.output, output_dims, strict=True):
        # An input or a constant that is an output as well has no node: it is its own source.
        node, index = sources.get(value.name, (value.name, 0))
        node = node.replace(":", "_")  # readers split at ':'
        tensor = _container.Tensor(
            f"{node}:{index}:{value.name}", _element_type("output", value), dims, (node, index)
        )
        tensors.append(_sized(tensor))
    return tuple(tensors)


def _sized(tensor: _container.Tensor) -> _container.Tensor:
    if tensor.nbytes >= 1 << 63:
        raise InputError(f"{tensor.name!r} with dims {tensor.dims} has more than 2**63 bytes")
    return tensor
