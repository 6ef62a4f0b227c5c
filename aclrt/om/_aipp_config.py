# SPDX-License-Identifier: Apache-2.0
"""ATC's AIPP configuration: text in protobuf's text format to blocks whose values were checked.

A block knows nothing of the network: what its sizes mean there is ``_aipp_attrs``'s business.
Numbers out of range, unknown keys and combinations that no chip takes are ``InputError``s with the
line. Used for the files that ``--insert_op_conf`` names and for the parameters of a run.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..errors import InputError

__all__ = ["FORMATS", "FORMAT_NUMBERS", "AippOp", "Format", "Value", "check", "parse", "read"]

Value = int | float | bool | str

_EXAMPLE = "aipp_op { aipp_mode: static  input_format: RGB888_U8 }"


@dataclass(frozen=True)
class Format:
    """A layout of source pixels.

    Attributes:
        name: ATC's word.
        number: aclAippInputFormat.
        channels: Of a pixel when chroma is expanded.
        is_yuv: Whether they are Y, U and V.
        rows, columns: A row of the memory layout (dims_v2) per row of the image, as a fraction,
            and values of the last dim.
        even_w, even_h: Whether the size must be even.
    """

    name: str
    number: int
    channels: int
    is_yuv: bool
    rows: tuple[int, int]
    columns: int
    even_w: bool = False
    even_h: bool = False

    def layout(self, height: int, width: int) -> tuple[int, int, int]:
        """Rows, columns and values of an image in memory; -1 where the size is open."""
        rows = -1 if height < 0 else height * self.rows[0] // self.rows[1]
        return rows, width, self.columns

    def nbytes(self, height: int, width: int) -> int:
        """Bytes of one image."""
        rows, columns, values = self.layout(height, width)
        return rows * columns * values


FORMATS: Final = {
    item.name: item
    for item in (
        Format("YUV420SP_U8", 1, 3, True, (3, 2), 1, even_w=True, even_h=True),
        Format("XRGB8888_U8", 2, 4, False, (1, 1), 4),
        Format("RGB888_U8", 3, 3, False, (1, 1), 3),
        Format("YUV400_U8", 4, 1, True, (1, 1), 1),
        Format("ARGB8888_U8", 7, 4, False, (1, 1), 4),
        Format("YUYV_U8", 8, 3, True, (1, 1), 2, even_w=True),
        Format("YUV422SP_U8", 9, 3, True, (2, 1), 1, even_w=True),
        Format("AYUV444_U8", 10, 4, True, (1, 1), 4),
    )
}
_REFUSED_FORMATS: Final = ("NC1HWC0DI_FP16", "NC1HWC0DI_S8", "RAW10", "RAW12", "RAW16", "RAW24")
FORMAT_NUMBERS: Final = {item.number: name for name, item in FORMATS.items()}


@dataclass(frozen=True)
class _Key:
    kind: type
    low: float = 0
    high: float = 0
    zero: str = ""  # what 0 means where it lies outside the range


_SWITCH = _Key(bool)
_BYTE = _Key(int, 0, 255)
_PIXEL_PADDING = _Key(int, 0, 32)
_START = _Key(int, 0, 4095)
_CROP = _Key(int, 1, 4096, "the network's own")
_HALF = 65504

_COMMON: Final = {
    "aipp_mode": _Key(str),
    "related_input_rank": _Key(int, 0, (1 << 31) - 1),
    "related_input_name": _Key(str),
}
_DYNAMIC: Final = {
    "max_src_image_size": _Key(int, 1, (1 << 32) - 1),
    "support_rotation": _SWITCH,
}
_STATIC: Final = {
    "input_format": _Key(str),
    "src_image_size_w": _Key(int, 2, 4096, "the network's own"),
    "src_image_size_h": _Key(int, 1, 4096, "the network's own"),
    "crop": _SWITCH,
    "load_start_pos_w": _START,
    "load_start_pos_h": _START,
    "crop_size_w": _CROP,
    "crop_size_h": _CROP,
    "resize": _SWITCH,
    "resize_output_w": _Key(int, 16, 1920, "unset"),
    "resize_output_h": _Key(int, 16, 4096, "unset"),
    "padding": _SWITCH,
    "left_padding_size": _PIXEL_PADDING,
    "right_padding_size": _PIXEL_PADDING,
    "top_padding_size": _PIXEL_PADDING,
    "bottom_padding_size": _PIXEL_PADDING,
    "padding_value": _Key(float, -_HALF, _HALF),
    "cpadding_value": _Key(float, -_HALF, _HALF),
    "csc_switch": _SWITCH,
    "rbuv_swap_switch": _SWITCH,
    "ax_swap_switch": _SWITCH,
    "single_line_mode": _SWITCH,
    **{f"matrix_r{i // 3}c{i % 3}": _Key(int, -32677, 32676) for i in range(9)},
    **{f"{side}_bias_{i}": _BYTE for side in ("output", "input") for i in range(3)},
    **{f"mean_chn_{i}": _BYTE for i in range(4)},
    **{f"min_chn_{i}": _Key(float, 0, 255) for i in range(4)},
    **{f"var_reci_chn_{i}": _Key(float, -_HALF, _HALF) for i in range(4)},
}
_KEYS: Final = _COMMON | _DYNAMIC | _STATIC

_ROWS_TO_BGR: Final = (298, 516, 0, 298, -100, -208, 298, 0, 409)
_ROWS_TO_YUV: Final = (66, 129, 25, -38, -74, 112, 112, -94, -18)
_BIASES: Final = (16, 128, 128)


@dataclass(frozen=True)
class AippOp:
    """One ``aipp_op`` block.

    Attributes:
        mode: ``"static"`` or ``"dynamic"``.
        given: The values that the text states, by ATC's key.
        line: Where the block begins; 0 if it came as keywords.
    """

    mode: str
    given: Mapping[str, Value]
    line: int = 0

    @property
    def format(self) -> Format:
        """The layout of the source images; of a static block only."""
        return FORMATS[str(self.given["input_format"])]

    def number(self, key: str) -> int:
        """A whole number or a switch; what was left out has ATC's default."""
        return int(self.given.get(key, self._default(key)))

    def real(self, key: str) -> float:
        """A floating point number, with ATC's default."""
        return float(self.given.get(key, self._default(key)))

    def error(self, message: str, hint: str = "") -> InputError:
        """An error about this block."""
        return InputError(f"AIPP configuration{_at(self.line)}: {message}", hint=hint)

    def _default(self, key: str) -> int:
        if key.startswith("var_reci"):
            return 1
        if not self.number_of_switch("csc_switch"):
            return 0
        if key.startswith("matrix_r"):
            rows = _ROWS_TO_BGR if self.format.name == "YUV420SP_U8" else _ROWS_TO_YUV
            return rows[3 * int(key[8]) + int(key[10])]
        if "_bias_" in key:
            return _BIASES[int(key[-1])]
        return 0

    def number_of_switch(self, key: str) -> bool:
        """Whether a switch is on."""
        return bool(self.given.get(key, False))


def _at(line: int) -> str:
    return f" line {line}" if line else ""


# ---- text ----------------------------------------------------------------------------------------

_TOKEN: Final = re.compile(
    r"""\s+ | \#[^\n]*
    | (?P<text>"(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*')
    | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<number>[+-]?(?:0[xX][0-9a-fA-F]+|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?f?))
    | (?P<mark>[{}<>:;,])""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class _Token:
    kind: str  # "text", "word", "number", "mark", "" at the end
    text: str
    line: int


def _tokens(text: str) -> Iterator[_Token]:
    at, line = 0, 1
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            rest = text[at:].split(maxsplit=1)[0][:40]
            raise InputError(f"AIPP configuration line {line}: cannot read {rest!r}", hint=_EXAMPLE)
        if match.lastgroup is not None:
            yield _Token(match.lastgroup, match.group(), line)
        line += match.group().count("\n")
        at = match.end()
    yield _Token("", "the end", line)


class _Reader:
    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self.now = next(self._tokens)

    def take(self) -> _Token:
        token = self.now
        if token.kind:
            self.now = next(self._tokens)
        return token

    def skip(self, marks: str) -> str:
        """The mark, if the next token is one of these."""
        return self.take().text if self.now.kind == "mark" and self.now.text in marks else ""

    def fail(self, expected: str, token: _Token) -> InputError:
        return InputError(
            f"AIPP configuration line {token.line}: expected {expected}, given {token.text}",
            hint=_EXAMPLE,
        )

    def blocks(self) -> Iterator[tuple[int, dict[str, Value]]]:
        while self.now.kind:
            name = self.take()
            if name.text != "aipp_op":
                raise self.fail("aipp_op", name)
            self.skip(":")
            opening = self.now
            if not self.skip("{<"):
                raise self.fail("{ after aipp_op", opening)
            yield name.line, self.fields("}" if opening.text == "{" else ">")
            self.skip(";,")

    def fields(self, end: str) -> dict[str, Value]:
        values: dict[str, Value] = {}
        while not self.skip(end):
            name = self.take()
            if name.kind != "word":
                raise self.fail(f"a key or {end}", name)
            _known_key(name.text, name.line)
            if name.text in values:
                raise InputError(
                    f"AIPP configuration line {name.line}: {name.text} is given twice in one block"
                )
            colon = self.now
            if not self.skip(":"):
                raise self.fail(f": after {name.text}", colon)
            values[name.text] = _convert(name.text, self.take())
            _check_range(name.text, values[name.text], name.line)
            self.skip(";,")
        return values


def _known_key(key: str, line: int) -> None:
    if key in _KEYS:
        return
    close = difflib.get_close_matches(key, _KEYS, 1)
    raise InputError(
        f"AIPP configuration{_at(line)}: unknown key {key!r}",
        hint=f"did you mean {close[0]!r}?" if close else "keys: " + ", ".join(_KEYS),
    )


_BOOLS: Final = {"true": True, "True": True, "t": True, "1": True} | {
    "false": False,
    "False": False,
    "f": False,
    "0": False,
}


def _convert(key: str, token: _Token) -> Value:
    """The token as the key's type; ranges are tested later."""
    kind = _KEYS[key].kind
    if kind is bool and token.text in _BOOLS:
        return _BOOLS[token.text]
    if kind is str and token.kind in ("word", "text"):
        is_name = key == "related_input_name"
        if is_name == (token.kind == "text"):
            return re.sub(r"\\(.)", r"\1", token.text[1:-1]) if is_name else token.text
    if kind in (int, float) and token.kind == "number":
        try:
            return int(token.text, 0) if kind is int else float(token.text.rstrip("f"))
        except ValueError:
            pass
    words = {bool: "true or false", int: "a whole number", float: "a number"}
    expected = words.get(kind, "a name in quotes" if key == "related_input_name" else "a word")
    raise InputError(
        f"AIPP configuration line {token.line}: {key}: expected {expected}, given {token.text}"
    )


# ---- values --------------------------------------------------------------------------------------


def check(given: Mapping[str, Value], line: int = 0) -> AippOp:
    """The block with these values, if they are in range and fit each other.

    Raises:
        InputError: They are not, or do not.
    """
    for key, value in given.items():
        _known_key(key, line)
        _check_range(key, value, line)
    mode = given.get("aipp_mode")
    if mode not in ("static", "dynamic"):
        told = "nothing" if mode is None else repr(mode)
        raise InputError(
            f"AIPP configuration{_at(line)}: aipp_mode: expected static or dynamic, given {told}"
        )
    op = AippOp(str(mode), given, line)
    if "related_input_rank" in given and "related_input_name" in given:
        raise op.error(
            "related_input_rank and related_input_name are both given",
            "name the input in one way",
        )
    if mode == "dynamic":
        _check_dynamic(op)
    else:
        check_static(op)
    return op


def _check_range(key: str, value: Value, line: int) -> None:
    rule = _KEYS[key]
    if rule.kind is str:
        return
    if rule.kind is bool:
        if not isinstance(value, bool):
            raise InputError(
                f"AIPP configuration{_at(line)}: {key}: expected true or false, given {value!r}"
            )
        return
    wanted = (int, float) if rule.kind is float else int
    if isinstance(value, bool) or not isinstance(value, wanted):
        what = "a number" if rule.kind is float else "a whole number"
        raise InputError(f"AIPP configuration{_at(line)}: {key}: expected {what}, given {value!r}")
    if rule.low <= value <= rule.high or (rule.zero and value == 0):
        return
    zero = f", or 0 for {rule.zero}" if rule.zero and rule.zero != "unset" else ""
    raise InputError(
        f"AIPP configuration{_at(line)}: {key}: expected {rule.low:g} to {rule.high:g}{zero}, "
        f"given {value}".replace("e+09", "e9")
    )


def _check_dynamic(op: AippOp) -> None:
    foreign = [key for key in op.given if key in _STATIC]
    if foreign:
        raise op.error(
            f"{foreign[0]} does not belong to aipp_mode dynamic",
            "dynamic AIPP states max_src_image_size here; everything else is set for each run",
        )
    if "max_src_image_size" not in op.given:
        raise op.error(
            "aipp_mode dynamic needs max_src_image_size",
            "the bytes of the largest images of a batch together",
        )


def check_static(op: AippOp) -> None:
    """What fits together without knowing the network."""
    foreign = [key for key in op.given if key in _DYNAMIC]
    if foreign:
        raise op.error(f"{foreign[0]} does not belong to aipp_mode static")
    name = op.given.get("input_format")
    if name not in FORMATS:
        why = " (no chip that runs offline models takes it)" if name in _REFUSED_FORMATS else ""
        told = "nothing" if name is None else f"{name}{why}"
        raise op.error(f"input_format: expected {', '.join(FORMATS)}, given {told}")
    _check_switches(op)
    _check_sizes(op)


def _check_switches(op: AippOp) -> None:
    source = op.format
    if op.number_of_switch("resize"):
        raise op.error("resize: no chip has it in AIPP", "resize the image before, or in the graph")
    if op.number_of_switch("single_line_mode"):
        raise op.error("single_line_mode: true is not supported", "leave it out")
    if op.number_of_switch("csc_switch") and source.channels == 1:
        raise op.error(f"csc_switch: {source.name} has no colours to convert")
    if op.number_of_switch("rbuv_swap_switch") and source.channels == 1:
        raise op.error(f"rbuv_swap_switch: {source.name} has no channels to exchange")
    if op.number_of_switch("ax_swap_switch") and source.channels != 4:
        raise op.error(
            f"ax_swap_switch: {source.name} has no A or X channel",
            "it is for XRGB8888_U8, ARGB8888_U8 and AYUV444_U8",
        )


def _check_sizes(op: AippOp) -> None:
    source = op.format
    width, height = op.number("src_image_size_w"), op.number("src_image_size_h")
    crop, padding = op.number_of_switch("crop"), op.number_of_switch("padding")
    if (width == 0) != (height == 0):
        raise op.error(
            f"src_image_size_w {width} and src_image_size_h {height}: give both, or neither"
        )
    if width == 0 and (crop or padding):
        raise op.error(
            f"{'crop' if crop else 'padding'} needs src_image_size_w and src_image_size_h"
        )
    for key, value, even in (
        ("src_image_size_w", width, source.even_w),
        ("src_image_size_h", height, source.even_h),
    ):
        if even and value % 2:
            raise op.error(f"{key}: {source.name} images have an even one, given {value}")
    if not crop:
        return
    for key, even in (("load_start_pos_w", source.even_w), ("load_start_pos_h", source.even_h)):
        if even and op.number(key) % 2:
            raise op.error(f"{key}: {source.name} needs an even one, given {op.number(key)}")
    crop_w, crop_h = op.number("crop_size_w"), op.number("crop_size_h")
    if (crop_w == 0 or crop_h == 0) and padding:
        raise op.error("crop together with padding needs crop_size_w and crop_size_h")
    for side, start, size, whole in (
        ("w", op.number("load_start_pos_w"), crop_w, width),
        ("h", op.number("load_start_pos_h"), crop_h, height),
    ):
        if start + size > whole:
            raise op.error(
                f"load_start_pos_{side} {start} + crop_size_{side} {size} is more than "
                f"src_image_size_{side} {whole}"
            )


# ---- entry points --------------------------------------------------------------------------------


def read(given: str | os.PathLike[str]) -> str:
    """The configuration's text, given itself or as the path of its file.

    A text is told from a path by its ``{`` or ``<``.

    Raises:
        InputError: Neither, or the file is not UTF-8.
        OSError: The file cannot be read.
    """
    if isinstance(given, str) and ("{" in given or "<" in given):
        return given
    if not isinstance(given, (str, os.PathLike)) or not os.fspath(given):
        raise InputError(
            f"AIPP configuration: expected a path or a text, given {given!r}", hint=_EXAMPLE
        )
    try:
        return Path(given).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"AIPP configuration {given}: not UTF-8 at byte {error.start}") from None


def parse(given: str | os.PathLike[str], mode: str | None = None) -> tuple[AippOp, ...]:
    """The blocks of a configuration, in order, each checked by itself.

    Args:
        given: The text, or the path of its file.
        mode: Of blocks that have no ``aipp_mode``; None: each must have one.

    Raises:
        InputError: It cannot be read so, is empty, or a value cannot be.
        OSError: The file cannot be read.
    """
    default: dict[str, Value] = {} if mode is None else {"aipp_mode": mode}
    ops = tuple(check(default | values, line) for line, values in _Reader(read(given)).blocks())
    if not ops:
        raise InputError("AIPP configuration: it has no aipp_op", hint=_EXAMPLE)
    return ops
