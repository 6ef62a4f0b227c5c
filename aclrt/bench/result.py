# SPDX-License-Identifier: Apache-2.0
"""What a measurement found: figures derived from time stamps, with the cautions they deserve."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["BenchResult", "percentile"]

_NS_PER_MS = 1e6
_NS_PER_S = 1e9
# p99 is a guess unless about ten samples lie above it.
_SAMPLES_FOR_P99 = 1000


def percentile(ordered: NDArray[np.int64], percent: int) -> int:
    """The smallest sample that at least ``percent`` of all samples do not exceed (nearest rank).

    Args:
        ordered: Samples, ascending; at least one.
        percent: Above 0, up to 100.

    Returns:
        One of the samples: nothing is interpolated.
    """
    rank = -(-len(ordered) * percent // 100)
    return int(ordered[max(rank, 1) - 1])


@dataclass(frozen=True)
class BenchResult:
    """The figures of one measurement.

    Attributes:
        model: The file that was loaded; ``""`` for a model that the caller had opened.
        backend: ``"npu"`` or ``"fake"``.
        device_id: The device's logical id.
        soc_name: Its chip; ``""`` where unknown.
        iterations: Inferences in the samples.
        warmup: Inferences between the first one and the samples.
        load_ms: Loading the model; None for a model that the caller had opened.
        first_ms: The first inference, before warm-up; part of no other figure.
        mean_ms: Mean of the samples.
        min_ms: The shortest sample.
        p50_ms: Median. Percentiles are samples, not interpolations.
        p90_ms: 90th percentile.
        p99_ms: 99th percentile.
        max_ms: The longest sample.
        wall_s: From before the first to after the last sampled inference.
        throughput_per_s: Inferences a second of wall time.
        cautions: What to bear in mind when reading the figures, a sentence each.
        samples_ns: Each sampled inference, in order.
    """

    model: str
    backend: str
    device_id: int
    soc_name: str
    iterations: int
    warmup: int
    load_ms: float | None
    first_ms: float
    mean_ms: float
    min_ms: float
    p50_ms: float
    p90_ms: float
    p99_ms: float
    max_ms: float
    wall_s: float
    throughput_per_s: float
    cautions: tuple[str, ...]
    samples_ns: NDArray[np.int64] = field(repr=False, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """The figures as JSON has them: all attributes but ``samples_ns``."""
        figures = {name: value for name, value in vars(self).items() if name != "samples_ns"}
        figures["cautions"] = list(self.cautions)
        return figures


def from_stamps(
    stamps: NDArray[np.int64],
    *,
    model: str,
    backend: str,
    device_id: int,
    soc_name: str,
    warmup: int,
    load_ns: int | None,
    first_ns: int,
) -> BenchResult:
    """Derives all figures.

    Args:
        stamps: Monotonic nanoseconds: the start, then the end of each inference.
        model: As in ``BenchResult``.
        backend: As in ``BenchResult``.
        device_id: As in ``BenchResult``.
        soc_name: As in ``BenchResult``.
        warmup: As in ``BenchResult``.
        load_ns: Nanoseconds of loading, if it was measured.
        first_ns: Nanoseconds of the first inference.

    Returns:
        The result.
    """
    samples = np.diff(stamps)
    ordered = np.sort(samples)
    wall_ns = int(stamps[-1] - stamps[0])
    cautions = []
    if len(samples) < _SAMPLES_FOR_P99:
        cautions.append(
            f"{len(samples)} samples are too few for p99: "
            f"take {_SAMPLES_FOR_P99} iterations or more"
        )
    if backend == "fake":
        cautions.append("measured on the fake device: these are this CPU's times, not a card's")
    return BenchResult(
        model=model,
        backend=backend,
        device_id=device_id,
        soc_name=soc_name,
        iterations=len(samples),
        warmup=warmup,
        load_ms=None if load_ns is None else load_ns / _NS_PER_MS,
        first_ms=first_ns / _NS_PER_MS,
        mean_ms=wall_ns / len(samples) / _NS_PER_MS,
        min_ms=int(ordered[0]) / _NS_PER_MS,
        p50_ms=percentile(ordered, 50) / _NS_PER_MS,
        p90_ms=percentile(ordered, 90) / _NS_PER_MS,
        p99_ms=percentile(ordered, 99) / _NS_PER_MS,
        max_ms=int(ordered[-1]) / _NS_PER_MS,
        wall_s=wall_ns / _NS_PER_S,
        throughput_per_s=len(samples) * _NS_PER_S / max(wall_ns, 1),
        cautions=tuple(cautions),
        samples_ns=samples,
    )
