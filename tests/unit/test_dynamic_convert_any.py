# SPDX-License-Identifier: Apache-2.0
"""`aclrt.convert` and `aclrt.inspect` agree on any inputs with any gears or ranges."""

from __future__ import annotations

import math
import string

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto
from onnx_graphs import FLOAT, INT64, make, value

import aclrt

DTYPES = {
    "float32": FLOAT,
    "float16": TensorProto.FLOAT16,
    "int64": INT64,
    "int8": TensorProto.INT8,
}


@st.composite
def models(draw, first_only=False):
    """A model of independent Identity nodes, its inputs' dims with -1, and its types."""
    names = draw(
        st.lists(st.text(string.ascii_letters, min_size=1, max_size=8), min_size=1, max_size=4)
        .map(lambda found: [f"{name}{i}" for i, name in enumerate(found)])
    )  # fmt: skip
    shapes, kinds = {}, {}
    for name in names:
        dims = draw(st.lists(st.integers(0, 5), min_size=1, max_size=5))
        openings = draw(st.lists(st.booleans(), min_size=len(dims), max_size=len(dims)))
        if first_only:
            openings = [openings[0]] + [False] * (len(dims) - 1)
        shapes[name] = [-1 if o else dim for dim, o in zip(dims, openings, strict=True)]
        kinds[name] = draw(st.sampled_from(sorted(DTYPES)))
    if not any(-1 in dims for dims in shapes.values()):
        shapes[names[0]][0] = -1
    model = make(
        [("Identity", [name], [f"{name}_out"]) for name in names],
        [
            value(name, [None if dim < 0 else dim for dim in shapes[name]], DTYPES[kinds[name]])
            for name in names
        ],
        [value(f"{name}_out", None, DTYPES[kinds[name]]) for name in names],
    )
    order = draw(st.permutations(names))
    return model, {name: tuple(shapes[name]) for name in order}, kinds


def check_gears(path, model, shapes, kinds, filled):
    """Everything that the file says of its gears, against the dims under each."""
    info = aclrt.inspect(path)
    assert () == info.disagreements
    assert "both" == info.io_source
    assert tuple(shapes) == info.gear_order
    names = [item.name for item in model.graph.input]
    assert names == [tensor.name for tensor in info.inputs]
    for tensor, output in zip(info.inputs, info.outputs, strict=True):
        name = tensor.name
        size = max(math.prod(dims[name]) for dims in filled) * np.dtype(kinds[name]).itemsize
        assert shapes[name] == tensor.shape
        assert (size, size) == (tensor.nbytes, output.nbytes)
        assert output.shape in [dims[name] for dims in filled]
    for number, dims in enumerate(filled):
        expected = dims | {f"{name}_out": dims[name] for name in names}
        assert expected == info.gear_shapes(number)
    return info


@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_any_dims(data, tmp_path_factory):
    """Any inputs in any order with any gears come back as they were stated."""
    model, shapes, kinds = data.draw(models())
    count = sum(dims.count(-1) for dims in shapes.values())
    gear = st.tuples(*[st.integers(1, 6)] * count)
    gears = data.draw(st.lists(gear, min_size=2, max_size=5, unique=True))
    filled = []
    for values in map(iter, gears):
        dims = {n: tuple(next(values) if d < 0 else d for d in dims) for n, dims in shapes.items()}
        filled.append({item.name: dims[item.name] for item in model.graph.input})
    path = tmp_path_factory.mktemp("om") / "m.om"
    aclrt.convert(model, path, input_shape=shapes, dynamic_dims=gears)
    info = check_gears(path, model, shapes, kinds, filled)
    assert tuple(gears) == info.gears


@settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_any_batch_sizes(data, tmp_path_factory):
    """The same of batch sizes."""
    model, shapes, kinds = data.draw(models(first_only=True))
    gears = data.draw(st.lists(st.integers(1, 9), min_size=2, max_size=6, unique=True))
    filled = [
        {
            item.name: tuple(n if d < 0 else d for d in shapes[item.name])
            for item in model.graph.input
        }
        for n in gears
    ]
    path = tmp_path_factory.mktemp("om") / "m.om"
    aclrt.convert(model, path, input_shape=shapes, dynamic_batch_size=gears)
    info = check_gears(path, model, shapes, kinds, filled)
    assert tuple((n,) for n in gears) == info.gears


@settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_any_ranges(data, tmp_path_factory):
    """And of ranges: inputs say them, outputs have -1 where they pass through."""
    model, shapes, _ = data.draw(models())
    limits = st.tuples(st.integers(0, 4), st.integers(5, 9))
    stated = {
        name: tuple(data.draw(st.just(-1) | limits) if dim < 0 else dim for dim in dims)
        for name, dims in shapes.items()
    }
    path = tmp_path_factory.mktemp("om") / "m.om"
    info = aclrt.inspect(aclrt.convert(model, path, input_shape=stated))
    assert ("range", (), True) == (info.dynamic, info.disagreements, info.unknown_shape)
    for tensor, output in zip(info.inputs, info.outputs, strict=True):
        dims = stated[tensor.name]
        pairs = [(0, -1) if d == -1 else d if isinstance(d, tuple) else (d, d) for d in dims]
        is_open = -1 in shapes[tensor.name]
        assert shapes[tensor.name] == tensor.shape == output.shape
        assert tuple(pairs if is_open else ()) == tensor.range
        assert (tensor.nbytes == 0) == (is_open or 0 in shapes[tensor.name])
