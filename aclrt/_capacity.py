# SPDX-License-Identifier: Apache-2.0
"""What a model holds, and preparing it for traffic: a part of ``OfflineModel``."""

from __future__ import annotations

from typing import Any, Final

from . import _check, _memory_stats
from ._ffi import ffi, lib, raise_for
from ._memory_stats import MemoryStats
from .errors import ClosedError

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
            in_flight: How many calls there will be at a time, from all threads: so many pointer
                frames are made ready. None: as many as there are instances.
            warm_up: How often each instance runs with zeros in its largest shapes, which makes
                memory grow to what they take. 0 runs nothing.

        Raises:
            InputError: The largest shape has no limit, or an input takes images of any size: then
                ``warm_up=0`` prepares the rest. Or an argument is out of range.
            ClosedError: The model is closed.
            DeviceLostError: The device died.
            AclError: AscendCL refused a run.
        """
        wanted = self._instances
        if in_flight is not None:
            wanted = _check.count_of(in_flight, "in_flight", _MOST_FRAMES)
        runs = 0 if warm_up == 0 else _check.count_of(warm_up, "warm_up", 1000)
        if self._closed:
            raise ClosedError(f"{self._name} is closed", hint="load it again")
        while len(self._frames) < wanted:
            self._frames.append(self._new_frame())
        raise_for(lib.aclrt_model_warm_up(self._handle, runs))
