# SPDX-License-Identifier: Apache-2.0
"""What all resources share: a ``with`` block closes them, and they stay in their process."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar

from .errors import AclrtError, ClosedError

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Closing", "close_after"]


def close_after(resource: Any, exc: BaseException | None) -> None:
    """Closes at the end of a ``with`` block; the block's own exception stays the one raised."""
    try:
        resource.close()
    except (AclrtError, MemoryError) as error:
        if exc is None:
            raise
        if hasattr(exc, "add_note"):
            exc.add_note(f"and closing {resource!r} failed: {error}")


class Closing:
    """A resource with ``close()``, which sets ``_closed``."""

    __slots__ = ()

    _closed: bool
    _again: ClassVar[str]  # what to do in place of using one that is closed
    _elsewhere: ClassVar[str]  # and in place of pickling it

    def close(self) -> None:
        """Gives everything back. Idempotent."""
        raise NotImplementedError

    def _what(self) -> str:
        """What it is called in messages."""
        raise NotImplementedError

    @property
    def is_closed(self) -> bool:
        """Whether ``close()`` was called."""
        return self._closed

    def _refuse_closed(self) -> None:
        if self._closed:
            raise ClosedError(f"{self._what()} is closed", hint=self._again)

    def __enter__(self) -> Self:
        """Itself.

        Raises:
            ClosedError: It is closed.
        """
        self._refuse_closed()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Closes it; a failure to close never hides the exception of the block."""
        close_after(self, exc)

    def __reduce__(self) -> Any:
        """Refuses: it belongs to its process.

        Raises:
            TypeError: Always.
        """
        raise TypeError(f"a {type(self).__name__} cannot be pickled or copied: {self._elsewhere}")
