# SPDX-License-Identifier: Apache-2.0
"""``aclrt convert``: ONNX to an offline model, with ATC's own flags.

Where CANN's ``atc`` is on the PATH it is run with the same arguments; elsewhere, and with
``--simulate``, a simulated model is made, which the fake device runs.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

import aclrt
from aclrt.errors import InputError

from . import _arguments, _output
from ._arguments import UsageError

if TYPE_CHECKING:
    from ._arguments import Commands

_HELP = {
    "framework": ("5", "5 is ONNX, the only one that can be simulated"),
    "input_shape": (
        "SHAPES",
        '"x:1,3,224,224;y:1,10"; needed where the ONNX model leaves dims open; -1 with gears, '
        "1~8 for a range",
    ),
    "input_format": ("FORMAT", "layout of the inputs: NCHW, NCDHW or ND"),
    "dynamic_batch_size": ("SIZES", 'gears of the batch size: "1,4,8"'),
    "dynamic_image_size": ("SIZES", 'gears of height and width: "224,224;448,448"'),
    "dynamic_dims": ("DIMS", 'gears, one value for every -1 of the inputs: "1,64;8,128"'),
    "input_shape_range": ("RANGES", '"x:[1~8,3,-1,-1]"'),
    "insert_op_conf": ("FILE", "AIPP: ATC's configuration of the image preprocessing"),
    "output_type": ("TYPE", 'element type of the outputs: FP32, FP16, UINT8, "node:0:FP16"'),
    "input_fp16_nodes": ("NAMES", 'inputs to be fed as float16: "x;y"'),
    "out_nodes": ("NODES", 'what to put out: "node:0;other:1", or names of tensors'),
    "soc_version": ("SOC", "the chip; only noted in a simulated file"),
    "log": ("LEVEL", "info shows what was made, null prints nothing but errors"),
    "mode": ("0", "0 makes an .om, the only one that can be simulated"),
    "weight": ("FILE", "of Caffe; refused with ONNX"),
}


def _spellings(name: str) -> list[str]:
    return list(dict.fromkeys((f"--{name.replace('_', '-')}", f"--{name}")))


def add_to(commands: Commands) -> None:
    """Declares the command."""
    from aclrt.om._atc import STEERING

    parser = _arguments.declare(
        commands,
        "convert",
        __doc__,
        help="make an offline model from ONNX",
        usage="aclrt convert MODEL.onnx -o OUT.om [--simulate] [ATC's flags]",
        epilog="ATC's spelling works too: --model=MODEL.onnx --framework=5 --output=OUT "
        '--input_shape="x:1,3,224,224". Flags that steer the compiler alone (--precision_mode, '
        "--fusion_switch_file, ...) are taken, and have no effect on a simulated file.",
    )
    parser.add_argument("onnx", nargs="?", metavar="MODEL.onnx", help="the ONNX model")
    parser.add_argument("--model", metavar="MODEL.onnx", help="the same, ATC's spelling")
    parser.add_argument(
        "-o", "--output", metavar="OUT.om", required=True, help=".om is added if it is missing"
    )
    parser.add_argument(
        "--simulate", action="store_true", help="make a simulated file even if atc is there"
    )
    for name, (metavar, text) in _HELP.items():
        parser.add_argument(*_spellings(name), metavar=metavar, help=text)
    for name in STEERING:
        parser.add_argument(*_spellings(name), help=argparse.SUPPRESS)
    _arguments.add_json(parser)
    parser.set_defaults(command=_convert)


def _convert(options: argparse.Namespace) -> int:
    from aclrt import om
    from aclrt.om import _atc

    if (options.onnx is None) == (options.model is None):
        raise UsageError(
            "one model is needed: MODEL.onnx or --model=MODEL.onnx", hint="aclrt convert --help"
        )
    names = (*_HELP, *_atc.STEERING)
    flags = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    atc = None if options.simulate else om.compiler()
    if atc is not None:
        print(f"aclrt: running {atc} (--simulate makes a simulated file)", file=sys.stderr)
    else:
        try:
            _atc.check(flags)
        except InputError as error:
            raise UsageError(error.message, error.hint) from error
        _note([f"--{name}" for name in flags if name in _atc.STEERING])
    built = om.build(
        options.model or options.onnx, options.output, flags, atc=atc, quiet=options.json
    )
    if options.json:
        _output.print_json(built.to_dict())
        return 0
    size = _output.size(built.nbytes)
    if not built.simulated:
        print(f"wrote {built.path} ({size}), compiled by atc")
        return 0
    log = flags.get("log")
    if log == "null":
        return 0
    print(f"wrote {built.path} ({size}), simulated: runs on the fake device")
    if log in ("debug", "info"):
        info = aclrt.inspect(built.path)
        rows = _output.tensor_rows("input", info.inputs)
        _output.table(_output.TENSOR_HEADS, rows + _output.tensor_rows("output", info.outputs))
    return 0


def _note(without_effect: list[str]) -> None:
    if without_effect:
        verb = "steer" if len(without_effect) > 1 else "steers"
        print(
            f"aclrt: note: {', '.join(without_effect)} {verb} the real compiler alone: no effect "
            "on a simulated file",
            file=sys.stderr,
        )
