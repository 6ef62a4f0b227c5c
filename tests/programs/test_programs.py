# SPDX-License-Identifier: Apache-2.0
"""Complete AscendCL programs, which know nothing of aclrt, on the drop-in directory.

Their outputs equal ONNX Runtime's own, and they leave nothing behind on the device.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from programs.conftest import RECORDS

PROGRAMS = {
    "sync.cpp": ("-lascendcl",),
    "pipeline.cpp": ("-lascendcl", "-lacl_dvpp", "-lacl_cblas"),
    "threads.cpp": ("-lacl_rt", "-lacl_mdl"),
    "own_memory.c": ("-lascendcl",),
}
SAID = {
    "sync.cpp": "no such model\ndone on Ascend310P3\n",
    "pipeline.cpp": "delivered 11 of 11, status 0, timed\n",
    "threads.cpp": "a new thread: 107002, then device 0\n",
    "own_memory.c": "x: 2 3 8 8\n",
}


def outputs(path: Path) -> np.ndarray:
    return np.fromfile(path, np.float32).reshape(RECORDS, 2, 4)


@pytest.mark.parametrize("source", PROGRAMS)
def test_program_runs_unchanged(
    source: str,
    compile_program: Callable[..., Path],
    run_program: Callable[..., object],
    job: tuple[Path, Path, np.ndarray],
    tmp_path: Path,
) -> None:
    """Right results, the expected words, nothing alive and nothing damaged at the end."""
    om, records, expected = job
    program = compile_program(source, *PROGRAMS[source])
    done = run_program(program, om, records, tmp_path / "out.bin")
    assert (done.code, done.err) == (0, "")
    assert done.out == SAID[source]
    np.testing.assert_allclose(outputs(tmp_path / "out.bin"), expected, rtol=1e-5, atol=1e-6)
    assert done.live == {}
    assert done.ledger["guards_damaged"] == 0
    assert not done.ledger["state"]["initialised"]


@pytest.mark.parametrize("source", PROGRAMS)
@pytest.mark.parametrize("how", ["run", "env"])
def test_program_runs_by_the_command(
    source: str,
    how: str,
    compile_program: Callable[..., Path],
    job: tuple[Path, Path, np.ndarray],
    tmp_path: Path,
) -> None:
    """`aclrt fake run -- PROGRAM` and `eval "$(aclrt fake env)"` set up all that it needs."""
    om, records, expected = job
    program = compile_program(source, *PROGRAMS[source])
    arguments = [str(program), str(om), str(records), str(tmp_path / "out.bin")]
    command = [sys.executable, "-m", "aclrt", "fake", "run", "--", *arguments]
    if how == "env":
        evaluate = f'eval "$("{sys.executable}" -m aclrt fake env)" && exec "$@"'
        command = ["sh", "-c", evaluate, "sh", *arguments]
    inherited = {name: v for name, v in os.environ.items() if not name.startswith("ACLRT_")}
    done = subprocess.run(command, env=inherited, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", SAID[source])
    np.testing.assert_allclose(outputs(tmp_path / "out.bin"), expected, rtol=1e-5, atol=1e-6)


def test_program_reports_what_it_did_wrong(
    compile_program: Callable[..., Path], run_program: Callable[..., object], tmp_path: Path
) -> None:
    """A file that is no model: the program's own error path, with a code and a text."""
    bad = tmp_path / "bad.om"
    bad.write_bytes(b"no model" * 100)
    program = compile_program("sync.cpp", *PROGRAMS["sync.cpp"])
    done = run_program(program, bad, bad, tmp_path / "out.bin")
    assert done.code == 1
    assert "aclmdlQuerySize(path, &work_size_, &weight_size_): 145000 E" in done.err
