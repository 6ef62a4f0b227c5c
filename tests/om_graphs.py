# SPDX-License-Identifier: Apache-2.0
"""Makes .om files of graphs that `aclrt.convert` does not write: gears, ranges, AIPP."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

from aclrt.om import _wire

FLOAT, UINT8, INT32 = 1, 4, 7  # ModelDef's numbers


def attr(value: Any) -> bytes:
    """An AttrDef; a dict becomes named attributes, a list of pairs a list of lists."""
    if isinstance(value, float):
        return _wire.varint(4 << 3 | 5) + struct.pack("<f", value)
    if isinstance(value, Mapping):
        return _wire.data(10, attrs(2, value))
    if isinstance(value, list) and value and isinstance(value[0], tuple):
        return _wire.data(14, b"".join(_wire.data(1, _wire.packed(1, pair)) for pair in value))
    (entry,) = _fields(_wire.attr_map(1, {"": value}))
    return entry


def _fields(message: bytes) -> list[bytes]:
    # attr_map of one short entry with an empty name: tag, length, 0A 00, tag, length, AttrDef.
    at = 1
    while message[at] > 0x7F:
        at += 1
    at += 1 + 2 + 1
    while message[at] > 0x7F:
        at += 1
    return [message[at + 1 :]]


def attrs(field: int, values: Mapping[str, Any]) -> bytes:
    """A map of attributes."""
    return b"".join(
        _wire.data(field, _wire.data(1, name) + _wire.data(2, attr(value)))
        for name, value in values.items()
    )


def descriptor(
    dims: Sequence[int], proto: int = FLOAT, layout: str = "NCHW", size: int = 0, **values: Any
) -> bytes:
    """A TensorDescriptor."""
    return b"".join(
        (
            _wire.number(2, proto),
            _wire.data(3, _wire.packed(1, dims)),
            _wire.data(4, layout),
            attrs(5, values),
            _wire.number(10, size),
        )
    )


def node(name: str, kind: str, values: Mapping[str, Any], desc: bytes | None = None) -> bytes:
    """An operator with at most one input descriptor."""
    content = _wire.data(1, name) + _wire.data(2, kind) + attrs(10, values)
    return _wire.data(6, content + (b"" if desc is None else _wire.data(33, desc)))


def outputs(names: Sequence[str], descs: Sequence[bytes], **values: Any) -> bytes:
    """The NetOutput; the names go into the model's attribute by themselves."""
    content = _wire.data(1, "Node_Output") + _wire.data(2, "NetOutput") + attrs(10, values)
    for name, desc in zip(names, descs, strict=True):
        content += _wire.data(24, name) + _wire.data(33, desc)
    return _wire.data(6, content + _wire.packed(25, [0] * len(names)))


def model_def(nodes: bytes, **values: Any) -> bytes:
    """A ModelDef with one graph."""
    graph = _wire.data(7, _wire.data(1, "graph") + nodes)
    return _wire.data(1, "made") + graph + attrs(11, values)


def table(definition: bytes, **parts: bytes) -> bytes:
    """One model of a file: its table and its parts, further ones as type_8=b"..."."""
    partitions = [(0, definition), *((int(name[5:]), raw) for name, raw in parts.items())]
    head = struct.pack("<II", len(partitions), 0)
    offset = 0
    for kind, raw in partitions:
        head += struct.pack("<IIQQ", kind, 0, offset, len(raw))
        offset += len(raw)
    return head + b"".join(raw for _, raw in partitions)


def file_of(*tables: bytes, unknown_shape: bool = False) -> bytes:
    """A file of the third generation."""
    header = bytearray(256)
    struct.pack_into("<4sII", header, 0, b"IMOD", 256, 0x20000000)
    struct.pack_into("<I", header, 0x9C, len(tables))
    struct.pack_into("<Q", header, 0xB8, sum(map(len, tables)))
    header[0xC1] = unknown_shape
    return bytes(header) + b"".join(tables)


def om_file(definition: bytes, unknown_shape: bool = False, **parts: bytes) -> bytes:
    """A file with one model."""
    return file_of(table(definition, **parts), unknown_shape=unknown_shape)


def case(gears: Sequence[Sequence[int]], kind: int, order: Sequence[str] = ()) -> bytes:
    """The node that chooses among gears; kind 1 batch, 2 image size, 3 dims."""
    values: dict[str, Any] = {"_batch_num": len(gears), "mbatch_dynamic_type": kind}
    for index, gear in enumerate(gears):
        values[f"_pred_value_{index}"] = list(gear)
    if order:
        values["user_designate_shape_order"] = list(order)
    return node("ascend_mbatch_shape_case", "Case", values)


def dims_gears(
    gears: Sequence[Sequence[int]] = ((4, 8, 5), (6, 9, 7)), order: Sequence[str] = ("b", "a")
) -> bytes:
    """a (-1, 2) and b (-1, -1), fed in that order, the gears' values in the other."""
    return om_file(
        model_def(
            node(
                "a", "Data", {"index": 0, "_mbatch_origin_input_dims": [-1, 2]}, descriptor([7, 2])
            )
            + node(
                "b", "Data", {"index": 1, "_mbatch_origin_input_dims": [-1, -1]}, descriptor([6, 9])
            )
            + node(
                "ascend_mbatch_shape_data",
                "Data",
                {"index": 2, "_is_multi_batch_shape_data": True},
                descriptor([3], INT32, "ND", 12),
            )
            + case(gears, 3, order)
            + outputs(
                ["n:0:y", "n:1:z"],
                [descriptor([6, 9]), descriptor([1])],
                _dynamic_output_dims=["0,0,4,8", "1,0,6,9", "-1,1,1"],
            ),
            attr_model_out_nodes_name=["n:0:y", "n:1:z"],
        )
    )


def static_aipp(**parameters: Any) -> bytes:
    """image, RGB888 of 8x4, in front of a network that takes 1x3x4x8."""
    values = {"aipp_mode": 1, "input_format": 3, "src_image_size_w": 8, "src_image_size_h": 4}
    return om_file(
        model_def(
            node(
                "image",
                "Data",
                {
                    "index": 0,
                    "_data_related_aipp_mode": "static_aipp",
                    "input_dims": [1, 4, 8, 3],
                    "_aipp_inputs": ["NCHW:DT_FLOAT:image:384:4:1,3,4,8"],
                    "aipp": values | parameters,
                },
                descriptor([1, 4, 8, 3], UINT8, "NHWC", 96),
            )
            + outputs(["n"], [descriptor([1, 10])]),
            attr_model_out_nodes_name=["n:0:y"],
        )
    )


def dynamic_aipp() -> bytes:
    """image, of at most 96 bytes, and the input with its parameters."""
    image = {
        "index": 0,
        "_data_related_aipp_mode": "dynamic_aipp",
        "_data_aipp_data_name_map": "ascend_dynamic_aipp_data",
        "_dynamic_aipp_input_dims": [1, -1, -1, -1],
        "aipp": {"aipp_mode": 2, "max_src_image_size": 96, "support_rotation": True},
    }
    block = {"index": 1, "_data_related_aipp_mode": "dynamic_aipp_conf"}
    return om_file(
        model_def(
            node("image", "Data", image, descriptor([1, 96], UINT8, "NHWC", 96))
            + node(
                "ascend_dynamic_aipp_data",
                "AippData",
                block,
                descriptor([160], UINT8, "ND", 160),
            )
            + outputs(["n"], [descriptor([1, 10])])
        )
    )


def parts() -> bytes:
    """A dynamic model of two tables; the graph of the second has no outputs."""
    root = node("x", "Data", {"index": 0}, descriptor([2])) + outputs(["n"], [descriptor([2])])
    part = node("part_x", "Data", {"index": 0}, descriptor([2]))
    return file_of(table(model_def(root)), table(model_def(part, stream_num=3), type_1=b"weights"))


def ranged() -> bytes:
    """x of 1 to 8 rows, 3 columns and any depth."""
    desc = descriptor([-1, 3, -1], layout="ND", shape_range=[(1, 8), (3, 3), (2, -1)])
    return om_file(
        model_def(
            node("x", "Data", {"index": 0}, desc) + outputs(["n"], [descriptor([-1, 3])]),
            attr_model_out_nodes_name=["n:0:y"],
            atc_cmdline="atc --model=/somebody/private.onnx --soc_version=Ascend310P3",
        ),
        unknown_shape=True,
    )


def listed(name: str, dims: Sequence[int], size: int) -> bytes:
    """MODEL_INOUT_INFO with one float32 ND input."""
    raw = struct.pack(f"<{len(dims)}q", *dims)
    head = struct.pack("<QIIIIII", size, 2, 0, len(name), len(raw), len(raw), 0)
    value = struct.pack("<I", 1) + head + name.encode() + raw + raw
    return struct.pack("<iI", 0, len(value)) + value
