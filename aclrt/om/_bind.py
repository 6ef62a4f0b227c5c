# SPDX-License-Identifier: Apache-2.0
"""Gives every input of an ONNX model its dims: a number each, or a symbol where runs differ."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import InputError
from . import _shapes
from ._shapes import Dim
from ._values import OnnxDim, dims_of, dims_text, set_dims

if TYPE_CHECKING:
    import onnx

__all__ = ["Binding", "Input", "bind", "bind_symbols", "forget_dims"]


@dataclass(frozen=True)
class Input:
    """One input with its dims: as stated, and as the ONNX model has them now."""

    value: onnx.ValueInfoProto
    dims: tuple[Dim, ...]
    symbols: tuple[int | str, ...]

    @property
    def name(self) -> str:
        return self.value.name

    @property
    def open_axes(self) -> tuple[int, ...]:
        """Where runs differ."""
        return tuple(i for i, dim in enumerate(self.dims) if _shapes.is_open(dim))

    @property
    def shown(self) -> tuple[int, ...]:
        """The dims with -1 where runs differ."""
        return tuple(dim if isinstance(dim, int) else _shapes.OPEN for dim in self.dims)

    def text(self) -> str:
        """Name and dims for people."""
        return f"{self.name!r} ({', '.join(map(str, self.shown))})"


@dataclass(frozen=True)
class Binding:
    """All inputs in the model's order, and in the order in which gears count them."""

    inputs: tuple[Input, ...]
    order: tuple[str, ...]

    @property
    def open_inputs(self) -> tuple[Input, ...]:
        """Those that runs change, in the order in which gears count them."""
        by_name = {item.name: item for item in self.inputs}
        return tuple(by_name[name] for name in self.order if by_name[name].open_axes)


def bind(
    model: onnx.ModelProto,
    inputs: Sequence[onnx.ValueInfoProto],
    shapes: _shapes.Shapes,
    option: str,
    opens: bool,
) -> Binding:
    """Writes dims into the model's inputs, and numbers of symbols wherever the symbols stand.

    Args:
        model: Changed in place.
        inputs: Its inputs.
        shapes: What the caller states.
        option: The argument that it was stated with.
        opens: Whether a dim that neither the model nor the caller knows is one that runs decide.

    Raises:
        InputError: ``shapes`` names an unknown input, contradicts the model or itself, or leaves
            a dim open that must not be.
    """
    stated = _by_name(model, [value.name for value in inputs], shapes, option)
    symbols = _stated_symbols(inputs, stated, option)
    known = [_resolve(value, stated.get(value.name), symbols, opens) for value in inputs]
    _refuse_unknown(inputs, known, option)
    bind_symbols(model, {s: dim for s, dim in symbols.items() if isinstance(dim, int) and dim >= 0})
    taken = {dim.dim_param for v in _values(model) for dim in v.type.tensor_type.shape.dim}
    bound = []
    for value, dims in zip(inputs, known, strict=True):
        assert dims is not None, "refused above"
        names = dims_of(value) or [None] * len(dims)
        marked = tuple(
            _symbol(value.name, axis, name, taken) if _shapes.is_open(dim) else _shapes.span(dim)[0]
            for axis, (dim, name) in enumerate(zip(dims, names, strict=True))
        )
        set_dims(value, marked)
        bound.append(Input(value, dims, marked))
    order = [*stated, *(value.name for value in inputs if value.name not in stated)]
    return Binding(tuple(bound), tuple(order))


def _values(model: onnx.ModelProto) -> list[onnx.ValueInfoProto]:
    values = (*model.graph.input, *model.graph.value_info, *model.graph.output)
    return [value for value in values if value.type.WhichOneof("value") == "tensor_type"]


def bind_symbols(model: onnx.ModelProto, numbers: Mapping[str, int]) -> None:
    """Puts numbers in place of symbols."""
    for value in _values(model):
        for dim in value.type.tensor_type.shape.dim:
            number = numbers.get(dim.dim_param)
            if number is not None:
                dim.dim_value = number


def forget_dims(model: onnx.ModelProto) -> None:
    """Takes back the numbers that the model states for dims of inner tensors and outputs: exporters
    write those of their example where only the inputs were said to be dynamic."""
    given = {value.name: value for value in model.graph.input}
    constants = {tensor.name for tensor in model.graph.initializer}
    for value in (*model.graph.value_info, *model.graph.output):
        if value.name in given:  # passed on
            value.CopyFrom(given[value.name])
            continue
        for dim in value.type.tensor_type.shape.dim if value.name not in constants else ():
            if dim.HasField("dim_value"):
                dim.Clear()


def _symbol(name: str, axis: int, declared: OnnxDim, taken: set[str]) -> str:
    """The model's own symbol, or a new one."""
    if isinstance(declared, str):
        return declared
    symbol = base = f"{name}_dim_{axis}"
    count = 0
    while symbol in taken:
        count += 1
        symbol = f"{base}_{count}"
    taken.add(symbol)
    return symbol


def _by_name(
    model: onnx.ModelProto, names: list[str], shapes: _shapes.Shapes, option: str
) -> dict[str, tuple[Dim, ...]]:
    stated: dict[str, tuple[Dim, ...]] = {}
    for key, dims in shapes.items():
        if isinstance(key, int):
            if key >= len(names):
                raise InputError(
                    f"{option}: {len(shapes)} shapes are given, the model has {len(names)} inputs",
                    hint="the inputs are " + ", ".join(map(repr, names)) if names else "",
                )
            stated[names[key]] = dims
            continue
        if key not in names:
            _refuse_name(model, names, key, option)
        stated[key] = dims
    return stated


def _refuse_name(model: onnx.ModelProto, names: list[str], name: str, option: str) -> None:
    if any(value.name == name for value in model.graph.input):
        raise InputError(f"{option}: {name!r} is a constant of the model, not an input")
    close = difflib.get_close_matches(name, names, n=1)
    if close:
        hint = f"did you mean {close[0]!r}?"
    else:
        hint = "the inputs are " + ", ".join(map(repr, names)) if names else ""
    raise InputError(f"{option}: the model has no input {name!r}", hint=hint)


def _given_text(dims: Sequence[Dim]) -> str:
    words = ["~".join(map(str, dim)) if isinstance(dim, tuple) else str(dim) for dim in dims]
    return f"({', '.join(words)}{',' if len(words) == 1 else ''})"


def _stated_symbols(
    inputs: Sequence[onnx.ValueInfoProto], stated: Mapping[str, tuple[Dim, ...]], option: str
) -> dict[str, Dim]:
    """What the model's symbolic dims become by the shapes stated."""
    symbols: dict[str, tuple[Dim, str]] = {}
    for value in inputs:
        given, declared = stated.get(value.name), dims_of(value)
        if given is None or declared is None:
            continue
        expected = f"{option} of {value.name!r}: expected {dims_text(declared)}"
        if len(given) != len(declared):
            raise InputError(
                f"{expected}, which are {len(declared)} dims, given {_given_text(given)}"
            )
        for axis, (dim, new) in enumerate(zip(declared, given, strict=True)):
            if isinstance(dim, int) and dim != new:
                raise InputError(
                    f"{expected}, given {_given_text(given)}: dim {axis} is {dim} in the model",
                    hint="export the model with a dynamic axis there"
                    if _shapes.is_open(new)
                    else "",
                )
            if isinstance(dim, str):
                before, owner = symbols.setdefault(dim, (new, value.name))
                if before != new:
                    was = _given_text([before])[1:-2]
                    raise InputError(
                        f"{expected}, given {_given_text(given)}: {dim!r} is {was} in the shape of "
                        f"{owner!r}"
                    )
    return {symbol: dim for symbol, (dim, _) in symbols.items()}


def _resolve(
    value: onnx.ValueInfoProto,
    given: tuple[Dim, ...] | None,
    symbols: Mapping[str, Dim],
    opens: bool,
) -> tuple[Dim, ...] | None:
    """The dims of one input; None where they are not all known."""
    declared = dims_of(value)
    if given is not None or declared is None:
        return given
    known = [symbols.get(dim) if isinstance(dim, str) else dim for dim in declared]
    if opens:
        known = [_shapes.OPEN if dim is None else dim for dim in known]
    dims = tuple(dim for dim in known if dim is not None)
    return dims if len(dims) == len(declared) else None


def _refuse_unknown(
    inputs: Sequence[onnx.ValueInfoProto], known: Sequence[object], option: str
) -> None:
    unknown = [
        (value.name, dims_of(value))
        for value, dims in zip(inputs, known, strict=True)
        if dims is None
    ]
    if not unknown:
        return
    listed = "; ".join(f"{name!r} {dims_text(dims)}" for name, dims in unknown)
    example = {
        name: tuple(dim if isinstance(dim, int) else 1 for dim in dims or [1])
        for name, dims in unknown
    }
    raise InputError(
        f"{option}: the shape of these inputs is open: {listed}",
        hint=f"state them, for example {option}={example}",
    )
