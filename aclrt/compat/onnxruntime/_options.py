# SPDX-License-Identifier: Apache-2.0
"""Options of sessions and runs. What a compiled model has no use for is kept and reported."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, ClassVar

from aclrt.compat._unsupported import Unsupported

__all__ = ["ExecutionMode", "GraphOptimizationLevel", "RunOptions", "SessionOptions"]


class GraphOptimizationLevel(IntEnum):
    """How ONNX Runtime optimises a graph; an offline model is optimised already."""

    ORT_DISABLE_ALL = 0
    ORT_ENABLE_BASIC = 1
    ORT_ENABLE_EXTENDED = 2
    ORT_ENABLE_LAYOUT = 3
    ORT_ENABLE_ALL = 99


class ExecutionMode(IntEnum):
    """How ONNX Runtime orders a graph's nodes; an offline model has its order."""

    ORT_SEQUENTIAL = 0
    ORT_PARALLEL = 1


class _Options:
    """Attributes with ONNX Runtime's defaults; any other name is refused."""

    _defaults: ClassVar[dict[str, Any]]

    def __init__(self) -> None:
        for name, value in self._defaults.items():
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self._defaults:
            raise Unsupported(
                f"{type(self).__name__}.{name} is not part of aclrt.compat.onnxruntime"
            )
        object.__setattr__(self, name, value)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise Unsupported(f"{type(self).__name__}.{name} is not part of aclrt.compat.onnxruntime")

    def changed(self) -> list[str]:
        """The options that differ from the default."""
        return [name for name, value in self._defaults.items() if getattr(self, name) != value]


class SessionOptions(_Options):
    """What a session may be told; none of it changes how a compiled model runs."""

    _defaults: ClassVar[dict[str, Any]] = {
        "enable_cpu_mem_arena": True,
        "enable_mem_pattern": True,
        "enable_mem_reuse": True,
        "execution_mode": ExecutionMode.ORT_SEQUENTIAL,
        "graph_optimization_level": GraphOptimizationLevel.ORT_ENABLE_ALL,
        "inter_op_num_threads": 0,
        "intra_op_num_threads": 0,
        "log_severity_level": -1,
        "log_verbosity_level": 0,
        "logid": "",
    }

    def __init__(self) -> None:
        super().__init__()
        object.__setattr__(self, "_entries", {})

    def add_session_config_entry(self, key: str, value: str) -> None:
        """Keeps an entry; a session reports that it has no effect."""
        self._entries[str(key)] = str(value)

    def get_session_config_entry(self, key: str) -> str:
        """The value of an entry.

        Raises:
            KeyError: It was not added.
        """
        return str(self._entries[key])

    def changed(self) -> list[str]:
        """The options that differ from the default, and the entries."""
        return [*super().changed(), *self._entries]


class RunOptions(_Options):
    """What a run may be told: where its log goes."""

    _defaults: ClassVar[dict[str, Any]] = {
        "log_severity_level": -1,
        "log_verbosity_level": 0,
        "logid": "",
    }
