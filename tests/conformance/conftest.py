# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the conformance cases: a library that is initialised, and left clean.

The fake is reset around every case. A card cannot be reset so: there each case gets a process of
its own (``ACLRT_TEST_ISOLATE=1`` does the same on the fake), and cases that are about the fake, or
look into it, are skipped.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator

import pytest
from _pytest.runner import runtestprotocol

from conformance import acl

ISOLATE = acl.on_card() or os.environ.get("ACLRT_TEST_ISOLATE") == "1"


def pytest_configure(config: pytest.Config) -> None:
    """Declares the mark of cases that need the fake."""
    config.addinivalue_line("markers", "fake_only: about the fake itself, or looks into it")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """On a card the fake's own cases are skipped."""
    for item in items if acl.on_card() else ():
        if item.get_closest_marker("fake_only") is not None:
            item.add_marker(pytest.mark.skip(reason="fake only"))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Runs a case in a child that loads the library itself; its reports come back as JSON."""
    if not ISOLATE or "conformance" not in item.path.parts:
        return None
    hook = item.ihook
    hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    with tempfile.TemporaryFile("w+") as file:
        child = os.fork()
        if child == 0:
            reports = runtestprotocol(item, log=False, nextitem=nextitem)
            convert = item.config.hook.pytest_report_to_serializable
            json.dump([convert(config=item.config, report=report) for report in reports], file)
            file.flush()
            os._exit(0)
        _, status = os.waitpid(child, 0)
        file.seek(0)
        assert status == 0, f"{item.nodeid} ended its process with status {status}"
        for data in json.load(file):
            restore = item.config.hook.pytest_report_from_serializable
            hook.pytest_runtest_logreport(report=restore(config=item.config, data=data))
    hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


@pytest.fixture(autouse=True)
def clean_ledger() -> Iterator[None]:
    """Every test starts on a device as after loading, and frees what it made."""
    lib = acl.library()
    if lib.is_fake:
        lib.aclfake_reset()
    yield
    if lib.is_fake:
        left = {kind: n for kind, n in lib.live().items() if kind != "context"}
        lib.aclfake_reset()
        assert left == {}


@pytest.fixture
def raw() -> acl.Library:
    """The library before aclInit."""
    return acl.library()


@pytest.fixture
def lib(raw: acl.Library) -> Iterator[acl.Library]:
    """The library after aclInit and aclrtSetDevice(0)."""
    assert raw.aclInit(None) == 0
    assert raw.aclrtSetDevice(0) == 0
    yield raw
    assert raw.aclrtResetDevice(0) == 0
    assert raw.aclFinalize() == 0
