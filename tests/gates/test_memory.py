# SPDX-License-Identifier: Apache-2.0
"""Memory by counts: what the heap is asked for, what Python holds, what the ledger lists."""

from __future__ import annotations

from textwrap import dedent

import pytest

NULL_DEVICE = {
    "ACLRT_FAKE_PROFILE": "null",
    "ACLRT_FAKE_ENGINE": "synthetic",
    "ACLRT_FAKE_WINDOW": "1",
}

# For a child: counts of the heap over n calls; blocks and objects that Python holds; the ledger.
COUNTS = """
import ctypes
import tracemalloc
heap = ctypes.CDLL(None)
heap.heap_calls.restype = heap.heap_calls_from.restype = ctypes.c_ulong
heap.heap_calls_from.argtypes = [ctypes.c_ulong, ctypes.c_char_p]
def heap_of(call, n=1000):
    for _ in range(100): call()
    gc.collect()
    gc.disable()
    before = heap.heap_calls()
    for _ in range(n): call()
    total = heap.heap_calls() - before
    counts = [heap.heap_calls_from(before, b) for b in (b"libaclrt.", b"libascendcl.", b"numpy")]
    gc.enable()
    return (total, *counts)
def held():
    live = aclrt.fake.ledger()["objects"]
    return {k: (v["live"], v["live_bytes"]) for k, v in live.items()}
def assert_nothing_grows(call, n=4000):
    for _ in range(200): call()
    tracemalloc.start()
    for _ in range(100): call()
    ledger = held()
    gc.collect()
    objects, size = len(gc.get_objects()), tracemalloc.get_traced_memory()[0]
    for _ in range(n): call()
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - size
    more = len(gc.get_objects()) - objects
    assert abs(more) < 20, more
    assert held() == ledger
    # An object of each call would be over 16 bytes a call; free lists move by some KB in all.
    assert grown < 4 * n, grown
    tracemalloc.stop()
"""


@pytest.mark.parametrize("call", ["m(X)", "m({'x': X})", "m(X, out=y)", "m.run(None, {'x': X})"])
def test_a_call_asks_nothing_of_the_heap(child, heap_counter, call):
    """A thousand steady calls: neither library asks for anything, and who holds the arrays for
    one piece each."""
    outcome = child(
        COUNTS
        + dedent(f"""
        m, y = load(), np.empty((2, 3), np.float32)
        print(*heap_of(lambda: {call}))
        """),
        env={"LD_PRELOAD": str(heap_counter), **NULL_DEVICE},
    )
    outcome.assert_clean()
    total, library, fake, numpy = map(int, outcome.out.split())
    assert (0, 0) == (library, fake)
    # cffi takes one piece for each array whose address it is asked for.
    assert total < 2 * 1000 + 100, (total, numpy)


def test_runs_in_flight_ask_nothing_of_the_heap(child, heap_counter):
    """The library's threads neither: what the pipeline needs is there once a queue is."""
    outcome = child(
        COUNTS
        + dedent("""
        m, xs = load(), [X] * 100
        print(*heap_of(lambda: sum(1 for _ in m.map(xs, in_flight=4)), n=20))
        """),
        env={"LD_PRELOAD": str(heap_counter), **NULL_DEVICE},
    )
    outcome.assert_clean()
    _, library, _, _ = map(int, outcome.out.split())
    assert 0 == library


@pytest.mark.parametrize(
    "call",
    [
        "m(X)",
        "m({'x': X})",
        "m(X, out=y)",
        "m.run(None, {'x': X})",
        "list(m.map([X] * 4))",
    ],
)
def test_calls_hold_nothing(child, heap_counter, call):
    """After thousands of them Python holds the same objects, the device too."""
    child(
        COUNTS
        + dedent(f"""
        m, y = load(), np.empty((2, 3), np.float32)
        assert_nothing_grows(lambda: {call})
        """),
        env={"LD_PRELOAD": str(heap_counter)},
    ).assert_clean()


def test_refused_calls_hold_nothing(child, heap_counter):
    """Errors neither: tracebacks and tables go."""
    child(
        COUNTS
        + dedent("""
        m = load()
        def refused():
            try:
                m(X.astype(np.float64))
            except aclrt.InputError:
                return
            raise AssertionError
        assert_nothing_grows(refused)
        """),
        env={"LD_PRELOAD": str(heap_counter)},
    ).assert_clean()


def test_loading_and_closing_holds_nothing(child, heap_counter):
    """A hundred lives of a model."""
    child(
        COUNTS
        + dedent("""
        def life():
            with load() as m:
                m(X)
        for _ in range(20): life()
        ledger = held()
        gc.collect()
        objects = len(gc.get_objects())
        for _ in range(100): life()
        gc.collect()
        assert abs(len(gc.get_objects()) - objects) < 20
        assert held() == ledger
        """),
        env={"LD_PRELOAD": str(heap_counter)},
    ).assert_clean()
