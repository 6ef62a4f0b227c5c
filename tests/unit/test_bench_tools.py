# SPDX-License-Identifier: Apache-2.0
"""`aclrt.bench` around the loop: inputs, power, searches, comparisons, configurations."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import aclrt
from aclrt import bench
from aclrt.bench import config as configs
from aclrt.bench.inputs import feeds_of, fill
from aclrt.bench.power import Meter, parse_map, parse_power

TEXTS = Path(__file__).parents[1] / "data/npu_smi"


def _text(name):
    return (TEXTS / f"{name}.txt").read_text()


def test_inputs_from_files_of_each_kind(pair, image, mask, tmp_path):
    """npy, bin, npz, a folder for all inputs, a folder of samples taken in turn."""
    np.save(tmp_path / "image.npy", image)
    mask.tofile(tmp_path / "mask.bin")
    np.savez(tmp_path / "both.npz", image=image, mask=mask)
    (tmp_path / "many").mkdir()
    for number in range(3):
        np.save(tmp_path / f"many/{number}.npy", image + number)
    named = [f"image={tmp_path}/image.npy", f"mask={tmp_path}/mask.bin"]
    for arguments in (named, [f"{tmp_path}/both.npz"], [str(tmp_path)]):
        (feed,), origin = feeds_of(pair.inputs, arguments, [], 0)
        np.testing.assert_array_equal(image, feed["image"])
        np.testing.assert_array_equal(mask, feed["mask"])
        assert "files for image, mask" in origin
    feeds, origin = feeds_of(pair.inputs, [f"image={tmp_path}/many"], ["zeros"], 0)
    assert [0, 1, 2] == [feed["image"][0, 0, 0] for feed in feeds]
    assert not any(feed["mask"].any() for feed in feeds)
    assert "made up" in origin


def test_inputs_that_do_not_fit_name_the_file(pair, tmp_path):
    """Size, type, name, and a file together with a fill."""
    (tmp_path / "short.bin").write_bytes(b"123")
    np.save(tmp_path / "wrong.npy", np.zeros((1, 2, 4), np.float64))
    wrong = [
        (f"image={tmp_path}/short.bin", "has 3 bytes, but input 'image' takes 32"),
        (f"image={tmp_path}/wrong.npy", "has float64"),
        (f"imag={tmp_path}/wrong.npy", "no input 'imag'.*image"),
    ]
    for argument, words in wrong:
        with pytest.raises(aclrt.InputError, match=words):
            feeds_of(pair.inputs, [argument], [], 0)
    np.save(tmp_path / "image.npy", np.zeros((1, 2, 4), np.float32))
    with pytest.raises(aclrt.InputError, match="both a file and a fill"):
        feeds_of(pair.inputs, [f"image={tmp_path}/image.npy"], ["image=zeros"], 0)


def test_fills(pair):
    """Each kind, its range, and what is refused."""
    spec, flag = pair.inputs
    rng = np.random.default_rng(0)
    uniform = fill(spec, "uniform:2:3", rng)
    assert 2 <= uniform.min() < uniform.max() <= 3
    assert uniform.dtype == np.float32
    assert (fill(spec, "constant:-1.5", rng) == -1.5).all()
    assert [*range(8)] == fill(spec, "range", rng).reshape(-1).tolist()
    assert fill(flag, "ones", rng).all()
    assert fill(spec, "normal:5:0", rng).tolist() == fill(spec, "constant:5", rng).tolist()
    for text in ("uniform:1", "uniform:3:2", "constant:x", "gauss:0:1", "zeros:1", "normal:0:-1"):
        with pytest.raises(aclrt.InputError, match="fill"):
            fill(spec, text, rng)
    with pytest.raises(aclrt.InputError, match="range 0 to 1 of bool"):
        fill(flag, "constant:2", rng)


def test_npu_smi_is_read():
    """The table, one NPU's power, the map; what is not told is an error."""
    assert (16.8, 21.5) == tuple(parse_power(_text("info"), number) for number in (0, 3))
    assert 21.5 == parse_power(_text("power"), 3)
    assert {0: 0, 1: 3} == parse_map(_text("map"))
    for text, number in (("info", 1), ("power", 0), ("power_na", 3), ("map", 0)):
        with pytest.raises(aclrt.InputError, match=f"NPU {number}"):
            parse_power(_text(text), number)
    with pytest.raises(aclrt.InputError, match="no logical devices"):
        parse_map(_text("info"))


def test_joules_are_watts_by_time():
    """Two seconds at 21.5 W for 10 inferences are 4.3 J each."""
    meter = Meter([1], lambda *words: _text("map" if "-m" in words else "power"))
    with meter:
        pass
    figures = meter.figures(2.0, 10)
    assert (21.5, 21.5, 21.5) == tuple(figures[n] for n in ("before_w", "mean_w", "max_w"))
    assert figures["joule_per_inference"] == pytest.approx(4.3)
    with pytest.raises(aclrt.InputError, match="no logical device 2"):
        Meter([2], lambda *words: _text("map"))


@pytest.fixture
def report(om_factory, tmp_path):
    """A report as a dict, whose samples tests replace."""
    path = tmp_path / "m.om"
    path.write_bytes(om_factory.identity())
    document = bench.measure(bench.BenchConfig((str(path),), iterations=30, warmup=0)).to_dict()

    def make(name, mean_ms, size=400, seed=0):
        samples = np.random.default_rng(seed).normal(mean_ms * 1e6, mean_ms * 2e4, size).astype(int)
        ends = np.cumsum(samples)
        fields = {"latency_ns": samples, "begin_ns": ends - samples, "end_ns": ends}
        (run,) = document["runs"]
        run["samples"] = {**{k: v.tolist() for k, v in fields.items()}, "worker": [0] * size}
        (tmp_path / name).write_text(json.dumps(document))
        return tmp_path / name

    return make


@pytest.mark.parametrize(
    ("mean_ms", "verdict", "ok"),
    [(10, "same", True), (12, "worse", False), (8, "better", True), (10.5, "uncertain", True)],
)
def test_diff(report, mean_ms, verdict, ok):
    """10 ms before; 2 % noise, a limit of 5 %."""
    result = bench.diff(report("old", 10), report("new", mean_ms, seed=1))
    assert isinstance(result, bench.BenchDiff)
    assert (ok, 0.05, 0.95) == (result.ok, result.fail_on, result.confidence)
    ((_, (latency, throughput)),) = result.runs
    assert isinstance(latency, bench.Change)
    assert (verdict, "p50", "throughput") == (latency.verdict, latency.metric, throughput.metric)
    # 10.5 ms for 10 are 5 % more time, but 4.8 % less throughput
    assert throughput.verdict == ("same" if verdict == "uncertain" else verdict)
    assert latency.low < latency.change < latency.high
    assert (latency.old, latency.new) == (pytest.approx(10, rel=0.01), pytest.approx(mean_ms, 0.01))
    bench.schema.check(result.to_dict(), "aclrt-bench-diff/1", "it")


def test_diff_refuses_what_it_cannot_judge(report, tmp_path):
    """Too few samples, other documents, other figures."""
    good = report("old", 10)
    with pytest.raises(aclrt.InputError, match="has 20 samples: 30"):
        bench.diff(good, report("few", 10, size=20))
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(aclrt.InputError, match="no aclrt-bench/1 document"):
        bench.diff(good, tmp_path / "other.json")
    for further in ({"metrics": ("speed",)}, {"fail_on": 0}, {"confidence": 1}):
        with pytest.raises(aclrt.InputError):
            bench.diff(good, good, **further)


def test_batch_sizes_choose_among_files(om_factory, tmp_path):
    """By the first dim of the first input, in the order asked; and by a name's {batch}."""
    for size in (1, 2, 4):
        (tmp_path / f"b{size}.om").write_bytes(om_factory.identity(shape=(size, 3)))
    files = tuple(str(tmp_path / f"b{size}.om") for size in (1, 2, 4))
    for models in (files, (str(tmp_path / "b{batch}.om"),)):
        config = bench.BenchConfig(models, batch_sizes=(4, 1), iterations=20, search_batch=True)
        result = bench.measure(config)
        assert isinstance(result, bench.BenchReport)
        assert [4, 1] == [run.batch for run in result.runs]
        fast = max(result.runs, key=lambda run: run.samples_per_s)
        assert result.runs[result.best] is fast
    with pytest.raises(aclrt.InputError, match="no file has batch size 8"):
        bench.measure(bench.BenchConfig(files, batch_sizes=(8,)))


def test_search_batch_converts(om_factory, tmp_path):
    """One ONNX with an open batch."""
    from onnx import TensorProto, helper

    values = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["N", 3]) for n in "xy"]
    node = helper.make_node("Neg", ["x"], ["y"])
    graph = helper.make_graph([node], "g", values[:1], values[1:])
    opsets = [helper.make_opsetid("", 19)]
    model = helper.make_model(graph, ir_version=9, opset_imports=opsets)
    path = tmp_path / "m.onnx"
    path.write_bytes(model.SerializeToString())
    config = bench.BenchConfig((str(path),), batch_sizes=(1, 3), iterations=5, search_batch=True)
    assert [1, 3] == [run.batch for run in bench.measure(config).runs]


def test_a_configuration_comes_back(tmp_path):
    """As it was saved; an unknown field is refused."""
    config = bench.BenchConfig(
        ("m.om",), input_files=("x=a.npy",), fills=("y=zeros",), max_workers=3, rate=10.5
    )
    config.save(tmp_path / "c.json")
    assert config == bench.BenchConfig(**configs.read(tmp_path / "c.json"))
    (tmp_path / "c.json").write_text('{"schema": "aclrt-bench-config/1", "speed": 1}')
    with pytest.raises(aclrt.InputError, match="speed is unknown"):
        configs.read(tmp_path / "c.json")


def test_names_of_results(pair):
    """Each attribute of a result and of its parts is there."""
    result = bench.run(pair, iterations=2, warmup=0)
    assert isinstance(result, bench.BenchResult)
    assert isinstance(result.latency, bench.Summary)
    assert isinstance(result.phases[0], bench.Phase)
    assert "model, batch 1" == result.name
    assert result.percentile(75) == result.p90_ms
    assert (None, None, "fake", "made up, seed 0") == (
        result.rate,
        result.power,
        result.backend,
        result.data,
    )
    assert result.soc_name
    assert [0, 0] == result.worker.tolist()
    assert (result.end_ns - result.begin_ns).tolist() == result.latency_ns.tolist()
    assert result.service == result.latency
    assert 2 == result.latency.count
    last = result.phases[-1]
    assert last.min_ms <= last.mean_ms <= last.max_ms
    assert result.latency.min_ms <= result.latency.mean_ms <= result.latency.max_ms
    assert result.latency.std_ms >= 0
    assert {50, 90, 99} == set(result.latency.percentiles)
    assert set(result.to_dict()["samples"]) == {"latency_ns", "begin_ns", "end_ns", "worker"}
