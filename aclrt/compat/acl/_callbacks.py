# SPDX-License-Identifier: Apache-2.0
"""Python functions that AscendCL calls, and the threads of ``acl.util``.

A launched callback is kept from ``launch_callback`` until it has run; it runs inside
``process_report`` on the thread that calls that. An exception in it is printed, as for any function
that C calls: there is nobody to raise it to.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from typing import Any

from aclrt._ffi import ffi, lib

from . import _abi, _messages
from ._functions import status

_numbers = itertools.count(1)
_pending: dict[int, tuple[Callable[..., Any], Any]] = {}
_on_exception: list[Callable[..., Any]] = []
_threads: dict[int, threading.Thread] = {}


@ffi.def_extern()  # type: ignore[untyped-decorator]
def aclrt_python_callback(user_data: Any) -> None:
    """What AscendCL calls for every launched callback."""
    function, argument = _pending.pop(_abi.to_address(user_data))
    function(argument)


@ffi.def_extern()  # type: ignore[untyped-decorator]
def aclrt_python_exception_info(info: Any) -> None:
    """What AscendCL calls when a task fails on the device."""
    for function in _on_exception[-1:]:
        function(_abi.to_address(info))


def _callable(name: str, position: int, function: Any) -> Callable[..., Any]:
    if not callable(function):
        raise TypeError(
            f"acl.{name}: argument {position} (fn) must be a function, "
            f"not {type(function).__name__}"
        )
    return function  # type: ignore[no-any-return]


def _launch(name: str, function: Any, argument: Any, call: Callable[[Any], Any]) -> int:
    number = next(_numbers)
    _pending[number] = (function, argument)
    code = status(name, call(_abi.to_pointer(number)))
    if code != 0:
        del _pending[number]
    return code


def launch_callback(*arguments: Any) -> int:
    """acl.rt.launch_callback(fn, user_data, block_type, stream) -> ret; fn(user_data) is called."""
    name = "rt.launch_callback"
    if len(arguments) != 4:
        labels = ["fn", "user_data", "block_type", "stream"]
        raise _messages.count_error(name, labels, len(arguments), False)
    function = _callable(name, 1, arguments[0])
    block = _messages.as_int(name, 3, "block_type", arguments[2])
    stream = _abi.to_pointer(_messages.as_address(name, 4, "stream", arguments[3]))
    return _launch(
        name,
        function,
        arguments[1],
        lambda data: _abi.pointer(name)(
            ffi.cast("void *", lib.aclrt_python_callback), data, block, stream
        ),
    )


def launch_host_func(*arguments: Any) -> int:
    """acl.rt.launch_host_func(stream, fn, args) -> ret; fn(args) is called."""
    name = "rt.launch_host_func"
    if len(arguments) != 3:
        raise _messages.count_error(name, ["stream", "fn", "args"], len(arguments), False)
    stream = _abi.to_pointer(_messages.as_address(name, 1, "stream", arguments[0]))
    function = _callable(name, 2, arguments[1])
    return _launch(
        name,
        function,
        arguments[2],
        lambda data: _abi.pointer(name)(
            stream, ffi.cast("void *", lib.aclrt_python_callback), data
        ),
    )


def set_exception_info_callback(*arguments: Any) -> int:
    """acl.rt.set_exception_info_callback(fn or None) -> ret; fn(info) is called."""
    name = "rt.set_exception_info_callback"
    if len(arguments) != 1:
        raise _messages.count_error(name, ["fn"], len(arguments), False)
    if arguments[0] is None:
        code = status(name, _abi.pointer(name)(ffi.NULL))
        if code == 0:
            _on_exception.clear()
        return code
    _on_exception.append(_callable(name, 1, arguments[0]))
    code = status(name, _abi.pointer(name)(ffi.cast("void *", lib.aclrt_python_exception_info)))
    if code == 0:
        del _on_exception[:-1]
    else:
        _on_exception.pop()
    return code


def start_thread(*arguments: Any) -> tuple[int, int]:
    """acl.util.start_thread(fn, args) -> (thread_id, ret): calls fn(args) once, fn() for None.

    The thread has no context of its own (``acl.rt.set_context``), and does not keep the process
    alive.
    """
    name = "util.start_thread"
    if len(arguments) != 2:
        raise _messages.count_error(name, ["fn", "args"], len(arguments), False)
    function = _callable(name, 1, arguments[0])
    given = () if arguments[1] is None else (arguments[1],)
    thread = threading.Thread(target=function, args=given, daemon=True)
    thread.start()
    number = thread.ident or 0  # pthread_self(), which subscribe_report wants
    _threads[number] = thread
    return number, 0


def stop_thread(*arguments: Any) -> int:
    """acl.util.stop_thread(thread_id) -> ret: waits for it; 100000 for one that is not known."""
    name = "util.stop_thread"
    if len(arguments) != 1:
        raise _messages.count_error(name, ["thread_id"], len(arguments), False)
    thread = _threads.pop(_messages.as_int(name, 1, "thread_id", arguments[0]), None)
    if thread is None:
        return status(name, 100000)
    thread.join()
    return 0
