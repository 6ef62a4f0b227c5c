# SPDX-License-Identifier: Apache-2.0
"""A second reader of simulated files, which shares nothing with the package's own."""

from __future__ import annotations

import struct

HEADER = 256
PARTITIONS = {8: "inout", 0: "model_def", 1: "weights", 2: "tasks", 0x4E4F4158: "body"}


def partitions(om):
    """The partitions' bytes by name, in the file's order; they lie back to back to its end."""
    count, padding = struct.unpack_from("<II", om, HEADER)
    assert 0 == padding
    begin = HEADER + 8 + 24 * count
    found, position = {}, 0
    for i in range(count):
        kind, padding, offset, size = struct.unpack_from("<IIQQ", om, HEADER + 8 + 24 * i)
        assert (0, position) == (padding, offset), "back to back"
        assert size > 0
        found[PARTITIONS[kind]] = om[begin + offset : begin + offset + size]
        position += size
    assert len(om) == begin + position
    return found


def with_weights(om, weights):
    """The file with other weights than the block that every simulated file states, at its end."""
    (count,) = struct.unpack_from("<I", om, HEADER)
    begin = HEADER + 8 + 24 * count
    data = bytearray(om + weights)
    for row in range(HEADER + 8, begin, 24):
        if struct.unpack_from("<I", om, row) == (1,):
            struct.pack_into("<QQ", data, row + 8, len(om) - begin, len(weights))
    struct.pack_into("<Q", data, 0xB8, len(data) - HEADER)
    return bytes(data)


def records(raw):
    """MODEL_INOUT_INFO as {type: value}, in the order written."""
    found, at = {}, 0
    while at < len(raw):
        kind, length = struct.unpack_from("<iI", raw, at)
        assert kind not in found
        found[kind] = raw[at + 8 : at + 8 + length]
        assert length == len(found[kind])
        at += 8 + length
    return found


def tensors(raw):
    """The tensors of a record: dicts of name, size, format, dtype, dims, dims_v2, range."""
    (count,) = struct.unpack_from("<I", raw)
    found, at = [], 4
    for _ in range(count):
        size, layout, dtype, *lengths = struct.unpack_from("<QIIIIII", raw, at)
        at += 32
        parts = []
        for length in lengths:
            parts.append(raw[at : at + length])
            at += length
        dims, dims_v2, pairs = (list(struct.unpack(f"<{len(p) // 8}q", p)) for p in parts[1:])
        found.append(
            {
                "name": parts[0].decode(),
                "size": size,
                "format": layout,
                "dtype": dtype,
                "dims": dims,
                "dims_v2": dims_v2,
                "range": list(zip(pairs[::2], pairs[1::2], strict=True)),
            }
        )
    assert at == len(raw)
    return found


def groups(raw, item):
    """u32 n, u32 length[n], then the items: lists of u64 (item 8) or texts (item 1)."""
    (count,) = struct.unpack_from("<I", raw)
    lengths = struct.unpack_from(f"<{count}I", raw, 4)
    at, found = 4 + 4 * count, []
    for length in lengths:
        piece = raw[at : at + length * item]
        assert length * item == len(piece)
        found.append(piece.decode() if item == 1 else list(struct.unpack(f"<{length}Q", piece)))
        at += length * item
    assert at == len(raw)
    return found


def fields(message):
    """A protobuf message as {field number: [values]}; bytes for everything with a length."""
    found, at = {}, 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(message):
        tag = varint()
        if tag & 7 == 0:
            value = varint()
        elif tag & 7 == 5:
            (value,) = struct.unpack_from("<f", message, at)
            at += 4
        else:
            assert 2 == tag & 7
            length = varint()
            value = message[at : at + length]
            assert length == len(value)
            at += length
        found.setdefault(tag >> 3, []).append(value)
    return found


def signed(value):
    """A varint's number as an int64."""
    return value - (1 << 64) if value >> 63 else value


def packed(raw):
    """The numbers of a packed field."""
    parts, current = [], b""
    for byte in raw:
        current += bytes([byte])
        if byte < 0x80:
            parts.append(current)
            current = b""
    assert not current
    return [signed(fields(b"\x08" + part)[1][0]) for part in parts]


def attrs(entries):
    """map<string, AttrDef> as a dict."""
    out = {}
    for entry in map(fields, entries):
        attr = fields(entry[2][0])
        assert 1 == len(attr), "one member of the oneof"
        ((member, (value,)),) = attr.items()
        out[entry[1][0].decode()] = _value(member, value)
    return out


def _value(member, value):
    if member == 1:
        items = fields(value)
        if items[20] == [1]:
            return [text.decode() for text in items.get(2, [])]
        assert [2] == items[20]
        return packed(items.get(3, [b""])[0])
    if member == 2:
        return value.decode()
    if member == 5:
        return bool(value)
    if member == 10:
        return attrs(fields(value).get(2, []))
    if member == 14:
        return [packed(fields(item).get(1, [b""])[0]) for item in fields(value).get(1, [])]
    assert member in (3, 4)
    return value if member == 4 else signed(value)
