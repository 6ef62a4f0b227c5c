# SPDX-License-Identifier: Apache-2.0
"""Memory of the device, and page-locked memory of the host's, as tensors."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from operator import index
from typing import TYPE_CHECKING, Any

import numpy as np

from . import dtypes, runtime
from ._closing import Closing
from ._ffi import ffi, lib, out_of_cycles, raise_for
from .device import Device
from .errors import InputError, ModelLoadError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from typing_extensions import Self

__all__ = ["DeviceTensor", "pinned_empty"]

_DEVICE, _HOST = 0, 1


def _dtype_of(dtype: Any) -> np.dtype[Any]:
    number = None
    try:
        for number, name in dtypes.NAMES.items():
            if dtype == name:
                return dtypes.dtype_of(number)
        found: np.dtype[Any] = np.dtype(dtype)
        number = None if found.hasobject else dtypes.number_of(found)
    except (TypeError, ModelLoadError) as error:
        raise InputError(f"{dtype!r} is no dtype: {error}") from None
    if number is None or not found.isnative:
        raise InputError(
            f"AscendCL has no element type for {found!r}",
            hint="use a native dtype of numbers, as in the specs of model.inputs",
        )
    return found


def _shape_of(shape: int | Sequence[int]) -> tuple[int, ...]:
    given: Sequence[Any] = shape if isinstance(shape, (tuple, list)) else (shape,)
    try:
        dims = tuple(map(index, given))
    except TypeError:
        raise InputError(f"a shape is an int or a tuple of ints, not {shape!r}") from None
    if any(dim < 0 for dim in dims):
        raise InputError(f"a tensor's dims are 0 or more, not {dims}")
    return dims


def _nbytes(shape: tuple[int, ...], dtype: np.dtype[Any]) -> int:
    count = prod(shape)
    nbytes = (count + 1) // 2 if dtypes.is_packed(dtype) else count * dtype.itemsize
    if nbytes > np.iinfo(np.intp).max:
        raise InputError(f"a tensor of {dtype} {shape} has more bytes than there are addresses")
    return nbytes


def _allocate(device_id: int, nbytes: int, kind: int) -> tuple[Any, Any]:
    """The handle, and what ``aclrt_memory_info`` says of it."""
    from . import _check

    chosen = _check.device_id_of(device_id)
    runtime.ensure(None)
    handle = ffi.new("aclrt_memory_t **")
    raise_for(lib.aclrt_memory_alloc(chosen, nbytes, kind, handle))
    memory = ffi.gc(handle[0], lib.aclrt_memory_release, nbytes)
    info = ffi.new("aclrt_memory_info_t *")
    raise_for(lib.aclrt_memory_info(memory, info))
    return memory, info


class DeviceTensor(Closing):
    """A tensor in a device's memory, made by ``empty`` or ``from_numpy``.

    A model on the same device takes it as an input, and as an output in ``out=``, so that models
    follow one another without a copy to the host. Close it with ``close()`` or a ``with`` block;
    one that is dropped is freed when nothing uses it any more.
    """

    __slots__ = (
        "_closed",
        "_data",
        "_device",
        "_device_id",
        "_dtype",
        "_handle",
        "_holder",
        "_shape",
    )

    _closed: bool
    _data: Any
    _device: Device | None
    _device_id: int
    _dtype: np.dtype[Any]
    _handle: Any
    _holder: Any
    _shape: tuple[int, ...]
    _again = "make another one"
    _elsewhere = "send its .numpy()"

    def __init__(self) -> None:
        raise TypeError("make one with DeviceTensor.empty(shape, dtype) or .from_numpy(array)")

    @classmethod
    def empty(cls, shape: int | Sequence[int], dtype: Any, *, device_id: int = 0) -> Self:
        """A tensor whose elements are not set.

        Args:
            shape: The dims.
            dtype: A NumPy dtype, or a name such as ``"float16"``, ``"bfloat16"`` or ``"int4"``.
            device_id: Logical device, counted from 0.

        Raises:
            InputError: No such dtype or shape.
            DeviceError: There is no such device, or it cannot be opened.
            DeviceOutOfMemoryError: The device has not enough free memory.
        """
        self = object.__new__(cls)
        self._dtype = _dtype_of(dtype)
        self._shape = _shape_of(shape)
        self._device_id = device_id
        self._device = None
        self._closed = False
        self._handle, info = _allocate(device_id, _nbytes(self._shape, self._dtype), _DEVICE)
        self._holder = out_of_cycles(self._handle)
        self._data = info.data
        return self

    @classmethod
    def from_numpy(cls, array: ArrayLike, *, device_id: int = 0) -> Self:
        """A copy of an array on the device; of its dtype and shape.

        Raises:
            InputError: AscendCL has no such element type; and as ``empty``.
        """
        values = np.asarray(array)
        self = cls.empty(values.shape, values.dtype, device_id=device_id)
        self.copy_from(values)
        return self

    @property
    def shape(self) -> tuple[int, ...]:
        """The dims."""
        return self._shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """The NumPy dtype of the elements."""
        return self._dtype

    @property
    def nbytes(self) -> int:
        """Bytes on the device, where two elements of int4 share one."""
        return _nbytes(self._shape, self._dtype)

    @property
    def device_id(self) -> int:
        """The logical device."""
        return self._device_id

    @property
    def device(self) -> Device:
        """The device that it lies on.

        Raises:
            DeviceError: It cannot be opened any more.
        """
        if self._device is None:
            self._device = Device(self._device_id)
        return self._device

    def numpy(self) -> NDArray[Any]:
        """A copy in an array of its own.

        Raises:
            ClosedError: The tensor is closed.
            AclError: AscendCL refused the copy.
        """
        array: NDArray[Any] = np.empty(self._shape, self._dtype)
        self.copy_to(array)
        return array

    def copy_to(self, target: NDArray[Any] | DeviceTensor) -> None:
        """Copies the elements to an array or another tensor of the same dtype and shape.

        Args:
            target: A writable contiguous array, or a tensor on the same device.

        Raises:
            InputError: It does not fit.
            ClosedError: One of them is closed.
            AclError: AscendCL refused the copy.
        """
        if isinstance(target, DeviceTensor):
            target.copy_from(self)
            return
        self._require_fit(target)
        if not target.flags.writeable or not target.flags.c_contiguous:
            raise InputError("the array to copy to must be writable and contiguous")
        handle = self._open_handle()
        if not dtypes.is_packed(self._dtype):
            raw = ffi.from_buffer(target)
            raise_for(lib.aclrt_memory_copy_out(handle, 0, raw, target.nbytes))
            return
        packed = np.empty(self.nbytes, np.uint8)
        raise_for(lib.aclrt_memory_copy_out(handle, 0, ffi.from_buffer(packed), packed.nbytes))
        dtypes.unpack(packed, target)

    def copy_from(self, source: NDArray[Any] | DeviceTensor) -> None:
        """Sets the elements to those of an array or another tensor of the same dtype and shape.

        Args:
            source: An array, or a tensor on the same device.

        Raises:
            InputError: It does not fit.
            ClosedError: One of them is closed.
            AclError: AscendCL refused the copy.
        """
        self._require_fit(source)
        handle = self._open_handle()
        if isinstance(source, DeviceTensor):
            raise_for(lib.aclrt_memory_copy(handle, 0, source._open_handle(), 0, self.nbytes))
            return
        values = source if source.flags.c_contiguous else source.copy(order="C")
        raw = dtypes.pack(values) if dtypes.is_packed(self._dtype) else values
        raise_for(lib.aclrt_memory_copy_in(handle, 0, ffi.from_buffer(raw), raw.nbytes))

    def _require_fit(self, other: Any) -> None:
        if not isinstance(other, (np.ndarray, DeviceTensor)):
            raise InputError(
                f"a DeviceTensor is copied from and to arrays and tensors, not a "
                f"{type(other).__name__}"
            )
        if other.dtype != self._dtype or other.shape != self._shape:
            raise InputError(
                f"the tensor is {self._dtype} {self._shape}, the other one "
                f"{other.dtype} {other.shape}"
            )

    def _what(self) -> str:
        return "the DeviceTensor"

    def _open_handle(self) -> Any:
        self._refuse_closed()
        return self._handle

    def _buffer(self) -> tuple[Any, int, Any]:
        """Data, nbytes and memory of ``aclrt_buffer_t``."""
        return self._data, self.nbytes, self._open_handle()

    def close(self) -> None:
        """Waits for runs that use it, then frees it. Idempotent.

        Raises:
            AclError: The device refused to free it.
            ForkedProcessError: This is a child of the process that made it.
        """
        self._closed = True
        is_idle = ffi.new("int32_t *")
        while not is_idle[0]:  # by slices, so that Ctrl-C is heard
            raise_for(lib.aclrt_memory_drain(self._handle, 50, is_idle))
        raise_for(lib.aclrt_memory_close(self._handle))

    def __repr__(self) -> str:
        """Dtype, shape and device; not the numbers."""
        state = ", closed" if self._closed else ""
        return f"<DeviceTensor {self._dtype} {self._shape} on device {self._device_id}{state}>"


class _Pinned:
    """What an array of page-locked memory has as its base; frees it with the last view."""

    __slots__ = ("__array_interface__", "handle", "is_shared")

    def __init__(self, handle: Any, address: int, nbytes: int, is_shared: bool) -> None:
        self.handle = handle
        self.is_shared = is_shared
        self.__array_interface__ = {
            "version": 3,
            "typestr": "|u1",
            "shape": (nbytes,),
            "data": (address, False),
        }


def pinned_empty(shape: int | Sequence[int], dtype: Any, *, device_id: int = 0) -> NDArray[Any]:
    """An array in page-locked memory of the host's, which a device copies fastest.

    It is an ordinary array, freed with its last view, also at exit. To allocate it is slow: make it
    once, and use it again and again, best in ``bind()``. Where the program runs on the device
    itself, bound arrays of this kind are used in place.

    Args:
        shape: The dims.
        dtype: A NumPy dtype, or a name such as ``"float16"`` or ``"bfloat16"``.
        device_id: The device that is to copy it.

    Returns:
        An array whose elements are not set.

    Raises:
        InputError: No such dtype or shape.
        DeviceError: There is no such device, or it cannot be opened.
        AclError: The memory cannot be had.
    """
    element, dims = _dtype_of(dtype), _shape_of(shape)
    nbytes = prod(dims) * element.itemsize
    handle, info = _allocate(device_id, nbytes, _HOST)
    owner = _Pinned(handle, int(ffi.cast("uintptr_t", info.data)), nbytes, bool(info.is_shared))
    return np.asarray(owner).view(element).reshape(dims)


def shared_handle(array: NDArray[Any]) -> Any:
    """The handle of the memory that an array lies in, where the device uses it too; else NULL."""
    base: Any = array
    while isinstance(base, np.ndarray):
        base = base.base
    return base.handle if isinstance(base, _Pinned) and base.is_shared else ffi.NULL
