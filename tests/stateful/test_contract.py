# SPDX-License-Identifier: Apache-2.0
"""Random valid and invalid calls of AscendCL's C ABI, beside a model of the contract in Python.

After every call the code is the one that the model predicts, and the ledger has the model's counts.
Streams, events and copies run; what is queued is synchronised before anything depends on it.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from conformance import acl, running, small
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

CODES = acl.codes()
OK = 0
INVALID = CODES["ACL_ERROR_INVALID_PARAM"]
REPEAT = CODES["ACL_ERROR_REPEAT_INITIALIZE"]
BAD_DEVICE = CODES["ACL_ERROR_RT_INVALID_DEVICEID"]
RT_PARAM = CODES["ACL_ERROR_RT_PARAM_INVALID"]
NO_CONTEXT = CODES["ACL_ERROR_RT_CONTEXT_NULL"]
FOREIGN = CODES["ACL_ERROR_RT_STREAM_CONTEXT"]
BAD_HANDLE = CODES["ACL_ERROR_RT_INVALID_HANDLE"]
RELEASED = CODES["ACL_ERROR_RT_CONTEXT_RELEASE_ERROR"]
OTHER_CONTEXT = CODES["ACL_ERROR_RT_MODEL_CONTEXT"]
BAD_ID = CODES["ACL_ERROR_GE_EXEC_MODEL_ID_INVALID"]
GE_FAILURE = CODES["ACL_ERROR_GE_FAILURE"]

X = np.arange(6, dtype=np.float32).reshape(2, 3)
DEVICES = st.sampled_from([0, 0, 0, 1, -1, 99])
PICK = st.integers(0, 1 << 20)  # which of the objects; None below: NULL
CHOICE = st.one_of(PICK, PICK, PICK, st.none())


@dataclass(eq=False)
class Thing:
    """An object of the client: alive or not, and what the model knows of it."""

    handle: Any
    context: Thing | None = None
    primary: bool = False
    alive: bool = True
    size: int = 0
    items: list[Thing | None] = field(default_factory=list)
    recorded: bool = False
    mode: str = ""


def value(thing: Thing | None) -> Any:
    """What to pass for it."""
    return None if thing is None else thing.handle


class Contract(RuleBasedStateMachine):
    """The process, one device, one thread."""

    @initialize()
    def start(self) -> None:
        """aclInit alone was called."""
        self.lib = acl.library()
        self.lib.aclfake_reset()
        assert self.lib.aclInit(None) == OK
        self.references = 1
        self.set_count = 0
        self.current: Thing | None = None
        self.primary: Thing | None = None
        self.contexts: list[Thing] = []
        self.streams: list[Thing] = []
        self.events: list[Thing] = []
        self.memory: list[Thing] = []
        self.buffers: list[Thing] = []
        self.datasets: list[Thing] = []
        self.models: list[Thing] = []

    def teardown(self) -> None:
        """Everything goes, whatever was alive."""
        if hasattr(self, "lib"):
            self.lib.aclfake_reset()

    # ---- the model ------------------------------------------------------------------------------

    @property
    def context(self) -> Thing | None:
        """The thread's current context, if it is alive."""
        return self.current if self.current is not None and self.current.alive else None

    @staticmethod
    def pick(things: list[Thing], choice: int | None) -> Thing | None:
        """One of the objects made so far, dead or alive; None for NULL or where there is none."""
        return things[-1 - choice % len(things)] if things and choice is not None else None

    def expect(self, code: int, name: str, *arguments: Any) -> None:
        """The call gives the code; after a failure there is a text."""
        got = getattr(self.lib, name)(*arguments)
        assert got == code, f"{name}: {got} instead of {code}: {self.lib.message()}"
        assert code == OK or self.lib.message()

    def make(self, code: int, name: str, things: list[Thing], *arguments: Any) -> Thing | None:
        """A call that writes a handle into its first argument."""
        out = ctypes.c_void_p()
        self.expect(code, name, ctypes.byref(out), *arguments)
        assert (out.value is None) == (code != OK)
        if code != OK:
            return None
        things.append(Thing(out.value, self.context))
        return things[-1]

    def end_context(self, context: Thing) -> None:
        context.alive = False
        for stream in self.streams:
            stream.alive = stream.alive and stream.context is not context

    def stream_code(self, stream: Thing | None, *, foreign: bool) -> int:
        """Of a call on a stream: 107017, 107002, 107003 in this order; NULL is the default one."""
        if stream is not None and not stream.alive:
            return BAD_HANDLE
        if self.context is None:
            return NO_CONTEXT
        is_foreign = stream is not None and stream.context is not self.context
        return FOREIGN if foreign and is_foreign else OK

    # ---- process, device, contexts --------------------------------------------------------------

    @rule()
    def init_again(self) -> None:
        self.expect(REPEAT, "aclInit", None)
        self.references += 1

    @precondition(lambda self: self.references > 1)
    @rule()
    def give_a_reference_back(self) -> None:
        left = ctypes.c_uint64()
        self.references -= 1
        self.expect(OK, "aclFinalizeReference", ctypes.byref(left))
        assert left.value == self.references

    @rule(device=DEVICES)
    def set_device(self, device: int) -> None:
        self.expect(OK if device == 0 else BAD_DEVICE, "aclrtSetDevice", device)
        if device == 0:
            self.set_count += 1
            if self.primary is None:
                self.primary = Thing(None, primary=True)
            self.current = self.primary
            now = ctypes.c_void_p()
            self.expect(OK, "aclrtGetCurrentContext", ctypes.byref(now))
            assert self.primary.handle in (None, now.value)
            self.primary.handle = now.value

    @rule(device=DEVICES)
    def reset_device(self, device: int) -> None:
        if device != 0:
            self.expect(BAD_DEVICE, "aclrtResetDevice", device)
        elif self.set_count == 0:
            self.expect(RELEASED, "aclrtResetDevice", 0)
        elif self.set_count > 1 or not any(model.alive for model in self.models):
            self.expect(OK, "aclrtResetDevice", 0)
            self.set_count -= 1
            if self.set_count == 0 and self.primary is not None:
                self.end_context(self.primary)
                self.contexts.append(self.primary)  # as a dead one
                self.primary = None
                if not any(context.alive for context in self.contexts):
                    for block in self.memory:
                        block.alive = False

    @rule(device=DEVICES)
    def create_context(self, device: int) -> None:
        code = OK if device == 0 else BAD_DEVICE
        made = self.make(code, "aclrtCreateContext", self.contexts, device)
        if made is not None:
            made.context = None
            self.current = made

    @rule(choice=CHOICE, of_primary=st.booleans())
    def destroy_context(self, choice: int | None, of_primary: bool) -> None:
        context = self.primary if of_primary else self.pick(self.contexts, choice)
        if context is not None and any(m.alive and m.context is context for m in self.models):
            return
        code = OK
        if context is None:
            code = INVALID
        elif context.primary or not context.alive:
            code = NO_CONTEXT
        self.expect(code, "aclrtDestroyContext", value(context))
        if code == OK and context is not None:
            self.end_context(context)
        self.expect(OK if self.context else NO_CONTEXT, "aclrtGetCurrentContext", self.scratch())

    @rule(choice=CHOICE, of_primary=st.booleans())
    def set_current_context(self, choice: int | None, of_primary: bool) -> None:
        context = self.primary if of_primary else self.pick(self.contexts, choice)
        code = INVALID if context is None else OK if context.alive else RT_PARAM
        self.expect(code, "aclrtSetCurrentContext", value(context))
        if code == OK:
            self.current = context

    @staticmethod
    def scratch() -> Any:
        return ctypes.byref(ctypes.c_void_p())

    @rule()
    def ask_for_the_device(self) -> None:
        device = ctypes.c_int32(-5)
        code = OK if self.context else NO_CONTEXT
        self.expect(code, "aclrtGetDevice", ctypes.byref(device))
        assert device.value == (0 if code == OK else -5)
        self.expect(INVALID, "aclrtGetDevice", None)

    # ---- streams and events ---------------------------------------------------------------------

    @rule()
    def create_stream(self) -> None:
        self.make(OK if self.context else NO_CONTEXT, "aclrtCreateStream", self.streams)

    @rule(choice=CHOICE)
    def destroy_stream(self, choice: int | None) -> None:
        stream = self.pick(self.streams, choice)
        code = INVALID if stream is None else self.stream_code(stream, foreign=True)
        self.expect(code, "aclrtDestroyStream", value(stream))
        if code == OK and stream is not None:
            stream.alive = False

    @rule(choice=CHOICE, timeout=st.sampled_from([None, -1, 5000, 0, -2]))
    def synchronize(self, choice: int | None, timeout: int | None) -> None:
        stream = self.pick(self.streams, choice)
        code = self.stream_code(stream, foreign=False)
        if timeout is None:
            self.expect(code, "aclrtSynchronizeStream", value(stream))
        elif timeout > 0 or timeout == -1:
            self.expect(code, "aclrtSynchronizeStreamWithTimeout", value(stream), timeout)
        elif code == OK:
            self.expect(RT_PARAM, "aclrtSynchronizeStreamWithTimeout", value(stream), timeout)

    @rule(flag=st.sampled_from([None, 1, 8, 9, 0, 0x40, 0x80]))
    def create_event(self, flag: int | None) -> None:
        code = OK if self.context else NO_CONTEXT
        if flag is None:
            self.make(code, "aclrtCreateEvent", self.events)
        elif code == OK:
            code = OK if flag in (1, 8, 9) else RT_PARAM
            self.make(code, "aclrtCreateEventWithFlag", self.events, flag)

    @rule(choice=CHOICE)
    def destroy_event(self, choice: int | None) -> None:
        event = self.pick(self.events, choice)
        code = INVALID if event is None else OK if event.alive else BAD_HANDLE
        self.expect(code, "aclrtDestroyEvent", value(event))
        if event is not None:
            event.alive = False

    @rule(choice=CHOICE, on=CHOICE)
    def record_event(self, choice: int | None, on: int | None) -> None:
        event, stream = self.pick(self.events, choice), self.pick(self.streams, on)
        code = self.stream_code(stream, foreign=True)
        if event is None:
            code = INVALID
        elif not event.alive:
            code = BAD_HANDLE
        self.expect(code, "aclrtRecordEvent", value(event), value(stream))
        if code == OK and event is not None:
            event.recorded = True

    @rule(choice=CHOICE)
    def wait_for_event(self, choice: int | None) -> None:
        event = self.pick(self.events, choice)
        code = INVALID if event is None else OK if event.alive else BAD_HANDLE
        self.expect(code, "aclrtSynchronizeEvent", value(event))
        status = ctypes.c_int32(7)
        self.expect(code, "aclrtQueryEventStatus", value(event), ctypes.byref(status))
        if code == OK and event is not None:
            assert status.value == int(event.recorded)

    # ---- memory ---------------------------------------------------------------------------------

    @rule(size=st.sampled_from([24, 24, 24, 1, 4096, 0]))
    def malloc(self, size: int) -> None:
        code = INVALID if size == 0 else OK if self.context else NO_CONTEXT
        made = self.make(code, "aclrtMalloc", self.memory, size, 0)
        if made is not None:
            made.size = size
            # An address may come back: the earlier block of this address is this one now.
            self.memory[:] = [m for m in self.memory if m is made or m.handle != made.handle]

    @rule(choice=CHOICE)
    def free(self, choice: int | None) -> None:
        block = self.pick(self.memory, choice)
        code = INVALID if block is None else OK if block.alive else RT_PARAM
        self.expect(code, "aclrtFree", value(block))
        if block is not None:
            block.alive = False

    @rule(choice=CHOICE, count=st.sampled_from([0, 1, 24, 25]), kind=st.sampled_from([1, 1, 6]))
    def copy_in(self, choice: int | None, count: int, kind: int) -> None:
        block = self.pick(self.memory, choice)
        host = ctypes.create_string_buffer(64)
        room = 24 if block is None else block.size
        if count == 0:
            code = OK
        elif block is None or kind == 6:
            code = INVALID
        elif count > room:
            code = RT_PARAM
        elif self.context is None:
            code = NO_CONTEXT
        else:
            code = OK if block.alive else RT_PARAM
        self.expect(code, "aclrtMemcpy", value(block), room, ctypes.addressof(host), count, kind)

    # ---- buffers, datasets, models --------------------------------------------------------------

    @rule(choice=CHOICE)
    def create_buffer(self, choice: int | None) -> None:
        block = self.pick(self.memory, choice)
        size = block.size if block is not None else 0
        handle = self.lib.aclCreateDataBuffer(value(block), size)
        assert handle
        self.buffers.append(Thing(handle, size=size, items=[block]))

    @rule(choice=CHOICE)
    def destroy_buffer(self, choice: int | None) -> None:
        buffer = self.pick(self.buffers, choice)
        code = OK if buffer is not None and buffer.alive else INVALID
        self.expect(code, "aclDestroyDataBuffer", value(buffer))
        if buffer is not None:
            buffer.alive = False

    @rule(choices=st.lists(PICK, max_size=2))
    def create_dataset(self, choices: list[int]) -> None:
        dataset = Thing(self.lib.aclmdlCreateDataset())
        assert dataset.handle
        self.datasets.append(dataset)
        for choice in choices:
            buffer = self.pick(self.buffers, choice)
            code = OK if buffer is not None and buffer.alive else INVALID
            self.expect(code, "aclmdlAddDatasetBuffer", dataset.handle, value(buffer))
            if code == OK:
                dataset.items.append(buffer)
        assert self.lib.aclmdlGetDatasetNumBuffers(dataset.handle) == len(dataset.items)

    @rule(choice=CHOICE)
    def destroy_dataset(self, choice: int | None) -> None:
        dataset = self.pick(self.datasets, choice)
        code = OK if dataset is not None and dataset.alive else INVALID
        self.expect(code, "aclmdlDestroyDataset", value(dataset))
        if dataset is not None:
            dataset.alive = False

    @precondition(lambda self: sum(model.alive for model in self.models) < 3)
    @rule()
    def load(self) -> None:
        om, model_id = small.double(), ctypes.c_uint32(0)
        code = OK if self.context else NO_CONTEXT
        self.expect(code, "aclmdlLoadFromMem", om, len(om), ctypes.byref(model_id))
        assert (model_id.value != 0) == (code == OK)
        if code == OK:
            assert all(m.handle != model_id.value for m in self.models if m.alive)
            self.models.append(Thing(model_id.value, self.context))

    @rule(choice=CHOICE)
    def unload(self, choice: int | None) -> None:
        model = self.pick(self.models, choice)
        code = OK if model is not None and model.alive else BAD_ID
        self.expect(code, "aclmdlUnload", model.handle if model else 99999)
        if model is not None:
            model.alive = False

    def execute_code(self, model: Thing | None, sides: list[Thing | None]) -> int:
        for dataset in sides:
            if dataset is None or not dataset.alive:
                return INVALID
            if any(item is None or not item.alive for item in dataset.items):
                return INVALID
        if model is None or not model.alive:
            return BAD_ID
        if self.context is not model.context:
            return OTHER_CONTEXT if self.context else NO_CONTEXT
        return OK

    @rule(choice=CHOICE, given=CHOICE, taken=CHOICE)
    def execute_anything(self, choice: int | None, given: int | None, taken: int | None) -> None:
        """Whatever datasets there are; those that could run are left to the next rule."""
        model = self.pick(self.models, choice)
        sides = [self.pick(self.datasets, given), self.pick(self.datasets, taken)]
        code = self.execute_code(model, sides)
        if code == OK:
            counts = [len(side.items) for side in sides if side is not None]
            if counts == [1, 1]:
                return
            code = GE_FAILURE
        arguments = (model.handle if model else 99999, *map(value, sides))
        self.expect(code, "aclmdlExecute", *arguments)

    @precondition(lambda self: any(model.alive for model in self.models))
    @rule(choice=PICK, how=st.sampled_from(["sync", "async"]), short=st.sampled_from([0, 0, 1, 80]))
    def execute_well(self, choice: int, how: str, short: int) -> None:
        """Good datasets, perhaps too small: the result is right where the code says so."""
        model = self.pick([m for m in self.models if m.alive], choice)
        assert model is not None
        if self.context is not model.context:
            self.expect(OK, "aclrtSetCurrentContext", value(model.context))
            self.current = model.context
        with running.Buffers(self.lib) as device:
            source, target = device.upload(X), device.alloc(X.nbytes)
            size = max(X.nbytes - short, 0)
            sides = (device.dataset((source, X.nbytes)), device.dataset((target, size)))
            # A buffer may be 64 bytes short, more than the 24 here; it gets what fits.
            code = OK if model.mode in ("", how) else GE_FAILURE
            if how == "sync":
                self.expect(code, "aclmdlExecute", model.handle, *sides)
            else:
                self.expect(code, "aclmdlExecuteAsync", model.handle, *sides, None)
                self.expect(OK, "aclrtSynchronizeStream", None)
            if code == OK:
                model.mode = how
                got = device.read(target, X)
                assert got.tobytes()[:size] == (X + X).tobytes()[:size]

    # ---- the ledger -----------------------------------------------------------------------------

    @invariant()
    def the_ledger_agrees(self) -> None:
        """Live objects by kind."""
        if not hasattr(self, "lib"):
            return
        kinds = {
            "context": [context for context in self.contexts if not context.primary],
            "stream": self.streams,
            "event": self.events,
            "device_memory": self.memory,
            "data_buffer": self.buffers,
            "dataset": self.datasets,
            "model": self.models,
        }
        expected = {kind: sum(t.alive for t in things) for kind, things in kinds.items()}
        assert self.lib.live() == {kind: count for kind, count in expected.items() if count}


def test_random_calls_follow_the_contract() -> None:
    """The same few thousand calls every time."""
    checks = [HealthCheck.too_slow, HealthCheck.filter_too_much]
    run_state_machine_as_test(
        Contract,
        settings=settings(
            derandomize=True,
            deadline=None,
            database=None,
            max_examples=150,
            stateful_step_count=60,
            suppress_health_check=checks,
        ),
    )
