# SPDX-License-Identifier: Apache-2.0
"""``mindx.sdk.base``: tensors that are on the host or on a device, and models for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from aclrt.compat._feed import positional
from aclrt.compat._unsupported import Unsupported
from aclrt.errors import InputError
from aclrt.model import OfflineModel

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Model", "Tensor", "model", "mx_deinit", "mx_init"]

_HOST = -1
_state = {"initialised": False}


def mx_init() -> None:
    """Must come before the first ``Model`` of this module."""
    _state["initialised"] = True


def mx_deinit() -> None:
    """The end of the session; models give their memory back when they are gone."""
    _state["initialised"] = False


class Tensor:
    """An array with the place where a program believes it to be.

    The data stays in host memory; the model copies them at each call. ``np.array(t)`` works while
    the tensor is on the host, as with MindX.
    """

    def __init__(self, array: Any) -> None:
        """
        Args:
            array: A numpy array, or anything that becomes one; its data are copied.
        """
        self._array: NDArray[Any] = np.array(array, order="C")
        self._device = _HOST

    @property
    def shape(self) -> list[int]:
        """The dims."""
        return list(self._array.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The NumPy dtype."""
        return self._array.dtype

    @property
    def device(self) -> int:
        """The logical device, -1 on the host."""
        return self._device

    def to_device(self, device_id: int) -> None:
        """Marks the tensor as being on a device."""
        if device_id < 0:
            raise InputError(f"to_device: {device_id} is no device")
        self._device = device_id

    def to_host(self) -> None:
        """Marks the tensor as being on the host."""
        self._device = _HOST

    def to_numpy(self) -> NDArray[Any]:
        """A copy of the data, wherever the tensor is."""
        return np.array(self._array)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """What ``np.array(t)`` gives.

        Raises:
            RuntimeError: The tensor is on a device.
        """
        if self._device != _HOST:
            raise RuntimeError(f"the tensor is on device {self._device}: call to_host() first")
        return np.array(self._array, dtype=dtype)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise Unsupported(f"Tensor.{name} is not part of aclrt.compat.mindx")


class LoadedModel:
    """What both spellings of a model share."""

    def __init__(self, path: str, device_id: int) -> None:
        self._model = OfflineModel(path, device_id=device_id)
        self._device_id = device_id

    def infer(self, inputs: list[Tensor]) -> list[Tensor]:
        """Runs the model once.

        Args:
            inputs: One tensor for each input, of its dtype and number of elements.

        Returns:
            One tensor for each output, on the model's device (``to_host()``, or ``to_numpy()``).

        Raises:
            InputError: It is no list of tensors, or they do not fit.
        """
        if not isinstance(inputs, list) or not all(isinstance(t, Tensor) for t in inputs):
            raise InputError(
                "infer takes a list of Tensor objects", hint="model.infer([Tensor(array)])"
            )
        arrays = positional(self._model, "infer", [tensor._array for tensor in inputs])
        results = [Tensor(array) for array in self._model(*arrays)]
        for result in results:
            result.to_device(self._device_id)
        return results

    @property
    def input_num(self) -> int:
        """The number of inputs."""
        return len(self._model.inputs)

    @property
    def output_num(self) -> int:
        """The number of outputs."""
        return len(self._model.outputs)

    def input_shape(self, index: int) -> list[int]:
        """The dims of an input."""
        return list(self._model.inputs[index].shape)

    def output_shape(self, index: int) -> list[int]:
        """The dims of an output."""
        return list(self._model.outputs[index].shape)

    def input_dtype(self, index: int) -> np.dtype[Any]:
        """The NumPy dtype of an input."""
        return self._model.inputs[index].dtype

    def output_dtype(self, index: int) -> np.dtype[Any]:
        """The NumPy dtype of an output."""
        return self._model.outputs[index].dtype

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise Unsupported(f"Model.{name} is not part of aclrt.compat.mindx")


class Model(LoadedModel):
    """A loaded model, by the long spelling; ``model`` is the same."""

    def __init__(self, modelPath: str, deviceId: int = 0) -> None:  # noqa: N803  (MindX's names)
        """
        Args:
            modelPath: The .om file.
            deviceId: Logical device.

        Raises:
            RuntimeError: ``mx_init()`` was not called.
            ModelLoadError: The model cannot be loaded.
        """
        if not _state["initialised"]:
            raise RuntimeError("base.mx_init() must come before base.Model")
        super().__init__(modelPath, deviceId)


model = Model


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    raise Unsupported(f"mindx.sdk.base.{name} is not part of aclrt.compat.mindx")
