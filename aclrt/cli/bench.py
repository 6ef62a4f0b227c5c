# SPDX-License-Identifier: Apache-2.0
"""``aclrt bench``: how long an inference takes, and how many a second there are."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aclrt.bench
from aclrt.bench import config as configs

from . import _arguments, _bench_text, _output
from ._arguments import UsageError

if TYPE_CHECKING:
    from ._arguments import Commands

INTERRUPTED = 130


def add_to(commands: Commands) -> None:
    """Declares the command and its ``diff``."""
    parser = _arguments.declare(
        commands,
        "bench",
        __doc__,
        help="measure a model",
        epilog="Times are end to end: checks, copies both ways and execution. The first inference "
        "is timed apart. Throughput is inferences by wall time. Exit code 130 after Ctrl-C, with "
        "what was measured until then. `aclrt bench diff` compares two reports.",
    )
    parser.add_argument("models", metavar="MODEL", nargs="*", help="the .om; several: each in turn")
    _add_amount(parser)
    _add_load(parser)
    _add_data(parser)
    _add_results(parser)
    _arguments.add_trace(parser)
    _arguments.add_backend(parser)
    _arguments.add_json(parser)
    parser.set_defaults(command=_bench, backend=None)
    _add_diff(commands)


def _add_amount(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("how much")
    group.add_argument(
        "--iterations",
        type=_arguments.whole(1),
        metavar="N",
        help="inferences to measure, all threads together (default: 1000 without --duration)",
    )
    group.add_argument(
        "--duration",
        dest="duration_s",
        type=_positive,
        metavar="SECONDS",
        help="time to measure; with --iterations: whichever comes first",
    )
    group.add_argument(
        "--warmup",
        type=_arguments.whole(0),
        metavar="N",
        help="inferences of each thread before them, at least (default: 10)",
    )
    group.add_argument(
        "--warmup-time",
        dest="warmup_s",
        type=_not_negative,
        metavar="SECONDS",
        help="time to warm up, at least (default: 0)",
    )
    group.add_argument(
        "--repeat",
        type=_arguments.whole(1),
        metavar="N",
        help="measure everything so often, from loading on (default: 1)",
    )
    group.add_argument(
        "--percentiles", type=_list_of(float), metavar="P,P", help="to report (default: 50,90,99)"
    )


def _add_load(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("under what load")
    whole = _arguments.whole(1)
    group.add_argument(
        "--batch-sizes",
        type=_list_of(whole),
        metavar="N,N",
        help="each of these of a model with gears; of several files those with these; {batch} in "
        "MODEL stands for each",
    )
    group.add_argument(
        "--shape",
        dest="shapes",
        action="append",
        metavar="NAME:DIMS",
        help="of a model with gears or ranges, as x:1,3,224,224;y:8; several times: each in turn",
    )
    group.add_argument(
        "--threads", type=whole, metavar="N", help="threads that call (default: one per instance)"
    )
    group.add_argument(
        "--instances", type=whole, metavar="N", help="copies of the model per device (default: 1)"
    )
    group.add_argument(
        "--streams",
        type=whole,
        metavar="N",
        help="streams per device: as --instances, each fed by the queue of --in-flight (default 1)",
    )
    group.add_argument(
        "--in-flight",
        type=whole,
        metavar="N",
        help="runs that overlap, for each instance, queued by one thread for each device",
    )
    group.add_argument(
        "--no-transfers",
        dest="transfers",
        action="store_const",
        const=False,
        help="leave the data on the device: executions alone",
    )
    devices = group.add_mutually_exclusive_group()
    devices.add_argument(
        "--devices", type=_list_of(_arguments.whole(0)), metavar="ID,ID", help="logical devices"
    )
    devices.add_argument(
        "--device", type=_arguments.whole(0), metavar="ID", help="logical device (default: 0)"
    )
    group.add_argument(
        "--rate",
        type=_positive,
        metavar="PER_S",
        help="offer so many inferences a second; latency counts from when each was due",
    )
    group.add_argument(
        "--goal",
        choices=("latency", "throughput"),
        help="search threads and instances; with --search-batch: what makes the best",
    )
    group.add_argument(
        "--max-workers", type=whole, metavar="N", help="most instances to try (default: 8)"
    )
    group.add_argument(
        "--search-batch",
        action="store_const",
        const=True,
        help="report the best batch size: of the files given, or converting one .onnx",
    )


def _add_data(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("with what data (default: made up)")
    group.add_argument(
        "--input",
        dest="input_files",
        action="append",
        metavar="NAME=PATH",
        help=".npy, .bin, .npz or a folder of them, once for each input; NAME may be left out for "
        "one input, an .npz or a folder with a file for each",
    )
    group.add_argument(
        "--fill",
        dest="fills",
        action="append",
        metavar="NAME=SPEC",
        help="make up: uniform:LOW:HIGH, normal:MEAN:STD, constant:VALUE, zeros, ones, range; "
        "without NAME for all other inputs",
    )
    group.add_argument(
        "--seed", type=_arguments.whole(0), metavar="SEED", help="of made-up data (default: 0)"
    )


def _add_results(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("results")
    group.add_argument("--output", metavar="DIR", help="write bench.json, and what is asked, there")
    group.add_argument("--csv", action="store_true", help="also DIR/bench.csv")
    group.add_argument("--report", choices=("html",), help="also DIR/bench.html")
    group.add_argument(
        "--save-outputs", choices=("npy", "bin"), help="also the model's outputs, DIR/outputs"
    )
    group.add_argument(
        "--power", action="store_const", const=True, help="read the power from npu-smi (cards only)"
    )
    group.add_argument("--save-config", metavar="FILE", help="write what was asked for")
    group.add_argument("--config", metavar="FILE", help="read it; flags win over the file")


def _add_diff(commands: Commands) -> None:
    parser = commands.add_parser(
        "bench diff",
        help="compare two measurements",
        description="Compares two reports of aclrt bench; exit code 1 if one figure is certainly "
        "worse by more than the limit.",
        epilog="Certainly: the whole confidence interval of the change is beyond the limit. It "
        "knows the noise within the measurements, not that between two starts.",
    )
    parser.add_argument("old", metavar="OLD.json", help="the report before")
    parser.add_argument("new", metavar="NEW.json", help="the report now")
    parser.add_argument(
        "--fail-on", type=_share, default=0.05, metavar="PERCENT", help="the limit (default: 5%%)"
    )
    parser.add_argument(
        "--confidence",
        type=_share,
        default=0.95,
        metavar="PERCENT",
        help="of the intervals (default: 95%%)",
    )
    parser.add_argument(
        "--metrics",
        type=lambda text: tuple(text.split(",")),
        default=("p50", "throughput"),
        metavar="NAME,NAME",
        help="throughput, mean, p50, p90, ... (default: p50,throughput)",
    )
    _arguments.add_json(parser)
    parser.set_defaults(command=_diff, parser=parser)


def _number(text: str, least: float, what: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not least <= value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not {what}")
    return value


def _positive(text: str) -> float:
    return _number(text, 5e-324, "a number above 0")


def _not_negative(text: str) -> float:
    return _number(text, 0, "a number of at least 0")


def _share(text: str) -> float:
    """5% and 5 are 0.05."""
    return _number(text.removesuffix("%"), 5e-324, "a percentage above 0") / 100


def _list_of(kind: Callable[[str], Any]) -> Callable[[str], tuple[Any, ...]]:
    def read(text: str) -> tuple[Any, ...]:
        try:
            return tuple(kind(word) for word in text.split(","))
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not a list of numbers") from None

    return read


def _settings(options: argparse.Namespace) -> aclrt.bench.BenchConfig:
    """The file's settings, and those of the flags over them."""
    given: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in vars(options).items()
        if name in configs.NAMES and value not in (None, [])
    }
    if options.device is not None:
        given["devices"] = (options.device,)
    if options.config is not None:
        given = {**configs.read(options.config), **given}
    if not given.get("models"):
        raise UsageError("no MODEL is given", hint="aclrt bench MODEL.om")
    return aclrt.bench.BenchConfig(**given)


def _bench(options: argparse.Namespace) -> int:
    for flag in ("csv", "report", "save_outputs"):
        if getattr(options, flag) and options.output is None:
            raise UsageError(f"--{flag.replace('_', '-')} needs --output DIR to write to")
    settings = _settings(options)
    devices = settings.devices
    return _arguments.traced(options, devices, lambda: _measure(options, settings), trace=False)


def _measure(options: argparse.Namespace, settings: aclrt.bench.BenchConfig) -> int:
    if options.save_config is not None:
        settings.save(options.save_config)
    folder = None if options.output is None else Path(options.output)
    code = 0
    try:
        report = aclrt.bench.measure(
            settings,
            save_outputs=folder / "outputs" if folder and options.save_outputs else None,
            output_format=options.save_outputs or "npy",
            trace=options.trace,
            watch=_bench_text.progress(),
        )
    except aclrt.bench.BenchInterrupted as interrupt:
        report, code = interrupt.result, INTERRUPTED
        _bench_text.say_interrupted()
    files = []
    if folder is not None:
        html = options.report == "html"
        files = [str(file) for file in report.save(folder, csv=options.csv, html=html)]
    if options.json:
        print(report.to_json())
    else:
        _bench_text.show(report, files)
    return code


def _diff(options: argparse.Namespace) -> int:
    result = aclrt.bench.diff(
        options.old,
        options.new,
        fail_on=options.fail_on,
        confidence=options.confidence,
        metrics=options.metrics,
    )
    if options.json:
        _output.print_json(result.to_dict())
    else:
        _bench_text.show_diff(result)
    return 0 if result.ok else 1
