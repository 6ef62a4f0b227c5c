# SPDX-License-Identifier: Apache-2.0
"""Which shapes are measured: of a model's gears or ranges, by a text or by the batch size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING

from .. import _feeds, dtypes
from ..errors import InputError

if TYPE_CHECKING:
    from ..model import OfflineModel
    from ..tensor import TensorSpec

__all__ = ["parse", "specs", "text"]

Shape = tuple[int, ...]


def parse(words: str, names: Sequence[str]) -> dict[str, Shape]:
    """Reads ``"x:1,3,224,224;y:8"``; a model with one input needs no name.

    Args:
        words: As ATC's ``--input_shape`` has it.
        names: The model's inputs.

    Returns:
        Shape by name.

    Raises:
        InputError: It is not of that form, or names an input that there is not, or one twice.
    """
    shapes: dict[str, Shape] = {}
    for part in filter(None, words.split(";")):
        name, separator, dims = part.rpartition(":")
        if not separator and len(names) == 1:
            name = names[0]
        try:
            shape = tuple(int(dim) for dim in dims.split(","))
        except ValueError:
            shape = (-1,)
        if not name or min(shape) < 0:
            raise InputError(
                f"the shape {part!r} is not of the form name:1,3,224,224",
                hint=f"several are parted by ';'; the inputs are {', '.join(names)}",
            )
        if name not in names or name in shapes:
            why = "twice" if name in shapes else "for no input of the model"
            raise InputError(
                f"the shape {part!r} is {why}", hint=f"the inputs are {', '.join(names)}"
            )
        shapes[name] = shape
    if not shapes:
        raise InputError(f"the shape {words!r} is empty", hint="name:1,3,224,224")
    return shapes


def specs(
    model: OfflineModel, shape: str | Mapping[str, Sequence[int]] | None, batch: int | None
) -> tuple[TensorSpec, ...]:
    """The inputs with the shapes to measure.

    Args:
        model: The model.
        shape: Of some or all inputs, as text or by name; the others follow from the gear, or take
            the least that their range allows. None: by the batch.
        batch: The first dim of the inputs where it is open; None: the largest gear, or the least
            of a range.

    Returns:
        The inputs, all with concrete shapes.

    Raises:
        InputError: The model takes no such shape.
    """
    if shape is not None and batch is not None:
        raise InputError("both a shape and a batch size are given", hint="the shape has a batch")
    names = [spec.name for spec in model.inputs]
    if shape is None and batch is None:
        return _feeds.concrete(model)
    if shape is None:
        assert batch is not None
        return _of_batch(model, batch)
    wanted = parse(shape, names) if isinstance(shape, str) else _by_name(shape, names)
    gears = _gears(model)
    if gears:
        fitting = [g for g in gears if all(g[names.index(n)] == s for n, s in wanted.items())]
        if not fitting:
            raise InputError(
                f"no gear of the model has {text(wanted)}",
                hint=f"it has {_listed(names, gears)}",
            )
        return _with(model.inputs, max(fitting, key=lambda g: sum(map(prod, g))))
    least = [spec.shape for spec in _feeds.concrete(model)]
    shapes = [wanted.get(name, s) for name, s in zip(names, least, strict=True)]
    for spec, chosen in zip(model.inputs, shapes, strict=True):
        _check(spec, chosen)
    return _with(model.inputs, shapes)


def _of_batch(model: OfflineModel, batch: int) -> tuple[TensorSpec, ...]:
    gears = _gears(model)
    if gears:
        axis = [i for i, spec in enumerate(model.inputs) if spec.shape and spec.shape[0] < 0]
        fitting = [g for g in gears if axis and all(g[i][0] == batch for i in axis)]
        if len(fitting) == 1:
            return _with(model.inputs, fitting[0])
        names = [spec.name for spec in model.inputs]
        count = "no gear" if not fitting else f"{len(fitting)} gears"
        raise InputError(
            f"{count} of the model has batch {batch}",
            hint=f"say which by its shape; the gears are {_listed(names, gears)}",
        )
    shapes = []
    for spec, least in zip(model.inputs, _feeds.concrete(model), strict=True):
        is_open = bool(spec.shape) and spec.shape[0] < 0
        shapes.append((batch, *least.shape[1:]) if is_open else least.shape)
        _check(spec, shapes[-1])
    first = shapes[0] if shapes else ()
    if not any(spec.shape and spec.shape[0] < 0 for spec in model.inputs) and first[:1] != (batch,):
        raise InputError(
            f"the model's batch is fixed: its first input is {list(first)}, not of batch {batch}",
            hint="convert it with dynamic_batch_size, or give a file for each batch size",
        )
    return _with(model.inputs, shapes)


def _gears(model: OfflineModel) -> list[tuple[Shape, ...]]:
    return [gear.inputs for gear in model._runner.gears] if model._runner is not None else []


def _listed(names: Sequence[str], gears: Sequence[tuple[Shape, ...]]) -> str:
    return ", or ".join(text(dict(zip(names, gear, strict=True))) for gear in gears)


def _by_name(shapes: Mapping[str, Sequence[int]], names: Sequence[str]) -> dict[str, Shape]:
    unknown = [name for name in shapes if name not in names]
    if unknown:
        raise InputError(
            f"the model has no input {unknown[0]!r}", hint=f"it has {', '.join(names)}"
        )
    return {name: tuple(map(int, shape)) for name, shape in shapes.items()}


def text(shapes: Mapping[str, Shape]) -> str:
    """``"x:1,3,224,224;y:8"``, as ``parse`` reads it."""
    return ";".join(f"{name}:{','.join(map(str, shape))}" for name, shape in shapes.items())


def _check(spec: TensorSpec, shape: Shape) -> None:
    fits = len(shape) == len(spec.shape)
    for axis, (dim, own) in enumerate(zip(shape, spec.shape, strict=False)):
        low, high = spec.range[axis] if spec.range and own < 0 else (own, own)
        if own < 0 and not spec.range:
            low, high = 0, -1
        fits = fits and low <= dim and (high < 0 or dim <= high)
    if not fits:
        ranges = f", ranges {list(spec.range)}" if spec.range else ""
        raise InputError(f"input {spec.name!r} takes {list(spec.shape)}{ranges}, not {list(shape)}")


def _with(inputs: Sequence[TensorSpec], shapes: Sequence[Shape]) -> tuple[TensorSpec, ...]:
    found = []
    for spec, shape in zip(inputs, shapes, strict=True):
        count = prod(shape)
        nbytes = (count + 1) // 2 if dtypes.is_packed(spec.dtype) else count * spec.dtype.itemsize
        is_open = any(dim < 0 for dim in shape)
        found.append(replace(spec, shape=shape, dynamic=is_open, nbytes=nbytes))
    return tuple(found)
