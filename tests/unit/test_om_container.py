# SPDX-License-Identifier: Apache-2.0
"""The simulated file byte by byte, read by a second reader that shares nothing with the first."""

from __future__ import annotations

import math
import struct
import zlib

import pytest
from om_bytes import HEADER, PARTITIONS, attrs, fields, packed, partitions
from onnx import ModelProto, TensorProto, helper

import aclrt

# ModelDef's number, aclDataType
NUMBERS = {TensorProto.FLOAT: (1, 0), TensorProto.INT64: (8, 9), TensorProto.BOOL: (11, 12)}


def model():
    """image (1, 3, 4, 5) float32, ids (7,) int64, flag () bool -> three outputs."""
    graph = helper.make_graph(
        [
            helper.make_node("Relu", ["image"], ["scores"], name="net/relu:1"),
            helper.make_node("Neg", ["ids"], ["out:0"]),
            helper.make_node("Not", ["flag"], ["no"], name="invert"),
        ],
        "g",
        [
            helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 4, 5]),
            helper.make_tensor_value_info("ids", TensorProto.INT64, [7]),
            helper.make_tensor_value_info("flag", TensorProto.BOOL, []),
        ],
        [
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, 3, 4, 5]),
            helper.make_tensor_value_info("out:0", TensorProto.INT64, [7]),
            helper.make_tensor_value_info("no", TensorProto.BOOL, []),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


INPUTS = [
    ("image", TensorProto.FLOAT, [1, 3, 4, 5]),
    ("ids", TensorProto.INT64, [7]),
    ("flag", TensorProto.BOOL, []),
]
OUTPUTS = [
    ("net/relu_1:0:scores", TensorProto.FLOAT, [1, 3, 4, 5]),
    ("Neg:0:out:0", TensorProto.INT64, [7]),
    ("invert:0:no", TensorProto.BOOL, []),
]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    folder = tmp_path_factory.mktemp("om")
    return aclrt.convert(model(), folder / "three_tensors_and_a_name_longer_than_the_header.om")


@pytest.fixture(scope="module")
def om(path):
    return path.read_bytes()


@pytest.fixture(scope="module")
def parts(om):
    """The partitions' bytes by name."""
    found = partitions(om)
    assert list(PARTITIONS.values()) == list(found), "in this order"
    return found


@pytest.fixture(scope="module")
def model_def(parts):
    return fields(parts["model_def"])


@pytest.fixture(scope="module")
def ops(model_def):
    (graph,) = model_def[7]
    return [fields(op) for op in fields(graph)[6]]


def check_descriptor(raw, dtype, dims, size):
    desc = fields(raw)
    layout = "NCHW" if len(dims) == 4 else "ND"
    assert [NUMBERS[dtype][0]] == desc[2]
    assert dims == packed(fields(desc[3][0]).get(1, [b""])[0])
    assert [layout.encode()] == desc[4]
    assert {
        "format_for_int": 0 if layout == "NCHW" else 2,
        "origin_shape": dims,
        "origin_format": layout,
    } == attrs(desc[5])
    assert [size] == desc[10]
    assert [b"NPU"] == desc[14]
    assert [len(dims)] == desc[16]


def nbytes(dtype, dims):
    size = {TensorProto.FLOAT: 4, TensorProto.INT64: 8, TensorProto.BOOL: 1}[dtype]
    return size * math.prod(dims)


def test_header(om):
    """Field by field, and zero everywhere else."""
    want = bytearray(HEADER)
    struct.pack_into("<4sII", want, 0, b"IMOD", 256, 0x20000000)
    want[0x54 : 0x54 + 31] = b"three_tensors_and_a_name_longer"
    want[0x78 : 0x78 + 11] = b"aclrt-sim/1"
    struct.pack_into("<II8s", want, 0x98, 2, 1, b"1.11.z.0")
    want[0xB4] = 1
    struct.pack_into("<Q", want, 0xB8, len(om) - HEADER)
    assert bytes(want) == om[:HEADER]


def test_inout_info(parts):
    """Inputs, then outputs; names, sizes, numbers and dims."""
    raw, at = parts["inout"], 0
    for kind, tensors in enumerate((INPUTS, OUTPUTS)):
        assert kind == struct.unpack_from("<i", raw, at)[0]
        (length,) = struct.unpack_from("<I", raw, at + 4)
        end = at + 8 + length
        assert len(tensors) == struct.unpack_from("<I", raw, at + 8)[0]
        at += 12
        for name, dtype, dims in tensors:
            layout = 0 if len(dims) == 4 else 2
            head = struct.unpack_from("<QIIIIII", raw, at)
            shape = struct.pack(f"<{len(dims)}q", *dims)
            sizes = (len(name), len(shape), len(shape), 0)
            assert (nbytes(dtype, dims), layout, NUMBERS[dtype][1], *sizes) == head
            at += 32
            assert name.encode() + shape + shape == raw[at : at + len(name) + 2 * len(shape)]
            at += len(name) + 2 * len(shape)
        assert end == at
    assert len(raw) == at


def test_model_attributes(path, model_def, parts):
    """The list of section 13, in types and values."""
    assert [path.stem.encode()] == model_def[1]
    assert [2] == model_def[2]
    assert [b"1.11.z.0"] == model_def[3]
    total = sum(nbytes(dtype, dims) for _, dtype, dims in INPUTS + OUTPUTS)
    work = -(-total // 512) * 512
    assert {
        "memory_size": work,
        "weight_size": 512,
        "zero_copy_memory_size": work,
        "stream_num": 1,
        "event_num": 0,
        "label_num": 0,
        "target_type": "MINI",
        "session_id": 0,
        "soc_version": "AscendSim",
        "atc_version": f"aclrt {aclrt.__version__}",
        "atc_cmdline": f"aclrt simulated --framework=5 --output={path.stem}",
        "framework_type": "Onnx",
        "attr_model_out_nodes_name": [name for name, _, _ in OUTPUTS],
        "om_info_list": [512, 0, 0, len(parts["tasks"]), 0],
    } == attrs(model_def[11])
    assert {11: [work], 14: [512]} == fields(parts["tasks"])


def test_data_nodes(ops):
    """One per input, in order, with the same facts as MODEL_INOUT_INFO."""
    for index, (op, (name, dtype, dims)) in enumerate(zip(ops, INPUTS, strict=False)):
        assert [name.encode()] == op[1]
        assert [b"Data"] == op[2]
        assert [b""] == op[5]
        assert {"index": index} == attrs(op[10])
        size = nbytes(dtype, dims)
        (input_desc,), (output_desc,) = op[33], op[34]
        check_descriptor(input_desc, dtype, dims, size)
        check_descriptor(output_desc, dtype, dims, (size + 63) // 32 * 32)
    assert len(INPUTS) + 1 == len(ops)


def test_net_output(ops):
    """Sources, and names by the rule that readers of the graph apply."""
    op = ops[-1]
    assert [b"Node_Output"] == op[1]
    assert [b"NetOutput"] == op[2]
    sources = [name.split(":")[0].encode() for name, _, _ in OUTPUTS]
    assert [source + b":0" for source in sources] == op[5]
    assert sources == op[24]
    assert [0, 0, 0] == packed(op[25][0])
    for raw, (_, dtype, dims) in zip(op[33], OUTPUTS, strict=True):
        check_descriptor(raw, dtype, dims, (nbytes(dtype, dims) + 63) // 32 * 32)


def test_body(parts):
    """Head, checksum as zlib computes it, and an ONNX model with static inputs."""
    magic, version, crc, length = struct.unpack_from("<8sIIQ", parts["body"])
    onnx = parts["body"][24:]
    assert (b"ACLRTSIM", 1, zlib.crc32(onnx), len(onnx)) == (magic, version, crc, length)
    assert model() == ModelProto.FromString(onnx)


@pytest.mark.parametrize(
    ("name", "in_header"),
    [
        ("x", b"x"),
        ("a" * 31, b"a" * 31),
        ("a" * 40, b"a" * 31),
        ("ä" * 16, "ä".encode() * 15),  # 32 bytes: the last character does not fit
    ],
)
def test_name_in_the_header_is_cut_between_characters(name, in_header, tmp_path):
    """At most 31 bytes, then NUL; the whole name is in ModelDef."""
    path = aclrt.convert(model(), tmp_path / name)
    assert in_header + bytes(32 - len(in_header)) == path.read_bytes()[0x54:0x74]
    assert name == aclrt.inspect(path).name
