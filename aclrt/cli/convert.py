# SPDX-License-Identifier: Apache-2.0
"""``aclrt convert``: ONNX to a simulated offline model, with ATC's own flags."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, NoReturn

import aclrt
from aclrt.errors import InputError

from . import _arguments, _output
from ._arguments import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._arguments import Commands

_ONNX = "5"  # ATC's number of the framework
_LATER = (
    "dynamic_batch_size",
    "dynamic_dims",
    "dynamic_image_size",
    "enable_small_channel",
    "fusion_switch_file",
    "input_format",
    "input_fp16_nodes",
    "input_shape_range",
    "insert_op_conf",
    "log",
    "mode",
    "op_select_implmode",
    "out_nodes",
    "output_type",
    "precision_mode",
    "weight",
)


class _NotYet(argparse.Action):
    """Refuses a flag of ATC that exists there and will exist here."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> NoReturn:
        raise UsageError(f"{option_string} is not yet in this version", hint="aclrt convert --help")


def _spellings(name: str) -> list[str]:
    return list(dict.fromkeys((f"--{name.replace('_', '-')}", f"--{name}")))


def add_to(commands: Commands) -> None:
    """Declares the command."""
    parser = _arguments.declare(
        commands,
        "convert",
        __doc__,
        help="make a simulated offline model from ONNX",
        usage="aclrt convert MODEL.onnx -o OUT.om [--input-shape SHAPES] [--soc-version SOC]",
        epilog="ATC's spelling works too: --model=MODEL.onnx --framework=5 --output=OUT "
        '--input_shape="x:1,3,224,224". The file runs on the fake device alone.',
    )
    parser.add_argument("onnx", nargs="?", metavar="MODEL.onnx", help="the ONNX model")
    parser.add_argument("--model", metavar="MODEL.onnx", help="the same, ATC's spelling")
    parser.add_argument("--framework", metavar="5", help="5 is ONNX, the only one accepted")
    parser.add_argument(
        "-o", "--output", metavar="OUT.om", required=True, help=".om is added if it is missing"
    )
    parser.add_argument(
        *_spellings("input_shape"),
        metavar="SHAPES",
        help='"x:1,3,224,224;y:1,10"; needed where the ONNX model leaves dims open',
    )
    parser.add_argument(
        *_spellings("soc_version"),
        metavar="SOC",
        help="noted in the file; a simulated file is for no particular chip",
    )
    for name in _LATER:
        parser.add_argument(
            *_spellings(name), action=_NotYet, nargs="?", help=argparse.SUPPRESS, dest="later"
        )
    parser.set_defaults(command=_convert)


def _convert(options: argparse.Namespace) -> int:
    if (options.onnx is None) == (options.model is None):
        raise UsageError(
            "one model is needed: MODEL.onnx or --model=MODEL.onnx", hint="aclrt convert --help"
        )
    if options.framework not in (None, _ONNX):
        raise UsageError(
            f"--framework={options.framework} is not supported",
            hint="--framework=5, ONNX, is the only one",
        )
    from aclrt.om import _shapes  # what convert() itself reads texts with

    try:
        shapes = _shapes.parse(options.input_shape)
    except InputError as error:
        raise UsageError(error.message, error.hint) from error
    written = aclrt.convert(
        options.model or options.onnx,
        options.output,
        input_shape=shapes,
        soc_version=options.soc_version,
    )
    size = _output.size(written.stat().st_size)
    print(f"wrote {written} ({size}), simulated: runs on the fake device")
    return 0
