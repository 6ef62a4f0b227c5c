# SPDX-License-Identifier: Apache-2.0
"""Random programs over models and devices, beside a simple account of what must be alive."""

from __future__ import annotations

import gc

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
)

import aclrt

X = np.arange(6, dtype=np.float32).reshape(2, 3)


class Models(RuleBasedStateMachine):
    """Loads, runs, closes and drops in any order; the ledger always equals the account."""

    om: bytes
    bad: bytes

    models = Bundle("models")
    devices = Bundle("devices")

    @initialize()
    def start(self) -> None:
        """Nothing is open."""
        aclrt.fake.reset()
        self.open_models: set[int] = set()
        self.results: list[tuple[np.ndarray, np.ndarray]] = []
        self.opened: list[aclrt.OfflineModel | aclrt.Device] = []

    @rule(target=models, cast=st.sampled_from([None, "safe"]))
    def load(self, cast):
        """A new model."""
        model = aclrt.OfflineModel(self.om, cast=cast)
        self.open_models.add(id(model))
        self.opened.append(model)
        return model

    @rule()
    def load_what_is_no_model(self):
        """Fails and leaves nothing."""
        with pytest.raises(aclrt.ModelFormatError):
            aclrt.OfflineModel(self.bad)

    @rule(device_id=st.sampled_from([-1, 9999]))
    def load_on_no_device(self, device_id):
        """Fails and leaves nothing."""
        with pytest.raises(aclrt.DeviceError):
            aclrt.OfflineModel(self.om, device_id=device_id)

    @rule(model=models, factor=st.integers(-3, 3), style=st.sampled_from(["x", "dict", "run"]))
    def run(self, model, factor, style):
        """Right results, or ClosedError."""
        x = X * np.float32(factor)
        call = {
            "x": lambda: model(x)[0],
            "dict": lambda: model({"x": x})["y"],
            "run": lambda: model.run(["y"], {"x": x})[0],
        }[style]
        if id(model) in self.open_models:
            self.results.append((-x, call()))
        else:
            with pytest.raises(aclrt.ClosedError):
                call()

    @rule(model=models)
    def run_into_a_buffer(self, model):
        """out= is filled, or nothing happens to it."""
        out = np.full((2, 3), 9, np.float32)
        if id(model) in self.open_models:
            model(X, out=out)
            np.testing.assert_array_equal(-X, out)
        else:
            with pytest.raises(aclrt.ClosedError):
                model(X, out=out)
            np.testing.assert_array_equal(9, out)

    @rule(model=models, bad=st.sampled_from([X[0], X.astype("f8"), X.astype(">i4"), [1], None]))
    def feed_nonsense(self, model, bad):
        """Refused, open or closed."""
        with pytest.raises(aclrt.InputError):
            model(bad)

    @rule(model=models)
    def close(self, model):
        """Once or again."""
        model.close()
        self.open_models.discard(id(model))

    @rule(target=devices)
    def open_device(self):
        """One more user of device 0."""
        device = aclrt.Device(0)
        device.open()
        self.opened.append(device)
        return device

    @rule(device=consumes(devices))
    def close_device(self, device):
        """One less."""
        device.close()
        device.close()

    @rule(device=devices)
    def ask_device(self, device):
        """Memory is plausible."""
        assert 0 < device.memory.free <= device.memory.total

    @rule()
    def collect(self):
        """The collector may run at any time."""
        gc.collect()

    @invariant()
    def the_ledger_counts_the_open_models(self):
        """No more, no less."""
        ledger = aclrt.fake.ledger()["objects"]
        if hasattr(self, "open_models"):
            assert len(self.open_models) == ledger["model"]["live"]

    @invariant()
    def results_stay_as_they_were(self):
        """Nothing writes into an array that was handed out."""
        for expected, result in getattr(self, "results", []):
            np.testing.assert_array_equal(expected, result)

    def teardown(self):
        """Everything is closed at the end of each program."""
        for resource in getattr(self, "opened", []):
            resource.close()


def test_random_programs(om_factory):
    """Thirty programs of up to thirty steps, always the same ones."""
    om = om_factory([("Neg", ["x"], ["y"])], [("x", "float32", (2, 3))], [("y", "float32", (2, 3))])

    class Bound(Models):
        pass

    Bound.om = om
    Bound.bad = om[:100]
    Bound.TestCase.settings = settings(max_examples=20, stateful_step_count=25, deadline=None)
    test = Bound.TestCase("runTest")
    test.runTest()
