# SPDX-License-Identifier: Apache-2.0
"""The functions whose Python form departs from the conventions, by pyACL's name."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from typing import Any

from aclrt._ffi import ffi, text

from . import _abi, _callbacks, _messages, _structs, _util
from ._functions import status, take_numbers, take_text

_MAX_GEARS = 4096  # pyACL asks for no more
_INVALID_PARAM = 100000


def _arguments(name: str, labels: str, given: tuple[Any, ...]) -> tuple[Any, ...]:
    """The arguments; numbers as ints, except those whose label ends in a sign that says otherwise.

    ``*`` is an address, ``$`` a text (given as ``char[]``), ``?`` anything.
    """
    wanted = labels.split()
    plain = [label.rstrip("*$?") for label in wanted]
    if len(given) != len(wanted):
        raise _messages.count_error(name, plain, len(given), False)
    values: list[Any] = []
    for position, (label, value) in enumerate(zip(wanted, given, strict=True), 1):
        shown = plain[position - 1]
        if label.endswith("*"):
            address = _messages.as_address(name, position, shown, value)
            values.append(_abi.to_pointer(address))
        elif label.endswith("$"):
            values.append(take_text(name, position, shown, value))
        elif label.endswith("?"):
            values.append(value)
        else:
            values.append(_messages.as_int(name, position, shown, value))
    return tuple(values)


def init(*arguments: Any) -> int:
    """acl.init() or acl.init(config_path) -> ret"""
    if len(arguments) > 1:
        raise TypeError(
            f"acl.init([config_path]) takes at most 1 argument ({len(arguments)} given)"
        )
    path = ffi.NULL
    if arguments and arguments[0] is not None:
        path = take_text("init", 1, "config_path", arguments[0])
    return status("init", _abi.pointer("init")(path))


def get_recent_err_msg(*arguments: Any) -> str | None:
    """acl.get_recent_err_msg() -> str, None if there is none"""
    _arguments("get_recent_err_msg", "", arguments)
    return _messages.recent_message() or None


def app_log(*arguments: Any) -> None:
    """acl.app_log(level, message) -> None"""
    level, message = _arguments("app_log", "level message$", arguments)
    caller = sys._getframe(1)
    place = [
        ffi.new("char[]", part.encode("utf-8", "surrogateescape"))
        for part in (caller.f_code.co_name, caller.f_code.co_filename, "%s")
    ]
    _abi.pointer("app_log")(level, place[0], place[1], caller.f_lineno, place[2], message)


def get_version_str(*arguments: Any) -> tuple[str, int]:
    """acl.get_version_str(package) -> (version, ret)"""
    (package,) = _arguments("get_version_str", "package$", arguments)
    version = ffi.new("char[]", 256)
    code = status("get_version_str", _abi.pointer("get_version_str")(package, version))
    return text(version), code


def get_version_num(*arguments: Any) -> tuple[int, int]:
    """acl.get_version_num(package) -> (number, ret)"""
    (package,) = _arguments("get_version_num", "package$", arguments)
    number = ffi.new("int32_t *")
    code = status("get_version_num", _abi.pointer("get_version_num")(package, number))
    return int(number[0]), code


def get_cann_attribute_list(*arguments: Any) -> tuple[list[int], int, int]:
    """acl.get_cann_attribute_list() -> (list, count, ret)"""
    name = "get_cann_attribute_list"
    _arguments(name, "", arguments)
    values, count = ffi.new("void **"), ffi.new("size_t *")
    code = status(name, _abi.pointer(name)(values, count))
    found = ffi.cast("int32_t *", values[0])
    return [int(found[i]) for i in range(count[0])], int(count[0]), code


def get_tensor_desc_dim_range(*arguments: Any) -> tuple[list[int] | None, int]:
    """acl.get_tensor_desc_dim_range(desc, index, dim_range_num) -> (list or None, ret)"""
    name = "get_tensor_desc_dim_range"
    desc, index, count = _arguments(name, "desc* index dim_range_num", arguments)
    if count < 0:
        raise ValueError(f"acl.{name}: dim_range_num is {count}")
    found = ffi.new("int64_t[]", max(count, 2))  # [min, max] is written whatever the count
    code = status(name, _abi.pointer(name)(desc, index, count, found))
    return (None if code else [int(found[i]) for i in range(min(count, 2))]), code


def _same_and_status(name: str, labels: str) -> Callable[..., tuple[int, int]]:
    def call(*arguments: Any) -> tuple[int, int]:
        values = _arguments(name, labels, arguments)
        return _abi.to_address(values[0]), status(name, _abi.pointer(name)(*values))

    call.__doc__ = f"acl.{name}({labels.replace('*', '').replace(' ', ', ')}) -> (dataset, ret)"
    return call


def get_input_dynamic_dims(*arguments: Any) -> tuple[list[dict[str, Any]] | None, int]:
    """acl.mdl.get_input_dynamic_dims(desc, -1, gear_count) -> ([dims], ret)"""
    name = "mdl.get_input_dynamic_dims"
    desc, index, count = _arguments(name, "desc* index gear_count", arguments)
    if not 0 <= count <= _MAX_GEARS:
        return None, status(name, _INVALID_PARAM)
    type_name = _abi.prototypes()[name].parameters[2].type_name
    gears = ffi.new(f"{type_name}[]", max(count, 1))
    where = index & 0xFFFFFFFFFFFFFFFF
    code = status(name, _abi.pointer(name)(desc, where, gears, count))
    convert = _structs.CONVERTERS["mdlIODims"]
    return ([] if code else [convert(gears[i]) for i in range(count)]), code


def create_and_get_op_desc(*arguments: Any) -> tuple[str, int, int, int, int, int]:
    """acl.mdl.create_and_get_op_desc(device_id, stream_id, task_id, op_name_len)

    -> (name, input descs, number of them, output descs, number of them, ret)
    """
    name = "mdl.create_and_get_op_desc"
    device, stream, task, length = _arguments(
        name, "device_id stream_id task_id op_name_len", arguments
    )
    op_name = ffi.new("char[]", max(length, 1))
    descs = ffi.new("void *[2]")
    counts = ffi.new("size_t[2]")
    call = _abi.pointer(name)
    code = call(device, stream, task, op_name, length, descs, counts, descs + 1, counts + 1)
    inputs, outputs = (_abi.to_address(desc) for desc in descs)
    return text(op_name), inputs, int(counts[0]), outputs, int(counts[1]), status(name, code)


@cache
def _attributes(name: str) -> dict[int, str]:
    """The names of a configuration's attributes by number."""
    return dict(ffi.typeof(_abi.prototypes()[name].parameters[1].type_name).elements)


def _set_opt(name: str) -> Callable[..., int]:
    """A setter whose attribute says what its value is; the value is passed by address."""

    def call(*arguments: Any) -> int:
        handle, attribute, value = _arguments(name, "handle* attr value?", arguments)
        known = _attributes(name).get(attribute, "")
        keep = None
        if known.endswith("_PATH_PTR"):
            keep = take_text(name, 3, known, value)
            holder = ffi.new("char **", keep)
        elif known.endswith("_PTR"):
            address = _messages.as_address(name, 3, known, value)
            holder = ffi.new("void **", _abi.to_pointer(address))
        elif known.endswith(("_INT32", "_TIMEOUT")):
            holder = ffi.new("int32_t *", _messages.as_int(name, 3, known, value))
        else:
            holder = ffi.new("size_t *", _messages.as_int(name, 3, known or "value", value))
        size = ffi.sizeof(ffi.typeof(holder).item)
        code = status(name, _abi.pointer(name)(handle, attribute, holder, size))
        del keep
        return code

    call.__doc__ = f"acl.{name}(handle, attr, value) -> ret"
    return call


def prof_init(*arguments: Any) -> int:
    """acl.prof.init(result_path) -> ret"""
    (path,) = _arguments("prof.init", "result_path$", arguments)
    return status("prof.init", _abi.pointer("prof.init")(path, len(path) - 1))


def prof_create_config(*arguments: Any) -> int:
    """acl.prof.create_config(device_list, metrics, events, data_type_config) -> config or 0"""
    name = "prof.create_config"
    devices, metrics, events, what = _arguments(
        name, "device_list? metrics events* data_type_config", arguments
    )
    numbers = take_numbers(name, 1, "device_list", devices, False)
    ids = ffi.new("uint32_t[]", numbers)
    return _abi.to_address(_abi.pointer(name)(ids, len(numbers), metrics, events, what))


def _prof_text(name: str) -> Callable[..., tuple[str, int]]:
    def call(*arguments: Any) -> tuple[str, int]:
        info, size, index, length = _arguments(name, "op_info* op_info_len index length", arguments)
        found = ffi.new("char[]", max(length, 0) + 1)
        code = status(name, _abi.pointer(name)(info, size, index, found, length))
        return text(found), code

    call.__doc__ = f"acl.{name}(op_info, op_info_len, index, length) -> (text, ret)"
    return call


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "app_log": app_log,
    "get_cann_attribute_list": get_cann_attribute_list,
    "get_recent_err_msg": get_recent_err_msg,
    "get_tensor_desc_dim_range": get_tensor_desc_dim_range,
    "get_version_num": get_version_num,
    "get_version_str": get_version_str,
    "init": init,
    "mdl.add_dataset_buffer": _same_and_status("mdl.add_dataset_buffer", "dataset* data_buffer*"),
    "mdl.create_and_get_op_desc": create_and_get_op_desc,
    "mdl.get_input_dynamic_dims": get_input_dynamic_dims,
    "mdl.set_config_opt": _set_opt("mdl.set_config_opt"),
    "mdl.set_dataset_tensor_desc": _same_and_status(
        "mdl.set_dataset_tensor_desc", "dataset* tensor_desc* index"
    ),
    "mdl.set_exec_config_opt": _set_opt("mdl.set_exec_config_opt"),
    "prof.create_config": prof_create_config,
    "prof.get_op_name": _prof_text("prof.get_op_name"),
    "prof.get_op_type": _prof_text("prof.get_op_type"),
    "prof.init": prof_init,
    "rt.launch_callback": _callbacks.launch_callback,
    "rt.launch_host_func": _callbacks.launch_host_func,
    "rt.set_exception_info_callback": _callbacks.set_exception_info_callback,
    "util.bytes_to_ptr": _util.bytes_to_ptr,
    "util.numpy_contiguous_to_ptr": _util.numpy_contiguous_to_ptr,
    "util.numpy_to_ptr": _util.numpy_to_ptr,
    "util.ptr_to_bytes": _util.ptr_to_bytes,
    "util.ptr_to_numpy": _util.ptr_to_numpy,
    "util.start_thread": _callbacks.start_thread,
    "util.stop_thread": _callbacks.stop_thread,
}
