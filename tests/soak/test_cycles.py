# SPDX-License-Identifier: Apache-2.0
"""10,000 load, run, unload cycles in one process: nothing stays, memory does not grow."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from aclrt import config

CYCLES = 10_000
# Over the last 80 % of the run: 26 bytes a cycle; a leaked object is larger.
BOUND = 256 * 1024


def test_cycles_leave_nothing(
    om_factory, tmp_path: Path, record_property: pytest.RecordProperty
) -> None:
    """No live object or byte, and resident memory flat from a fifth of the run on."""
    model = tmp_path / "model.om"
    model.write_bytes(om_factory.identity())
    named = os.environ.get("ACLRT_TEST_FAKE")
    library = named or str(Path(config.get_library_dir()) / "fake" / "libascendcl.so")
    spec = find_spec("onnxruntime")
    assert spec, "onnxruntime is needed (aclrt[test])"
    onnxruntime = next(Path(str(spec.origin)).parent.glob("capi/libonnxruntime.so*"))
    child = Path(__file__).with_name("cycles.py")
    done = subprocess.run(
        [sys.executable, child, library, onnxruntime, model, str(CYCLES)],
        # Freed memory goes back at once, so that what is measured is what is in use.
        env=os.environ | {"MALLOC_ARENA_MAX": "1", "MALLOC_TRIM_THRESHOLD_": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)
    assert record["executes"] == CYCLES
    assert (record["live"], record["live_bytes"], record["guards_damaged"]) == (0, 0, 0)
    steady = record["samples"][len(record["samples"]) // 5 :]
    tenth = max(len(steady) // 10, 1)
    growth = sum(steady[-tenth:]) // tenth - sum(steady[:tenth]) // tenth
    record_property("resident_growth_bytes", growth)
    assert growth < BOUND, f"{growth} bytes more after {CYCLES} cycles"
