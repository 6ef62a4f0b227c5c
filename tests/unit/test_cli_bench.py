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

from aclrt.bench import schema
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
    latency = out.split("latency\n")[1].splitlines()
    names = [line.split()[0] for line in latency if line.endswith(" ms")]
    assert ["mean", "std", "min", "p50", "p90", "p99", "max"] == names
    rows = [line.split()[0] for line in out.split("phase ")[1].splitlines()[1:9]]
    assert ["open", "load", "first", "h2d", "device", "d2h", "host", "end"] == rows
    assert "20 iterations after 2 to warm up" in out
    assert "inferences/s" in out
    assert "caution: 20 samples are too few for p90, p99" in out
    assert "fake device" in out


def test_json_is_the_document(om, capsys):
    """--json prints a report of its schema."""
    assert 0 == main(["bench", om, "--iterations", "5", "--json"])
    report = json.loads(capsys.readouterr().out)
    schema.check(report, "aclrt-bench/1", "it")
    assert (5, 10, om) == tuple(report["runs"][0][n] for n in ("iterations", "warmup", "model"))


def test_files_are_written_where_asked(om, tmp_path, capsys):
    """JSON, CSV, HTML, outputs; --config measures the same again; diff takes the files."""
    folder = tmp_path / "out"
    flags = ["--iterations", "40", "--output", str(folder), "--csv", "--report", "html"]
    flags += ["--save-outputs", "bin", "--save-config", str(tmp_path / "c.json")]
    assert 0 == main(["bench", om, *flags])
    assert {"bench.json", "bench.csv", "bench.html", "outputs"} == {
        f.name for f in folder.iterdir()
    }
    assert 32 == (folder / "outputs/probs.bin").stat().st_size
    capsys.readouterr()
    assert 0 == main(["bench", "--config", str(tmp_path / "c.json"), "--iterations", "7", "--json"])
    assert 7 == json.loads(capsys.readouterr().out)["config"]["iterations"]
    report = str(folder / "bench.json")
    assert 0 == main(["bench", "diff", report, report, "--fail-on", "900%", "--json"])
    assert json.loads(capsys.readouterr().out)["ok"]
    worse = json.loads(Path(report).read_text())
    samples = worse["runs"][0]["samples"]
    worse["runs"][0]["samples"] = {name: [100 * v for v in row] for name, row in samples.items()}
    (tmp_path / "worse.json").write_text(json.dumps(worse))
    assert 1 == main(["bench", "diff", report, str(tmp_path / "worse.json"), "--metrics", "p50"])
    assert "worse" in capsys.readouterr().out


@pytest.mark.parametrize(
    "flags",
    [
        ["--streams", "0"],
        ["--csv"],
        ["--report", "html"],
        ["--percentiles", "a"],
        ["--duration", "0"],
        ["--devices", "0", "--device", "0"],
    ],
)
def test_wrong_usage(flags, om, capsys):
    """Code 2 and a word why; nothing is measured."""
    assert 2 == main(["bench", om, *flags])
    out, error = capsys.readouterr()
    assert "" == out
    assert flags[0] in error


def test_ctrl_c_ends_it(om):
    """A real interrupt during the measurement: code 130, one line, and the partial figures."""
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
    assert (130, "aclrt: interrupted\n") == (process.returncode, error)
    assert "INTERRUPTED: partial results" in out
