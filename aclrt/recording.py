# SPDX-License-Identifier: Apache-2.0
"""Records of AscendCL's calls: making one, reading one.

>>> with aclrt.record("trace.aclrec", data="all"):     # doctest: +SKIP
...     model(x)
>>> aclrt.Recording("trace.aclrec").failures           # doctest: +SKIP

``ACLRT_RECORD`` makes one of a whole process. Calls are seen below the shim, on a card as on the
fake; outside of the block recording costs nothing.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from . import _check, _codes
from .errors import DeviceLostError, InputError, class_of

__all__ = ["RecordedCall", "RecordedFailure", "Recording", "record"]

SCHEMA = "aclrec/2"
_MOST_BYTES = 2**64 - 1


@contextmanager
def record(path: str | os.PathLike[str], *, data: int | str = 0) -> Iterator[None]:
    """Records every call of AscendCL that aclrt makes inside of a ``with`` block, in all threads.

    Lines are written as calls end, so that a process that is killed leaves what it did until then.
    Functions that ``aclrt.compat.acl`` has looked up before are not seen.

    Args:
        path: The file; one that is there is emptied. ``%p`` becomes the process's number.
        data: How many bytes of each copy between host and device to keep, in ``path.data``;
            ``"all"``: whatever their size. 0, the default: what tensors hold is not recorded.

    Raises:
        InputError: ``data`` is something else.
        OSError: The file cannot be written.
        BackendError: No usable libascendcl.
    """
    from . import runtime
    from ._ffi import ffi, lib, raise_for

    nbytes = _MOST_BYTES
    if data != "all":
        nbytes = 0 if data == 0 else _check.count_of(data, "data", _MOST_BYTES)
    runtime.ensure()
    name = os.fspath(path)
    raw = ffi.new("aclrt_record_t **")
    raise_for(lib.aclrt_record_start(os.fsencode(name), nbytes, raw), name)
    try:
        yield
    finally:
        lib.aclrt_record_release(raw[0])


class RecordedCall(NamedTuple):
    """One call of AscendCL.

    ``arguments`` are words: numbers and addresses. ``code`` is None for functions without one, then
    ``result`` has what they returned. ``output`` is what a call wrote through its first pointer to
    a number or handle; ``text`` the words that it returned, or was given (a file's path).
    ``nbytes`` is what it moved or made, ``data_nbytes`` how much of that is in the record, from
    ``data_offset`` on. ``tells`` is ``"soc_name"``, ``"device_count"``, ``"message"``,
    ``"no_context"`` or ``"initialised"`` (already) where that is what the call told.
    """

    n: int
    thread: int
    function: str
    begin_ns: int
    end_ns: int
    arguments: tuple[int, ...]
    code: int | None
    result: int | None
    output: int | None
    text: str | None
    nbytes: int
    data_offset: int
    data_nbytes: int
    tells: str | None


class RecordedFailure(NamedTuple):
    """A recorded call that failed: the nth of its function (from 1), its code, CANN's message."""

    function: str
    nth: int
    code: int
    message: str = ""

    @property
    def loses_device(self) -> bool:
        """Whether the code means that the device is gone."""
        known = _codes.find(self.code)
        return known is not None and class_of(known.kind) is DeviceLostError

    @property
    def fault(self) -> str:
        """As ``ACLRT_FAKE_FAULTS`` takes it; a lost device stays lost."""
        text = f"function={self.function},nth={self.nth},code={self.code}"
        return f"{text},action=lose-device" if self.loses_device else text


class Recording:
    """A record that was made by ``ACLRT_RECORD`` or ``aclrt.record``.

    A last line that is cut short, as a killed process leaves it, is not looked at.

    Args:
        path: The file.

    Raises:
        InputError: It is no record, or one of another version, or a line is damaged.
        OSError: It cannot be read.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        with Path(path).open(encoding="utf-8", errors="replace") as file:
            lines = file.read().split("\n")
        self.header: dict[str, Any] = _parsed(lines[0])
        schema = str(self.header.get("schema", ""))
        if not schema.startswith("aclrec/"):
            raise InputError(
                f"{self.path} is not a record of AscendCL's calls",
                hint="run the program with ACLRT_RECORD=trace.aclrec to make one",
            )
        if schema != SCHEMA:
            raise InputError(
                f"{self.path} is of version {schema}; this aclrt reads {SCHEMA}",
                hint="use the aclrt that wrote it",
            )
        self.calls: list[RecordedCall] = []
        for number, line in enumerate(lines[1:-1], 2):
            raw = _parsed(line)
            try:
                self.calls.append(_call(raw))
            except (KeyError, TypeError):
                raise InputError(
                    f"{self.path}, line {number}: not a call", hint="record again"
                ) from None

    def data(self, call: RecordedCall) -> bytes:
        """What a copy carried, as far as it was recorded; ``b""`` where nothing was.

        Raises:
            InputError: The file beside the record is shorter than the record says.
            OSError: It cannot be read.
        """
        if call.data_nbytes == 0:
            return b""
        with Path(self.path + ".data").open("rb") as file:
            file.seek(call.data_offset)
            found = file.read(call.data_nbytes)
        if len(found) != call.data_nbytes:
            raise InputError(f"{self.path}.data is cut short", hint="copy both files")
        return found

    @cached_property
    def soc_name(self) -> str | None:
        """The chip, ``"Ascend310P3"``; None if nobody asked for it."""
        told = [call.text for call in self.calls if call.tells == "soc_name"]
        return next(filter(None, [self.header.get("soc_name"), *told]), None)

    @cached_property
    def device_count(self) -> int | None:
        """How many devices there were; None if nobody asked."""
        told = [call.output for call in self.calls if call.tells == "device_count"]
        return next(filter(None, [self.header.get("device_count"), *told]), None)

    @cached_property
    def failures(self) -> tuple[RecordedFailure, ...]:
        """The calls that failed, in order; of a lost device the first that said so.

        Later answers of a device that is lost follow from the first, until one is reset.
        """
        seen: Counter[str] = Counter()
        found: list[RecordedFailure] = []
        lost: int | None = None
        waiting: dict[int, int] = {}  # by thread: its failure that has no message yet
        for call in self.calls:
            seen[call.function] += 1
            if call.tells == "message":
                place = waiting.pop(call.thread, None)
                if place is not None:
                    found[place] = found[place]._replace(message=call.text or "")
                continue
            follows = call.code == lost
            if "ResetDevice" in call.function:
                lost = None
            if not call.code or follows or call.tells is not None:
                continue
            failure = RecordedFailure(call.function, seen[call.function], call.code)
            if lost is None and failure.loses_device:
                lost = call.code
            waiting[call.thread] = len(found)
            found.append(failure)
        return tuple(found)

    def to_dict(self) -> dict[str, Any]:
        """What is in it, in short: ``aclrt fake show --json``, schema ``aclrt-record/1``."""
        return {
            "schema": "aclrt-record/1",
            "path": self.path,
            "aclrt_version": str(self.header.get("aclrt_version", "")),
            "backend": str(self.header.get("backend", "")),
            "soc_name": self.soc_name,
            "device_count": self.device_count,
            "threads": len({call.thread for call in self.calls}),
            "calls": self.counts(),
            "failures": [failure._asdict() for failure in self.failures],
            "data_nbytes": sum(call.data_nbytes for call in self.calls),
        }

    def counts(self) -> dict[str, int]:
        """How often each function was called, the most frequent first."""
        return dict(Counter(call.function for call in self.calls).most_common())


def _call(raw: dict[str, Any]) -> RecordedCall:
    return RecordedCall(
        n=int(raw["n"]),
        thread=int(raw["thread"]),
        function=str(raw["function"]),
        begin_ns=int(raw["begin_ns"]),
        end_ns=int(raw["end_ns"]),
        arguments=tuple(raw["arguments"]),
        code=raw.get("code"),
        result=raw.get("result"),
        output=raw.get("output"),
        text=raw.get("text", raw.get("input_text")),
        nbytes=int(raw.get("bytes", 0)),
        data_offset=int(raw.get("data_offset", 0)),
        data_nbytes=int(raw.get("data_nbytes", 0)),
        tells=raw.get("tells"),
    )


def _parsed(line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
