# SPDX-License-Identifier: Apache-2.0
"""The generator behind ``model.map``, which takes results and feeds slots whenever it wakes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from ._flight import SLICE_MS, Landing, closed_before

if TYPE_CHECKING:
    from ._requests import Request
    from .pipeline import Overlap
    from .result import Result

__all__ = ["results"]


def results(
    overlap: Overlap,
    source: Iterator[Any],
    request_of: Callable[[Any], Request],
    depth: int,
    ordered: bool,
) -> Iterator[Result]:
    """What ``model.map`` gives.

    Args:
        overlap: The model's.
        source: The items.
        request_of: Makes a request of an item.
        depth: Runs in flight, for each instance of the model.
        ordered: Whether results come in the order of the items.
    """
    flight = overlap.borrow(depth)
    limit = flight.depth // flight.asked * depth  # the queue may be a deeper one
    places: dict[Request, int] = {}  # of those that have not landed
    landed: dict[int, tuple[Request, BaseException | None]] = {}
    taken = given = 0  # items from the source, results to the caller
    end: BaseException | None = None  # what comes after the last result
    settle = True  # whether to wait for the device in the end
    try:
        while True:
            batch: list[Request] = []
            room = min(flight.room, limit - (taken - given))
            while end is None and len(batch) < room:
                try:
                    batch.append(request_of(next(source)))
                except Exception as error:  # of the source, or an item that does not fit
                    end = error
                    break
                places[batch[-1]] = taken
                taken += 1
            if not batch and taken == given:
                if end is None or isinstance(end, StopIteration):
                    return
                raise end
            landings: list[Landing] = []
            try:
                landings = flight.exchange(batch, SLICE_MS)
            except Exception as error:
                end = error
            for one in batch:
                if not one.is_accepted:
                    del places[one]
                    taken -= 1
            for landing in landings:
                place = places.pop(landing.request, None)
                if place is None:
                    continue
                settle = settle and landing.is_final
                failure = closed_before() if landing.is_cancelled else landing.error
                landed[place] = (landing.request, failure)
            for place in [given] if ordered else list(landed):
                while place in landed:
                    request, failure = landed.pop(place)
                    given += 1
                    if failure is not None:
                        raise failure
                    yield request.result()
                    place += ordered
    except KeyboardInterrupt:
        settle = False
        raise
    finally:
        overlap.give_back(flight, settle)
