# SPDX-License-Identifier: Apache-2.0
"""``ais_bench.infer.interface`` over ``aclrt.OfflineModel``.

>>> from ais_bench.infer.interface import InferSession     # doctest: +SKIP
>>> y = InferSession(0, "m.om").infer([x])[0]              # doctest: +SKIP

Modes and ``custom_sizes`` are taken; sizes and gears come from the model and the arrays, so
``custom_sizes`` is not needed and a setter only checks what is fed afterwards. In
``set_dynamic_hw`` the height is first, whatever the original calls its arguments.
"""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from aclrt.errors import InputError
from aclrt.model import OfflineModel
from aclrt.om import inspect

from . import _ais_aipp
from ._ais_tensor import Tensor, from_files
from ._feed import positional
from ._unsupported import Unsupported

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from aclrt.tensor import TensorSpec

__all__ = ["InferSession", "MultiDeviceSession", "Summary", "Tensor", "wanted_shapes"]

# What each mode is for, as aclrt.inspect tells it of a model.
_MODES = {
    "static": "none",
    "dymbatch": "batch",
    "dymhw": "image",
    "dymdims": "dims",
    "dymshape": "range",
}
_KINDS = {
    "batch": "gears of batch",
    "image": "gears of hw",
    "dims": "gears of dims",
    "range": "a shape range",
}
_CUSTOM_SIZES = 100000


@dataclass
class Summary:
    """Times of the runs: ``exec_time_list`` of (start, end) in milliseconds."""

    exec_time_list: list[tuple[float, float]] = field(default_factory=list)


def wanted_shapes(specs: Sequence[TensorSpec], kind: str, value: Any) -> dict[str, tuple[int, ...]]:
    """The shapes of the inputs that a dynamic setter asks for.

    Args:
        specs: The model's inputs; -1 stands for a dynamic dim.
        kind: ``"batch"`` (an int), ``"hw"`` (height and width) or ``"dims"`` (a text,
            ``"x:1,3,224,224;y:1,10"``).
        value: What was set.

    Raises:
        InputError: The model has no such dims, or the value does not fit.
    """
    if kind == "dims":
        return _parse_dims(specs, value)
    shapes = {}
    for spec in specs:
        if not spec.dynamic:
            continue
        axes = [axis for axis, dim in enumerate(spec.shape) if dim < 0]
        expected = [0] if kind == "batch" else [2, 3] if spec.format != "NHWC" else [1, 2]
        if axes != expected:
            raise InputError(f"the dynamic dims of {spec} are no {kind}", hint="set_dynamic_dims")
        shape = list(spec.shape)
        for axis, dim in zip(axes, value if kind == "hw" else [value], strict=True):
            shape[axis] = int(dim)
        shapes[spec.name] = tuple(shape)
    if not shapes:
        raise InputError(f"the model has no dynamic {kind}: all its inputs have fixed shapes")
    return shapes


def _parse_dims(specs: Sequence[TensorSpec], text: str) -> dict[str, tuple[int, ...]]:
    known = {spec.name: spec for spec in specs}
    if not any(spec.dynamic for spec in specs):
        raise InputError("the model has no dynamic dims: all its inputs have fixed shapes")
    shapes = {}
    for part in text.split(";"):
        name, _, dims = part.rpartition(":")
        try:
            shape = tuple(int(dim) for dim in dims.split(","))
        except ValueError:
            raise InputError(f"{part!r} is no name:dim,dim,...") from None
        if name not in known:
            raise InputError(f"the model has no input {name!r}; it has {', '.join(known)}")
        fits = len(shape) == len(known[name].shape) and all(
            dim in (want, -1) or want < 0
            for dim, want in zip(shape, known[name].shape, strict=True)
        )
        if not fits:
            raise InputError(f"{part!r} does not fit {known[name]}")
        shapes[name] = shape
    return shapes


class InferSession:
    """One model on one device."""

    def __init__(
        self,
        device_id: int,
        model_path: str,
        acl_json_path: str | None = None,
        debug: bool = False,
        loop: int = 1,
    ) -> None:
        """
        Args:
            device_id: Logical device; it comes first here.
            model_path: The .om file.
            acl_json_path: None.
            debug: False.
            loop: How often each inference is repeated.

        Raises:
            Unsupported: ``acl_json_path`` or ``debug`` is given.
            ModelLoadError: The model cannot be loaded.
        """
        if acl_json_path is not None or debug:
            raise Unsupported(
                "acl_json_path and debug are not part of aclrt.compat.ais_bench",
                hint="ASCEND_GLOBAL_LOG_LEVEL sets CANN's log",
            )
        self.device_id = device_id
        self.set_loop_count(loop)
        self._wanted: dict[str, tuple[int, ...]] = {}
        self._inner: tuple[list[Any], list[Tensor]] | None = None
        self._summary = Summary()
        self._info = inspect(model_path)
        self._model = OfflineModel(model_path, device_id=device_id)

    def get_inputs(self) -> list[SimpleNamespace]:
        """The inputs: name, datatype, format, shape, size (bytes), realsize (bytes)."""
        return [_tensor_desc(spec) for spec in self._model.inputs]

    def get_outputs(self) -> list[SimpleNamespace]:
        """The outputs, described as the inputs."""
        return [_tensor_desc(spec) for spec in self._model.outputs]

    def infer(
        self,
        feeds: list[Any],
        mode: str = "static",
        custom_sizes: int | list[int] = _CUSTOM_SIZES,
        out_array: bool = True,
    ) -> list[Any]:
        """Runs the model on arrays, in the order of the inputs.

        Args:
            feeds: One array or ``Tensor`` for each input.
            mode: ``"static"``, ``"dymbatch"``, ``"dymhw"``, ``"dymdims"`` or ``"dymshape"``; the
                gear follows from the arrays.
            custom_sizes: Not needed: outputs have the sizes that the model gives. Other than the
                default draws one warning.
            out_array: False gives a ``Tensor`` on the device for each output.

        Returns:
            One new array for each output.

        Raises:
            InputError: The arrays do not fit, there is no such mode, or it is not for what is
                dynamic in the model.
        """
        self._check_mode(mode)
        _note_sizes(custom_sizes)
        self._wanted = {}
        return self.run(feeds, out_array)

    def run(self, feeds: list[Any], out_array: bool = False) -> list[Any]:
        """Runs the model on arrays whose shapes were set before, if the model has dynamic ones.

        Args:
            feeds: One array or ``Tensor`` for each input.
            out_array: True gives new arrays, False a ``Tensor`` on the device for each output:
                ``convert_tensors_to_host``, then ``convert_tensors_to_arrays``.

        Raises:
            InputError: The arrays do not fit, or have other shapes than were set.
        """
        if isinstance(feeds, list):
            feeds = [feed.to_numpy() if isinstance(feed, Tensor) else feed for feed in feeds]
        arrays = positional(self._model, "infer", feeds)
        for spec, array in zip(self._model.inputs, arrays, strict=True):
            wanted = self._wanted.get(spec.name)
            if wanted is not None and array.shape != wanted:
                raise InputError(
                    f"input {spec.name!r} was set to {wanted}, the array is {array.shape}"
                )
        for _ in range(self._loop):
            start = time.perf_counter()
            result = self._model(*arrays)
            end = time.perf_counter()
            self._summary.exec_time_list.append((start * 1e3, end * 1e3))
        outputs = [np.asarray(array) for array in result]
        return outputs if out_array else [self._on_device(array) for array in outputs]

    def _on_device(self, array: Any) -> Tensor:
        tensor = Tensor(array)
        tensor.to_device(self.device_id)
        return tensor

    def create_tensor_from_arrays_to_device(self, arrays: Any) -> Tensor:
        """One array as a ``Tensor`` on the session's device."""
        return self._on_device(arrays)

    def create_tensor_from_fileslist(
        self, desc: SimpleNamespace, files: Sequence[str | os.PathLike[str]]
    ) -> Tensor:
        """The bytes of files, one behind the other, as a ``Tensor`` on the session's device.

        Args:
            desc: One of ``get_inputs()``, whose shape is fixed.
            files: ``.npy`` or raw files that fill it together.

        Raises:
            InputError: They hold more or fewer bytes, or the shape has open dims.
            OSError: One cannot be read.
        """
        return self._on_device(from_files(desc, files))

    @staticmethod
    def convert_tensors_to_host(tensors: Sequence[Tensor]) -> None:
        """``to_host()`` for each."""
        for tensor in tensors:
            tensor.to_host()

    @staticmethod
    def convert_tensors_to_arrays(tensors: Sequence[Tensor]) -> list[NDArray[Any]]:
        """``np.array(t)`` for each.

        Raises:
            RuntimeError: One is on a device.
        """
        return [np.array(tensor) for tensor in tensors]

    def first_inner_run(
        self,
        feeds: list[Any],
        mode: str = "static",
        custom_sizes: int | list[int] = _CUSTOM_SIZES,
    ) -> list[Tensor]:
        """The first run of a series that ``inner_run`` goes on with; the arguments are those of
        ``infer``."""
        outputs = self.infer(feeds, mode, custom_sizes, out_array=False)
        self._inner = (list(feeds), outputs)
        return outputs

    def inner_run(
        self, in_out_list: list[int], get_outputs: bool = False, mem_copy: bool = True
    ) -> list[Tensor] | None:
        """The next run of a series, on outputs of the run before.

        Args:
            in_out_list: For each input the index of the output that it takes; -1 where the array
                stays.
            get_outputs: Whether the outputs are given back; None otherwise.
            mem_copy: Whether outputs are copied or exchanged; the results are the same.

        Raises:
            InputError: The numbers do not fit, or there was no ``first_inner_run``.
        """
        if self._inner is None:
            raise InputError("inner_run goes on with a series: call first_inner_run(feeds) first")
        self._check_wiring(in_out_list, is_needed=True)
        feeds, outputs = self._inner
        taken = zip(in_out_list, feeds, strict=True)
        feeds = [feed if number < 0 else outputs[number] for number, feed in taken]
        outputs = self.run(feeds)
        self._inner = (feeds, outputs)
        return outputs if get_outputs else None

    def _check_wiring(self, wiring: list[int], *, is_needed: bool) -> None:
        outputs = self._model.outputs
        if is_needed and len(wiring) != len(self._model.inputs):
            raise InputError(
                f"in_out_list is {wiring}; it has one number for each of the "
                f"{len(self._model.inputs)} inputs, -1 for one that stays"
            )
        for number in wiring:
            if not -1 <= number < len(outputs):
                raise InputError(
                    f"in_out_list is {wiring}; there is no output {number}, the model has "
                    f"{len(outputs)}"
                )

    def infer_iteration(
        self,
        feeds: list[Any],
        in_out_list: list[int] | None = None,
        iteration_times: int = 1,
        mode: str = "static",
        custom_sizes: int | list[int] = _CUSTOM_SIZES,
        mem_copy: bool = True,
    ) -> list[NDArray[Any]]:
        """Runs the model several times, outputs becoming inputs of the next time.

        Args:
            feeds: One array for each input, for the first time.
            in_out_list: For each input the index of the output that it takes from the time
                before; -1 where the first array stays. Needed for more than one time.
            iteration_times: How often.
            mode: As for ``infer``.
            custom_sizes: As for ``infer``.
            mem_copy: Whether outputs are copied or exchanged; the results are the same.

        Returns:
            The outputs of the last time.

        Raises:
            InputError: The arrays or the numbers do not fit.
        """
        if iteration_times < 1:
            raise InputError(f"iteration_times is {iteration_times}; it must be at least 1")
        wiring = in_out_list or []
        self._check_wiring(wiring, is_needed=iteration_times > 1)
        outputs = self.first_inner_run(feeds, mode, custom_sizes)
        for _ in range(iteration_times - 1):
            self.inner_run(wiring, False, mem_copy)
        outputs = self._inner[1] if self._inner else outputs
        self._inner = None
        return [output.to_numpy() for output in outputs]

    def infer_pipeline(
        self,
        feeds_list: list[list[Any]],
        mode: str = "static",
        custom_sizes: int | list[int] = _CUSTOM_SIZES,
    ) -> list[list[NDArray[Any]]]:
        """``infer`` for each entry of a list, in order."""
        return [self.infer(feeds, mode, custom_sizes) for feeds in feeds_list]

    def set_loop_count(self, loop: int) -> None:
        """How often each inference is repeated."""
        if loop < 1:
            raise InputError(f"the loop count is {loop}; it must be at least 1")
        self._loop = loop

    def set_staticbatch(self) -> None:
        """Forgets what a dynamic setter asked for."""
        self._wanted = {}

    def get_max_dym_batchsize(self) -> int:
        """The largest batch of a model with gears of batch.

        Raises:
            InputError: The model has none.
        """
        if self._info.dynamic != "batch":
            raise InputError(f"the model has no gears of batch: {self._described()}")
        return max(gear[0] for gear in self._info.gears)

    def get_dym_aipp_input_exist(self) -> bool:
        """Whether an input has dynamic AIPP."""
        return any(aipp.mode == "dynamic" for aipp in self._info.aipp)

    def check_dym_aipp_input_exist(self) -> None:
        """Raises InputError where no input has dynamic AIPP."""
        if not self.get_dym_aipp_input_exist():
            raise InputError(
                f"no input has dynamic AIPP: {', '.join(map(str, self._model.inputs))}"
            )

    def load_aipp_config_file(self, config_file: str, batchsize: int) -> None:
        """Sets dynamic AIPP for the runs that follow, for all images of the batch alike.

        Args:
            config_file: INI with one section ``aipp_op``: ``input_format``, ``src_image_size_w``
                and ``src_image_size_h``; the other keys are ATC's, but for ``padding_size_top``,
                ``_bottom``, ``_left`` and ``_right``. Switches are 0 or 1.
            batchsize: At least 1; the images are counted in what is fed.

        Raises:
            InputError: The file or a value does not fit, or the model has no dynamic AIPP.
            OSError: The file cannot be read.
        """
        if batchsize < 1:
            raise InputError(f"batchsize is {batchsize}; it must be at least 1")
        self.check_dym_aipp_input_exist()
        self._model.set_aipp(**_ais_aipp.read(config_file))

    def set_dynamic_batchsize(self, batch: int) -> None:
        """The batch of the arrays that follow, one of the model's gears."""
        self._want("batch", batch, str(batch))

    def set_dynamic_hw(self, height: int, width: int) -> None:
        """Height, then width, of the images that follow, one of the model's gears."""
        self._want("hw", (height, width), f"{height},{width}")

    def set_dynamic_dims(self, dims: str) -> None:
        """The shapes of the arrays that follow, ``"x:1,3,224,224;y:1,10"``."""
        self._want("dims", dims, dims)

    def set_dynamic_shape(self, dims: str) -> None:
        """As ``set_dynamic_dims``, for models with ranges."""
        self._want("dims", dims, dims)

    def _want(self, kind: str, value: Any, text: str) -> None:
        """Notes what the next arrays have to be.

        Raises:
            InputError: It does not fit the model, or is none of its gears.
        """
        wanted = wanted_shapes(self._model.inputs, kind, value)
        gears = (self._info.gear_shapes(i) for i in range(len(self._info.gears)))
        fits = (all(gear[name] == shape for name, shape in wanted.items()) for gear in gears)
        if self._info.gears and not any(fits):
            listed = "; ".join(",".join(map(str, gear)) for gear in self._info.gears)
            raise InputError(f"{kind} {text}: there is no such gear; the model has {listed}")
        self._wanted = wanted

    def _described(self) -> str:
        inputs = ", ".join(map(str, self._model.inputs))
        return _KINDS.get(self._info.dynamic, f"all its inputs are fixed: {inputs}")

    def _check_mode(self, mode: str) -> None:
        if mode not in _MODES:
            raise InputError(f"the mode is {mode!r}; it must be one of {', '.join(_MODES)}")
        if mode == "static" or _MODES[mode] == self._info.dynamic:
            return
        if self._info.dynamic == "none":
            raise InputError(
                f"mode {mode!r} needs a model with dynamic shapes; {self._described()}",
                hint='mode="static"',
            )
        fitting = next(name for name, kind in _MODES.items() if kind == self._info.dynamic)
        raise InputError(
            f"mode {mode!r} does not fit: the model has {self._described()}",
            hint=f"mode={fitting!r}",
        )

    def set_custom_outsize(self, sizes: list[int]) -> None:
        """Not needed: outputs have the sizes that the model gives."""
        _note_sizes(sizes)

    def summary(self) -> Summary:
        """The times since the session was made or ``reset_summaryinfo`` was called."""
        return self._summary

    def reset_summaryinfo(self) -> None:
        """Forgets the times."""
        self._summary = Summary()

    def free_resource(self) -> None:
        """Unloads the model. Idempotent."""
        self._model.close()

    @staticmethod
    def finalize() -> None:
        """Nothing is left to do: aclrt finalises AscendCL when the process ends."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise Unsupported(f"InferSession.{name} is not part of aclrt.compat.ais_bench")


class MultiDeviceSession:
    """One model on several devices."""

    def __init__(
        self,
        model_path: str,
        acl_json_path: str | None = None,
        debug: bool = False,
        loop: int = 1,
    ) -> None:
        """The arguments are those of ``InferSession`` without the device."""
        self._arguments = (model_path, acl_json_path, debug, loop)
        self.summary: dict[int, list[float]] = {}  # ms of each entry, as with the original

    def infer(
        self,
        device_feeds: dict[int, list[list[Any]]],
        mode: str = "static",
        custom_sizes: int | list[int] = _CUSTOM_SIZES,
    ) -> dict[int, list[list[NDArray[Any]]]]:
        """Runs the model on several devices at a time, a thread for each.

        Args:
            device_feeds: For each device a list of feeds, as ``InferSession.infer`` takes one.
            mode: As for ``InferSession.infer``.
            custom_sizes: As for ``InferSession.infer``.

        Returns:
            For each device the results, in the order of its feeds.

        Raises:
            AclrtError: What a device raised; the original only logs it.
        """
        return self._each(
            device_feeds, lambda session, feeds: session.infer(feeds, mode, custom_sizes)
        )

    def infer_pipeline(
        self,
        device_feeds_list: dict[int, list[list[list[Any]]]],
        mode: str = "static",
        custom_sizes: int | list[int] = _CUSTOM_SIZES,
    ) -> dict[int, list[list[list[NDArray[Any]]]]]:
        """As ``infer``; each entry of a device is a list of feeds for
        ``InferSession.infer_pipeline``."""
        return self._each(
            device_feeds_list,
            lambda session, feeds: session.infer_pipeline(feeds, mode, custom_sizes),
        )

    def infer_iteration(
        self,
        device_feeds: dict[int, list[list[Any]]],
        in_out_list: list[int] | None = None,
        iteration_times: int = 1,
        mode: str = "static",
        custom_sizes: int | list[int] | None = None,
        mem_copy: bool = True,
    ) -> dict[int, list[list[NDArray[Any]]]]:
        """As ``infer``, each entry by ``InferSession.infer_iteration``."""
        sizes = _CUSTOM_SIZES if custom_sizes is None else custom_sizes
        return self._each(
            device_feeds,
            lambda session, feeds: session.infer_iteration(
                feeds, in_out_list, iteration_times, mode, sizes, mem_copy
            ),
        )

    def _each(
        self, work: dict[int, list[Any]], call: Callable[[InferSession, Any], Any]
    ) -> dict[int, list[Any]]:
        from concurrent.futures import ThreadPoolExecutor

        def on_device(device_id: int) -> tuple[list[Any], list[float]]:
            model_path, *rest = self._arguments
            session = InferSession(device_id, model_path, *rest)  # type: ignore[arg-type]
            results, times = [], []
            try:
                for entry in work[device_id]:
                    start = time.perf_counter()
                    results.append(call(session, entry))
                    times.append((time.perf_counter() - start) * 1e3)
            finally:
                session.free_resource()
            return results, times

        with ThreadPoolExecutor(max_workers=max(1, len(work))) as threads:
            done = dict(zip(work, threads.map(on_device, work), strict=True))
        self.summary = {device: times for device, (_, times) in done.items()}
        return {device: results for device, (results, _) in done.items()}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise Unsupported(f"MultiDeviceSession.{name} is not part of aclrt.compat.ais_bench")


def _note_sizes(sizes: Any) -> None:
    if sizes != _CUSTOM_SIZES:
        warnings.warn(
            "custom_sizes is not needed with aclrt.compat.ais_bench: outputs have the sizes that "
            "the model gives",
            stacklevel=3,
        )


def _tensor_desc(spec: TensorSpec) -> SimpleNamespace:
    return SimpleNamespace(
        name=spec.name,
        datatype=spec.dtype.name,
        format=spec.format,
        shape=list(spec.shape),
        size=spec.nbytes,
        realsize=spec.nbytes,
    )


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    raise Unsupported(f"ais_bench's {name} is not part of aclrt.compat.ais_bench")
