# SPDX-License-Identifier: Apache-2.0
"""Forks, and the three ways in which multiprocessing starts workers."""

from __future__ import annotations

import pytest

IN_CHILD = """
def in_child(work):
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            code = work()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
def refused(attempt):
    try:
        attempt()
    except aclrt.ForkedProcessError:
        return True
    return False
"""


def test_fork_before_first_use(child):
    """Parent and child each have their own device."""
    child(
        IN_CHILD
        + """
def work():
    with load() as m: m(X)
    return 7
assert 7 == in_child(work)
with load() as m: m(X)
"""
    ).assert_clean()


def test_every_use_after_a_fork_is_refused(child):
    """In the child each call is a ForkedProcessError; the parent goes on."""
    child(
        IN_CHILD
        + """
m = load()
d = aclrt.Device(0); d.open()
def work():
    attempts = [
        lambda: m(X), lambda: m.run(None, {"x": X}), m.close, load,
        aclrt.devices, aclrt.runtime_info, lambda: d.memory,
        aclrt.fake.ledger, aclrt.fake.reset, lambda: aclrt.Device(0),
    ]
    results = [refused(attempt) for attempt in attempts]
    return 7 if all(results) else 100 + results.index(False)
assert 7 == in_child(work), in_child(work)
m(X)
d.close()
"""
    ).assert_clean()


def test_a_forked_child_exits_as_ever(child):
    """With its handlers, its garbage and sys.exit: quiet, and nothing happens to the parent."""
    child("""
        m = load()
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            del m
            gc.collect()
            n = aclrt
            sys.exit(9)
        assert 9 == os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        np.testing.assert_array_equal(X, m(X)[0])
    """).assert_clean()


def test_a_forked_child_that_keeps_the_model_exits_as_ever(child):
    """The interpreter takes the model down at its end."""
    child("""
        m = load()
        pid = os.fork()
        if pid != 0:
            assert 0 == os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            np.testing.assert_array_equal(X, m(X)[0])
    """).assert_clean()


def test_fork_while_another_thread_runs(child):
    """The child holds none of the locks that were taken at that moment."""
    child(
        IN_CHILD
        + """
m = load()
stop = threading.Event()
def busy():
    while not stop.is_set(): m(X)
threads = [threading.Thread(target=busy) for _ in range(2)]
for t in threads: t.start()
def work():
    return 7 if refused(lambda: m(X)) and refused(m.close) and refused(load) else 1
for _ in range(10):
    assert 7 == in_child(work)
stop.set()
for t in threads: t.join()
"""
    ).assert_clean()


@pytest.mark.parametrize("code", ["m = load()", "pass"])
def test_subprocesses_are_independent(child, code):
    """fork and exec: the new program has its own device."""
    child(f"""
        {code}
        import subprocess
        code = "import sys, aclrt; aclrt.OfflineModel(sys.argv[1])"
        subprocess.run([sys.executable, "-c", code, OM], check=True,
                       env={{**os.environ, "ACLRT_FAKE_LEDGER": ""}})
        load()(X)
    """).assert_clean()


WORKERS = """
import multiprocessing, os, sys
import numpy as np
import aclrt

def work(path):
    with aclrt.OfflineModel(path) as model:
        return float(model(np.ones((2, 3), np.float32))[0].sum())

def refused(path):
    try:
        return work(path)
    except aclrt.ForkedProcessError:
        return "refused"

if __name__ == "__main__":
    method, before, path = sys.argv[1:]
    if before == "loaded":
        model = aclrt.OfflineModel(path)
    context = multiprocessing.get_context(method)
    with context.Pool(2) as pool:
        print(pool.map(refused, [path] * 4))
        pool.close()
        pool.join()
    if before == "loaded":
        model(np.ones((2, 3), np.float32))
"""


@pytest.mark.parametrize("before", ["loaded", "untouched"])
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(child, tmp_path, method, before):
    """spawn and forkserver always work, fork until the first use."""
    script = tmp_path / "workers.py"
    script.write_text(WORKERS)
    outcome = child(
        f"""
        import subprocess, os
        done = subprocess.run(
            [sys.executable, {str(script)!r}, {method!r}, {before!r}, OM],
            capture_output=True, text=True, env={{**os.environ, "ACLRT_FAKE_LEDGER": ""}},
        )
        sys.stdout.write(done.stdout); sys.stderr.write(done.stderr); sys.exit(done.returncode)
        """,
        prelude=False,
    )
    expected = ["refused"] * 4 if (method, before) == ("fork", "loaded") else [6.0] * 4
    assert (0, f"{expected}\n", "") == (outcome.code, outcome.out, outcome.err)
