# SPDX-License-Identifier: Apache-2.0
"""Misuses of AscendCL by the ID of the check that they set off, each with its right twin.

A file of scenes declares them with ``@wrong(id)`` and ``@right(id)``; a scene gets a ``Stage``: the
fake with two devices, initialised, device 0 set (``start=False``: as after loading). A wrong scene
sets off exactly its check, a right one none; the stage is cleared afterwards, so that wrong scenes
may leave things behind, and right ones may not.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from conformance import acl, running, small

FUNCTION = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
NOWHERE = 0x7F0012345678  # an address or handle that nobody gave out


class Stage:
    """What scenes do over and over."""

    def __init__(self, lib: acl.Library) -> None:
        self.lib = lib
        self.kept: list[Any] = []  # callbacks, for as long as the device may call them
        self.heard = ""  # messages of other threads

    def made(self, function: str, *arguments: Any) -> int:
        """The handle or address that a function writes to its first argument."""
        out = ctypes.c_void_p()
        code = getattr(self.lib, function)(ctypes.byref(out), *arguments)
        assert code == 0, self.lib.message()
        assert out.value
        return out.value

    def ok(self, function: str, *arguments: Any) -> None:
        """A call that succeeds."""
        code = getattr(self.lib, function)(*arguments)
        assert code == 0, self.lib.message()

    def gives(self, code: int, function: str, *arguments: Any) -> None:
        """A call that fails."""
        assert getattr(self.lib, function)(*arguments) == code

    def stream(self) -> int:
        """A stream."""
        return self.made("aclrtCreateStream")

    def event(self) -> int:
        """An event."""
        return self.made("aclrtCreateEvent")

    def device_memory(self, size: int = 64) -> int:
        """Device memory."""
        return self.made("aclrtMalloc", size, 0)

    def host_memory(self, size: int = 64) -> int:
        """Page-locked host memory."""
        return self.made("aclrtMallocHost", size)

    def buffers(self) -> running.Buffers:
        """Data buffers and datasets that are freed together."""
        return running.Buffers(self.lib)

    def model(self, om: bytes | None = None) -> int:
        """A loaded model: x float32 (2, 3) -> y = x + x."""
        return running.load(self.lib, om or small.double())

    def hold(self, stream: int | None) -> threading.Event:
        """Keeps a stream busy until the event is set."""
        gate = threading.Event()
        function = FUNCTION(lambda _: gate.wait(20) and None)
        self.kept.append(function)
        self.ok("aclrtLaunchHostFunc", stream, ctypes.cast(function, ctypes.c_void_p), None)
        return gate

    def release(self, gate: threading.Event, stream: int | None) -> int:
        """Lets it go on; the code of the synchronise."""
        gate.set()
        return int(self.lib.aclrtSynchronizeStream(stream))

    def callback(self, function: Callable[[], object]) -> ctypes.c_void_p:
        """A function for the device to call."""
        made = FUNCTION(lambda _: function() and None)
        self.kept.append(made)
        return ctypes.cast(made, ctypes.c_void_p)

    def elsewhere(self, function: Callable[[], Any]) -> Any:
        """The result of a function in a thread of its own."""
        result: list[Any] = []

        def work() -> None:
            result.append(function())
            self.heard += self.lib.message()

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        return result[0]


Scene = Callable[[Stage], None]


@dataclass(frozen=True)
class Play:
    """A scene and how it is staged."""

    check: str
    scene: Scene
    start: bool
    times: int


WRONG: dict[str, Play] = {}
RIGHT: dict[str, Play] = {}


def wrong(check: str, *, start: bool = True, times: int = 1) -> Callable[[Scene], Scene]:
    """A scene that sets off the check, as many times."""

    def declare(scene: Scene) -> Scene:
        assert check not in WRONG
        WRONG[check] = Play(f"ACLFAKE-{check}", scene, start, times)
        return scene

    return declare


def right(*checks: str, start: bool = True) -> Callable[[Scene], Scene]:
    """A scene that sets off nothing; the twin of one or more wrong ones."""

    def declare(scene: Scene) -> Scene:
        for check in checks:
            assert check not in RIGHT
            RIGHT[check] = Play(f"ACLFAKE-{check}", scene, start, 0)
        return scene

    return declare


def counts(lib: acl.Library) -> dict[str, int]:
    """How often each check has fired."""
    return {check: row["count"] for check, row in lib.ledger()["checks"].items()}
