# SPDX-License-Identifier: Apache-2.0
"""`aclrt.inspect`: real files of every age, files of other kinds, and damaged ones."""

from __future__ import annotations

import contextlib
import json
import random
import struct
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

import aclrt

SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "om-samples"
EXPECTED = SAMPLES / "EXPECTED.json"
NAMES = [
    "v1_conv_310_static.om",
    "v1_ddk2019_landmark_fp16_out.om",
    "v1_tf_a3c_310_static.om",
    "v2_onnx_nms_310_two_in_three_out.om",
    "v2_tf_vae_310_two_streams.om",
    "v3_ge_test_dynamic_three_models.om",
    "v3_ge_test_inout_info.om",
]
PHONE = ["kirin_type3_relu.om", "kirin_type4_softmax.om"]
MARKED = "synthetic_g3_dynamic_batch.om"
needs_samples = pytest.mark.skipif(
    not EXPECTED.is_file(), reason="the real files (../shared/om-samples) are not on this machine"
)


@pytest.fixture(scope="module")
def expected():
    return json.loads(EXPECTED.read_text())


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


@needs_samples
@pytest.mark.parametrize("name", NAMES)
def test_sample_has_the_expected_header_and_attributes(name, expected):
    """Header, partitions, attributes and the sizes that aclmdlQuerySize gives."""
    want = expected[name]
    header, attrs = want["header"], want["model_defs"][0]["attrs"]
    info = aclrt.inspect(SAMPLES / name)
    generation = 1 if header["version"] == "0x10000000" else 2 if header["length"] else 3
    assert generation == info.generation
    assert header["name"] == info.name
    assert header["platform_version"] == info.platform_version
    assert (header["model_num"] or 1) == info.model_count
    assert bool(header.get("is_unknow_model", 0)) == info.unknown_shape
    assert [
        (part["type"], part["name"], part["file_offset"], part["size"])
        for part in want["models"][0]
    ] == [(part.type, part.name, part.offset, part.size) for part in info.partitions]
    assert want["query_size"] == {"work_size": info.work_size, "weight_size": info.weight_size}
    assert attrs.get("soc_version", "") == info.soc_version
    assert attrs.get("atc_version", "") == info.compiler_version
    assert attrs.get("opp_version", "") == info.opp_version
    assert attrs.get("framework_type", "") == info.framework
    assert attrs.get("stream_num", 0) == info.stream_count
    assert attrs.get("event_num", 0) == info.event_count
    assert not info.simulated
    assert 0 == info.onnx_size


@needs_samples
@pytest.mark.parametrize("name", NAMES)
def test_sample_lists_inputs_where_the_file_does(name, expected):
    """The list of MODEL_INOUT_INFO as it is; no made-up values where there is none."""
    info = aclrt.inspect(SAMPLES / name)
    listed = expected[name].get("inout_info")
    if listed is None:
        assert ("none", (), ()) == (info.io_source, info.inputs, info.outputs)
        return
    assert "inout_info" == info.io_source
    for want, got in zip(
        listed["inputs"] + listed["outputs"], info.inputs + info.outputs, strict=True
    ):
        assert want["name"] == got.acl_name
        assert want["size"] == got.nbytes
        assert want["format"] == got.format
        assert want["dtype"] == got.dtype_name == got.dtype.name
        assert want["dims"] == list(got.shape)
        assert want["dimsV2"] == list(got.shape_v2)
        assert any(dim < 0 for dim in want["dims"]) == got.dynamic


@needs_samples
@pytest.mark.parametrize("name", PHONE)
def test_phone_model_is_refused_by_name(name):
    """The magic is the same, the format is another."""
    with pytest.raises(aclrt.ModelFormatError, match=r"phone \(Kirin/HiAI\) model"):
        aclrt.inspect(SAMPLES / name)


@needs_samples
def test_marked_file_without_a_body_of_ours():
    """The marker makes it simulated; what is not our body is not taken for one."""
    info = aclrt.inspect(SAMPLES / MARKED)
    assert info.simulated
    assert 0 == info.onnx_size
    assert ["x"] == [tensor.name for tensor in info.inputs]  # AscendCL's own input is not shown
    assert (-1, 3, 2, 2) == info.inputs[0].shape
    assert info.inputs[0].dynamic
    assert "y" == info.outputs[0].name
    assert info.gears is None


@needs_samples
@pytest.mark.parametrize("name", [*NAMES, *PHONE, MARKED])
def test_damaged_sample_is_read_or_refused(name):
    """Random edits: an answer or a ModelFormatError, never anything else."""
    original = (SAMPLES / name).read_bytes()
    rng = random.Random(name)
    for _ in range(150):
        damaged = bytearray(original)
        for _ in range(rng.randint(1, 4)):
            at = rng.choice([rng.randrange(len(damaged)), rng.randrange(min(700, len(damaged)))])
            damaged[at] = rng.choice([0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)])
        with contextlib.suppress(aclrt.ModelFormatError):
            aclrt.inspect(damaged)


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
    assert ((), None, "inout_info") == (info.gears, info.aipp, info.io_source)
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
    assert set(fields) == set(info.__dataclass_fields__)
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
        (lambda om: put(om, 360, b"\x07"), "MODEL_INOUT_INFO.type at offset 360"),
        (lambda om: put(om, 364, b"\xff\xff"), "MODEL_INOUT_INFO.length"),
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
