# SPDX-License-Identifier: Apache-2.0
"""Programs for models with gears and AIPP: pyACL scripts as they are, and ais_bench's modes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aipp_reference
import numpy as np
import pytest
from conformance import dynamic
from conformance.dynamic import BATCHES, DIMS, IMAGES, numbers
from onnx import TensorProto, helper

import aclrt
from aclrt.compat import ais_bench

from .conftest import Run

Feeds = list[list[np.ndarray]]

# kind: the model, what to feed under each gear, and what pyACL reports of the gear.
CASES: dict[str, tuple[Callable[[], dynamic.Dynamic], Feeds, list[list[int]]]] = {
    "batch": (
        dynamic.batch,
        [[numbers(size, 3, 2, seed=size)] for size in BATCHES],
        [[size] for size in BATCHES],
    ),
    "hw": (
        dynamic.image,
        [[numbers(1, 2, h, w, seed=h)] for h, w in IMAGES],
        [[h, w] for h, w in IMAGES],
    ),
    "dims": (
        dynamic.dims,
        [
            [numbers(1, 1, 40, a, seed=a), numbers(1, b, seed=b), numbers(c, d, seed=c)]
            for a, b, c, d in DIMS
        ],
        [[1, 1, 40, a, 1, b, c, d] for a, b, c, d in DIMS],
    ),
}


@pytest.mark.parametrize("kind", CASES)
def test_a_pyacl_script_with_gears(
    kind: str, run_script: Callable[..., Run], tmp_path: Path
) -> None:
    """Every gear by its setter: the real dims, ONNX Runtime's results, nothing left."""
    make, feeds, gears = CASES[kind]
    model = make()
    (tmp_path / "m.om").write_bytes(model.om)
    named = {f"{g}_{i}": array for g, arrays in enumerate(feeds) for i, array in enumerate(arrays)}
    np.savez(tmp_path / "feeds.npz", **named)
    paths = (tmp_path / "m.om", tmp_path / "feeds.npz", tmp_path / "out.npz")
    done = run_script("gears.py", *paths, PYTHONWARNINGS="ignore")
    assert (done.code, done.err) == (0, "")
    assert [[int(word) for word in line.split()] for line in done.out.splitlines()] == gears
    given = np.load(tmp_path / "out.npz")
    for gear, arrays in enumerate(feeds):
        for index, expected in enumerate(model.expected(*arrays)):
            np.testing.assert_allclose(given[f"{gear}_{index}"], expected, rtol=1e-6)
    assert (done.live, done.ledger["checks"]) == ({}, {})


def test_a_pyacl_script_with_aipp(run_script: Callable[..., Run], tmp_path: Path) -> None:
    """Dynamic AIPP by its setters: what an independent reference computes, nothing left."""
    shape = (2, 3, 4, 4)
    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"], "same")],
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
    )
    net = helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", 19)])
    config = "aipp_op { aipp_mode: dynamic max_src_image_size: 400 related_input_rank: 0 }\n"
    om = aclrt.convert(net, tmp_path / "m.om", insert_op_conf=config)
    images = np.random.default_rng(5).integers(0, 256, (2, 5, 6, 3), np.uint8)
    np.save(tmp_path / "images.npy", images)
    done = run_script(
        "aipp.py", om, tmp_path / "images.npy", tmp_path / "y.npy", PYTHONWARNINGS="ignore"
    )
    assert (done.code, done.err) == (0, "")
    parameters = aipp_reference.Parameters(
        "RGB888_U8",
        (6, 5),
        (2, 1, 4, 4),
        rbuv_swap=True,
        mean=(3, 2, 1, 0),
        var_reci=(0.5, 0.5, 0.5, 1),
    )
    expected = [aipp_reference.process(parameters, image.ravel(), 3, "float32") for image in images]
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), np.stack(expected))
    assert (done.live, done.ledger["checks"]) == ({}, {})


# ---- ais_bench -----------------------------------------------------------------------------------


@pytest.fixture
def session(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """A session of the model of the kind."""
    (tmp_path / "m.om").write_bytes(CASES[request.param][0]().om)
    made = ais_bench.InferSession(0, str(tmp_path / "m.om"))
    yield made
    made.free_resource()


def agree(given: list[np.ndarray], kind: str, arrays: list[np.ndarray]) -> None:
    for result, expected in zip(given, CASES[kind][0]().expected(*arrays), strict=True):
        np.testing.assert_allclose(result, expected, rtol=1e-6)


MODES = {"batch": "dymbatch", "hw": "dymhw", "dims": "dymdims"}


@pytest.mark.parametrize(("session", "kind"), [(k, k) for k in MODES], indirect=["session"])
def test_ais_bench_takes_the_gear_from_the_arrays(session: Any, kind: str) -> None:
    """Each gear in its mode, one after the other and back; another mode is refused."""
    feeds = CASES[kind][1]
    for arrays in (*feeds, feeds[0]):
        agree(session.infer(arrays, mode=MODES[kind]), kind, arrays)
    pipelined = session.infer_pipeline(feeds, mode=MODES[kind])
    for given, arrays in zip(pipelined, feeds, strict=True):
        agree(given, kind, arrays)
    for other in set(MODES.values()) - {MODES[kind]}:
        with pytest.raises(aclrt.InputError, match=f"mode '{other}' .* gears of {kind}"):
            session.infer(feeds[0], mode=other)
    with pytest.raises(aclrt.InputError, match=r"mode 'dymshape' .* gears of"):
        session.infer(feeds[0], mode="dymshape")


@pytest.mark.parametrize("session", ["hw"], indirect=True)
def test_ais_bench_sets_height_first(session: Any) -> None:
    """(4, 6) is 4 high and 6 wide; (6, 4) is no gear of the model, and says which there are."""
    arrays = CASES["hw"][1][0]
    session.set_dynamic_hw(4, 6)
    agree(session.run(arrays, out_array=True), "hw", arrays)
    with pytest.raises(aclrt.InputError, match=re.escape("(1, 2, 4, 6)")):
        session.run(CASES["hw"][1][1])
    session.set_staticbatch()
    agree(session.run(CASES["hw"][1][1], out_array=True), "hw", CASES["hw"][1][1])
    with pytest.raises(aclrt.InputError, match=r"hw 6,4: .*4,6; 8,6; 5,9"):
        session.set_dynamic_hw(6, 4)


@pytest.mark.parametrize("session", ["batch"], indirect=True)
def test_ais_bench_sets_batches(session: Any) -> None:
    """The largest gear is told; a batch that is none is refused when it is set."""
    assert session.get_max_dym_batchsize() == max(BATCHES)
    session.set_dynamic_batchsize(4)
    agree(session.run(CASES["batch"][1][1], out_array=True), "batch", CASES["batch"][1][1])
    with pytest.raises(aclrt.InputError, match=r"batch 3: .*1; 4; 8"):
        session.set_dynamic_batchsize(3)
    with pytest.raises(aclrt.InputError, match="no hw"):
        session.set_dynamic_hw(4, 4)


@pytest.mark.parametrize("session", ["dims"], indirect=True)
def test_ais_bench_sets_dims(session: Any) -> None:
    """A text with the dims of each input."""
    session.set_dynamic_dims("data:1,1,40,40;label:1,40;mask:2,2")
    agree(session.run(CASES["dims"][1][1], out_array=True), "dims", CASES["dims"][1][1])
    with pytest.raises(aclrt.InputError, match="was set to"):
        session.run(CASES["dims"][1][0])
    with pytest.raises(aclrt.InputError, match="there is no such gear"):
        session.set_dynamic_dims("data:1,1,40,40;label:1,40;mask:3,2")


def test_ais_bench_with_ranges(tmp_path: Path) -> None:
    """dymshape: any shape inside; custom_sizes are taken and not needed."""
    model = dynamic.ranges()
    (tmp_path / "m.om").write_bytes(model.om)
    session = ais_bench.InferSession(0, str(tmp_path / "m.om"))
    for shape in ((2, 3, 5), (8, 3, 1)):
        x = numbers(*shape, seed=2)
        with pytest.warns(UserWarning, match="custom_sizes is not needed"):
            given = session.infer([x], mode="dymshape", custom_sizes=10**6)
        for result, expected in zip(given, model.expected(x), strict=True):
            np.testing.assert_allclose(result, expected, rtol=1e-6)
    session.set_dynamic_shape("x:1,3,4")
    assert session.run([numbers(1, 3, 4, seed=1)])[0].shape == [1, 3, 4]
    with pytest.raises(aclrt.InputError, match="mode 'dymbatch'"):
        session.infer([x], mode="dymbatch")
    session.free_resource()


def test_ais_bench_iterates(om_factory: Any, tmp_path: Path) -> None:
    """Outputs fed back as inputs, [input, output] by index; the last outputs come back."""
    om = om_factory(
        [("Add", ["x", "step"], ["y"]), ("Neg", ["y"], ["z"])],
        [("x", "float32", (3,)), ("step", "float32", (3,))],
        [("y", "float32", (3,)), ("z", "float32", (3,))],
    )
    (tmp_path / "m.om").write_bytes(om)
    session = ais_bench.InferSession(0, str(tmp_path / "m.om"))
    x, step = np.zeros(3, np.float32), np.arange(3, dtype=np.float32)
    y, z = session.infer_iteration([x, step], [0, -1], 4)
    np.testing.assert_array_equal(y, 4 * step)
    np.testing.assert_array_equal(z, -4 * step)
    np.testing.assert_array_equal(session.infer_iteration([x, step])[0], step)
    np.testing.assert_array_equal(x, 0)
    for wiring, words in (
        (None, "one number for each of the 2 inputs"),
        ([0], "one number for each of the 2 inputs"),
        ([2, -1], "there is no output 2, the model has 2"),
    ):
        with pytest.raises(aclrt.InputError, match=words):
            session.infer_iteration([x, step], wiring, 2)
    with pytest.raises(aclrt.InputError, match="at least 1"):
        session.infer_iteration([x, step], [0, -1], 0)
    swapped = session.infer_iteration([x, step], [0, -1], 2, mem_copy=False)
    np.testing.assert_array_equal(swapped[0], 2 * step)
    with pytest.raises(aclrt.InputError, match="has no gears of batch: all its inputs are fixed"):
        session.get_max_dym_batchsize()
    session.free_resource()
