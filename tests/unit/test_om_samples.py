# SPDX-License-Identifier: Apache-2.0
"""`aclrt.inspect` on real files of every generation: every field of the expectations."""

from __future__ import annotations

import contextlib
import json
import random
import struct
from pathlib import Path
from typing import Any

import pytest

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
GEARS = "synthetic_g3_dynamic_batch.om"
pytestmark = pytest.mark.skipif(
    not EXPECTED.is_file(), reason="the real files (../shared/om-samples) are not on this machine"
)


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(EXPECTED.read_text())
    return content


def partitions(parts: Any) -> list[tuple[Any, ...]]:
    """Of the expectations, as tuples."""
    return [(part["type"], part["name"], part["file_offset"], part["size"]) for part in parts]


def found(parts: tuple[aclrt.om.PartitionInfo, ...]) -> list[tuple[Any, ...]]:
    """Of an inspection, likewise."""
    return [(part.type, part.name, part.offset, part.size) for part in parts]


def check_tensors(want: list[dict[str, Any]], got: tuple[aclrt.om.TensorInfo, ...]) -> None:
    """Names, sizes, layouts, types and dims."""
    assert [tensor["name"] for tensor in want] == [tensor.acl_name for tensor in got]
    for expected, tensor in zip(want, got, strict=True):
        assert expected["size"] == tensor.nbytes
        assert expected["format"] == tensor.format
        assert expected["dtype"] == tensor.dtype_name == tensor.dtype.name
        assert expected["dims"] == list(tensor.shape)
        assert expected.get("dimsV2", expected["dims"]) == list(tensor.shape_v2)
        assert expected.get("shape_range", []) == [list(pair) for pair in tensor.range]
        assert any(dim < 0 for dim in expected["dims"]) == tensor.dynamic


def test_every_sample_is_expected(expected: dict[str, Any]) -> None:
    """No file is forgotten here."""
    assert {*NAMES, *PHONE} == set(expected)
    assert {*NAMES, *PHONE, GEARS} == {path.name for path in SAMPLES.glob("*.om")}


@pytest.mark.parametrize("name", NAMES)
def test_container(name: str, expected: dict[str, Any]) -> None:
    """The header's fields that mean something, and the partitions of every model in the file."""
    want = expected[name]
    header = want["header"]
    info = aclrt.inspect(SAMPLES / name)
    generation = 1 if header["version"] == "0x10000000" else 2 if header["length"] else 3
    assert generation == info.generation
    assert (32 if generation < 3 else 64) == want["table_entry_bits"]
    assert header["platform_version"] == info.platform_version
    assert (header["model_num"] or 1) == info.model_count
    assert bool(header.get("is_unknow_model", 0)) == info.unknown_shape
    assert bool(header.get("need_check_os_cpu_info", 0)) == info.needs_host_check
    assert want["dynamic_multi_model"] == (info.model_count > 1 or info.unknown_shape)
    models = [info.partitions, *(sub.partitions for sub in info.sub_models)]
    assert [partitions(parts) for parts in want["models"]] == [found(parts) for parts in models]
    assert want["body_fully_covered_by_partitions"]
    last = models[-1][-1]
    assert want["bytes"] == last.offset + last.size
    assert not info.simulated
    assert 0 == info.onnx_size


@pytest.mark.parametrize("name", NAMES)
def test_model_facts(name: str, expected: dict[str, Any]) -> None:
    """Names, graphs, attributes, memory and tasks."""
    want = expected[name]
    info = aclrt.inspect(SAMPLES / name)
    root, *subs = want["model_defs"]
    assert root["name"] == info.name == want["header"]["name"]
    assert root["graphs"] == [[graph.name, graph.operator_count] for graph in info.graphs]
    assert sum(count for _, count in root["graphs"]) == sum(info.operators().values())
    attrs = root["attrs"]
    assert attrs == {key: info.attributes[key] for key in attrs}
    assert attrs.get("soc_version", "") == info.soc_version
    assert attrs.get("atc_version", "") == info.compiler_version
    assert attrs.get("opp_version", "") == info.opp_version
    assert attrs.get("framework_type", "") == info.framework
    assert attrs.get("stream_num", 0) == info.stream_count
    assert attrs.get("event_num", 0) == info.event_count
    assert attrs.get("zero_copy_memory_size", 0) == info.zero_copy_size
    assert want["query_size"] == {"work_size": info.work_size, "weight_size": info.weight_size}
    tasks = want["task_info"][0]
    assert tasks.get("tasks", 0) == info.task_count
    if not want["dynamic_multi_model"]:
        assert tasks.get("memory_size", 0) == info.work_size
        assert tasks.get("weight_size", 0) == info.weight_size

    assert [sub["name"] for sub in subs] == [sub.name for sub in info.sub_models]
    for sub, got in zip(subs, info.sub_models, strict=True):
        assert sub["graphs"] == [[graph.name, graph.operator_count] for graph in got.graphs]
        assert sub["attrs"] == {key: got.attributes[key] for key in sub["attrs"]}


@pytest.mark.parametrize("name", NAMES)
def test_inputs_and_outputs(name: str, expected: dict[str, Any]) -> None:
    """From the graph, from the list, and both agreeing where there are both."""
    want = expected[name]
    info = aclrt.inspect(SAMPLES / name)
    root, *subs = want["model_defs"]
    graph = root["io_from_graph"]
    assert ("both" if "inout_info" in want else "graph") == info.io_source
    assert () == info.disagreements
    assert "" == info.io_problem
    for source in [graph, *([want["inout_info"]] if "inout_info" in want else [])]:
        check_tensors(source["inputs"], info.inputs)
        check_tensors(source["outputs"], info.outputs)
    assert ({}, []) == (graph["dynamic"], graph["dynamic_output_dims"])
    assert ("none", (), (), ()) == (info.dynamic, info.gears, info.output_shapes, info.aipp)
    for sub, got in zip(subs, info.sub_models, strict=True):
        if "io_from_graph_error" in sub:  # its graph does not name the sources of its outputs
            assert "src_name" in got.io_problem
            assert ((), ()) == (got.inputs, got.outputs)
        else:
            check_tensors(sub["io_from_graph"]["inputs"], got.inputs)
            check_tensors(sub["io_from_graph"]["outputs"], got.outputs)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_lost_or_cut(name: str, expected: dict[str, Any]) -> None:
    """The header's fixed fields, read here a second time, are what the reader takes for granted."""
    raw = (SAMPLES / name).read_bytes()
    header = expected[name]["header"]
    assert (header["headsize"], int(header["version"], 16)) == struct.unpack_from("<II", raw, 4)
    assert (header["is_encrypt"], header["is_checksum"]) == tuple(raw[0x50:0x52])
    assert (header["modeltype"], header["genmode"]) == tuple(raw[0x52:0x54])
    assert header["om_ir_version"] == struct.unpack_from("<I", raw, 0x98)[0]


@pytest.mark.parametrize("name", PHONE)
def test_phone_model_is_refused_by_name(name: str, expected: dict[str, Any]) -> None:
    """The magic is the same, the format is another."""
    assert "kirin-hiai" == expected[name]["family"]
    with pytest.raises(aclrt.ModelFormatError, match=r"phone \(Kirin/HiAI\) model"):
        aclrt.inspect(SAMPLES / name)


def test_gears_of_the_synthetic_sample() -> None:
    """Dynamic batch: list and graph agree; the marker without our body; the gear's input hidden."""
    info = aclrt.inspect(SAMPLES / GEARS)
    assert (True, 0) == (info.simulated, info.onnx_size)
    assert ("both", (), "") == (info.io_source, info.disagreements, info.io_problem)
    (x,), (y,) = info.inputs, info.outputs
    assert ("x", (-1, 3, 2, 2), 384, "NCHW", True) == (
        x.name,
        x.shape,
        x.nbytes,
        x.format,
        x.dynamic,
    )
    assert ("y", "Add_1:0:y", (8, 3, 2, 2), 384) == (y.name, y.acl_name, y.shape, y.nbytes)
    assert ("batch", ((1,), (4,), (8,)), ("x",)) == (info.dynamic, info.gears, info.gear_order)
    for index, batch in enumerate((1, 4, 8)):
        assert {"x": (batch, 3, 2, 2), "y": (batch, 3, 2, 2)} == info.gear_shapes(index)
    assert {"Data": 2, "Case": 1, "NetOutput": 1} == info.operators()


@pytest.mark.parametrize("name", NAMES)
def test_old_files_load_by_their_graph(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the fake device a file of any generation that tells its outputs' dims has its tensors."""
    info = aclrt.inspect(SAMPLES / name)
    monkeypatch.setenv("ACLRT_FAKE_ENGINE", "synthetic")
    if any(tensor.dynamic for tensor in info.outputs):
        with pytest.raises(aclrt.NeedsNpuError, match="cannot stand in"):
            aclrt.OfflineModel(SAMPLES / name)
        return
    with aclrt.OfflineModel(SAMPLES / name) as model:
        assert [tensor.name for tensor in info.inputs] == [spec.name for spec in model.inputs]
        assert [tensor.name for tensor in info.outputs] == [spec.name for spec in model.outputs]
        assert [tensor.nbytes for tensor in info.outputs] == [spec.nbytes for spec in model.outputs]


@pytest.mark.parametrize("name", [*NAMES, *PHONE, GEARS])
def test_damaged_sample_is_read_or_refused(name: str) -> None:
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
