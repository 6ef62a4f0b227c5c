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
from concurrent.futures import Future
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _check, om
from ._calls import Calls, arrays_in
from ._fallback_runs import Answer, FallbackBinding
from ._flight import DEFAULT_DEPTH
from ._memory_stats import MemoryStats
from ._surface import OPTIONS, Surface
from .device_tensor import DeviceTensor
from .errors import (
    AclError,
    AclrtError,
    BackendError,
    DeviceError,
    DeviceOutOfMemoryError,
    InputError,
    NeedsNpuError,
)
from .model import OfflineModel
from .result import Result

if TYPE_CHECKING:
    from .device import Device
    from .tensor import TensorSpec

__all__ = ["FallbackModel", "with_fallback"]

Arrays = Sequence[Any]
Targets = list[Any]  # an array, a DeviceTensor, or None: allocate

# What "no device can be opened" is; a damaged file or one for another chip is not.
_NO_DEVICE = (BackendError, DeviceError, DeviceOutOfMemoryError, NeedsNpuError)
_ONNX = "onnx"
_THREADS = 2  # ONNX Runtime spreads one call over all cores by itself


class FallbackModel(Surface):
    """An offline model with its ONNX behind it; ``with_fallback`` makes it.

    A context manager. Calls may come from several threads.
    """

    _again = "open it again"
    _elsewhere = "open it in the other process"

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
            self._gears, self._kind = model.gears, model._kind
            self._is_simulated = model.is_simulated
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
        self._depth = DEFAULT_DEPTH * self.instances
        self._calls = Calls(_THREADS, 4 * _THREADS, "aclrt-fallback")

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
        self._is_simulated = info.simulated
        self._gears, self._kind = info.gears, None if info.dynamic == "none" else info.dynamic

    def _what(self) -> str:
        return self._name

    def _check_types(self) -> None:
        for spec in (*self._inputs, *self._outputs):
            if spec.dtype.kind not in "biuf":
                raise InputError(f"{spec.name!r} is {spec.dtype}, which only a device can take")

    @property
    def device(self) -> Device | None:
        """The device; None where none could be opened."""
        return None if self._model is None else self._model.device

    @property
    def instances(self) -> int:
        """How many runs the device takes at a time; 1 where there is none."""
        return 1 if self._model is None else self._model.instances

    @property
    def shares_weights(self) -> bool:
        """As for ``OfflineModel``; False where there is no device."""
        return self._model is not None and self._model.shares_weights

    @property
    def is_simulated(self) -> bool:
        """Whether the file was made by ``aclrt convert``."""
        return self._is_simulated

    @property
    def fallbacks(self) -> int:
        """How many calls the CPU answered because of ``error``; not those asked for of it."""
        return self._fallbacks

    @property
    def error(self) -> Exception | None:
        """The newest error that made the CPU answer; None if there was none."""
        return self._error

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
        self._refuse_closed()
        if self._model is not None:
            try:
                return self._model(*args, out=out, cast=cast, **named)
            except AclError as error:
                self._note(error, stacklevel=3)
        options = {"out": out, "cast": cast}
        return self._compute(*self._prepare(args, {**named, **options}))

    def _start(
        self, args: Sequence[Any], named: Mapping[str, Any], wait: bool = False
    ) -> Future[Result]:
        self._refuse_closed()
        if self._model is not None:
            fed = {name: value for name, value in named.items() if name not in OPTIONS}
            options = [named.get(name) for name in OPTIONS]
            try:
                inner = self._model._in_flight().submit(args, fed, *options, wait=wait)
            except AclError as error:
                self._note(error, stacklevel=4)
            else:
                answer = Answer(inner)
                inner.add_done_callback(lambda done: self._settle(answer, done, args, named))
                return answer
        return self._in_a_thread(args, named, wait)

    def _in_a_thread(
        self, args: Sequence[Any], named: Mapping[str, Any], wait: bool
    ) -> Future[Result]:
        values, given = self._prepare(args, named)
        read, written = arrays_in(values), arrays_in(named.get("out"))
        return self._calls.submit(lambda: self._compute(values, given), read, written, wait)

    def _settle(
        self, answer: Answer, done: Future[Result], args: Sequence[Any], named: Mapping[str, Any]
    ) -> None:
        """Passes on what became of a run in flight, or has the CPU answer."""
        if done.cancelled():
            answer.drop()
            return
        error = done.exception()
        if isinstance(error, AclError):
            try:
                self._note(error, stacklevel=2)
            except Warning as failure:  # which the program's filters make errors
                answer.fail(failure)
                return
            try:
                done = self._in_a_thread(args, named, wait=False)
            except BaseException as failure:  # the pool of threads is closed: the error stands
                error.__context__ = failure
            else:
                answer.follow(done)
                return
        answer.take(done)

    def bind(self, inputs: Any = None, outputs: Any = None, /, **named: Any) -> FallbackBinding:
        """Prepares runs on arrays that stay the same, as ``OfflineModel.bind`` does.

        Args:
            inputs: As there.
            outputs: As there.
            **named: As there.

        Returns:
            What is called without arguments; each call is answered by the device or the CPU.

        Raises:
            InputError: As there.
            ClosedError: The model is closed.
        """
        self._refuse_closed()
        binding = None
        if self._model is not None:
            try:
                binding = self._model.bind(inputs, outputs, **named)
            except AclError as error:
                self._note(error, stacklevel=3)
        return FallbackBinding(self, binding, inputs, outputs, named)

    def reserve(self, *, in_flight: int | None = None, warm_up: int = 1) -> None:
        """Prepares the device as ``OfflineModel.reserve`` does, and loads the ONNX for the CPU.

        Args:
            in_flight: As there.
            warm_up: As there.

        Raises:
            InputError: As there, or ONNX Runtime cannot load the ONNX.
            ClosedError: The model is closed.
        """
        self._refuse_closed()
        self._opened()
        if self._model is not None:
            try:
                self._model.reserve(in_flight=in_flight, warm_up=warm_up)
            except AclError as error:
                self._note(error, stacklevel=3)

    def memory_stats(self) -> MemoryStats:
        """Bytes that the model holds on the device and for it; zeros where there is none."""
        if self._model is None:
            return MemoryStats(0, 0, 0, 0, 0, 0)
        return self._model.memory_stats()

    def set_aipp(self, *args: Any, **keys: Any) -> None:
        """Refuses: the ONNX takes tensors, where the offline model would take images.

        Args:
            *args: Not looked at.
            **keys: Not looked at.

        Raises:
            InputError: Always.
        """
        del args, keys
        raise InputError(
            f"{self._name} is answered by its ONNX too, which takes tensors and no images",
            hint="preprocess in the program",
        )

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

    def _prepare(self, args: Sequence[Any], named: Mapping[str, Any]) -> tuple[Arrays, Targets]:
        """What is fed and what receives, for the CPU.

        Gears, parts and times are the device's: pad, split and timeout_s have no meaning here.
        """
        values = self._fed(args, named)
        given: Targets = [None] * len(self._outputs)
        if named.get("out") is not None:
            given = _check.given_outputs(
                *(self._name, self._outputs, self._output_index, named["out"], values)
            )
        return values, given

    def _compute(self, values: Arrays, given: Targets) -> Result:
        """The CPU's answer."""
        session, inputs, outputs = self._opened()
        arrays = [v.numpy() if isinstance(v, DeviceTensor) else v for v in values]
        feed = {
            name: array.astype(dtype, copy=False)
            for (name, dtype), array in zip(inputs, arrays, strict=True)
        }
        try:
            answers = session.run(outputs, feed)
        except Exception as error:  # its exception classes are not public
            raise InputError(f"ONNX Runtime cannot run {self._onnx}: {error}") from self._error
        results = []
        for spec, value, target in zip(self._outputs, answers, given, strict=True):
            array = np.ascontiguousarray(value).astype(spec.dtype, copy=False).reshape(value.shape)
            if isinstance(target, DeviceTensor):
                target.copy_from(array)
            elif target is not None:
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
        """Waits for calls in flight and gives everything back, also a model that was given open.

        Idempotent.
        """
        self._closed = True
        try:
            if self._model is not None:
                self._model.close()
        finally:
            self._calls.close()
            self._calls.join()
            self._session = None

    def __repr__(self) -> str:
        """Where it runs, and how often it did not."""
        where = "the CPU" if self._model is None else "a device"
        return f"<FallbackModel {self._name} on {where}, {self._fallbacks} fallbacks>"


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
        A model with the call surface of ``OfflineModel``: call, ``run``, ``submit``, ``run_async``,
        ``map``, ``batches``, ``bind``, ``reserve``, ``memory_stats``, descriptions, ``close``,
        ``with``. ``set_aipp`` is refused.

    Raises:
        InputError: The two do not belong together; or the model has AIPP, or types that only a
            device takes.
        OSError: A file cannot be read.
        ModelFormatError: The ``.om`` is not well formed.
        ModelLoadError: It is for another chip.
        ImportError: onnxruntime is not installed.
    """
    return FallbackModel(model, onnx=onnx, backend=backend, **options)
