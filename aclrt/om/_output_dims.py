# SPDX-License-Identifier: Apache-2.0
"""The dims of an ONNX model's outputs: by ONNX's shape inference, or by running ONNX Runtime."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ModelFormatError
from ._bind import bind_symbols
from ._load import attempt, import_onnx
from ._values import dims_of, element_type, set_dims, static_dims
from ._weights import Weights

if TYPE_CHECKING:
    import onnx

__all__ = ["OutputDims", "without_weights"]

_MAX_PROPAGATED = 1 << 16  # elements; no shape is nearly as long
_MIN_WEIGHT = 1 << 16  # elements; tensors that large are weights, not shapes

Dims = tuple[int, ...]
_Values = Callable[[Dims, np.dtype[Any]], Any]  # dims and dtype to an array


class OutputDims:
    """Asks about one model, under any dims of its inputs.

    Args:
        model: With dims bound; open ones are symbols.
        inputs: What the caller feeds, of ``model``.
        serialise: Gives the model as ONNX Runtime takes it; called only if it has to be asked.
        weights: Those that the model has elsewhere.
    """

    def __init__(
        self,
        model: onnx.ModelProto,
        inputs: Sequence[onnx.ValueInfoProto],
        serialise: Callable[[], bytes],
        weights: Weights,
    ) -> None:
        self._light = without_weights(model)
        self._inputs = inputs
        self._serialise = serialise
        self._weights = weights
        self._constants = {tensor.name for tensor in model.graph.initializer}
        self._names = [value.name for value in model.graph.output]
        self._is_independent = False  # of the data, as far as runs can tell

    def under(self, dims: Mapping[str, Dims]) -> tuple[Dims, ...]:
        """The outputs' dims where the inputs have ``dims``.

        Raises:
            ModelFormatError: The model does not take them, or has outputs whose dims depend on
                the data.
        """
        bound = self._bound(dims)
        try:
            outputs = self._infer(bound)
        except ModelFormatError as error:
            return self._where_inference_fails(bound, dims, error)
        static = [static_dims(value) for value in outputs]
        if None in static:
            measured = self._measured(dims)
            static = [found or shape for found, shape in zip(static, measured, strict=True)]
        return tuple(shape for shape in static if shape is not None)

    def in_general(self, samples: Sequence[Mapping[str, Dims]]) -> tuple[Dims, ...]:
        """The outputs' dims with -1 where the open dims of the inputs decide.

        Args:
            samples: Dims of the inputs inside their ranges; the model takes the first.

        Raises:
            ModelFormatError: The model does not take them.
        """
        try:
            known = [dims_of(value) for value in self._infer(self._light)]
        except ModelFormatError as error:
            measured = self._where_inference_fails(self._light, samples[0], error)
            return tuple((-1,) * len(shape) for shape in measured)
        if None in known:
            measured = self._ran(samples[0], np.zeros)
            known = [
                [None] * len(shape) if dims is None else dims
                for dims, shape in zip(known, measured, strict=True)
            ]
        found = [[dim if isinstance(dim, int) else -1 for dim in dims or ()] for dims in known]
        for sample in samples:
            self._withdraw(found, sample)
        return tuple(map(tuple, found))

    def _withdraw(self, found: list[list[int]], sample: Mapping[str, Dims]) -> None:
        """Puts -1 where the dims under ``sample`` are others: inference counts with open dims as
        with 0 in some operators (Attention in onnx 1.23)."""
        try:
            outputs = self._infer(self._bound(sample))
        except ModelFormatError:  # not every sample fits every model
            return
        for dims, value in zip(found, outputs, strict=True):
            for axis, (dim, claimed) in enumerate(zip(dims_of(value) or (), dims, strict=False)):
                if isinstance(dim, int) and dim != claimed:
                    dims[axis] = -1

    def _bound(self, dims: Mapping[str, Dims]) -> onnx.ModelProto:
        """The model with numbers in place of its open dims."""
        bound = import_onnx().ModelProto()
        bound.CopyFrom(self._light)
        self._bind(bound, dims)
        return bound  # type: ignore[no-any-return]

    def _bind(self, model: onnx.ModelProto, dims: Mapping[str, Dims]) -> None:
        numbers = {}
        for value in model.graph.input:
            new = dims.get(value.name)
            if new is None:
                continue
            for symbol, number in zip(dims_of(value) or (), new, strict=True):
                if isinstance(symbol, str):
                    numbers[symbol] = number
            set_dims(value, new)
        bind_symbols(model, numbers)

    def _infer(self, model: onnx.ModelProto) -> list[onnx.ValueInfoProto]:
        # Propagation of values makes an object for each element of a 1-d tensor that is cut or
        # gathered from, be it a shape or two gigabytes of samples.
        known = (
            static_dims(value) or () for value in (*model.graph.input, *model.graph.value_info)
        )
        is_long = any(len(dims) == 1 and dims[0] > _MAX_PROPAGATED for dims in known)
        inferred = attempt(
            "the shapes of the ONNX model do not fit together",
            lambda: import_onnx().shape_inference.infer_shapes(
                model, check_type=True, strict_mode=True, data_prop=not is_long
            ),
        )
        return list(inferred.graph.output)

    def _where_inference_fails(
        self, model: onnx.ModelProto, dims: Mapping[str, Dims], error: ModelFormatError
    ) -> tuple[Dims, ...]:
        """ONNX's inference is wrong about some operators that are functions
        (MeanVarianceNormalization in 1.23); raises its error unless the model runs and gives what
        it declares."""
        try:
            measured = self._measured(dims)
        except ModelFormatError:
            raise error from None
        for value, found in zip(model.graph.output, measured, strict=True):
            declared = dims_of(value)
            if declared is None:
                continue
            fits = len(declared) == len(found) and all(
                dim == number
                for dim, number in zip(declared, found, strict=True)
                if isinstance(dim, int)
            )
            if not fits:
                raise error
        return measured

    @cached_property
    def _session(self) -> Any:
        """The model in ONNX Runtime, which has the last word on what a model means."""
        try:
            import onnxruntime
        except ImportError as error:
            raise ModelFormatError(
                f"the dims of the outputs {self._names} cannot be told without running the model",
                hint="pip install aclrt[onnx] brings ONNX Runtime, which convert then asks",
            ) from error
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        self._kept = self._weights.give_to(options, self._constants)
        return attempt(
            "ONNX Runtime cannot load the model",
            lambda: onnxruntime.InferenceSession(
                self._serialise(), options, providers=["CPUExecutionProvider"]
            ),
        )

    def _measured(self, dims: Mapping[str, Dims]) -> tuple[Dims, ...]:
        """Runs the model, the first time on three sets of values: an output whose dims then
        differ is not static."""
        zeros = self._ran(dims, np.zeros)
        if self._is_independent:
            return zeros
        for values in (np.ones, _ramp):
            try:
                others = self._run(dims, values)
            except Exception:  # an index out of range, say: the other runs have to do
                continue
            for name, first, second in zip(self._names, zeros, others, strict=True):
                if first != second:
                    raise ModelFormatError(
                        f"output {name!r} has dims that depend on the data ({first} or {second}); "
                        "such models are not supported yet"
                    )
        self._is_independent = True
        return zeros

    def _ran(self, dims: Mapping[str, Dims], values: _Values) -> tuple[Dims, ...]:
        session = self._session  # its own errors are not those of a run
        assert session is not None
        return attempt(
            "ONNX Runtime cannot run the model on zeros", lambda: self._run(dims, values)
        )

    def _run(self, dims: Mapping[str, Dims], values: _Values) -> tuple[Dims, ...]:
        feeds = {value.name: _filled(value, dims[value.name], values) for value in self._inputs}
        results = self._session.run_with_ort_values(self._names, feeds)
        return tuple(tuple(result.shape()) for result in results)


def _ramp(dims: Dims, dtype: np.dtype[Any]) -> Any:
    """0, 1, 2, ..., and from the start again where the type ends."""
    return (np.arange(math.prod(dims)) % 128).astype(dtype).reshape(dims)


def _filled(value: onnx.ValueInfoProto, dims: Dims, values: _Values) -> Any:
    from onnxruntime import OrtValue

    dtype = element_type("input", value)
    if dtype.name.startswith(("bfloat", "float8", "int4")):  # small bit patterns: valid and cheap
        bits = values(dims, np.dtype(f"uint{max(dtype.bits, 8)}"))
        return OrtValue.ortvalue_from_numpy_with_onnx_type(bits, value.type.tensor_type.elem_type)
    return OrtValue.ortvalue_from_numpy(values(dims, np.dtype(dtype.name)))


def without_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy in which large constants are inputs: it has the same shapes, and is small."""
    onnx = import_onnx()
    light = onnx.ModelProto(ir_version=model.ir_version)
    light.opset_import.extend(model.opset_import)
    light.functions.extend(model.functions)
    graph, source = light.graph, model.graph
    graph.name = source.name
    graph.node.extend(source.node)
    graph.input.extend(source.input)
    graph.output.extend(source.output)
    graph.value_info.extend(source.value_info)
    graph.sparse_initializer.extend(source.sparse_initializer)
    listed = {value.name for value in source.input}
    for tensor in source.initializer:
        if not _is_weight(tensor):
            graph.initializer.append(tensor)
        elif tensor.name not in listed:
            # One that is too long to be a shape must not be taken apart as if it were.
            is_long = len(tensor.dims) == 1 and tensor.dims[0] > _MAX_PROPAGATED
            dims = [None] if is_long else tensor.dims
            graph.input.append(
                onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, dims)
            )
    return light  # type: ignore[no-any-return]


def _is_weight(tensor: onnx.TensorProto) -> bool:
    """Whether shapes cannot depend on its values. Those of one-dimensional constants can."""
    if tensor.data_location == type(tensor).EXTERNAL:
        return True
    return len(tensor.dims) > 1 and math.prod(tensor.dims) >= _MIN_WEIGHT
