# SPDX-License-Identifier: Apache-2.0
"""Models whose weights lie apart: taken into the .om once, and mapped when it is loaded."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import numpy as np
import pytest

import aclrt
from aclrt.om import _weights

onnx = pytest.importorskip("onnx")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

SIZE = 1024  # the weights are SIZE x SIZE float32: 4 MiB
BODY = 0x4E4F4158


def weights(seed: int = 0, dtype: str = "float32") -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((SIZE, SIZE)).astype(dtype)


def make(constants: dict[str, np.ndarray], nodes, rows: int | str = 2, ir_version: int = 9):
    """x (rows, SIZE) -> y."""
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [rows, SIZE])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    opsets = [helper.make_opsetid("", 19)]
    return helper.make_model(graph, ir_version=ir_version, opset_imports=opsets)


MATMUL_ADD = [
    helper.make_node("MatMul", ["x", "w"], ["z"]),
    helper.make_node("Add", ["z", "b"], ["y"]),
]


@pytest.fixture
def external(tmp_path) -> Path:
    """x @ w + b, all of it in m.data beside m.onnx."""
    path = tmp_path / "m.onnx"
    model = make({"w": weights(), "b": weights(1)[0]}, MATMUL_ADD)
    onnx.save(model, path, save_as_external_data=True, location="m.data", size_threshold=0)
    return path


def expected(x: np.ndarray) -> np.ndarray:
    return x @ weights() + weights(1)[0]


def body_of(path: Path) -> aclrt.om.PartitionInfo:
    (body,) = [part for part in aclrt.inspect(path).partitions if part.type == BODY]
    return body


def anonymous_kib() -> int:
    """The process's own memory: not backed by a file."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"RssAnon:\s+(\d+)", status)[1])


def mapped(path: Path) -> bool:
    return str(path) in Path("/proc/self/maps").read_text()


def test_results_are_those_of_the_weights(external, tmp_path):
    """From the file and from memory, without the data file being there any more."""
    om = aclrt.convert(external, tmp_path / "m.om")
    (tmp_path / "m.data").unlink()
    x = np.random.default_rng(2).standard_normal((2, SIZE)).astype("float32")
    for source in (om, om.read_bytes()):
        with aclrt.OfflineModel(source) as model:
            np.testing.assert_allclose(model(x)["y"], expected(x), rtol=1e-3, atol=1e-3)


def test_weights_are_mapped_not_copied(tmp_path):
    """A load and a run take less memory of their own than a quarter of the weights; the file stays
    mapped until the model is closed."""
    names = [f"w{i}" for i in range(8)]
    chain = ["x", *(f"h{i}" for i in range(7)), "y"]
    nodes = [
        helper.make_node("MatMul", [chain[i], name], [chain[i + 1]]) for i, name in enumerate(names)
    ]
    path = tmp_path / "m.onnx"
    model = make({name: weights(i) for i, name in enumerate(names)}, nodes)
    onnx.save(model, path, save_as_external_data=True, location="m.data")
    om = aclrt.convert(path, tmp_path / "m.om")
    del model
    x = np.ones((2, SIZE), np.float32)
    with aclrt.OfflineModel(om) as first:  # the engine's own first use
        first(x)
    before = anonymous_kib()
    with aclrt.OfflineModel(om) as loaded:
        assert mapped(om)
        loaded(x)
        assert anonymous_kib() - before < 8 * SIZE * SIZE * 4 // 1024 // 4
    assert not mapped(om)


def test_the_file_says_version_2_and_aligns_the_weights(external, tmp_path):
    """At a multiple of 4096 in the file; both data of the same model give the same bytes."""
    om = aclrt.convert(external, tmp_path / "m.om")
    body = body_of(om)
    content = om.read_bytes()
    magic, version, _, length, begin, size = struct.unpack_from("<8sIIQQQ", content, body.offset)
    assert (b"ACLRTSIM", 2) == (magic, version)
    assert 0 == (body.offset + begin) % 4096
    assert begin >= 40 + length
    assert body.size == begin + size + 4
    assert weights().tobytes() == content[body.offset + begin :][: SIZE * SIZE * 4]
    assert content == aclrt.convert(external, tmp_path / "m.om").read_bytes()


def test_small_tensors_stay_in_the_graph(tmp_path):
    """They may be shapes, which inference reads; without a large one the body is version 1."""
    path = tmp_path / "m.onnx"
    model = make(
        {"shape": np.array([SIZE, 2])}, [helper.make_node("Reshape", ["x", "shape"], ["y"])]
    )
    onnx.save(model, path, save_as_external_data=True, location="m.data", size_threshold=0)
    om = aclrt.convert(path, tmp_path / "m.om")
    assert (SIZE, 2) == aclrt.inspect(om).outputs[0].shape
    assert 1 == struct.unpack_from("<I", om.read_bytes(), body_of(om).offset + 8)[0]


def test_large_tensors_of_nodes_are_taken_in(tmp_path):
    """The value of a Constant node is no initializer: it goes into the graph."""
    path = tmp_path / "m.onnx"
    value = numpy_helper.from_array(weights(), "w")
    nodes = [
        helper.make_node("Constant", [], ["w"], value=value),
        helper.make_node("MatMul", ["x", "w"], ["y"]),
    ]
    onnx.save(
        make({}, nodes), path, save_as_external_data=True, location="m.data", convert_attribute=True
    )
    om = aclrt.convert(path, tmp_path / "m.om")
    x = np.ones((2, SIZE), np.float32)
    with aclrt.OfflineModel(om) as model:
        np.testing.assert_allclose(model(x)["y"], x @ weights(), rtol=1e-3, atol=1e-3)


def test_gears_and_old_lists_of_inputs(tmp_path):
    """With dynamic batch, and with initializers that are inputs too (before IR version 4)."""
    path = tmp_path / "m.onnx"
    model = make({"w": weights(), "b": weights(1)[0]}, MATMUL_ADD, rows="n", ir_version=3)
    for name, dims in (("w", [SIZE, SIZE]), ("b", [SIZE])):
        model.graph.input.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, dims))
    onnx.save(model, path, save_as_external_data=True, location="m.data", size_threshold=0)
    om = aclrt.convert(
        path, tmp_path / "m.om", input_shape=f"x:-1,{SIZE}", dynamic_batch_size="1,3"
    )
    assert ((1,), (3,)) == aclrt.inspect(om).gears
    static = aclrt.convert(path, tmp_path / "s.om", input_shape={"x": (3, SIZE)})
    x = np.ones((3, SIZE), np.float32)
    with aclrt.OfflineModel(static) as loaded:
        assert ["x"] == [spec.name for spec in loaded.inputs]
        np.testing.assert_allclose(loaded(x)["y"], expected(x), rtol=1e-3, atol=1e-3)


def test_dims_are_measured_with_the_weights(tmp_path):
    """Where inference cannot tell the outputs' dims, ONNX Runtime runs the model with them."""
    path = tmp_path / "m.onnx"
    nodes = [
        helper.make_node("ReduceMax", ["w"], ["top"], keepdims=0),
        helper.make_node("Cast", ["top"], ["number"], to=TensorProto.INT64),
        helper.make_node("Unsqueeze", ["number", "axis"], ["shape"]),
        helper.make_node("Expand", ["one", "shape"], ["y"]),
        helper.make_node("Identity", ["x"], ["unused"]),
    ]
    constants = {
        "w": np.full((SIZE, SIZE), 7, np.float32),
        "axis": np.array([0]),
        "one": np.ones(1, np.float32),
    }
    onnx.save(make(constants, nodes), path, save_as_external_data=True, location="m.data")
    om = aclrt.convert(path, tmp_path / "m.om")
    assert (7,) == aclrt.inspect(om).outputs[0].shape


@pytest.mark.parametrize("as_path", [True, False])
def test_what_is_too_large_for_one_message_is_set_apart(as_path, tmp_path, monkeypatch):
    """Models whose weights are in the graph; the ModelProto stays as it was."""
    monkeypatch.setattr(_weights, "MAX_INLINE", 1 << 20)
    model = make({"w": weights(), "b": weights(1)[0]}, MATMUL_ADD)
    before = model.SerializeToString(deterministic=True)
    source = model
    if as_path:
        source = tmp_path / "m.onnx"
        source.write_bytes(before)
    om = aclrt.convert(source, tmp_path / "m.om")
    assert 2 == struct.unpack_from("<I", om.read_bytes(), body_of(om).offset + 8)[0]
    assert before == model.SerializeToString(deterministic=True)
    x = np.ones((2, SIZE), np.float32)
    with aclrt.OfflineModel(om) as loaded:
        np.testing.assert_allclose(loaded(x)["y"], expected(x), rtol=1e-3, atol=1e-3)


def test_bits_of_bfloat16_keep_their_type(tmp_path):
    """NumPy has no such type; the file and the engine do."""
    bits = (weights().view(np.uint32) >> 16).astype(np.uint16)
    tensor = TensorProto(name="w", data_type=TensorProto.BFLOAT16, dims=bits.shape)
    tensor.raw_data = bits.tobytes()
    nodes = [
        helper.make_node("Cast", ["w"], ["v"], to=TensorProto.FLOAT),
        helper.make_node("MatMul", ["x", "v"], ["y"]),
    ]
    model = make({}, nodes)
    model.graph.initializer.append(tensor)
    path = tmp_path / "m.onnx"
    onnx.save(model, path, save_as_external_data=True, location="m.data")
    x = np.ones((2, SIZE), np.float32)
    want = x @ (bits.astype(np.uint32) << 16).view(np.float32)
    with aclrt.OfflineModel(aclrt.convert(path, tmp_path / "m.om")) as loaded:
        np.testing.assert_allclose(loaded(x)["y"], want, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    ("location", "size", "words"),
    [
        ("none.data", 0, "is not there"),
        ("../m.data", 0, "outside of the model's folder"),
        ("/m.data", 0, "outside of the model's folder"),
        ("m.data", -4, "which has"),
    ],
)
def test_data_that_cannot_be_read(location, size, words, external, tmp_path):
    """The error names the tensor and the file; nothing is written."""
    model = onnx.load(external, load_external_data=False)
    for entry in model.graph.initializer[0].external_data:
        if entry.key == "location":
            entry.value = location
    external.write_bytes(model.SerializeToString())
    data = tmp_path / "m.data"
    data.write_bytes(data.read_bytes()[: SIZE * SIZE * 4 + size])
    with pytest.raises(aclrt.ModelFormatError, match=words) as caught:
        aclrt.convert(external, tmp_path / "m.om")
    assert "'w'" in caught.value.message or "'b'" in caught.value.message
    assert not (tmp_path / "m.om").exists()


def test_a_length_that_is_not_the_tensor_s(external, tmp_path):
    """Dims and type say how many bytes there must be."""
    model = onnx.load(external, load_external_data=False)
    model.graph.initializer[0].dims[0] = SIZE // 2
    external.write_bytes(model.SerializeToString())
    with pytest.raises(aclrt.ModelFormatError, match=f"its dims and type want {SIZE * SIZE * 2}"):
        aclrt.convert(external, tmp_path / "m.om")


@pytest.mark.parametrize(
    ("field", "layout", "value", "words"),
    [
        (8, "<I", 3, "version at offset \\d+: expected 1 or 2, given 3"),
        (12, "<I", 1, "CRC-32"),
        (16, "<Q", 1 << 40, "ONNX body length"),
        (24, "<Q", 40, "the next multiple of 4096"),
        (32, "<Q", 12, "length of the weights"),
    ],
)
def test_damage_is_named(field, layout, value, words, external, tmp_path):
    """Every number of the head is checked before it is used."""
    om = aclrt.convert(external, tmp_path / "m.om")
    body = body_of(om)
    content = bytearray(om.read_bytes())
    struct.pack_into(layout, content, body.offset + field, value)
    with pytest.raises(aclrt.ModelFormatError, match=words):
        aclrt.inspect(bytes(content))


def test_a_tensor_outside_of_the_weights_is_refused(external, tmp_path):
    """The graph's own word is checked when it is loaded."""
    import zlib

    om = aclrt.convert(external, tmp_path / "m.om")
    content = bytearray(om.read_bytes())
    at = body_of(om).offset
    (length,) = struct.unpack_from("<Q", content, at + 16)
    text = str(SIZE * SIZE * 4).encode()
    graph = bytes(content[at + 40 : at + 40 + length])
    broken = graph.replace(text, b"9" * len(text))
    assert broken != graph
    content[at + 40 : at + 40 + length] = broken
    struct.pack_into("<I", content, at + 12, zlib.crc32(broken))
    with pytest.raises(aclrt.ModelLoadError) as caught:
        aclrt.OfflineModel(bytes(content))
    assert "of the weights, which have" in caught.value.detail
