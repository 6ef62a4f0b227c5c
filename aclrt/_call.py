# SPDX-License-Identifier: Apache-2.0
"""The call of a model with fixed shapes and ordinary arrays, written out for its signature.

A loop over inputs costs more than what it does for each, so the function is unrolled: ``source``
is its text for a number of inputs and outputs, compiled once for each, and ``specialise`` binds it
to one model. It takes what is exactly right; anything else it leaves to ``aclrt._fixed``, whose
checks say what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from types import CodeType
from typing import TYPE_CHECKING, Any

import numpy as np

from ._failure import raise_run
from ._ffi import ffi, lib
from .result import Result

if TYPE_CHECKING:
    from .tensor import TensorSpec

__all__ = ["Call", "never", "source", "specialise"]

Call = Callable[[Sequence[Any], Mapping[str, Any]], "Result | None"]
"""Takes what a call was given, by position and by name; None: not exactly right."""

_TEMPLATE = """
def build({parameters}, call, handle, raise_run, about, frames):
    pop = frames.pop
    push = frames.append

    def quick(args, named):
        if named or (len(args) == 1 and type(args[0]) is dict):
            feed = named or args[0]
            if len(feed) != {inputs} or (named and args):
                return None
            try:
                {by_name}
            except KeyError:
                return None
        elif len(args) != {inputs}:
            return None
        else:
            {by_position}
        if {is_wrong}:
            return None
        try:
            frame = pop()
        except IndexError:
            frame = new("void *[]", {count})
        try:
            {point_at_inputs}
        except ValueError:  # not contiguous
            return None
        {make_outputs}
        status = call(handle, frame, {count})
        if status:
            raise_run(status, ({sources}))
        push(frame)
        result = create(Result)
        result._arrays = ({results})
        result._about = about
        return result

    return quick
"""


def never(args: Sequence[Any], named: Mapping[str, Any]) -> None:
    """The function of a model that has none: nothing is exactly right."""


def source(inputs: int, outputs: int) -> str:
    """The text of ``build``, which makes the function for one model."""
    every = range(inputs)
    made = range(outputs)
    lines = {
        "parameters": ", ".join(
            [f"name{i}, dtype{i}, shape{i}" for i in every]
            + [f"out_shape{o}, out_dtype{o}" for o in made]
        ),
        "by_name": _lines(16, [f"x{i} = feed[name{i}]" for i in every]),
        "by_position": _lines(12, [f"{_tuple('x', inputs)}= args"] if inputs else []),
        "is_wrong": " or ".join(
            f"type(x{i}) is not ndarray or x{i}.dtype is not dtype{i} or x{i}.shape != shape{i}"
            for i in every
        )
        or "False",
        "point_at_inputs": _lines(12, [f"frame[{i}] = from_buffer(x{i})" for i in every]),
        "make_outputs": _lines(
            8,
            [
                line
                for o in made
                for line in (
                    f"y{o} = empty(out_shape{o}, out_dtype{o})",
                    f"frame[{inputs + o}] = from_buffer(y{o})",
                )
            ],
        ),
        "inputs": inputs,
        "count": inputs + outputs,
        "sources": _tuple("x", inputs),
        "results": _tuple("y", outputs),
    }
    text = _TEMPLATE.format(**lines)
    return text if inputs + outputs else text.replace("build(, ", "build(")


def _lines(indent: int, lines: Sequence[str]) -> str:
    return ("\n" + " " * indent).join(lines or ["pass"])


def _tuple(name: str, count: int) -> str:
    return "".join(f"{name}{i}, " for i in range(count))


@cache
def _code(inputs: int, outputs: int) -> CodeType:
    return compile(source(inputs, outputs), f"<aclrt call {inputs}-{outputs}>", "exec")


def specialise(
    name: str,
    handle: Any,
    inputs: Sequence[TensorSpec],
    outputs: Sequence[TensorSpec],
    about: tuple[Any, ...],
    frames: list[Any],
) -> Call:
    """The function for one model, whose shapes are fixed and whose elements fill bytes.

    Args:
        name: The model's name for messages.
        handle: Its handle.
        inputs: What it takes.
        outputs: What it gives.
        about: What its results know of the model (``Result``).
        frames: Arrays of pointers to all inputs and outputs, a stack that calls take from.

    Returns:
        A function of positional and named values. It raises what a run raises.
    """

    def fail(status: Any, arrays: Sequence[Any]) -> None:
        raise_run(status, name, inputs, arrays)

    scope: dict[str, Any] = {
        "Result": Result,
        "create": object.__new__,
        "empty": np.empty,
        "from_buffer": ffi.from_buffer,
        "ndarray": np.ndarray,
        "new": ffi.new,
    }
    exec(_code(len(inputs), len(outputs)), scope)
    values = [value for spec in inputs for value in (spec.name, spec.dtype, spec.shape)]
    values += [value for spec in outputs for value in (spec.shape, spec.dtype)]
    quick: Call = scope["build"](*values, lib.aclrt_model_run_pointers, handle, fail, about, frames)
    return quick
