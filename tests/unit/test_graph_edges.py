# SPDX-License-Identifier: Apache-2.0
"""Models at the edges of what ONNX allows: no inputs, passed through, many, odd names, huge."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import aclrt

FLOAT = TensorProto.FLOAT


def value(name, shape, kind=FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


@pytest.fixture
def loaded(tmp_path):
    """Converts and loads; closes at the end."""
    models = []

    def load(nodes, inputs, outputs, constants=(), functions=(), opsets=(("", 19),)):
        graph = helper.make_graph(nodes, "edges", inputs, outputs, list(constants))
        made = helper.make_model(
            graph,
            ir_version=9,
            functions=list(functions),
            opset_imports=[helper.make_opsetid(*opset) for opset in opsets],
        )
        model = aclrt.OfflineModel(aclrt.convert(made, tmp_path / "edges"))
        models.append(model)
        return model

    yield load
    for model in models:
        model.close()


def test_no_inputs(loaded):
    """A model of constants is called with nothing, in every way of calling."""
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    node = helper.make_node("Constant", [], ["y"], "c", value=numpy_helper.from_array(array))
    model = loaded([node], [], [value("y", (2, 3))])
    assert () == model.inputs
    for result in (model(), model({}), model.run(None, {})):
        np.testing.assert_array_equal(array, result[0], strict=True)
    out = np.empty((2, 3), np.float32)
    assert model(out=out)[0] is out
    np.testing.assert_array_equal(array, out)
    with pytest.raises(aclrt.InputError, match="too many: the model has 0 inputs"):
        model(array)
    with pytest.raises(aclrt.InputError, match="no such input"):
        model(x=array)


def test_no_inputs_from_an_initializer(loaded):
    """An initializer that is an output itself, and one that old models list as an input."""
    w = numpy_helper.from_array(np.float32([1, 2]), "w")
    model = loaded([], [value("w", (2,))], [value("w", (2,))], [w])
    assert [1, 2] == model()["w"].tolist()


def test_output_that_is_an_input(loaded):
    """Passed through by name, beside a node that reads it."""
    model = loaded(
        [helper.make_node("Neg", ["x"], ["y"], "n")],
        [value("x", (3,))],
        [value("x", (3,)), value("y", (3,))],
    )
    x = np.float32([1, -2, 3])
    for _ in range(2):
        same, y = model(x)
        assert (x.tolist(), (-x).tolist()) == (same.tolist(), y.tolist())
        assert not np.shares_memory(same, x)
        x += 1


def test_one_tensor_under_two_names(loaded):
    """Identity nodes make an output twice."""
    nodes = [helper.make_node("Identity", ["x"], [name], name) for name in ("a", "b")]
    model = loaded(nodes, [value("x", (2,))], [value("a", (2,)), value("b", (2,))])
    a, b = model(np.float32([1, 2]))
    assert [[1, 2], [1, 2]] == [a.tolist(), b.tolist()]


def test_sixty_four_inputs_and_outputs(loaded):
    """Each output belongs to its input, by position and by name."""
    count = 64
    model = loaded(
        [helper.make_node("Neg", [f"x{i}"], [f"y{i}"], f"n{i}") for i in range(count)],
        [value(f"x{i}", (i % 3 + 1,)) for i in range(count)],
        [value(f"y{i}", (i % 3 + 1,)) for i in reversed(range(count))],
    )
    feeds = {f"x{i}": np.full(i % 3 + 1, i, np.float32) for i in range(count)}
    result = model(feeds)
    assert count == len(result)
    for i in range(count):
        assert [-i] * (i % 3 + 1) == result[f"y{i}"].tolist()
        np.testing.assert_array_equal(result[f"y{i}"], model(*feeds.values())[count - 1 - i])


@pytest.mark.parametrize(
    "name",
    ["a b/c", "x:0", "输入 图像", "é\N{COMBINING ACUTE ACCENT}", "n" * 5000, "%s%n", "0", "'\""],
)
def test_odd_names(loaded, name):
    """Names come back as they are, and feed."""
    y = "y " + name
    model = loaded(
        [helper.make_node("Neg", [name], [y], "node " + name)],
        [value(name, (2,))],
        [value(y, (2,))],
    )
    assert [name] == [spec.name for spec in model.inputs]
    assert [y] == [spec.name for spec in model.outputs]
    assert [-1, -2] == model({name: np.float32([1, 2])})[y].tolist()


def test_optional_inputs_and_outputs_of_nodes(loaded):
    """Empty names inside the graph are not the model's inputs or outputs."""
    node = helper.make_node(
        "RNN",
        ["x", "w", "r", "", "", "h"],
        ["", "last"],
        "rnn",
        hidden_size=1,
        activations=["Relu"],
    )
    model = loaded(
        [node],
        [value("x", (1, 1, 2)), value("h", (1, 1, 1))],
        [value("last", (1, 1, 1))],
        [
            numpy_helper.from_array(np.ones((1, 1, 2), np.float32), "w"),
            numpy_helper.from_array(np.full((1, 1, 1), 10, np.float32), "r"),
        ],
    )
    assert 53 == model(np.float32([[[1, 2]]]), np.float32([[[5]]]))["last"].item()


def test_functions_of_the_model(loaded):
    """A function in a domain of its own, called twice."""
    opset = [helper.make_opsetid("", 19)]
    body = [helper.make_node("Add", ["a", "a"], ["b"])]
    twice = helper.make_function("own", "Twice", ["a"], ["b"], body, opset)
    model = loaded(
        [
            helper.make_node("Twice", ["x"], ["h"], "one", domain="own"),
            helper.make_node("Twice", ["h"], ["y"], "two", domain="own"),
        ],
        [value("x", (2,))],
        [value("y", (2,))],
        functions=[twice],
        opsets=(("", 19), ("own", 1)),
    )
    assert [4, 8] == model(np.float32([1, 2]))["y"].tolist()


def test_int64_scalar(loaded):
    """0-d in and out, beyond 2**53."""
    int64 = TensorProto.INT64
    node = helper.make_node("Add", ["x", "x"], ["y"], "a")
    model = loaded([node], [value("x", (), int64)], [value("y", (), int64)])
    y = model(np.int64(2**60 + 1))["y"]
    assert ((), 2**61 + 2) == (y.shape, int(y))


def test_more_than_2_gib_in_one_tensor(loaded):
    """Loads, with its true size; nothing of it is touched, so that the test is cheap."""
    node = helper.make_node("Slice", ["x", "from", "to"], ["y"], "s")
    count = 2**31 + 5
    model = loaded(
        [node],
        [value("x", (count,), TensorProto.UINT8)],
        [value("y", (3,), TensorProto.UINT8)],
        [
            numpy_helper.from_array(np.int64([count - 3]), "from"),
            numpy_helper.from_array(np.int64([count]), "to"),
        ],
    )
    assert count == model.inputs[0].nbytes


def test_more_than_the_device_has(tmp_path):
    """Refused as out of device memory, and everything is given back."""
    node = helper.make_node("Slice", ["x", "from", "to"], ["y"], "s")
    ends = [numpy_helper.from_array(np.int64([i]), name) for i, name in enumerate(("from", "to"))]
    graph = helper.make_graph(
        [node],
        "g",
        [value("x", (2**40,), TensorProto.UINT8)],
        [value("y", (1,), TensorProto.UINT8)],
        ends,
    )
    opsets = [helper.make_opsetid("", 19)]
    model = helper.make_model(graph, ir_version=9, opset_imports=opsets)
    onnx.checker.check_model(model)
    path = aclrt.convert(model, tmp_path / "huge")
    with pytest.raises(aclrt.DeviceOutOfMemoryError):
        aclrt.OfflineModel(path)
