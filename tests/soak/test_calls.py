# SPDX-License-Identifier: Apache-2.0
"""Many inferences in one process: resident memory stays flat, the ledger the same.

Short by default; ``ACLRT_SOAK=1000000 pytest tests/soak`` is the whole soak, a million bound calls
and a tenth of that of each other kind.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SHORT = 50_000
CALLS = int(os.environ.get("ACLRT_SOAK", SHORT))
# Of resident memory over the last 80 %: what 50,000 calls may hold is a page or two of an
# interpreter's pool, and a leak of one object a call would be megabytes.
BOUND = 256 * 1024

CHILD = """
import json, os, sys
import numpy as np
import aclrt

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")

def held():
    return {k: (v["live"], v["live_bytes"]) for k, v in aclrt.fake.ledger()["objects"].items()}

model = aclrt.OfflineModel(sys.argv[1])
kind, calls = sys.argv[2], int(sys.argv[3])
x, y = np.ones((2, 3), np.float32), np.empty((2, 3), np.float32)
call = {
    "plain": lambda: model(x),
    "out": lambda: model({"x": x}, out=y),
    "strided": lambda: model(np.ones((2, 6), np.float32)[:, ::2]),
    "bound": lambda: model.bind(x=x, y=y),
}[kind]
if kind == "bound":
    call = call()
samples = []
for part in range(100):
    for _ in range(calls // 100):
        call()
    samples.append(resident())
    if part == 20:
        before = held()
print(json.dumps({"samples": samples, "same": before == held()}))
"""


@pytest.mark.parametrize("kind", ["plain", "out", "strided", "bound"])
@pytest.mark.timeout(3600)
def test_calls_leave_nothing(om_factory, tmp_path: Path, kind: str) -> None:
    """Whichever way is called."""
    model = tmp_path / "model.om"
    model.write_bytes(om_factory.identity())
    calls = CALLS if kind == "bound" else max(CALLS // 10, 10_000)
    done = subprocess.run(
        [sys.executable, "-c", CHILD, model, kind, str(calls)],
        env=os.environ
        | {
            "ACLRT_FAKE_ENGINE": "synthetic",
            "ACLRT_FAKE_PROFILE": "null",
            "ACLRT_FAKE_WINDOW": "1",
            "MALLOC_ARENA_MAX": "1",
            "MALLOC_TRIM_THRESHOLD_": "0",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert (0, "") == (done.returncode, done.stderr)
    result = json.loads(done.stdout)
    assert result["same"]
    growth = result["samples"][-1] - result["samples"][20]
    assert growth < BOUND, f"{growth} bytes more after {calls} {kind} calls"
