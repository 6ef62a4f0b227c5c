# SPDX-License-Identifier: Apache-2.0
"""`aclrt deploy`: four steps in one go, each of them skipped, failing and interrupted."""

from __future__ import annotations

import html.parser
import json
import os
import re
import stat
from pathlib import Path

import numpy as np
import pytest

import aclrt
import aclrt.bench
import aclrt.compare
from aclrt import deployment, om
from aclrt.cli import main
from aclrt.deployment import DeployedModel, DeployInterrupted, Deployment, DeployStep

STEPS = ("doctor", "convert", "compare", "bench")
WEIGHTS = {"w": np.linspace(-1, 1, 12, dtype=np.float32).reshape(4, 3)}


def model(om_factory, folder: Path, batch: object = "N") -> Path:
    """y = x @ w; the batch is open, or a number."""
    from onnx import TensorProto, helper, numpy_helper

    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [batch, 3])],
        [numpy_helper.from_array(array, name) for name, array in WEIGHTS.items()],
    )
    made = helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", 19)])
    path = folder / "net.onnx"
    path.write_bytes(made.SerializeToString())
    return path


@pytest.fixture
def onnx(om_factory, tmp_path: Path) -> Path:
    """A model with an open batch size."""
    return model(om_factory, tmp_path)


def statuses(result: Deployment) -> dict[str, str]:
    assert STEPS == deployment.STEPS == tuple(step.name for step in result.steps)
    return {step.name: step.status for step in result.steps}


def check_reports(result: Deployment) -> None:
    """What is on disk is what was returned, in three forms."""
    assert json.loads((result.output / "deploy.json").read_text()) == result.to_dict()
    assert (result.output / "deploy.md").read_text() == result.to_markdown()
    page = (result.output / "deploy.html").read_text()
    assert page == result.to_html()
    assert not re.search(r"""(src|href)=["']?(http|//)""", page)
    opened: list[str] = []

    class Reader(html.parser.HTMLParser):
        def handle_starttag(self, tag, attributes):
            if tag != "meta":
                opened.append(tag)

        def handle_startendtag(self, tag, attributes):
            pass

        def handle_endtag(self, tag):
            assert opened.pop() == tag

    reader = Reader()
    reader.feed(page)
    assert [] == opened
    assert [] == [path for path in result.output.iterdir() if path.name.endswith(".part")]


def test_everything_in_one_go(onnx, tmp_path):
    """Three models, compared and measured; the reports agree; bench.json is a bench report."""
    told: list[DeployStep] = []
    result = aclrt.deploy(
        onnx, tmp_path / "out", batch_sizes=(1, 4), iterations=30, cases=2, watch=told.append
    )
    assert dict.fromkeys(STEPS, "done") == statuses(result)
    assert (True, 0, False) == (result.ok, result.exit_code, result.is_partial)
    assert list(result.steps) == told
    assert all(step.seconds >= 0 and step.summary and not step.next_step for step in told)
    assert ["net-b1.om", "net-b4.om"] == [made.path.name for made in result.models]
    for made in result.models:
        assert isinstance(made, DeployedModel)
        assert (made.path.stat().st_size, True) == (made.nbytes, made.simulated)
        assert (made.batch, 4) == om.inspect(made.path).inputs[0].shape
    assert [2, 2] == [len(found.cases) for found in result.comparisons]
    assert [(1, 30), (4, 30)] == [(run.batch, run.iterations) for run in result.bench.runs]
    assert result.doctor["ok"]
    assert (str(onnx), tmp_path / "out") == (result.onnx, result.output)
    assert result.created.endswith("+00:00")
    names = {"deploy.json", "deploy.md", "deploy.html", "bench.json"}
    assert names == {path.name for path in result.files}
    check_reports(result)
    bench = tmp_path / "out/bench.json"
    assert aclrt.bench.diff(bench, bench).ok
    document = result.to_dict()
    assert [step.to_dict() for step in told] == document["steps"]
    assert [made.to_dict() for made in result.models] == document["models"]
    assert result.files == tuple(map(Path, document["files"]))
    assert "| net-b4.om | 4 |" in result.to_markdown()


def test_a_fixed_batch_size_is_one_model(om_factory, tmp_path):
    """It needs no batch size, and takes no other."""
    onnx = model(om_factory, tmp_path, batch=2)
    result = aclrt.deploy(onnx, tmp_path / "out", iterations=1, skip=("compare", "doctor"))
    assert ["net.om"] == [made.path.name for made in result.models]
    assert 2 == result.models[0].batch
    assert ["skipped", "done", "skipped", "done"] == list(statuses(result).values())
    assert aclrt.deploy(onnx, tmp_path / "out", batch_sizes=[2], iterations=1).ok
    refused = aclrt.deploy(onnx, tmp_path / "out", batch_sizes=[4], iterations=1)
    assert "failed" == statuses(refused)["convert"]
    assert "fixed batch size (2)" in refused.steps[1].summary


def test_a_model_with_gears_and_one_with_a_range(onnx, tmp_path):
    """One file takes all; it is compared and measured as it chooses."""
    for flags in ({"dynamic_batch_size": "1,4"}, {"input_shape": "x:1~4,4"}):
        result = aclrt.deploy(onnx, tmp_path / "out", iterations=1, flags=flags)
        assert result.ok, result.steps
        (made,) = result.models
        assert ("net.om", None) == (made.path.name, made.batch)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"batch_sizes": [0]}, "at least 1"),
        ({"batch_sizes": [1], "flags": {"dynamic_dims": "1;4"}}, "one model of several shapes"),
        ({"batch_sizes": [1], "flags": {"input_shape": "x:1~4,4"}}, "one model of any shape"),
        ({"flags": {"input_shape": "x:-1,-1"}}, "leaves dims open beside the batch size: -1,-1"),
        ({"flags": {"input_shape": "z:-1,4"}}, "there is no input 'z'; there are x"),
        ({"flags": {"input_shape": "1,4;1,4"}}, "states 2 inputs, and there are 1"),
        ({"flags": {"input_shape": "-1,5"}}, ""),
    ],
)
def test_a_plan_that_fails_ends_it(onnx, tmp_path, arguments, words):
    """Convert says what is wrong; nothing after it runs; the reports are there."""
    result = aclrt.deploy(onnx, tmp_path / "out", **arguments)
    assert ["done", "failed", "not run", "not run"] == list(statuses(result).values())
    assert words in result.steps[1].summary
    assert all(step.next_step for step in result.steps if step.status == "failed")
    assert (False, 1) == (result.ok, result.exit_code)
    check_reports(result)


def test_outputs_that_differ_are_code_3_and_still_measured(onnx, tmp_path):
    """The verdict names the model; the figures are there all the same."""
    aclrt.deploy(onnx, tmp_path / "out", batch_sizes=[1], iterations=1)
    other = tmp_path / "other.onnx"
    other.write_bytes(
        onnx.read_bytes().replace(WEIGHTS["w"].tobytes(), (WEIGHTS["w"] * 2).tobytes())
    )
    result = aclrt.deploy(
        other, tmp_path / "two", models=[tmp_path / "out/net-b1.om"], skip=["convert"], iterations=1
    )
    assert ["done", "skipped", "different", "done"] == list(statuses(result).values())
    assert (False, 3) == (result.ok, result.exit_code)
    assert "net-b1.om" in result.steps[2].summary
    assert result.steps[2].next_step
    assert "FAILED" in result.to_markdown()
    wide = aclrt.compare.Tolerances(aclrt.compare.Tolerance(atol=100, cosine=-1))
    again = aclrt.deploy(
        other,
        tmp_path / "two",
        models=[tmp_path / "out/net-b1.om"],
        skip=["convert"],
        iterations=1,
        tolerances=wide,
    )
    assert again.ok


def test_no_device_stops_what_needs_one(onnx, tmp_path, capsys):
    """Converting needs none; compare and bench are not tried."""
    code = main(["deploy", str(onnx), "--output", str(tmp_path / "o"), "--backend", "npu"])
    assert 1 == code
    out = capsys.readouterr().out
    assert re.search(r"^doctor +failed", out, re.M)
    assert "next step: " in out
    assert re.search(r"^convert +done", out, re.M)
    assert re.search(r"^compare +not run +models cannot run here: doctor says why$", out, re.M)
    assert (tmp_path / "o/net-b8.om").exists()


@pytest.mark.parametrize("victim", ["convert", "compare", "bench"])
def test_ctrl_c_keeps_what_was_done(onnx, tmp_path, monkeypatch, capsys, victim):
    """The step is marked, the rest is not run, the reports say partial; code 130."""
    modules = {"convert": (om, "build"), "compare": (aclrt.compare, "run")}
    module, name = modules.get(victim, (aclrt.bench, "measure"))

    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, name, interrupt)
    arguments = ["deploy", str(onnx), "--output", str(tmp_path / "out"), "--iterations", "1"]
    assert 130 == main(arguments)
    printed = capsys.readouterr()
    assert "aclrt: interrupted\n" == printed.err
    assert "INTERRUPTED: partial results" in printed.out
    found = json.loads((tmp_path / "out/deploy.json").read_text())
    assert found["is_partial"]
    states = [step["status"] for step in found["steps"]]
    place = STEPS.index(victim)
    expected = ["done"] * place + ["interrupted"] + ["not run"] * (3 - place)
    assert expected == states
    with pytest.raises(DeployInterrupted) as caught:
        aclrt.deploy(onnx, tmp_path / "out", iterations=1)
    assert (130, False) == (caught.value.result.exit_code, caught.value.result.ok)
    check_reports(caught.value.result)
    assert "interrupted" in caught.value.result.to_html()


def test_partial_measurements_are_in_the_report(onnx, tmp_path, monkeypatch):
    """Ctrl-C within bench: the models measured until then are kept."""
    real = aclrt.bench.session.run
    calls = []

    def second(*arguments, **options):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*arguments, **options)

    monkeypatch.setattr(aclrt.bench.session, "run", second)
    with pytest.raises(DeployInterrupted) as caught:
        aclrt.deploy(onnx, tmp_path / "out", iterations=1)
    result = caught.value.result
    assert ["done", "done", "done", "interrupted"] == list(statuses(result).values())
    assert [1] == [run.batch for run in result.bench.runs]
    assert json.loads((tmp_path / "out/bench.json").read_text())["is_partial"]


def test_a_defect_is_told_and_the_rest_goes_on(onnx, tmp_path, monkeypatch):
    """An exception that nobody foresaw fails its step alone."""

    def fail(*arguments, **options):
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(aclrt.compare, "run", fail)
    result = aclrt.deploy(onnx, tmp_path / "out", iterations=1)
    assert ["done", "done", "failed", "done"] == list(statuses(result).values())
    assert "ZeroDivisionError: division by zero" == result.steps[2].summary
    assert "report" in result.steps[2].next_step


def test_arguments_that_make_no_sense(onnx, tmp_path):
    """Refused before anything is written."""
    out = tmp_path / "out"
    for arguments, words in (
        ({"skip": ["benchmark"]}, "'benchmark' is no step"),
        ({"iterations": 0}, "iterations must be at least 1"),
        ({"models": ["a.om"]}, "convert would make others"),
        ({"skip": ["convert"]}, r"has no model net\*\.om"),
    ):
        with pytest.raises(aclrt.InputError, match=words):
            aclrt.deploy(onnx, out, **arguments)
    with pytest.raises(FileNotFoundError):
        aclrt.deploy(tmp_path / "none.onnx", out)
    with pytest.raises(FileExistsError):
        aclrt.deploy(onnx, onnx)
    assert not out.exists()


def test_skipping_convert_takes_the_models_of_before(onnx, tmp_path, capsys):
    """Those of the folder, the smallest batch first; other models there are left alone."""
    out = tmp_path / "out"
    aclrt.deploy(onnx, out, batch_sizes=[16, 2], iterations=1, skip=["bench", "compare"])
    (out / "other.om").write_bytes((out / "net-b2.om").read_bytes())
    code = main(["deploy", str(onnx), "--output", str(out), "--skip-convert", "--json"])
    assert 0 == code
    found = json.loads(capsys.readouterr().out)
    assert [2, 16] == [made["batch"] for made in found["models"]]
    assert "skipped" == found["steps"][1]["status"]
    assert [2, 16] == [run["batch"] for run in found["bench"]["runs"]]


def test_the_real_compiler_is_run_where_it_is(onnx, tmp_path, monkeypatch, capfd):
    """With the chip that doctor found; its failure is the step's."""
    atc = tmp_path / "bin/atc"
    atc.parent.mkdir()
    atc.write_text('#!/bin/sh\necho "$@" >> "$ATC_LOG"\necho "ATC run failed"\nexit 3\n')
    atc.chmod(atc.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{atc.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("ATC_LOG", str(tmp_path / "log"))
    assert atc == om.compiler()
    simulated = aclrt.deploy(onnx, tmp_path / "out", iterations=1)
    assert simulated.ok, "the fake device needs simulated models"

    def on_a_card(**options):
        return {**simulated.doctor, "backend": {**simulated.doctor["backend"], "name": "npu"}}

    monkeypatch.setattr(aclrt.doctor, "collect", on_a_card)
    result = aclrt.deploy(onnx, tmp_path / "out", batch_sizes=[2], quiet=True)
    assert "atc failed with exit code 3" == result.steps[1].summary
    assert ("", "ATC run failed\n") == tuple(capfd.readouterr())
    words = (tmp_path / "log").read_text()
    assert "--input_shape=x:2,4" in words
    assert f"--soc_version={simulated.doctor['backend']['soc_name']}" in words
    with pytest.raises(om.CompilerError) as caught:
        om.build(onnx, tmp_path / "x", atc=atc)
    assert 3 == caught.value.exit_code
    built = om.build(onnx, tmp_path / "x", {"input_shape": "x:1,4", "precision_mode": "any"})
    assert isinstance(built, om.Built)
    assert (tmp_path / "x.om", True, None) == (built.path, built.simulated, built.compiler)
    assert (("precision_mode",), built.path.stat().st_size) == (built.without_effect, built.nbytes)
    assert "aclrt-convert/1" == built.to_dict()["schema"]
