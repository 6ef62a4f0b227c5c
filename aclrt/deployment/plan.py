# SPDX-License-Identifier: Apache-2.0
"""Which offline models to make of an ONNX model: one for each batch size, or one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..errors import InputError
from ..om import _shapes

__all__ = ["Planned", "plan"]

BATCH_SIZES = (1, 4, 8)
_DYNAMIC = ("dynamic_batch_size", "dynamic_image_size", "dynamic_dims", "input_shape_range")
_ONE_FILE = "leave out the batch sizes"


@dataclass(frozen=True)
class Planned:
    """A file to make: what its name gets, its batch size if it has one, and ATC's flags."""

    suffix: str
    batch: int | None
    flags: Mapping[str, str]


def plan(
    onnx_file: str, batch_sizes: Sequence[int] | None, flags: Mapping[str, str]
) -> list[Planned]:
    """The files to make.

    Args:
        onnx_file: The model.
        batch_sizes: As asked; None: 1, 4 and 8 where the first dim of inputs is open.
        flags: ATC's, ``input_shape`` among them; -1 as first dim stands for each batch size.

    Raises:
        InputError: The model does not have these batch sizes, or leaves other dims open.
        OSError: It cannot be read.
        ImportError: The ``onnx`` package is missing.
    """
    if any(size < 1 for size in batch_sizes or ()):
        raise InputError(f"batch sizes are at least 1, not {list(batch_sizes or ())}")
    dynamic = [name for name in _DYNAMIC if name in flags]
    if dynamic:
        if batch_sizes is not None and dynamic != ["dynamic_batch_size"]:
            raise InputError(f"{dynamic[0]} makes one model of several shapes", hint=_ONE_FILE)
        return [Planned("", None, flags)]
    shapes = _inputs(onnx_file)
    shapes.update(_stated(flags.get("input_shape"), list(shapes)))
    if any(isinstance(dim, tuple) for shape in shapes.values() for dim in shape):
        if batch_sizes is not None:
            raise InputError("a range in input_shape makes one model of any shape", hint=_ONE_FILE)
        return [Planned("", None, flags)]
    batched = [name for name, shape in shapes.items() if shape and shape[0] == -1]
    for name, shape in shapes.items():
        if -1 in shape[1:]:
            text = ",".join(map(str, shape))
            raise InputError(
                f"input {name!r} leaves dims open beside the batch size: {text}",
                hint=f'state them: --input-shape "{name}:..." (-1 for the batch size)',
            )
    if not batched:
        own = {shape[0] for shape in shapes.values() if shape}
        fixed = own.pop() if len(own) == 1 else None
        if batch_sizes is not None and list(batch_sizes) != [fixed]:
            raise InputError(
                f"the inputs have a fixed batch size ({fixed or 'or several'}), and "
                f"{', '.join(map(str, batch_sizes))} is asked for",
                hint="export the model with an open first dim, or leave out the batch sizes",
            )
        return [Planned("", fixed if isinstance(fixed, int) else None, flags)]
    planned = []
    for size in dict.fromkeys(batch_sizes or BATCH_SIZES):
        concrete: _shapes.Shapes = {
            name: (size, *shape[1:]) if name in batched else shape for name, shape in shapes.items()
        }
        text = _shapes.to_text(concrete)
        planned.append(Planned(f"-b{size}", size, {**flags, "input_shape": text}))
    return planned


def _inputs(onnx_file: str) -> dict[str, tuple[_shapes.Dim, ...]]:
    """Dims of the model's inputs, -1 where they are open."""
    from ..om._load import load

    proto, _ = load(onnx_file)
    graph = proto.graph
    weights = {tensor.name for tensor in graph.initializer}
    return {
        value.name: tuple(
            dim.dim_value if dim.WhichOneof("value") == "dim_value" else -1
            for dim in value.type.tensor_type.shape.dim
        )
        for value in graph.input
        if value.name not in weights
    }


def _stated(text: str | None, names: list[str]) -> dict[str, tuple[_shapes.Dim, ...]]:
    stated = {}
    for key, shape in _shapes.parse(text).items():
        if isinstance(key, int) and key >= len(names):
            raise InputError(f"input_shape states {key + 1} inputs, and there are {len(names)}")
        name = names[key] if isinstance(key, int) else key
        if name not in names:
            raise InputError(f"there is no input {name!r}; there are {', '.join(names)}")
        stated[name] = shape
    return stated
