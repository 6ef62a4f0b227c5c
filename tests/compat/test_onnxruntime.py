# SPDX-License-Identifier: Apache-2.0
"""ONNX Runtime's interface, beside ONNX Runtime itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as real
import pytest
from onnxruntime.capi import onnxruntime_pybind11_state as real_errors

import aclrt
from aclrt.compat import Unsupported
from aclrt.compat import onnxruntime as facade


@pytest.fixture
def sessions(om_factory: Any, om: str) -> Iterator[tuple[Any, Any]]:
    """(ONNX Runtime's session, the facade's) of the same model."""
    onnx = om_factory.onnx(
        [("Neg", ["image"], ["probs"]), ("Not", ["mask"], ["flags"])],
        [("image", "float32", (1, 2, 4)), ("mask", "bool", (2,))],
        [("probs", "float32", (1, 2, 4)), ("flags", "bool", (2,))],
    )
    made = facade.InferenceSession(om)
    yield real.InferenceSession(onnx), made
    made._model.close()  # the tests' tracebacks may keep the session itself


def test_run_answers_as_the_original(sessions: tuple[Any, Any], feeds: list[np.ndarray]) -> None:
    """All outputs, some in another order, an empty list; arrays or values."""
    feed = dict(zip(("image", "mask"), feeds, strict=True))
    for names in (None, ["flags", "probs"], ["probs"], []):
        expected, given = (session.run(names, feed) for session in sessions)
        assert isinstance(given, list)
        assert len(expected) == len(given)
        for ours, theirs in zip(given, expected, strict=True):
            np.testing.assert_array_equal(ours, theirs)
    values = {name: facade.OrtValue.ortvalue_from_numpy(array) for name, array in feed.items()}
    np.testing.assert_array_equal(sessions[1].run(["probs"], values)[0], -feed["image"])


def test_descriptions_are_the_original_s(sessions: tuple[Any, Any], om: str) -> None:
    """Names, shapes and types of inputs and outputs."""
    for get in ("get_inputs", "get_outputs"):
        expected, given = (
            [(node.name, node.shape, node.type) for node in getattr(session, get)()]
            for session in sessions
        )
        assert expected == given
    meta = sessions[1].get_modelmeta()
    assert meta.custom_metadata_map["simulated"] == "True"
    assert isinstance(meta, facade.ModelMetadata)
    assert (meta.graph_name, meta.domain, meta.description) == (aclrt.inspect(om).name, "", "")
    assert (meta.graph_description, meta.version) == ("", 0)
    assert meta.producer_name == str(aclrt.inspect(om).compiler_version or "")
    assert vars(meta).keys() <= set(dir(sessions[0].get_modelmeta()))
    assert sessions[1].get_providers() == ["CANNExecutionProvider"]
    assert sessions[1].get_provider_options() == {"CANNExecutionProvider": {"device_id": "0"}}
    assert facade.get_available_providers() == ["CANNExecutionProvider"]
    assert facade.get_device() == "NPU"


def test_errors_are_of_the_original_s_kinds(
    sessions: tuple[Any, Any], feeds: list[np.ndarray]
) -> None:
    """The same class names, and the same words where the original's are fixed."""
    image, mask = feeds
    wrong = [
        (None, {"image": image}),
        (None, {"image": image, "mask": mask, "more": mask}),
        (["none"], {"image": image, "mask": mask}),
        (None, {"image": image.astype(np.float64), "mask": mask}),
        (None, {"image": image[0], "mask": mask}),
    ]
    for names, feed in wrong:
        kinds, texts = [], []
        for session in sessions:
            with pytest.raises((ValueError, RuntimeError, real_errors.InvalidArgument)) as caught:
                session.run(names, feed)
            kinds.append(type(caught.value).__name__)
            texts.append(str(caught.value))
        assert kinds[0] == kinds[1], texts
        if kinds[0] == "ValueError":
            assert texts[0] == texts[1]
    assert issubclass(facade.InvalidArgument, (aclrt.InputError, ValueError))


def test_bindings_run(sessions: tuple[Any, Any], feeds: list[np.ndarray]) -> None:
    """The same program on both: allocated outputs, outputs in given memory, rebinding."""
    image, mask = feeds
    answers = []
    for module, session in zip((real, facade), sessions, strict=True):
        binding = session.io_binding()
        value = module.OrtValue.ortvalue_from_numpy(mask, "cpu", 0)
        binding.bind_cpu_input("image", image)
        binding.bind_ortvalue_input("mask", value)
        binding.bind_output("probs")
        target = module.OrtValue.ortvalue_from_shape_and_type([2], np.bool_, "cpu", 0)
        binding.bind_ortvalue_output("flags", target)
        binding.synchronize_inputs()
        session.run_with_iobinding(binding)
        binding.synchronize_outputs()
        outputs = binding.copy_outputs_to_cpu()
        assert target.numpy().tolist() == (~mask).tolist()
        second = binding.get_outputs()[0]
        facts = (second.shape(), second.data_type(), second.device_name(), second.is_tensor())
        target.update_inplace(mask)
        answers.append(([o.tolist() for o in outputs], facts, target.has_value()))
        binding.clear_binding_outputs()
        binding.clear_binding_inputs()
    assert answers[0] == answers[1]
    assert target.data_ptr() == target.numpy().ctypes.data


def test_what_a_binding_refuses(sessions: tuple[Any, Any], feeds: list[np.ndarray]) -> None:
    """Unknown names, device memory, addresses, results before a run."""
    binding = sessions[1].io_binding()
    with pytest.raises(facade.InvalidArgument, match="Invalid input name: x"):
        binding.bind_cpu_input("x", feeds[0])
    with pytest.raises(facade.InvalidArgument, match="Invalid output name: x"):
        binding.bind_output("x")
    with pytest.raises(Unsupported, match="memory on 'cann'"):
        binding.bind_output("probs", "cann")
    with pytest.raises(Unsupported, match="by its address"):
        binding.bind_output("probs", buffer_ptr=1)
    with pytest.raises(Unsupported, match=r"IOBinding\.bind_input"):
        binding.bind_input("image", "cpu", 0, np.float32, [1], 0)
    with pytest.raises(facade.InvalidArgument, match="no output is bound"):
        sessions[1].run_with_iobinding(binding)
    binding.bind_output("probs")
    with pytest.raises(facade.InvalidArgument, match="before run_with_iobinding"):
        binding.get_outputs()
    with pytest.raises(ValueError, match="Required inputs"):
        sessions[1].run_with_iobinding(binding)
    with pytest.raises(facade.InvalidArgument, match="the value is float32"):
        facade.OrtValue.ortvalue_from_numpy(feeds[0]).update_inplace(feeds[1])
    with pytest.raises(Unsupported, match=r"OrtValue\.to_dlpack"):
        facade.OrtValue.ortvalue_from_numpy(feeds[0]).to_dlpack()


def test_options_without_effect_are_named(om: str, feeds: list[np.ndarray]) -> None:
    """One warning when the session is made; what has no counterpart is refused."""
    options = facade.SessionOptions()
    assert options.intra_op_num_threads == 0
    options.intra_op_num_threads = 4
    options.graph_optimization_level = facade.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.execution_mode = facade.ExecutionMode.ORT_SEQUENTIAL
    options.add_session_config_entry("session.x", "1")
    with pytest.warns(UserWarning, match=r"graph_optimization_level, intra_op_.*, session\.x"):
        session = facade.InferenceSession(om, options)
    assert session.get_session_options() is options
    assert options.get_session_config_entry("session.x") == "1"
    with pytest.raises(Unsupported, match=r"SessionOptions\.enable_profiling"):
        options.enable_profiling = True
    with pytest.raises(Unsupported, match=r"register_custom_ops_library"):
        options.register_custom_ops_library("x.so")
    run_options = facade.RunOptions()
    run_options.log_severity_level = 3
    with pytest.warns(UserWarning, match="log_severity_level"):
        session.run(None, {"image": feeds[0], "mask": feeds[1]}, run_options)


def test_enumerations_have_the_original_s_values() -> None:
    """All members, and the same numbers."""
    level, original = facade.GraphOptimizationLevel, real.GraphOptimizationLevel
    for name in (
        "ORT_DISABLE_ALL",
        "ORT_ENABLE_BASIC",
        "ORT_ENABLE_EXTENDED",
        "ORT_ENABLE_LAYOUT",
        "ORT_ENABLE_ALL",
    ):
        assert int(level[name]) == int(getattr(original, name))
    for name in ("ORT_SEQUENTIAL", "ORT_PARALLEL"):
        assert int(facade.ExecutionMode[name]) == int(getattr(real.ExecutionMode, name))


def test_providers_choose_the_device(om: str) -> None:
    """Names, tuples, options beside; a session that could not run here is refused."""
    both = [("CANNExecutionProvider", {"device_id": 0}), "CPUExecutionProvider"]
    assert facade.InferenceSession(om, providers=both).get_provider_options()
    by_options = facade.InferenceSession(
        om, providers=["CANNExecutionProvider"], provider_options=[{"device_id": "0"}]
    )
    assert by_options.get_providers() == ["CANNExecutionProvider"]
    with pytest.raises(ValueError, match="runs on CANNExecutionProvider alone"):
        facade.InferenceSession(om, providers=["CPUExecutionProvider"])
    with pytest.raises(Unsupported, match="'CUDAExecutionProvider'"):
        facade.InferenceSession(om, providers=["CUDAExecutionProvider"])
    with pytest.raises(Unsupported, match="precision_mode"):
        facade.InferenceSession(om, providers=[("CANNExecutionProvider", {"precision_mode": "x"})])
    with pytest.raises(aclrt.DeviceError):
        facade.InferenceSession(om, providers=[("CANNExecutionProvider", {"device_id": 99})])
    with pytest.raises(Unsupported, match="disabled_optimizers"):
        facade.InferenceSession(om, disabled_optimizers=[])


def test_files_that_are_no_model(om: str, no_file: str, tmp_path: Path, om_factory: Any) -> None:
    """Missing; ONNX, with the command that converts it; bytes are taken."""
    with pytest.raises(facade.NoSuchFile) as caught:
        facade.InferenceSession(no_file)
    assert isinstance(caught.value, FileNotFoundError)
    onnx = tmp_path / "m.onnx"
    onnx.write_bytes(
        om_factory.onnx([("Neg", ["x"], ["y"])], [("x", "float32", (1,))], [("y", "float32", (1,))])
    )
    with pytest.raises(facade.Fail, match=r"aclrt convert .*m\.onnx -o model\.om"):
        facade.InferenceSession(str(onnx))
    session = facade.InferenceSession(Path(om).read_bytes())
    assert session.get_modelmeta().custom_metadata_map
    with pytest.raises(Unsupported, match=r"InferenceSession\.end_profiling"):
        session.end_profiling()
    with pytest.raises(Unsupported, match=r"onnxruntime\.quantization"):
        _ = facade.quantization
    assert not hasattr(facade, "_private")
