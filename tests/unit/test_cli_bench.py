# SPDX-License-Identifier: Apache-2.0
"""`aclrt bench`: the figures for people and as JSON, and Ctrl-C in the middle."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from aclrt.cli import main


@pytest.fixture
def om(om_factory, tmp_path):
    """A small model, as a file."""
    path = tmp_path / "m.om"
    path.write_bytes(om_factory.two_in_two_out())
    return str(path)


def test_it_prints_the_figures(om, capsys):
    """A line each, throughput, and what to bear in mind."""
    assert 0 == main(["bench", om, "--iterations", "20", "--warmup", "2"])
    out = capsys.readouterr().out
    names = [line.split()[0] for line in out.splitlines() if line.endswith(" ms")]
    assert ["load", "first", "mean", "min", "p50", "p90", "p99", "max"] == names
    assert "20 iterations after 2 to warm up" in out
    assert "inferences/s" in out
    assert "caution: 20 samples are too few for p99" in out
    assert "fake device" in out


def test_json_is_the_python_twin(om, capsys):
    """--json has the attributes of BenchResult, without the samples."""
    assert 0 == main(["bench", om, "--iterations", "5", "--json"])
    report = json.loads(capsys.readouterr().out)
    assert (5, 10, om, "fake") == tuple(
        report[name] for name in ("iterations", "warmup", "model", "backend")
    )
    assert report["min_ms"] <= report["p50_ms"] <= report["p99_ms"] <= report["max_ms"]
    assert "samples_ns" not in report
    assert 2 == len(report["cautions"])


def test_ctrl_c_ends_it(om):
    """A real interrupt during the measurement: code 130, one line."""
    process = subprocess.Popen(
        [sys.executable, "-m", "aclrt", "bench", om, "--iterations", "20000000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    maps = Path(f"/proc/{process.pid}/maps")
    while "libonnxruntime" not in maps.read_text():  # the model is being loaded: it has begun
        assert process.poll() is None
        time.sleep(0.01)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=60)
    assert (130, "", "aclrt: interrupted\n") == (process.returncode, out, error)
