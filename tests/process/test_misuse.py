# SPDX-License-Identifier: Apache-2.0
"""Misuse under concurrency: what programs do wrong beside runs in flight ends in an error, or well.

Each case is a process of its own, judged by its exit code, a silent stderr and a clean ledger. Runs
are held in flight by a fault that hangs, so that nothing here depends on time.
"""

from __future__ import annotations

import pytest

HANG = """
from itertools import repeat
from concurrent.futures import CancelledError, wait
faults = aclrt.fake.faults
def hang():
    return faults.arm(group="execute", action="hang", ms=600_000, persistent=True)
def hanging(n=1):
    while len(faults.fired()) < n:
        pass
def ended(future):
    # How it ended, by name.
    try:
        future.result()
        return "done"
    except (CancelledError, aclrt.AclrtError) as error:
        return type(error).__name__
def xs(n):
    return [np.full((2, 3), i, np.float32) for i in range(n)]
"""


@pytest.fixture
def scene(child):
    """Runs the code of a case, after the helpers, and wants it clean."""

    def run(code: str, **how: object) -> None:
        from textwrap import dedent

        child(HANG + dedent(code), **how).assert_clean()

    return run


def test_close_while_runs_are_in_flight(scene):
    """close() waits for what the device has, fails the rest, and every future ends."""
    scene("""
        m = load()
        fault = hang()
        futures = []
        def feed():
            try:
                for x in xs(40): futures.append(m.submit(x))
            except aclrt.ClosedError:
                pass
        feeder = threading.Thread(target=feed)
        feeder.start()
        hanging()
        closer = threading.Thread(target=m.close)
        closer.start()
        faults.disarm(fault)
        closer.join(); feeder.join()
        wait(futures)
        assert {ended(f) for f in futures} <= {"done", "ClosedError"}, {ended(f) for f in futures}
        for i, f in enumerate(futures):
            if not f.exception(): assert (f.result()["y"] == i).all()
        try:
            m.submit(X)
        except aclrt.ClosedError:
            pass
        else:
            raise AssertionError
    """)


def test_many_threads_close_at_once(scene):
    """Beside runs of every kind; close() is idempotent from anywhere."""
    scene("""
        for round in range(20):
            m = load()
            futures = [m.submit(x) for x in xs(4)]
            def use():
                try:
                    while True: m(X)
                except aclrt.ClosedError:
                    pass
            def walk():
                try:
                    for _ in m.map(repeat(X), in_flight=2): pass
                except aclrt.ClosedError:
                    pass
            threads = [threading.Thread(target=t) for t in (use, walk, m.close, m.close, m.close)]
            for t in threads: t.start()
            for t in threads: t.join()
            assert m.is_closed
            assert {ended(f) for f in futures} <= {"done", "ClosedError"}
    """)


def test_close_in_a_callback(scene):
    """The pipeline's own thread closes the model: no deadlock, and all futures end."""
    scene("""
        m = load()
        closed = threading.Event()
        def callback(future):
            m.close()
            closed.set()
        fault = hang()
        futures = [m.submit(X) for _ in range(4)]
        futures[0].add_done_callback(callback)
        faults.disarm(fault)
        closed.wait()
        wait(futures)
        assert ended(futures[0]) == "done"
        assert {ended(f) for f in futures} <= {"done", "ClosedError"}
        m.close()
    """)


def test_closing_the_queue_in_its_own_callback(scene):
    """The same for AsyncQueue."""
    scene("""
        with load() as m:
            queue = aclrt.AsyncQueue(m, 2)
            seen = []
            def callback(result, userdata):
                seen.append(userdata)
                queue.close()
            queue.set_callback(callback)
            futures = []
            for i in range(6):
                try:
                    futures.append(queue.start_async(X, i))
                except aclrt.ClosedError:
                    break
            wait(futures)
            assert seen
            queue.close()
            assert (m(X)[0] == X).all()
    """)


def test_a_model_that_is_dropped_with_runs_in_flight(scene):
    """The futures keep what they need; nothing is freed under the device."""
    scene("""
        fault = hang()
        m = load()
        futures = [m.submit(x) for x in xs(3)]
        hanging()
        del m
        gc.collect()
        faults.disarm(fault)
        for i, f in enumerate(futures):
            assert (f.result()["y"] == i).all()
        del futures, f
        gc.collect()
    """)


def test_futures_that_are_dropped(scene):
    """Nobody waits for the results: the arrays live as long as the device uses them."""
    scene("""
        fault = hang()
        m = load()
        for x in xs(3): m.submit(x)
        del x
        hanging()
        gc.collect()
        faults.disarm(fault)
        assert (m(X)[0] == X).all()
        m.close()
    """)


def test_an_output_array_is_given_twice_in_flight(scene):
    """The second use is refused as long as the first is in flight, whichever way it is asked for;
    an overlapping view too. Afterwards the array is free."""
    scene("""
        m = load()
        big = np.zeros((3, 3), np.float32)
        y, overlapping = big[:2], big[1:]
        fault = hang()
        first = m.submit(X, out=y)
        hanging()
        def refused(use):
            try:
                use()
            except aclrt.InputError as error:
                assert "in flight" in str(error) or "shares memory" in str(error), error
                return
            raise AssertionError("taken twice")
        refused(lambda: m.submit(X, out=y))
        refused(lambda: m.submit(X, out=overlapping))
        refused(lambda: m(X, out=y))
        refused(lambda: m({"x": X}, out={"y": overlapping}))
        refused(lambda: m.submit(X, out=X))
        faults.disarm(fault)
        assert first.result()["y"] is y and (y == X).all()
        assert m(X, out=y)[0] is y
        assert (m.submit(X, out=overlapping).result()["y"] == X).all()
        m.close()
    """)


def test_an_output_array_that_an_input_in_flight_lies_in(scene):
    """A run must not write what another one in flight still reads."""
    scene("""
        m = load()
        x = np.ones((2, 3), np.float32)
        fault = hang()
        first = m.submit(x)
        hanging()
        try:
            m.submit(X, out=x)
        except aclrt.InputError:
            pass
        else:
            raise AssertionError
        faults.disarm(fault)
        assert (first.result()["y"] == 1).all()
        m.close()
    """)


def test_callbacks_that_raise(scene):
    """Whatever it is, the runs after it go on, and wait_all tells of it."""
    scene("""
        import logging
        logging.getLogger("concurrent.futures").disabled = True
        m = load()
        done = []
        class Odd(BaseException): pass
        kinds = [ValueError, KeyboardInterrupt, SystemExit, Odd, StopIteration, GeneratorExit]
        with aclrt.AsyncQueue(m, 2) as queue:
            for kind in kinds:
                def callback(result, userdata, kind=kind):
                    done.append(kind)
                    raise kind("from a callback")
                queue.set_callback(callback)
                queue.start_async(X)
                try:
                    queue.wait_all()
                except kind as error:
                    assert str(error) == "from a callback", error
                else:
                    raise AssertionError(kind)
            queue.set_callback(lambda result, userdata: done.append(userdata))
            for i in range(5): queue.start_async(X, i)
        assert done[-5:] == [0, 1, 2, 3, 4]
        future = m.submit(X)
        future.add_done_callback(lambda f: 1 / 0)
        assert (future.result()["y"] == X).all()
        assert (m.submit(X).result()["y"] == X).all()
        m.close()
    """)


def test_the_iterable_of_map_misbehaves(scene):
    """It raises, uses the model itself, closes it, or runs a map inside a map."""
    scene("""
        m = load()
        class Odd(BaseException): pass
        def broken(kind):
            yield X
            raise kind("from the iterable")
        for kind in (ValueError, KeyboardInterrupt, Odd):
            results = []
            try:
                for y in m.map(broken(kind), in_flight=3): results.append(y)
            except kind:
                pass
            else:
                raise AssertionError(kind)
        def nested():
            for x in xs(4):
                (y,) = m.map([x], in_flight=2)
                yield y["y"] + m(x)["y"]
        assert [int(y["y"][0, 0]) for y in m.map(nested(), in_flight=2)] == [0, 2, 4, 6]
        def closing():
            yield X
            m.close()
            yield X
        try:
            list(m.map(closing(), in_flight=2))
        except aclrt.ClosedError:
            pass
        else:
            raise AssertionError
    """)


def test_a_generator_of_map_in_two_threads(scene):
    """Python refuses to run one generator twice at a time; the library has nothing to lose."""
    scene("""
        m = load()
        stream = m.map(repeat(X), in_flight=4)
        errors = []
        def walk():
            try:
                for _ in range(200): next(stream)
            except ValueError as error:
                errors.append(error)
        threads = [threading.Thread(target=walk) for _ in range(4)]
        for t in threads: t.start()
        for t in threads: t.join()
        stream.close()
        assert all("already executing" in str(e) for e in errors)
        assert (m(X)[0] == X).all()
        m.close()
    """)


@pytest.mark.parametrize("way", ["submit", "map", "queue", "call"])
def test_a_device_that_is_lost_in_the_middle(scene, way):
    """Everything in flight fails with DeviceLostError, at once afterwards too; close() returns, and
    after it the device can be used anew."""
    scene(f"""
        way = {way!r}
        m = load()
        fault = hang()
        errors, results = [], []
        def use():
            try:
                if way == "submit":
                    futures = [m.submit(x) for x in xs(12)]
                    for f in futures:
                        try:
                            results.append(f.result())
                        except aclrt.DeviceLostError as error:
                            errors.append(error)
                elif way == "map":
                    for y in m.map(xs(12), in_flight=4): results.append(y)
                elif way == "queue":
                    queue = aclrt.AsyncQueue(m, 4)
                    for x in xs(12): queue.start_async(x)
                    queue.wait_all()
                else:
                    for x in xs(12): results.append(m(x))
            except aclrt.DeviceLostError as error:
                errors.append(error)
        user = threading.Thread(target=use)
        user.start()
        hanging()
        aclrt.fake.faults.lose_device(0)
        faults.disarm(fault)
        user.join()
        assert errors, results
        for again in (lambda: m(X), lambda: m.submit(X).result(), lambda: list(m.map([X]))):
            try:
                again()
            except aclrt.DeviceLostError:
                pass
            else:
                raise AssertionError("the device was lost")
        try:
            m.close()
        except aclrt.DeviceLostError:
            pass
        assert m.is_closed
        faults.clear()
        with load() as anew:
            assert (anew(X)[0] == X).all()
    """)


def test_a_late_run_keeps_its_memory(scene):
    """After a time-out the device may still write: the arrays stay, and the next run waits."""
    scene("""
        m = load()
        y = np.zeros((2, 3), np.float32)
        fault = hang()
        try:
            m.submit(X, out=y, timeout_s=0.05).result()
        except aclrt.DeviceTimeoutError:
            pass
        else:
            raise AssertionError
        try:
            m.submit(X, out=y)
        except aclrt.InputError:
            pass
        else:
            raise AssertionError("the device still has it")
        del y
        gc.collect()
        faults.disarm(fault)
        assert (m(X)[0] == X).all()
        m.close()
    """)


def test_the_process_ends_with_runs_in_flight(scene):
    """Neither a hang nor a crash, with model, futures, generator and queue left as they are."""
    scene("""
        m = load()
        futures = [m.submit(X) for _ in range(6)]
        stream = m.map(repeat(X), in_flight=3)
        next(stream)
        queue = aclrt.AsyncQueue(m, 2)
        queue.start_async(X)
    """)


def test_a_fork_beside_runs_in_flight(scene):
    """The child is refused everything, at once; the parent goes on."""
    scene("""
        m = load()
        stream = m.map(repeat(X), in_flight=3)
        next(stream)
        future = m.submit(X)
        pid = os.fork()
        if pid == 0:
            for use in (lambda: m(X), lambda: m.submit(X), lambda: next(m.map([X]))):
                try:
                    use()
                except aclrt.ForkedProcessError:
                    continue
                os._exit(1)
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        assert (future.result()["y"] == X).all()
        next(stream)
        stream.close()
        m.close()
    """)
