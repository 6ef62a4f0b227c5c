# SPDX-License-Identifier: Apache-2.0
"""Other libraries' interfaces over aclrt, for programs that were written for those libraries.

``aclrt.compat.acl`` is CANN's pyACL; ``onnxruntime``, ``ais_bench``, ``mindx`` and ``acllite`` are
facades over ``aclrt.OfflineModel``. Each promises what ``docs/migration.md`` lists, and raises
``aclrt.compat.Unsupported`` on the rest.

>>> import aclrt.compat                            # doctest: +SKIP
>>> aclrt.compat.install("ais_bench")              # doctest: +SKIP
>>> from ais_bench.infer.interface import InferSession      # doctest: +SKIP
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

from aclrt import runtime

from ._unsupported import Unsupported

__all__ = ["FACADES", "Unsupported", "install"]

# Import name -> module of this package, by facade.
FACADES: dict[str, dict[str, str]] = {
    "acl": {"acl": "acl"},
    "acllite": {
        "acllite": "acllite",
        "acllite.acllite_model": "acllite",
        "acllite.acllite_resource": "acllite",
        "acllite_model": "acllite",
        "acllite_resource": "acllite",
    },
    "ais_bench": {
        "ais_bench": "ais_bench",
        "ais_bench.infer": "ais_bench",
        "ais_bench.infer.interface": "ais_bench",
    },
    "mindx": {"mindx": "mindx", "mindx.sdk": "mindx", "mindx.sdk.base": "mindx.base"},
    "onnxruntime": {
        "onnxruntime": "onnxruntime",
        "onnxruntime.capi": "onnxruntime",
        "onnxruntime.capi.onnxruntime_pybind11_state": "onnxruntime.errors",
    },
}


def install(name: str) -> None:
    """Registers a facade under the names that programs import, for this process.

    A library of that name that is installed is not reached by a later ``import``; one that was
    imported before stays what it is for those who have it.

    Args:
        name: ``"acl"``, ``"acllite"``, ``"ais_bench"``, ``"mindx"`` or ``"onnxruntime"``.

    Raises:
        ValueError: There is no such facade.
    """
    if name not in FACADES:
        raise ValueError(f"there is no facade {name!r}; there are {', '.join(sorted(FACADES))}")
    if name == "onnxruntime":
        runtime.find_onnxruntime()  # the real one, which the fake computes with
    modules = FACADES[name]
    for imported, own in modules.items():
        module = import_module(f".{own}", __name__)
        sys.modules[imported] = module
        parent, _, child = imported.rpartition(".")
        if parent:
            setattr(sys.modules[parent], child, module)


def __getattr__(name: str) -> Any:
    if name in FACADES:
        return import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(FACADES))
