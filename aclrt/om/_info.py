# SPDX-License-Identifier: Apache-2.0
"""What ``aclrt.inspect`` answers: plain, immutable descriptions of an ``.om`` file."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ..errors import InputError
from ..tensor import TensorSpec

__all__ = [
    "AippInfo",
    "AippTensor",
    "GraphInfo",
    "ModelInfo",
    "OutputShape",
    "PartitionInfo",
    "SubModelInfo",
    "TensorInfo",
]


@dataclass(frozen=True)
class TensorInfo(TensorSpec):
    """One input or output as the file describes it.

    Attributes:
        dtype: As in ``TensorSpec``; a void dtype where NumPy has no such type.
        nbytes: Bytes as the file states them; 0 where they depend on a dynamic dim.
        dtype_name: The element type's name, also where NumPy has none (``"int4"``); ``""`` if
            unknown.
        shape_v2: The dims of the memory; they differ from ``shape`` only with static AIPP.
        range: Least and greatest value of each dim, -1 for no limit; empty where none is stated.
    """

    dtype_name: str = ""
    shape_v2: tuple[int, ...] = ()
    range: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class PartitionInfo:
    """One part of the file.

    Attributes:
        type: The number in the partition table.
        name: Its name, ``"WEIGHTS_DATA"``; ``""`` if unknown.
        offset: From the start of the file, in bytes.
        size: In bytes.
    """

    type: int
    name: str
    offset: int
    size: int


@dataclass(frozen=True)
class OutputShape:
    """The dims of one output under one gear.

    Attributes:
        gear: Index into ``ModelInfo.gears``; -1 for every gear.
        output: The output's name, or its number where there is no such output.
        shape: The dims.
    """

    gear: int
    output: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class AippTensor:
    """A tensor on the other side of AIPP, in the compiler's words."""

    name: str
    format: str
    dtype: str
    nbytes: int
    shape: tuple[int, ...]


@dataclass(frozen=True)
class AippInfo:
    """The image preprocessing (AIPP) that is built in before one input.

    Numbers have the meaning of ATC's configuration file. With mode ``"dynamic"`` the file holds
    only ``max_src_image_size`` and ``support_rotation``; the rest is set for each run.

    Attributes:
        input: The input's name.
        mode: ``"static"`` or ``"dynamic"``.
        parameter_input: Dynamic: the internal input that takes a run's parameters.
        has_parameters: Whether the file tells more than the mode.
        max_src_image_size: Dynamic: bytes of the largest image.
        support_rotation: Dynamic: whether images may be rotated.
        input_format: ``"YUV420SP_U8"``, ``"RGB888_U8"``, ...; ``""`` if unknown.
        src_image_size: Width and height of the image; 0 is the network's own.
        crop: Left, top, width and height; None where nothing is cut away.
        resize: Width and height; None where nothing is scaled.
        padding: Left, right, top and bottom; None where nothing is added.
        padding_value: What is added around the image, not normalised; 0 where not stated.
        cpadding_value: What is added as further channels.
        csc_matrix: The colour conversion, row after row, 256 for 1.0; None where there is none.
        csc_input_bias: Subtracted before it, from YUV images.
        csc_output_bias: Added after it, to RGB images.
        rbuv_swap: Whether R and B, or U and V, change places.
        ax_swap: Whether the first channel (A or X) moves behind the others.
        mean: Subtracted, per channel.
        min: Subtracted as well.
        var_reci: Multiplied with afterwards; 1 leaves the value alone.
        network_input: The input that the network had before AIPP was put in front of it.
        output: What AIPP gives.
    """

    input: str
    mode: str
    parameter_input: str
    has_parameters: bool
    max_src_image_size: int
    support_rotation: bool
    input_format: str
    src_image_size: tuple[int, int]
    crop: tuple[int, int, int, int] | None
    resize: tuple[int, int] | None
    padding: tuple[int, int, int, int] | None
    padding_value: float
    cpadding_value: float
    csc_matrix: tuple[int, ...] | None
    csc_input_bias: tuple[int, ...]
    csc_output_bias: tuple[int, ...]
    rbuv_swap: bool
    ax_swap: bool
    mean: tuple[int, ...]
    min: tuple[float, ...]
    var_reci: tuple[float, ...]
    network_input: AippTensor | None
    output: AippTensor | None
    description: str = field(repr=False)

    def describe(self) -> str:
        """What happens to an image, in words, and whether it is normalised inside the model."""
        return self.description


@dataclass(frozen=True)
class GraphInfo:
    """One graph of the model: the root, or a part that it chooses among or calls.

    Attributes:
        name: Its name.
        operator_count: How many operators it has.
    """

    name: str
    operator_count: int


@dataclass(frozen=True)
class SubModelInfo:
    """A part of a dynamic model that was compiled by itself and lies behind the first model.

    Attributes:
        name: Its name.
        inputs: What it takes, as its graph tells.
        outputs: What it gives.
        io_problem: Why they are not known; ``""`` where they are.
        graphs: Its graphs.
        attributes: Its attributes that are numbers or texts.
        partitions: Its parts of the file.
    """

    name: str
    inputs: tuple[TensorInfo, ...]
    outputs: tuple[TensorInfo, ...]
    io_problem: str
    graphs: tuple[GraphInfo, ...]
    attributes: dict[str, Any]
    partitions: tuple[PartitionInfo, ...]


@dataclass(frozen=True)
class ModelInfo:
    """What is in an ``.om`` file.

    Attributes:
        name: The model's name.
        generation: Of the container: 1 (to CANN 3), 2 (CANN 5), 3 (CANN 8).
        simulated: Whether ``aclrt.convert`` made it, with an ONNX body for the fake device.
        inputs: What a caller feeds, in order.
        outputs: What a run returns, in order.
        io_source: Where they were found: ``"tlv"`` (the list that CANN 8 writes), ``"graph"`` (the
            only place in older files), ``"both"``, or ``"none"``.
        io_problem: Why inputs or outputs are not known; ``""`` where they are.
        disagreements: Sentences on what the file says twice and differently, or cannot mean. The
            list counts then, as in AscendCL.
        dynamic: What varies from run to run: ``"none"``, gears of ``"batch"`` size, ``"image"``
            size or ``"dims"``, or ``"range"``.
        gears: The values of each gear: the batch size; height and width; or one value for every
            dynamic dim, input after input. ``()`` if there are none.
        gear_order: The inputs in the order of the gears' values, where the file states it.
        output_shapes: The outputs' dims under each gear, where the file states them.
        aipp: The image preprocessing built in, one for each input that has it.
        soc_version: The chip it was compiled for, ``"Ascend310P3"``; ``""`` if not stated.
        compiler_version: ATC's version; ``""`` if not stated.
        opp_version: The operator package's version; ``""`` if not stated.
        command_line: ATC's command; ``""`` if not stated. It has paths of whoever compiled the
            model: think before passing it on.
        framework: ``"Onnx"``, ``"TensorFlow"``, ...; ``""`` if not stated.
        platform_version: The container's own version text.
        work_size: Device memory for activations in bytes, with that of inputs and outputs
            (``zero_copy_size``); 0 for dynamic shapes.
        weight_size: Device memory for weights in bytes.
        zero_copy_size: The part of ``work_size`` that holds inputs and outputs.
        stream_count: Streams that a run uses; 0 if not stated.
        event_count: Events that a run uses; 0 if not stated.
        task_count: Tasks of a run; 0 if not stated.
        model_count: Models in the file; more than one only with dynamic shapes.
        unknown_shape: Whether the file is marked as compiled for shapes that vary.
        needs_host_check: Whether it carries host libraries, and so is bound to an operating system
            and a kind of CPU.
        onnx_size: Bytes of the ONNX body of a simulated file.
        graphs: The graphs of the (first) model, the root first.
        attributes: Its attributes that are numbers or texts, under the compiler's names; without
            the command line.
        partitions: The parts of the (first) model in the file.
        sub_models: The other models in the file.
    """

    name: str
    generation: int
    simulated: bool
    inputs: tuple[TensorInfo, ...]
    outputs: tuple[TensorInfo, ...]
    io_source: str
    io_problem: str
    disagreements: tuple[str, ...]
    dynamic: str
    gears: tuple[tuple[int, ...], ...]
    gear_order: tuple[str, ...]
    output_shapes: tuple[OutputShape, ...]
    aipp: tuple[AippInfo, ...]
    soc_version: str
    compiler_version: str
    opp_version: str
    command_line: str
    framework: str
    platform_version: str
    work_size: int
    weight_size: int
    zero_copy_size: int
    stream_count: int
    event_count: int
    task_count: int
    model_count: int
    unknown_shape: bool
    needs_host_check: bool
    onnx_size: int
    graphs: tuple[GraphInfo, ...]
    attributes: dict[str, Any]
    partitions: tuple[PartitionInfo, ...]
    sub_models: tuple[SubModelInfo, ...]
    _operators: dict[str, int] = field(default_factory=dict, repr=False)

    def operators(self) -> dict[str, int]:
        """How many operators of which type the model's graphs have, the most frequent first.

        All graphs are counted: those of every gear, whose operators repeat.
        """
        return dict(sorted(self._operators.items(), key=lambda item: (-item[1], item[0])))

    def gear_shapes(self, index: int) -> dict[str, tuple[int, ...]]:
        """The shapes under one gear, of the inputs and of those outputs that the file states.

        Args:
            index: Of ``gears``.

        Returns:
            Shapes by name.

        Raises:
            InputError: There is no such gear, or its values do not fit the inputs.
        """
        if not 0 <= index < len(self.gears):
            raise InputError(f"gear {index}: the model has {len(self.gears)}")
        values = self.gears[index]
        shared = None if self.dynamic == "dims" else values
        rest = iter(values)
        shapes = {}
        for tensor in self._in_gear_order():
            shapes[tensor.name] = self._filled(tensor, rest if shared is None else iter(shared))
        if next(rest, None) is not None and shared is None:
            raise InputError(f"gear {index} has more values than the inputs have dynamic dims")
        shapes = {tensor.name: shapes[tensor.name] for tensor in self.inputs}
        outputs = {tensor.name for tensor in self.outputs}
        for item in self.output_shapes:
            if item.gear in (index, -1) and item.output in outputs:
                shapes[item.output] = item.shape
        return shapes

    def to_dict(self) -> dict[str, Any]:
        """The JSON document, schema ``aclrt-inspect/1``: numbers, strings, lists and dicts."""
        fields = dataclasses.asdict(self)
        fields["operators"] = self.operators()
        del fields["_operators"]
        return {"schema": "aclrt-inspect/1", **_plain(fields)}

    def _in_gear_order(self) -> list[TensorInfo]:
        order = {name: position for position, name in enumerate(self.gear_order)}
        return sorted(self.inputs, key=lambda tensor: order.get(tensor.name, len(order)))

    def _filled(self, tensor: TensorInfo, values: Iterator[int]) -> tuple[int, ...]:
        if any(aipp.mode == "dynamic" and aipp.input == tensor.name for aipp in self.aipp):
            # The image's size is the run's business; a gear knows the number of images alone.
            is_counted = self.dynamic == "batch" and tensor.shape[:1] == (-1,)
            return (next(values), *tensor.shape[1:]) if is_counted else tensor.shape
        try:
            return tuple(next(values) if dim < 0 else dim for dim in tensor.shape)
        except RuntimeError:  # the values end inside the generator
            raise InputError(
                f"the gears have fewer values than the inputs have dynamic dims ({tensor.name})"
            ) from None


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        plain = {key: _plain(item) for key, item in value.items()}
        if "dtype_name" in plain:
            plain["dtype"] = plain.pop("dtype_name") or str(value["dtype"])
        return plain
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
