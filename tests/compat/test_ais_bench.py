# SPDX-License-Identifier: Apache-2.0
"""ais_bench's sessions."""

from __future__ import annotations

import numpy as np
import pytest

import aclrt
from aclrt.compat import Unsupported, ais_bench
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
    np.testing.assert_array_equal(session.run(feeds)[0], probs)
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
    with pytest.raises(Unsupported, match="out_array"):
        session.infer(feeds, out_array=False)
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
    assert len(session.summary[0][0].exec_time_list) == 2
    with pytest.raises(aclrt.DeviceError):
        session.infer({99: [feeds]})
    with pytest.raises(Unsupported, match="infer_iteration"):
        session.infer_iteration({})
