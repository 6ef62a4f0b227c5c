# SPDX-License-Identifier: Apache-2.0
"""The fake device's board and trace, as Python sees them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import aclrt


def test_profile_is_the_default_board() -> None:
    """Without any variable it is a 300I Pro that adds no time."""
    profile = aclrt.fake.profile()
    assert profile["name"] == "atlas300i-pro"
    assert profile["timed"] is False
    assert profile["seed"] is None


def test_trace_is_empty_in_real_time() -> None:
    """Only the deterministic scheduler keeps one."""
    assert aclrt.fake.trace() == []


def run_seeded(path: Path, seed: int) -> list[dict[str, Any]]:
    """The trace of a run of a model in a process of its own."""
    code = (
        "import json, sys, numpy as np, aclrt\n"
        "with aclrt.OfflineModel(sys.argv[1]) as model:\n"
        "    model(np.zeros((2, 3), np.float32))\n"
        "    print(json.dumps(aclrt.fake.trace()))\n"
    )
    env = os.environ | {"ACLRT_FAKE_SEED": str(seed), "ACLRT_FAKE_PROFILE": "null"}
    done = subprocess.run(
        [sys.executable, "-c", code, path], env=env, capture_output=True, text=True, check=True
    )
    trace: list[dict[str, Any]] = json.loads(done.stdout)
    return trace


def test_trace_of_one_run(om_factory: Any, tmp_path: Path) -> None:
    """With ACLRT_FAKE_SEED: a copy in, an execute of 1 ms, a copy out, the same each time."""
    path = tmp_path / "model.om"
    path.write_bytes(om_factory.identity())
    trace = run_seeded(path, 7)
    assert [entry["engine"] for entry in trace] == ["h2d", "compute", "d2h"]
    assert trace[1]["end_us"] - trace[1]["begin_us"] == 1000
    assert run_seeded(path, 7) == trace
