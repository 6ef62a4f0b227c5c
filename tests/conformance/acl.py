# SPDX-License-Identifier: Apache-2.0
"""AscendCL by ctypes, for the conformance tests: the C ABI itself, nothing of aclrt in between.

Prototypes come from ``functions.def``, structs and codes from the contract. The fake is loaded as
a private copy, so that resetting it disturbs nobody else in the process; ``ACLRT_TEST_FAKE`` names
another build of it. With ``ACLRT_BACKEND=npu`` it is CANN's library, as aclrt finds it.
"""

from __future__ import annotations

import ctypes
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

FLOAT, FLOAT16, INT8, INT32, UINT8, INT64, BOOL = 0, 1, 2, 3, 4, 9, 12
MALLOC_HUGE_FIRST = 0
HOST_TO_DEVICE, DEVICE_TO_HOST = 1, 2

_SCALARS: dict[str, Any] = {
    "aclError": ctypes.c_int,
    "aclFloat16": ctypes.c_uint16,
    "double": ctypes.c_double,
    "float": ctypes.c_float,
    "int": ctypes.c_int,
    "size_t": ctypes.c_size_t,
    "void": None,
    **{
        f"{sign}int{bits}_t": getattr(ctypes, f"c_{sign}int{bits}")
        for sign in ("", "u")
        for bits in (8, 16, 32, 64)
    },
}
_HANDLES = ("aclrtStream", "aclrtEvent", "aclrtContext", "aclmdlModel")
_ROW = re.compile(
    r"^ACL_FUNCTION\((?P<result>[^,]+), (?P<name>acl\w+), \((?P<args>.*)\), "
    r"\w+, (?:REQUIRED|OPTIONAL), ",
    re.M,
)


class IODims(ctypes.Structure):
    """aclmdlIODims."""

    _fields_ = [
        ("name", ctypes.c_char * 128),
        ("dimCount", ctypes.c_size_t),
        ("dims", ctypes.c_int64 * 128),
    ]

    def shape(self) -> tuple[int, ...]:
        """The dims in use."""
        return tuple(self.dims[: self.dimCount])


class IODimsRange(ctypes.Structure):
    """aclmdlIODimsRange."""

    _fields_ = [("rangeCount", ctypes.c_size_t), ("range", (ctypes.c_int64 * 2) * 128)]


class Batch(ctypes.Structure):
    """aclmdlBatch."""

    _fields_ = [("batchCount", ctypes.c_size_t), ("batch", ctypes.c_uint64 * 128)]


class HW(ctypes.Structure):
    """aclmdlHW."""

    _fields_ = [("hwCount", ctypes.c_size_t), ("hw", (ctypes.c_uint64 * 2) * 128)]


class AttrValue(ctypes.Union):
    """aclmdlAttrValue_t."""

    _fields_ = [("mdlPriority", ctypes.c_uint32), ("reserved", ctypes.c_uint32 * 8)]


def _ctype(text: str) -> Any:
    """The ctypes type of a result or a parameter; pointers are addresses, enums are ints."""
    text = re.sub(r"\bconst\b", "", text).strip()
    if "(" in text or text.endswith("]"):
        return ctypes.c_void_p
    words = text.split("*")
    if len(words) > 1:
        return ctypes.c_void_p
    kind = text.split()[0]
    if kind in _HANDLES or kind.endswith(("Callback", "CallbackFunc", "HostFunc")):
        return ctypes.c_void_p
    return _SCALARS.get(kind, ctypes.c_int)


def _split(parameters: str) -> list[str]:
    """Parameters of a prototype, at the commas outside of brackets."""
    parts, depth = [""], 0
    for char in parameters:
        depth += (char == "(") - (char == ")")
        if char == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    return [part.strip() for part in parts if part.strip() not in ("", "void")]


@cache
def prototypes() -> dict[str, tuple[Any, list[Any] | None]]:
    """(result type, parameter types) of each function; None where it takes any number."""
    text = (ROOT / "csrc/acl/functions.def").read_text("utf-8")
    result = {}
    for row in _ROW.finditer(text):
        arguments = _split(row["args"])
        types = None if "..." in arguments else [_ctype(argument) for argument in arguments]
        returned = row["result"].strip()
        is_text = re.fullmatch(r"const char \*", returned) is not None
        result[row["name"]] = (ctypes.c_char_p if is_text else _ctype(returned), types)
    return result


@cache
def codes() -> dict[str, int]:
    """ACL's status codes by name."""
    text = (ROOT / "csrc/acl/codes.def").read_text("utf-8")
    return {name: int(value) for name, value in re.findall(r"^ACL_CODE\((\w+), (\d+),", text, re.M)}


def on_card() -> bool:
    """Whether the cases run on a real card."""
    return os.environ.get("ACLRT_BACKEND") == "npu"


def library_path() -> Path:
    """The library under test."""
    if on_card():
        code = "from aclrt import runtime; print(runtime.runtime_info(backend='npu').library)"
        found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert found.returncode == 0, found.stderr
        return Path(found.stdout.strip())
    named = os.environ.get("ACLRT_TEST_FAKE")
    import aclrt

    built = Path(named or Path(aclrt.__file__).parent / "_lib" / "fake" / "libascendcl.so")
    copy = Path(tempfile.mkdtemp(prefix="aclrt-conformance-")) / built.name
    shutil.copy(built, copy)
    return copy


class Library:
    """The functions, as attributes with their prototypes."""

    def __init__(self, path: Path) -> None:
        self._dll = ctypes.CDLL(str(path), mode=os.RTLD_LOCAL | os.RTLD_NOW)
        self.is_fake = hasattr(self._dll, "aclfake_version")
        if self.is_fake:
            self._dll.aclfake_set_onnxruntime.argtypes = [ctypes.c_char_p]
            self._dll.aclfake_set_onnx_for_next_load.argtypes = [ctypes.c_char_p]
            for name in ("aclfake_ledger_json", "aclfake_reset"):
                getattr(self._dll, name).restype = ctypes.c_size_t
            self._dll.aclfake_ledger_json.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
            self._dll.aclfake_check_count.restype = ctypes.c_uint64
            self._dll.aclfake_check_count.argtypes = [ctypes.c_char_p]
            self._dll.aclfake_check_table_json.restype = ctypes.c_size_t
            self._dll.aclfake_check_table_json.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
            self.use_onnxruntime()

    def __getattr__(self, name: str) -> Any:
        function = getattr(self._dll, name)
        if name in prototypes():
            function.restype, function.argtypes = prototypes()[name]
        setattr(self, name, function)
        return function

    def use_onnxruntime(self) -> None:
        """Names the installed onnxruntime, which a private copy would not find by itself."""
        spec = importlib.util.find_spec("onnxruntime")
        if spec is not None and spec.origin is not None:
            found = sorted((Path(spec.origin).parent / "capi").glob("libonnxruntime.so*"))
            if found:
                self._dll.aclfake_set_onnxruntime(os.fsencode(found[-1]))

    def ledger(self) -> dict[str, Any]:
        """The fake's ledger."""
        buffer = ctypes.create_string_buffer(1 << 20)
        self._dll.aclfake_ledger_json(buffer, len(buffer))
        ledger: dict[str, Any] = json.loads(buffer.value)
        return ledger

    def check_table(self) -> list[dict[str, str]]:
        """The fake's checks: id, severity, code, title, remedy."""
        buffer = ctypes.create_string_buffer(1 << 18)
        assert self._dll.aclfake_check_table_json(buffer, len(buffer)) < len(buffer)
        table: list[dict[str, str]] = json.loads(buffer.value)
        return table

    def live(self) -> dict[str, int]:
        """Live objects by kind; kinds without any are left out."""
        objects = self.ledger()["objects"]
        return {kind: count["live"] for kind, count in objects.items() if count["live"]}

    def message(self) -> str:
        """aclGetRecentErrMsg: all that has gathered since the last call."""
        text = self.aclGetRecentErrMsg()
        return text.decode("utf-8", "replace") if text else ""


@cache
def library() -> Library:
    """The library under test, loaded once."""
    return Library(library_path())
