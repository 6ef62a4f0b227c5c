# SPDX-License-Identifier: Apache-2.0
"""ais_bench's tensors: arrays with the place where a program believes them to be."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from aclrt.errors import InputError

from ._unsupported import Unsupported
from .mindx import base

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Tensor", "from_files"]


class Tensor(base.Tensor):
    """What ``aclruntime.Tensor`` is: ``to_device(id)``, ``to_host()``, ``np.array(t)`` on the host.

    The data stays in host memory and is copied at each call.
    """

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise Unsupported(f"Tensor.{name} is not part of aclrt.compat.ais_bench")


def from_files(desc: Any, files: Sequence[str | os.PathLike[str]]) -> NDArray[Any]:
    """The bytes of files, one behind the other, in the shape and dtype of a description.

    Args:
        desc: With ``name``, ``shape`` and ``datatype``.
        files: ``.npy``, or raw bytes.

    Raises:
        InputError: They do not fill the shape, or it has open dims.
        OSError: One cannot be read.
    """
    if min(desc.shape, default=0) < 0:
        raise InputError(f"{desc.name!r} has open dims, {desc.shape}: files do not tell which")
    data = b"".join(
        np.load(path).tobytes() if os.fspath(path).endswith(".npy") else Path(path).read_bytes()
        for path in files
    )
    dtype = np.dtype(desc.datatype)
    expected = int(np.prod(desc.shape)) * dtype.itemsize
    if len(data) != expected:
        raise InputError(
            f"{len(files)} files hold {len(data)} bytes, {desc.name!r} takes {expected}: "
            f"{dtype} {tuple(desc.shape)}"
        )
    array: NDArray[Any] = np.frombuffer(data, dtype).reshape(desc.shape)
    return array
