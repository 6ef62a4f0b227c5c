# SPDX-License-Identifier: Apache-2.0
"""Puts AIPP in front of a model's inputs: what the file then says about them.

The network keeps its own inputs (they are the body's); the file shows the image that a caller
feeds, with the parameters as attributes, and dynamic AIPP adds an input for those of a run.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from . import _types
from ._aipp_config import AippOp
from ._contents import Tensor
from ._wire import Attr

__all__ = ["DYNAMIC_INPUT", "block_size", "insert"]

DYNAMIC_INPUT: Final = "ascend_dynamic_aipp_data"

_HEAD_BYTES, _IMAGE_BYTES = 64, 96  # of the block with the parameters of a run

# N, H, W and C in the dims of a layout.
_PLACES: Final = {"NCHW": (0, 2, 3, 1), "NHWC": (0, 1, 2, 3)}
_ELEMENTS: Final = {"float32": "float16", "float16": "float16", "uint8": "uint8"}

_SIDES: Final = ("left", "right", "top", "bottom")
_INTS: Final = (
    *(
        f"{key}_{side}"
        for key in ("src_image_size", "load_start_pos", "crop_size", "resize_output")
        for side in ("w", "h")
    ),
    *(f"{side}_padding_size" for side in _SIDES),
    *(f"mean_chn_{i}" for i in range(4)),
)
_FLAGS: Final = (
    "csc_switch",
    "crop",
    "resize",
    "padding",
    "rbuv_swap_switch",
    "ax_swap_switch",
    "single_line_mode",
)
_FLOATS: Final = (
    "cpadding_value",
    *(f"min_chn_{i}" for i in range(4)),
    *(f"var_reci_chn_{i}" for i in range(4)),
)
_CSC: Final = (
    *(f"matrix_r{i // 3}c{i % 3}" for i in range(9)),
    *(f"{side}_bias_{i}" for side in ("output", "input") for i in range(3)),
)


def block_size(batch: int) -> int:
    """Bytes of the parameters of a run with so many images."""
    return _HEAD_BYTES + _IMAGE_BYTES * batch


def insert(ops: Sequence[AippOp], inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """The inputs as the file shows them: images instead, and further ones behind them.

    Args:
        ops: The blocks of an AIPP configuration.
        inputs: The network's own inputs.

    Raises:
        InputError: A block does not fit its input, or names none.
    """
    result = list(inputs)
    blocks: list[Tensor] = []
    taken: dict[int, AippOp] = {}
    for op in ops:
        index = _index(op, inputs)
        if index in taken:
            raise op.error(
                f"input {inputs[index].name!r} has AIPP already (line {taken[index].line})",
                "say which input each aipp_op is for with related_input_rank or related_input_name",
            )
        taken[index] = op
        if op.mode == "static":
            result[index] = _static(op, inputs[index])
        else:
            result[index], block = _dynamic(op, inputs[index], is_first=not blocks)
            blocks.append(block)
    return (*result, *blocks)


def _index(op: AippOp, inputs: Sequence[Tensor]) -> int:
    names = [tensor.name for tensor in inputs]
    name = op.given.get("related_input_name")
    if name is None:
        rank = op.number("related_input_rank")
        if rank >= len(inputs):
            raise op.error(
                f"related_input_rank: expected 0 to {len(inputs) - 1}, given {rank}",
                f"inputs: {', '.join(names)}",
            )
        return rank
    if name not in names:
        raise op.error(f"related_input_name: no input {name!r}", f"inputs: {', '.join(names)}")
    return names.index(str(name))


# ---- the network's side --------------------------------------------------------------------------


def _check_network(op: AippOp, tensor: Tensor) -> None:
    if tensor.range or min(tensor.dims, default=0) < 0:
        raise op.error(
            f"input {tensor.name!r} has a shape range, which AIPP is not supported with",
            "use gears (dynamic_batch_size, dynamic_image_size), or give the input one shape",
        )
    if tensor.format not in _PLACES or len(tensor.dims) != 4:
        raise op.error(
            f"input {tensor.name!r}: expected NCHW or NHWC with four dims, given {tensor.format} "
            f"{list(tensor.dims)}",
            "AIPP makes images; choose another input, or set input_format",
        )
    if tensor.dtype.name not in _ELEMENTS:
        raise op.error(
            f"input {tensor.name!r}: expected {', '.join(_ELEMENTS)}, given {tensor.dtype.name}"
        )


def _gears(tensor: Tensor) -> list[tuple[int, int, int, int]]:
    """N, H, W and C under each gear; of a static input the only ones."""
    n, h, w, c = _PLACES[tensor.format]
    return [(d[n], d[h], d[w], d[c]) for d in tensor.gear_dims or (tensor.dims,)]


def _is_open(tensor: Tensor, place: int) -> bool:
    return tensor.shown_dims[_PLACES[tensor.format][place]] < 0


def _described(tensor: Tensor, dtype: str) -> list[str]:
    """``"format:dtype:name:size:rank:dims"`` under each gear."""
    kind = _types.named(dtype)
    name = tensor.name.replace(":", "_")  # readers split at ':'
    return [
        f"{tensor.format}:{kind.ge_name}:{name}:{kind.nbytes(math.prod(dims))}:{len(dims)}:"
        + ",".join(map(str, dims))
        for dims in tensor.gear_dims or (tensor.dims,)
    ]


def _links(tensor: Tensor) -> dict[str, Attr]:
    return {
        "_aipp_inputs": _described(tensor, tensor.dtype.name),
        "_aipp_outputs": _described(tensor, _ELEMENTS[tensor.dtype.name]),
    }


# ---- static --------------------------------------------------------------------------------------


def _static(op: AippOp, tensor: Tensor) -> Tensor:
    _check_network(op, tensor)
    _check_channels(op, tensor)
    images = [_image(op, tensor, gear) for gear in _gears(tensor)]
    n, height, width = images[-1] if len(images) == 1 else max(images, key=math.prod)
    channels = op.format.channels
    open_n, open_size = _is_open(tensor, 0), _is_open(tensor, 1) or _is_open(tensor, 2)
    shown_n, shown_h, shown_w = (
        -1 if open_n else n,
        -1 if open_size else height,
        -1 if open_size else width,
    )
    attrs: dict[str, Attr] = {
        "_data_related_aipp_mode": "static_aipp",
        "aipp": _static_parameters(op),
        "input_dims": [shown_n, *op.format.layout(shown_h, shown_w)],
        **_links(tensor),
    }
    return replace(
        tensor,
        dtype=_types.named("uint8"),
        format="NHWC",
        dims=(n, height, width, channels),
        open_dims=(shown_n, shown_h, shown_w, channels) if tensor.open_dims else None,
        gear_dims=tuple((*image, channels) for image in images) if tensor.gear_dims else (),
        attrs=attrs,
        dims_v2=(shown_n, *op.format.layout(shown_h, shown_w)),
        size=n * op.format.nbytes(height, width),
        aipp_config=json.dumps(dict(op.given)),
    )


def _static_parameters(op: AippOp) -> dict[str, Attr]:
    parameters: dict[str, Attr] = {
        "aipp_mode": 1,
        "related_input_rank": op.number("related_input_rank"),
        "input_format": op.format.number,
    }
    parameters.update((key, bool(op.number(key))) for key in _FLAGS)
    parameters.update((key, op.number(key)) for key in _INTS)
    parameters.update((key, op.real(key)) for key in _FLOATS)
    is_on = op.number_of_switch("csc_switch")
    parameters.update((key, op.number(key)) for key in _CSC if is_on or key in op.given)
    return parameters


def _check_channels(op: AippOp, tensor: Tensor) -> None:
    source, csc = op.format, op.number_of_switch("csc_switch")
    channels = _gears(tensor)[0][3]
    if source.channels == 1:
        fitting = [1]
    elif csc:
        fitting = [1, 3]
    else:  # a YUV image's first channel is its gray
        fitting = [*([1] if source.is_yuv else []), 3, *([4] if source.channels == 4 else [])]
    if _is_open(tensor, 3) or channels not in fitting:
        raise op.error(
            f"input {tensor.name!r} has {'open' if _is_open(tensor, 3) else channels} channels; "
            f"{source.name} {'with' if csc else 'without'} csc_switch gives "
            + " or ".join(map(str, fitting))
        )
    if tensor.dtype.name != "uint8":
        return
    for key, value in op.given.items():
        neutral = 1 if key.startswith("var_reci") else 0
        if key.startswith(("mean_chn", "min_chn", "var_reci_chn")) and value != neutral:
            raise op.error(
                f"{key} {value}: pixels are not normalised for the uint8 input {tensor.name!r}",
                "normalise in the model, or give it a float32 or float16 input",
            )


def _image(op: AippOp, tensor: Tensor, gear: tuple[int, int, int, int]) -> tuple[int, int, int]:
    """N, height and width of the source images under a gear."""
    n, h, w, _ = gear
    is_cut = op.number_of_switch("crop") or op.number_of_switch("padding")
    is_open = _is_open(tensor, 1) or _is_open(tensor, 2)
    if is_open and (is_cut or op.number("src_image_size_w")):
        raise op.error(
            f"input {tensor.name!r} has gears of its size: src_image_size_w and src_image_size_h "
            "must be 0, crop and padding off"
        )
    return n, _side(op, tensor, "h", h), _side(op, tensor, "w", w)


def _side(op: AippOp, tensor: Tensor, side: str, network: int) -> int:
    """Height or width of the source images, if the network's comes out of it."""
    whole = op.number(f"src_image_size_{side}") or network
    noun = "width" if side == "w" else "height"
    if (op.format.even_w if side == "w" else op.format.even_h) and whole % 2:
        raise op.error(
            f"{op.format.name} images have an even {noun}, input {tensor.name!r} takes {whole}"
        )
    result, steps = whole, f"src_image_size_{side} {whole}"
    if op.number_of_switch("crop"):
        start = op.number(f"load_start_pos_{side}")
        result = op.number(f"crop_size_{side}") or network
        steps += f", crop_size_{side} {result}"
        if start + result > whole:
            raise op.error(
                f"load_start_pos_{side} {start} + crop_size_{side} {result} is more than "
                f"src_image_size_{side} {whole}"
            )
    if op.number_of_switch("padding"):
        for key in ("left", "right") if side == "w" else ("top", "bottom"):
            result += op.number(f"{key}_padding_size")
            steps += f", {key}_padding_size {op.number(f'{key}_padding_size')}"
    if result != network:
        raise op.error(
            f"input {tensor.name!r} takes images of {noun} {network}, given {result} ({steps})",
            "cut with crop: true and crop_size_w, crop_size_h; add with padding: true",
        )
    return whole


# ---- dynamic -------------------------------------------------------------------------------------


def _dynamic(op: AippOp, tensor: Tensor, is_first: bool) -> tuple[Tensor, Tensor]:
    """The image input, and the one with the parameters of a run."""
    _check_network(op, tensor)
    if _is_open(tensor, 3) or _gears(tensor)[0][3] not in (1, 3, 4):
        raise op.error(
            f"input {tensor.name!r} has {tensor.shown_dims} with {tensor.format}; AIPP makes "
            "images of 1, 3 or 4 channels"
        )
    batch = max(n for n, *_ in _gears(tensor))
    largest = op.number("max_src_image_size")
    name = DYNAMIC_INPUT if is_first else f"{DYNAMIC_INPUT}_{tensor.name}_aipp"
    uint8 = _types.named("uint8")
    image = replace(
        tensor,
        dtype=uint8,
        format="NHWC",
        dims=(1, largest),
        open_dims=None,
        gear_dims=(),
        aipp_dims=(-1 if _is_open(tensor, 0) else batch, -1, -1, -1),
        attrs={
            "_data_related_aipp_mode": "dynamic_aipp",
            "_data_aipp_data_name_map": name,
            "aipp": {
                "aipp_mode": 2,
                "related_input_rank": op.number("related_input_rank"),
                "max_src_image_size": largest,
                "support_rotation": op.number_of_switch("support_rotation"),
            },
            **_links(tensor),
        },
        aipp_config=json.dumps(dict(op.given)),
    )
    block = Tensor(
        name,
        uint8,
        (block_size(batch),),
        kind="AippData",
        attrs={
            "_data_related_aipp_mode": "dynamic_aipp_conf",
            "_data_aipp_data_name_map": tensor.name,
        },
    )
    return image, block
