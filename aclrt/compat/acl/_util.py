# SPDX-License-Identifier: Apache-2.0
"""``acl.util``: between numpy arrays, bytes and addresses.

Nothing here keeps an object alive: an address is good for as long as the script keeps the array or
the bytes, and a view for as long as the memory is not freed, as with pyACL itself.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from aclrt._ffi import ffi

from . import _abi, _messages

_DEVICE = 1  # of the location types of pointer attributes
_SEPARATE = 1  # run mode: memories of host and device are separate
_DTYPES = {
    0: np.bool_,
    1: np.int8,
    2: np.uint8,
    3: np.int16,
    4: np.uint16,
    5: np.int32,
    6: np.uint32,
    7: np.int64,
    8: np.uint64,
    9: np.int64,
    10: np.uint64,
    11: np.float32,
    12: np.float64,
    23: np.float16,
}


def _one(name: str, labels: list[str], arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    if len(arguments) != len(labels):
        raise _messages.count_error(name, labels, len(arguments), False)
    return arguments


def _array(name: str, value: Any) -> np.ndarray[Any, Any]:
    if not isinstance(value, np.ndarray):
        raise ValueError(
            f"acl.{name}: the argument must be a numpy array, not {type(value).__name__}"
        )
    return value


def numpy_to_ptr(*arguments: Any) -> int:
    """acl.util.numpy_to_ptr(array) -> the address of its data; keep the array alive."""
    name = "util.numpy_to_ptr"
    array = _array(name, *_one(name, ["array"], arguments))
    warnings.warn(
        "acl.util.numpy_to_ptr is deprecated: use acl.util.bytes_to_ptr(array.tobytes()) or "
        "acl.util.numpy_contiguous_to_ptr",
        Warning,
        stacklevel=2,
    )
    if not array.flags.c_contiguous:
        warnings.warn(
            "acl.util.numpy_to_ptr: the array is not contiguous; the address is that of its first "
            "element, what follows there are not its elements in order",
            Warning,
            stacklevel=2,
        )
    return int(array.__array_interface__["data"][0])


def numpy_contiguous_to_ptr(*arguments: Any) -> tuple[int, np.ndarray[Any, Any]]:
    """acl.util.numpy_contiguous_to_ptr(array) -> (address, the array to keep alive)."""
    name = "util.numpy_contiguous_to_ptr"
    array = np.ascontiguousarray(_array(name, *_one(name, ["array"], arguments)))
    return int(array.__array_interface__["data"][0]), array


def ptr_to_numpy(*arguments: Any) -> np.ndarray[Any, Any]:
    """acl.util.ptr_to_numpy(ptr, shape, numpy's type number) -> an array that views the memory."""
    name = "util.ptr_to_numpy"
    address, shape, number = _one(name, ["ptr", "shape", "npy_type"], arguments)
    address = _messages.as_address(name, 1, "ptr", address)
    if not isinstance(shape, tuple):
        raise TypeError(
            f"acl.{name}: argument 2 (shape) must be a tuple of ints, not {type(shape).__name__}"
        )
    dims = [_messages.as_int(name, 2, "shape", dim) for dim in shape]
    if any(dim < 0 for dim in dims):
        raise ValueError(f"acl.{name}: the shape {shape} has a negative dim")
    dtype = _DTYPES.get(_messages.as_int(name, 3, "npy_type", number))
    if dtype is None:
        known = ", ".join(f"{n} {np.dtype(t).name}" for n, t in _DTYPES.items())
        raise ValueError(
            f"acl.{name}: {number} is none of numpy's type numbers for arrays of numbers: {known} "
            "(not to be confused with AscendCL's data types)"
        )
    nbytes = math.prod(dims) * np.dtype(dtype).itemsize
    if nbytes == 0:
        return np.empty(shape, dtype)
    return np.frombuffer(_readable(name, address, nbytes), dtype).reshape(shape)


def bytes_to_ptr(*arguments: Any) -> int:
    """acl.util.bytes_to_ptr(data) -> the address inside the bytes object; keep it alive."""
    name = "util.bytes_to_ptr"
    (data,) = _one(name, ["data"], arguments)
    if not isinstance(data, bytes):
        raise TypeError(f"acl.{name}: argument 1 (data) must be bytes, not {type(data).__name__}")
    return _abi.to_address(ffi.from_buffer(data))


def ptr_to_bytes(*arguments: Any) -> bytes:
    """acl.util.ptr_to_bytes(ptr, size) -> a copy of the memory."""
    name = "util.ptr_to_bytes"
    address, size = _one(name, ["ptr", "size"], arguments)
    address = _messages.as_address(name, 1, "ptr", address)
    size = _messages.as_int(name, 2, "size", size)
    if size < 0:
        raise ValueError(f"acl.{name}: the size is {size}")
    return b"" if size == 0 else bytes(_readable(name, address, size))


def _readable(name: str, address: int, nbytes: int) -> Any:
    """A buffer over memory that the host may read.

    Raises:
        ValueError: It is NULL or device memory; reading it would end the process.
    """
    if address == 0:
        raise ValueError(
            f"acl.{name}: the address is 0 (NULL): there is no buffer. An output dataset holds "
            "only what the script adds to it: for each output, acl.rt.malloc, "
            "acl.create_data_buffer, acl.mdl.add_dataset_buffer"
            f"{_messages.before()}"
        )
    if _is_device_memory(address):
        raise ValueError(
            f"acl.{name}: {address:#x} is device memory, which the host cannot read. Copy it "
            "first: host = acl.rt.malloc_host(size)[0], "
            "acl.rt.memcpy(host, size, ptr, size, 2)  # 2: device to host"
            f"{_messages.before()}"
        )
    return ffi.buffer(ffi.cast("char *", _abi.to_pointer(address)), nbytes)


def _is_device_memory(address: int) -> bool:
    """False where that cannot be told: CANN releases before pointer attributes."""
    from aclrt.errors import BackendError

    attributes = ffi.new(
        f"{_abi.prototypes()['rt.pointer_get_attributes'].parameters[1].type_name} *"
    )
    try:
        ask = _abi.pointer("rt.pointer_get_attributes")
    except BackendError:
        return False
    if ask(_abi.to_pointer(address), attributes) != 0 or attributes.location.type != _DEVICE:
        return False
    mode = ffi.new("int32_t *")
    return bool(_abi.pointer("rt.get_run_mode")(mode) == 0 and mode[0] == _SEPARATE)
