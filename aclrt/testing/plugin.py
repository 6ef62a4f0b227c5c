# SPDX-License-Identifier: Apache-2.0
"""The pytest plugin: fixtures, a marker and options for tests of programs that use a device.

pytest loads it in every run (entry point ``pytest11``), and the package with it, which loads
nothing foreign. No device is touched and no variable set before a test or an option asks for it.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from types import ModuleType

    from .models import OmFactory

Live = dict[str, int]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declares ``--aclrt-backend`` and ``--aclrt-leaks``."""
    group = parser.getgroup("aclrt", "offline models (aclrt)")
    group.addoption(
        "--aclrt-backend",
        choices=("auto", "npu", "fake"),
        help="which libascendcl the tests run on (sets ACLRT_BACKEND)",
    )
    group.addoption(
        "--aclrt-leaks",
        action="store_true",
        help="fail every test that leaves something on the fake device",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Registers the marker, and what the options ask for."""
    config.addinivalue_line(
        "markers", "npu(min_devices=1): needs a card, or several; skipped where there are none"
    )
    backend = config.getoption("--aclrt-backend")
    if backend is not None:
        os.environ["ACLRT_BACKEND"] = backend
    if config.getoption("--aclrt-leaks"):
        config.pluginmanager.register(_Leaks(), "aclrt-leaks")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skips tests that need more cards than there are."""
    marker = item.get_closest_marker("npu")
    if marker is None:
        return
    needed = _min_devices(*marker.args, **marker.kwargs)
    count, why = _cards()
    if count < needed:
        pytest.skip(f"needs {needed} card{'s' * (needed > 1)}: {why or f'there are {count}'}")


def _min_devices(min_devices: int = 1) -> int:
    return min_devices


def _cards() -> tuple[int, str]:
    """How many cards there are, and why there are none."""
    import warnings

    import aclrt

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # that it is the fake is said below
            info = aclrt.runtime_info()
    except (aclrt.AclrtError, OSError) as error:
        return 0, str(error).splitlines()[0]
    return (0, "the backend is the fake device") if info.is_fake else (info.device_count, "")


def _the_fake() -> ModuleType:
    import aclrt

    os.environ.setdefault("ACLRT_BACKEND", "fake")  # asked for: nothing to announce
    if not aclrt.fake.is_active():
        pytest.skip("needs the fake device, and the backend is npu")
    return aclrt.fake


def _live() -> Live:
    objects = _the_fake().ledger()["objects"]
    return {kind: count["live"] for kind, count in objects.items() if count["live"]}


def _left(before: Live) -> Live:
    """What is alive beyond ``before``; garbage is collected first where there is anything."""
    after = _live()
    if any(count > before.get(kind, 0) for kind, count in after.items()):
        gc.collect()
        after = _live()
    return {
        kind: count - before.get(kind, 0)
        for kind, count in after.items()
        if count > before.get(kind, 0)
    }


def _fail_if_left(before: Live) -> None:
    left = _left(before)
    if left:
        words = ", ".join(f"{count} {kind}" for kind, count in sorted(left.items()))
        pytest.fail(f"left on the device: {words}\n{_the_fake().ledger_text()}", pytrace=False)


@pytest.fixture
def acl_fake() -> Iterator[ModuleType]:
    """``aclrt.fake`` with no faults armed, before and after; skipped on a card."""
    fake = _the_fake()
    fake.faults.clear()
    try:
        yield fake
    finally:
        fake.faults.clear()


@pytest.fixture
def acl_faults(acl_fake: ModuleType) -> Any:
    """``aclrt.fake.faults``: what is armed ends with the test."""
    return acl_fake.faults


@pytest.fixture
def acl_ledger(acl_fake: ModuleType) -> Iterator[Callable[[], Live]]:
    """Live objects of the fake device by kind, when called; at the end the test must leave none."""
    before = _live()
    yield _live
    _fail_if_left(before)


@pytest.fixture(scope="session")
def om_factory(tmp_path_factory: pytest.TempPathFactory) -> OmFactory:
    """Makes small models of any signature, as bytes or files: ``aclrt.testing.OmFactory``."""
    from .models import OmFactory

    return OmFactory(tmp_path_factory.mktemp("om"))


class _Leaks:
    """``--aclrt-leaks``: what each test leaves, but for what fixtures of a wider scope keep."""

    def __init__(self) -> None:
        self._before: Live = {}

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, object, object]:
        self._before = _live()
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[Any]
    ) -> Generator[None, object, object]:
        if fixturedef.scope == "function":
            return (yield)
        start = _live()
        try:
            return (yield)
        finally:
            for kind, count in _left(start).items():
                self._before[kind] = self._before.get(kind, 0) + count

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self) -> Generator[None, object, object]:
        result = yield
        _fail_if_left(self._before)
        return result
