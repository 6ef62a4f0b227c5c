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

from . import _check
from ._failure import raise_run
from ._ffi import ffi, lib
from .device_tensor import shared_handle
from .errors import InputError
from .result import Result

if TYPE_CHECKING:
    from .tensor import TensorSpec

__all__ = ["Call", "never", "source", "specialise"]

Call = Callable[..., "Result | None"]
"""Takes what a call was given: by position, by name, and where outputs go, which only the second of
two functions takes. None: not exactly right."""

_BUILD = """
def build({parameters}, call, handle, raise_run, about, frames):
    pop = frames.pop
    push = frames.append

    def quick(args, named):
        {take_inputs}
        {leave_shared_inputs}
        {make_outputs}
        {run}

    def quick_into(args, named, out):
        {take_outputs}
        {take_inputs}
        {leave_shared}
        {run_into}

    return quick, quick_into
"""

_TAKE_INPUTS = """\
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
    return None"""

_TAKE_OUTPUTS = """\
kind = type(out)
if kind is dict:
    if len(out) != {outputs}:
        return None
    try:
        {out_by_name}
    except KeyError:
        return None
elif kind is tuple or kind is list:
    if len(out) != {outputs}:
        return None
    {out_by_position}
else:
    {out_alone}
if {is_wrong_out}:
    return None"""

_LEAVE_SHARED = """\
if {is_shared}:  # used where it is, by aclrt._fixed
    return None"""

_RUN = """\
arrays = ({sources}{results})
try:
    frame = pop()
except IndexError:
    frame = new("void *[]", {count})
status = call(handle, id(arrays), first, frame, {count})
if status:
    raise_run(status, ({sources}){given_outputs})
push(frame)
result = create(Result)
result._arrays = ({results})
result._about = about
return result"""


def never(args: Sequence[Any], named: Mapping[str, Any], out: Any = None) -> None:
    """The function of a model that has none: nothing is exactly right."""


def source(inputs: int, outputs: int) -> str:
    """The text of ``build``, which makes both functions for one model."""
    every = range(inputs)
    made = range(outputs)
    sources, results = _tuple("x", inputs), _tuple("y", outputs)
    values: dict[str, Any] = {"inputs": inputs, "outputs": outputs, "count": inputs + outputs}
    take_inputs = _TAKE_INPUTS.format(
        by_name=_lines(8, [f"x{i} = feed[name{i}]" for i in every]),
        by_position=_lines(4, [f"{sources}= args"] if inputs else []),
        is_wrong=_is_wrong("x", "dtype", "shape", "c_contiguous", inputs),
        **values,
    )
    take_outputs = _TAKE_OUTPUTS.format(
        out_by_name=_lines(8, [f"y{o} = out[out_name{o}]" for o in made]),
        out_by_position=_lines(4, [f"{results}= out"] if outputs else []),
        out_alone="y0 = out" if outputs == 1 else "return None",
        is_wrong_out=_is_wrong("y", "out_dtype", "out_shape", "carray", outputs),
        **values,
    )
    fed, given = [f"x{i}" for i in every], [f"y{o}" for o in made]
    make_outputs = [f"y{o} = empty(out_shape{o}, out_dtype{o})" for o in made]
    run = {"sources": sources, "results": results, **values}
    parameters = [f"name{i}, dtype{i}, shape{i}, " for i in every]
    parameters += [f"out_name{o}, out_dtype{o}, out_shape{o}, " for o in made]
    text = _BUILD.format(
        parameters="".join(parameters)[:-2],
        take_inputs=_indented(take_inputs),
        leave_shared_inputs=_indented(_leave_shared(fed)),
        make_outputs=_lines(8, make_outputs),
        run=_indented(_RUN.format(given_outputs="", **run)),
        take_outputs=_indented(take_outputs),
        leave_shared=_indented(_leave_shared([*fed, *given])),
        run_into=_indented(_RUN.format(given_outputs=", out", **run)),
    )
    return text if inputs + outputs else text.replace("build(, ", "build(")


def _is_wrong(array: str, dtype: str, shape: str, flag: str, count: int) -> str:
    return (
        " or ".join(
            f"type({array}{i}) is not ndarray or {array}{i}.dtype is not {dtype}{i}"
            f" or {array}{i}.shape != {shape}{i} or not {array}{i}.flags.{flag}"
            for i in range(count)
        )
        or "False"
    )


def _leave_shared(arrays: Sequence[str]) -> str:
    is_shared = [f"({array}.base is not None and shared_handle({array}))" for array in arrays]
    return _LEAVE_SHARED.format(is_shared=" or ".join(is_shared) or "False")


def _indented(lines: str) -> str:
    return lines.replace("\n", "\n        ")


def _lines(indent: int, lines: Sequence[str]) -> str:
    return ("\n" + " " * indent).join(lines or ["pass"])


def _tuple(name: str, count: int) -> str:
    return "".join(f"{name}{i}, " for i in range(count))


@cache
def _code(inputs: int, outputs: int) -> CodeType:
    return compile(source(inputs, outputs), f"<aclrt call {inputs}-{outputs}>", "exec")


@cache
def _is_laid_out() -> bool:
    """Whether tuples and this NumPy's arrays are laid out as ``aclrt_run_arrays`` has it."""
    array = np.empty(1)
    held = (None, array)
    item = ffi.cast("uintptr_t *", id(held) + tuple.__basicsize__)[1]
    first = ffi.cast("uintptr_t *", id(array) + object.__basicsize__)[0]
    return bool(item == id(array) and first == int(ffi.cast("uintptr_t", ffi.from_buffer(array))))


def specialise(
    name: str,
    handle: Any,
    inputs: Sequence[TensorSpec],
    outputs: Sequence[TensorSpec],
    about: tuple[Any, ...],
    frames: list[Any],
) -> tuple[Call, Call]:
    """The function for one model, whose shapes are fixed and whose elements fill bytes.

    Args:
        name: The model's name for messages.
        handle: Its handle.
        inputs: What it takes.
        outputs: What it gives.
        about: What its results know of the model (``Result``).
        frames: Arrays of pointers to all inputs and outputs, a stack that calls take from.

    Returns:
        A function of positional and named values, and one of these and ``out=``. They raise what a
        run raises.
    """
    if not _is_laid_out():
        return never, never
    output_index = _check.positions(outputs)

    def fail(number: int, arrays: Sequence[Any], out: Any = None) -> None:
        status = ffi.cast("aclrt_status_t *", number)
        if out is not None:
            # What shares memory is told by the caller's names.
            try:
                _check.given_outputs(name, outputs, output_index, out, arrays)
            except InputError:
                lib.aclrt_status_release(status)
                raise
        raise_run(status, name, inputs, arrays)

    scope: dict[str, Any] = {
        "Result": Result,
        "create": object.__new__,
        "empty": np.empty,
        "ndarray": np.ndarray,
        "first": tuple.__basicsize__,
        "new": ffi.new,
        "shared_handle": shared_handle,
    }
    exec(_code(len(inputs), len(outputs)), scope)
    values = [value for spec in inputs for value in (spec.name, spec.dtype, spec.shape)]
    values += [value for spec in outputs for value in (spec.name, spec.dtype, spec.shape)]
    run = lib.aclrt_run_arrays
    quick, quick_into = scope["build"](*values, run, handle, fail, about, frames)
    return quick, quick_into
