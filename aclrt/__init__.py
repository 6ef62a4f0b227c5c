# SPDX-License-Identifier: Apache-2.0
"""Load and run Ascend offline models (``.om``), on an NPU or on a fake device without one.

>>> import aclrt                                        # doctest: +SKIP
>>> with aclrt.OfflineModel("resnet50.om") as model:    # doctest: +SKIP
...     result = model(image)

Importing loads nothing foreign: libascendcl is looked for when the first model or device is
opened. ``aclrt.bench``, ``aclrt.compare``, ``aclrt.doctor``, ``aclrt.explain`` and ``aclrt.om``
(with ``convert`` and ``inspect``) are imported at first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import (
    _ffi,  # noqa: F401  (first: it refuses sub-interpreters before NumPy is touched)
    errors,
    fake,
)
from .device import Device, DeviceMemory, devices
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
from .model import OfflineModel
from .result import Result
from .runtime import RuntimeInfo, runtime_info
from .runtime import version as _version
from .tensor import NodeArg, TensorSpec

if TYPE_CHECKING:
    from . import bench, compare, doctor, explain, om
    from .om import ModelInfo, convert, inspect

__version__ = _version()

__all__ = [
    "AclError",
    "AclrtError",
    "BackendError",
    "ClosedError",
    "Device",
    "DeviceError",
    "DeviceLostError",
    "DeviceMemory",
    "DeviceOutOfMemoryError",
    "DeviceTimeoutError",
    "ForkedProcessError",
    "InputError",
    "ModelFormatError",
    "ModelInfo",
    "ModelLoadError",
    "NeedsNpuError",
    "NodeArg",
    "OfflineModel",
    "Result",
    "RuntimeInfo",
    "TensorSpec",
    "__version__",
    "bench",
    "compare",
    "convert",
    "devices",
    "doctor",
    "errors",
    "explain",
    "fake",
    "inspect",
    "om",
    "runtime_info",
]

_MODULES = frozenset({"bench", "compare", "doctor", "explain", "om"})
_OF_OM = frozenset({"ModelInfo", "convert", "inspect"})


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _MODULES:
        return import_module(f".{name}", __name__)  # which makes it an attribute
    if name in _OF_OM:
        value = getattr(import_module(".om", __name__), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(set(globals()) | _MODULES | _OF_OM)
