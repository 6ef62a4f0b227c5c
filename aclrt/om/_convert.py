# SPDX-License-Identifier: Apache-2.0
"""``aclrt.convert``: an ONNX model becomes a simulated ``.om`` file."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError
from . import (
    _aipp_attrs,
    _aipp_config,
    _container,
    _contents,
    _gears,
    _node_options,
    _onnx,
    _shapes,
)
from ._load import load

if TYPE_CHECKING:
    import onnx

__all__ = ["convert"]

_SUFFIX = ".om"


def convert(
    model: str | os.PathLike[str] | onnx.ModelProto,
    output: str | os.PathLike[str],
    *,
    input_shape: _shapes.InputShape | None = None,
    dynamic_batch_size: _gears.BatchSizes | None = None,
    dynamic_image_size: _gears.GearValues | None = None,
    dynamic_dims: _gears.GearValues | None = None,
    input_shape_range: _shapes.InputShape | None = None,
    insert_op_conf: str | os.PathLike[str] | None = None,
    output_type: _node_options.OutputType | None = None,
    input_fp16_nodes: _node_options.NodeNames | None = None,
    out_nodes: _node_options.NodeNames | None = None,
    input_format: str | None = None,
    soc_version: str | None = None,
) -> Path:
    """Writes a simulated ``.om`` file that the fake device runs with ONNX Runtime.

    The file has the container that ATC writes, so every tool that reads ``.om`` files reads it,
    and it carries the ONNX model as its body. A real device refuses it. The file appears whole
    or not at all.

    Args:
        model: Path of the ONNX file (external data are taken into the .om), or an
            ``onnx.ModelProto``, which is not changed.
        output: Path of the file to write; ``.om`` is appended where it is missing. An existing
            file is replaced.
        input_shape: The dims of inputs, as ``{"x": (1, 3, 224, 224)}`` or in ATC's words
            ``"x:1,3,224,224;y:1,10"`` (without names: of all inputs in order). Needed for inputs
            whose shape is open in the model; a symbol such as ``N`` that becomes a number there is
            that number everywhere. Dims may be 0, and ``()`` is a scalar. A dim is -1 where gears
            fill in; without gears -1 is any number, and ``"1~8"`` or ``(1, 8)`` a range: the model
            then takes any shapes inside.
        dynamic_batch_size: Gears of the first dim: ``"1,4,8"`` or ``(1, 4, 8)``. Two to 100 gears,
            as for the next two; only one of the three. Dims that are open in the model and not
            stated in ``input_shape`` count as -1.
        dynamic_image_size: Gears of height and width: ``"224,224;448,448"`` or pairs.
        dynamic_dims: Gears of any dims: ``"1,64;8,128"`` or tuples, with one value for every -1,
            input after input in the order of ``input_shape`` (inputs not in it follow).
        input_shape_range: ATC's older way to state ranges: ``"x:[1~8,3,-1,-1]"`` or a mapping.
        insert_op_conf: Image preprocessing (AIPP) before inputs: the path of ATC's configuration
            file, or its text. The caller of the model then feeds images.
        output_type: Element type of all outputs, ``"FP32"``, ``"FP16"``, ``"UINT8"`` or ``"INT8"``,
            or of some: ``{"probs": "FP16"}``, or ``"fc:0:FP16"`` with the same nodes in
            ``out_nodes``. Integers are cut at the ends of the type.
        input_fp16_nodes: float32 inputs to feed as float16: ``"x;y"`` or names.
        out_nodes: What to return in place of the model's outputs: ``"conv1:0;fc:0"`` or a sequence
            of ``"node:index"`` and tensors' names. What is then not needed is left out.
        input_format: ``"NCHW"`` (the default), ``"NCDHW"`` or ``"ND"`` (the default with
            ``dynamic_dims``): the layout noted for tensors with as many dims.
        soc_version: The chip that the model is meant for; it is noted in the file's command line
            and has no other effect on a simulated file.

    Returns:
        The path written, with its suffix.

    Raises:
        InputError: The arguments do not fit the model or each other.
        ModelFormatError: The ONNX model is not valid, or cannot be an ``.om`` file: strings,
            sequences, output dims that depend on the data.
        OSError: The model cannot be read, or the output cannot be written.
        ImportError: The ``onnx`` package is missing: ``pip install aclrt[onnx]``.
    """
    path = _output_path(output)
    chosen = _node_options.parse_names("out_nodes", out_nodes)
    options = dataclasses.replace(
        _shape_options(
            input_shape,
            input_shape_range,
            _gears.parse(dynamic_batch_size, dynamic_image_size, dynamic_dims),
        ),
        input_format=_checked_format(input_format),
        out_nodes=chosen,
        output_types=_node_options.parse_output_type(output_type, chosen),
        fp16_inputs=_node_options.parse_names("input_fp16_nodes", input_fp16_nodes),
    )
    aipp = () if insert_op_conf is None else _aipp_config.parse(insert_op_conf)
    if soc_version is not None and not isinstance(soc_version, str):
        raise InputError(f"soc_version: expected a text, given {type(soc_version).__name__}")
    proto, weights = load(model)
    prepared = _onnx.prepare(proto, options, weights)

    from .. import __version__

    contents = _contents.Contents(
        name=_printable(path.stem),
        inputs=_aipp_attrs.insert(aipp, prepared.inputs),
        outputs=prepared.outputs,
        onnx=prepared.onnx,
        tool_version=f"aclrt {__version__}",
        command_line=_command_line(model, path, options, insert_op_conf, soc_version),
        gears=prepared.gears,
        weights=weights,
    )
    _write_whole(path, _container.pieces(contents))
    return path


_FORMATS = ("NCHW", "NCDHW", "ND")


def _checked_format(input_format: str | None) -> str | None:
    if input_format is not None and input_format not in _FORMATS:
        raise InputError(
            f"input_format: expected {', '.join(_FORMATS)} for an ONNX model, given "
            f"{input_format!r}"
        )
    return input_format


def _shape_options(
    input_shape: _shapes.InputShape | None,
    input_shape_range: _shapes.InputShape | None,
    gears: _gears.Wanted | None,
) -> _onnx.Options:
    """What the arguments say, as far as they can be judged without the model."""
    if input_shape_range is None:
        return _onnx.Options(_shapes.parse(input_shape), gears=gears)
    option = "input_shape_range"
    for other, value in (("input_shape", input_shape), (getattr(gears, "option", ""), gears)):
        if value is not None:
            raise InputError(
                f"{option} and {other} exclude each other",
                hint='ranges are possible in input_shape too: "x:1~8,3,-1,-1"',
            )
    return _onnx.Options(_shapes.parse(input_shape_range, option, brackets=True), option)


def _output_path(output: str | os.PathLike[str]) -> Path:
    if not isinstance(output, (str, os.PathLike)):
        raise InputError(f"output: expected a path, given {type(output).__name__}")
    text = os.fsdecode(output)
    if not text or text.endswith("/") or "\0" in text:
        raise InputError(f"output: expected the path of a file, given {text!r}")
    return Path(text if text.endswith(_SUFFIX) else text + _SUFFIX)


def _command_line(
    model: object,
    path: Path,
    options: _onnx.Options,
    insert_op_conf: str | os.PathLike[str] | None,
    soc_version: str | None,
) -> str:
    """What ATC would have been told; names of files only, directories are the user's business."""
    flags = {
        "model": _file_name(model),
        "framework": "5",
        "output": _printable(path.stem),
        "input_shape": _shapes.to_text(options.shapes),
        "input_format": options.input_format,
        "insert_op_conf": _file_name(insert_op_conf),
        "out_nodes": ";".join(options.out_nodes),
        "output_type": options.output_types.text,
        "input_fp16_nodes": ";".join(options.fp16_inputs),
        "soc_version": soc_version,
    }
    if options.gears is not None:
        flags[options.gears.option] = options.gears.to_text()
    words = (f"--{name}={value}" for name, value in flags.items() if value)
    return " ".join(("aclrt simulated", *words))


def _file_name(given: object) -> str:
    """The last part of a path; "" of what is none."""
    if not isinstance(given, (str, os.PathLike)) or (isinstance(given, str) and "{" in given):
        return ""
    return _printable(Path(given).name)


def _printable(name: str) -> str:
    """A file name as UTF-8, which the bytes of the file system need not be."""
    return os.fsencode(name).decode("utf-8", "replace")


def _write_whole(path: Path, pieces: Iterable[bytes]) -> None:
    """Writes beside the target and renames: no reader ever sees half a file."""
    temporary = path.with_name(f".aclrt-{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("xb") as file:
            for piece in pieces:
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError) and error.filename is not None:
            # About the file that was asked for, not the one beside it.
            raise OSError(error.errno, error.strerror, str(path)) from None
        raise
