# SPDX-License-Identifier: Apache-2.0
"""The caller's ``out_nodes``, ``input_fp16_nodes`` and ``output_type``, in Python or in ATC's
words (``"conv1:0;fc:0"``, ``"x;y"``, ``"FP16"`` or ``"conv1:0:FP16;fc:0:FP32"``)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ..errors import InputError

__all__ = ["NodeNames", "OutputType", "OutputTypes", "parse_names", "parse_output_type"]

NodeNames = str | Sequence[str]
OutputType = str | Mapping[str, str]

# ATC's words, and the numbers of onnx.TensorProto.
_TYPES: Final = {"FP32": 1, "FP16": 10, "UINT8": 2, "INT8": 3}
_SYNTAX = 'write one type for all outputs, "FP16", or a type for each: "conv1:0:FP16;fc:0:FP32"'


@dataclass(frozen=True)
class OutputTypes:
    """ONNX's number of a type for all outputs, or for each output named."""

    for_all: int | None = None
    by_output: tuple[tuple[str, int], ...] = ()
    text: str = ""


def parse_names(option: str, given: NodeNames | None) -> tuple[str, ...]:
    """Names in the caller's order.

    Raises:
        InputError: Not names, or none.
    """
    if given is None:
        return ()
    items: Iterable[object] = given.split(";") if isinstance(given, str) else given
    if not isinstance(items, Iterable) or isinstance(items, (bytes, Mapping)):
        raise InputError(
            f"{option}: expected a text or a sequence of names, given {type(given).__name__}"
        )
    names = []
    for item in items:
        if not isinstance(item, str):
            raise InputError(f"{option}: expected names, given {item!r}")
        names.append(item.strip())
    if isinstance(given, str) and names[-1] == "":  # a ';' at the end is ATC's habit
        names.pop()
    if not names or "" in names:
        raise InputError(f"{option}: expected names with ';' between them, given {given!r}")
    return tuple(names)


def parse_output_type(given: OutputType | None, out_nodes: Sequence[str]) -> OutputTypes:
    """The types wanted.

    Args:
        given: A type, types by output, or ATC's text of either.
        out_nodes: The names in that argument; a text may only name these, as in ATC.

    Raises:
        InputError: Not a type that is possible.
    """
    if given is None:
        return OutputTypes()
    if isinstance(given, Mapping):
        for name in given:
            if not isinstance(name, str):
                raise InputError(f"output_type: expected names of outputs, given {name!r}")
        pairs = tuple((name, _number(word)) for name, word in given.items())
        text = ";".join(f"{name}:{word}" for name, word in given.items())
        return OutputTypes(by_output=pairs, text=text)
    if not isinstance(given, str):
        raise InputError(
            f"output_type: expected a text or a mapping, given {type(given).__name__}", hint=_SYNTAX
        )
    if ":" not in given:
        return OutputTypes(for_all=_number(given.strip()), text=given.strip())
    named: dict[str, int] = {}
    for entry in filter(str.strip, given.split(";")):
        name, colon, word = (part.strip() for part in entry.rpartition(":"))
        if not (colon and name):
            raise InputError(
                f'output_type: expected "node:index:type", given {entry.strip()!r}', hint=_SYNTAX
            )
        if name in named:
            raise InputError(f"output_type: {name!r} is given twice")
        if name not in out_nodes:
            raise InputError(
                f"output_type: {name!r} is not one of out_nodes, which must name it too",
                hint=f'add out_nodes="{";".join([*out_nodes, name])}"',
            )
        named[name] = _number(word)
    return OutputTypes(by_output=tuple(named.items()), text=given.strip())


def _number(word: object) -> int:
    if not isinstance(word, str) or word not in _TYPES:
        raise InputError(f"output_type: expected {', '.join(_TYPES)}, given {word!r}", hint=_SYNTAX)
    return _TYPES[word]
