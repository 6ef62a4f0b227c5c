# SPDX-License-Identifier: Apache-2.0
"""`aclrt convert` where CANN's own compiler is on the PATH; a script stands in for it."""

from __future__ import annotations

import json
import os
import sys

import pytest

import aclrt
from aclrt.cli import main

SCRIPT = """#!{python}
import json, os, signal, sys
flags = dict(word[2:].split("=", 1) for word in sys.argv[1:])
json.dump(flags, open(os.environ["ATC_SEEN"], "w"))
print("ATC start working now, please wait for a moment.")
kind = os.environ.get("ATC_DOES", "writes")
if kind == "fails":
    print("E10001: value is invalid", file=sys.stderr)
    sys.exit(7)
if kind == "dies":
    os.kill(os.getpid(), signal.SIGKILL)
if kind != "nothing":
    suffix = "_linux_x86_64.om" if kind == "bound" else ".om"
    open(flags["output"] + suffix, "wb").write(b"compiled")
"""


@pytest.fixture
def seen(tmp_path, monkeypatch):
    """Puts the stand-in on the PATH; gives what it was told."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "atc"
    script.write_text(SCRIPT.replace("{python}", sys.executable))
    script.chmod(0o755)
    record = tmp_path / "seen.json"
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("ATC_SEEN", str(record))
    monkeypatch.delenv("ATC_DOES", raising=False)
    return lambda: json.loads(record.read_text()) if record.exists() else None


def test_the_same_arguments(seen, tmp_path, capfd):
    """ATC's spelling, .om cut off the output, values untouched; its log is shown."""
    out = tmp_path / "m.om"
    argv = ["m.onnx", "-o", str(out), "--input-shape", "x:-1,3", "--dynamic-batch-size=1,4"]
    argv += ["--soc_version=Ascend310P3", "--precision_mode=force_fp16", "--framework=3"]
    assert 0 == main(["convert", *argv])
    assert {
        "model": "m.onnx",
        "output": str(tmp_path / "m"),
        "framework": "3",
        "input_shape": "x:-1,3",
        "dynamic_batch_size": "1,4",
        "soc_version": "Ascend310P3",
        "precision_mode": "force_fp16",
    } == seen()
    captured = capfd.readouterr()
    assert "ATC start working now" in captured.out
    assert f"wrote {out} (8 B), compiled by atc" in captured.out
    assert f"running {tmp_path / 'bin' / 'atc'}" in captured.err
    assert "no effect" not in captured.err


def test_onnx_is_the_default_framework(seen, tmp_path):
    """ATC wants the number said."""
    assert 0 == main(["convert", "--model=m.onnx", f"--output={tmp_path / 'm'}"])
    assert "5" == seen()["framework"]


def test_a_failure_is_atc_s_own(seen, tmp_path, monkeypatch, capfd):
    """Its messages and its exit code."""
    monkeypatch.setenv("ATC_DOES", "fails")
    assert 7 == main(["convert", "m.onnx", "-o", str(tmp_path / "m.om")])
    error = capfd.readouterr().err
    assert "E10001: value is invalid" in error
    assert "aclrt: error: atc failed with exit code 7" in error


def test_a_death_is_128_and_the_signal(seen, tmp_path, monkeypatch, capfd):
    """As a shell has it."""
    monkeypatch.setenv("ATC_DOES", "dies")
    assert 137 == main(["convert", "m.onnx", "-o", str(tmp_path / "m.om")])
    assert "exit code 137" in capfd.readouterr().err


def test_nothing_written_is_an_error(seen, tmp_path, monkeypatch, capfd):
    """An exit code of 0 alone is no file."""
    monkeypatch.setenv("ATC_DOES", "nothing")
    assert 1 == main(["convert", "m.onnx", "-o", str(tmp_path / "m.om")])
    assert "is not there" in capfd.readouterr().err


def test_files_bound_to_a_host_are_found(seen, tmp_path, monkeypatch, capfd):
    """ATC adds the system to the name of some; only that name is taken for the file's."""
    monkeypatch.setenv("ATC_DOES", "bound")
    assert 0 == main(["convert", "m.onnx", "-o", str(tmp_path / "m[1].om")])
    assert f"wrote {tmp_path / 'm[1]_linux_x86_64.om'}" in capfd.readouterr().out


def test_simulate_leaves_atc_alone(seen, om_factory, tmp_path, capfd):
    """--simulate makes ours."""
    path = tmp_path / "m.onnx"
    tensors = [("x", "float32", (2, 3))], [("y", "float32", (2, 3))]
    path.write_bytes(om_factory.onnx([("Neg", ["x"], ["y"])], *tensors))
    assert 0 == main(["convert", str(path), "-o", str(tmp_path / "m.om"), "--simulate"])
    assert seen() is None
    assert aclrt.inspect(tmp_path / "m.om").simulated
    assert os.environ["PATH"].endswith("bin")  # it was there to be found


def test_convert_of_python_always_simulates(seen, om_factory, tmp_path):
    """The command alone runs the compiler."""
    path = tmp_path / "m.onnx"
    tensors = [("x", "float32", (2, 3))], [("y", "float32", (2, 3))]
    path.write_bytes(om_factory.onnx([("Neg", ["x"], ["y"])], *tensors))
    assert aclrt.inspect(aclrt.convert(path, tmp_path / "m.om")).simulated
    assert seen() is None
