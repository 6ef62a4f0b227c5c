# SPDX-License-Identifier: Apache-2.0
"""``aclrt run``: one inference with data from files, or made up."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

import aclrt
from aclrt import _feeds
from aclrt.errors import InputError

from . import _arguments, _output
from ._arguments import UsageError

if TYPE_CHECKING:
    from ._arguments import Commands


def add_to(commands: Commands) -> None:
    """Declares the command."""
    parser = _arguments.declare(
        commands,
        "run",
        __doc__,
        help="run a model once",
        epilog="Without --input the data is made up: right dtypes and shapes (of the largest gear, "
        "or the least of a range), the same every time.",
    )
    parser.add_argument("model", metavar="MODEL", help="the .om")
    parser.add_argument(
        "--input",
        action="append",
        default=[],
        metavar="NAME=FILE",
        help="an input as .npy, once for each input; one input alone needs no NAME",
    )
    parser.add_argument("--output", metavar="DIR", help="write each output there as NAME.npy")
    parser.add_argument(
        "--seed", type=_arguments.whole(0), default=0, help="of made-up data (default: 0)"
    )
    _arguments.add_trace(parser)
    _arguments.add_device(parser)
    _arguments.add_backend(parser)
    _arguments.add_json(parser)
    parser.set_defaults(command=_run)


def _run(options: argparse.Namespace) -> int:
    return _arguments.traced(options, [options.device], lambda: _once(options), trace=True)


def _once(options: argparse.Namespace) -> int:
    with aclrt.OfflineModel(
        options.model, device_id=options.device, backend=options.backend
    ) as model:
        try:
            files = _feeds.pair(options.input, model.inputs)
        except InputError as error:
            raise UsageError(f"--input: {error.message}", error.hint) from error
        if files:
            feeds = _feeds.load(files, model.inputs)
        else:
            feeds = _feeds.make(_feeds.concrete(model), options.seed)
        outputs = dict(model(feeds).items())
        device = model.device
        report: dict[str, Any] = {
            "schema": "aclrt-run/1",
            "model": options.model,
            "device": {
                "id": device.id,
                "backend": device.backend,
                "soc_name": device.soc_name,
            },
        }
    saved = _feeds.save(outputs, options.output) if options.output is not None else {}
    origin = f"made up, seed {options.seed}"
    report["inputs"] = [
        {**_described(name, array), "source": files.get(name, origin)}
        for name, array in feeds.items()
    ]
    report["outputs"] = [
        {**_described(name, array), "file": str(saved[name]) if name in saved else None}
        for name, array in outputs.items()
    ]
    if options.json:
        _output.print_json(report)
        return 0
    print(
        f"{options.model} on device {device.id} ({device.backend}, {device.soc_name or 'unknown'})"
    )
    heads = ("", "name", "dtype", "shape", "from / to", "values")
    rows = [
        ("input", i["name"], i["dtype"], i["shape"], i["source"], _feeds.summary(feeds[i["name"]]))
        for i in report["inputs"]
    ]
    rows += [
        (
            "output",
            o["name"],
            o["dtype"],
            o["shape"],
            o["file"] or "not saved",
            _feeds.summary(outputs[o["name"]]),
        )
        for o in report["outputs"]
    ]
    _output.table(heads, rows)
    return 0


def _described(name: str, array: Any) -> dict[str, Any]:
    return {"name": name, "dtype": str(array.dtype), "shape": list(array.shape)}
