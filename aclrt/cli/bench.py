# SPDX-License-Identifier: Apache-2.0
"""``aclrt bench``: how long an inference takes, and how many a second there are."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import aclrt.bench

from . import _arguments, _output

if TYPE_CHECKING:
    from ._arguments import Commands


def add_to(commands: Commands) -> None:
    """Declares the command."""
    parser = _arguments.declare(
        commands,
        "bench",
        __doc__,
        help="measure a model",
        epilog="Times are end to end: checks, copies both ways and execution. The first inference "
        "is timed apart. Throughput is iterations by wall time. The data is made up.",
    )
    parser.add_argument("model", metavar="MODEL", help="the .om")
    parser.add_argument(
        "--iterations",
        type=_arguments.whole(1),
        default=1000,
        metavar="N",
        help="inferences to measure (default: 1000)",
    )
    parser.add_argument(
        "--warmup",
        type=_arguments.whole(0),
        default=10,
        metavar="N",
        help="inferences before them (default: 10)",
    )
    _arguments.add_device(parser)
    _arguments.add_backend(parser)
    _arguments.add_json(parser)
    parser.set_defaults(command=_bench)


def _bench(options: argparse.Namespace) -> int:
    result = aclrt.bench.run(
        options.model,
        iterations=options.iterations,
        warmup=options.warmup,
        device_id=options.device,
        backend=options.backend,
    )
    if options.json:
        _output.print_json(result.to_dict())
        return 0
    place = f"device {result.device_id} ({result.backend}, {result.soc_name or 'unknown'})"
    print(f"{result.model} on {place}")
    print(f"{result.iterations} iterations after {result.warmup} to warm up\n")
    times = [
        ("load", result.load_ms),
        ("first", result.first_ms),
        ("mean", result.mean_ms),
        ("min", result.min_ms),
        ("p50", result.p50_ms),
        ("p90", result.p90_ms),
        ("p99", result.p99_ms),
        ("max", result.max_ms),
    ]
    _output.facts([(name, f"{ms:12.4f} ms") for name, ms in times if ms is not None])
    print(f"\nthroughput  {result.throughput_per_s:.1f} inferences/s over {result.wall_s:.3f} s")
    for caution in result.cautions:
        print(f"caution: {caution}")
    return 0
