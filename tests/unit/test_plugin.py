# SPDX-License-Identifier: Apache-2.0
"""The pytest plugin, in pytest runs of its own; and the factory of models by itself."""

from __future__ import annotations

import os
from importlib import metadata

import numpy as np
import pytest
from code_blocks import blocks

import aclrt
from aclrt.testing import OmFactory

pytest_plugins = ["pytester"]
PLUGIN = "aclrt.testing.plugin"


@pytest.fixture
def tests(pytester, monkeypatch):
    """Runs a test file in a process of its own, with the plugin."""
    monkeypatch.delenv("ACLRT_BACKEND", raising=False)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")

    def run(code: str, *options: str):
        pytester.makepyfile(
            f"import aclrt, numpy as np, pytest\nX = np.ones((2,), np.float32)\n{code}"
        )
        return pytester.runpytest_subprocess("-p", PLUGIN, "--strict-markers", *options)

    return run


def test_pytest_finds_it():
    """By its entry point, under the name that -p has, so that both together load it once."""
    found = metadata.entry_points(group="pytest11", name=PLUGIN)
    assert [PLUGIN] == [entry.value for entry in found]


def test_the_document_s_example_passes(pytester, monkeypatch):
    """docs/testing.md as it stands, without -p: the entry point is enough."""
    monkeypatch.delenv("ACLRT_BACKEND", raising=False)
    (code,) = blocks("docs/testing.md", "python")
    pytester.makepyfile(code)
    outcome = pytester.runpytest_subprocess("--strict-markers", "-rs")
    outcome.assert_outcomes(passed=2, skipped=1)
    outcome.stdout.fnmatch_lines(["*needs 2 cards: the backend is the fake device*"])


def test_it_is_inert(tests):
    """No device and no libascendcl where no test asks for one."""
    outcome = tests(
        """
        def test_it():
            assert "libascendcl" not in open("/proc/self/maps").read()
    """.replace("\n        ", "\n")
    )
    outcome.assert_outcomes(passed=1)


def test_the_ledger_fixture_names_what_is_left(tests):
    """A test that leaks fails at its end with the table; one that is clean passes."""
    outcome = tests("""
kept = []
def test_leaks(acl_ledger, om_factory):
    kept.append(aclrt.OfflineModel(om_factory({"x": ("float32", (2,))})))
    assert acl_ledger()["model"] == 1
def test_is_clean(acl_ledger, om_factory):
    aclrt.OfflineModel(om_factory({"x": ("float32", (2,))})).close()
""")
    outcome.assert_outcomes(passed=2, errors=1)
    outcome.stdout.fnmatch_lines(["*left on the device: *1 model*"])


def test_faults_end_with_the_test(tests):
    """An armed fault does not meet the next test."""
    outcome = tests("""
@pytest.fixture(scope="module")
def model(om_factory):
    with aclrt.OfflineModel(om_factory({"x": ("float32", (2,))})) as model:
        yield model
def test_arms(acl_faults, model):
    acl_faults.arm(group="execute", code=507018, persistent=True)
    with pytest.raises(aclrt.AclError):
        model(X)
def test_next(acl_fake, model):
    assert model(X)["y"] == 1
    assert not acl_fake.faults.fired()
""")
    outcome.assert_outcomes(passed=2)


def test_leaks_of_every_test(tests):
    """--aclrt-leaks needs no fixture; what a module's fixture keeps is not counted."""
    code = """
kept = []
@pytest.fixture(scope="module")
def model(om_factory):
    with aclrt.OfflineModel(om_factory({"x": ("float32", (2,))})) as model:
        yield model
def test_uses(model):
    model(X)
def test_leaks(model, om_factory):
    kept.append(aclrt.OfflineModel(om_factory({"x": ("float32", (2,))})))
def test_fine(model):
    model(X)
"""
    tests(code).assert_outcomes(passed=3)
    outcome = tests(code, "--aclrt-leaks")
    outcome.assert_outcomes(passed=3, errors=1)
    outcome.stdout.fnmatch_lines(["*ERROR*test_leaks*", "*left on the device: *1 model*"])


def test_the_backend_option(tests):
    """It sets the variable; without a card npu tests are skipped with the reason."""
    outcome = tests(
        """
import os
def test_variable():
    assert os.environ["ACLRT_BACKEND"] == "npu"
@pytest.mark.npu
def test_card():
    raise AssertionError
""",
        "--aclrt-backend",
        "npu",
        "-rs",
    )
    outcome.assert_outcomes(passed=1, skipped=1)
    outcome.stdout.fnmatch_lines(["*needs 1 card: *"])
    wrong = tests("def test_it(): pass\n", "--aclrt-backend", "gpu")
    assert 4 == wrong.ret


def test_models_of_any_signature(tmp_path):
    """Names, dtypes and shapes as asked, several inputs, gears; the outputs hold the mean."""
    factory = OmFactory(tmp_path)
    inputs = {"ids": ("int64", (1, 4)), "mask": ("bool", (2,)), "x": ("float16", ())}
    outputs = {"a": ("float32", (2, 3)), "b": ("int32", ()), "c": ("float16", (1, 1, 5))}
    om = factory(inputs, outputs)
    assert om is factory(inputs, outputs)
    with aclrt.OfflineModel(om) as model:
        assert inputs == {s.name: (str(s.dtype), s.shape) for s in model.inputs}
        assert outputs == {s.name: (str(s.dtype), s.shape) for s in model.outputs}
        result = model(np.full((1, 4), 7), np.array([True, True]), np.float16(1))
        assert [3, 3, 3] == [float(array.max()) for array in result]
    path = factory.file("gears.om", {"x": ("float32", (-1, 2))}, dynamic_batch_size=(1, 4))
    assert tmp_path / "gears.om" == path
    with aclrt.OfflineModel(path) as model:
        assert ((1,), (4,)) == model.gears
        assert 1.0 == model(np.ones((4, 2), np.float32))["y"]
    assert b"ReduceMean" in factory.onnx({"x": ("float32", (1,))})
    assert os.path.exists(OmFactory().file("m.om", {"x": ("float32", (1,))}))  # noqa: PTH110


@pytest.mark.parametrize(
    ("inputs", "outputs", "words"),
    [
        ({}, None, "needs an input"),
        ({"x": ("float31", (1,))}, None, "no element type"),
        ({"x": ("float32", (1,))}, {"y": ("float32", (-1,))}, "dims must be fixed"),
    ],
)
def test_signatures_that_make_no_sense(inputs, outputs, words):
    """Each is said with the name."""
    with pytest.raises(aclrt.InputError, match=words):
        OmFactory()(inputs, outputs)
