# SPDX-License-Identifier: Apache-2.0
"""The measuring loop: one call after the other, a monotonic stamp after each."""

from __future__ import annotations

import os
import time
from array import array
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _feeds
from ..errors import InputError
from ..model import OfflineModel
from .result import BenchResult, from_stamps

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["run"]

_clock = time.perf_counter_ns


def run(
    model: OfflineModel | str | os.PathLike[str],
    *,
    iterations: int = 1000,
    warmup: int = 10,
    feeds: Mapping[str, NDArray[Any]] | Sequence[NDArray[Any]] | None = None,
    device_id: int = 0,
    backend: str | None = None,
) -> BenchResult:
    """Measures ``model(*feeds)``, end to end: checks, copies both ways and execution.

    The first inference is timed apart, then ``warmup`` inferences follow untimed, then
    ``iterations`` are timed one by one. Samples follow each other without a gap, so they add up
    to the wall time from which the throughput is taken.

    Args:
        model: An open model, which stays open; or a file, which is loaded and closed.
        iterations: Inferences to sample, at least 1.
        warmup: Inferences before them, at least 0.
        feeds: The inputs, by name or in order; None for made-up data of the right types.
        device_id: Where to load a file; unused for an open model.
        backend: For a file: ``"auto"``, ``"npu"``, ``"fake"`` or None, as in ``OfflineModel``.

    Returns:
        The figures.

    Raises:
        InputError: ``iterations`` or ``warmup`` is out of range, or the feeds do not fit.
        AclrtError: The model cannot be loaded or run.
        OSError: The file cannot be read.
    """
    if iterations < 1:
        raise InputError(f"iterations must be at least 1, not {iterations}")
    if warmup < 0:
        raise InputError(f"warmup must be at least 0, not {warmup}")
    if isinstance(model, OfflineModel):
        return _measure(model, iterations, warmup, feeds, name="", load_ns=None)
    start = _clock()
    with OfflineModel(model, device_id=device_id, backend=backend) as opened:
        load_ns = _clock() - start
        return _measure(opened, iterations, warmup, feeds, name=os.fspath(model), load_ns=load_ns)


def _measure(
    model: OfflineModel,
    iterations: int,
    warmup: int,
    feeds: Mapping[str, NDArray[Any]] | Sequence[NDArray[Any]] | None,
    *,
    name: str,
    load_ns: int | None,
) -> BenchResult:
    if feeds is None:
        feeds = list(_feeds.make(model.inputs).values())
    arguments: tuple[Any, ...] = (feeds,) if isinstance(feeds, Mapping) else tuple(feeds)
    start = _clock()
    model(*arguments)
    first_ns = _clock() - start
    for _ in range(warmup):
        model(*arguments)
    stamps = array("q", [0]) * (iterations + 1)  # before the loop: appending would allocate in it
    stamps[0] = _clock()
    for index in range(1, iterations + 1):
        model(*arguments)
        stamps[index] = _clock()
    return from_stamps(
        np.frombuffer(stamps, np.int64),
        model=name,
        backend=model.device.backend,
        device_id=model.device.id,
        soc_name=model.device.soc_name,
        warmup=warmup,
        load_ns=load_ns,
        first_ns=first_ns,
    )
