# SPDX-License-Identifier: Apache-2.0
"""What a model says about one input or output: immutable descriptions, no data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["NodeArg", "TensorSpec"]


@dataclass(frozen=True)
class TensorSpec:
    """One input or output of a model.

    Attributes:
        name: The framework's name; unique among the inputs, or among the outputs, of its model.
        dtype: The NumPy dtype that is fed or returned.
        shape: The dims; -1 where a dim is dynamic.
        format: AscendCL's layout name, ``"NCHW"`` or ``"ND"``; ``""`` if unknown.
        nbytes: Bytes on the device, where two elements of int4 share a byte; with dynamic dims
            those of the largest shape, 0 where there is none.
        dynamic: Whether any dim is dynamic.
        acl_name: The name that AscendCL reports, often the same (``"Softmax_3:0:probs"`` for the
            output ``"probs"``). Lookups accept both.
        range: Least and greatest value of each dim, -1 for no limit; empty where it is not known.
    """

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    format: str
    nbytes: int
    dynamic: bool
    acl_name: str = field(default="", repr=False)
    range: tuple[tuple[int, int], ...] = field(default=(), repr=False)

    def __str__(self) -> str:
        """Name, dtype and shape on one line: ``image: float32 (1, 3, 224, 224)``."""
        return f"{self.name}: {self.dtype} {self.shape}"


@dataclass(frozen=True)
class NodeArg:
    """One input or output as ONNX Runtime's ``get_inputs()`` describes it.

    Attributes:
        name: The framework's name.
        shape: The dims as a list; None where a dim is dynamic.
        type: The element type in ONNX Runtime's words, ``"tensor(float)"``.
    """

    name: str
    shape: list[int | None]
    type: str
