# SPDX-License-Identifier: Apache-2.0
"""``aclrt.om.diff``: two ``.om`` files held against each other, field by field.

Weights, kernels and tasks are compared too, by a digest of each part of the file.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from ._inspect import inspect

__all__ = ["Difference", "diff"]

_PIECE = 1 << 20

Source = str | os.PathLike[str] | bytes | bytearray | memoryview


@dataclass(frozen=True)
class Difference:
    """One field that differs; None where a file does not have it.

    Attributes:
        field: Its place in ``ModelInfo.to_dict()``: ``"inputs[x].shape"``.
        first: The value in the first file.
        second: The value in the second file.
    """

    field: str
    first: Any
    second: Any


def diff(first: Source, second: Source) -> list[Difference]:
    """Compares two offline models.

    Args:
        first: A path, or the file's bytes.
        second: Likewise.

    Returns:
        The differences, in the order of the fields; empty if the files say the same. Where a part
        begins in the file does not count, what is in it does.

    Raises:
        ModelFormatError: One is not a well-formed Ascend offline model.
        InputError: One is neither a path nor bytes.
        OSError: A file cannot be read.
    """
    differences: list[Difference] = []
    _compare("", _fields(first), _fields(second), differences)
    return differences


def _fields(source: Source) -> dict[str, Any]:
    content = inspect(source).to_dict()
    models = [content, *content["sub_models"]]
    parts = [part for model in models for part in model["partitions"]]
    digests = _digests(source, [(part.pop("offset"), part["size"]) for part in parts])
    for part, digest in zip(parts, digests, strict=True):
        part["sha256"] = digest
        part["name"] = part["name"] or f"type {part['type']}"
    return content


def _digests(source: Source, spans: list[tuple[int, int]]) -> list[str]:
    """Of pieces of a file, given by offset and size; it need not fit into memory."""
    if not isinstance(source, (str, os.PathLike)):
        data = memoryview(source).cast("B")
        return [hashlib.sha256(data[at : at + size]).hexdigest() for at, size in spans]
    with Path(source).open("rb") as file:
        return [_digest(file, at, size) for at, size in spans]


def _digest(file: BinaryIO, at: int, size: int) -> str:
    digest = hashlib.sha256()
    file.seek(at)
    while size > 0 and (piece := file.read(min(size, _PIECE))):
        digest.update(piece)
        size -= len(piece)
    return digest.hexdigest()


def _compare(field: str, first: Any, second: Any, out: list[Difference]) -> None:
    """Dicts and lists of named things are compared inside, everything else as a whole."""
    if _has_names(first) and _has_names(second):
        first, second = _by_name(first), _by_name(second)
        if list(first) != list(second) and set(first) == set(second):
            out.append(Difference(f"{field}.order", list(first), list(second)))
        pattern = "{}[{}]"
    elif isinstance(first, dict) and isinstance(second, dict):
        pattern = "{}.{}" if field else "{}{}"
    else:
        if first != second:
            out.append(Difference(field, first, second))
        return
    for name in [*first, *(name for name in second if name not in first)]:
        _compare(pattern.format(field, name), first.get(name), second.get(name), out)


def _has_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def _by_name(items: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Under their names; under a number too where two have the same."""
    found: dict[str, dict[str, Any]] = {}
    for position, item in enumerate(items):
        name = str(item.get("name", item.get("input", position)))
        found[f"{name}#{position}" if name in found else name] = item
    return found
