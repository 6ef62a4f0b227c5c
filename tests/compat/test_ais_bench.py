# SPDX-License-Identifier: Apache-2.0
"""ais_bench's sessions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import aclrt
from aclrt.compat import Unsupported, _ais_aipp, ais_bench
from aclrt.tensor import TensorSpec


def spec(name: str, shape: tuple[int, ...], layout: str = "NCHW") -> TensorSpec:
    return TensorSpec(name, np.dtype("float32"), shape, layout, 0, min(shape) < 0)


def test_infer(om: str, feeds: list[np.ndarray]) -> None:
    """Device first, arrays in order, new arrays back; a missing batch axis is taken."""
    session = ais_bench.InferSession(0, om)
    probs, flags = session.infer(feeds)
    np.testing.assert_array_equal(probs, -feeds[0])
    np.testing.assert_array_equal(flags, ~feeds[1])
    assert (type(probs), probs.shape) == (np.ndarray, (1, 2, 4))
    np.testing.assert_array_equal(session.infer([feeds[0][0], feeds[1]])[0], probs)
    np.testing.assert_array_equal(session.run(feeds, out_array=True)[0], probs)
    many = session.infer_pipeline([feeds, feeds])
    assert [len(outputs) for outputs in many] == [2, 2]
    session.free_resource()
    session.free_resource()
    ais_bench.InferSession.finalize()
    with pytest.raises(aclrt.ClosedError):
        session.infer(feeds)


def test_descriptions(om: str) -> None:
    """name, datatype, format, shape, size, realsize."""
    session = ais_bench.InferSession(0, om)
    image = session.get_inputs()[0]
    assert (image.name, image.datatype, image.shape) == ("image", "float32", [1, 2, 4])
    assert (image.size, image.realsize, image.format) == (32, 32, "ND")
    assert [desc.name for desc in session.get_outputs()] == ["probs", "flags"]


def test_times_are_kept(om: str, feeds: list[np.ndarray]) -> None:
    """(start, end) for each run; a loop count repeats them."""
    session = ais_bench.InferSession(0, om, loop=2)
    session.infer(feeds)
    session.set_loop_count(1)
    session.infer(feeds)
    times = session.summary().exec_time_list
    assert len(times) == 3
    assert all(start <= end for start, end in times)
    session.reset_summaryinfo()
    assert session.summary() == ais_bench.Summary()
    with pytest.raises(aclrt.InputError, match="at least 1"):
        session.set_loop_count(0)


def test_modes(om: str, feeds: list[np.ndarray]) -> None:
    """Known modes only; a dynamic one needs a dynamic model; custom_sizes are noted."""
    session = ais_bench.InferSession(0, om)
    with pytest.raises(aclrt.InputError, match="it must be one of static, dymbatch"):
        session.infer(feeds, mode="dynamic")
    for mode in ("dymbatch", "dymhw", "dymdims", "dymshape"):
        with pytest.raises(aclrt.InputError, match="needs a model with dynamic shapes"):
            session.infer(feeds, mode=mode)
    with pytest.warns(UserWarning, match="custom_sizes is not needed"):
        session.infer(feeds, custom_sizes=10**7)
    with pytest.warns(UserWarning, match="custom_sizes is not needed"):
        session.set_custom_outsize([100, 100])
    for setter, value in (
        (session.set_dynamic_batchsize, (4,)),
        (session.set_dynamic_hw, (4, 4)),
        (session.set_dynamic_dims, ("image:1,2,4",)),
        (session.set_dynamic_shape, ("image:1,2,4",)),
    ):
        with pytest.raises(aclrt.InputError, match="the model has no dynamic"):
            setter(*value)
    session.set_staticbatch()


def test_setters_mean_height_then_width() -> None:
    """Whatever the layout; each setter only for the dims that it is for."""
    nchw, nhwc = spec("x", (1, 3, -1, -1)), spec("x", (1, -1, -1, 3), "NHWC")
    wanted = ais_bench.wanted_shapes
    assert wanted([nchw], "hw", (480, 640)) == {"x": (1, 3, 480, 640)}
    assert wanted([nhwc], "hw", (480, 640)) == {"x": (1, 480, 640, 3)}
    pair = [spec("x", (-1, 3)), spec("y", (2, 2))]
    assert wanted(pair, "batch", 8) == {"x": (8, 3)}
    assert wanted(pair, "dims", "x:4,3;y:2,2") == {"x": (4, 3), "y": (2, 2)}
    for kind, value, words in (
        ("hw", (4, 4), "are no hw"),
        ("dims", "x:4,4", "does not fit x"),
        ("dims", "x:4", "does not fit x"),
        ("dims", "x=4,3", "is no name:dim"),
        ("dims", "z:4,3", "no input 'z'"),
    ):
        with pytest.raises(aclrt.InputError, match=words):
            wanted(pair, kind, value)


def test_wrong_feeds(om: str, feeds: list[np.ndarray], no_file: str) -> None:
    """Another dtype of the same size is no longer taken silently."""
    session = ais_bench.InferSession(0, om)
    with pytest.raises(aclrt.InputError, match="int32"):
        session.infer([feeds[0].astype(np.int32), feeds[1]])
    with pytest.raises(aclrt.InputError, match="got 1 arrays, the model has 2 inputs"):
        session.infer(feeds[:1])
    with pytest.raises(aclrt.InputError, match="takes a list of arrays, not dict"):
        session.infer({"image": feeds[0]})
    with pytest.raises(FileNotFoundError):
        ais_bench.InferSession(0, no_file)
    with pytest.raises(Unsupported, match="acl_json_path"):
        ais_bench.InferSession(0, om, acl_json_path="acl.json")
    with pytest.raises(Unsupported, match="run_pipeline"):
        session.run_pipeline(feeds)
    with pytest.raises(Unsupported, match="MemorySummary"):
        _ = ais_bench.MemorySummary


def test_several_devices(om: str, feeds: list[np.ndarray]) -> None:
    """Results by device, in the order of the feeds; an error of a device is raised."""
    session = ais_bench.MultiDeviceSession(om)
    results = session.infer({0: [feeds, feeds]})
    assert [len(outputs) for outputs in results[0]] == [2, 2]
    np.testing.assert_array_equal(results[0][1][0], -feeds[0])
    assert [type(ms) for ms in session.summary[0]] == [float, float]
    many = session.infer_pipeline({0: [[feeds, feeds]]})
    np.testing.assert_array_equal(many[0][0][1][0], -feeds[0])
    once = session.infer_iteration({0: [feeds]})
    np.testing.assert_array_equal(once[0][0][0], -feeds[0])
    with pytest.raises(aclrt.DeviceError):
        session.infer({99: [feeds]})
    with pytest.raises(Unsupported, match="subprocess_infer"):
        session.subprocess_infer({})


def test_tensors(om: str, feeds: list[np.ndarray], tmp_path: Path) -> None:
    """run() leaves tensors on the device; they come back, and are fed again; files make some."""
    session = ais_bench.InferSession(0, om)
    outputs = session.run([session.create_tensor_from_arrays_to_device(feed) for feed in feeds])
    assert [tensor.device for tensor in outputs] == [0, 0]
    with pytest.raises(RuntimeError, match="to_host"):
        session.convert_tensors_to_arrays(outputs)
    session.convert_tensors_to_host(outputs)
    np.testing.assert_array_equal(session.convert_tensors_to_arrays(outputs)[0], -feeds[0])
    half = feeds[0].reshape(2, -1)
    np.save(tmp_path / "a.npy", half[0])
    half[1].tofile(tmp_path / "b.bin")
    files = [tmp_path / "a.npy", tmp_path / "b.bin"]
    image = session.create_tensor_from_fileslist(session.get_inputs()[0], files)
    again = session.infer([image, feeds[1]], out_array=False)
    np.testing.assert_array_equal(again[0].to_numpy(), -feeds[0])
    with pytest.raises(aclrt.InputError, match="1 files hold 16 bytes, 'image' takes 32"):
        session.create_tensor_from_fileslist(session.get_inputs()[0], files[:1])
    with pytest.raises(Unsupported, match="to_dvpp"):
        image.to_dvpp(0)
    with pytest.raises(aclrt.InputError, match="first_inner_run"):
        session.inner_run([0, 1])
    first = session.first_inner_run(feeds)
    assert session.inner_run([0, 1]) is None
    np.testing.assert_array_equal(first[0].to_numpy(), -feeds[0])
    third = session.inner_run([0, 1], get_outputs=True)
    assert third is not None
    np.testing.assert_array_equal(third[0].to_numpy(), -feeds[0])
    with pytest.raises(aclrt.InputError, match="one number for each"):
        session.inner_run([0])


def test_dynamic_aipp(om: str, tmp_path: Path) -> None:
    """The file's own words become set_aipp's; a model without dynamic AIPP says so."""
    path = tmp_path / "aipp.config"
    needed = "[aipp_op]\ninput_format : RGB888_U8\nsrc_image_size_w : 8\nsrc_image_size_h : 4\n"
    path.write_text(needed + "padding : 1\npadding_size_top : 2\nvar_reci_chn_0 : 0.5\n")
    assert _ais_aipp.read(path) == {
        "input_format": "RGB888_U8",
        "src_image_size_w": 8,
        "src_image_size_h": 4,
        "padding": True,
        "top_padding_size": 2,
        "var_reci_chn_0": 0.5,
    }
    session = ais_bench.InferSession(0, om)
    assert not session.get_dym_aipp_input_exist()
    with pytest.raises(aclrt.InputError, match="no input has dynamic AIPP"):
        session.load_aipp_config_file(str(path), 1)
    with pytest.raises(aclrt.InputError, match="no input has dynamic AIPP"):
        session.check_dym_aipp_input_exist()
    for text, words in (
        ("[other]\n", "needs one"),
        ("[aipp_op]\ninput_format = RGB888_U8\n", "lacks src_image_size_w"),
        (needed + "crop = 2\n", "crop is '2'; it must be 0 or 1"),
        (needed + "mean_chn_0 = a\n", "mean_chn_0 is 'a'"),
        ("input_format", "no section"),
    ):
        path.write_text(text)
        with pytest.raises(aclrt.InputError, match=words):
            _ais_aipp.read(path)
