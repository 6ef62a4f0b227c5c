# SPDX-License-Identifier: Apache-2.0
"""`aclrt convert`: both spellings of ATC's flags, what they do and what they refuse."""

from __future__ import annotations

import pytest

import aclrt
from aclrt.cli import main


@pytest.fixture
def onnx(om_factory, tmp_path):
    """An ONNX file whose batch is open: x (batch, 3) -> y."""
    path = tmp_path / "m.onnx"
    tensors = [("x", "float32", ("batch", 3))], [("y", "float32", ("batch", 3))]
    path.write_bytes(om_factory.onnx([("Neg", ["x"], ["y"])], *tensors))
    return path


@pytest.mark.parametrize(
    "flags",
    [
        ["ONNX", "-o", "OUT.om", "--input-shape", "x:4,3"],
        ["ONNX", "--output", "OUT.om", "--input_shape=x:4,3", "--soc-version", "Ascend310P3"],
        ["--model=ONNX", "--framework=5", "--output=OUT", "--input_shape=x:4,3"],
        ["--model", "ONNX", "--output=OUT", "--input-shape=x:4,3", "--soc_version=Ascend310P3"],
    ],
)
def test_our_spelling_and_atc_s(flags, onnx, tmp_path, capsys):
    """The same file comes from each; .om is added where it is missing."""
    out = tmp_path / "out"
    argv = [flag.replace("ONNX", str(onnx)).replace("OUT", str(out)) for flag in flags]
    assert 0 == main(["convert", *argv])
    assert str(out.with_suffix(".om")) in capsys.readouterr().out
    info = aclrt.inspect(out.with_suffix(".om"))
    assert info.simulated
    assert (4, 3) == tuple(info.inputs[0].shape)


@pytest.fixture(autouse=True)
def no_atc(monkeypatch, tmp_path):
    """CANN's compiler is not on the PATH."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))


def both_spellings(flag: str) -> list[str]:
    return [f"--{flag}", f"--{flag.replace('_', '-')}"]


@pytest.mark.parametrize("spelling", [0, 1])
@pytest.mark.parametrize(
    ("flag", "value", "dynamic"),
    [
        ("dynamic_batch_size", "1,4", "batch"),
        ("dynamic_dims", "1;4", "dims"),
    ],
)
def test_gears(spelling, flag, value, dynamic, onnx, tmp_path):
    """ATC's words for them."""
    name = both_spellings(flag)[spelling]
    out = tmp_path / "o.om"
    assert 0 == main(["convert", str(onnx), "-o", str(out), "--input_shape=x:-1,3", name, value])
    info = aclrt.inspect(out)
    assert (dynamic, ((1,), (4,))) == (info.dynamic, info.gears)


def test_ranges_types_and_nodes(onnx, tmp_path, capsys):
    """The other flags of the model, in one line, with ATC's texts."""
    out = tmp_path / "o.om"
    flags = [
        "--input_shape_range=x:[1~8,3]",
        "--output_type=FP16",
        "--input-fp16-nodes=x",
        "--out_nodes=Neg_0:0",
        "--input_format=ND",
        "--log=info",
    ]
    assert 0 == main(["convert", str(onnx), "-o", str(out), *flags])
    info = aclrt.inspect(out)
    assert ((1, 8), (3, 3)) == info.inputs[0].range
    assert ["float16", "float16"] == [str(t.dtype) for t in (*info.inputs, *info.outputs)]
    assert "float16" in capsys.readouterr().out  # --log=info shows what was made


@pytest.mark.parametrize(("log", "lines"), [("null", 0), ("error", 1), ("info", 4)])
def test_log_levels(log, lines, onnx, tmp_path, capsys):
    """null prints nothing, info the inputs and outputs too."""
    out = tmp_path / "o"
    flags = ["--input_shape=x:4,3", f"--log={log}"]
    assert 0 == main(["convert", str(onnx), "-o", str(out), *flags])
    captured = capsys.readouterr()
    assert (lines, "") == (len(captured.out.splitlines()), captured.err)


def test_flags_for_the_compiler_alone_are_told_once(onnx, tmp_path, capsys):
    """They are taken in either spelling and have no effect; one line says so."""
    out = tmp_path / "o"
    flags = [
        "--precision_mode=force_fp16",
        "--fusion-switch-file=none.cfg",
        "--op_select_implmode",
        "high_performance",
    ]
    assert 0 == main(["convert", str(onnx), "-o", str(out), "--input_shape=x:4,3", *flags])
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("aclrt: note: ")
    for flag in ("--precision_mode", "--fusion_switch_file", "--op_select_implmode"):
        assert 1 == line.count(flag)
    assert "no effect" in line
    steered = out.with_suffix(".om").read_bytes()
    assert steered == aclrt.convert(onnx, out, input_shape="x:4,3").read_bytes()


def test_every_steering_flag_is_taken(onnx, tmp_path, capsys):
    """None of them is also a flag that counts."""
    from aclrt.om import _atc

    assert not set(_atc.STEERING) & set(_atc.MODEL_FLAGS)
    flags = [f"--{name}=1" for name in _atc.STEERING]
    out = tmp_path / "o"
    assert 0 == main(["convert", str(onnx), "-o", str(out), "--input_shape=x:4,3", *flags])
    error = capsys.readouterr().err
    assert [name for name in _atc.STEERING if f"--{name}" not in error] == []


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ([], "one model is needed"),
        (["a.onnx", "--model", "b.onnx"], "one model is needed"),
        (["a.onnx", "--framework=3"], "--framework=3: expected 5 (ONNX), given TensorFlow"),
        (["a.onnx", "--framework=onnx"], "'onnx', which is no framework"),
        (["a.onnx", "--mode=1"], "--mode=1: expected 0"),
        (["a.onnx", "--weight=a.caffemodel"], "belongs to Caffe"),
        (["a.onnx", "--log=loud"], "debug, info, warning, error, null"),
        (["a.onnx", "--soc_version=310P3"], "--soc_version=310P3: expected the name of a chip"),
        (["a.onnx", "--dynamic_batch_size=1"], "dynamic_batch_size"),
        (["a.onnx", "--dynamic_batch_size=1,two"], "dynamic_batch_size"),
        (["a.onnx", "--dynamic-image-size=224;448"], "dynamic_image_size"),
        (["a.onnx", "--dynamic_batch_size=1,2", "--dynamic_dims=1;2"], "dynamic_dims"),
        (["a.onnx", "--output_type=FP8"], "FP16"),
        (["a.onnx", "--input-shape", "x=1,3"], "x=1,3"),
        (["a.onnx", "--input-shape", "x:1,3;x:1,3"], "twice"),
        (["a.onnx", "--no_such_flag"], "--no_such_flag"),
    ],
)
def test_wrong_flags_are_usage_errors(flags, words, tmp_path, capsys):
    """Code 2, before any file is read."""
    assert 2 == main(["convert", "--output", str(tmp_path / "o"), *flags])
    assert words in capsys.readouterr().err


def test_the_output_is_required(onnx, capsys):
    """There is no default place to write to."""
    assert 2 == main(["convert", str(onnx)])
    assert "--output" in capsys.readouterr().err


def test_an_open_dim_that_is_not_given_is_a_failure(onnx, tmp_path, capsys):
    """Code 1, naming the input; no file appears."""
    assert 1 == main(["convert", str(onnx), "-o", str(tmp_path / "o.om")])
    error = capsys.readouterr().err
    assert error.startswith("aclrt: error: ")
    assert "x" in error
    assert not (tmp_path / "o.om").exists()


def test_dims_want_a_value_for_every_open_dim(om_factory, tmp_path, capsys):
    """The tutorial's mistake: two inputs have a -1 each, so every gear has two values."""
    path = tmp_path / "m.onnx"
    path.write_bytes(
        om_factory.onnx(
            [("Neg", ["a"], ["c"]), ("Neg", ["b"], ["d"])],
            [("a", "float32", ("n", 2)), ("b", "float32", ("m", 3))],
            [("c", "float32", ("n", 2)), ("d", "float32", ("m", 3))],
        )
    )
    flags = ["--input_shape=a:-1,2;b:-1,3", "--dynamic_dims=1;2;4;8"]
    assert 0 != main(["convert", str(path), "-o", str(tmp_path / "o"), *flags])
    error = capsys.readouterr().err
    assert "dynamic_dims" in error
    assert "1,1" in error or "-1" in error
    flags[1] = "--dynamic_dims=1,1;2,2;4,4;8,8"
    assert 0 == main(["convert", str(path), "-o", str(tmp_path / "o"), *flags])
