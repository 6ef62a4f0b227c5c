# SPDX-License-Identifier: Apache-2.0
"""Single samples gathered into batches: the loop that everybody writes by hand.

A batch that is not full is filled up with zeros where the model's shapes are fixed, and padded to
the next gear where it has gears; only the rows of real samples come out.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _check, _gears
from .errors import InputError
from .result import Result

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ._surface import Surface
    from .model import OfflineModel
    from .tensor import TensorSpec

__all__ = ["run", "size_of"]


def size_of(
    model: str,
    inputs: Sequence[TensorSpec],
    kind: str | None,
    gears: Sequence[tuple[int, ...]],
    batch_size: int | None,
) -> int:
    """The number of samples in a batch.

    Args:
        model: The model's name for messages.
        inputs: Its inputs.
        kind: What varies, one of ``_dynamic.KINDS``; None for fixed shapes.
        gears: Its gears.
        batch_size: What the caller wants; None for the model's own.

    Raises:
        InputError: The inputs have no common batch axis, or not of this size.
    """
    size = None
    if batch_size is not None:
        try:
            size = operator.index(batch_size)
        except TypeError:
            raise InputError(f"batch_size must be an integer, not {batch_size!r}") from None
        if size < 1:
            raise InputError(f"batch_size must be at least 1, not {size}")
    batches = {spec.shape[0] for spec in inputs if spec.shape}
    if len(batches) != 1 or not all(spec.shape for spec in inputs):
        shapes = ", ".join(f"{spec.name} {spec.shape}" for spec in inputs)
        raise InputError(f"the inputs of {model} have no common batch axis: {shapes or 'none'}")
    (fixed,) = batches
    if fixed >= 0:
        known = [fixed]
    elif kind == "batch":
        known = sorted(values[0] for values in gears)
    else:
        return _open_size(model, inputs, size)
    if size is None:
        return known[-1]
    if size not in known:
        sizes = ", ".join(map(str, known))
        raise InputError(
            f"{model} has no batch of {size}; it has {sizes}", hint=f"batch_size={known[-1]}"
        )
    return size


def _open_size(model: str, inputs: Sequence[TensorSpec], size: int | None) -> int:
    limits = [spec.range[0][1] for spec in inputs if spec.range and spec.range[0][1] >= 0]
    if size is None:
        if limits:
            return min(limits)
        raise InputError(f"{model} takes any batch", hint="say which: batch_size=8")
    if limits and size > min(limits):
        raise InputError(f"{model} has no batch of {size}; the largest is {min(limits)}")
    return size


def run(
    model: OfflineModel | Surface, name: str, samples: Iterable[Any], size: int, safe: bool
) -> Iterator[Result]:
    """The result of each sample, in order."""
    inputs = model.inputs
    specs = [replace(spec, shape=spec.shape[1:]) for spec in inputs]
    index = _check.positions(inputs)
    remaining = iter(samples)
    number = 0
    while True:
        batch: list[list[NDArray[Any]]] = []
        for sample in islice(remaining, size):
            arrays = _arrays(f"{name} (sample {number})", specs, index, sample, safe)
            _check_equal(name, specs, number, batch, arrays)
            batch.append(arrays)
            number += 1
        if not batch:
            return
        yield from _rows(name, model, batch, size)


def _arrays(
    name: str, specs: Sequence[TensorSpec], index: Mapping[str, int], sample: Any, safe: bool
) -> list[NDArray[Any]]:
    if isinstance(sample, Mapping):
        return _check.inputs(name, specs, index, (), sample, safe)
    values = sample if isinstance(sample, tuple) else (sample,)
    return _check.inputs(name, specs, index, values, {}, safe)


def _check_equal(
    name: str,
    specs: Sequence[TensorSpec],
    number: int,
    batch: Sequence[Sequence[NDArray[Any]]],
    arrays: Sequence[NDArray[Any]],
) -> None:
    if not batch:
        return
    for spec, first, array in zip(specs, batch[0], arrays, strict=True):
        if array.shape != first.shape:
            raise InputError(
                f"input {spec.name!r} of {name} is {array.shape} in sample {number}, "
                f"{first.shape} in the samples before: one batch has one shape",
                hint="sort the samples by shape, or use batch_size=1",
            )


def _rows(
    name: str, model: OfflineModel | Surface, batch: Sequence[Sequence[NDArray[Any]]], size: int
) -> Iterator[Result]:
    count = len(batch)
    if model.inputs[0].shape[0] < 0:
        size = count
    stacked = [np.stack(column) for column in zip(*batch, strict=True)]
    filled = [_gears.pad_to(array, (size, *array.shape[1:])) for array in stacked]
    result = model(*filled, pad="up") if model.gears else model(*filled)
    for spec, array in zip(model.outputs, result, strict=True):
        if not array.ndim or array.shape[0] != size:
            raise InputError(
                f"output {spec.name!r} of {name} is {array.shape} for a batch of {size}: it has "
                "no row for each sample",
                hint="call the model with whole batches",
            )
    index = _check.positions(model.outputs)
    waste = result.waste if size == count else 1.0 - count / size
    for row in range(count):
        rows = tuple(array[row, ...] for array in result)
        yield Result(rows, result.keys(), index, result.gear, waste)
