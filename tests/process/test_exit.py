# SPDX-License-Identifier: Apache-2.0
"""However a process ends, it ends quietly, with the right code, and gives the device back."""

from __future__ import annotations

import signal

import pytest


@pytest.mark.parametrize(
    "code",
    [
        "m = load(); m(X)",
        "m = load(); m(X); m.close()",
        "with load() as m: m(X)",
        "m = load(); r = m(X); del m",
        "ms = [load() for _ in range(3)]; [m(X) for m in ms]",
        "m = load(); c = [m]; c.append(c)",
        "class A: pass\na = A(); a.m = load(); a.self = a; a.m(X)",
        "l = threading.local(); l.m = load(); l.m(X)",
        "import functools; cached = functools.lru_cache(load); cached()(X)",
        "m = load(); atexit.register(m.close)",
        "m = load(); atexit.register(lambda: m(X))",
        "atexit.register(lambda: load()(X))",
        "gc.disable(); m = load(); c = [m]; c.append(c)",
        "sys.modules['kept'] = load()",
        "import builtins; builtins.kept = load()",
        "d = aclrt.Device(0); d.open()",
        "d = aclrt.Device(0); d.open(); m = load(); m.extra = d",
        "r = load()(X); sys.modules['r'] = r",
        "aclrt.runtime_info(); aclrt.devices()",
        "m = load(); m.close(); m.close(); del m; gc.collect()",
    ],
)
def test_exit_with_things_open(child, code):
    """Models and devices left anywhere are given back at exit."""
    child(code).assert_clean()


def test_exit_from_a_thread_local(child):
    """A model in the thread-local of a thread that has ended, and of one that has not."""
    child("""
        local = threading.local()
        models = []
        def work():
            local.model = load()
            local.model(X)
        threading.Thread(target=work).start()
        local.model = load()
    """).assert_clean()


def test_exit_while_a_daemon_thread_runs_the_model(child):
    """The run is waited for, never cut in the middle."""
    child("""
        m = load()
        running = threading.Event()
        def work():
            while True:
                try:
                    m(X)
                except aclrt.ClosedError:
                    return
                running.set()
        for _ in range(2):
            threading.Thread(target=work, daemon=True).start()
        running.wait()
    """).assert_clean()


def test_exit_while_a_daemon_thread_loads(child):
    """Loading is refused, or finished and given back."""
    child("""
        running = threading.Event()
        def work():
            while True:
                try:
                    load()(X)
                except aclrt.ClosedError:
                    return
                running.set()
        threading.Thread(target=work, daemon=True).start()
        running.wait()
    """).assert_clean()


def test_an_uncaught_exception_that_holds_the_model(child):
    """The traceback keeps the model alive until the end; only Python's own report is printed."""
    outcome = child("""
        def work():
            model = load()
            model(X)
            raise KeyError("mine")
        work()
    """)
    assert 1 == outcome.code
    assert outcome.err.startswith("Traceback")
    assert outcome.err.endswith("KeyError: 'mine'\n")
    assert 0 == outcome.ledger["live"]


def test_an_exception_kept_in_sys_last_value(child):
    """A model held by an exception that is stored."""
    child("""
        try:
            model = load()
            model(np.zeros(1))
        except aclrt.InputError as error:
            sys.kept = error
    """).assert_clean()


@pytest.mark.parametrize("code", [0, 3])
def test_sys_exit_in_the_main_thread(child, code):
    """The code is passed on."""
    child(f"m = load(); m(X); sys.exit({code})").assert_clean(code)


def test_sys_exit_in_a_worker(child):
    """It ends the thread alone."""
    child("""
        m = load()
        t = threading.Thread(target=lambda: (m(X), sys.exit(3)))
        t.start(); t.join()
        m(X)
    """).assert_clean()


def test_os_exit(child):
    """No handler runs; the process just ends."""
    outcome = child("m = load(); m(X); os._exit(5)")
    assert (5, "", "") == (outcome.code, outcome.out, outcome.err)


def test_use_after_shutdown_is_a_closed_error(child):
    """A handler that was registered before the import runs after our shutdown."""
    outcome = child(
        """
        import atexit, sys
        def late():
            for attempt in (lambda: m(X), lambda: aclrt.OfflineModel(OM), aclrt.devices):
                try:
                    attempt()
                except aclrt.ClosedError:
                    print("closed")
            m.close()
        atexit.register(late)
        import aclrt, numpy as np
        X = np.ones((2, 3), np.float32)
        m = aclrt.OfflineModel(OM)
        m(X)
        """,
        prelude=False,
    )
    outcome.assert_clean()
    assert "closed\n" * 3 == outcome.out


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("busy", ["while True: m(X)", "while True: load()(X)", "time.sleep(60)"])
def test_signals(child, number, busy):
    """SIGTERM and SIGKILL end the process as ever; SIGINT is a KeyboardInterrupt."""
    process, ledger = child.start(f"m = load(); m(X); print('ready', flush=True)\n{busy}")
    assert "ready\n" == process.stdout.readline()
    process.send_signal(number)
    outcome = child.finish(process, ledger)
    assert -number == outcome.code
    if number == signal.SIGINT:
        assert outcome.err.endswith("KeyboardInterrupt\n")  # and Python kills itself with it
    else:
        assert "" == outcome.err


def test_a_handler_of_sigterm_that_exits(child):
    """What services do: the device is given back."""
    process, ledger = child.start("""
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        m = load(); print("ready", flush=True)
        while True: m(X)
    """)
    assert "ready\n" == process.stdout.readline()
    process.terminate()
    child.finish(process, ledger).assert_clean()


def test_ctrl_c_during_one_long_run(child):
    """KeyboardInterrupt comes when the run is over: no run is cut, and no output is lost."""
    outcome = child(
        """
        m = load()
        y = np.zeros_like(X)
        def interrupt():
            while not aclrt.fake.ledger()["calls"].get("aclmdlExecute"):
                time.sleep(0.01)
            os.kill(os.getpid(), signal.SIGINT)
        thread = threading.Thread(target=interrupt)
        thread.start()
        try:
            m(X, out=y)
            time.sleep(30)
        except KeyboardInterrupt:
            print((y == X).all())
        thread.join()
        m(X)
        m.close()
        """,
        env={"ACLRT_FAKE_COMPUTE_US": "700000"},
    )
    outcome.assert_clean()
    assert "True\n" == outcome.out


def test_keyboard_interrupt_is_caught_and_work_goes_on(child):
    """After Ctrl-C the model is as usable as before."""
    process, ledger = child.start("""
        m = load()
        try:
            print("ready", flush=True)
            while True: m(X)
        except KeyboardInterrupt:
            pass
        np.testing.assert_array_equal(X, m(X)[0])
        print("fine")
    """)
    assert "ready\n" == process.stdout.readline()
    process.send_signal(signal.SIGINT)
    outcome = child.finish(process, ledger)
    outcome.assert_clean()
    assert "fine\n" == outcome.out


@pytest.mark.parametrize(
    "options", [("-X", "dev", "-W", "error", "-X", "faulthandler"), ("-I",), ("-O",), ("-OO",)]
)
def test_interpreter_options(child, options):
    """Development mode finds nothing; isolated and optimised modes work."""
    child("m = load(); np.testing.assert_array_equal(X, m(X)[0])", *options).assert_clean()
