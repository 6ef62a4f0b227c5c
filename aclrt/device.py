# SPDX-License-Identifier: Apache-2.0
"""Devices: what they are, and keeping one warm between models."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple

from . import runtime
from ._check import device_id_of
from ._closing import close_after
from ._ffi import ffi, lib, out_of_cycles, raise_for, text
from .errors import AclrtError

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Device", "DeviceMemory", "devices"]


class DeviceMemory(NamedTuple):
    """Bytes of device memory at one moment."""

    free: int
    total: int


def _open(device_id: int) -> Any:
    raw = ffi.new("aclrt_device_t **")
    raise_for(lib.aclrt_device_open(device_id, raw))
    return ffi.gc(raw[0], lib.aclrt_device_release)


def _info(handle: Any) -> Any:
    info = ffi.new("aclrt_device_info_t *")
    raise_for(lib.aclrt_device_info(handle, info))
    return info


def _note_failure(error: BaseException, what: str, status: Any) -> None:
    """Adds what a status says to an exception that is on its way already."""
    try:
        raise_for(status)
    except (AclrtError, MemoryError) as failure:
        if hasattr(error, "add_note"):
            error.add_note(f"and {what} failed: {failure}")


class Device:
    """One device, as this process sees it.

    Models open their device by themselves. Used as a context manager, a device stays open (and
    loading the next model is quicker) until the end of the block, whatever models come and go.

    Args:
        device_id: Logical id, counted from 0 among the visible devices.
        backend: ``"auto"``, ``"npu"`` or ``"fake"``; None for ``$ACLRT_BACKEND``, else auto.

    Raises:
        DeviceError: There is no such device, or it cannot be opened.
        BackendError: No usable libascendcl, or another backend than ``backend`` is in use.
    """

    def __init__(self, device_id: int = 0, *, backend: str | None = None) -> None:
        self._id = device_id_of(device_id)
        self._warm: Any = None
        self._holder: Any = None
        runtime.ensure(backend)
        self._backend = runtime.runtime_info().backend
        info = self._describe()
        self._soc_name = text(info.soc_name)

    def _describe(self) -> Any:
        if self._warm is not None:
            return _info(self._warm)
        handle = _open(self._id)
        try:
            info = _info(handle)
        except (AclrtError, MemoryError) as error:
            _note_failure(error, f"closing device {self._id}", lib.aclrt_device_close(handle))
            raise
        raise_for(lib.aclrt_device_close(handle))
        return info

    @property
    def id(self) -> int:
        """The logical id."""
        return self._id

    @property
    def backend(self) -> str:
        """``"npu"`` or ``"fake"``."""
        return self._backend

    @property
    def is_fake(self) -> bool:
        """Whether this is the fake device."""
        return self._backend == "fake"

    @property
    def soc_name(self) -> str:
        """The chip, ``"Ascend310P3"``; ``""`` where unknown."""
        return self._soc_name

    @property
    def memory(self) -> DeviceMemory:
        """Free and total bytes now.

        Raises:
            DeviceError: The device cannot be opened.
        """
        info = self._describe()
        return DeviceMemory(int(info.memory_free), int(info.memory_total))

    @property
    def is_open(self) -> bool:
        """Whether this object keeps the device open."""
        return self._warm is not None

    def open(self) -> None:
        """Keeps the device open until ``close()``; does nothing if it is.

        Raises:
            DeviceError: The device cannot be opened.
        """
        if self._warm is None:
            self._warm = _open(self._id)
            self._holder = out_of_cycles(self._warm)

    def close(self) -> None:
        """Gives the device back, once its models have gone too. Idempotent.

        Raises:
            DeviceError: The device could not be reset.
        """
        handle, self._warm, self._holder = self._warm, None, None
        if handle is not None:
            raise_for(lib.aclrt_device_close(handle))

    def __enter__(self) -> Self:
        """Opens it."""
        self.open()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Closes it; a failure to close never hides the exception of the block."""
        close_after(self, exc)

    def __eq__(self, other: object) -> bool:
        """Whether both are the same device."""
        return isinstance(other, Device) and other._id == self._id

    def __hash__(self) -> int:
        """Equal devices hash alike."""
        return hash((Device, self._id))

    def __repr__(self) -> str:
        """Id, chip and backend."""
        return f"Device({self._id}, soc_name={self._soc_name!r}, backend={self._backend!r})"


def devices(*, backend: str | None = None) -> list[Device]:
    """The devices visible to this process.

    Args:
        backend: ``"auto"``, ``"npu"`` or ``"fake"``; None for ``$ACLRT_BACKEND``, else auto.

    Returns:
        One ``Device`` each, in the order of their ids; none is kept open.

    Raises:
        BackendError: No usable libascendcl, or another backend than ``backend`` is in use.
        DeviceError: A device cannot be opened.
    """
    runtime.ensure(backend)
    return [Device(number) for number in range(runtime.runtime_info().device_count)]
