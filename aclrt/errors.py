# SPDX-License-Identifier: Apache-2.0
"""The exceptions of aclrt, and the one table that turns a failure's kind into a class.

Nothing here knows the C boundary: ``aclrt._ffi.raise_for`` reads a status there and asks
``error_for`` here; what a code means is looked up in ``aclrt._codes`` when somebody asks. Every
class is built as ``Cls(message, *, hint="", ...)`` and can be pickled.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ._codes import Code
    from .explain import Findings

__all__ = [
    "AclError",
    "AclrtError",
    "BackendError",
    "ClosedError",
    "DeviceError",
    "DeviceLostError",
    "DeviceOutOfMemoryError",
    "DeviceTimeoutError",
    "ForkedProcessError",
    "InputError",
    "ModelFormatError",
    "ModelLoadError",
    "NeedsNpuError",
]


class AclrtError(Exception):
    """Base of all errors of this package.

    Args:
        message: One sentence: what was expected, what was given.
        code: AscendCL's status code; 0 where no AscendCL call failed.
        name: The code's name, such as ``"ACL_ERROR_RT_CONTEXT_NULL"``; ``""`` if none.
        call: The function that failed, such as ``"aclrtMalloc"``; ``""`` if none.
        detail: AscendCL's own recent message; ``""`` if none.
        hint: What to do next; ``""`` if there is nothing to say.

    Attributes:
        fed: After a failed run a line for each input: what the model takes, what was fed.
        log: After a failed run the newest log that CANN wrote for this process; ``""`` if none.
    """

    message: str
    code: int
    name: str
    call: str
    detail: str
    hint: str
    fed: tuple[str, ...]
    log: str

    def __init__(
        self,
        message: str = "",
        *,
        code: int = 0,
        name: str = "",
        call: str = "",
        detail: str = "",
        hint: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.name = name
        self.call = call
        self.detail = detail
        self.hint = hint
        self.fed = ()
        self.log = ""

    @property
    def layer(self) -> str:
        """The part of CANN that gave the code: ACL, graph engine or runtime; ``""`` if none."""
        from ._codes import layer_of

        return layer_of(self.code) if self.code else ""

    @property
    def meaning(self) -> str:
        """What the code stands for; ``""`` where no AscendCL call failed."""
        row = self._row()
        return row.meaning if row else ""

    @property
    def causes(self) -> tuple[str, ...]:
        """What usually causes the code, the most usual first; ``()`` if there is no code."""
        row = self._row()
        return row.causes if row else ()

    def explain(self) -> Findings:
        """What is known of the code, and of the codes and ids that the detail names.

        Returns:
            As ``aclrt.explain.lookup``; empty where there is nothing to explain.
        """
        from .explain import scan

        return scan(f"{self.code or ''} {self.name} {self.detail}")

    def _row(self) -> Code | None:
        if not self.code:
            return None
        from ._codes import find  # late: the C boundary below it needs this module

        return find(self.code)

    def __str__(self) -> str:
        """The message; on lines of their own the failed call, detail, usual causes and hint."""
        lines = [self.message]
        if self.code:
            status = f"{self.code} ({self.name})" if self.name else str(self.code)
            lines.append(f"{self.call} returned {status}" if self.call else f"status {status}")
        elif self.call:
            lines.append(f"in {self.call}")
        if self.detail:
            lines.append(f"detail: {self.detail}")
        lines += [f"input {line}" for line in self.fed]
        if self.causes:
            lines.append(f"usual causes: {'; '.join(self.causes)}")
        if self.hint:
            lines.append(f"hint: {self.hint}")
        if self.log:
            lines.append(f"log: {self.log}")
        return "\n  ".join(lines)


class AclError(AclrtError, RuntimeError):
    """AscendCL refused a call, and no class below says more precisely why."""


class DeviceError(AclError):
    """The device cannot be opened, or there is none with that id."""


class DeviceLostError(DeviceError):
    """The device died while in use; all that is left is ``close()``."""


class DeviceOutOfMemoryError(AclError, MemoryError):
    """The device has not enough free memory."""


class DeviceTimeoutError(AclError, TimeoutError):
    """The device did not finish in time."""


class ModelFormatError(AclrtError, ValueError):
    """The bytes are not a well-formed offline model; the message names offset and field."""


class ModelLoadError(AclError):
    """The model is well formed, but it cannot be loaded here."""


class NeedsNpuError(ModelLoadError):
    """A model compiled for real hardware was given to the fake device."""


class InputError(AclrtError, ValueError):
    """The caller's arguments do not fit; the message shows what was expected beside the given."""


class ClosedError(AclrtError):
    """The object was closed, or the process is exiting."""


class ForkedProcessError(AclrtError):
    """An object was used in a child of the process that opened it."""


class BackendError(AclrtError, ImportError):  # type: ignore[misc]  # name: str against str | None
    """There is no usable libascendcl, or not the one that was asked for."""


# aclrt_error_kind_t (csrc/include/aclrt/aclrt.h) to class. IO and HOST_MEMORY become the
# built-in exceptions in error_for; INTERNAL is a defect of this library.
_IO: Final = 13
_HOST_MEMORY: Final = 14
_INTERNAL: Final = 15
_CLASSES: Final[dict[int, type[AclrtError]]] = {
    1: AclError,
    2: DeviceError,
    3: DeviceLostError,
    4: DeviceOutOfMemoryError,
    5: DeviceTimeoutError,
    6: ModelFormatError,
    7: ModelLoadError,
    8: InputError,
    9: ClosedError,
    10: ForkedProcessError,
    11: NeedsNpuError,
    12: BackendError,
    _INTERNAL: AclError,
}


def class_of(kind: int) -> type[Exception]:
    """The class that ``error_for`` makes of a kind."""
    if kind in (_IO, _HOST_MEMORY):
        return OSError if kind == _IO else MemoryError
    return _CLASSES.get(kind, AclError)


def error_for(
    kind: int,
    message: str,
    *,
    code: int = 0,
    name: str = "",
    call: str = "",
    detail: str = "",
    hint: str = "",
    filenames: Iterable[str] = (),
) -> Exception:
    """The exception for a failure as the C boundary describes it.

    Args:
        kind: A number of ``aclrt_error_kind_t``.
        message: One sentence.
        code: AscendCL's code, or the errno where ``kind`` is IO.
        name: The code's name.
        call: The function that failed.
        detail: AscendCL's own recent message.
        hint: What to do next.
        filenames: The files that the caller named; the one that the message is about becomes
            ``OSError.filename``.

    Returns:
        An instance of ``AclrtError``, ``OSError`` or ``MemoryError``; not raised.
    """
    if kind == _IO:
        # Compared as bytes: the message is UTF-8, the name in the file system's encoding.
        said = message.encode("utf-8", "surrogateescape")
        about = [name for name in filenames if os.fsencode(name) in said]
        if about:
            file = max(about, key=len)
            # The library's own words, where the system's would mislead: "<file> is ...".
            own = said.removeprefix(os.fsencode(file) + b" ")
            return OSError(code, os.strerror(code) if own == said else own.decode(), file)
        return OSError(code, message)
    if kind == _HOST_MEMORY:
        refused = AclrtError(message, code=code, name=name, call=call, detail=detail, hint=hint)
        memory_error = MemoryError(str(refused))
        vars(memory_error).update(vars(refused))  # code, call, ... say which call ran out
        return memory_error
    cls = _CLASSES.get(kind, AclError)
    return cls(message, code=code, name=name, call=call, detail=detail, hint=hint)
