# SPDX-License-Identifier: Apache-2.0
"""Parameters of dynamic AIPP for the runs of an ``OfflineModel``, in ATC's words.

The keys, their limits and their defaults are those of the configuration that ``--insert_op_conf``
names, so that a static block can be tried out dynamically as it stands.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Final

from ._ffi import ffi, lib, raise_for
from .errors import InputError
from .om import _aipp_config
from .om._aipp_config import AippOp, Value

__all__ = ["FORMATS", "IMAGE_KEYS", "Parameters", "parameters"]

FORMATS: Final = ("YUV420SP_U8", "XRGB8888_U8", "RGB888_U8", "YUV400_U8")

_CROP: Final = ("load_start_pos_w", "load_start_pos_h", "crop_size_w", "crop_size_h")
_PADDING: Final = tuple(f"{side}_padding_size" for side in ("left", "right", "top", "bottom"))
_CHANNELS: Final = ("mean_chn", "min_chn", "var_reci_chn")

# What may differ from image to image of a batch.
IMAGE_KEYS: Final = frozenset(
    {"crop", "padding", *_CROP, *_PADDING}
    | {f"{key}_{channel}" for key in _CHANNELS for channel in range(4)}
)

Selector = int | str  # an input's position or name


class Parameters:
    """Those of one input: what all images share, and what is done to each.

    Attributes:
        input: Which input: its position, or its name.
        images: One block for all images, or one for each of the batch.
    """

    def __init__(self, chosen: Selector, images: Sequence[AippOp]) -> None:
        self.input = chosen
        self.images = tuple(images)

    def hand_over(self, model: Any, index: int) -> None:
        """Sets them for the runs that follow of an ``aclrt_model_t``.

        Raises:
            InputError: The input has no dynamic AIPP, or the parameters do not fit it.
            AclrtError: As the call to AscendCL failed.
        """
        first = self.images[0]
        given = ffi.new("aclrt_aipp_t *")
        images = ffi.new("aclrt_aipp_image_t[]", len(self.images))
        given.input_format = first.format.number
        given.width = first.number("src_image_size_w")
        given.height = first.number("src_image_size_h")
        given.rbuv_swap = first.number("rbuv_swap_switch")
        given.ax_swap = first.number("ax_swap_switch")
        given.csc = first.number("csc_switch")
        if given.csc:
            given.matrix = [first.number(f"matrix_r{i // 3}c{i % 3}") for i in range(9)]
            given.input_bias = [first.number(f"input_bias_{i}") for i in range(3)]
            given.output_bias = [first.number(f"output_bias_{i}") for i in range(3)]
        for place, op in enumerate(self.images):
            _fill(images[place], op)
        given.images = images
        given.image_count = len(self.images)
        raise_for(lib.aclrt_model_set_aipp(model, index, given))


def _fill(image: Any, op: AippOp) -> None:
    if op.number_of_switch("crop"):
        image.crop_left, image.crop_top, image.crop_width, image.crop_height = map(op.number, _CROP)
    if op.number_of_switch("padding"):
        image.padding_left, image.padding_right, image.padding_top, image.padding_bottom = map(
            op.number, _PADDING
        )
    image.mean = [op.number(f"mean_chn_{i}") for i in range(4)]
    image.min = [op.real(f"min_chn_{i}") for i in range(4)]
    image.var_reci = [op.real(f"var_reci_chn_{i}") for i in range(4)]


def parameters(
    config: str | os.PathLike[str] | None,
    chosen: Selector | None,
    images: Sequence[Mapping[str, Value]] | None,
    keys: Mapping[str, Value],
) -> list[Parameters]:
    """The parameters that a call states, checked as far as they can be without the model.

    Args:
        config: ATC's text with one ``aipp_op`` for each input, or the path of its file.
        chosen: The input that keywords are for.
        images: For each image of the batch what differs from the rest.
        keys: Keywords named as in ATC's configuration.

    Raises:
        InputError: Neither config nor keywords, both, or a value is out of range.
        OSError: The file cannot be read.
    """
    if (config is None) == (not keys):
        raise InputError(
            "AIPP: expected the text of a configuration or keywords, given "
            + ("neither" if config is None else "both"),
            hint='write input_format="RGB888_U8", src_image_size_w=640, src_image_size_h=480',
        )
    if config is None:
        return [Parameters(0 if chosen is None else chosen, _blocks(dict(keys), images, 0))]
    blocks = _aipp_config.parse(config, mode="static")
    if chosen is not None and len(blocks) > 1:
        raise InputError(
            f"AIPP: input={chosen!r} and a configuration of {len(blocks)} blocks",
            hint="each aipp_op says its input with related_input_rank or related_input_name",
        )
    result = []
    for op in blocks:
        name = op.given.get("related_input_name")
        own: Selector = str(name) if name is not None else op.number("related_input_rank")
        result.append(
            Parameters(own if chosen is None else chosen, _blocks(dict(op.given), images, op.line))
        )
    inputs = [item.input for item in result]
    if len(set(inputs)) < len(inputs):
        raise InputError(
            "AIPP configuration: two blocks are for one input",
            hint="each aipp_op says its input with related_input_rank or related_input_name",
        )
    return result


def _blocks(
    shared: dict[str, Value], images: Sequence[Mapping[str, Value]] | None, line: int
) -> list[AippOp]:
    if images is None:
        return [_checked(shared, line)]
    if isinstance(images, (str, bytes, Mapping)) or not isinstance(images, Sequence) or not images:
        raise InputError("AIPP: images: expected a list with the parameters of each image")
    blocks = []
    for place, image in enumerate(images):
        foreign = sorted(set(image) - IMAGE_KEYS)
        if foreign:
            raise InputError(
                f"AIPP: images[{place}]: {foreign[0]} is the same for all images of a batch",
                hint="may differ: " + ", ".join(sorted(IMAGE_KEYS)),
            )
        blocks.append(_checked({**shared, **image}, line))
    return blocks


def _checked(values: dict[str, Value], line: int) -> AippOp:
    mode = values.setdefault("aipp_mode", "static")
    op = _aipp_config.check(values, line)
    if mode != "static":
        raise op.error(
            "aipp_mode: the parameters of a run are written as those of a static block",
            "leave aipp_mode out",
        )
    if op.format.name not in FORMATS:
        raise op.error(
            f"input_format: expected {', '.join(FORMATS)} in dynamic AIPP, given {op.format.name}"
        )
    for key in ("src_image_size_w", "src_image_size_h"):
        if not op.number(key):
            raise op.error(f"{key}: dynamic AIPP needs it")
    for key in ("crop_size_w", "crop_size_h"):
        if op.number_of_switch("crop") and not op.number(key):
            raise op.error(f"{key}: dynamic AIPP needs it with crop")
    for key in ("padding_value", "cpadding_value"):
        if op.real(key):
            raise op.error(f"{key}: dynamic AIPP pads with 0, given {op.real(key):g}")
    return op
