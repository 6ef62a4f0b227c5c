# SPDX-License-Identifier: Apache-2.0
"""``MemoryStats``: the bytes that a model holds, by kind."""

from __future__ import annotations

from typing import Any, NamedTuple

from ._ffi import ffi, lib, raise_for

__all__ = ["MemoryStats"]


class MemoryStats(NamedTuple):
    """Bytes that a model, one of its instances or a pool holds at one moment.

    ``weights``, ``work`` and ``buffers`` are on the device: for weights and for activations as
    AscendCL states them, and for inputs and outputs, in flight too. ``pinned`` is page-locked host
    memory, ``host`` ordinary host memory beside what Python objects and the library's fixed
    structures take. ``peak`` is the most that the three on the device came to at one time.
    ``instances`` has the same for each instance (its ``weights`` are 0 where all share one block),
    or for each device of a pool.
    """

    weights: int
    work: int
    buffers: int
    pinned: int
    host: int
    peak: int
    instances: tuple[MemoryStats, ...] = ()

    @property
    def device(self) -> int:
        """Bytes on the device now: ``weights``, ``work`` and ``buffers``."""
        return self.weights + self.work + self.buffers


def read(handle: Any, count: int) -> MemoryStats:
    """Of a model with that many instances.

    Raises:
        ForkedProcessError: This is a child of the process that loaded the model.
    """
    raw = ffi.new("aclrt_memory_stats_t *")

    def one(instance: int) -> MemoryStats:
        raise_for(lib.aclrt_model_memory_stats(handle, instance, raw))
        return MemoryStats(raw.weights, raw.work, raw.buffers, raw.pinned, raw.host, raw.peak)

    return one(-1)._replace(instances=tuple(one(i) for i in range(count)))


def total(parts: list[MemoryStats]) -> MemoryStats:
    """Several together. Their peaks are added, though they need not have been at the same time."""
    kinds = ("weights", "work", "buffers", "pinned", "host", "peak")
    sums = {kind: sum(getattr(part, kind) for part in parts) for kind in kinds}
    return MemoryStats(**sums, instances=tuple(parts))
