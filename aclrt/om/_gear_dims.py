# SPDX-License-Identifier: Apache-2.0
"""Gears and inputs together: which dims a gear's values fill in, and whether they fit."""

from __future__ import annotations

from ..errors import InputError
from . import _gears
from ._bind import Binding, Input

__all__ = ["check_axes", "input_dims"]

_HEIGHT_WIDTH = (2, 3)  # of NCHW

Dims = tuple[int, ...]


def check_axes(binding: Binding, wanted: _gears.Wanted, input_format: str) -> None:
    """Refuses open dims that this kind of gears cannot fill in.

    Raises:
        InputError: No open dim, one at another place, or a wrong number of values.
    """
    for item in binding.inputs:
        for axis in item.open_axes:
            if isinstance(item.dims[axis], tuple):
                raise InputError(
                    f"{wanted.option}: the inputs need -1 where the gears fill in, given a range "
                    f"for dim {axis} of {item.name!r}",
                    hint=f"write -1, or leave out {wanted.option}",
                )
    if not binding.open_inputs:
        listed = ", ".join(item.text() for item in binding.inputs) or "no inputs"
        raise InputError(
            f"{wanted.option}: at least one dim of the inputs must be -1, given {listed}",
            hint='state it in input_shape, such as "x:-1,3,224,224"',
        )
    check = {"batch": _check_batch, "image": _check_image, "dims": _check_dims}[wanted.kind]
    check(binding, wanted, input_format)


def _check_batch(binding: Binding, wanted: _gears.Wanted, _: str) -> None:
    for item in binding.open_inputs:
        if item.open_axes != (0,):
            raise InputError(
                f"{wanted.option}: only the first dim (N) of an input can be -1, given "
                f"{item.text()}",
                hint="dynamic_dims takes gears for any dims",
            )


def _check_image(binding: Binding, wanted: _gears.Wanted, input_format: str) -> None:
    if input_format != "NCHW":
        raise InputError(
            f"{wanted.option}: expected input_format NCHW, where height and width have a place, "
            f"given {input_format}"
        )
    for item in binding.open_inputs:
        if len(item.dims) != 4 or item.open_axes != _HEIGHT_WIDTH:
            raise InputError(
                f"{wanted.option}: height and width, the last two of an input's four dims, can be "
                f"-1 and must both be, given {item.text()}",
                hint="dynamic_dims takes gears for any dims",
            )


def _check_dims(binding: Binding, wanted: _gears.Wanted, input_format: str) -> None:
    if input_format != "ND":
        raise InputError(
            f"{wanted.option}: expected input_format ND, given {input_format}",
            hint="leave input_format out, or state ND",
        )
    places = [(item, axis) for item in binding.open_inputs for axis in item.open_axes]
    wrong = [gear for gear in wanted.values if len(gear) != len(places)]
    if not wrong:
        return
    listed = ", ".join(f"dim {axis} of {item.name!r}" for item, axis in places)
    # Who gives one value for several inputs means all of them.
    if all(len(gear) == 1 for gear in wanted.values):
        examples = [",".join(map(str, gear * len(places))) for gear in wanted.values]
    else:
        examples = [",".join(["1"] * len(places)), ",".join(["2"] * len(places))]
    noun = "value" if len(places) == 1 else "values"
    raise InputError(
        f"{wanted.option}: expected {len(places)} {noun} in each gear, one for every -1 "
        f"({listed}), given {','.join(map(str, wrong[0]))}",
        hint=f'for example {wanted.option}="{";".join(examples)}"',
    )


def input_dims(binding: Binding, wanted: _gears.Wanted, gear: Dims) -> dict[str, Dims]:
    """The dims of every input under one gear.

    Raises:
        InputError: The gear gives one symbol of the model two values.
    """
    rest = iter(gear)
    filled: dict[str, Dims] = {}
    symbols: dict[str, tuple[int, Input, int]] = {}
    for item in binding.open_inputs:
        values = rest if wanted.kind == "dims" else iter(gear)
        dims = list(item.shown)
        for axis in item.open_axes:
            dims[axis] = next(values)
            symbol = str(item.symbols[axis])
            before, owner, place = symbols.setdefault(symbol, (dims[axis], item, axis))
            if before != dims[axis]:
                raise InputError(
                    f"{wanted.option}: the gear {','.join(map(str, gear))} gives {before} to dim "
                    f"{place} of {owner.name!r} and {dims[axis]} to dim {axis} of {item.name!r}; "
                    f"both are {symbol!r} in the model"
                )
        filled[item.name] = tuple(dims)
    return {item.name: filled.get(item.name, item.shown) for item in binding.inputs}
