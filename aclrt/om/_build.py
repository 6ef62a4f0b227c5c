# SPDX-License-Identifier: Apache-2.0
"""One way to an ``.om`` for cards and for the fake: CANN's compiler, or a simulated file."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import AclrtError
from . import _atc
from ._convert import convert

__all__ = ["Built", "CompilerError", "build", "compiler"]


class CompilerError(AclrtError):
    """CANN's compiler failed; its own messages went to stderr.

    Attributes:
        exit_code: Of the compiler; 128 and the signal's number if it was killed.
    """

    exit_code: int = 1


@dataclass(frozen=True)
class Built:
    """A model that was made.

    Attributes:
        path: The file.
        nbytes: Its size.
        simulated: Made without CANN: it runs on the fake device.
        compiler: The ``atc`` that made it; None if simulated.
        without_effect: Flags that were taken and steer the compiler alone.
    """

    path: Path
    nbytes: int
    simulated: bool
    compiler: Path | None
    without_effect: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The JSON document, schema ``aclrt-convert/1``."""
        return {
            "schema": "aclrt-convert/1",
            "path": str(self.path),
            "nbytes": self.nbytes,
            "simulated": self.simulated,
            "compiler": None if self.compiler is None else str(self.compiler),
            "without_effect": list(self.without_effect),
        }


def compiler() -> Path | None:
    """CANN's ``atc`` on the PATH (its ``set_env.sh`` puts it there); None if there is none."""
    return _atc.find()


def build(
    model: str | os.PathLike[str],
    output: str | os.PathLike[str],
    flags: Mapping[str, str] | None = None,
    *,
    atc: Path | None = None,
    quiet: bool = False,
) -> Built:
    """Makes an ``.om`` of an ONNX model, as ``aclrt convert`` does.

    Args:
        model: The ONNX file.
        output: The file to write; ``.om`` is appended where it is missing.
        flags: ATC's, by their names with underscores: ``{"input_shape": "x:1,3,224,224"}``.
        atc: The compiler to run, such as ``compiler()`` finds; None makes a simulated file.
        quiet: The compiler's words go to stderr alone, and not to stdout.

    Returns:
        What was made.

    Raises:
        InputError: A flag has a value that it does not take, or that does not fit the model.
        CompilerError: The compiler failed, or wrote no file.
        ModelFormatError: As for ``convert``.
        OSError: The model cannot be read, or the output cannot be written.
        ImportError: The ``onnx`` package is missing.
    """
    given = dict(flags or {})
    if atc is None:
        _atc.check(given)
        keywords: dict[str, Any] = {name: given[name] for name in _atc.MODEL_FLAGS if name in given}
        path = convert(model, output, **keywords)
        unused = tuple(name for name in given if name in _atc.STEERING)
        return Built(path, path.stat().st_size, True, None, unused)
    target = os.fspath(output)
    command = _atc.command(atc, os.fspath(model), target, given)
    code = _atc.run(command, stdout=sys.stderr.fileno() if quiet else None)
    if code != 0:
        error = CompilerError(
            f"atc failed with exit code {code}", hint="its own messages stand above"
        )
        error.exit_code = code
        raise error
    written = _atc.written(target)
    if written is None:
        raise CompilerError(f"atc ended well, but {target} is not there")
    return Built(written, written.stat().st_size, False, atc, ())
