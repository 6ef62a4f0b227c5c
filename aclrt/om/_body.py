# SPDX-License-Identifier: Apache-2.0
"""The private partition of a simulated file: the ONNX model, and its weights if they are apart.

Version 1 is the model alone. In version 2 the weights follow it at a multiple of 4096 in the file,
so that they can be mapped, and then their CRC-32.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from ._weights import Weights

__all__ = ["blocks", "size"]

_MAGIC = b"ACLRTSIM"
_HEAD = struct.Struct("<8sIIQ")
_SECOND = struct.Struct("<QQ")
_CRC = struct.Struct("<I")
_PAGE = 4096


def _begin(onnx: bytes, offset: int) -> int:
    """Where the weights begin in the partition."""
    end = offset + _HEAD.size + _SECOND.size + len(onnx)
    return -(-end // _PAGE) * _PAGE - offset


def size(onnx: bytes, weights: Weights, offset: int) -> int:
    """Bytes of the partition that begins at ``offset`` in the file."""
    if not weights.pieces:
        return _HEAD.size + len(onnx)
    return _begin(onnx, offset) + weights.size + _CRC.size


def blocks(onnx: bytes, weights: Weights, offset: int) -> Iterator[bytes]:
    """Those bytes, a piece at a time."""
    crc = zlib.crc32(onnx)
    if not weights.pieces:
        yield _HEAD.pack(_MAGIC, 1, crc, len(onnx))
        yield onnx
        return
    begin = _begin(onnx, offset)
    yield _HEAD.pack(_MAGIC, 2, crc, len(onnx)) + _SECOND.pack(begin, weights.size)
    yield onnx
    yield bytes(begin - _HEAD.size - _SECOND.size - len(onnx))
    crc = 0
    for block in weights.blocks():
        crc = zlib.crc32(block, crc)
        yield block
    yield _CRC.pack(crc)
