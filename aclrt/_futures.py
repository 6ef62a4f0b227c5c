# SPDX-License-Identifier: Apache-2.0
"""A future whose callbacks cannot end the thread of the library that calls them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final

from .result import Result

__all__ = ["SteadyFuture", "log"]

log: Final = logging.getLogger("concurrent.futures")  # where errors of a future's callbacks go


class SteadyFuture(Future[Result]):
    """``concurrent.futures`` lets through what is no ``Exception``, and calls no more of them."""

    def is_called_here(self) -> bool:
        """Whether this is a thread of the library's that calls callbacks."""
        raise NotImplementedError

    def add_done_callback(self, fn: Callable[[Future[Result]], object]) -> None:
        """As in the base class; what it raises in a thread of the library's is logged."""

        def call(done: Future[Result]) -> None:
            try:
                fn(done)
            except Exception:
                raise  # which the base class logs
            except BaseException:
                if not self.is_called_here():
                    raise
                log.exception("exception calling callback for %r", done)

        super().add_done_callback(call)
