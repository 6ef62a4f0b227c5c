# SPDX-License-Identifier: Apache-2.0
"""The methods of a model that put runs in flight; ``aclrt.pipeline`` is imported at the first."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from .errors import ClosedError

if TYPE_CHECKING:
    from concurrent.futures import Future

    from ._requests import Preparer
    from .pipeline import Overlap
    from .result import Result

__all__ = ["Submitting"]

_making = threading.RLock()  # a signal handler may interrupt


class Submitting:
    """What runs in flight need of a model: ``_handle``, ``_closed`` and ``_preparer``."""

    _handle: Any
    _name: str
    _closed: bool
    _overlap: Overlap | None = None

    def _preparer(self) -> Preparer:
        raise NotImplementedError

    def _in_flight(self) -> Overlap:
        if self._overlap is None:
            from .pipeline import Overlap

            with _making:
                if self._closed:
                    raise ClosedError(f"{self._name} is closed", hint="load it again")
                if self._overlap is None:
                    self._overlap = Overlap(self._handle, self._preparer())
        return self._overlap

    def _close_overlap(self) -> Exception | None:
        try:
            if self._overlap is not None:
                self._overlap.close()
        except Exception as error:
            return error
        return None

    def submit(
        self,
        /,
        *args: Any,
        out: Any = None,
        cast: str | None = None,
        pad: str | None = None,
        split: bool | None = None,
        timeout_s: float | None = None,
        **named: Any,
    ) -> Future[Result]:
        """Starts a run and returns its future, so that copies and execution of several overlap.

        What is fed is checked before the call returns. At most 8 runs are in flight (for each
        instance), or as many as ``reserve`` made slots for; with more, the call waits for the first
        to finish. Fed arrays must not change until the run is over, and ``out`` belongs to it.
        ``cancel()`` of the future gives the run up at any time before it is over; the device may
        still finish it, into memory that is kept until then. Runs are executed in the order in
        which they were submitted.

        Args:
            *args: As for a call.
            out: As for a call. Arrays that a run in flight uses are refused.
            cast: As for a call.
            pad: As for a call.
            split: True is refused: a run in flight is one run.
            timeout_s: Seconds from now after which the future fails with ``DeviceTimeoutError``.
            **named: As for a call.

        Returns:
            A ``concurrent.futures.Future`` of the ``Result``. Its callbacks run in a thread of the
            library's.

        Raises:
            InputError: The arrays do not fit, or are in use.
            ClosedError: The model is closed.
            DeviceLostError: The device died.
            ForkedProcessError: This is a child of the process that loaded it.
        """
        return self._in_flight().submit(args, named, out, cast, pad, split, timeout_s, wait=True)

    async def run_async(
        self,
        /,
        *args: Any,
        out: Any = None,
        cast: str | None = None,
        pad: str | None = None,
        split: bool | None = None,
        timeout_s: float | None = None,
        **named: Any,
    ) -> Result:
        """Runs the model without blocking the event loop; otherwise as ``submit``.

        Any number of tasks may wait: they get slots in the order in which they came. Cancelling
        the task gives the run up.

        Args:
            *args: As for a call.
            out: As for ``submit``.
            cast: As for a call.
            pad: As for a call.
            split: As for ``submit``.
            timeout_s: Seconds from now after which ``DeviceTimeoutError`` is raised.
            **named: As for a call.

        Returns:
            The outputs.

        Raises:
            InputError: The arrays do not fit, or are in use.
            DeviceTimeoutError: The run did not finish in time.
            ClosedError: The model is closed.
            DeviceLostError: The device died.
            AclError: AscendCL refused the run.
        """
        import asyncio

        future = self._in_flight().submit(args, named, out, cast, pad, split, timeout_s, wait=False)
        return await asyncio.wrap_future(future)

    def map(
        self,
        items: Iterable[Any],
        *,
        in_flight: int = 8,
        ordered: bool = True,
        cast: str | None = None,
        pad: str | None = None,
        timeout_s: float | None = None,
    ) -> Iterator[Result]:
        """Runs the model for each item, with several in flight, and yields the results.

        Items are taken as slots become free, never more than ``in_flight`` ahead of the results
        that were yielded. An error, of the iterable, of an item that does not fit or of a run, is
        raised after the results of the items before it, and ends the generator. Closing the
        generator gives up what is in flight and waits for the device to let go of it.

        Args:
            items: What to feed: for each run an array, a tuple of arrays, or a dict by name. They
                must not change before their result is there.
            in_flight: Runs in flight, for each instance of the model. Three suffice for a device
                that copies and executes; the default also covers a Python program whose other
                threads hold the interpreter for 5 ms at a time.
            ordered: Whether results come in the order of the items, or as they finish.
            cast: As for a call.
            pad: As for a call.
            timeout_s: Seconds that a run may take, waiting for those before it included.

        Returns:
            A generator of ``Result``.

        Raises:
            InputError: An argument is wrong.
            ClosedError: The model is closed.
        """
        return self._in_flight().map(items, in_flight, ordered, cast, pad, timeout_s)
