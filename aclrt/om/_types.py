# SPDX-License-Identifier: Apache-2.0
"""Element types of a file, and which of ONNX's element types AscendCL knows.

The numbers come from the library's one table (``csrc/om/dtypes.def``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

from .._ffi import lib, text

__all__ = ["FORMATS", "ElementType", "named", "names", "of_onnx"]

# aclFormat of the layouts that a simulated file has.
FORMATS: Final = {"NCHW": 0, "NHWC": 1, "ND": 2, "NCDHW": 30}


@dataclass(frozen=True)
class ElementType:
    """One row of the table: aclDataType, ModelDef's number, bits of an element, name."""

    value: int
    proto: int
    bits: int
    name: str

    def nbytes(self, count: int) -> int:
        """Bytes of ``count`` elements."""
        return -(-count * self.bits // 8)

    @property
    def ge_name(self) -> str:
        """The compiler's own word: ``"DT_FLOAT"``."""
        return f"DT_{_GE_NAMES.get(self.name, self.name).upper()}"


_GE_NAMES: Final = {"float32": "float", "float64": "double", "bfloat16": "bf16"}


# onnx.TensorProto.DataType to the table's name: what both AscendCL (which has no uint4, int2, uint2
# or fnuz floats) and ONNX Runtime's CPU provider (no complex numbers, no float4) take as a tensor.
_ONNX_NAMES: Final = {
    1: "float32",
    2: "uint8",
    3: "int8",
    4: "uint16",
    5: "int16",
    6: "int32",
    7: "int64",
    9: "bool",
    10: "float16",
    11: "float64",
    12: "uint32",
    13: "uint64",
    16: "bfloat16",
    17: "float8_e4m3fn",
    19: "float8_e5m2",
    22: "int4",
    24: "float8_e8m0fnu",
}


@cache
def _by_name() -> dict[str, ElementType]:
    rows = map(lib.aclrt_dtype_at, range(lib.aclrt_dtype_count()))
    types = (
        ElementType(int(row.value), int(row.proto), int(row.bits), text(row.name)) for row in rows
    )
    return {item.name: item for item in types}


def of_onnx(elem_type: int) -> ElementType | None:
    """The type of an ``onnx.TensorProto.DataType`` number; None where there is no counterpart."""
    name = _ONNX_NAMES.get(elem_type)
    return None if name is None else _by_name()[name]


def named(name: str) -> ElementType:
    """The type of that name, which must be in the table."""
    return _by_name()[name]


def names() -> list[str]:
    """The types that a model's inputs and outputs can have."""
    return list(_ONNX_NAMES.values())
