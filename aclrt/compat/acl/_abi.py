# SPDX-License-Identifier: Apache-2.0
"""AscendCL's functions as the loader knows them: prototypes, addresses, calls through pointers.

``functions.def`` is the one declaration. Nothing here names a function: pyACL's names are derived
from AscendCL's (``aclmdl`` + ``GetInputDims`` is ``acl.mdl.get_input_dims``), so that a row added
there is a function here.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from functools import cache
from typing import Any

from aclrt import runtime
from aclrt._ffi import ffi, lib, raise_for, text

# Where pyACL departs from the rule.
_RENAMED = {
    "rt.get_current_context": "rt.get_context",
    "rt.get_soc_name": "get_soc_name",
    "rt.get_version": "get_version",
    "rt.set_current_context": "rt.set_context",
    "rt.un_subscribe_report": "rt.unsubscribe_report",
}
_GROUPS = {"aclrt": "rt", "aclmdl": "mdl", "aclop": "op", "aclprof": "prof"}
_ARRAY = re.compile(r"\[\d*\]$")


@dataclass(frozen=True)
class Parameter:
    """One parameter of a prototype.

    Attributes:
        name: As declared, ``"destMax"``.
        type_name: Without const and pointer signs: ``"size_t"``, ``"void"``.
        pointers: How many there are; an array counts as one.
        is_const: Whether what it points to may only be read.
        is_array: Whether it is declared as an array.
    """

    name: str
    type_name: str
    pointers: int
    is_const: bool
    is_array: bool = False

    @property
    def label(self) -> str:
        """The name as a Python script would write it."""
        return snake_case(self.name)


@dataclass(frozen=True)
class Prototype:
    """One function: pyACL's name for it, AscendCL's name, result, parameters, release."""

    name: str
    symbol: str
    result: Parameter
    parameters: tuple[Parameter, ...]
    is_variadic: bool
    release: str

    @property
    def is_status(self) -> bool:
        """Whether the result is a status code."""
        return self.result.type_name.endswith("Error")


def snake_case(name: str) -> str:
    """``GetInputDims`` as ``get_input_dims``, ``SetDynamicHWSize`` as ``set_dynamic_hw_size``."""
    parts = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", parts).lower()


def _python_name(symbol: str) -> str:
    prefix, rest = re.fullmatch(r"(acl[a-z]*)(\w+)", symbol).groups()  # type: ignore[union-attr]
    name = snake_case(rest)
    if prefix == "acldvpp":
        return f"media.dvpp_{name}"
    group = _GROUPS.get(prefix)
    name = f"{group}.{name}" if group else name
    return _RENAMED.get(name, name)


def _parameter(declaration: str) -> Parameter:
    declaration = declaration.strip()
    pointers = declaration.count("*")
    is_array = _ARRAY.search(declaration) is not None
    if is_array:
        pointers += 1
        declaration = declaration[: declaration.index("[")]
    words = declaration.replace("*", " ").split()
    is_const = "const" in words
    words = [word for word in words if word != "const"]
    return Parameter(words[-1] if len(words) > 1 else "", words[0], pointers, is_const, is_array)


@cache
def prototypes() -> dict[str, Prototype]:
    """All functions by pyACL's name."""
    found = {}
    for index in range(lib.aclrt_function_count()):
        row = lib.aclrt_function_at(index)
        inside = text(row.parameters)[1:-1]
        declared = [part for part in inside.split(",") if part.strip() not in ("void", "")]
        is_variadic = bool(declared) and declared[-1].strip() == "..."
        symbol = text(row.name)
        name = _python_name(symbol)
        found[name] = Prototype(
            name=name,
            symbol=symbol,
            result=_parameter(text(row.result) + " result"),
            parameters=tuple(map(_parameter, declared[:-1] if is_variadic else declared)),
            is_variadic=is_variadic,
            release=text(row.release),
        )
    return found


def is_address(parameter: Parameter) -> bool:
    """Whether it is passed as an address: a pointer, a handle or a function."""
    if parameter.pointers:
        return True
    return parameter.type_name != "void" and ffi.typeof(parameter.type_name).kind == "pointer"


def _c_type(parameter: Parameter) -> str:
    if is_address(parameter):
        return "void *"
    if parameter.type_name != "void" and ffi.typeof(parameter.type_name).kind == "enum":
        return "int32_t"  # scripts pass numbers outside of an enum too
    return parameter.type_name


_loading = threading.Lock()


@cache
def pointer(name: str) -> Any:
    """The function with pyACL's name, callable; loads libascendcl if that has not happened yet.

    Raises:
        BackendError: No usable libascendcl, or it lacks the function.
    """
    prototype = prototypes()[name]
    types = [_c_type(parameter) for parameter in prototype.parameters]
    if prototype.is_variadic:
        types.append("...")
    result = _c_type(prototype.result)
    address = ffi.new("void **")
    with _loading:
        symbol = ffi.new("char[]", prototype.symbol.encode())
        load_once()
        raise_for(lib.aclrt_function_address(symbol, address))
    return ffi.cast(f"{result}(*)({', '.join(types) or 'void'})", address[0])


@cache
def load_once() -> None:
    """Chooses and loads libascendcl, with the fake's ONNX Runtime; later calls do nothing."""
    runtime.load()


def string(pointer_value: Any) -> str:
    """The text at a ``void *``; ``""`` for NULL."""
    return text(ffi.cast("char *", pointer_value))


def to_pointer(address: int) -> Any:
    """An address as ``void *``; numbers wrap as in C."""
    return ffi.cast("void *", address & 0xFFFFFFFFFFFFFFFF)


def to_address(pointer_value: Any) -> int:
    """A pointer as pyACL gives it: an int, 0 for NULL."""
    return int(ffi.cast("uintptr_t", pointer_value))
