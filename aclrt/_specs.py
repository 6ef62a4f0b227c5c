# SPDX-License-Identifier: Apache-2.0
"""``TensorSpec`` from what the library tells of a tensor."""

from __future__ import annotations

from typing import Any

from . import dtypes
from ._ffi import text
from .tensor import TensorSpec

__all__ = ["spec_of"]


def spec_of(info: Any) -> TensorSpec:
    """Of an ``aclrt_tensor_info_t``."""
    shape = tuple(int(info.dims[axis]) for axis in range(info.rank))
    return TensorSpec(
        name=text(info.name),
        dtype=dtypes.dtype_of(int(info.dtype)),
        shape=shape,
        format=dtypes.format_name(int(info.format)),
        nbytes=int(info.nbytes),
        dynamic=any(dim < 0 for dim in shape),
        acl_name=text(info.acl_name),
        range=_ranges(info),
    )


def _ranges(info: Any) -> tuple[tuple[int, int], ...]:
    if not info.range:
        return ()
    return tuple((int(info.range[2 * a]), int(info.range[2 * a + 1])) for a in range(info.rank))
