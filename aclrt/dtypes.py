# SPDX-License-Identifier: Apache-2.0
"""AscendCL's element types as NumPy dtypes.

The list of types is the library's own (``csrc/om/dtypes.def``). bfloat16, int4 and the 8-bit floats
come from ``ml_dtypes``, which is imported when a model first needs it.

An int4 tensor has two elements in a byte on the device, the first in the lower half, and one
element in a byte in a NumPy array: ``pack`` and ``unpack`` are the only conversions in a run.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ._ffi import lib, text
from .errors import ModelLoadError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "NAMES",
    "dtype_of",
    "format_name",
    "is_packed",
    "number_of",
    "onnx_type",
    "pack",
    "unpack",
]


def _read_table() -> dict[int, tuple[str, int]]:
    rows = map(lib.aclrt_dtype_at, range(lib.aclrt_dtype_count()))
    return {int(row.value): (text(row.name), int(row.bits)) for row in rows}


_TABLE: Final = _read_table()
NAMES: Final[dict[int, str]] = {number: name for number, (name, _) in _TABLE.items()}
"""The name of each aclDataType, NumPy's or ml_dtypes' where there is one."""
_NUMBERS: Final[dict[str, int]] = {name: number for number, name in NAMES.items()}

_PACKED: Final = "int4"


@cache
def dtype_of(number: int) -> np.dtype[Any]:
    """The NumPy dtype of an aclDataType number.

    Args:
        number: aclDataType, for example 0 for float32.

    Returns:
        The dtype, in native byte order; the same object for the same number.

    Raises:
        ModelLoadError: The type needs ml_dtypes, which is not installed or too old, or no array
            can hold such elements.
    """
    name, bits = _TABLE.get(number, (f"aclDataType {number}", 0))
    if name != _PACKED and (bits == 0 or bits % 8):
        raise ModelLoadError(f"a tensor has elements of type {name}, which NumPy cannot address")
    try:
        return np.dtype(name)
    except TypeError:
        pass
    try:
        import ml_dtypes
    except ImportError as error:
        if name.startswith(("bfloat", "float8", _PACKED)):
            raise ModelLoadError(
                f"a tensor has elements of type {name}, for which NumPy needs ml_dtypes",
                hint='pip install "aclrt[bf16]"',
            ) from error
    else:
        if hasattr(ml_dtypes, name):
            found: np.dtype[Any] = np.dtype(getattr(ml_dtypes, name))
            return found
    raise ModelLoadError(f"a tensor has elements of type {name}, which NumPy cannot represent")


def is_packed(dtype: np.dtype[Any]) -> bool:
    """Whether elements share bytes on the device, but not in an array."""
    # Every call asks this, and a dtype's name takes microseconds; NumPy's own types have none.
    return dtype.isbuiltin != 1 and str(dtype.name) == _PACKED


def pack(array: NDArray[Any]) -> NDArray[np.uint8]:
    """The device's bytes of a contiguous int4 array: the first element in the lower half of each.

    Args:
        array: Of a packed dtype; of an odd number of elements, the last half byte becomes 0.

    Returns:
        A new one-dimensional array.
    """
    halves = array.reshape(-1).view(np.uint8) & 0x0F
    if halves.size % 2:
        halves = np.append(halves, np.uint8(0))
    packed: NDArray[np.uint8] = halves[0::2] | (halves[1::2] << np.uint8(4))
    return packed


def unpack(packed: NDArray[np.uint8], array: NDArray[Any]) -> None:
    """Fills a contiguous int4 array from the device's bytes.

    Args:
        packed: What ``pack`` gives.
        array: Receives the elements, each sign-extended in its byte.
    """
    halves = np.empty((packed.size, 2), np.uint8)
    np.bitwise_and(packed, 0x0F, out=halves[:, 0])
    np.right_shift(packed, 4, out=halves[:, 1])
    array.reshape(-1).view(np.int8)[:] = ((halves.reshape(-1)[: array.size] ^ 8).view(np.int8)) - 8


def number_of(dtype: Any) -> int | None:
    """The aclDataType number of a dtype (or of what ``numpy.dtype`` accepts); None if none."""
    return _NUMBERS.get(np.dtype(dtype).name)


def onnx_type(number: int) -> str:
    """ONNX Runtime's name of an aclDataType number: ``"tensor(float)"`` for 0."""
    name = NAMES.get(number, f"acl{number}")
    name = {"float32": "float", "float64": "double", "float8_e8m0fnu": "float8e8m0"}.get(name, name)
    return f"tensor({name.replace('float8_', 'float8')})"


def format_name(number: int) -> str:
    """The name of an aclFormat number, ``"NCHW"`` for 0; ``""`` if unknown."""
    return text(lib.aclrt_format_name(number))
