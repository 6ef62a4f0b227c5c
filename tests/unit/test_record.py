# SPDX-License-Identifier: Apache-2.0
"""``ACLRT_RECORD`` and ``aclrt fake replay``: a failure happens again at the same call."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import aclrt
import numpy as np
for turn in range(4):
    try:
        aclrt.DeviceTensor.from_numpy(np.ones(8, np.float32)).numpy()
        print(turn, "fine")
    except aclrt.AclrtError as error:
        print(turn, type(error).__name__, getattr(error, "code", None))
"""


def run(*command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ACLRT_")}
    environment.update(ACLRT_BACKEND="fake", **variables)
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)


def replay(record: Path, *program: str) -> subprocess.CompletedProcess[str]:
    return run(sys.executable, "-m", "aclrt", "fake", "replay", str(record), "--", *program)


@pytest.mark.parametrize(
    "fault",
    [
        "function=aclrtMemcpy,nth=3,code=507899",
        "function=aclrtMemcpy,nth=4,code=507010,action=lose-device",
    ],
    ids=["code", "device-lost"],
)
def test_a_recorded_failure_happens_again(tmp_path: Path, fault: str) -> None:
    record = tmp_path / "trace.aclrec"
    first = run(sys.executable, "-c", PROGRAM, ACLRT_FAKE_FAULTS=fault, ACLRT_RECORD=str(record))
    assert "Error" in first.stdout, first.stderr
    again = replay(record, sys.executable, "-c", PROGRAM)
    assert again.stdout == first.stdout
    header, *calls = [json.loads(line) for line in record.read_text().splitlines()]
    assert (header["schema"], header["backend"]) == ("aclrec/1", "fake")
    assert [call["n"] for call in calls] == list(range(1, len(calls) + 1))
    copies = [call for call in calls if call["function"] == "aclrtMemcpy"]
    assert copies[0]["bytes"] == 32
    assert all(call["end_ns"] >= call["begin_ns"] for call in copies)


CALL = '{"function": "aclrtMalloc", "code": 207001}\n'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{}\n", "not a record"),
        ("", "not a record"),
        ('{"schema": "aclrec/2"}\n', "aclrec/2"),
        ('{"schema": "aclrec/1"}\n', "no failing call"),
        ('{"schema": "aclrec/1"}\n' + CALL[:-9], "no failing call"),
        ('{"schema": "aclrec/1"}\n[]\n' + CALL, "line 2"),
    ],
)
def test_what_is_no_record_is_refused(tmp_path: Path, text: str, says: str) -> None:
    record = tmp_path / "trace.aclrec"
    record.write_text(text)
    done = replay(record, "true")
    assert done.returncode != 0
    assert says in done.stderr


def test_a_record_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    done = run(sys.executable, "-c", "import aclrt; aclrt.init()", ACLRT_RECORD=str(tmp_path))
    assert done.returncode != 0
    assert "ACLRT_RECORD" in done.stderr
