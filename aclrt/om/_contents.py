# SPDX-License-Identifier: Apache-2.0
"""What a simulated file holds, before it becomes bytes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from . import _types
from ._types import ElementType
from ._weights import Weights
from ._wire import Attrs

__all__ = ["GEAR_INPUT", "WEIGHT_SIZE", "Contents", "Gears", "Tensor"]

GEAR_INPUT = "ascend_mbatch_shape_data"  # AscendCL writes the values of the chosen gear into it
# The weights are in the ONNX body. But programs that give a model its memory allocate what
# aclmdlQuerySize says, and AscendCL allocates no 0 bytes: so every file states one block.
WEIGHT_SIZE = 512

_WORK_ALIGNMENT = 512

Dims = tuple[int, ...]


@dataclass(frozen=True)
class Tensor:
    """One input or output.

    Attributes:
        name: What AscendCL reports: an input's ONNX name, ``"<node>:<index>:<ONNX name>"`` for an
            output.
        dtype: Element type.
        dims: Those of the largest gear; -1 where any number goes (a shape range).
        format: ``"NCHW"``, ``"ND"``, ...
        source: The node that makes an output, and which of its results it is.
        open_dims: Of an input that the gears change: its dims with -1 there.
        gear_dims: Of such an input: the dims under each gear.
        range: Least and greatest value of each dim, -1 for no limit; of an input with a shape
            range only.
        kind: The operator in the graph that an input is.
        attrs: Further attributes of that operator.
        dims_v2: The dims of the memory where they differ from those shown.
        size: Bytes where they are not those of ``dims``.
        aipp_dims: With dynamic AIPP: the dims that AscendCL reports, all but N open.
        aipp_config: JSON of the AIPP operator behind this input; ``""`` without AIPP.
    """

    name: str
    dtype: ElementType
    dims: Dims
    format: str = "ND"
    source: tuple[str, int] = ("", 0)
    open_dims: Dims | None = None
    gear_dims: tuple[Dims, ...] = ()
    range: tuple[tuple[int, int], ...] = ()
    kind: str = "Data"
    attrs: Attrs = field(default_factory=dict)
    dims_v2: Dims | None = None
    size: int | None = None
    aipp_dims: Dims | None = None
    aipp_config: str = ""

    @property
    def nbytes(self) -> int:
        """Bytes of the whole tensor, of the largest gear; 0 where a dim has no number."""
        if self.size is not None:
            return self.size
        return 0 if min(self.dims, default=0) < 0 else self.dtype.nbytes(math.prod(self.dims))

    @property
    def shown_dims(self) -> Dims:
        """What AscendCL reports: -1 where a run decides."""
        if self.aipp_dims is not None:
            return self.aipp_dims
        return self.dims if self.open_dims is None else self.open_dims


@dataclass(frozen=True)
class Gears:
    """The shapes that a model was compiled for.

    Attributes:
        kind: ``"batch"``, ``"image"`` or ``"dims"``.
        values: Of each gear: the batch size; height and width; or one value for every open dim.
        order: The inputs in the order of those values.
        output_dims: Under each gear, the dims of each output.
    """

    kind: str
    values: tuple[Dims, ...]
    order: tuple[str, ...]
    output_dims: tuple[tuple[Dims, ...], ...]

    def input(self) -> Tensor:
        """The internal input that takes the values of the chosen gear."""
        return Tensor(GEAR_INPUT, _types.named("int32"), (len(self.values[0]),))

    def output_shapes(self) -> list[str]:
        """``"gear,output,dim,dim,..."`` for every output under every gear."""
        return [
            ",".join(map(str, (gear, output, *dims)))
            for gear, outputs in enumerate(self.output_dims)
            for output, dims in enumerate(outputs)
        ]


@dataclass(frozen=True)
class Contents:
    """What a simulated file holds.

    ``inputs`` are the model's own and those of AIPP; that of the gears is added behind them.
    """

    name: str
    inputs: Sequence[Tensor]
    outputs: Sequence[Tensor]
    onnx: bytes
    tool_version: str
    command_line: str
    gears: Gears | None = None
    weights: Weights = field(default_factory=Weights)

    @property
    def all_inputs(self) -> tuple[Tensor, ...]:
        """The inputs in the order of the file, AscendCL's own last."""
        return (*self.inputs, *((self.gears.input(),) if self.gears else ()))

    @property
    def is_unknown_shape(self) -> bool:
        """Whether some tensor's dims are known at run time only."""
        return any(min(t.dims, default=0) < 0 for t in (*self.inputs, *self.outputs))

    @property
    def work_size(self) -> int:
        """Bytes of all inputs and outputs, rounded up: the least that a run works in."""
        total = sum(tensor.nbytes for tensor in (*self.all_inputs, *self.outputs))
        return -(-total // _WORK_ALIGNMENT) * _WORK_ALIGNMENT
