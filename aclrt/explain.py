# SPDX-License-Identifier: Apache-2.0
"""What AscendCL's status codes mean, what usually causes them, and what to try.

>>> from aclrt import explain
>>> found = explain.lookup("aclmdlExecute failed, ret = 507018")
>>> found.codes[0].name
'ACL_ERROR_RT_AICPU_EXCEPTION'

Ids of CANN's messages (``EE1001``) and of the fake's checks (``ACLFAKE-STR-01``) are explained
too. The same knowledge is in every exception of AscendCL: ``layer``, ``meaning``, ``causes``,
``hint``, ``explain()``. Nothing compiled is needed.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
from dataclasses import dataclass
from typing import Any

from . import _codes, _messages
from .errors import InputError, class_of

__all__ = [
    "CheckExplanation",
    "Explanation",
    "Findings",
    "MessageExplanation",
    "UnknownCode",
    "codes",
    "lookup",
]

_TOKEN = re.compile(
    r"0[xX](?P<hex>[0-9a-fA-F]{1,8})(?![0-9a-zA-Z_])"
    r"|(?<![0-9a-zA-Z_.])(?P<decimal>\d{6})(?![0-9a-zA-Z_]|\.\d)"
    r"|(?<![0-9a-zA-Z_])(?P<name>ACL_[A-Z0-9_]+)",
    re.IGNORECASE,
)
_MESSAGE = re.compile(r"(?<![0-9a-zA-Z_])E(?:\d{5}|[A-Z]\d{4})(?![0-9a-zA-Z_])")
_CHECK = re.compile(r"(?<![0-9a-zA-Z_])ACLFAKE-[A-Z]+-\d+(?![0-9a-zA-Z_])", re.IGNORECASE)
_PREFIXES = ("ACL_ERROR_RT_", "ACL_ERROR_GE_EXEC_", "ACL_ERROR_GE_", "ACL_ERROR_", "ACL_")
_SUGGESTIONS = 3


@dataclass(frozen=True)
class Explanation:
    """One code of AscendCL.

    Attributes:
        code: The number.
        name: Its name, ``"ACL_ERROR_RT_CONTEXT_NULL"``.
        layer: The part of CANN that gives it: ``"ACL"``, ``"graph engine"`` or ``"runtime"``;
            ``""`` for success.
        category: What its first digit stands for; ``""`` for success.
        meaning: One phrase.
        causes: The usual ones, the most usual first.
        hint: What to try.
        exception: The class that aclrt raises for it; ``""`` for success.
    """

    code: int
    name: str
    layer: str
    category: str
    meaning: str
    causes: tuple[str, ...]
    hint: str
    exception: str

    def to_dict(self) -> dict[str, Any]:
        """All fields, with values that can be written as JSON."""
        return {**dataclasses.asdict(self), "causes": list(self.causes)}


@dataclass(frozen=True)
class MessageExplanation:
    """The id of a message of CANN.

    Attributes:
        id: ``"EE1001"``.
        part: The part of CANN that writes such messages.
        meaning: One phrase; ``""`` where this version knows only the part.
        causes: The usual ones, the most usual first.
        hint: What to try.
    """

    id: str
    part: str
    meaning: str
    causes: tuple[str, ...]
    hint: str

    def to_dict(self) -> dict[str, Any]:
        """All fields, with values that can be written as JSON."""
        return {**dataclasses.asdict(self), "causes": list(self.causes)}


@dataclass(frozen=True)
class CheckExplanation:
    """A misuse check of the fake device.

    Attributes:
        id: ``"ACLFAKE-STR-01"``.
        kind: ``"error"``, ``"notice"`` or ``"hint"`` (``docs/checks.md``).
        codes: The codes that the call gives, such as ``"107017"``; ``""`` where it succeeds.
        meaning: What was done wrong.
        hint: What to do instead.
    """

    id: str
    kind: str
    codes: str
    meaning: str
    hint: str

    def to_dict(self) -> dict[str, Any]:
        """All fields, with values that can be written as JSON."""
        return dataclasses.asdict(self)


@dataclass(frozen=True)
class UnknownCode:
    """What looks like a code, but is none that this version knows.

    Attributes:
        text: As it was written.
        layer: The part of CANN that gives codes like this; ``""`` if unknown.
        category: What its first digit stands for; ``""`` if unknown.
        near: Names of codes that are written alike, the nearest first.
    """

    text: str
    layer: str
    category: str
    near: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """All fields, with values that can be written as JSON."""
        return {**dataclasses.asdict(self), "near": list(self.near)}


@dataclass(frozen=True)
class Findings:
    """What a text says.

    Attributes:
        codes: The codes in it, in the order of the text, each once.
        unknown: What looks like a code and is none.
        messages: The ids of CANN's messages, likewise.
        checks: The fake's checks, likewise.
    """

    codes: tuple[Explanation, ...]
    unknown: tuple[UnknownCode, ...] = ()
    messages: tuple[MessageExplanation, ...] = ()
    checks: tuple[CheckExplanation, ...] = ()

    @property
    def is_known(self) -> bool:
        """Whether anything in the text could be explained."""
        return bool(self.codes or self.messages or self.checks)

    def to_dict(self) -> dict[str, Any]:
        """All fields, with values that can be written as JSON."""
        return {
            "schema": "aclrt-explain/1",
            "codes": [code.to_dict() for code in self.codes],
            "messages": [message.to_dict() for message in self.messages],
            "checks": [check.to_dict() for check in self.checks],
            "unknown": [code.to_dict() for code in self.unknown],
        }


def codes() -> tuple[Explanation, ...]:
    """Every code that this version knows, ordered by number."""
    return tuple(map(_explained, _codes.table()))


def lookup(what: int | str) -> Findings:
    """Explains a code, or the codes inside a text.

    Args:
        what: A number (``507018``), one in a string (decimal, or hexadecimal with ``0x``), a name
            (``"ACL_ERROR_RT_CONTEXT_NULL"``, also without its prefix and in any case), the id of a
            message (``"EE1001"``) or of a check (``"ACLFAKE-STR-01"``), or any text that has some
            of these, such as a log or an exception.

    Returns:
        At least one finding, known or unknown.

    Raises:
        InputError: There is no code in the text; the hint names codes that are written alike.
    """
    if isinstance(what, int):
        what = str(what)
    words = what.strip()
    single = _single(words)
    if single is not None:
        return single
    found = scan(what)
    if not found.is_known and not found.unknown:
        near = _near(words)
        shown = words if len(words) <= 80 else f"{words[:77]}..."
        raise InputError(
            f"there is no AscendCL code in {shown!r}",
            hint=f"did you mean {', '.join(near)}?"
            if near
            else "give a number such as 507018 or 0x7bc8a, a name, an id, or text that has one",
        )
    return found


def scan(text: str) -> Findings:
    """What ``lookup`` finds in a text; nothing where there is nothing."""
    known: dict[int, Explanation] = {}
    unknown: dict[str, UnknownCode] = {}
    for match in _TOKEN.finditer(text):
        row = _row_of(match)
        if row is not None:
            known.setdefault(row.value, _explained(row))
        elif _is_likely(match):
            unknown.setdefault(match[0], _unknown(match[0]))
    checks: dict[str, CheckExplanation] = {}
    for name in map(str.upper, _CHECK.findall(text)):
        check = _codes.checks().get(name)
        if check is not None:
            checks[name] = CheckExplanation(*check)
        else:
            unknown.setdefault(name, _unknown_check(name))
    messages = {
        name: message for name in _MESSAGE.findall(text) if (message := _message(name)) is not None
    }
    return Findings(
        tuple(known.values()),
        tuple(unknown.values()),
        tuple(messages.values()),
        tuple(checks.values()),
    )


def _message(name: str) -> MessageExplanation | None:
    row = _messages.find(name)
    if row is not None:
        return MessageExplanation(*row)
    part = _messages.part_of(name)
    if not part:
        return None
    return MessageExplanation(name, part, "", (), "Read the text behind the id, and CANN's log.")


def _unknown_check(name: str) -> UnknownCode:
    near = difflib.get_close_matches(name, _codes.checks(), n=_SUGGESTIONS, cutoff=0.75)
    return UnknownCode(name, "", "", tuple(near))


def _explained(row: _codes.Code) -> Explanation:
    return Explanation(
        code=row.value,
        name=row.name,
        layer=_codes.layer_of(row.value),
        category=_codes.category_of(row.value),
        meaning=row.meaning,
        causes=row.causes,
        hint=row.hint,
        exception=class_of(row.kind).__name__ if row.value else "",
    )


def _single(word: str) -> Findings | None:
    """One word alone may be shorter than a code inside a text: 0, a name without its prefix."""
    if re.fullmatch(r"\d+", word):
        row = _codes.find(int(word))
        return Findings((), (_unknown(word),)) if row is None else Findings((_explained(row),), ())
    name = word.upper()
    if _MESSAGE.fullmatch(name) and (message := _message(name)) is not None:
        return Findings((), messages=(message,))
    if not re.fullmatch(r"[A-Z][A-Z0-9_]*", name):
        return None
    rows = [row for row in _codes.table() if name in _names(row)]
    return Findings(tuple(map(_explained, rows)), ()) if rows else None


def _names(row: _codes.Code) -> tuple[str, ...]:
    """The name, and what is left of it without each prefix."""
    return (row.name, *(row.name.removeprefix(p) for p in _PREFIXES if row.name.startswith(p)))


def _row_of(match: re.Match[str]) -> _codes.Code | None:
    if match["hex"]:
        return _nonzero(int(match["hex"], 16))
    if match["decimal"]:
        return _nonzero(int(match["decimal"]))
    name = match["name"].upper()
    return next((row for row in _codes.table() if row.name == name), None)


def _nonzero(value: int) -> _codes.Code | None:
    return _codes.find(value) if value else None  # 0x0 in a log is mostly an address


def _is_likely(match: re.Match[str]) -> bool:
    """Whether it is meant as a code: other numbers and macros are common in logs."""
    if match["name"]:
        return match["name"].upper().startswith("ACL_ERROR")
    value = int(match["hex"], 16) if match["hex"] else int(match["decimal"])
    # Within a hundred of a known code: process ids and byte counts of six digits mostly are not.
    return any(abs(row.value - value) < 100 for row in _codes.table() if row.value)


def _unknown(text: str) -> UnknownCode:
    number = int(text, 0) if re.fullmatch(r"0[xX][0-9a-fA-F]+|[1-9]\d*", text) else 0
    return UnknownCode(text, _codes.layer_of(number), _codes.category_of(number), _near(text))


def _near(text: str) -> tuple[str, ...]:
    """Names written like ``text``, or of numbers written like it."""
    wanted = text.upper()
    if re.fullmatch(r"0[xX][0-9a-fA-F]{1,8}", text):
        wanted = str(int(text, 16))
    spelt: dict[str, str] = {}
    for row in _codes.table():
        spelt.setdefault(str(row.value), row.name)
        for name in _names(row):
            spelt.setdefault(name, row.name)
    if re.fullmatch(r"[A-Z][A-Z0-9_ ]*", wanted):
        wanted = wanted.replace(" ", "_")
        inside = [row.name for row in _codes.table() if len(wanted) > 3 and wanted in row.name]
    else:
        inside = []
    alike = difflib.get_close_matches(wanted, spelt, n=2 * _SUGGESTIONS, cutoff=0.75)
    return tuple(dict.fromkeys([*inside, *(spelt[name] for name in alike)]))[:_SUGGESTIONS]
