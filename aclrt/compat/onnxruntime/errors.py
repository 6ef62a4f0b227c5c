# SPDX-License-Identifier: Apache-2.0
"""ONNX Runtime's exceptions, also under the name of the module where programs find them."""

from __future__ import annotations

from aclrt.errors import AclrtError, InputError

__all__ = ["Fail", "InvalidArgument", "NoSuchFile"]


class Fail(AclrtError, RuntimeError):
    """The session cannot be made: the file is no offline model, or cannot be loaded here."""


class NoSuchFile(Fail, FileNotFoundError):
    """There is no model file of that name."""


class InvalidArgument(InputError):
    """A name, dtype or shape that the model does not have."""
