# SPDX-License-Identifier: Apache-2.0
"""The gears of a model as Python sees them: which one takes a shape, and what padding costs.

Nothing here calls the library. A gear is a set of shapes that the model was compiled for; what each
gives was asked from AscendCL at load. Cropping rests on that: an output axis goes back to the fed
size if it is, under every gear, the same multiple of an input axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import gcd, prod
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from .errors import InputError

if TYPE_CHECKING:
    from fractions import Fraction

    from numpy.typing import NDArray

    from .tensor import TensorSpec

__all__ = ["Cropper", "Gear", "crop", "label", "next_up", "pad_to", "parts", "refuse", "waste"]

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Gear:
    """One gear.

    Attributes:
        values: What ATC was given: the batch, height and width, or one value for each dynamic dim.
        inputs: The shape of each input.
        outputs: The shape of each output.
    """

    values: Shape
    inputs: tuple[Shape, ...]
    outputs: tuple[Shape, ...]


def _holds(gear: Gear, shapes: Sequence[Shape]) -> bool:
    return all(
        len(have) == len(want) and all(a <= b for a, b in zip(have, want, strict=True))
        for have, want in zip(shapes, gear.inputs, strict=True)
    )


def next_up(gears: Sequence[Gear], shapes: Sequence[Shape]) -> int | None:
    """The gear with the fewest elements among those that are nowhere smaller; None if none is."""
    fitting = [number for number, gear in enumerate(gears) if _holds(gear, shapes)]
    return min(fitting, key=lambda number: sum(map(prod, gears[number].inputs)), default=None)


def waste(shapes: Sequence[Shape], gear: Gear) -> float:
    """The share of the gear's input elements that are padding; 0.0 for none."""
    whole = sum(prod(want) for want in gear.inputs)
    return 1.0 - sum(prod(have) for have in shapes) / whole if whole else 0.0


def pad_to(array: NDArray[Any], shape: Shape) -> NDArray[Any]:
    """The array with zeros behind its end on each axis; itself if nothing is missing."""
    if array.shape == shape:
        return array
    padded = np.zeros(shape, array.dtype)
    padded[tuple(slice(0, dim) for dim in array.shape)] = array
    return padded


def crop(
    arrays: Sequence[NDArray[Any]],
    shapes: Sequence[Shape],
    wanted: Sequence[NDArray[Any] | None],
) -> list[NDArray[Any]]:
    """The first ``shapes`` of the arrays, copied into ``wanted`` where that is not None."""
    results = []
    for array, shape, target in zip(arrays, shapes, wanted, strict=True):
        part = array[tuple(slice(0, dim) for dim in shape)]
        if target is not None:
            target[...] = part
        # A crop of the first axis alone stays contiguous and is not worth a copy.
        results.append(np.ascontiguousarray(part) if target is None else target)
    return results


class Cropper:
    """Takes the padding off outputs again.

    Args:
        model: The model's name for messages.
        inputs: Its inputs.
        outputs: Its outputs.
        gears: Its gears.
    """

    def __init__(
        self,
        model: str,
        inputs: Sequence[TensorSpec],
        outputs: Sequence[TensorSpec],
        gears: Sequence[Gear],
    ) -> None:
        self._model = model
        self._outputs = outputs
        self._gears = gears
        sources = [
            (place, axis)
            for place in range(len(inputs))
            for axis in range(len(gears[0].inputs[place]))
            if len({gear.inputs[place][axis] for gear in gears}) > 1
        ]
        # For each output, its axes that vary, each with the input axes that it is a multiple of.
        self._axes = [
            [
                (axis, self._followed(place, axis, sources))
                for axis in range(len(gears[0].outputs[place]))
                if len({gear.outputs[place][axis] for gear in gears}) > 1
            ]
            for place in range(len(outputs))
        ]

    def _followed(
        self, place: int, axis: int, sources: Sequence[tuple[int, int]]
    ) -> list[tuple[int, int, Fraction]]:
        from fractions import Fraction  # only gears need it, and it is slow to import

        followed = []
        for source, source_axis in sources:
            ratios = {
                Fraction(gear.outputs[place][axis], gear.inputs[source][source_axis])
                for gear in self._gears
                if gear.inputs[source][source_axis]
            }
            if len(ratios) == 1:
                followed.append((source, source_axis, ratios.pop()))
        return followed

    def follows_batch(self, place: int) -> bool:
        """Whether the output's first axis is a multiple of some input's first axis."""
        return any(
            axis == 0 and any(source_axis == 0 for _, source_axis, _ in followed)
            for axis, followed in self._axes[place]
        )

    def shapes(self, number: int, fed: Sequence[Shape]) -> tuple[Shape, ...]:
        """The outputs' shapes without what the padding of a gear's inputs added.

        An output that no gear changes has no axis to crop and keeps its shape.

        Raises:
            InputError: An output's axis cannot be told from the fed shapes.
        """
        gear = self._gears[number]
        cropped = []
        for place, axes in enumerate(self._axes):
            shape = list(gear.outputs[place])
            for axis, followed in axes:
                sizes = {fed[source][at] * ratio for source, at, ratio in followed}
                if len(sizes) != 1 or next(iter(sizes)).denominator != 1:
                    self._refuse(place, axis, fed)
                shape[axis] = int(sizes.pop())
            cropped.append(tuple(shape))
        return tuple(cropped)

    def _refuse(self, place: int, axis: int, fed: Sequence[Shape]) -> None:
        sizes = ", ".join(str(gear.outputs[place][axis]) for gear in self._gears)
        raise InputError(
            f"output {self._outputs[place].name!r} of {self._model} cannot be cropped back: its "
            f"axis {axis} is {sizes} under the gears, which does not tell its size for "
            f"{' and '.join(map(str, fed))}",
            hint="feed the shape of a gear, without pad=",
        )


def parts(total: int, sizes: Sequence[int], padded: bool) -> list[int] | None:
    """Cuts a batch into as few parts as the sizes allow, large ones first.

    Args:
        total: Samples.
        sizes: The batches that there are.
        padded: Whether the last part may be smaller than its gear.

    Returns:
        The parts in order; None if the sizes do not add up.
    """
    known = sorted(set(sizes))
    largest = known[-1]
    whole, rest = divmod(total, largest)
    if rest == 0:
        return [largest] * whole
    if padded:
        return [largest] * whole + [rest]
    if rest % gcd(*known):
        return None
    # Giving up some of the largest parts can make the rest divisible: 8 = 4 + 4 with 4 and 6.
    fewest = [0]  # how many parts, by sum; 0 beyond the first: none
    last = [0]  # the largest part of these
    for given_up in range(min(whole, known[0]) + 1):
        wanted = rest + given_up * largest
        for total_ in range(len(fewest), wanted + 1):
            ways = [
                (fewest[total_ - size] + 1, -size)
                for size in known
                if size == total_ or (size < total_ and fewest[total_ - size])
            ]
            count, size = min(ways, default=(0, 0))
            fewest.append(count)
            last.append(-size)
        if fewest[wanted]:
            tail = []
            while wanted:
                tail.append(last[wanted])
                wanted -= last[wanted]
            return [largest] * (whole - given_up) + sorted(tail, reverse=True)
    return None


def label(kind: str, values: Shape) -> str:
    """A gear for people: ``"batch 4"``, ``"224 x 224"`` (height first), ``"1, 40, 40"``."""
    if kind == "batch":
        return f"batch {values[0]}"
    if kind == "image":
        return f"{values[0]} x {values[1]}"
    return ", ".join(map(str, values))


def refuse(
    model: str,
    kind: str,
    inputs: Sequence[TensorSpec],
    gears: Sequence[Gear],
    shapes: Sequence[Shape],
    hint: str,
) -> NoReturn:
    """Raises with the table of gears.

    Raises:
        InputError: Always.
    """
    places = [place for place, spec in enumerate(inputs) if spec.dynamic] or [*range(len(inputs))]
    cells = [("gear", *(inputs[place].name for place in places))]
    for gear in gears:
        cells.append((label(kind, gear.values), *(str(gear.inputs[place]) for place in places)))
    cells.append(("given", *(str(shapes[place]) for place in places)))
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    table = "\n".join("    " + "  ".join(map(str.ljust, line, widths)).rstrip() for line in cells)
    given = ", ".join(f"{inputs[place].name} {shapes[place]}" for place in places)
    raise InputError(f"no gear of {model} takes {given}\n{table}", hint=hint)
