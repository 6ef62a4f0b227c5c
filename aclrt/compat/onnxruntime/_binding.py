# SPDX-License-Identifier: Apache-2.0
"""Values and bindings. All memory is the host's: the session copies, as it does in ``run``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from aclrt.compat._unsupported import Unsupported

from .errors import InvalidArgument

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ._session import InferenceSession

__all__ = ["IOBinding", "OrtValue"]

_TYPES = {
    "float32": "tensor(float)",
    "float64": "tensor(double)",
    **{
        name: f"tensor({name})"
        for name in ("float16", "bool", *(f"{u}int{n}" for u in ("", "u") for n in (8, 16, 32, 64)))
    },
}


def _host_only(device_type: str) -> None:
    if device_type != "cpu":
        raise Unsupported(
            f"memory on {device_type!r} is not part of aclrt.compat.onnxruntime",
            hint='device_type="cpu"; the session copies to the device and back',
        )


class OrtValue:
    """One tensor in host memory."""

    def __init__(self, array: NDArray[Any]) -> None:
        """
        Args:
            array: It is shared, not copied.
        """
        self._array = array

    @staticmethod
    def ortvalue_from_numpy(
        numpy_obj: NDArray[Any], device_type: str = "cpu", device_id: int = 0
    ) -> OrtValue:
        """A value that shares an array's memory (a copy if that is not contiguous).

        Raises:
            Unsupported: Memory of another device.
        """
        _host_only(device_type)
        return OrtValue(np.ascontiguousarray(numpy_obj))

    @staticmethod
    def ortvalue_from_shape_and_type(
        shape: list[int], element_type: Any, device_type: str = "cpu", device_id: int = 0
    ) -> OrtValue:
        """A value of that shape and NumPy dtype, to be written to.

        Raises:
            Unsupported: Memory of another device.
        """
        _host_only(device_type)
        return OrtValue(np.zeros(shape, element_type))

    def numpy(self) -> NDArray[Any]:
        """The array."""
        return self._array

    def shape(self) -> list[int]:
        """The dims."""
        return list(self._array.shape)

    def data_type(self) -> str:
        """The type in ONNX Runtime's words, ``"tensor(float)"``."""
        name = self._array.dtype.name
        return _TYPES.get(name, f"tensor({name})")

    def device_name(self) -> str:
        """``"cpu"``."""
        return "cpu"

    def data_ptr(self) -> int:
        """The address of the first element."""
        return int(self._array.ctypes.data)

    def is_tensor(self) -> bool:
        """True."""
        return True

    def has_value(self) -> bool:
        """True."""
        return True

    def update_inplace(self, np_arr: NDArray[Any]) -> None:
        """Copies an array of the same shape and dtype into the value.

        Raises:
            InvalidArgument: It has another.
        """
        if np_arr.shape != self._array.shape or np_arr.dtype != self._array.dtype:
            raise InvalidArgument(
                f"the value is {self._array.dtype} {self._array.shape}, "
                f"the array {np_arr.dtype} {np_arr.shape}"
            )
        self._array[...] = np_arr

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise Unsupported(f"OrtValue.{name} is not part of aclrt.compat.onnxruntime")


class IOBinding:
    """Inputs and outputs of a session's next runs."""

    def __init__(self, session: InferenceSession) -> None:
        """
        Args:
            session: Whose names are bound.
        """
        self._session = session
        self._inputs: dict[str, NDArray[Any]] = {}
        self._outputs: dict[str, OrtValue | None] = {}  # None: not run yet
        self._given: set[str] = set()  # outputs whose memory the program gave

    def bind_cpu_input(self, name: str, arr_on_cpu: NDArray[Any]) -> None:
        """Feeds an array.

        Raises:
            InvalidArgument: The model has no such input.
        """
        self._session._check_name("input", name)
        self._inputs[name] = arr_on_cpu

    def bind_ortvalue_input(self, name: str, ortvalue: OrtValue) -> None:
        """Feeds a value; what is in it when the session runs."""
        self.bind_cpu_input(name, ortvalue.numpy())

    def bind_output(self, name: str, device_type: str = "cpu", *rest: Any, **more: Any) -> None:
        """Asks for an output in memory that each run allocates.

        Raises:
            InvalidArgument: The model has no such output.
            Unsupported: Memory of another device, or memory by its address.
        """
        _host_only(device_type)
        if len(rest) > 1 or set(more) - {"device_id"}:
            raise Unsupported(
                "binding memory by its address is not part of aclrt.compat.onnxruntime",
                hint="bind_ortvalue_output",
            )
        self._session._check_name("output", name)
        self._outputs[name] = None
        self._given.discard(name)

    def bind_ortvalue_output(self, name: str, ortvalue: OrtValue) -> None:
        """Asks for an output in a value's memory.

        Raises:
            InvalidArgument: The model has no such output.
        """
        self._session._check_name("output", name)
        self._outputs[name] = ortvalue
        self._given.add(name)

    def clear_binding_inputs(self) -> None:
        """Forgets the inputs."""
        self._inputs.clear()

    def clear_binding_outputs(self) -> None:
        """Forgets the outputs."""
        self._outputs.clear()
        self._given.clear()

    def synchronize_inputs(self) -> None:
        """Nothing to wait for: runs are synchronous."""

    def synchronize_outputs(self) -> None:
        """Nothing to wait for: runs are synchronous."""

    def get_outputs(self) -> list[OrtValue]:
        """The outputs of the last run, in the order in which they were bound.

        Raises:
            InvalidArgument: The session has not run with this binding.
        """
        values = [value for value in self._outputs.values() if value is not None]
        if len(values) != len(self._outputs) or not values:
            raise InvalidArgument("there are no outputs before run_with_iobinding")
        return values

    def copy_outputs_to_cpu(self) -> list[NDArray[Any]]:
        """Copies of the outputs of the last run, in the order in which they were bound."""
        return [value.numpy().copy() for value in self.get_outputs()]

    def run(self, call: Any) -> None:
        """What ``run_with_iobinding`` does: call(feed, out) -> result by name."""
        if not self._outputs:
            raise InvalidArgument("no output is bound", hint='binding.bind_output("name")')
        bound = self._outputs.items()
        out = {name: v.numpy() for name, v in bound if v is not None and name in self._given}
        result = call(self._inputs, out)
        for name in self._outputs:
            if name not in self._given:
                self._outputs[name] = OrtValue(result[name])

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise Unsupported(f"IOBinding.{name} is not part of aclrt.compat.onnxruntime")
