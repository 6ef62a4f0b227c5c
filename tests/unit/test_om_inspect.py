# SPDX-License-Identifier: Apache-2.0
"""`aclrt.inspect`: what it takes and gives, files of other kinds, and damaged ones."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest
from onnx import TensorProto, helper

import aclrt


@pytest.fixture(scope="module")
def om(tmp_path_factory):
    """The bytes of a small file: x float32 (2, 3) -> probs."""
    graph = helper.make_graph(
        [helper.make_node("Softmax", ["x"], ["probs"], name="last")],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, 3])],
        [helper.make_tensor_value_info("probs", TensorProto.FLOAT, [2, 3])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return aclrt.convert(model, tmp_path_factory.mktemp("om") / "small").read_bytes()


def put(om, at, raw):
    return om[:at] + raw + om[at + len(raw) :]


def test_bytes_of_any_kind(om, tmp_path):
    """A path, a str, bytes, bytearray, memoryview and array give the same."""
    path = tmp_path / "x.om"
    path.write_bytes(om)
    want = aclrt.inspect(path)
    sources = [str(path), om, bytearray(om), memoryview(om), np.frombuffer(om, np.uint8)]
    for source in sources:
        assert want == aclrt.inspect(source)


def test_fields_of_a_simulated_file(om):
    """What convert wrote comes back, the output under its ONNX name."""
    info = aclrt.inspect(om)
    assert (3, True, "small", "AscendSim", "Onnx") == (
        info.generation,
        info.simulated,
        info.name,
        info.soc_version,
        info.framework,
    )
    assert ("none", (), (), "both") == (info.dynamic, info.gears, info.aipp, info.io_source)
    assert () == info.disagreements
    assert {"Data": 1, "NetOutput": 1} == info.operators()
    (output,) = info.outputs
    assert ("probs", "last:0:probs", (2, 3), 24) == (
        output.name,
        output.acl_name,
        output.shape,
        output.nbytes,
    )
    assert np.float32 == output.dtype
    assert isinstance(output, aclrt.om.TensorInfo)
    assert all(isinstance(part, aclrt.om.PartitionInfo) for part in info.partitions)


def test_to_dict_is_json(om):
    """The dict survives JSON unchanged and holds every field."""
    info = aclrt.inspect(om)
    fields = info.to_dict()
    assert fields == json.loads(json.dumps(fields))
    assert set(fields) == {*info.__dataclass_fields__} - {"_operators"} | {"operators", "schema"}
    assert ["float32", [2, 3]] == [fields["inputs"][0][key] for key in ("dtype", "shape")]


@pytest.mark.parametrize("source", [3, None, "x\0y", memoryview(b"12345678")[::2], ["x.om"]])
def test_neither_path_nor_bytes(source):
    """InputError, before anything is read."""
    with pytest.raises(aclrt.InputError):
        aclrt.inspect(source)


def test_missing_file(tmp_path):
    """The system's own error, with the name."""
    with pytest.raises(FileNotFoundError) as caught:
        aclrt.inspect(tmp_path / "none.om")
    assert str(tmp_path / "none.om") in str(caught.value)


def test_directory(tmp_path):
    """A directory is no file."""
    with pytest.raises(IsADirectoryError):
        aclrt.inspect(tmp_path)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda om: b"", "magic at offset 0"),
        (lambda om: om[:3], "magic at offset 0"),
        (lambda om: b"\x7fELF" + om[4:], "magic at offset 0"),
        (lambda om: b"PK\3\4" + om[4:], "OM2 archive"),
        (lambda om: om[:255], "header at offset 255"),
        (lambda om: om[:-1], "model_length at offset 184"),
        (lambda om: om + b"\0", "model_length at offset 184"),
        (lambda om: put(om, 0x50, b"\1"), "encrypted model"),
        (lambda om: put(om, 0x52, b"\3"), "flow model"),
        (lambda om: put(om, 0x52, b"\4"), "lite model"),
        (lambda om: put(om, 0x52, b"\5"), "bundle"),
        (lambda om: put(om, 0x52, b"\1"), "modeltype at offset 82"),
        (lambda om: put(om, 0x100, b"\0"), "num at offset 256: expected 1 to 8, given 0"),
        (lambda om: put(om, 0x100, b"\x09"), "expected 1 to 8, given 9"),
        (lambda om: put(om, 0x118, b"\xff" * 8), "mem_size at offset 280"),
        (lambda om: put(om, 0x100 + 8 + 24, b"\x4d"), "MODEL_DEF"),
        (lambda om: put(om, 384, b"\x07"), "MODEL_INOUT_INFO.type at offset 384"),
        (lambda om: put(om, 388, b"\xff\xff"), "MODEL_INOUT_INFO.length"),
        (lambda om: put(om, len(om) - 1, bytes([om[-1] ^ 1])), "ONNX body CRC-32"),
    ],
)
def test_malformed_file_names_field_and_offset(make, text, om):
    """One fault each; the message says where it is and what was expected."""
    with pytest.raises(aclrt.ModelFormatError) as caught:
        aclrt.inspect(make(om))
    assert text in str(caught.value)
    assert isinstance(caught.value, ValueError)


def test_every_cut_is_refused(om):
    """Whatever the length, a file that ends early is told from a whole one."""
    for end in range(len(om)):
        with pytest.raises(aclrt.ModelFormatError):
            aclrt.inspect(om[:end])


def test_every_damaged_byte_of_the_body_is_found(om):
    """A model never computes from an ONNX body that changed."""
    (body,) = (part for part in aclrt.inspect(om).partitions if part.name == "ACLRT_ONNX")
    for at in range(body.offset + 8, body.offset + body.size):
        with pytest.raises(aclrt.ModelFormatError, match="ONNX body"):
            aclrt.inspect(put(om, at, bytes([om[at] ^ 0x20])))


def test_numbers_near_the_limits_do_not_overflow(om):
    """Sizes of 2**31, 2**32 and 2**63 are compared before they are added."""
    for size in (1 << 31, 1 << 32, 1 << 63, (1 << 64) - 1):
        for entry in range(4):
            with pytest.raises(aclrt.ModelFormatError):
                aclrt.inspect(put(om, 0x118 + 24 * entry, struct.pack("<Q", size)))
