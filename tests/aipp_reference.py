# SPDX-License-Identifier: Apache-2.0
"""AIPP in NumPy, written from the contract (19.2) alone: whole planes at a time, in its order.

Shares nothing with the fake but the numbers of the contract. Results are exact: pixels are bytes up
to the normalisation, which is computed in double and rounded once.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.generic]

YUV = {"YUV420SP_U8", "YUV400_U8", "YUYV_U8", "YUV422SP_U8", "AYUV444_U8"}
ALPHA = {"XRGB8888_U8", "ARGB8888_U8", "AYUV444_U8"}
BYTES_OF_TWO_BY_TWO = {
    "YUV420SP_U8": 6,
    "XRGB8888_U8": 16,
    "RGB888_U8": 12,
    "YUV400_U8": 4,
    "ARGB8888_U8": 16,
    "YUYV_U8": 8,
    "YUV422SP_U8": 8,
    "AYUV444_U8": 16,
}


@dataclass
class Parameters:
    """Of one image; sizes as (width, height), padding as (left, right, top, bottom)."""

    format: str
    size: tuple[int, int]
    crop: tuple[int, int, int, int] | None = None  # left, top, width, height
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    padding_value: float = 0.0
    ax_swap: bool = False
    rbuv_swap: bool = False
    matrix: tuple[int, ...] | None = None
    input_bias: tuple[int, ...] = (0, 0, 0)
    output_bias: tuple[int, ...] = (0, 0, 0)
    mean: tuple[int, ...] = (0, 0, 0, 0)
    min: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0)
    var_reci: tuple[float, ...] = field(default=(1.0, 1.0, 1.0, 1.0))


def image_bytes(parameters: Parameters) -> int:
    """Bytes of one source image."""
    width, height = parameters.size
    return width * height * BYTES_OF_TWO_BY_TWO[parameters.format] // 4


def planes(parameters: Parameters, raw: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The source as (channels, height, width), chroma repeated for every pixel it covers."""
    width, height = parameters.size
    name = parameters.format
    if name == "YUV420SP_U8":
        luma, rest = raw[: width * height], raw[width * height :]
        chroma = rest.reshape(height // 2, width // 2, 2).repeat(2, 0).repeat(2, 1)
        image = np.dstack([luma.reshape(height, width), chroma])
    elif name == "YUV422SP_U8":
        luma, rest = raw[: width * height], raw[width * height :]
        chroma = rest.reshape(height, width // 2, 2).repeat(2, 1)
        image = np.dstack([luma.reshape(height, width), chroma])
    elif name == "YUYV_U8":
        pairs = raw.reshape(height, width // 2, 4)
        luma = pairs[:, :, ::2].reshape(height, width)
        image = np.dstack([luma, pairs[:, :, 1].repeat(2, 1), pairs[:, :, 3].repeat(2, 1)])
    else:
        image = raw.reshape(height, width, -1)
    return image.transpose(2, 0, 1).astype(np.int64)


def halves(values: object) -> NDArray[np.float64]:
    """Rounded to float16, as wide as the computation."""
    return np.asarray(values, np.float32).astype(np.float16).astype(np.float64)


def process(
    parameters: Parameters, raw: NDArray[np.uint8], channels: int, dtype: str
) -> NDArray[np.generic]:
    """What the network is given of one image: (channels, height, width) of that type."""
    pixels = planes(parameters, raw)
    if parameters.ax_swap:
        assert parameters.format in ALPHA
        pixels = np.concatenate([pixels[1:], pixels[:1]])
    if parameters.rbuv_swap:
        order = list(range(len(pixels)))
        first = 1 if parameters.format in YUV else 0
        order[first], order[2] = order[2], order[first]
        pixels = pixels[order]
    if parameters.crop is not None:
        left, top, width, height = parameters.crop
        pixels = pixels[:, top : top + height, left : left + width]
    if parameters.matrix is not None:
        pixels = convert(parameters, pixels)
    pixels = pixels[:channels]
    left, right, top, bottom = parameters.padding
    border = ((0, 0), (top, bottom), (left, right))
    if dtype == "uint8":
        value = int(np.clip(np.round(np.float32(parameters.padding_value)), 0, 255))
        return np.pad(pixels.astype(np.uint8), border, constant_values=value)
    mean = np.array(parameters.mean[:channels], np.float64)
    offset, factor = halves(parameters.min[:channels]), halves(parameters.var_reci[:channels])
    shaped = (slice(None), None, None)
    real = (pixels - mean[shaped] - offset[shaped]) * factor[shaped]
    result = np.clip(real, -65504, 65504).astype(np.float16)
    value = np.float32(parameters.padding_value).astype(np.float16)
    return np.pad(result, border, constant_values=value).astype(dtype)


def convert(parameters: Parameters, pixels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Colours by the matrix: the bias of the input for YUV, of the output for RGB."""
    assert parameters.matrix is not None
    from_yuv = parameters.format in YUV
    matrix = np.array(parameters.matrix, np.int64).reshape(3, 3)
    before = np.array(parameters.input_bias if from_yuv else (0, 0, 0), np.int64)
    after = np.array((0, 0, 0) if from_yuv else parameters.output_bias, np.int64)
    source = pixels[:3] - before[:, None, None]
    mixed = np.floor_divide(np.tensordot(matrix, source, 1), 256) + after[:, None, None]
    return np.clip(mixed, 0, 255)
