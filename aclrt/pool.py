# SPDX-License-Identifier: Apache-2.0
"""``DevicePool``: one model on several devices, called like one.

A call goes to the device with the fewest calls in progress. A device that fails is taken out: what
it had is done elsewhere, or fails, as asked. It comes back by ``readmit`` alone.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from . import _check, _memory_stats, runtime
from ._calls import Calls, arrays_in
from ._memory_stats import MemoryStats
from ._surface import Surface
from .errors import AclrtError, DeviceError, InputError
from .model import OfflineModel

if TYPE_CHECKING:
    from .result import Result

__all__ = ["DevicePool", "DeviceState"]

_MOST_DEVICES = 1024
_QUEUED_PER_INSTANCE = 8


class DeviceState(NamedTuple):
    """A device of a pool at one moment.

    ``state`` is ``"up"`` or ``"down"``; ``runs`` are calls that succeeded, ``failures`` those that
    the device failed, ``error`` what took it out.
    """

    id: int
    state: str
    in_flight: int
    runs: int
    failures: int
    error: str | None


class _Member:
    """A device with its model; all fields are under the pool's lock."""

    def __init__(self, device_id: int, model: OfflineModel) -> None:
        self.id = device_id
        self.model: OfflineModel | None = model
        self.is_up = True
        self.in_flight = self.runs = self.failures = 0
        self.error: DeviceError | None = None


class DevicePool(Surface):
    """A model loaded on several devices at once.

    Called as an ``OfflineModel`` is, from any number of threads. A device is taken out of the pool
    by a ``DeviceError`` (``DeviceLostError`` among them); ``InputError`` and refusals of a run are
    the caller's. Close it with ``close()`` or a ``with`` block.

    Args:
        source: As for ``OfflineModel``. A file object is read once.
        devices: Logical ids, each once; None for all that are visible.
        instances: Runs at a time on each device, as for ``OfflineModel``.
        on_failure: ``"retry"``: the calls of a device that fails are made again on another, as long
            as there is one. ``"raise"``: they raise its error.
        **options: As for ``OfflineModel``: ``backend``, ``onnx``, ``cast``, ``pad``, ``split``.

    Raises:
        InputError: An argument is wrong.
        AclrtError: As for ``OfflineModel``, where it does not load on one of the devices; then it
            is loaded on none.
    """

    _again = "open another one"
    _elsewhere = "open it in the other process"

    def __init__(
        self,
        source: Any,
        *,
        devices: Sequence[int] | None = None,
        instances: int = 1,
        on_failure: str = "retry",
        **options: Any,
    ) -> None:
        if on_failure not in ("retry", "raise"):
            raise InputError(f'on_failure must be "retry" or "raise", not {on_failure!r}')
        if "device_id" in options:
            raise InputError("a pool has devices, not a device_id", hint="devices=[0, 1]")
        self._retries = on_failure == "retry"
        self._safe = _check.cast_of(options.get("cast"))
        self._aipp: dict[Any, tuple[Any, Any]] = {}  # what set_aipp was given last, by input
        # Taken by itself: an interrupt inside Condition.__enter__, which is Python, would keep it.
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._closed = False
        runtime.ensure(options.get("backend"))
        ids = _ids_of(devices)
        self._source = source.read() if hasattr(source, "read") else source
        self._options = {**options, "instances": instances}
        self._members = [
            _Member(device_id, model)
            for device_id, model in zip(ids, self._load_all(ids), strict=True)
        ]
        first = self._members[0].model
        assert first is not None
        self._inputs, self._outputs, self._gears = first.inputs, first.outputs, first.gears
        self._kind = first._kind
        at_a_time = len(ids) * first.instances
        self._depth = 2 * at_a_time  # so that copies of one call overlap with another's execution
        self._calls = Calls(self._depth, _QUEUED_PER_INSTANCE * at_a_time, "aclrt-pool")

    def _what(self) -> str:
        return "the pool"

    def _load(self, device_id: int) -> OfflineModel:
        return OfflineModel(self._source, device_id=device_id, **self._options)

    def _load_all(self, ids: Sequence[int]) -> list[OfflineModel]:
        with ThreadPoolExecutor(len(ids), thread_name_prefix="aclrt-load") as threads:
            loads = [threads.submit(self._load, device_id) for device_id in ids]
        errors = [error for error in (load.exception() for load in loads) if error is not None]
        if not errors:
            return [load.result() for load in loads]
        for load in loads:
            if load.exception() is None:
                try:
                    load.result().close()
                except (AclrtError, MemoryError) as failure:
                    errors.append(failure)
        if hasattr(errors[0], "add_note"):
            for other in errors[1:]:
                errors[0].add_note(f"and: {other}")
        raise errors[0]

    # ---- dispatch ----

    def _take(self) -> tuple[_Member, OfflineModel]:
        with self._lock:
            self._refuse_closed()
            up = [member for member in self._members if member.is_up]
            if not up:
                last = self._members[-1].error
                error = DeviceError(
                    "no device of the pool is left: "
                    + "; ".join(f"device {member.id}: {member.error}" for member in self._members),
                    hint="readmit(device_id) takes one in again",
                )
                raise error from last
            member = min(up, key=lambda one: (one.in_flight, one.runs))
            member.in_flight += 1
            assert member.model is not None
            return member, member.model

    def _give_back(self, member: _Member, error: DeviceError | None, ran: bool) -> None:
        abandoned = None
        with self._lock:
            member.in_flight -= 1
            member.runs += ran
            if error is not None:
                member.failures += 1
                if member.is_up:
                    member.is_up, member.error = False, error
            if not member.is_up and member.in_flight == 0:
                abandoned, member.model = member.model, None
        if abandoned is None:
            return
        try:
            abandoned.close()  # which resets the device, so that it can be readmitted
        except (AclrtError, MemoryError) as failure:
            if member.error is not None and hasattr(member.error, "add_note"):
                member.error.add_note(f"and closing failed: {failure}")
        with self._lock:
            self._changed.notify_all()

    def _dispatch(self, method: str, args: Sequence[Any], named: dict[str, Any]) -> Any:
        while True:
            member, model = self._take()
            failure, ran = None, False
            try:
                result = getattr(model, method)(*args, **named)
                ran = True
                return result
            except DeviceError as error:
                failure = error
                if not self._retries or not self._has_another(member):
                    raise
            finally:
                self._give_back(member, failure, ran)

    def _has_another(self, member: _Member) -> bool:
        with self._lock:
            return any(one.is_up for one in self._members if one is not member)

    def __call__(self, /, *args: Any, **named: Any) -> Result:
        """Runs the model once, on the device with the fewest calls in progress.

        Args:
            *args: As for ``OfflineModel``.
            **named: As for ``OfflineModel``: inputs by name, ``out``, ``cast``, ``pad``, ``split``,
                ``timeout_s``.

        Returns:
            The outputs.

        Raises:
            InputError: The arrays do not fit.
            DeviceError: The device failed and another was not to be tried, or all have failed.
            ClosedError: The pool is closed.
            AclError: AscendCL refused the run.
        """
        given = arrays_in(named.get("out"))
        if given:
            self._calls.refuse_in_use(_read(args, named), given)
        result: Result = self._dispatch("__call__", args, named)
        return result

    def _start(
        self, args: Sequence[Any], named: Mapping[str, Any], wait: bool = False
    ) -> Future[Result]:
        self._refuse_device_tensors(self._fed(args, named))
        options = dict(named)

        def work() -> Result:
            result: Result = self._dispatch("__call__", args, options)
            return result

        return self._calls.submit(work, _read(args, named), arrays_in(named.get("out")), wait)

    def bind(self, *args: Any, **named: Any) -> Any:
        """Refuses: bound buffers belong to one device.

        Args:
            *args: Not looked at.
            **named: Not looked at.

        Raises:
            InputError: Always.
        """
        del args, named
        raise InputError(
            "a pool cannot bind: bound buffers belong to one device",
            hint="bind on an OfflineModel for each device",
        )

    def set_aipp(self, *args: Any, **keys: Any) -> None:
        """States what images with dynamic AIPP are, on every device: as ``OfflineModel.set_aipp``.

        A device that is readmitted later is told too. Calls in progress may still
        run with what was set before.

        Args:
            *args: As there.
            **keys: As there.

        Raises:
            AclrtError: As there; devices after the one that refused keep what they had.
        """
        for model in self._models():
            model.set_aipp(*args, **keys)
        about = (bool(args) or "config" in keys, keys.get("input"))
        with self._lock:
            self._aipp.pop(about, None)  # a device that is readmitted is told in this order
            self._aipp[about] = (args, keys)

    # ---- what it is ----

    @property
    def devices(self) -> tuple[DeviceState, ...]:
        """The devices in the order given, as they are now."""
        with self._lock:
            return tuple(
                DeviceState(
                    member.id,
                    "up" if member.is_up else "down",
                    member.in_flight,
                    member.runs,
                    member.failures,
                    None if member.error is None else str(member.error),
                )
                for member in self._members
            )

    def _models(self) -> list[OfflineModel]:
        with self._lock:
            return [m.model for m in self._members if m.is_up and m.model is not None]

    def memory_stats(self) -> MemoryStats:
        """Bytes that the models on all devices that are up hold now.

        Returns:
            All together (``peak``: the sum of theirs), and each device's in ``instances``.
        """
        return _memory_stats.total([model.memory_stats() for model in self._models()])

    def reserve(self, *, in_flight: int | None = None, warm_up: int = 1) -> None:
        """Prepares the model for traffic on each device that is up, as ``OfflineModel`` does.

        Args:
            in_flight: Runs at a time on each instance of each device.
            warm_up: Runs of each instance.

        Raises:
            AclrtError: As ``OfflineModel.reserve``.
        """
        for model in self._models():
            model.reserve(in_flight=in_flight, warm_up=warm_up)

    def readmit(self, device_id: int) -> None:
        """Loads the model anew on a device that was taken out; waits for its last calls.

        Args:
            device_id: One of the pool's; nothing is done if it is up.

        Raises:
            InputError: It is not one of the pool's.
            ClosedError: The pool is closed.
            AclrtError: The model does not load there; the device stays out.
        """
        member = next((one for one in self._members if one.id == device_id), None)
        if member is None:
            ids = ", ".join(str(one.id) for one in self._members)
            raise InputError(f"device {device_id!r} is not in the pool", hint=f"devices: {ids}")
        with self._lock:
            self._changed.wait_for(lambda: member.is_up or member.model is None)
            self._refuse_closed()
            if member.is_up:
                return
        model = self._load(device_id)
        for args, keys in tuple(self._aipp.values()):
            model.set_aipp(*args, **keys)
        if not self._takes_in(member, model):  # closed or readmitted meanwhile
            model.close()

    def _takes_in(self, member: _Member, model: OfflineModel) -> bool:
        with self._lock:
            if self._closed or member.is_up:
                return False
            member.model, member.is_up, member.error = model, True, None
            return True

    def close(self) -> None:
        """Waits for calls in progress, cancels those not begun, closes all models. Idempotent.

        Raises:
            AclError: A device refused to give something back; the rest is released all the same.
        """
        with self._lock:
            self._closed = True
        self._calls.close()
        self._calls.join()
        errors: list[BaseException] = []
        for member in self._members:
            with self._lock:
                model = member.model
            if model is None:
                continue
            try:
                model.close()
            except (AclrtError, MemoryError) as error:
                errors.append(error)
        if errors:
            raise errors[0]

    def __repr__(self) -> str:
        """Devices and their states."""
        states = ", ".join(f"{one.id}: {one.state}" for one in self.devices)
        return f"<DevicePool {{{states}}}{', closed' if self._closed else ''}>"


def _read(args: Sequence[Any], named: Mapping[str, Any]) -> list[np.ndarray]:
    return arrays_in([*args, *(value for name, value in named.items() if name != "out")])


def _ids_of(devices: Sequence[int] | None) -> list[int]:
    if devices is None:
        return list(range(runtime.runtime_info().device_count))
    if isinstance(devices, (str, bytes)) or not hasattr(devices, "__iter__"):
        raise InputError(f"devices must be a list of ids, not {devices!r}", hint="devices=[0, 1]")
    ids = [_check.device_id_of(device) for device in devices]
    if not 1 <= len(ids) <= _MOST_DEVICES:
        raise InputError("a pool needs at least one device", hint="devices=[0]")
    if len(set(ids)) != len(ids):
        raise InputError(f"devices names one twice: {ids}", hint="instances=2 loads twice on each")
    return ids
