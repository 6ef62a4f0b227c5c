# SPDX-License-Identifier: Apache-2.0
"""Pieces of .om files as bytes, well-formed unless told otherwise: what a corpus is made of."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence

Attrs = Sequence[tuple[str | bytes, bytes]]  # name, AttrDef


def u32(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}I", *(value & 0xFFFFFFFF for value in values))


def u64(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}Q", *(value & (1 << 64) - 1 for value in values))


def raw(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


# ---- protobuf ------------------------------------------------------------------------------------


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def data(number: int, content: str | bytes) -> bytes:
    content = raw(content)
    return varint(number << 3 | 2) + varint(len(content)) + content


def num(number: int, value: int) -> bytes:
    return varint(number << 3) + varint(value)


def packed(number: int, values: Iterable[int]) -> bytes:
    return data(number, b"".join(map(varint, values)))


def of_int(value: int) -> bytes:
    return num(3, value)


def of_bool(value: bool) -> bytes:
    return num(5, value)


def of_text(text: str | bytes) -> bytes:
    return data(2, text)


def of_float(value: float) -> bytes:
    return varint(4 << 3 | 5) + struct.pack("<f", value)


def of_ints(values: Sequence[int]) -> bytes:
    return data(1, (packed(3, values) if values else b"") + num(20, 2))


def of_bools(values: Sequence[bool]) -> bytes:
    return data(1, packed(5, map(int, values)) + num(20, 4))


def of_texts(texts: Sequence[str | bytes]) -> bytes:
    return data(1, b"".join(data(2, text) for text in texts) + num(20, 1))


def of_int_lists(lists: Iterable[Sequence[int]]) -> bytes:
    return data(14, b"".join(data(1, packed(1, values)) for values in lists))


def of_named(attributes: Attrs) -> bytes:
    return data(10, data(1, "aipp") + attrs(2, attributes))


def attrs(field: int, attributes: Attrs) -> bytes:
    return b"".join(data(field, data(1, name) + data(2, value)) for name, value in attributes)


# ---- graphs --------------------------------------------------------------------------------------


def desc(
    dims: Sequence[int] = (2, 3),
    attributes: Attrs = (),
    *,
    proto: int = 1,
    layout: str = "NCHW",
    size: int = 24,
) -> bytes:
    fields = num(2, proto) + data(3, packed(1, dims)) + data(4, layout)
    return fields + attrs(5, attributes) + num(10, size)


def op(name: str, kind: str, rest: bytes = b"") -> bytes:
    return data(6, data(1, name) + data(2, kind) + rest)


def source(
    name: str,
    index: int | None = 0,
    descriptor: bytes | None = None,
    attributes: Attrs = (),
    *,
    kind: str = "Data",
    more: bytes = b"",
) -> bytes:
    """An input of the graph."""
    listed = [*attributes, *([("index", of_int(index))] if index is not None else [])]
    given = desc() if descriptor is None else descriptor
    return op(name, kind, attrs(10, listed) + data(33, given) + more)


def net_output(
    descriptors: Sequence[bytes],
    attributes: Attrs = (),
    *,
    names: int | None = None,
    indices: int | None = None,
) -> bytes:
    count = len(descriptors)
    rest = attrs(10, attributes) + b"".join(data(33, one) for one in descriptors)
    rest += data(24, "last") * (count if names is None else names)
    rest += packed(25, range(count if indices is None else indices))
    return op("Node_Output", "NetOutput", rest)


def graph(*ops: bytes, name: str = "g") -> bytes:
    return data(7, data(1, name) + b"".join(ops))


def model_def(*graphs: bytes, attributes: Attrs = ()) -> bytes:
    return data(1, "model") + b"".join(graphs) + attrs(11, attributes)


# ---- MODEL_INOUT_INFO ----------------------------------------------------------------------------


def record(kind: int, value: bytes) -> bytes:
    return u32(kind, len(value)) + value


def tensor(
    name: str,
    dims: Sequence[int] = (2, 3),
    *,
    size: int = 24,
    layout: int = 0,
    dtype: int = 0,
    dims_v2: Sequence[int] | None = None,
    span: Sequence[int] = (),
) -> bytes:
    memory = dims if dims_v2 is None else dims_v2
    head = u64(size) + u32(layout, dtype, len(raw(name)), 8 * len(dims), 8 * len(memory))
    return head + u32(8 * len(span)) + raw(name) + u64(*dims) + u64(*memory) + u64(*span)


def tensors(kind: int, *items: bytes) -> bytes:
    return record(kind, u32(len(items)) + b"".join(items))


def groups(kind: int, items: Sequence[bytes], unit: int = 1) -> bytes:
    """Gears of several values (unit 8), or texts."""
    lengths = u32(*(len(item) // unit for item in items))
    return record(kind, u32(len(items)) + lengths + b"".join(items))


# ---- files ---------------------------------------------------------------------------------------

Part = tuple[int, bytes]  # type, content


def table(*parts: Part, wide: bool = True) -> bytes:
    """A partition table and its partitions, back to back."""
    head, content = u32(len(parts)) + (u32(0) if wide else b""), b""
    for kind, part in parts:
        if wide:
            head += u32(kind, 0) + u64(len(content), len(part))
        else:
            head += u32(kind, len(content), len(part))
        content += part
    return head + content


def patched(file: bytes, at: int, value: bytes) -> bytes:
    return file[:at] + value + file[at + len(value) :]


def file(
    *bodies: bytes, version: int = 0x20000000, wide: bool = True, unknown_shape: bool = False
) -> bytes:
    """The header and one body for each model."""
    body = b"".join(bodies)
    head = b"IMOD" + u32(256, version) + bytes(244)
    head = patched(head, 0x54, b"short")
    if version >= 0x20000000:
        head = patched(head, 0x9C, u32(len(bodies)))
        head = patched(head, 0xA0, b"1.11.z.0")
        head = patched(head, 0xC1, bytes([unknown_shape]))
    else:
        head = patched(head, 0x9C, b"1.1.0")
    head = patched(head, 0xB8, u64(len(body))) if wide else patched(head, 0x4C, u32(len(body)))
    return head + body


def file_of(definition: bytes, inout: bytes = b"", **options: bool) -> bytes:
    parts = [(8, inout)] if inout else []
    return file(table(*parts, (0, definition), (2, num(11, 4096) + data(10, b""))), **options)
