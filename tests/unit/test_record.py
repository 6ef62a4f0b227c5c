# SPDX-License-Identifier: Apache-2.0
"""Records of AscendCL's calls, and replaying them: a failure happens again at the same call."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import numpy as np
import pytest

import aclrt
from aclrt import schemas
from aclrt.cli import main

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


def replay(
    record: Path, *program: str, report: Path | None = None, strict: bool = False
) -> subprocess.CompletedProcess[str]:
    options = [] if report is None else ["--report", str(report)]
    options += ["--strict"] if strict else []
    replayed = (sys.executable, "-m", "aclrt", "fake", "replay", *options, str(record))
    return run(*replayed, "--", *program)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("function=aclrtMemcpy,nth=3,code=507899", 507899),
        ("function=aclrtMemcpy,nth=4,code=507010,action=lose-device", 507010),
        ("function=aclrtMemcpy,nth=2,code=507054,action=lose-device", 507054),
        ("function=aclrtMemcpy,nth=2,code=507901,action=lose-device", 507901),
    ],
    ids=["code", "device-lost", "device-lost-by-its-memory", "device-lost-by-its-link"],
)
def test_a_recorded_failure_happens_again(tmp_path: Path, fault: str, code: int) -> None:
    """At the same call, with the same code, and the report says so."""
    made = str(tmp_path / "trace-%p.aclrec")
    first = run(sys.executable, "-c", PROGRAM, ACLRT_FAKE_FAULTS=fault, ACLRT_RECORD=made)
    assert "Error" in first.stdout, first.stderr
    (record,) = tmp_path.glob("trace-*.aclrec")
    report = tmp_path / "report.json"
    again = replay(record, sys.executable, "-c", PROGRAM, report=report)
    assert again.stdout == first.stdout
    assert "replayed 1 of 1 failures" in again.stderr
    found = json.loads(report.read_text())
    jsonschema.validate(found, schemas.schema("aclrt-replay/1"))
    assert (found["exit_code"], found["missing"], found["notes"]) == (0, [], [])
    recording = aclrt.Recording(record)
    (failure,) = recording.failures
    assert isinstance(failure, aclrt.RecordedFailure)
    assert (failure.function, failure.code) == ("aclrtMemcpy", code)
    assert str(code) in failure.message
    assert failure.loses_device == (code != 507899)
    assert [call.n for call in recording.calls] == list(range(1, len(recording.calls) + 1))
    copies = [call for call in recording.calls if call.function == "aclrtMemcpy"]
    assert (copies[0].nbytes, copies[0].data_nbytes) == (32, 0)
    assert recording.counts()["aclInit"] == 1
    assert all(call.end_ns >= call.begin_ns for call in recording.calls)
    assert recording.header["pid"] == int(record.stem.removeprefix("trace-"))
    assert not Path(f"{record}.data").exists()


def test_what_did_not_come_again_is_told(tmp_path: Path) -> None:
    """A program that goes another way; one without aclrt; the exit code is the program's."""
    record = tmp_path / "trace.aclrec"
    fault = "function=aclrtMemcpy,nth=3,code=507899"
    run(sys.executable, "-c", PROGRAM, ACLRT_FAKE_FAULTS=fault, ACLRT_RECORD=str(record))
    other = replay(
        record, sys.executable, "-c", "import aclrt; aclrt.devices(); raise SystemExit(7)"
    )
    assert (other.returncode, "replayed 0 of 1" in other.stderr) == (7, True)
    assert "MISSING" in other.stderr
    assert "it was called 0 times" in other.stderr
    without = replay(record, sys.executable, "-c", "", strict=True)
    assert without.returncode == 3
    assert "no call of AscendCL through aclrt" in without.stderr
    killed = replay(record, sys.executable, "-c", "import os; os.kill(os.getpid(), 15)")
    assert killed.returncode == 128 + 15


def test_the_record_s_machine_is_played(tmp_path: Path) -> None:
    """Its chip and number of devices, unless the user says otherwise."""
    record = tmp_path / "trace.aclrec"
    program = "import aclrt; print([(d.id, d.soc_name) for d in aclrt.devices()])"
    made = run(
        *(sys.executable, "-c", program),
        ACLRT_RECORD=str(record),
        ACLRT_FAKE_PROFILE="rc",
        ACLRT_FAKE_DEVICES="3",
        ACLRT_FAKE_FAULTS="function=aclFinalizeReference,nth=1,code=500000; "
        "function=aclFinalize,nth=1,code=500000",
    )
    recording = aclrt.Recording(record)
    assert (recording.soc_name, recording.device_count) == ("Ascend310B1", 3)
    again = replay(record, sys.executable, "-c", program)
    assert again.stdout == made.stdout
    text = record.read_text().replace("Ascend310B1", "Ascend999")
    record.write_text(text)
    assert "Ascend999, which the fake does not play" in replay(record, "true").stderr


def test_recording_and_replaying_a_part(tmp_path: Path) -> None:
    """In one process: what tensors held, a fault, and the fault again by its record alone."""
    path = tmp_path / "part.aclrec"
    x = np.arange(8, dtype=np.float32)

    def work() -> str:
        try:
            with aclrt.DeviceTensor.from_numpy(x) as tensor:
                tensor.numpy()
                tensor.numpy()
        except aclrt.AclError as error:
            return f"{type(error).__name__} {error.code}"
        return "fine"

    with (
        aclrt.record(path, data=16),
        aclrt.fake.fault(function="aclrtMemcpy", nth=3, code=507899),
    ):
        first = work()
    assert first == "AclError 507899"
    recording = aclrt.Recording(path)
    copies = [call for call in recording.calls if call.function == "aclrtMemcpy"]
    assert isinstance(copies[0], aclrt.RecordedCall)
    assert [recording.data(call) for call in copies] == [x[:4].tobytes()] * 2 + [b""]
    assert (recording.soc_name, recording.device_count) == ("Ascend310P3", 1)
    assert recording.to_dict()["data_nbytes"] == 32
    assert [call.data_offset for call in copies] == [0, 16, 0]
    assert "soc_name" in {call.tells for call in recording.calls} | set(recording.header)
    assert work() == "fine"
    with aclrt.fake.replay(path) as report:
        assert work() == first
    assert isinstance(report, aclrt.fake.Replay)
    assert (report.is_complete, len(report.came_again)) == (True, 1)
    with aclrt.fake.replay(path) as report:
        pass
    assert (report.is_complete, report.missing) == (False, recording.failures)
    assert "MISSING" in report.text()
    assert report.to_dict()["exit_code"] is None
    assert work() == "fine"
    Path(f"{path}.data").write_bytes(b"")
    with pytest.raises(aclrt.InputError, match="cut short"):
        recording.data(copies[0])


def test_a_record_is_told_in_short(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "part.aclrec"
    with aclrt.record(path, data="all"):
        aclrt.DeviceTensor.from_numpy(np.ones(4, np.int8)).close()
    assert main(["fake", "show", str(path)]) == 0
    text = capsys.readouterr().out
    assert "aclrtMemcpy" in text
    assert "4 bytes of copies" in text
    for wrong in (-1, "some", 1.5):
        with pytest.raises(aclrt.InputError, match="data"), aclrt.record(path, data=wrong):  # type: ignore[arg-type]
            pass


def test_answers_and_what_follows_are_no_failures(tmp_path: Path) -> None:
    """Adopting what is initialised, a lost device's later answers; a second loss is one again."""
    calls = [
        ("aclInit", 100002, "initialised"),
        ("aclrtMemcpy", 507010, None),
        ("aclrtFree", 507010, None),
        ("aclrtResetDevice", 507010, None),
        ("aclrtMemcpy", 507010, None),
        ("aclrtFree", 507010, None),
    ]
    lines = [json.dumps({"schema": "aclrec/2"})]
    for n, (function, code, tells) in enumerate(calls, 1):
        call = {"n": n, "thread": 1, "function": function, "begin_ns": 1, "end_ns": 2}
        lines.append(json.dumps({**call, "arguments": [], "code": code, "tells": tells}))
    record = tmp_path / "trace.aclrec"
    record.write_text("\n".join(lines) + "\n")
    found = [(one.function, one.nth, one.code) for one in aclrt.Recording(record).failures]
    assert found == [("aclrtMemcpy", 1, 507010), ("aclrtMemcpy", 2, 507010)]


def test_an_adopted_initialisation_is_no_failure(tmp_path: Path) -> None:
    """Replayed as one, nothing would be initialised."""
    record = tmp_path / "trace.aclrec"
    program = (
        "import ctypes, pathlib, aclrt.config\n"
        "folder = pathlib.Path(aclrt.config.get_library_dir(), 'fake')\n"
        "assert ctypes.CDLL(str(folder / 'libascendcl.so')).aclInit(None) == 0\n"
        "print(len(aclrt.devices()))"
    )
    done = run(sys.executable, "-c", program, ACLRT_RECORD=str(record))
    assert done.returncode == 0, done.stderr
    recording = aclrt.Recording(record)
    assert "initialised" in {call.tells for call in recording.calls}
    assert recording.failures == ()


def test_a_record_that_is_being_made_is_not_spoilt(tmp_path: Path) -> None:
    """By another process of the same name, nor by another block of this one."""
    path = tmp_path / "trace.aclrec"
    with aclrt.record(path):
        aclrt.DeviceTensor.from_numpy(np.ones(4, np.int8)).close()
        before = path.read_bytes()
        child = run(sys.executable, "-c", "import aclrt; aclrt.init()", ACLRT_RECORD=str(path))
        assert (child.returncode, "is being recorded to already" in child.stderr) == (1, True)
        with pytest.raises(OSError, match="put %p in the path"), aclrt.record(path):
            pass
        assert path.read_bytes() == before
    with aclrt.record(path):
        pass
    assert aclrt.Recording(path).calls == []


CALL = (
    '{"n": 1, "thread": 1, "function": "aclrtMalloc", "begin_ns": 1, "end_ns": 2, '
    '"arguments": [], "code": 207001}\n'
)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{}\n", "not a record"),
        ("", "not a record"),
        ('{"schema": "aclrec/3"}\n', "aclrec/3"),
        ('{"schema": "aclrec/2"}\n', "no failing call"),
        ('{"schema": "aclrec/2"}\n' + CALL[:-9], "no failing call"),
        ('{"schema": "aclrec/2"}\n[]\n' + CALL, "line 2"),
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
    assert "cannot write the record" in done.stderr


def test_a_wrong_amount_of_data_is_an_error(tmp_path: Path) -> None:
    record = str(tmp_path / "trace.aclrec")
    variables = {"ACLRT_RECORD": record, "ACLRT_RECORD_DATA": "much"}
    done = run(sys.executable, "-c", "import aclrt; aclrt.init()", **variables)
    assert done.returncode != 0
    assert "ACLRT_RECORD_DATA" in done.stderr
