# SPDX-License-Identifier: Apache-2.0
"""The figures of a row of samples, and how sure one can be of a difference between two rows.

Successive inferences are not independent (clocks ramp, caches warm, other programs come and go), so
intervals come from a bootstrap of moving blocks: Kuensch, The Jackknife and the Bootstrap for
General Stationary Observations, Annals of Statistics 17 (1989); the length of a block follows Hall,
Horowitz and Jing, On Blocking Rules for the Bootstrap with Dependent Data, Biometrika 82 (1995).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Summary", "change", "label", "needed", "percentile", "summarise"]

NS_PER_MS = 1e6
# A percentile is a guess unless about ten samples lie above it.
_ABOVE = 10
_WORK = 20_000_000  # samples drawn in all for one interval, at most
_CHUNK = 1_000_000

Statistic = Callable[["NDArray[Any]"], "NDArray[Any]"]


def percentile(ordered: NDArray[np.int64], percent: float) -> int:
    """The smallest sample that at least ``percent`` of all samples do not exceed (nearest rank).

    Args:
        ordered: Samples, ascending; at least one.
        percent: Above 0, up to 100.

    Returns:
        One of the samples: nothing is interpolated (NumPy's ``method="inverted_cdf"``).
    """
    # As a fraction of its decimal form: 99.9 is not a whole number of 1/1024s.
    rank = ceil(len(ordered) * Fraction(str(percent)) / 100)
    return int(ordered[max(rank, 1) - 1])


def needed(percent: float) -> int:
    """How many samples a percentile needs for ten of them to lie above it; 1 for 100."""
    above = 1 - Fraction(str(percent)) / 100
    return 1 if above == 0 else ceil(_ABOVE / above)


def label(percent: float) -> str:
    """``p50``, ``p99.9``."""
    return f"p{percent:g}"


@dataclass(frozen=True)
class Summary:
    """The figures of a row of samples.

    Attributes:
        count: Samples.
        mean_ms: Their mean.
        std_ms: Their standard deviation (n - 1); 0 for one sample.
        min_ms: The shortest.
        max_ms: The longest.
        percentiles: Milliseconds by percent; samples, not interpolations.
    """

    count: int
    mean_ms: float
    std_ms: float
    min_ms: float
    max_ms: float
    percentiles: dict[float, float]

    def to_dict(self) -> dict[str, Any]:
        """As JSON has them."""
        figures = dict(vars(self))
        figures["percentiles"] = {f"{p:g}": ms for p, ms in self.percentiles.items()}
        return figures


def summarise(samples_ns: NDArray[np.int64], percentiles: tuple[float, ...]) -> Summary:
    """The figures of at least one sample, given in nanoseconds."""
    ordered = np.sort(samples_ns)
    return Summary(
        count=len(ordered),
        mean_ms=float(ordered.mean()) / NS_PER_MS,
        std_ms=float(ordered.std(ddof=1)) / NS_PER_MS if len(ordered) > 1 else 0.0,
        min_ms=int(ordered[0]) / NS_PER_MS,
        max_ms=int(ordered[-1]) / NS_PER_MS,
        percentiles={p: percentile(ordered, p) / NS_PER_MS for p in percentiles},
    )


def _resampled(
    samples: NDArray[Any], statistic: Statistic, count: int, rng: np.random.Generator
) -> NDArray[Any]:
    """The statistic of ``count`` rows, each put together from blocks of the samples."""
    size = len(samples)
    length = max(1, round(size ** (1 / 3)))
    blocks = ceil(size / length)
    values = []
    batch = max(1, _CHUNK // size)
    for first in range(0, count, batch):
        rows = min(batch, count - first)
        starts = rng.integers(0, size - length + 1, (rows, blocks))
        index = (starts[:, :, None] + np.arange(length)).reshape(rows, -1)[:, :size]
        values.append(statistic(samples[index]))
    return np.concatenate(values)


def change(
    old: NDArray[Any],
    new: NDArray[Any],
    statistic: Statistic,
    *,
    confidence: float,
    resamples: int = 2000,
    seed: int = 0,
) -> tuple[float, float, float]:
    """The relative change of a statistic from one row of samples to another.

    Args:
        old: Samples in the order in which they were taken, at least 2.
        new: Likewise.
        statistic: Of each row (last axis) of an array; above 0.
        confidence: Of the interval, between 0 and 1.
        resamples: Rows drawn; fewer, but at least 200, where the samples are very many.
        seed: Of the drawing: the same samples give the same interval.

    Returns:
        The change (0.1: a tenth more), and the lower and upper end of its interval.
    """
    rng = np.random.default_rng(seed)
    count = max(200, min(resamples, floor(_WORK / max(len(old), len(new)))))
    ratios = _resampled(new, statistic, count, rng) / _resampled(old, statistic, count, rng) - 1
    low, high = np.quantile(ratios, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(statistic(new[None])[0] / statistic(old[None])[0] - 1), float(low), float(high)
