# SPDX-License-Identifier: Apache-2.0
"""A model that answers from the CPU where no device can: only ever by this explicit request.

The offline model runs on a device; where none can be opened, or a device error ends a call, ONNX
Runtime computes the same call from the ONNX. What the caller did wrong stays an error.
"""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _check, dtypes, om
from .errors import (
    AclError,
    AclrtError,
    BackendError,
    ClosedError,
    DeviceError,
    DeviceOutOfMemoryError,
    InputError,
    NeedsNpuError,
)
from .model import OfflineModel
from .result import Result
from .tensor import NodeArg, TensorSpec

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from typing_extensions import Self

    from .device import Device

__all__ = ["FallbackModel", "with_fallback"]

# What "no device can be opened" is; a damaged file or one for another chip is not.
_NO_DEVICE = (BackendError, DeviceError, DeviceOutOfMemoryError, NeedsNpuError)
_ONNX = "onnx"


class FallbackModel:
    """An offline model with its ONNX behind it; ``with_fallback`` makes it.

    A context manager. Calls may come from several threads.
    """

    def __init__(
        self,
        model: OfflineModel | str | os.PathLike[str],
        *,
        onnx: str | os.PathLike[str],
        backend: str | None = None,
        cast: str | None = None,
        **options: Any,
    ) -> None:
        self._inputs: tuple[TensorSpec, ...] = ()
        self._outputs: tuple[TensorSpec, ...] = ()
        self._lock = threading.Lock()
        self._onnx = os.fspath(onnx)
        self._safe = _check.cast_of(cast)
        self._fallbacks = 0
        self._error: Exception | None = None
        self._is_warned = False
        self._closed = False
        self._session: Any = None
        self._model: OfflineModel | None = None
        with Path(self._onnx).open("rb"):
            pass  # found out now, not when the device is lost
        if find_spec("onnxruntime") is None:
            raise ImportError(
                'with_fallback needs onnxruntime: pip install "aclrt[onnx]"', name="onnxruntime"
            )
        if isinstance(model, OfflineModel):
            if options or backend is not None:
                raise InputError("options are for a file; the model that is given is open already")
            self._name = self._onnx
            self._model = model
            self._inputs, self._outputs = model.inputs, model.outputs
        else:
            self._name = os.fspath(model)
            self._describe()
            if backend != _ONNX:
                try:
                    self._model = OfflineModel(model, backend=backend, cast=cast, **options)
                except _NO_DEVICE as error:
                    self._note(error, stacklevel=4)
        self._check_types()
        self._input_index = _check.positions(self._inputs)
        self._output_index = _check.positions(self._outputs)
        self._output_names = tuple(spec.name for spec in self._outputs)

    def _describe(self) -> None:
        info = om.inspect(self._name)
        if info.aipp:
            raise InputError(
                f"{self._name} has AIPP, so it takes images and its ONNX takes tensors",
                hint="preprocess in the program, and convert without insert_op_conf",
            )
        if info.io_problem:
            raise InputError(
                f"{self._name} does not tell its inputs and outputs: {info.io_problem}"
            )
        self._inputs, self._outputs = info.inputs, info.outputs

    def _check_types(self) -> None:
        for spec in (*self._inputs, *self._outputs):
            if spec.dtype.kind not in "biuf":
                raise InputError(f"{spec.name!r} is {spec.dtype}, which only a device can take")

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """What to feed, in order: the offline model's inputs, also where the CPU answers."""
        return self._inputs

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """What comes out, in order."""
        return self._outputs

    @property
    def device(self) -> Device | None:
        """The device; None where none could be opened."""
        return None if self._model is None else self._model.device

    @property
    def fallbacks(self) -> int:
        """How many calls the CPU answered because of ``error``; not those asked for of it."""
        return self._fallbacks

    @property
    def error(self) -> Exception | None:
        """The newest error that made the CPU answer; None if there was none."""
        return self._error

    def get_inputs(self) -> list[NodeArg]:
        """Name, shape and type of each input, as ONNX Runtime tells them."""
        return [_node(spec) for spec in self._inputs]

    def get_outputs(self) -> list[NodeArg]:
        """The same of the outputs."""
        return [_node(spec) for spec in self._outputs]

    def __call__(
        self, *args: Any, out: Any = None, cast: str | None = None, **named: Any
    ) -> Result:
        """Runs the model once, as ``OfflineModel`` does.

        Args:
            *args: The inputs in order, or one mapping by name.
            out: Buffers for outputs, as there.
            cast: ``"safe"`` converts inputs where no value can change.
            **named: Inputs by name; ``timeout_s``, which bounds the call of the device alone; and
                where the model takes them ``pad`` and ``split``, which
                the CPU does not need: it takes any shape.

        Returns:
            The outputs, with the offline model's names and dtypes wherever they were computed.

        Raises:
            InputError: The inputs do not fit, on the device as on the CPU.
            ClosedError: The model is closed.
        """
        if self._closed:
            raise ClosedError(f"{self._name} is closed")
        if self._model is not None:
            try:
                return self._model(*args, out=out, cast=cast, **named)
            except AclError as error:
                self._note(error, stacklevel=3)
        for option in ("pad", "split", "timeout_s"):
            if option not in self._input_index:
                named.pop(option, None)
        return self._on_cpu(args, named, out, self._safe if cast is None else _check.cast_of(cast))

    def run(
        self,
        output_names: Sequence[str] | None,
        feed: Mapping[str, Any],
        run_options: None = None,
    ) -> list[NDArray[Any]]:
        """Runs the model once, as ``OfflineModel.run`` and ONNX Runtime do.

        Raises:
            InputError: An output name is unknown, or the inputs do not fit.
            ClosedError: The model is closed.
        """
        if run_options is not None:
            raise InputError("run_options must be None: offline models have none")
        if isinstance(output_names, str) or not isinstance(feed, Mapping):
            raise InputError("run() takes a list of output names, or None, and a dict of inputs")
        unknown = [name for name in output_names or () if name not in self._output_index]
        if unknown:
            meant = _check.did_you_mean(unknown[0], self._output_names)
            raise InputError(f"{self._name} has no output {unknown[0]!r}{meant}")
        result = self(feed)
        return [result[name] for name in output_names or self._output_names]

    def _note(self, error: Exception, stacklevel: int) -> None:
        with self._lock:
            self._error = error
            is_first, self._is_warned = not self._is_warned, True
        if is_first:
            text = error.message if isinstance(error, AclrtError) else str(error)
            warnings.warn(
                f"{self._name}: {text}; ONNX Runtime answers on the CPU instead "
                f"({self._onnx}), now and whenever this happens again",
                RuntimeWarning,
                stacklevel=stacklevel,
            )

    def _on_cpu(
        self, args: Sequence[Any], named: Mapping[str, Any], out: Any, safe: bool
    ) -> Result:
        if len(args) == 1 and isinstance(args[0], Mapping):
            twice = sorted(set(args[0]) & set(named))
            if twice:
                raise InputError(f"input {twice[0]!r} is given twice")
            named = {**args[0], **named}
            args = ()
        arrays = _check.inputs(self._name, self._inputs, self._input_index, args, named, safe)
        given: list[NDArray[Any] | None] = [None] * len(self._outputs)
        if out is not None:
            given = _check.given_outputs(self._name, self._outputs, self._output_index, out, arrays)
        session, inputs, outputs = self._opened()
        feed = {
            name: array.astype(dtype, copy=False)
            for (name, dtype), array in zip(inputs, arrays, strict=True)
        }
        try:
            values = session.run(outputs, feed)
        except Exception as error:  # its exception classes are not public
            raise InputError(f"ONNX Runtime cannot run {self._onnx}: {error}") from self._error
        results = []
        for spec, value, target in zip(self._outputs, values, given, strict=True):
            array = np.ascontiguousarray(value).astype(spec.dtype, copy=False).reshape(value.shape)
            if target is not None:
                target[...] = array
            results.append(array if target is None else target)
        if self._error is not None:
            with self._lock:
                self._fallbacks += 1
        return Result(tuple(results), self._output_names, self._output_index)

    def _opened(self) -> tuple[Any, list[tuple[str, Any]], list[str]]:
        """The session, the ONNX's inputs in the model's order with their dtypes, its outputs."""
        with self._lock:
            if self._session is None:
                self._session = self._open()
            opened: tuple[Any, list[tuple[str, Any]], list[str]] = self._session
            return opened

    def _open(self) -> tuple[Any, list[tuple[str, Any]], list[str]]:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        try:
            session = onnxruntime.InferenceSession(
                self._onnx, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            raise InputError(
                f"{self._onnx} cannot be loaded by ONNX Runtime: {str(error).splitlines()[0]}"
            ) from error
        types = {node.name: _dtype(node.type) for node in session.get_inputs()}
        inputs = _in_order("input", [s.name for s in self._inputs], list(types), self._onnx)
        outputs = [node.name for node in session.get_outputs()]
        chosen = _in_order("output", list(self._output_names), outputs, self._onnx)
        return session, [(name, types[name]) for name in inputs], chosen

    def close(self) -> None:
        """Gives everything back, also a model that was given open. Again is allowed."""
        self._closed = True
        self._session = None
        if self._model is not None:
            self._model.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        """Where it runs, and how often it did not."""
        where = "the CPU" if self._model is None else "a device"
        return f"<FallbackModel {self._name} on {where}, {self._fallbacks} fallbacks>"


def _node(spec: TensorSpec) -> NodeArg:
    number = dtypes.number_of(spec.dtype)
    shape = [None if dim < 0 else dim for dim in spec.shape]
    return NodeArg(spec.name, shape, "" if number is None else dtypes.onnx_type(number))


def _dtype(text: str) -> np.dtype[Any]:
    element = text.removeprefix("tensor(").removesuffix(")")
    return np.dtype({"float": "float32", "double": "float64"}.get(element, element))


def _in_order(kind: str, names: list[str], others: list[str], file: str) -> list[str]:
    """The ONNX's name of each: by name, or in order where no name is the same."""
    if set(names) <= set(others):
        return names
    if len(names) == len(others) and not set(names) & set(others):
        return others
    raise InputError(
        f"the {kind}s of {file} ({', '.join(others)}) are not the model's ({', '.join(names)})",
        hint="give the ONNX that the model was converted from",
    )


def with_fallback(
    model: OfflineModel | str | os.PathLike[str],
    *,
    onnx: str | os.PathLike[str],
    backend: str | None = None,
    **options: Any,
) -> FallbackModel:
    """Opens a model whose calls ONNX Runtime answers where no device can.

    The first time that happens a ``RuntimeWarning`` says why; ``fallbacks`` counts the calls and
    ``error`` keeps the newest error. Wrong inputs, damaged files and models for another chip raise
    as ever.

    Args:
        model: The ``.om``, or a model that is open.
        onnx: The ONNX that it was converted from.
        backend: ``"auto"``, ``"npu"`` or ``"fake"``, as for ``OfflineModel``; ``"onnx"`` opens no
            device at all, without warning or count. With ``"npu"`` a machine without a card
            answers from the CPU, with ``"auto"`` from the fake device.
        **options: As for ``OfflineModel``: ``device_id``, ``cast``, ``pad``, ``split``.

    Returns:
        A model with the call surface of ``OfflineModel``: call, ``run``, ``inputs``, ``outputs``,
        ``get_inputs``, ``get_outputs``, ``close``, ``with``.

    Raises:
        InputError: The two do not belong together; or the model has AIPP, or types that only a
            device takes.
        OSError: A file cannot be read.
        ModelFormatError: The ``.om`` is not well formed.
        ModelLoadError: It is for another chip.
        ImportError: onnxruntime is not installed.
    """
    return FallbackModel(model, onnx=onnx, backend=backend, **options)
