# SPDX-License-Identifier: Apache-2.0
"""pyACL's functions, made from prototypes by its conventions.

Addresses and handles are ints, 0 is NULL. Arguments are positional, in C's order without the
out-parameters; those come back before the status, which is last. A status alone is a bare int, a
value comes bare. The interpreter's lock is free during every call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aclrt._ffi import ffi

from . import _abi, _messages, _structs
from ._abi import Parameter, Prototype

_COUNTS = ("numDims", "dimsCount", "valueCount", "numValues")
Take = Callable[[int, Any], Any]  # position, argument -> what C gets


def status(name: str, returned: Any) -> int:
    """A status as a script gets it; one that is an error is remembered."""
    code = int(returned)
    if code != 0:
        _messages.remember(name, code)
    return code


def _is_out(prototype: Prototype, parameter: Parameter) -> bool:
    """Whether the function fills what the parameter points to."""
    if not prototype.is_status or parameter.is_const or parameter.is_array:
        return False
    if parameter.pointers == 0:
        return False
    if parameter.pointers == 2:
        return True
    if parameter.type_name in ("void", "char"):
        return False
    if _structs.converter(parameter.type_name) is not None:
        return True
    return ffi.typeof(parameter.type_name).kind not in ("struct", "union")


def _is_list(prototype: Prototype, index: int) -> bool:
    """Whether the parameter is the count of an array that the next one is."""
    parameters = prototype.parameters
    return (
        parameters[index].name in _COUNTS
        and index + 1 < len(parameters)
        and parameters[index + 1].type_name == "int64_t"
        and parameters[index + 1].pointers > 0
    )


def is_convertible(prototype: Prototype) -> bool:
    """Whether the conventions say how to call it: not if it takes functions or lists of handles."""
    return not prototype.is_variadic and not any(
        parameter.type_name.endswith(("Callback", "CallbackFunc", "HostFunc"))
        or parameter.pointers > 2
        or (parameter.is_array and parameter.type_name != "int64_t")
        for parameter in prototype.parameters
    )


def _labels(prototype: Prototype) -> list[str]:
    """The arguments that Python gives."""
    return [
        parameter.label
        for index, parameter in enumerate(prototype.parameters)
        if not _is_out(prototype, parameter) and not _is_list(prototype, index)
    ]


def _signature(prototype: Prototype) -> str:
    outs = [p.label for p in prototype.parameters if _is_out(prototype, p)]
    value = "None" if _returns_nothing(prototype) else "value"
    results = [*outs, "ret"] if prototype.is_status else [value]
    returned = results[0] if len(results) == 1 else f"({', '.join(results)})"
    return f"acl.{prototype.name}({', '.join(_labels(prototype))}) -> {returned}"


def _taker(name: str, parameter: Parameter) -> Take:
    """What makes a C value of an argument."""
    label = parameter.label
    if parameter.type_name == "char" and parameter.is_const:
        return lambda position, value: take_text(name, position, label, value)
    if _abi.is_address(parameter):
        return lambda position, value: _abi.to_pointer(
            _messages.as_address(name, position, label, value)
        )
    if parameter.type_name in ("float", "double"):
        return lambda position, value: _take_float(name, position, label, value)
    ctype = ffi.typeof(parameter.type_name)
    if ctype.kind == "primitive" and int(ffi.cast(ctype, -1)) > 0:  # unsigned numbers wrap as in C
        mask = (1 << (8 * ffi.sizeof(ctype))) - 1
        return lambda position, value: _messages.as_int(name, position, label, value) & mask
    return lambda position, value: _messages.as_int(name, position, label, value)


def take_text(name: str, position: int, label: str, value: Any) -> Any:
    """A ``char[]`` of a str.

    Raises:
        TypeError: It is no str.
        ValueError: It contains a NUL character.
    """
    if not isinstance(value, str):
        raise TypeError(
            f"acl.{name}: argument {position} ({label}) must be str, not {type(value).__name__}"
        )
    encoded = value.encode("utf-8", "surrogateescape")
    if b"\0" in encoded:
        raise ValueError(f"acl.{name}: argument {position} ({label}) contains a NUL character")
    return ffi.new("char[]", encoded)


def _take_float(name: str, position: int, label: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise TypeError(
            f"acl.{name}: argument {position} ({label}) must be float, not {type(value).__name__}"
        ) from None


def take_numbers(name: str, position: int, label: str, value: Any, is_pairs: bool) -> list[Any]:
    """A list of ints, or of pairs of them.

    Raises:
        TypeError: It is no such list.
    """
    wanted = "a list of [min, max] lists" if is_pairs else "a list of ints"
    if not isinstance(value, list):
        raise TypeError(
            f"acl.{name}: argument {position} ({label}) must be {wanted}, "
            f"not {type(value).__name__}"
        )
    try:
        if is_pairs:
            return [[int(low), int(high)] for low, high in value]
        return [_messages.as_int(name, position, label, item) for item in value]
    except (TypeError, ValueError):
        raise TypeError(
            f"acl.{name}: argument {position} ({label}) must be {wanted}: {value!r}"
        ) from None


def _returns_nothing(prototype: Prototype) -> bool:
    return prototype.result.type_name == "void" and not prototype.result.pointers


def _result(prototype: Prototype) -> Callable[[Any], Any]:
    result = prototype.result
    if result.type_name == "char":
        return lambda value: _abi.string(value) if value else None
    if _abi.is_address(result):
        return _abi.to_address
    if _returns_nothing(prototype):
        return lambda value: None
    return lambda value: value


def make(prototype: Prototype) -> Callable[..., Any]:
    """A function by the conventions alone; its docstring is its signature."""
    name, labels = prototype.name, _labels(prototype)
    expected = len(labels)
    plan: list[tuple[str, Any]] = []
    for index, parameter in enumerate(prototype.parameters):
        if _is_out(prototype, parameter):
            plan.append(("out", parameter))
        elif _is_list(prototype, index):
            plan.append(("count", None))
        elif plan and plan[-1][0] == "count":
            plan.append(("list", parameter))
        elif parameter.type_name.endswith("IODims"):
            plan.append(("take", _dims_taker(name, parameter)))
        else:
            plan.append(("take", _taker(name, parameter)))
    convert = _result(prototype)
    state: list[Any] = []

    def call(*arguments: Any, **keywords: Any) -> Any:
        if len(arguments) != expected or keywords:
            raise _messages.count_error(name, labels, len(arguments), bool(keywords))
        given = iter(enumerate(arguments, 1))
        values: list[Any] = []
        outs: list[tuple[Parameter, Any]] = []
        for kind, what in plan:
            if kind == "take":
                values.append(what(*next(given)))
            elif kind == "out":
                outs.append((what, _new_out(what)))
                values.append(outs[-1][1])
            elif kind == "list":
                position, value = next(given)
                numbers = take_numbers(name, position, what.label, value, what.is_array)
                ctype = "int64_t[][2]" if what.is_array else "int64_t[]"
                values += [len(numbers), ffi.new(ctype, numbers)]
        if not state:
            state.append(_abi.pointer(name))
        returned = state[0](*values)
        if not prototype.is_status:
            return convert(returned)
        code = status(name, returned)
        if not outs:
            return code
        return (*(_read_out(parameter, out, code) for parameter, out in outs), code)

    call.__doc__ = _signature(prototype)
    return call


def _dims_taker(name: str, parameter: Parameter) -> Take:
    return lambda position, value: _structs.dims_of(name, position, parameter.type_name, value)


def _new_out(parameter: Parameter) -> Any:
    if parameter.pointers == 2:
        return ffi.new("void **")
    return ffi.new(f"{parameter.type_name} *")


def _read_out(parameter: Parameter, out: Any, code: int) -> Any:
    if parameter.pointers == 2 or _abi.is_address(
        Parameter("", parameter.type_name, 0, parameter.is_const)
    ):
        return _abi.to_address(out[0])
    convert = _structs.converter(parameter.type_name)
    if convert is None:
        value = out[0]
        return int(value) if isinstance(value, int) else value
    if code == 0:
        return convert(out[0])
    return None if parameter.type_name.endswith("AippInfo") else {}
