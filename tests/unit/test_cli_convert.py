# SPDX-License-Identifier: Apache-2.0
"""`aclrt convert`: both spellings of the flags, and those that come later."""

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


@pytest.mark.parametrize(
    "flag",
    [
        "--dynamic_batch_size",
        "--dynamic-batch-size",
        "--dynamic_dims",
        "--dynamic_image_size",
        "--input_format",
        "--input_shape_range",
        "--insert_op_conf",
        "--out_nodes",
        "--output_type",
    ],
)
@pytest.mark.parametrize("joined", [True, False])
def test_flags_of_later_versions_are_named(flag, joined, onnx, tmp_path, capsys):
    """They are refused, with a value in either form, rather than ignored."""
    value = [f"{flag}=1,2"] if joined else [flag, "1,2"]
    assert 2 == main(["convert", "--model", str(onnx), "--output", str(tmp_path / "o"), *value])
    assert f"aclrt: error: {flag} is not yet in this version" in capsys.readouterr().err
    assert not (tmp_path / "o.om").exists()


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ([], "one model is needed"),
        (["a.onnx", "--model", "b.onnx"], "one model is needed"),
        (["a.onnx", "--framework=3"], "--framework=3"),
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
