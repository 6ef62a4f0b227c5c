# SPDX-License-Identifier: Apache-2.0
"""A model in several processes: results, errors, workers that die, what is left behind."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import aclrt
from aclrt import process_pool

X = np.arange(6, dtype=np.float32).reshape(2, 3)
SHARED = Path("/dev/shm")


@pytest.fixture
def om(om_factory: Any) -> bytes:
    """x float32 (2, 3) -> y = x."""
    made: bytes = om_factory.identity()
    return made


def shared() -> set[str]:
    return {path.name for path in SHARED.glob("psm_*")}


def test_it_is_called_as_a_model(om: bytes) -> None:
    """Each way of calling; errors come in their own class; nothing is left in /dev/shm."""
    before = shared()
    with aclrt.ProcessPool(om, processes=2) as pool:
        assert [spec.name for spec in (*pool.inputs, *pool.outputs)] == ["x", "y"]
        results = [pool(X)[0], pool(x=X)["y"], pool({"x": X})[0], pool.submit(X).result()[0]]
        results.append(asyncio.run(pool.run_async(X))[0])
        for result in results:
            np.testing.assert_array_equal(result, X)
        in_order = [y[0][0, 0] for y in pool.map([X + i for i in range(20)], in_flight=3)]
        assert in_order == list(range(20))
        unordered = pool.map([X + i for i in range(20)], ordered=False)
        assert sorted(y[0][0, 0] for y in unordered) == list(range(20))
        with pytest.raises(aclrt.InputError, match="input"):
            pool(X[:1])
        with pytest.raises(aclrt.InputError, match="no out="):
            pool(X, out=X)
        with pytest.raises(aclrt.InputError, match="not an array"):
            pool([None])
        assert pool.deaths == 0
        assert "2 processes" in repr(pool)
        with pytest.raises(TypeError):
            pickle.dumps(pool)
    pool.close()
    assert pool.is_closed
    assert shared() == before
    for refused in (pool, lambda x: pool.map([x])):
        with pytest.raises(aclrt.ClosedError):
            refused(X)


@pytest.mark.parametrize("on_death", ["raise", "retry"])
def test_a_worker_that_dies_is_replaced(om: bytes, on_death: str) -> None:
    """Its call fails in clear words, or is made again; the pool goes on."""
    before = shared()
    with aclrt.ProcessPool(om, processes=1, on_death=on_death) as pool:
        pool(X)
        (worker,) = (p for p in multiprocessing.active_children() if p.name == "aclrt-worker")
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGKILL)
        if on_death == "raise":
            with pytest.raises(aclrt.WorkerDiedError, match="exit code -9"):
                pool(X)
        np.testing.assert_array_equal(pool(X)[0], X)
        assert pool.deaths == 1
    assert shared() == before


def test_an_error_of_opening_is_the_workers_own(tmp_path: Path) -> None:
    """In its class, and no process is left."""
    before = shared()
    (tmp_path / "m.om").write_bytes(b"no model")
    with pytest.raises(aclrt.ModelFormatError):
        aclrt.ProcessPool(tmp_path / "m.om")
    with pytest.raises(FileNotFoundError):
        aclrt.ProcessPool(tmp_path / "none.om")
    assert shared() == before
    assert all(p.name != "aclrt-worker" for p in multiprocessing.active_children())


@pytest.mark.parametrize(
    "options", [{"processes": 0}, {"on_death": "ignore"}, {"devices": []}, {"devices": ["a"]}]
)
def test_wrong_options_are_refused(om: bytes, options: dict[str, Any]) -> None:
    """Before any process starts."""
    with pytest.raises(aclrt.InputError):
        aclrt.ProcessPool(om, **options)


def _open_in_a_daemon(om: bytes, answer: Any) -> None:
    try:
        aclrt.ProcessPool(om)
    except RuntimeError as error:
        answer.send(str(error))


def test_a_daemonic_process_is_told(om: bytes) -> None:
    """It may start none: what to do instead is said."""
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe()
    process = context.Process(target=_open_in_a_daemon, args=(om, theirs), daemon=True)
    process.start()
    theirs.close()
    assert "daemonic" in mine.recv()
    process.join()


@pytest.mark.parametrize("ending", ["pool.close()", "pass", "os.kill(os.getpid(), 2)"])
def test_a_script_leaves_nothing(om: bytes, tmp_path: Path, ending: str) -> None:
    """Closed, left open at exit, or interrupted."""
    before = shared()
    (tmp_path / "m.om").write_bytes(om)
    (tmp_path / "script.py").write_text(
        "import os, signal\nimport numpy as np\nimport aclrt\n"
        "if __name__ == '__main__':\n"
        "    signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"    pool = aclrt.ProcessPool({str(tmp_path / 'm.om')!r})\n"
        "    print(pool(np.ones((2, 3), np.float32))[0].sum(), flush=True)\n"
        f"    {ending}\n"
    )
    done = subprocess.run(
        [sys.executable, tmp_path / "script.py"], capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "6.0\n"
    assert "leaked" not in done.stderr
    if "kill" in ending:
        assert "KeyboardInterrupt" in done.stderr
    else:
        assert (done.returncode, done.stderr) == (0, "")
    assert shared() == before


def test_close_does_not_wait_for_ever(om: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the grace the worker of a call that hangs is killed, and nothing is left of it."""
    before = shared()
    monkeypatch.setenv("ACLRT_FAKE_FAULTS", "function=aclmdlExecute, action=hang, ms=600000")
    pool = aclrt.ProcessPool(om, processes=1, on_death="retry")
    future = pool.submit(X)
    while not future.running():  # one that has not begun would be cancelled
        assert not future.done()
    pool.close(grace_s=0.2)
    with pytest.raises(aclrt.WorkerDiedError):
        future.result(timeout=60)
    assert shared() == before


def test_a_worker_begun_while_the_pool_closes_is_killed_too(
    om: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one that replaces a dead worker comes after close() has killed all that there were."""
    before = shared()
    monkeypatch.setenv("ACLRT_FAKE_FAULTS", "function=aclmdlExecute, action=hang, ms=600000")
    pool = aclrt.ProcessPool(om, processes=1, on_death="retry")
    swept = threading.Event()
    joining, making = pool._calls.join, process_pool._Worker
    closing = threading.Thread(target=lambda: pool.close(grace_s=0), daemon=True)

    def join() -> None:
        swept.set()
        joining()

    def make(*args: Any) -> Any:
        closing.start()
        assert swept.wait(60)
        return making(*args)

    monkeypatch.setattr(pool._calls, "join", join)
    (worker,) = pool._workers
    monkeypatch.setattr(process_pool, "_Worker", make)
    worker.process.kill()
    future = pool.submit(X)
    with pytest.raises(aclrt.WorkerDiedError):
        future.result(timeout=60)
    closing.join(60)
    assert not closing.is_alive()
    assert shared() == before
