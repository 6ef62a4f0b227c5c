# SPDX-License-Identifier: Apache-2.0
"""The partition MODEL_INOUT_INFO: inputs, outputs and gears as a sequence of records."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from . import _types
from ._contents import Contents, Gears, Tensor

__all__ = ["inout_info"]

_INPUTS, _OUTPUTS, _BATCH, _IMAGE, _DIMS, _OUTPUT_SHAPES, _ORDER = range(7)


def inout_info(contents: Contents) -> bytes:
    """The records; one with nothing in it is left out."""
    out = b""
    for kind, tensors in ((_INPUTS, contents.all_inputs), (_OUTPUTS, contents.outputs)):
        if tensors:
            out += _record(kind, _count(tensors) + b"".join(map(_tensor, tensors)))
    if contents.gears is not None:
        out += _gears(contents.gears)
        out += _record(_OUTPUT_SHAPES, _texts(contents.gears.output_shapes()))
        out += _record(_ORDER, _texts(contents.gears.order))
    return out


def _record(kind: int, value: bytes) -> bytes:
    return struct.pack("<iI", kind, len(value)) + value


def _count(items: Sequence[object]) -> bytes:
    return struct.pack("<I", len(items))


def _numbers(kind: str, values: Sequence[int]) -> bytes:
    return struct.pack(f"<{len(values)}{kind}", *values)


def _tensor(tensor: Tensor) -> bytes:
    name = tensor.name.encode()
    dims = _numbers("q", tensor.shown_dims)
    dims_v2 = dims if tensor.dims_v2 is None else _numbers("q", tensor.dims_v2)
    ranges = _numbers("q", [number for pair in tensor.range for number in pair])
    head = struct.pack(
        "<QIIIIII",
        tensor.nbytes,
        _types.FORMATS[tensor.format],
        tensor.dtype.value,
        len(name),
        len(dims),
        len(dims_v2),
        len(ranges),
    )
    return head + name + dims + dims_v2 + ranges


def _gears(gears: Gears) -> bytes:
    values = b"".join(_numbers("Q", gear) for gear in gears.values)
    if gears.kind == "batch":
        return _record(_BATCH, _count(gears.values) + values)
    kind = _IMAGE if gears.kind == "image" else _DIMS
    return _record(kind, _count(gears.values) + _lengths(gears.values) + values)


def _lengths(items: Sequence[Sequence[object]]) -> bytes:
    return _numbers("I", [len(item) for item in items])


def _texts(texts: Sequence[str]) -> bytes:
    raw = [text.encode() for text in texts]
    return _count(raw) + _lengths(raw) + b"".join(raw)
