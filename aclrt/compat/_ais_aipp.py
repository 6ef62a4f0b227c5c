# SPDX-License-Identifier: Apache-2.0
"""ais_bench's file for dynamic AIPP (INI, one section ``aipp_op``) in the words of ``set_aipp``.

Limits are left to ``OfflineModel.set_aipp``, whose errors name the key and the limit. Its names
for the padding differ (``padding_size_top`` for ``top_padding_size``), and its switches are 0 or 1.
"""

from __future__ import annotations

import os
from configparser import ConfigParser
from configparser import Error as ConfigError
from pathlib import Path
from typing import Any

from aclrt.errors import InputError

__all__ = ["read"]

_SECTION = "aipp_op"
_NEEDED = ("input_format", "src_image_size_w", "src_image_size_h")
_SIDES = {
    f"padding_size_{side}": f"{side}_padding_size" for side in ("top", "bottom", "left", "right")
}
_SWITCHES = ("csc_switch", "rbuv_swap_switch", "ax_swap_switch", "crop", "padding")


def read(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The keywords of ``OfflineModel.set_aipp`` that the file states.

    Args:
        path: The file.

    Raises:
        InputError: It is no such file, lacks a key that is needed, or a value is no number.
        OSError: It cannot be read.
    """
    config = ConfigParser()
    try:
        with Path(path).open(encoding="utf-8") as file:
            config.read_file(file)
    except ConfigError as error:
        raise InputError(f"{os.fspath(path)}: {error}") from None
    if config.sections() != [_SECTION]:
        raise InputError(
            f"{os.fspath(path)} has the sections {config.sections()}; it needs one, [{_SECTION}]"
        )
    given = dict(config[_SECTION])
    missing = [key for key in _NEEDED if key not in given]
    if missing:
        raise InputError(f"{os.fspath(path)} lacks {', '.join(missing)} in [{_SECTION}]")
    return {_SIDES.get(key, key): _value(key, text) for key, text in given.items()}


def _value(key: str, text: str) -> Any:
    if key == "input_format":
        return text
    if key in _SWITCHES:
        if text not in ("0", "1"):
            raise InputError(f"{key} is {text!r}; it must be 0 or 1")
        return text == "1"
    try:
        return float(text) if key.startswith(("min_chn", "var_reci_chn")) else int(text)
    except ValueError:
        raise InputError(f"{key} is {text!r}; it must be a number") from None
