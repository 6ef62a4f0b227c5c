# SPDX-License-Identifier: Apache-2.0
"""Strict feeding: the slow path of a call, which explains or (where asked) converts.

``OfflineModel`` takes a short cut when every array is exactly right. All else comes here: binding
names to positions, accepting arrays of other libraries, one copy where an array is not contiguous,
``cast="safe"``, and the errors with their tables of expected against given.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from .errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .tensor import TensorSpec

__all__ = [
    "cast_of",
    "count_of",
    "device_id_of",
    "did_you_mean",
    "given_outputs",
    "inputs",
    "outputs",
    "pad_of",
    "positions",
    "shape_matches",
    "split_of",
]

_CPU_DEVICES: Final = frozenset({1, 3, 11})  # DLPack: kDLCPU, kDLCUDAHost, kDLROCMHost


def cast_of(cast: object) -> bool:
    """Whether values may be cast safely.

    Raises:
        InputError: ``cast`` is neither None nor ``"safe"``.
    """
    if cast is None:
        return False
    if isinstance(cast, str) and cast == "safe":
        return True
    raise InputError(f'cast must be None or "safe", not {cast!r}')


def pad_of(pad: object) -> bool:
    """Whether inputs may be padded up to the next gear.

    Raises:
        InputError: ``pad`` is neither None nor ``"up"``.
    """
    if pad is None:
        return False
    if isinstance(pad, str) and pad == "up":
        return True
    raise InputError(f'pad must be None or "up", not {pad!r}')


def split_of(split: object) -> bool:
    """Whether a batch may be run in parts.

    Raises:
        InputError: ``split`` is no bool.
    """
    if isinstance(split, (bool, np.bool_)):
        return bool(split)
    raise InputError(f"split must be True or False, not {split!r}")


def shape_matches(spec: TensorSpec, shape: Sequence[int]) -> bool:
    """Whether a shape is the tensor's, any value standing where its shape has -1."""
    return len(shape) == len(spec.shape) and all(
        want in (have, -1) for want, have in zip(spec.shape, shape, strict=True)
    )


def device_id_of(device_id: object) -> int:
    """A device id as an int that fits the C boundary.

    Raises:
        InputError: It is no integer, or out of the range of int32.
    """
    try:
        number = operator.index(device_id)  # type: ignore[arg-type]
    except TypeError:
        raise InputError(f"device_id must be an integer, not {device_id!r}") from None
    if not -(2**31) <= number < 2**31:
        raise InputError(f"device_id {number} is out of range")
    return number


def count_of(value: object, what: str, most: int) -> int:
    """A number from 1 to ``most``.

    Raises:
        InputError: It is no integer, or out of range.
    """
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise InputError(f"{what} must be an integer, not {value!r}") from None
    if isinstance(value, bool) or not 1 <= number <= most:
        raise InputError(f"{what} must be from 1 to {most}, not {value!r}")
    return number


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """``"; did you mean 'image'?"``, or the names there are if none is close."""
    from difflib import get_close_matches  # only an error needs it, and it is slow to import

    names = list(known)
    close = get_close_matches(str(name), names, n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; there {'is' if len(names) == 1 else 'are'} {', '.join(map(repr, names)) or 'none'}"


def positions(specs: Sequence[TensorSpec]) -> dict[str, int]:
    """Every name that a lookup accepts, the framework's first, then AscendCL's."""
    index = {spec.name: position for position, spec in enumerate(specs)}
    for position, spec in enumerate(specs):
        if spec.acl_name:
            index.setdefault(spec.acl_name, position)
    return index


class _Row:
    """One line of the table: a tensor, what was expected, what was given, what is wrong."""

    def __init__(self, name: str, expected: str, given: str = "", problem: str = "") -> None:
        self.name = name
        self.expected = expected
        self.given = given
        self.problem = problem
        self.hint = ""


def _expected(spec: TensorSpec) -> str:
    return f"{spec.dtype} {_shape(spec.shape)}"


def _shape(shape: Sequence[int]) -> str:
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


def _describe(array: NDArray[Any]) -> str:
    order = {">": ">", "<": "<"}.get(array.dtype.byteorder, "")
    mark = f"{array.dtype.name} ({order}{array.dtype.kind}{array.dtype.itemsize})"
    return f"{mark if order else array.dtype} {_shape(array.shape)}"


def _refuse(what: str, model: str, rows: list[_Row]) -> None:
    """Raises with the table, if any row has a problem."""
    wrong = [row for row in rows if row.problem]
    if not wrong:
        return
    if len(wrong) == 1:
        row = wrong[0]
        summary = f"{what} {row.name!r} of {model}: {row.problem}"
    else:
        summary = f"{len(wrong)} {what}s of {model} do not fit"
    shown = rows if len(rows) <= 16 else wrong
    cells = [(what, "expected", "given", "")]
    cells += [(row.name, row.expected, row.given, row.problem or "ok") for row in shown]
    widths = [max(len(line[column]) for line in cells) for column in range(3)]
    table = "\n".join(
        "    " + "  ".join(map(str.ljust, line, (*widths, 0))).rstrip() for line in cells
    )
    hints = dict.fromkeys(row.hint for row in wrong if row.hint)
    raise InputError(f"{summary}\n{table}", hint="; ".join(hints))


class _NotAnArray(Exception):
    """Why a value is not taken as an array, and what to do instead."""

    def __init__(self, problem: str, hint: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.hint = hint


def _as_array(value: object, spec: TensorSpec) -> NDArray[Any]:
    """The value as a plain array that shares its memory; never converts elements."""
    if isinstance(value, np.ndarray):
        masked = sys.modules.get("numpy.ma")
        if masked is not None and isinstance(value, masked.MaskedArray):
            raise _NotAnArray("is a masked array", "decide for the masked elements: x.filled(0)")
        return value if type(value) is np.ndarray else value.view(np.ndarray)
    if isinstance(value, np.generic):
        return np.asarray(value)
    if hasattr(value, "__dlpack__"):
        return _from_dlpack(value)
    if isinstance(value, (list, tuple, bool, int, float, complex, str, type(None), set, Mapping)):
        raise _NotAnArray(
            f"is a {type(value).__name__}, not an array",
            f"np.asarray(value, dtype={spec.dtype.name!r})",
        )
    if hasattr(value, "__array_interface__") or hasattr(value, "__array__"):
        try:
            return np.asarray(value)
        except Exception as error:
            raise _NotAnArray(f"cannot be read as an array: {error}") from error
    try:
        return np.asarray(memoryview(value))  # type: ignore[arg-type]
    except (TypeError, ValueError, NotImplementedError):
        raise _NotAnArray(
            f"is a {_type_name(value)}, not an array",
            "give a NumPy array, or something with __dlpack__, __array__ or the buffer protocol",
        ) from None


def _from_dlpack(value: Any) -> NDArray[Any]:
    try:
        device = value.__dlpack_device__()
        if int(device[0]) not in _CPU_DEVICES:
            raise _NotAnArray("is not in host memory", "copy it to the host first: x.cpu()")
        return np.from_dlpack(value)
    except _NotAnArray:
        raise
    except Exception as error:
        # The producer's words say most: torch names detach() for tensors that require gradients.
        raise _NotAnArray(f"cannot be read through DLPack: {error}") from error


def _type_name(value: object) -> str:
    cls = type(value)
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__name__}"


def _dtype_problem(spec: TensorSpec, array: NDArray[Any]) -> tuple[str, str]:
    given, expected = array.dtype, spec.dtype
    name = expected.name
    if given.hasobject:
        return (
            "holds Python objects",
            f"make it an array of numbers first: np.array(x.tolist(), dtype={name!r})",
        )
    if not given.isnative and given.newbyteorder("=") == expected:
        return "byte order is not native", 'x.astype(x.dtype.newbyteorder("="))'
    problem = f"dtype is {given}, not {expected}"
    if np.can_cast(given, expected, "safe"):
        return problem, f'cast="safe" converts it, or x.astype({name!r})'
    if given.itemsize == expected.itemsize and given.kind == "u" and expected.kind == "V":
        return problem, f"if these are its bits: x.view(ml_dtypes.{name})"
    return problem, f"x.astype({name!r})"


def _shape_problem(spec: TensorSpec, array: NDArray[Any]) -> str:
    expected, given = spec.shape, array.shape
    if len(given) != len(expected):
        return f"rank is {len(given)}, not {len(expected)}"
    wrong = [axis for axis in range(len(given)) if expected[axis] not in (given[axis], -1)]
    if len(wrong) == 1:
        return f"dim {wrong[0]} is {given[wrong[0]]}, not {expected[wrong[0]]}"
    return f"dims {', '.join(map(str, wrong))} differ"


def _fit(spec: TensorSpec, value: object, safe: bool, row: _Row) -> NDArray[Any] | None:
    """The array to copy from: native, contiguous, of the right dtype and shape. None if refused."""
    if _is_device_tensor(value):
        fitting: NDArray[Any] | None = _fit_device_tensor(spec, value, row)
        return fitting
    try:
        array = _as_array(value, spec)
    except _NotAnArray as refusal:
        row.given, row.problem, row.hint = _type_name(value), refusal.problem, refusal.hint
        return None
    row.given = _describe(array)
    if array.dtype != spec.dtype and not (safe and np.can_cast(array.dtype, spec.dtype, "safe")):
        row.problem, row.hint = _dtype_problem(spec, array)
        return None
    if array.shape != spec.shape and not shape_matches(spec, array.shape):
        row.problem = _shape_problem(spec, array)
        return None
    if array.dtype != spec.dtype:
        return array.astype(spec.dtype, order="C")
    # Not ascontiguousarray, which makes a 0-d array 1-d.
    return array if array.flags.c_contiguous else array.copy(order="C")


def _is_device_tensor(value: object) -> bool:
    from .device_tensor import DeviceTensor

    return isinstance(value, DeviceTensor)


def refuse_padded_tensors(model: str, values: Sequence[object]) -> None:
    """For runs that fill inputs up, cut them or crop outputs, which is done on the host.

    Raises:
        InputError: There is a ``DeviceTensor`` among the values.
    """
    if any(map(_is_device_tensor, values)):
        raise InputError(
            f"pad= and split= of {model} take arrays, not a DeviceTensor",
            hint="give the tensor the shape of a gear; or feed its .numpy()",
        )


def _fit_device_tensor(spec: TensorSpec, value: Any, row: _Row) -> Any:
    row.given = f"{value.dtype} {_shape(value.shape)} on device {value.device_id}"
    if value.is_closed:
        row.problem, row.hint = "is a closed DeviceTensor", "make another one"
    elif value.dtype != spec.dtype:
        row.problem = f"dtype is {value.dtype}, not {spec.dtype}"
    elif not shape_matches(spec, value.shape):
        row.problem = _shape_problem(spec, value)
    return None if row.problem else value


def inputs(
    model: str,
    specs: Sequence[TensorSpec],
    index: Mapping[str, int],
    positional: Sequence[object],
    named: Mapping[str, object],
    safe: bool,
) -> list[NDArray[Any]]:
    """The arrays of one call, in the model's order, ready to be copied from.

    Args:
        model: The model's name for messages.
        specs: The inputs.
        index: Names to positions (``positions(specs)``).
        positional: Values for the first inputs, in order.
        named: Values by name.
        safe: Whether dtypes may be cast where no value can change.

    Returns:
        One array for each input.

    Raises:
        InputError: Anything is missing, too much, unknown, or of another dtype or shape.
    """
    rows = [_Row(spec.name, _expected(spec)) for spec in specs]
    values: dict[int, object] = dict(enumerate(positional[: len(specs)]))
    extra: list[_Row] = []
    for number, value in enumerate(positional[len(specs) :], len(specs)):
        extra.append(_Row(f"#{number}", "-", _brief(value), _too_many(len(specs))))
    fed = {*values, *(index[name] for name in named if name in index)}
    left = [spec.name for position, spec in enumerate(specs) if position not in fed]
    for name, value in named.items():
        position = index.get(name)
        if position is None:
            problem = "no such input" + did_you_mean(name, left or [spec.name for spec in specs])
            extra.append(_Row(str(name), "-", _brief(value), problem))
        elif position in values:
            extra.append(_Row(str(name), rows[position].expected, _brief(value), "given twice"))
        else:
            values[position] = value

    arrays: list[NDArray[Any]] = []
    for position, (spec, row) in enumerate(zip(specs, rows, strict=True)):
        if position not in values:
            row.given, row.problem = "-", "missing"
            continue
        array = _fit(spec, values[position], safe, row)
        if array is not None:
            arrays.append(array)
    _refuse("input", model, rows + extra)
    return arrays


def _too_many(count: int) -> str:
    return f"too many: the model has {count} input{'' if count == 1 else 's'}"


def _brief(value: object) -> str:
    return _describe(value) if isinstance(value, np.ndarray) else _type_name(value)


def outputs(
    model: str,
    specs: Sequence[TensorSpec],
    index: Mapping[str, int],
    out: object,
    sources: Sequence[NDArray[Any]],
) -> list[NDArray[Any]]:
    """As ``given_outputs``, for outputs of fixed shapes: those not given are allocated."""
    given = given_outputs(model, specs, index, out, sources)
    return [
        np.empty(spec.shape, spec.dtype) if array is None else array
        for spec, array in zip(specs, given, strict=True)
    ]


def given_outputs(
    model: str,
    specs: Sequence[TensorSpec],
    index: Mapping[str, int],
    out: object,
    sources: Sequence[NDArray[Any]],
) -> list[NDArray[Any] | None]:
    """The arrays that are to receive outputs.

    Args:
        model: The model's name for messages.
        specs: The outputs.
        index: Names to positions.
        out: A dict by name (of some or all), a sequence of all (None: allocate), or one array if
            there is one output.
        sources: The input arrays, with which no output may share memory.

    Returns:
        One array for each output; None where none was given.

    Raises:
        InputError: An array is unknown, read-only, not contiguous, of another dtype or shape,
            or shares memory with an input or another output.
    """
    rows = [_Row(spec.name, _expected(spec)) for spec in specs]
    given: dict[int, object] = {}
    extra: list[_Row] = []
    if isinstance(out, Mapping):
        for name, value in out.items():
            position = index.get(name)
            if position is None:
                problem = "no such output" + did_you_mean(name, [spec.name for spec in specs])
                extra.append(_Row(str(name), "-", _brief(value), problem))
            elif position in given:
                extra.append(_Row(str(name), rows[position].expected, _brief(value), "given twice"))
            else:
                given[position] = value
    elif isinstance(out, Sequence) and not isinstance(out, (str, bytes, bytearray, memoryview)):
        if len(out) != len(specs):
            raise InputError(
                f"out= has {len(out)} arrays, but {model} has {len(specs)} outputs",
                hint="give a dict by name to reuse buffers for some of them",
            )
        given = dict(enumerate(out))
    elif len(specs) == 1:
        given = {0: out}
    else:
        raise InputError(
            f"out= is {_brief(out)}, but {model} has {len(specs)} outputs",
            hint="give a dict by name or a sequence",
        )

    arrays: list[NDArray[Any] | None] = []
    taken: list[tuple[str, NDArray[Any]]] = [("an input", source) for source in sources]
    for position, (spec, row) in enumerate(zip(specs, rows, strict=True)):
        value = given.get(position)
        if value is None:
            arrays.append(None)
            continue
        if _is_device_tensor(value):
            _fit_device_tensor(spec, value, row)
            if any(value is other for _, other in taken):
                row.problem, row.hint = "is given twice", "give it a tensor of its own"
            if not row.problem:
                arrays.append(value)  # type: ignore[arg-type]
                taken.append((f"output {spec.name!r}", value))  # type: ignore[arg-type]
            continue
        row.given = _brief(value)
        _judge_output(spec, value, taken, row)
        if isinstance(value, np.ndarray) and not row.problem:
            arrays.append(value)
            taken.append((f"output {spec.name!r}", value))
    _refuse("output", model, rows + extra)
    return arrays


def _judge_output(
    spec: TensorSpec, value: object, taken: list[tuple[str, NDArray[Any]]], row: _Row
) -> None:
    if not isinstance(value, np.ndarray):
        row.problem, row.hint = "is not a NumPy array", "np.empty(spec.shape, spec.dtype)"
        return
    masked = sys.modules.get("numpy.ma")
    if masked is not None and isinstance(value, masked.MaskedArray):
        row.problem, row.hint = "is a masked array", "give its data: x.data"
    elif value.dtype != spec.dtype:
        row.problem = f"dtype is {value.dtype.str if not value.dtype.isnative else value.dtype}"
        row.problem += f", not {spec.dtype}"
    elif not shape_matches(spec, value.shape):
        row.problem = _shape_problem(spec, value)
    elif not value.flags.writeable:
        row.problem = "is read-only"
    elif not value.flags.c_contiguous:
        row.problem = "is not contiguous"
    else:
        for owner, other in taken:
            if isinstance(other, np.ndarray) and np.may_share_memory(value, other):
                row.problem, row.hint = f"shares memory with {owner}", "give it a buffer of its own"
                return
