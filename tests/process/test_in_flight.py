# SPDX-License-Identifier: Apache-2.0
"""Processes that end, fork or are interrupted while runs are in flight."""

from __future__ import annotations

import pytest

HANG = """
fault = aclrt.fake.faults.arm(
    function="aclmdlExecute", action="hang", ms=600_000, persistent=True
)
def interrupt_once_it_hangs():
    def wait():
        while not aclrt.fake.faults.fired(): time.sleep(0.001)
        os.kill(os.getpid(), signal.SIGINT)
    threading.Thread(target=wait).start()
def release():
    aclrt.fake.faults.disarm(fault)
"""


@pytest.mark.parametrize(
    "code",
    [
        "m = load(); fs = [m.submit(X) for _ in range(20)]",
        "m = load(); fs = [m.submit(X) for _ in range(20)]; m.close(); assert fs[0].done()",
        "m = load(); f = m.submit(X); del m; f.result()",
        "m = load(); g = m.map([X] * 50); next(g)",
        "m = load(); g = m.map([X] * 50); next(g); m.close()",
        "m = load(); g = m.map([X] * 50); next(g); c = [g]; c.append(c); del g, m, c",
        "m = load(); q = aclrt.AsyncQueue(m, 3); [q.start_async(X) for _ in range(9)]",
        "m = load(); q = aclrt.AsyncQueue(m, 3); q.start_async(X); m.close(); q.close()",
        "m = load(); m(X, timeout_s=60)",
        "m = load(); atexit.register(lambda: m.submit(X).result())",
        "import asyncio; m = load(); asyncio.run(m.run_async(X))",
        "gc.disable(); m = load(); f = m.submit(X); c = [m, f]; c.append(c)",
        "m = load(instances=2); fs = [m.submit(X) for _ in range(40)]; list(m.map([X] * 40))",
        """
        import contextlib
        begun = threading.Event()
        def work():
            results = load().map([X] * 50)
            next(results)
            begun.set()
            with contextlib.suppress(aclrt.ClosedError): list(results)
        threading.Thread(target=work, daemon=True).start()
        begun.wait()
        """,
    ],
)
def test_exit_with_runs_in_flight(child, code):
    """Whatever is in flight is finished, and the device given back."""
    child(code).assert_clean()


@pytest.mark.parametrize(
    "wait",
    [
        "m.submit(X).result()",
        "list(m.map([X] * 3))",
        "m(X, timeout_s=600)",
        "[m.submit(X) for _ in range(20)]",
        "q.start_async(X); q.wait_all()",
        "f = m.submit(X); m.close()",
    ],
)
def test_ctrl_c_ends_the_waiting(child, wait):
    """Although the device hangs; afterwards everything is given back."""
    child(
        f"""
m = load()
q = aclrt.AsyncQueue(m, 2)
{HANG}
interrupt_once_it_hangs()
try:
    {wait}
except KeyboardInterrupt:
    release()
else:
    raise AssertionError("nobody interrupted")
m.close()
"""
    ).assert_clean()


def test_a_fork_in_the_middle(child):
    """The child is refused at once, even beside a held lock; the parent's runs are finished."""
    child(
        """
        m = load()
        futures = [m.submit(X) for _ in range(20)]
        pid = os.fork()
        if pid == 0:
            refused = 0
            for attempt in (
                lambda: m.submit(X),
                lambda: next(m.map([X])),
                lambda: m(X, timeout_s=5),
                lambda: aclrt.AsyncQueue(m, 2),
            ):
                try:
                    attempt()
                except aclrt.ForkedProcessError:
                    refused += 1
            os._exit(refused)
        assert 4 == os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        for future in futures:
            assert (future.result()["y"] == X).all()
        m.close()
        """
    ).assert_clean()


def test_closing_a_tensor_in_flight_hears_of_an_interrupt(child):
    """Although the device hangs; afterwards it can be closed. Binding does not wait for it."""
    child(
        f"""
m = load()
x = aclrt.DeviceTensor.from_numpy(X)
{HANG}
future = m.submit(x)
while not aclrt.fake.faults.fired(): time.sleep(0.001)
m.bind(X)
def interrupt():
    while not x.is_closed: time.sleep(0.001)
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=interrupt).start()
try:
    x.close()
except KeyboardInterrupt:
    release()
else:
    raise AssertionError("nobody interrupted")
future.result()
x.close()
m.close()
"""
    ).assert_clean()


def test_page_locked_arrays_are_used_in_place_where_memory_is_one(child):
    """In every way of running, on a board that runs the program itself."""
    child(
        """
        m = load()
        x, y = aclrt.pinned_empty((2, 3), "f4"), aclrt.pinned_empty((2, 3), "f4")
        x[...] = 3
        def copies(run):
            run()
            before = aclrt.fake.ledger()["calls"].get("aclrtMemcpy", 0)
            assert (run()["y"] == 3).all()
            return aclrt.fake.ledger()["calls"].get("aclrtMemcpy", 0) - before
        assert 1 == copies(lambda: m(x))
        assert 0 == copies(lambda: m(x, out=y))
        assert 0 == copies(lambda: m.submit(x, out=y).result())
        assert 0 == copies(m.bind(x, y))
        assert 2 == copies(lambda: m(X * 3))
        """,
        env={"ACLRT_FAKE_PROFILE": "rc"},
    ).assert_clean()
