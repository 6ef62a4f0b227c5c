# SPDX-License-Identifier: Apache-2.0
"""CANN's own profiler around a block, and the checked acl.json that can configure it instead.

>>> with aclrt.aclprof("prof", devices=[0]):           # doctest: +SKIP
...     model(x)                                       # then: msprof --export=on --output=prof

It sees inside of the device (operators, AI core counters), which ``aclrt.trace`` does not. The fake
device takes the calls and writes nothing.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from . import _check, runtime
from ._ffi import ffi, lib, out_of_cycles, raise_for
from .errors import InputError

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["DATA", "METRICS", "aclprof", "check_acl_config", "init"]

# AscendCL's numbers (acl_prof.h).
METRICS = {
    "ArithmeticUtilization": 0,
    "PipeUtilization": 1,
    "Memory": 2,
    "MemoryL0": 3,
    "ResourceConflictRatio": 4,
    "MemoryUB": 5,
    "L2Cache": 6,
    "PipelineExecuteUtilization": 7,
    "MemoryAccess": 8,
    "none": 255,
}
DATA = {
    "acl_api": 0x1,
    "task_time": 0x2,
    "aicore_metrics": 0x4,
    "aicpu": 0x8,
    "l2cache": 0x10,
    "hccl": 0x20,
    "training_trace": 0x40,
    "msproftx": 0x80,
    "runtime_api": 0x100,
}
_MOST_BYTES = 10 * 2**20
_MOST_DEPTH = 10


class aclprof:  # noqa: N801  a context manager that is used like a function
    """CANN's profiler, on inside of a ``with`` block; one at a time in a process.

    Args:
        directory: For the results, an existing folder or a new one in an existing folder.
        devices: Logical ids, each once.
        metrics: Of the AI cores: a key of ``METRICS``.
        data: What is recorded: keys of ``DATA``, at least one.
        backend: ``"auto"``, ``"npu"``, ``"fake"`` or None, as in ``OfflineModel``.

    Raises:
        InputError: An argument is none of these, or AscendCL takes no such configuration.
        BackendError: The CANN release has no profiler.
        AclError: AscendCL refused, for instance because acl.json has switched profiling on.
        OSError: The directory cannot be written.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        *,
        devices: Sequence[int] = (0,),
        metrics: str = "PipeUtilization",
        data: Sequence[str] = ("acl_api", "task_time", "aicore_metrics"),
        backend: str | None = None,
    ) -> None:
        if metrics not in METRICS:
            raise InputError(f"no metrics {metrics!r}{_check.did_you_mean(metrics, METRICS)}")
        for name in data:
            if name not in DATA:
                raise InputError(f"no profiling data {name!r}{_check.did_you_mean(name, DATA)}")
        if not data or not devices or len(set(devices)) != len(devices) or min(devices) < 0:
            raise InputError("data and devices are one or more, each once")
        self._directory = Path(directory).absolute()
        _writable(self._directory, "the profiler's directory")
        self._devices, self._metrics = list(devices), METRICS[metrics]
        self._data = sum(DATA[name] for name in set(data))
        self._backend = backend
        self._handle: Any = None
        self._holder: Any = None

    def __enter__(self) -> Self:
        if self._handle is not None:
            raise InputError("the profiler's block is open")
        runtime.ensure(self._backend)
        if runtime.runtime_info().is_fake:
            warnings.warn(
                f"the fake device has no profiler: nothing is written to {self._directory}",
                RuntimeWarning,
                stacklevel=2,
            )
        devices = ffi.new("uint32_t[]", self._devices)
        directory = ffi.new("char[]", os.fsencode(self._directory))
        options = ffi.new("aclrt_profiling_options_t *")
        options.struct_size = ffi.sizeof("aclrt_profiling_options_t")
        options.directory, options.devices = directory, devices
        options.device_count = len(self._devices)
        options.metrics, options.data_types = self._metrics, self._data
        raw = ffi.new("aclrt_profiling_t **")
        raise_for(lib.aclrt_profiling_start(options, raw))
        self._handle = ffi.gc(raw[0], lib.aclrt_profiling_release)
        self._holder = out_of_cycles(self._handle)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        handle, self._handle, self._holder = self._handle, None, None
        raise_for(lib.aclrt_profiling_stop(handle))


def init(*, backend: str | None = None, acl_config: str | os.PathLike[str] | None = None) -> None:
    """Initialises AscendCL now, with an acl.json if one is given; else the first use does it.

    Args:
        backend: ``"auto"``, ``"npu"``, ``"fake"`` or None, as in ``OfflineModel``.
        acl_config: The file, which is checked first (``check_acl_config``).

    Raises:
        InputError: The file has a mistake.
        OSError: It cannot be read.
        BackendError: No usable libascendcl; or AscendCL is initialised without this file.
        AclError: AscendCL cannot be initialised.
    """
    if acl_config is not None:
        check_acl_config(acl_config)
        acl_config = Path(acl_config).absolute()
    runtime.ensure(backend, None if acl_config is None else os.fspath(acl_config))


_Judge = Callable[[Any], str]  # what is wrong; "" if nothing


def _one_of(*words: str) -> _Judge:
    return lambda value: "" if value in words else f"must be one of {', '.join(words)}"


def _text(value: Any) -> str:
    return "" if isinstance(value, str) else "must be a string"


def _any(value: Any) -> str:
    return ""


def _folder(value: Any) -> str:
    if not isinstance(value, str) or not value:
        return "must be the path of a folder"
    path = Path(value)
    if not path.is_dir():
        return f"{value} is not an existing folder"
    return "" if os.access(path, os.W_OK) else f"{value} cannot be written"


def _dump_list(value: Any) -> str:
    if not isinstance(value, list):
        return "must be a list"
    for item in value:
        if not isinstance(item, dict):
            return "must be a list of objects"
        for key in item:
            if key not in ("model_name", "layer", "watcher_nodes"):
                known = _check.did_you_mean(key, ("model_name", "layer", "watcher_nodes"))
                return f"has an unknown key {key!r}{known}"
    return ""


def _device(value: Any) -> str:
    good = isinstance(value, str) and (value == "0" or (value.isdecimal() and value[0] != "0"))
    return "" if good else 'must be a device id as a string, "0"'


_SWITCH = _one_of("on", "off")
_SECTIONS: dict[str, Mapping[str, _Judge] | _Judge] = {
    "dump": {
        "dump_path": _folder,
        "dump_list": _dump_list,
        "dump_mode": _one_of("input", "output", "all"),
        "dump_op_switch": _SWITCH,
        "dump_data": _one_of("tensor", "stats"),
        "dump_level": _one_of("op", "kernel", "all"),
        "dump_scene": _one_of(
            "aic_err_brief_dump",
            "aic_err_norm_dump",
            "aic_err_detail_dump",
            "lite_exception",
            "watcher",
        ),
        "dump_debug": _SWITCH,
        "dump_kernel_data": _any,
        "dump_step": _text,
        "dump_stats": _any,
    },
    "profiler": {
        "switch": _SWITCH,
        "output": _folder,
        "aic_metrics": _one_of(*(name for name in METRICS if name != "none")),
        "aicpu": _SWITCH,
        "l2": _SWITCH,
        "hccl": _SWITCH,
        "msproftx": _SWITCH,
        "ascendcl": _SWITCH,
        "runtime_api": _SWITCH,
        **dict.fromkeys(
            (
                "task_time",
                "task_trace",
                "task_memory",
                "ge_api",
                "storage_limit",
                "sys_hardware_mem_freq",
                "llc_profiling",
                "sys_io_sampling_freq",
                "sys_interconnection_freq",
                "dvpp_freq",
                "instr_profiling_freq",
                "host_sys",
                "host_sys_usage",
                "host_sys_usage_freq",
            ),
            _any,
        ),
    },
    "defaultDevice": {"default_device": _device},
    "err_msg_mode": _one_of("0", "1"),
    "max_opqueue_num": _any,
    "acl_graph": {"event_mode": lambda v: "" if v in (0, 1, "0", "1") else "must be 0 or 1"},
    "StackSize": dict.fromkeys(
        ("aicore_stack_size", "simt_stack_size", "simt_divergence_stack_size"), _any
    ),
    "simd_printf_fifo_size_per_core": _any,
    "simt_printf_fifo_size": _any,
}


def check_acl_config(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Refuses an acl.json with a mistake, before AscendCL ignores it or fails with a number.

    AscendCL passes over keys that it does not know, so that a slip of the pen is a dump that is not
    made; here it is an error. Folders for results must exist, relative ones below the current one.

    Args:
        path: The file; an empty one is no configuration.

    Returns:
        What it says.

    Raises:
        InputError: The file is too large, no JSON object, nested too deeply, has an unknown key, a
            value that the key does not take, or a folder that cannot be written.
        OSError: It cannot be read.
    """
    raw = Path(path).read_bytes()
    if len(raw) > _MOST_BYTES:
        raise InputError(f"{path} has {len(raw)} bytes, and AscendCL reads at most {_MOST_BYTES}")
    if not raw:
        return {}
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise InputError(f"{path} is not a JSON object")
    if _depth(document) > _MOST_DEPTH:
        raise InputError(f"{path} is nested more than {_MOST_DEPTH} deep, which AscendCL refuses")
    for name, value in document.items():
        rule = _SECTIONS.get(name)
        if rule is None:
            raise InputError(
                f"{path}: AscendCL ignores the key {name!r}{_check.did_you_mean(name, _SECTIONS)}"
            )
        if callable(rule):
            _judge(path, name, rule(value))
            continue
        if not isinstance(value, dict):
            _judge(path, name, "must be an object")
        for key, item in value.items():
            if key not in rule:
                meant = _check.did_you_mean(key, rule)
                raise InputError(f"{path}: AscendCL ignores the key {name}.{key}{meant}")
            _judge(path, f"{name}.{key}", rule[key](item))
    profiler, dump = document.get("profiler", {}), document.get("dump", {})
    if profiler.get("switch") == "on" and "output" not in profiler:
        _judge(path, "profiler", "is on and has no output folder")
    if ("dump_list" in dump or "dump_mode" in dump) and "dump_path" not in dump:
        _judge(path, "dump", "has no dump_path")
    return document


def _judge(path: object, name: str, wrong: str) -> None:
    if wrong:
        raise InputError(f"{path}: {name} {wrong}")


def _depth(value: Any) -> int:
    """Of nested objects and lists."""
    items = (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    )
    return 0 if items is None else 1 + max(map(_depth, items), default=0)


def _writable(folder: Path, what: str) -> None:
    """Refuses a folder that is not there and cannot be made, or cannot be written."""
    place = folder if folder.exists() else folder.parent
    if not place.is_dir():
        raise NotADirectoryError(20, f"{what} is in no existing folder", str(folder))
    if not os.access(place, os.W_OK):
        raise PermissionError(13, f"{what} cannot be written", str(folder))
