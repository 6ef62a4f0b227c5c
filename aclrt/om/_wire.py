# SPDX-License-Identifier: Apache-2.0
"""Protobuf's wire format, as far as a writer of ``ge.proto`` messages needs it.

Hand-written because the messages are few and their ``.proto`` files are not ours to ship. Numbers
are written even when zero: in an ``AttrDef`` they sit in a oneof, where zero is a value.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

__all__ = ["Attr", "Attrs", "attr_map", "data", "number", "packed", "varint"]

# A mapping is a NamedAttrs without a name; lists of lists hold numbers.
Attr: TypeAlias = (
    "int | float | str | bool | Sequence[int] | Sequence[str] | Sequence[Sequence[int]] | Attrs"
)
Attrs: TypeAlias = "Mapping[str, Attr]"

_VARINT = 0
_BYTES = 2
_FIXED32 = 5

# AttrDef and AttrDef.ListValue
_LIST, _TEXT, _INT, _FLOAT, _BOOL, _NAMED, _LIST_LIST_INT = 1, 2, 3, 4, 5, 10, 14
_LIST_TEXT, _LIST_INT, _LIST_TYPE = 2, 3, 20
_LIST_OF_TEXT, _LIST_OF_INT = 1, 2


def varint(value: int) -> bytes:
    """A number; negative ones as 64-bit two's complement, ten bytes long."""
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field: int, value: int) -> bytes:
    """An integer, enum or bool field."""
    return varint(field << 3 | _VARINT) + varint(value)


def data(field: int, content: bytes | str) -> bytes:
    """A string, bytes or message field."""
    raw = content.encode() if isinstance(content, str) else content
    return varint(field << 3 | _BYTES) + varint(len(raw)) + raw


def packed(field: int, values: Iterable[int]) -> bytes:
    """A repeated integer field; nothing at all where there are no values."""
    content = b"".join(map(varint, values))
    return data(field, content) if content else b""


def _attr(value: Attr) -> bytes:
    if isinstance(value, bool):
        return number(_BOOL, value)
    if isinstance(value, int):
        return number(_INT, value)
    if isinstance(value, float):
        return varint(_FLOAT << 3 | _FIXED32) + struct.pack("<f", value)
    if isinstance(value, str):
        return data(_TEXT, value)
    if isinstance(value, Mapping):
        return data(_NAMED, attr_map(2, value))
    texts = [item for item in value if isinstance(item, str)]
    if texts:
        content = b"".join(data(_LIST_TEXT, text) for text in texts)
        return data(_LIST, content + number(_LIST_TYPE, _LIST_OF_TEXT))
    lists = [item for item in value if isinstance(item, Sequence)]
    if lists:
        return data(_LIST_LIST_INT, b"".join(data(1, packed(1, item)) for item in lists))  # type: ignore[arg-type]
    numbers = packed(_LIST_INT, (item for item in value if isinstance(item, int)))
    return data(_LIST, numbers + number(_LIST_TYPE, _LIST_OF_INT))


def attr_map(field: int, attrs: Attrs) -> bytes:
    """A ``map<string, AttrDef>`` field, in the mapping's order."""
    return b"".join(
        data(field, data(1, name) + data(2, _attr(value))) for name, value in attrs.items()
    )
