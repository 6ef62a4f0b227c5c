# SPDX-License-Identifier: Apache-2.0
"""What computes a model on the fake: its own ONNX body, one that is named, or a refusal."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

from conformance import acl, small
from conformance.files import content_of, entry_of, patched, without_body
from conformance.running import execute, load, load_memory

fake_only = pytest.mark.fake_only

PARTITION = acl.codes()["ACL_ERROR_GE_EXEC_LOAD_MODEL_PARTITION_FAILED"]
SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "om-samples"


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The environment without settings of the engine."""
    for name in ("ACLRT_FAKE_ENGINE", "ACLRT_FAKE_ONNX"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@fake_only
def test_fake_mdl_01_without_a_body(lib: acl.Library, engine: pytest.MonkeyPatch) -> None:
    """FAKE-BODY-01 (fake): A file without an ONNX body is refused with ACLFAKE-MDL-01 and three
    remedies.
    """
    lib.message()
    assert load_memory(lib, without_body(small.double())) == (PARTITION, 77)
    message = lib.message()
    assert "ACLFAKE-MDL-01" in message
    for remedy in ("ACLRT_FAKE_ONNX", "aclfake_set_onnx_for_next_load", "ACLRT_FAKE_ENGINE"):
        assert remedy in message


@fake_only
def test_fake_pairs_with_onnx_by_variable(
    lib: acl.Library, engine: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """FAKE-BODY-02 (fake): ACLRT_FAKE_ONNX names the body of such files."""
    om = small.double()
    at, size = content_of(om, 0x4E4F4158)
    (tmp_path / "m.onnx").write_bytes(om[at + 24 : at + size])
    engine.setenv("ACLRT_FAKE_ONNX", str(tmp_path / "m.onnx"))
    code, model_id = load_memory(lib, without_body(om))
    assert code == 0
    assert lib.aclmdlUnload(model_id) == 0


@fake_only
def test_fake_pairs_with_onnx_for_one_load(
    lib: acl.Library, engine: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """FAKE-BODY-03 (fake): aclfake_set_onnx_for_next_load holds for exactly one load."""
    om = small.double()
    at, size = content_of(om, 0x4E4F4158)
    (tmp_path / "m.onnx").write_bytes(om[at + 24 : at + size])
    lib.aclfake_set_onnx_for_next_load(str(tmp_path / "m.onnx").encode())
    code, model_id = load_memory(lib, without_body(om))
    assert code == 0
    assert lib.aclmdlUnload(model_id) == 0
    assert load_memory(lib, without_body(om))[0] == PARTITION


@fake_only
def test_fake_body_must_agree_with_the_om(
    lib: acl.Library, engine: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """FAKE-BODY-04 (fake): Another graph than the .om describes is refused, and the difference is
    named.
    """
    other = small.two_in_two_out()
    at, size = content_of(other, 0x4E4F4158)
    (tmp_path / "m.onnx").write_bytes(other[at + 24 : at + size])
    engine.setenv("ACLRT_FAKE_ONNX", str(tmp_path / "m.onnx"))
    assert load_memory(lib, without_body(small.double()))[0] == PARTITION
    assert "1 inputs" in lib.message()


@fake_only
@pytest.mark.parametrize("what", ["dims", "dtype", "name"])
def test_fake_body_differs_in_one_thing(
    lib: acl.Library, engine: pytest.MonkeyPatch, tmp_path: Path, what: str
) -> None:
    """FAKE-BODY-05 (fake): Names, dtypes and dims are compared."""
    name = "z" if what == "name" else "x"
    kind = TensorProto.DOUBLE if what == "dtype" else TensorProto.FLOAT
    shape = (3, 2) if what == "dims" else (2, 3)
    model = small.graph(
        [helper.make_node("Add", [name, name], ["y"], "twice")],
        [(name, kind, shape)],
        [("y", kind, shape)],
    )
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    engine.setenv("ACLRT_FAKE_ONNX", str(tmp_path / "m.onnx"))
    assert load_memory(lib, without_body(small.double()))[0] == PARTITION
    message = lib.message()
    expected = {"dims": "[3,2]", "dtype": "float64", "name": '"z"'}[what]
    assert "ACLFAKE-MDL-04" in message
    assert expected in message


@fake_only
def test_fake_refuses_an_unknown_engine(lib: acl.Library, engine: pytest.MonkeyPatch) -> None:
    """FAKE-BODY-06 (fake): A misspelt ACLRT_FAKE_ENGINE is not ignored."""
    engine.setenv("ACLRT_FAKE_ENGINE", "synthetik")
    assert load_memory(lib, small.double())[0] == PARTITION
    assert "synthetik" in lib.message()


@fake_only
def test_fake_reads_the_graph_of_old_files(lib: acl.Library, engine: pytest.MonkeyPatch) -> None:
    """FAKE-BODY-07 (fake): A file without MODEL_INOUT_INFO has its inputs and outputs from the
    graph once it is loaded; its desc without a load is empty.
    """
    om = small.double()
    old = patched(om, entry_of(om, 8), "<I", 4243)
    desc = lib.aclmdlCreateDesc()
    assert lib.aclmdlGetDescFromMem(desc, old, len(old)) == 0
    assert (lib.aclmdlGetNumInputs(desc), lib.aclmdlGetNumOutputs(desc)) == (0, 0)
    model_id = load(lib, old)
    assert lib.aclmdlGetDesc(desc, model_id) == 0
    assert (lib.aclmdlGetNumInputs(desc), lib.aclmdlGetNumOutputs(desc)) == (1, 1)
    assert lib.aclmdlGetInputNameByIndex(desc, 0) == b"x"
    assert lib.aclmdlGetOutputSizeByIndex(desc, 0) == 24
    assert lib.aclmdlDestroyDesc(desc) == 0
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    (output,) = execute(lib, model_id, [x], [x])
    assert np.array_equal(output, 2 * x)
    assert lib.aclmdlUnload(model_id) == 0


@fake_only
def test_fake_mdl_02_without_outputs(lib: acl.Library, engine: pytest.MonkeyPatch) -> None:
    """FAKE-BODY-08 (fake): A file that nowhere tells its outputs is refused with ACLFAKE-MDL-02."""
    om = small.double()
    old = patched(om, entry_of(om, 8), "<I", 4243).replace(b"NetOutput", b"NetOutpot")
    assert load_memory(lib, old) == (PARTITION, 77)
    message = lib.message()
    assert "ACLFAKE-MDL-02" in message
    assert "no NetOutput node" in message


@fake_only
@pytest.mark.skipif(not SAMPLES.is_dir(), reason="../shared/om-samples is not there")
@pytest.mark.parametrize(
    ("name", "check"),
    [
        ("v1_conv_310_static", "ACLFAKE-MDL-01"),
        ("v2_onnx_nms_310_two_in_three_out", "ACLFAKE-MDL-01"),
        ("synthetic_g3_dynamic_batch", "ACLFAKE-MDL-01"),
        ("v3_ge_test_dynamic_three_models", "ACLFAKE-MDL-01"),
    ],
)
def test_fake_refuses_real_samples(
    lib: acl.Library, engine: pytest.MonkeyPatch, name: str, check: str
) -> None:
    """FAKE-BODY-09 (fake): Files of every generation, static and dynamic, ask for their ONNX."""
    assert load_memory(lib, (SAMPLES / f"{name}.om").read_bytes())[0] == PARTITION
    assert check in lib.message()


@fake_only
@pytest.mark.skipif(not SAMPLES.is_dir(), reason="../shared/om-samples is not there")
@pytest.mark.parametrize("output", ["output", "anything"])
def test_fake_runs_an_old_file_by_its_onnx(
    lib: acl.Library, engine: pytest.MonkeyPatch, tmp_path: Path, output: str
) -> None:
    """FAKE-BODY-10 (fake): A file of 2020 (output "output:0") runs with its ONNX: by name, or
    because it has one output.
    """
    shape = (1, 256, 1, 2048)
    onnx = small.graph(
        [helper.make_node("Expand", ["input", "dims"], [output], "conv")],
        [("input", TensorProto.FLOAT, (1, 1, 1, 2048))],
        [(output, TensorProto.FLOAT, shape)],
        {"dims": np.array(shape)},
    )
    (tmp_path / "m.onnx").write_bytes(onnx.SerializeToString())
    engine.setenv("ACLRT_FAKE_ONNX", str(tmp_path / "m.onnx"))
    model_id = load(lib, (SAMPLES / "v1_conv_310_static.om").read_bytes())
    x = np.arange(2048, dtype=np.float32).reshape(1, 1, 1, 2048)
    expected = np.broadcast_to(x, shape)
    (result,) = execute(lib, model_id, [x], [np.empty(shape, np.float32)])
    assert np.array_equal(result, expected)
    assert lib.aclmdlUnload(model_id) == 0
