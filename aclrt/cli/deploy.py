# SPDX-License-Identifier: Apache-2.0
"""``aclrt deploy``: doctor, convert, compare and bench in one go, with one report."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from aclrt import compare, deployment
from aclrt.errors import InputError

from . import _arguments, _bench_text, _output
from ._arguments import UsageError

if TYPE_CHECKING:
    from ._arguments import Commands

_WIDTH = 12


def add_to(commands: Commands) -> None:
    """Declares the command."""
    parser = _arguments.declare(
        commands,
        "deploy",
        __doc__,
        help="check the machine, convert, compare and measure, with one report",
        epilog="DIR gets the models and deploy.json, deploy.md, deploy.html. Exit code 0: all "
        "steps are done; 1: one failed; 3: outputs differ by more than is allowed; 130: Ctrl-C, "
        "with what was done until then.",
    )
    parser.add_argument("onnx", metavar="MODEL.onnx", help="the ONNX model")
    parser.add_argument("--output", metavar="DIR", required=True, help="where everything goes")
    for step in deployment.STEPS:
        parser.add_argument(f"--skip-{step}", action="store_true", help=f"leave out {step}")
    parser.add_argument(
        "--batch-sizes",
        type=_arguments.wholes(1),
        metavar="N,N",
        help="a model for each (default: 1,4,8 where the first dim of inputs is open)",
    )
    parser.add_argument(
        "--iterations",
        type=_arguments.whole(1),
        default=100,
        metavar="N",
        help="inferences to measure for each model (default: 100)",
    )
    parser.add_argument(
        "--input-shape",
        metavar="SHAPES",
        help='"x:-1,3,224,224"; -1 as first dim stands for each batch size',
    )
    parser.add_argument("--soc-version", metavar="SOC", help="the chip (default: doctor's)")
    parser.add_argument(
        "--atc",
        action="append",
        default=[],
        metavar="FLAG=VALUE",
        help="any other flag of aclrt convert, such as precision_mode=force_fp16",
    )
    parser.add_argument(
        "--simulate", action="store_true", help="make simulated files even if atc is there"
    )
    parser.add_argument(
        "--model",
        action="append",
        default=[],
        metavar="FILE.om",
        help="with --skip-convert: what to go on with (default: the models in DIR)",
    )
    parser.add_argument(
        "--cases",
        type=_arguments.whole(1),
        default=1,
        metavar="N",
        help="sets of inputs to compare",
    )
    parser.add_argument(
        "--seed", type=_arguments.whole(0), default=0, help="of made-up data (default: 0)"
    )
    parser.add_argument("--tolerance", metavar="FILE", help="what may differ, as JSON")
    _arguments.add_device(parser)
    _arguments.add_backend(parser)
    _arguments.add_json(parser)
    parser.set_defaults(command=_deploy)


def _flags(options: argparse.Namespace) -> dict[str, str]:
    from aclrt.om import _atc

    known = {*_atc.MODEL_FLAGS, *_atc.STEERING, "log"}
    flags: dict[str, str] = {}
    for argument in options.atc:
        name, separator, value = argument.lstrip("-").partition("=")
        name = name.replace("-", "_")
        if not separator or name not in known:
            raise UsageError(f"--atc: {argument!r} is no FLAG=VALUE of aclrt convert")
        flags[name] = value
    for name in ("input_shape", "soc_version"):
        if getattr(options, name) is not None:
            flags[name] = getattr(options, name)
    try:
        _atc.check(flags)
    except InputError as error:
        raise UsageError(error.message, error.hint) from error
    return flags


def _deploy(options: argparse.Namespace) -> int:
    flags = _flags(options)
    skip = [step for step in deployment.STEPS if getattr(options, f"skip_{step}")]
    if options.model and "convert" not in skip:
        raise UsageError("--model needs --skip-convert: convert would make others")
    tolerances = None
    if options.tolerance is not None:
        tolerances = compare.Tolerances.load(options.tolerance)
    try:
        result = deployment.deploy(
            options.onnx,
            options.output,
            batch_sizes=options.batch_sizes,
            iterations=options.iterations,
            flags=flags,
            simulate=options.simulate,
            models=options.model,
            cases=options.cases,
            seed=options.seed,
            tolerances=tolerances,
            skip=skip,
            device_id=options.device,
            backend=options.backend,
            quiet=options.json,
            watch=None if options.json else _tell,
            bench_watch=_bench_text.progress(),
        )
    except deployment.DeployInterrupted as interrupt:
        result = interrupt.result
        _bench_text.say_interrupted()
    if options.json:
        _output.print_json(result.to_dict())
    else:
        _show(result)
    return result.exit_code


def _tell(step: deployment.DeployStep) -> None:
    print(f"{step.name:<8}  {step.status:<{_WIDTH}}{step.summary}")
    if step.next_step:
        print(f"{'':8}  next step: {step.next_step}")
    sys.stdout.flush()


def _show(result: deployment.Deployment) -> None:
    if result.bench is not None:
        print()
        heads = ("model", "batch", "median ms", "inferences/s", "samples/s")
        rows = [
            (
                run.model,
                run.batch,
                round(run.p50_ms, 4),
                round(run.throughput_per_s, 1),
                round(run.samples_per_s, 1),
            )
            for run in result.bench.runs
        ]
        _output.table(heads, rows)
    print()
    for file in result.files:
        print(f"written: {file}")
    if result.is_partial:
        print("INTERRUPTED: partial results")
