# SPDX-License-Identifier: Apache-2.0
"""``aclrt inspect``: what is in an offline model, without a device.

With ``--diff`` two models are compared; the exit code is 1 where they differ. ``--check`` tells
whether the model will load on this machine; the exit code is 1 where it will not. The compiler's
command has paths of whoever ran it, so it is shown only with ``--command-line``, in JSON too.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import aclrt
from aclrt.om import ModelInfo, PartitionInfo, TensorInfo, check_load, diff

from . import _arguments, _output

if TYPE_CHECKING:
    from ._arguments import Commands

SAME, DIFFERENT = 0, 1
LOADS, REFUSED = 0, 1
_MOST = 60  # characters of a value in the table of differences

_SOURCES = {
    "tlv": "the file's list",
    "graph": "the graph",
    "both": "the file's list and the graph",
    "none": "not told",
}
_DYNAMIC = {
    "none": "no",
    "batch": "batch size",
    "image": "image size (height, width)",
    "dims": "dims",
    "range": "any dims within the ranges",
}


def add_to(commands: Commands) -> None:
    """Declares the command."""
    parser = _arguments.declare(
        commands, "inspect", __doc__, help="show what is in an offline model"
    )
    parser.add_argument("files", metavar="FILE", nargs="+", help="the .om; two of them for --diff")
    parser.add_argument("--ops", action="store_true", help="count the operators by type")
    parser.add_argument("--partitions", action="store_true", help="list the parts of the file")
    parser.add_argument(
        "--command-line", action="store_true", help="show the command that compiled it"
    )
    parser.add_argument("--diff", action="store_true", help="compare two models, field by field")
    parser.add_argument(
        "--check", action="store_true", help="tell whether the model will load on this machine"
    )
    _arguments.add_json(parser)
    parser.set_defaults(command=_run)


def _run(options: argparse.Namespace) -> int:
    wanted = 2 if options.diff else 1
    if len(options.files) != wanted:
        raise _arguments.UsageError(
            f"{'--diff compares two files' if options.diff else 'one file at a time'}, "
            f"given {len(options.files)}",
            hint="aclrt inspect --help",
        )
    if options.diff and options.check:
        raise _arguments.UsageError("--diff and --check exclude each other")
    if options.check:
        return _check(options)
    return _diff(options) if options.diff else _inspect(options)


def _inspect(options: argparse.Namespace) -> int:
    info = aclrt.inspect(options.files[0])
    if options.json:
        fields = info.to_dict()
        if not options.command_line:
            fields["command_line"] = None
        _output.print_json(fields)
        return 0
    _output.facts(_facts(options, info))
    _show_tensors(info)
    _show_gears(info)
    _show_sentences("range", _ranges(info.inputs))
    _show_sentences("aipp", [f"{aipp.input}: {aipp.describe()}" for aipp in info.aipp])
    _show_sentences("disagreement", info.disagreements)
    if options.partitions:
        _show_partitions(info)
    if options.ops:
        print()
        _output.table(("operator", "count"), list(info.operators().items()))
    return 0


def _check(options: argparse.Namespace) -> int:
    answer = check_load(options.files[0])
    if options.json:
        findings = [dataclasses.asdict(finding) for finding in answer.findings]
        _output.print_json(
            {
                "schema": "aclrt-inspect-check/1",
                "file": options.files[0],
                "loads": answer.loads,
                "findings": findings,
            }
        )
    else:
        facts: list[tuple[str, object]] = [
            ("file", options.files[0]),
            ("loads here", "yes, as far as can be told" if answer.loads else "no"),
        ]
        for finding in answer.findings:
            facts.append((finding.topic, finding.text))
            if not finding.ok:
                facts.append(("", f"refused: {finding.hint}"))
        _output.facts(facts)
    return LOADS if answer.loads else REFUSED


def _facts(options: argparse.Namespace, info: ModelInfo) -> list[tuple[str, object]]:
    varies = info.unknown_shape or info.model_count > 1
    facts: list[tuple[str, object]] = [
        ("file", options.files[0]),
        (
            "kind",
            "simulated: runs on the fake device" if info.simulated else "compiled for a real card",
        ),
        ("name", info.name),
        ("soc", info.soc_version or "unknown"),
        ("compiler", info.compiler_version or "unknown"),
        ("work size", "varies" if varies else _output.size(info.work_size)),
        ("weight size", _output.size(info.weight_size)),
    ]
    if info.stream_count:
        facts.append(("streams", f"{info.stream_count}, events {info.event_count}"))
    if info.model_count > 1:
        parts = ", ".join(sub.name for sub in info.sub_models)
        facts.append(("models", f"{info.model_count}: this one and its parts {parts}"))
    if info.needs_host_check:
        facts.append(("host", "bound to an operating system and CPU (carries host libraries)"))
    dynamic = _DYNAMIC[info.dynamic]
    if info.gears:
        dynamic += f", {len(info.gears)} gears"
    elif varies and info.dynamic == "none":
        dynamic = "inside the model; its inputs are fixed"
    facts += [("dynamic", dynamic), ("told by", _SOURCES[info.io_source])]
    if options.command_line:
        facts.append(("command", info.command_line or "unknown"))
    return facts


def _show_tensors(info: ModelInfo) -> None:
    rows = _output.tensor_rows("input", info.inputs) + _output.tensor_rows("output", info.outputs)
    print()
    if rows:
        _output.table(_output.TENSOR_HEADS, rows)
    if info.io_problem:
        what = "some inputs or outputs are" if rows else "inputs and outputs are"
        print(f"{what} unknown: {info.io_problem}")
    elif not rows:
        print("the model has neither inputs nor outputs")


def _show_gears(info: ModelInfo) -> None:
    if not info.gears:
        return
    names: list[str] = []
    rows: list[dict[str, object]] = []
    for index, gear in enumerate(info.gears):
        row: dict[str, object] = {"gear": index, "values": ",".join(map(str, gear))}
        try:
            shapes = info.gear_shapes(index)
        except aclrt.InputError:  # a disagreement, which is told below
            shapes = {}
        row.update({name: list(shape) for name, shape in shapes.items()})
        names += [name for name in shapes if name not in names]
        rows.append(row)
    heads = ["gear", "values", *names]
    print()
    _output.table(heads, [[row.get(head, "") for head in heads] for row in rows])


def _ranges(inputs: Sequence[TensorInfo]) -> list[str]:
    def text(low: int, high: int) -> str:
        if high < 0:
            return f"{low} or more"
        return str(low) if low == high else f"{low} to {high}"

    return [
        f"{tensor.name}: {' x '.join(text(low, high) for low, high in tensor.range)}"
        for tensor in inputs
        if tensor.range and tensor.dynamic
    ]


def _show_sentences(name: str, sentences: Sequence[str]) -> None:
    if sentences:
        print()
        _output.facts([(name, sentence) for sentence in sentences])


def _show_partitions(info: ModelInfo) -> None:
    def rows(model: str, partitions: Sequence[PartitionInfo]) -> list[tuple[object, ...]]:
        return [
            (model, part.type, part.name or "unknown", part.offset, part.size)
            for part in partitions
        ]

    every = rows(info.name, info.partitions)
    for sub in info.sub_models:
        every += rows(sub.name, sub.partitions)
    print()
    _output.table(("model", "type", "partition", "offset", "bytes"), every)


def _diff(options: argparse.Namespace) -> int:
    first, second = options.files
    differences = diff(first, second)

    def shown(field: str, value: Any) -> Any:
        return "(hidden)" if field == "command_line" and not options.command_line else value

    fields = [
        {"field": item.field, "first": item.first, "second": item.second} for item in differences
    ]
    for field in fields:
        field["first"] = shown(field["field"], field["first"])
        field["second"] = shown(field["field"], field["second"])
    if options.json:
        _output.print_json(
            {"schema": "aclrt-inspect-diff/1", "files": [first, second], "differences": fields}
        )
    elif fields:
        rows = [(field["field"], _text(field["first"]), _text(field["second"])) for field in fields]
        _output.table(("field", first, second), rows)
    else:
        print("the models are the same")
    return DIFFERENT if fields else SAME


def _text(value: Any) -> str:
    if value is None:
        return "-"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MOST else f"{text[: _MOST - 3]}..."
