# SPDX-License-Identifier: Apache-2.0
"""What a failed run tells: a code of AscendCL's has many causes, so the error says what was fed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from ._ffi import raise_for
from .errors import AclrtError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .tensor import TensorSpec

__all__ = ["newest_log", "raise_run"]


def raise_run(
    status: Any, model: str, inputs: Sequence[TensorSpec], arrays: Sequence[NDArray[Any]]
) -> NoReturn:
    """Raises what a failed run's status says, with the model, what was fed, and CANN's log.

    Args:
        status: What the library returned; not NULL.
        model: The model's name.
        inputs: What it takes.
        arrays: What was fed, in that order.

    Raises:
        AclrtError: Always; or ``MemoryError``.
    """
    try:
        raise_for(status)
    except AclrtError as error:
        if error.code:
            error.fed = tuple(
                f"{spec}, {spec.nbytes} bytes; fed {array.dtype} {array.shape}, "
                f"{array.nbytes} bytes"
                for spec, array in zip(inputs, arrays, strict=True)
            )
            error.message = f"{model}: {error.message}"
            error.log = newest_log()
        raise
    raise AssertionError("a status that is not NULL is an error")


def newest_log() -> str:
    """The path of the newest log that CANN wrote for this process; ``""`` if there is none.

    The place is AscendCL's: ``$ASCEND_PROCESS_LOG_PATH``, else ``~/ascend/log``, and there
    ``debug/plog/plog-<pid>_<time>.log``.
    """
    root = os.environ.get("ASCEND_PROCESS_LOG_PATH") or Path.home() / "ascend" / "log"
    newest, newest_time = "", -1.0
    for kind in ("debug", "run"):
        for path in Path(root, kind, "plog").glob(f"plog-{os.getpid()}_*.log"):
            try:
                written = path.stat().st_mtime
            except OSError:
                continue
            if written > newest_time:
                newest, newest_time = str(path), written
    return newest
