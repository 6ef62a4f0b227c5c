# SPDX-License-Identifier: Apache-2.0
"""Reads ONNX models. The ``onnx`` package is imported when a function here is called."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import InputError, ModelFormatError
from . import _weights
from ._weights import Weights

if TYPE_CHECKING:
    import onnx

__all__ = ["LATER", "MAX_BYTES", "attempt", "import_onnx", "load"]

MAX_BYTES = (1 << 31) - 1  # of a protobuf message
LATER = "without its weights, at most 2 GiB are possible"

_T = TypeVar("_T")


def import_onnx() -> Any:
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


def attempt(what: str, action: Callable[[], _T]) -> _T:
    """Runs code of the onnx package or of ONNX Runtime, which raise what they like."""
    try:
        return action()
    except MemoryError:
        raise
    except Exception as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        reason = " ".join(lines[:3]) or type(error).__name__
        raise ModelFormatError(f"{what}: {reason}") from error


def load(model: str | os.PathLike[str] | onnx.ModelProto) -> tuple[onnx.ModelProto, Weights]:
    """Reads an ONNX file, or copies a ``ModelProto``.

    Returns:
        The model, and those of its weights that stay where they are: large external data, and
        all of a model too large for one message.

    Raises:
        InputError: Neither a path nor a ``ModelProto``, or one whose data lie in other files.
        ModelFormatError: Not an ONNX model, too large, or its external data are missing.
        OSError: The file cannot be read.
        ImportError: The onnx package is missing.
    """
    onnx = import_onnx()
    if isinstance(model, onnx.ModelProto):
        if any(_external_tensors(onnx, model)):
            raise InputError(
                "model: the weights of this ModelProto lie in other files, and where is unknown",
                hint="give the path of the .onnx file, or call onnx.load_external_data_for_model",
            )
        if _weights.inline_bytes(model) > _weights.MAX_INLINE:
            return _weights.detach(model)
        copy = onnx.ModelProto()
        copy.CopyFrom(model)
        return copy, Weights()
    if not isinstance(model, (str, os.PathLike)):
        raise InputError(
            f"model: expected a path or an onnx.ModelProto, given {type(model).__name__}"
        )
    path = Path(model)
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise ModelFormatError(f"{path}: {size} bytes; {LATER}")
    raw = path.read_bytes()
    loaded = attempt(
        f"{path} is not an ONNX model", lambda: onnx.load_model_from_string(raw, format="protobuf")
    )
    if not loaded.HasField("graph"):
        raise ModelFormatError(f"{path} is not an ONNX model: it has no graph")
    external = list(_external_tensors(onnx, loaded))
    if external:
        return loaded, _weights.from_files(onnx, loaded, external, path)
    if _weights.inline_bytes(loaded) > _weights.MAX_INLINE:
        return _weights.detach(loaded)
    return loaded, Weights()


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
