# SPDX-License-Identifier: Apache-2.0
"""``OfflineModel``: one loaded model, called like a function.

The object holds one C handle, whose destructor is a C function; all ownership is in the library,
so no order of destruction and no thread is wrong. A call is one call of the library: arrays that
are exactly right go there by the function of ``aclrt._call``, anything else by the runners.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import wraps
from math import prod
from typing import TYPE_CHECKING, Any

from . import _batches, _call, _check, _dynamic, _loading, _specs, dtypes, runtime
from ._capacity import MOST_INSTANCES, Capacity
from ._closing import Closing
from ._ffi import ffi, lib, out_of_cycles, raise_for
from ._fixed import FixedRunner
from ._submitting import Submitting
from .device import Device
from .errors import InputError, ModelLoadError
from .result import Result
from .tensor import NodeArg, TensorSpec

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ._binding import Binding
    from ._requests import Preparer

__all__ = ["OfflineModel"]


class OfflineModel(Submitting, Capacity, Closing):
    """An offline model (``.om``), loaded on one device.

    ``model(a, b)``, ``model({"x": a, "y": b})`` and ``model(x=a, y=b)`` run it and return a
    ``Result``. A model may be called from any number of threads; its runs take turns, or as many as
    ``instances`` go on at a time. Close it with
    ``close()`` or a ``with`` block; a model that is dropped or left open at exit is released too.

    Args:
        source: The model: a path (``str`` or ``os.PathLike``; the file is mapped, not read into
            Python), its bytes (``bytes``, ``bytearray``, ``memoryview`` or another contiguous
            buffer; not needed after loading), or a binary file object, read from where it stands.
        device_id: Logical device, counted from 0.
        backend: ``"auto"``, ``"npu"`` or ``"fake"``; None for ``$ACLRT_BACKEND``, else auto. One
            process uses one backend.
        onnx: For the fake device only: path of the ONNX model to run in place of a really compiled
            ``.om``.
        cast: ``"safe"`` converts inputs of another dtype where no value can change; None, the
            default, refuses them.
        pad: ``"up"`` fills inputs that no gear takes with zeros up to the next larger gear and
            crops the outputs back; None, the default, refuses them. For models with gears.
        split: Whether a batch that no gear takes is run in several parts. For models with a
            dynamic batch.
        instances: How many runs there can be at a time, 1 to 64. Each instance takes device memory
            for activations, inputs and outputs; the weights are loaded once where AscendCL allows
            it (``shares_weights``).

    Raises:
        FileNotFoundError: There is no such file; and other ``OSError`` by cause.
        ModelFormatError: The bytes are not a well-formed offline model.
        ModelLoadError: The model cannot be loaded here.
        NeedsNpuError: A really compiled model on the fake device, without ``onnx=``.
        DeviceError: There is no such device, or it cannot be opened.
        DeviceOutOfMemoryError: The device has not enough free memory.
        BackendError: No usable libascendcl, or another backend than ``backend`` is in use.
        InputError: An argument has the wrong type or value.
    """

    _again = "load it again"
    _elsewhere = "load it in the other process"

    def __init__(
        self,
        source: str | os.PathLike[str] | os.PathLike[bytes] | Any,
        *,
        device_id: int = 0,
        backend: str | None = None,
        onnx: str | os.PathLike[str] | os.PathLike[bytes] | None = None,
        cast: str | None = None,
        pad: str | None = None,
        split: bool = False,
        instances: int = 1,
    ) -> None:
        self._safe = _check.cast_of(cast)
        self._pad = _check.pad_of(pad)
        self._split = _check.split_of(split)
        self._device_id = _check.device_id_of(device_id)
        self._instances = _check.count_of(instances, "instances", MOST_INSTANCES)
        self._device: Device | None = None
        self._closed = False
        self._name, self._handle = "", None
        runtime.ensure(backend)
        self._name, self._handle = _loading.load(source, self._device_id, onnx, self._instances)
        self._holder = out_of_cycles(self._handle)
        try:
            self._describe()
        except BaseException:
            lib.aclrt_status_release(lib.aclrt_model_close(self._handle))
            raise

    def _what(self) -> str:
        return self._name

    def _describe(self) -> None:
        info = ffi.new("aclrt_model_info_t *")
        raise_for(lib.aclrt_model_info(self._handle, info))
        self._is_simulated = bool(info.is_simulated)
        self._shares_weights = bool(info.shares_weights)
        self._inputs = tuple(_specs.spec_of(info.inputs[i]) for i in range(info.input_count))
        self._outputs = tuple(_specs.spec_of(info.outputs[i]) for i in range(info.output_count))
        self._input_types = tuple(
            dtypes.onnx_type(info.inputs[i].dtype) for i in range(info.input_count)
        )
        self._output_types = tuple(
            dtypes.onnx_type(info.outputs[i].dtype) for i in range(info.output_count)
        )
        self._input_index = _check.positions(self._inputs)
        self._output_index = _check.positions(self._outputs)
        # What a call needs, looked up once.
        self._input_count = len(self._inputs)
        self._output_count = len(self._outputs)
        self._input_names = tuple(spec.name for spec in self._inputs)
        self._output_names = tuple(spec.name for spec in self._outputs)
        specs = (*self._inputs, *self._outputs)
        gears = _dynamic.read_gears(info)
        self._gears = tuple(gear.values for gear in gears)
        self._runner: _dynamic.DynamicRunner | None = None
        # A stack of frames: append and pop are atomic, so threads never share one.
        self._frames: list[Any] = []
        self._quick: _call.Call = _call.never
        self._quick_into: _call.Call = _call.never
        if gears or any(spec.dynamic for spec in specs):
            self._runner = _dynamic.DynamicRunner(
                *(self._name, self._handle, _dynamic.KINDS[int(info.dynamic)]),
                *(self._inputs, self._outputs, gears),
            )
        elif self._pad or self._split:
            self._refuse_pad_and_split()
        else:
            self._check_packed()
        if self._runner is None:
            about = (self._output_names, self._output_index, None, 0.0)
            self._fixed = FixedRunner(
                self._name, self._handle, self._inputs, self._outputs, about, self._frames
            )
            self._quick, self._quick_into = self._fixed.quick, self._fixed.quick_into

    def _preparer(self) -> Preparer:
        from ._requests import Preparer

        return Preparer(
            *(self._name, self._inputs, self._outputs),
            *(self._runner, self._safe, bool(self._pad)),
        )

    def _check_packed(self) -> None:
        packed = [s for s in (*self._inputs, *self._outputs) if dtypes.is_packed(s.dtype)]
        for spec in packed:
            if spec.nbytes != (prod(spec.shape) + 1) // 2:
                raise ModelLoadError(
                    f"{self._name} has a buffer of {spec.nbytes} bytes for {spec}: two elements "
                    "in a byte were expected"
                )

    def _refuse_pad_and_split(self) -> None:
        raise InputError(
            f"pad= and split= have no meaning for {self._name}, whose shapes are fixed",
            hint="model.batches() fills up batches of single samples",
        )

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """What to feed, in order. Inputs that AscendCL adds for itself are not among them."""
        return self._inputs

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """What a call returns, in order."""
        return self._outputs

    @property
    def gears(self) -> tuple[tuple[int, ...], ...]:
        """What ATC was given for each shape that the model was compiled for; empty if it has none.

        ``(batch,)``, ``(height, width)``, or one value for each dynamic dim.
        """
        return self._gears

    @property
    def device(self) -> Device:
        """The device that the model is loaded on.

        Raises:
            DeviceError: The model is closed and its device cannot be opened any more.
        """
        if self._device is None:
            self._device = Device(self._device_id)
        return self._device

    @property
    def is_simulated(self) -> bool:
        """Whether the file was made by ``aclrt convert`` and runs on the fake device alone."""
        return self._is_simulated

    @property
    def _kind(self) -> str | None:
        return None if self._runner is None else self._runner.kind

    def _call_in_full(
        self,
        /,
        *args: Any,
        out: Any = None,
        cast: str | None = None,
        pad: str | None = None,
        split: bool | None = None,
        timeout_s: float | None = None,
        **named: Any,
    ) -> Result:
        """Runs the model once.

        Args:
            *args: The inputs in order, or one dict of inputs by name.
            out: Arrays that receive outputs: a dict by name (of some or all), a sequence of all
                (None in it: allocate), or one array if there is one output. They must be
                writable, contiguous, of the output's dtype and shape, and share no memory.
            cast: ``"safe"`` converts inputs where no value can change, for this call.
            pad: ``"up"``: as in the constructor, for this call.
            split: True or False: as in the constructor, for this call.
            timeout_s: Seconds after which the run is given up. The device may still finish it, into
                memory that is kept until then; later runs wait for that.
            **named: Inputs by name. An input with the name of one of the keywords above is fed
                by dict.

        Returns:
            The outputs, by position and by name; new arrays except where ``out`` gave some.

        Raises:
            InputError: The arrays do not fit; the message shows expected beside given.
            ClosedError: The model is closed.
            ForkedProcessError: This is a child of the process that loaded it.
            DeviceLostError: The device died.
            DeviceTimeoutError: The run did not finish in ``timeout_s``.
            AclError: AscendCL refused the run.
        """
        if out is None and cast is None and pad is None and split is None and timeout_s is None:
            result = self._quick(args, named)
            if result is not None:
                return result
        if timeout_s is not None:
            return self._in_flight().run(args, named, out, cast, pad, split, timeout_s)
        if out is not None and self._overlap is not None:
            self._overlap.refuse_given(out)
        if out is not None and cast is None and pad is None and split is None:
            result = self._quick_into(args, named, out)
            if result is not None:
                return result
        if self._runner is not None or pad is not None or split is not None:
            return self._call_dynamic(args, named, out, cast, pad, split)
        return self._run_fixed(args, named, out, cast)

    if TYPE_CHECKING:
        __call__ = _call_in_full
    else:
        # Five keywords with defaults cost more than the checks of an array.
        @wraps(_call_in_full, assigned=("__doc__", "__annotations__"))
        def __call__(self, /, *args: Any, **named: Any) -> Result:
            if not named:
                result = self._quick(args, named)
                if result is not None:
                    return result
            return self._call_in_full(*args, **named)

    def _call_dynamic(
        self,
        args: Sequence[Any],
        named: Mapping[str, Any],
        out: Any,
        cast: str | None,
        pad: str | None,
        split: bool | None,
    ) -> Result:
        safe = self._safe if cast is None else _check.cast_of(cast)
        pads = self._pad if pad is None else _check.pad_of(pad)
        splits = self._split if split is None else _check.split_of(split)
        if self._runner is None:
            if pads or splits:
                self._refuse_pad_and_split()
            return self(*args, out=out, cast=cast, **named)
        if len(args) == 1 and isinstance(args[0], Mapping):
            named, args = _merged(args[0], named), ()
        values: Sequence[Any] | None = args
        if named:
            values = None
            if not args and len(named) == self._input_count:
                values = [named.get(name) for name in self._input_names]
        results, gear, waste = self._runner.run(values, out, safe, pads, splits, args, named)
        return Result(tuple(results), self._output_names, self._output_index, gear, waste)

    def _new_frame(self) -> Any:
        return ffi.new("void *[]", self._input_count + self._output_count)

    def _run_fixed(
        self, args: Sequence[Any], named: Mapping[str, Any], out: Any, cast: str | None
    ) -> Result:
        if len(args) == 1 and isinstance(args[0], Mapping):
            named, args = _merged(args[0], named), ()
        safe = self._safe if cast is None else _check.cast_of(cast)
        results = self._fixed.run(args, named, out, safe)
        return Result(tuple(results), self._output_names, self._output_index)

    def bind(self, inputs: Any = None, outputs: Any = None, /, **named: Any) -> Binding:
        """Prepares runs on arrays that stay the same: ``step = model.bind(x, y); step()``.

        Everything is checked here; a step is one call of the library, which allocates nothing,
        reads what the inputs hold then and returns the same ``Result`` each time. Arrays are used
        as they are, so inputs must be contiguous and of the right dtype and shape. The binding
        keeps them alive.

        Args:
            inputs: The inputs: a dict by name, a sequence in order, or one array.
            outputs: The arrays for outputs: a dict by name (of some or all), a sequence (None in
                it: allocate), or one array. What is not given is allocated once, in page-locked
                memory. Where the shapes of the outputs depend on what is fed, the model is run
                once here to learn them.
            **named: Inputs and outputs by name, in place of the two; ``model.bind(x=a, probs=b)``.
                The name of an input and of an output too means the input.

        Returns:
            The binding, called without arguments. It is open until it or the model is closed.

        Raises:
            InputError: An array does not fit, is read-only, or shares memory with another.
            ClosedError: The model is closed.
            AclError: AscendCL refused.
        """
        from ._binding import bind

        return bind(self, inputs, outputs, named)

    def run(
        self,
        output_names: Sequence[str] | None,
        feed: Mapping[str, Any],
        run_options: None = None,
    ) -> list[NDArray[Any]]:
        """Runs the model once, as ONNX Runtime's ``InferenceSession.run`` does.

        Args:
            output_names: Which outputs to return, in this order; None for all.
            feed: The inputs by name.
            run_options: Takes None alone; there for programs written for ONNX Runtime.

        Returns:
            A list of arrays.

        Raises:
            InputError: An output name is unknown, or the inputs do not fit.
            ClosedError: The model is closed.
            AclError: AscendCL refused the run.
        """
        if run_options is not None:
            raise InputError("run_options must be None: offline models have none")
        if not isinstance(feed, Mapping):
            raise InputError(f"run() takes a dict of inputs by name, not {type(feed).__name__}")
        chosen = range(self._output_count) if output_names is None else self._choose(output_names)
        if self._runner is None:
            result = self(feed)
        else:
            result = self._call_dynamic((feed,), {}, None, None, None, None)
        return [result[position] for position in chosen]

    def _choose(self, output_names: Sequence[str]) -> list[int]:
        if isinstance(output_names, str):
            raise InputError(
                "output_names must be a list of names", hint=f"run([{output_names!r}], ...)"
            )
        chosen = []
        for name in output_names:
            if name not in self._output_index:
                meant = _check.did_you_mean(name, self._output_names)
                raise InputError(f"{self._name} has no output {name!r}{meant}")
            chosen.append(self._output_index[name])
        return chosen

    def batches(
        self,
        samples: Iterable[Any],
        batch_size: int | None = None,
        *,
        cast: str | None = None,
    ) -> Iterator[Result]:
        """Runs single samples in batches, and yields the result of each sample.

        Samples are taken as they are needed, ``batch_size`` of them at a time. The last batch is
        filled up where the model needs it, and what belongs to the filling is dropped.

        Args:
            samples: What a call takes, without the batch axis: an array, a tuple of arrays in the
                order of ``inputs``, or a dict by name, for each sample.
            batch_size: Samples in one run: a gear of the model, or any number that a shape-range
                model takes. None: the batch of a model with fixed shapes, or the largest gear.
            cast: ``"safe"`` converts inputs where no value can change.

        Returns:
            An iterator of one ``Result`` for each sample, in order, without the batch axis. Its
            arrays are rows of the batch's outputs; ``gear`` and ``waste`` are the batch's.

        Raises:
            InputError: The model has no batch axis, or not this batch size, at once; or a sample
                does not fit, when its turn comes: the message has its number.
            ClosedError: The model is closed.
            AclError: AscendCL refused a run.
        """
        size = _batches.size_of(self._name, self._inputs, self._kind, self._gears, batch_size)
        safe = self._safe if cast is None else _check.cast_of(cast)
        return _batches.run(self, self._name, samples, size, safe)

    def set_aipp(
        self,
        config: str | os.PathLike[str] | None = None,
        *,
        input: int | str | None = None,  # noqa: A002  (the word for it)
        images: Sequence[Mapping[str, Any]] | None = None,
        **keys: Any,
    ) -> None:
        """States what the images of an input with dynamic AIPP are, for the runs that follow.

        Such an input takes ``uint8`` arrays: the batch, then any three dims with the bytes of an
        image, ``(n, h, w, 3)`` for RGB888_U8 or ``(n, h * 3 // 2, w, 1)`` for YUV420SP_U8. Waits
        for runs in progress and for those in flight, which keep what was stated before them.

        Args:
            config: ATC's text with an ``aipp_op`` for each input, keys as in static AIPP, or the
                path of its file. ``aipp_mode`` may be left out.
            input: Which input, by position or name; None: the first, or what ``config`` says.
            images: For each image of the (largest) batch what differs there: crop, padding, mean,
                min and factor, by ATC's keys. None: all are treated alike.
            **keys: ATC's keys, where there is no ``config``: ``input_format="RGB888_U8"``,
                ``src_image_size_w=640``, ``crop=True``, ... Defaults are ATC's.

        Raises:
            InputError: A value is out of range, does not fit the model, or there is no dynamic
                AIPP; the message names the limit.
            OSError: The file cannot be read.
            ClosedError: The model is closed.
            AclError: AscendCL refused the parameters.
        """
        from . import aipp

        parameters = aipp.parameters(config, input, images, keys)
        if self._overlap is not None:
            self._overlap.await_runs()
        for item in parameters:
            item.hand_over(self._handle, self._input_place(item.input))

    def _input_place(self, chosen: int | str) -> int:
        if isinstance(chosen, str) and chosen in self._input_names:
            return self._input_names.index(chosen)
        if not isinstance(chosen, (str, bool)) and chosen in range(self._input_count):
            return chosen
        raise InputError(
            f"{self._name} has no input {chosen!r}",
            hint=f"inputs: {', '.join(self._input_names)}",
        )

    def get_inputs(self) -> list[NodeArg]:
        """The inputs as ONNX Runtime describes them: name, shape, type."""
        return _node_args(self._inputs, self._input_types)

    def get_outputs(self) -> list[NodeArg]:
        """The outputs as ONNX Runtime describes them: name, shape, type."""
        return _node_args(self._outputs, self._output_types)

    def close(self) -> None:
        """Waits for runs in progress and gives everything back to the device. Idempotent.

        Runs in flight that have a slot are finished; those that wait for one fail.

        Raises:
            AclError: The device refused to give something back; the rest is released all the same.
            ForkedProcessError: This is a child of the process that loaded the model.
        """
        self._closed = True
        failure = self._close_overlap()  # Ctrl-C while it waits leaves the model to the next close
        raise_for(lib.aclrt_model_close(self._handle))
        if failure is not None:
            raise failure

    def __repr__(self) -> str:
        """Name, device, and what goes in and out."""
        state = ", closed" if self._closed else ""
        io = " -> ".join("; ".join(map(str, specs)) for specs in (self._inputs, self._outputs))
        return f"<OfflineModel {self._name} on device {self._device_id}{state}: {io}>"


def _merged(feed: Mapping[str, Any], named: Mapping[str, Any]) -> dict[str, Any]:
    twice = feed.keys() & named.keys()
    if twice:
        raise InputError(f"input {min(twice)!r} is given twice, in the dict and as a keyword")
    return {**feed, **named}


def _node_args(specs: Sequence[TensorSpec], types: Sequence[str]) -> list[NodeArg]:
    return [
        NodeArg(spec.name, [None if dim < 0 else dim for dim in spec.shape], onnx_type)
        for spec, onnx_type in zip(specs, types, strict=True)
    ]
