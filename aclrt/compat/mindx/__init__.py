# SPDX-License-Identifier: Apache-2.0
"""MindX's (Vision SDK's) tensor and model classes over ``aclrt.OfflineModel``.

Both spellings that programs use:

>>> from mindx.sdk import Tensor, Model                             # doctest: +SKIP
>>> y = Model("m.om", device_id=0).infer([Tensor(x)])[0].to_numpy()     # doctest: +SKIP
>>> from mindx.sdk import base                                      # doctest: +SKIP
>>> base.mx_init(); m = base.model(modelPath="m.om", deviceId=0)    # doctest: +SKIP
"""

from __future__ import annotations

from typing import Any

from aclrt.compat._unsupported import Unsupported

from . import base
from .base import Tensor

__all__ = ["Model", "Tensor", "base"]


class Model(base.LoadedModel):
    """A loaded model, by the short spelling."""

    def __init__(self, path: str, device_id: int = 0) -> None:
        """
        Args:
            path: The .om file.
            device_id: Logical device.

        Raises:
            ModelLoadError: The model cannot be loaded.
        """
        super().__init__(path, device_id)


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    raise Unsupported(f"mindx.sdk.{name} is not part of aclrt.compat.mindx")
