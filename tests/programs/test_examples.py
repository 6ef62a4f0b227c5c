# SPDX-License-Identifier: Apache-2.0
"""For each style of AscendCL program the same with aclrt.hpp, in a quarter of the length."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from programs.conftest import HERE, RECORDS, onnxruntime_library

EXAMPLES = HERE.parents[1] / "examples" / "cpp"
COUNTERPARTS = {
    "sync.cpp": "sync.cpp",
    "pipeline.cpp": "pipeline.cpp",
    "threads.cpp": "threads.cpp",
    "own_memory.cpp": "own_memory.c",
}


def lines(path: Path) -> int:
    return len(path.read_text("utf-8").splitlines())


@pytest.mark.parametrize("source", COUNTERPARTS)
def test_example_does_the_same_in_a_quarter(
    source: str, job: tuple[Path, Path, np.ndarray], tmp_path: Path
) -> None:
    """Built with the flags of aclrt-config; ONNX Runtime's results, nothing left on the device."""
    assert lines(EXAMPLES / source) <= lines(HERE / COUNTERPARTS[source]) / 4
    config = [sys.executable, "-m", "aclrt"]
    flags = [
        subprocess.run([*config, flag], capture_output=True, text=True, check=True).stdout.split()
        for flag in ("--cflags", "--libs")
    ]
    program = tmp_path / "program"
    command = ["g++", "-Wall", "-Wextra", "-Werror", "-pthread", *flags[0]]
    subprocess.run([*command, EXAMPLES / source, "-o", program, *flags[1]], check=True)
    om, records, expected = job
    ledger = tmp_path / "ledger.txt"
    engine = {"ACLRT_FAKE_ONNXRUNTIME": onnxruntime_library()}
    environment = {**os.environ, **engine, "ACLRT_FAKE_LEDGER": str(ledger)}
    done = subprocess.run(
        [program, om, records, tmp_path / "out.bin"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    given = np.fromfile(tmp_path / "out.bin", np.float32).reshape(RECORDS, 2, 4)
    np.testing.assert_allclose(given, expected, rtol=1e-5, atol=1e-6)
    assert '"live_objects":[]' in ledger.read_text("utf-8").replace(" ", "")
