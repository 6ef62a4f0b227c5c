# SPDX-License-Identifier: Apache-2.0
"""acllite's resource and model classes, of the Ascend samples, over ``aclrt.OfflineModel``.

>>> from acllite_resource import AclLiteResource     # doctest: +SKIP
>>> from acllite_model import AclLiteModel           # doctest: +SKIP

Where the original prints and returns None, this raises. Images (DVPP) are not supported.
"""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from aclrt.device import Device
from aclrt.model import OfflineModel

from ._feed import positional
from ._unsupported import Unsupported

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from typing_extensions import Self

__all__ = ["AclLiteModel", "AclLiteResource"]

_resources: list[AclLiteResource] = []  # in the order of their init()


class AclLiteResource:
    """The device that the models made after ``init()`` are loaded on."""

    def __init__(self, device_id: int = 0) -> None:
        """
        Args:
            device_id: Logical device.
        """
        self.device_id = device_id
        self._device: Device | None = None

    def init(self) -> None:
        """Opens the device.

        Raises:
            DeviceError: It cannot be opened.
        """
        if self._device is None:
            self._device = Device(self.device_id)
            _resources.append(self)

    def destroy(self) -> None:
        """Closes the device; models that are loaded stay usable until they are destroyed."""
        if self._device is not None:
            _resources.remove(self)
            self._device.close()
            self._device = None

    def __enter__(self) -> Self:
        """The resource, initialised."""
        self.init()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Closes the device."""
        self.destroy()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise Unsupported(
            f"AclLiteResource.{name} is not part of aclrt.compat.acllite",
            hint="raw contexts and streams are in aclrt.compat.acl",
        )


class AclLiteModel:
    """A loaded model."""

    def __init__(self, model_path: str, load_type: int = 0) -> None:
        """
        Args:
            model_path: The .om file.
            load_type: 0, from the file.

        Raises:
            RuntimeError: No AclLiteResource is initialised.
            Unsupported: Another load type.
            ModelLoadError: The model cannot be loaded.
        """
        if not _resources:
            raise RuntimeError("AclLiteModel needs a device: AclLiteResource().init() first")
        if load_type != 0:
            raise Unsupported(
                f"load_type {load_type} is not part of aclrt.compat.acllite",
                hint="leave it out, the file is mapped; or aclrt.OfflineModel(bytes)",
            )
        self._model = OfflineModel(model_path, device_id=_resources[-1].device_id)

    def execute(self, input_list: list[Any]) -> list[NDArray[Any]]:
        """Runs the model once.

        Args:
            input_list: One array for each input, of its dtype and number of elements.

        Returns:
            One new array for each output, in the model's shapes.

        Raises:
            InputError: The arrays do not fit.
            Unsupported: An input is an image or a pair of pointer and size.
        """
        for item in input_list if isinstance(input_list, list) else []:
            if isinstance(item, dict) or type(item).__name__ == "AclLiteImage":
                raise Unsupported(
                    f"an input that is a {type(item).__name__} (device memory, DVPP) is not part "
                    "of aclrt.compat.acllite",
                    hint="give a numpy array",
                )
        arrays = positional(self._model, "AclLiteModel.execute", input_list)
        return [np.asarray(array) for array in self._model(*arrays)]

    def destroy(self) -> None:
        """Unloads the model. Idempotent."""
        self._model.close()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise Unsupported(f"AclLiteModel.{name} is not part of aclrt.compat.acllite")
