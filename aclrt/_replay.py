# SPDX-License-Identifier: Apache-2.0
"""What was recorded, once more on the fake device: its failures at the same calls, its board."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import _drop_in, _faults, config
from .errors import InputError
from .recording import RecordedFailure, Recording

__all__ = ["Replay", "replay", "run"]

_USUAL = "atlas300i-pro"  # the board where nothing is asked for


@dataclass
class Replay:
    """What became of a record's failures.

    ``came_again`` and ``missing`` are complete when the program or the block has ended; ``notes``
    says what of the record's machine the fake could not play, ``calls`` how often the program
    called each function of those that failed. ``exit_code`` is the program's.
    """

    record: str
    failures: tuple[RecordedFailure, ...]
    came_again: tuple[RecordedFailure, ...] = ()
    missing: tuple[RecordedFailure, ...] = ()
    notes: tuple[str, ...] = ()
    calls: Mapping[str, int] = field(default_factory=dict)
    exit_code: int | None = None

    @property
    def is_complete(self) -> bool:
        """Whether every failure came again."""
        return not self.missing

    def to_dict(self) -> dict[str, Any]:
        """As ``aclrt fake replay --report`` writes it, schema ``aclrt-replay/1``."""

        def plain(failures: Sequence[RecordedFailure]) -> list[dict[str, Any]]:
            return [failure._asdict() for failure in failures]

        return {
            "schema": "aclrt-replay/1",
            "record": self.record,
            "exit_code": self.exit_code,
            "came_again": plain(self.came_again),
            "missing": plain(self.missing),
            "calls": dict(self.calls),
            "notes": list(self.notes),
        }

    def text(self) -> str:
        """A line for each failure, and the notes."""
        lines = [f"replayed {len(self.came_again)} of {len(self.failures)} failures"]
        for failure in self.failures:
            word = "again" if failure in self.came_again else "MISSING"
            lines.append(f"  {word:8}{failure.function} #{failure.nth}: {failure.code}")
            called = self.calls.get(failure.function)
            if failure in self.missing and called is not None and called < failure.nth:
                lines.append(f"          it was called {called} times")
            if failure.message:
                lines.append(f"          {failure.message.strip().splitlines()[0]}")
        lines += [f"  note: {note}" for note in self.notes]
        return "\n".join(lines)


def _failing(record: str | os.PathLike[str]) -> Recording:
    recording = Recording(record)
    if not recording.failures:
        raise InputError(
            f"{recording.path} holds no failing call, so there is nothing to replay",
            hint="aclrt fake run -- PROGRAM runs it without faults",
        )
    return recording


def _boards() -> dict[str, str]:
    """The chip of each board that the fake has a profile of."""
    folder = Path(config.get_library_dir(), "fake", "profiles")
    return {
        path.stem: json.loads(path.read_text("utf-8"))["soc_name"]["value"]
        for path in sorted(folder.glob("*.json"))
    }


def _machine(recording: Recording, given: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The variables that play the record's machine, for those the user has not set; what cannot."""
    wanted: dict[str, str] = {}
    notes: list[str] = []
    soc_name, count = recording.soc_name, recording.device_count
    boards = _boards()
    if soc_name not in (None, boards[_USUAL]) and "ACLRT_FAKE_PROFILE" not in given:
        fitting = [name for name, chip in boards.items() if chip == soc_name]
        if fitting:
            wanted["ACLRT_FAKE_PROFILE"] = fitting[0]
        else:
            chips = ", ".join(sorted(set(boards.values())))
            notes.append(f"the record is of {soc_name}, which the fake does not play ({chips})")
    if count is not None and "ACLRT_FAKE_DEVICES" not in given:
        wanted["ACLRT_FAKE_DEVICES"] = str(count)
    return wanted, notes


def _settle(report: Replay, happened: Sequence[RecordedFailure]) -> None:
    again = {(one.function, one.nth, one.code) for one in happened}
    came = [one for one in report.failures if (one.function, one.nth, one.code) in again]
    report.came_again = tuple(came)
    report.missing = tuple(one for one in report.failures if one not in came)


def run(record: str | os.PathLike[str], program: Sequence[str]) -> Replay:
    """Runs a program on the fake device with the failures of a record.

    The nth call of a function, counted over all threads of a process, fails with the code that the
    nth call had; from a code that means so on the device is lost. Chip and number of devices are
    the record's, unless ``ACLRT_FAKE_PROFILE`` or ``ACLRT_FAKE_DEVICES`` says otherwise.

    Args:
        record: What ``ACLRT_RECORD`` or ``aclrt.record`` wrote.
        program: The program and its arguments.

    Returns:
        Which failures came again, and the program's exit code (128 + n where signal n ended it).

    Raises:
        InputError: The file is no record, or holds no failing call.
        OSError: The record cannot be read, or the program not be started.
    """
    recording = _failing(record)
    variables, notes = _machine(recording, os.environ)
    report = Replay(recording.path, recording.failures, notes=tuple(notes))
    with tempfile.TemporaryDirectory(prefix="aclrt-replay-") as folder:
        environment = {**os.environ, **_drop_in.environment(), **variables}
        environment["ACLRT_BACKEND"] = "fake"
        environment["ACLRT_RECORD"] = str(Path(folder, "%p.aclrec"))
        environment.pop("ACLRT_RECORD_DATA", None)
        environment["ACLRT_FAKE_FAULTS"] = "; ".join(one.fault for one in report.failures)
        report.exit_code = _finished(program, environment)
        made = [Recording(path) for path in sorted(Path(folder).glob("*.aclrec"))]
    _settle(report, [failure for one in made for failure in one.failures])
    called = Counter[str]()
    for one in made:
        called.update(one.counts())
    report.calls = {failure.function: called[failure.function] for failure in report.failures}
    if not any(one.calls for one in made):
        report.notes += ("the program made no call of AscendCL through aclrt",)
    return report


def _finished(program: Sequence[str], environment: Mapping[str, str]) -> int:
    """The exit code of a program, which alone gets Ctrl-C."""
    before = None
    if threading.current_thread() is threading.main_thread():
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        # The child asks for what it was: an ignored signal would stay ignored in it.
        code = subprocess.Popen(program, env=environment, preexec_fn=_take_interrupts).wait()
    finally:
        if before is not None:
            signal.signal(signal.SIGINT, before)
    return code if code >= 0 else 128 - code


def _take_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def replay(record: str | os.PathLike[str]) -> Iterator[Replay]:
    """Arms the failures of a record inside of a ``with`` block, for tests of one's own program.

    Calls are counted from where the block begins, as ``aclrt.record`` counts them; a record of
    ``ACLRT_RECORD`` begins with ``aclInit``, so it is for ``aclrt fake replay``. Other faults that
    are armed stay so.

    Args:
        record: What ``aclrt.record`` wrote.

    Yields:
        The report, complete when the block has ended.

    Raises:
        InputError: The file is no record, or holds no failing call.
        OSError: It cannot be read.
        BackendError: The backend in use is not the fake.
    """
    recording = _failing(record)
    report = Replay(recording.path, recording.failures)
    armed = {}
    try:
        for one in report.failures:
            action = "lose-device" if one.loses_device else "fail"
            number = _faults.arm(function=one.function, nth=one.nth, code=one.code, action=action)
            armed[number] = one
        yield report
    finally:
        struck = {site["fault"] for site in _faults.fired()}
        for number in armed:
            _faults.disarm(number)
        _settle(report, [one for number, one in armed.items() if number in struck])
