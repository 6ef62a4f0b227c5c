# SPDX-License-Identifier: Apache-2.0
"""What a model holds, and preparing it for traffic: a part of ``OfflineModel``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from . import _check, _memory_stats
from ._ffi import ffi, lib, raise_for
from ._memory_stats import MemoryStats
from .errors import ClosedError

if TYPE_CHECKING:
    from ._dynamic import DynamicRunner
    from .pipeline import Overlap

__all__ = ["MOST_INSTANCES", "Capacity"]

MOST_INSTANCES: Final = 64
_MOST_FRAMES: Final = 4096


class Capacity:
    """Instances, memory, preparation."""

    _name: str
    _handle: Any
    _closed: bool
    _instances: int
    _shares_weights: bool
    _frames: list[Any]
    _runner: DynamicRunner | None

    def _in_flight(self) -> Overlap:
        raise NotImplementedError

    def _new_frame(self) -> Any:
        raise NotImplementedError

    @property
    def instances(self) -> int:
        """How many runs there can be at a time."""
        return self._instances

    @property
    def shares_weights(self) -> bool:
        """Whether the instances have one block of device memory for weights.

        They have where AscendCL can load into given memory. It cannot for models whose shapes are
        known at run time alone (``input_shape_range``); then, and with one instance, each load has
        its own.
        """
        return self._shares_weights

    def memory_stats(self) -> MemoryStats:
        """Bytes that the model holds now; does not wait for runs.

        Returns:
            All instances together, and each of them in ``instances``.

        Raises:
            ForkedProcessError: This is a child of the process that loaded the model.
        """
        stats = _memory_stats.read(self._handle, self._instances)
        frames = sum(map(ffi.sizeof, tuple(self._frames)))
        return stats._replace(host=stats.host + frames)

    def reserve(self, *, in_flight: int | None = None, warm_up: int = 1) -> None:
        """Prepares the model for traffic, so that the first calls are as quick as later ones.

        Args:
            in_flight: How many runs there will be at a time on each instance. So many slots are
                made for ``submit`` and ``run_async``, and as many for ``map``, each with device
                memory for one run's inputs and outputs (``memory_stats().buffers``; none where
                shapes are a range), and frames for as many calls from all threads. ``submit``
                has so many runs in flight from then on, unless it was used before. None: no
                slots, and frames for as many calls as there are instances.
            warm_up: How often each instance runs with zeros in its largest shapes, which makes
                memory grow to what they take. 0 runs nothing.

        Raises:
            InputError: The largest shape has no limit, or an input takes images of any size: then
                ``warm_up=0`` prepares the rest. Or an argument is out of range.
            ClosedError: The model is closed.
            DeviceLostError: The device died.
            DeviceOutOfMemoryError: There is no memory for that many runs.
            AclError: AscendCL refused a run.
        """
        wanted = self._instances
        if in_flight is not None:
            depth = _check.count_of(in_flight, "in_flight", _MOST_FRAMES)
            wanted = depth * self._instances
        runs = 0 if warm_up == 0 else _check.count_of(warm_up, "warm_up", 1000)
        if self._closed:
            raise ClosedError(f"{self._name} is closed", hint="load it again")
        if self._runner is not None:
            self._runner.reserve(wanted)
        while self._runner is None and len(self._frames) < wanted:
            self._frames.append(self._new_frame())
        if in_flight is not None:
            self._in_flight().reserve(depth)
        raise_for(lib.aclrt_model_warm_up(self._handle, runs))
