# SPDX-License-Identifier: Apache-2.0
"""Load and run Ascend offline models (``.om``), on an NPU or on a fake device without one.

>>> import aclrt                                        # doctest: +SKIP
>>> with aclrt.OfflineModel("resnet50.om") as model:    # doctest: +SKIP
...     result = model(image)

Importing loads nothing foreign: libascendcl is looked for when the first model or device is
opened. ``aclrt.bench``, ``aclrt.compare``, ``aclrt.doctor``, ``aclrt.explain``, ``aclrt.om`` (with
``convert`` and ``inspect``), ``aclrt.schemas``, ``aclrt.tracing`` (with ``trace``) and ``deploy``
are imported at first use. Where NumPy or the compiled part cannot be loaded, the names that need
it raise the ImportError when they are asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import errors
from .errors import (
    AclError,
    AclrtError,
    BackendError,
    ClosedError,
    DeviceError,
    DeviceLostError,
    DeviceOutOfMemoryError,
    DeviceTimeoutError,
    ForkedProcessError,
    InputError,
    ModelFormatError,
    ModelLoadError,
    NeedsNpuError,
)

_unusable: ImportError | None = None
try:
    from . import (
        _ffi,  # noqa: F401  (first: it refuses sub-interpreters before NumPy is touched)
        fake,
    )
    from ._memory_stats import MemoryStats
    from .device import Device, DeviceMemory, devices
    from .device_tensor import DeviceTensor, pinned_empty
    from .model import OfflineModel
    from .result import Result
    from .runtime import RuntimeInfo, runtime_info
    from .runtime import version as _version
    from .tensor import NodeArg, TensorSpec

    __version__ = _version()
except ImportError as _error:
    # NumPy or the compiled part is missing or broken. `aclrt doctor` and `aclrt explain` must work
    # just then, so the error is kept: every name that needs the part raises it.
    if _error.name == "aclrt" or (_error.name or "").startswith("aclrt.") != (
        _error.name == "aclrt._native"
    ):
        raise
    _unusable = _error

if TYPE_CHECKING:
    from . import bench, compare, doctor, explain, om, schemas, tracing
    from ._binding import Binding
    from ._fallback_runs import FallbackBinding
    from .async_queue import AsyncQueue
    from .cann_profiler import aclprof, check_acl_config, init
    from .deployment import deploy
    from .fallback import FallbackModel, with_fallback
    from .om import ModelInfo, convert, inspect
    from .pool import DevicePool, DeviceState
    from .process_pool import ProcessPool, WorkerDiedError
    from .profiler import Profiler
    from .recording import RecordedCall, RecordedFailure, Recording, record
    from .running import RunReport, run_model
    from .tracing import trace

__all__ = [
    "AclError",
    "AclrtError",
    "AsyncQueue",
    "BackendError",
    "Binding",
    "ClosedError",
    "Device",
    "DeviceError",
    "DeviceLostError",
    "DeviceMemory",
    "DeviceOutOfMemoryError",
    "DevicePool",
    "DeviceState",
    "DeviceTensor",
    "DeviceTimeoutError",
    "FallbackBinding",
    "FallbackModel",
    "ForkedProcessError",
    "InputError",
    "MemoryStats",
    "ModelFormatError",
    "ModelInfo",
    "ModelLoadError",
    "NeedsNpuError",
    "NodeArg",
    "OfflineModel",
    "ProcessPool",
    "Profiler",
    "RecordedCall",
    "RecordedFailure",
    "Recording",
    "Result",
    "RunReport",
    "RuntimeInfo",
    "TensorSpec",
    "WorkerDiedError",
    "__version__",
    "aclprof",
    "bench",
    "check_acl_config",
    "compare",
    "convert",
    "deploy",
    "devices",
    "doctor",
    "errors",
    "explain",
    "fake",
    "init",
    "inspect",
    "om",
    "pinned_empty",
    "record",
    "run_model",
    "runtime_info",
    "schemas",
    "trace",
    "tracing",
    "with_fallback",
]

_MODULES = frozenset({"bench", "compare", "doctor", "explain", "om", "schemas", "tracing"})
# Names of modules that are imported at first use.
_NAMES = {
    "Binding": "_binding",
    "AsyncQueue": "async_queue",
    "DevicePool": "pool",
    "ProcessPool": "process_pool",
    "WorkerDiedError": "process_pool",
    "DeviceState": "pool",
    "ModelInfo": "om",
    "Profiler": "profiler",
    "aclprof": "cann_profiler",
    "check_acl_config": "cann_profiler",
    "convert": "om",
    "deploy": "deployment",
    "init": "cann_profiler",
    "RunReport": "running",
    "inspect": "om",
    "run_model": "running",
    "trace": "tracing",
    "with_fallback": "fallback",
    "RecordedCall": "recording",
    "RecordedFailure": "recording",
    "Recording": "recording",
    "record": "recording",
    "FallbackBinding": "_fallback_runs",
    "FallbackModel": "fallback",
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _MODULES:
        return import_module(f".{name}", __name__)  # which makes it an attribute
    if name in _NAMES:
        value = getattr(import_module(f".{_NAMES[name]}", __name__), name)
        globals()[name] = value
        return value
    if _unusable is not None and name == "__version__":
        from importlib.metadata import version

        return version("aclrt")
    if _unusable is not None and name in __all__:
        raise ImportError(str(_unusable), name=_unusable.name) from _unusable
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(set(globals()) | _MODULES | set(_NAMES))
