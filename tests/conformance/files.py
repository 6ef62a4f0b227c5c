# SPDX-License-Identifier: Apache-2.0
"""Simulated .om files taken apart and damaged (.om format 1 and 2)."""

from __future__ import annotations

import struct


def patched(om: bytes, offset: int, layout: str, *values: int) -> bytes:
    """The file with some bytes replaced."""
    data = bytearray(om)
    struct.pack_into(layout, data, offset, *values)
    return bytes(data)


def entry_of(om: bytes, kind: int) -> int:
    """File offset of the table entry of a partition type."""
    (count,) = struct.unpack_from("<I", om, 0x100)
    return next(
        at
        for at in range(0x108, 0x108 + 24 * count, 24)
        if struct.unpack_from("<I", om, at) == (kind,)
    )


def content_of(om: bytes, kind: int) -> tuple[int, int]:
    """(file offset, size) of a partition."""
    (count,) = struct.unpack_from("<I", om, 0x100)
    offset, size = struct.unpack_from("<QQ", om, entry_of(om, kind) + 8)
    return 0x108 + 24 * count + offset, size


def without_body(om: bytes) -> bytes:
    """The file as ATC would have written it: no marker, no ONNX body."""
    data = bytearray(patched(om, 0x78, "<32x"))
    struct.pack_into("<I", data, entry_of(om, 0x4E4F4158), 4242)
    return bytes(data)
