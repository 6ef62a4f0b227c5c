# SPDX-License-Identifier: Apache-2.0
"""Changes a model's outputs and the types at its edges, as the compiler does when it is told to:
other output nodes, casts behind outputs and behind inputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError, ModelFormatError
from ._load import attempt, import_onnx
from ._output_dims import without_weights
from ._values import element_type

if TYPE_CHECKING:
    import onnx

__all__ = ["cast_inputs", "cast_outputs", "choose_outputs", "find_output", "sources"]

_BOUNDS = {"uint8": (0, 255), "int8": (-128, 127)}  # a cast beyond them has no defined result


def sources(model: onnx.ModelProto) -> dict[str, tuple[str, int]]:
    """For every tensor that a node makes: the node, and which of its results it is."""
    return {
        result: (node.name or node.op_type, index)
        for node in model.graph.node
        for index, result in enumerate(node.output)
        if result
    }


def find_output(model: onnx.ModelProto, option: str, given: str) -> str:
    """The tensor that ``"node:index"`` or a tensor's name means.

    Raises:
        InputError: There is no such node or tensor, or the node has no such result.
    """
    name, colon, number = given.rpartition(":")
    nodes = [node for node in model.graph.node if colon and node.name == name]
    if nodes and number.isdecimal():
        results = nodes[0].output
        if int(number) < len(results) and results[int(number)]:
            return str(results[int(number)])
        raise InputError(
            f"{option}: the node {name!r} has {len(results)} outputs, given index {number}"
        )
    graph = model.graph
    known = {value.name for value in graph.input} | {tensor.name for tensor in graph.initializer}
    if given in known or given in sources(model):
        return given
    listed = [f"{node.name}:0" for node in graph.node if node.name] or list(sources(model))
    raise InputError(
        f"{option}: the model has no node output or tensor {given!r}",
        hint=f'name it as "node:index" or by the tensor, such as {listed[-1]!r}' if listed else "",
    )


# ---- other outputs -------------------------------------------------------------------------------


def choose_outputs(model: onnx.ModelProto, names: Sequence[str]) -> None:
    """Makes these tensors the model's outputs, and drops the nodes that nothing needs any more.

    Raises:
        InputError: One is not there, or comes twice.
        ModelFormatError: The type of one cannot be told.
    """
    tensors = [find_output(model, "out_nodes", name) for name in names]
    for position, tensor in enumerate(tensors):
        if tensor in tensors[:position]:
            raise InputError(f"out_nodes: {names[position]!r} is given twice")
    types = _types_of(model, tensors)
    graph = model.graph
    declared = {value.name: value for value in (*graph.value_info, *graph.input, *graph.output)}
    outputs = []
    for tensor in tensors:
        output = type(graph.output.add())(name=tensor)
        if tensor in declared:
            output.CopyFrom(declared[tensor])
        output.type.tensor_type.elem_type = types[tensor]
        outputs.append(output)
    del graph.output[:]
    graph.output.extend(outputs)
    _prune(graph, set(tensors))


def _types_of(model: onnx.ModelProto, tensors: Sequence[str]) -> dict[str, int]:
    light = without_weights(model)
    inferred = attempt(
        "the types of the ONNX model do not fit together",
        lambda: import_onnx().shape_inference.infer_shapes(light, check_type=True),
    ).graph
    found = {tensor.name: tensor.data_type for tensor in model.graph.initializer}
    for value in (*inferred.input, *inferred.value_info, *inferred.output):
        if value.type.WhichOneof("value") == "tensor_type":
            found[value.name] = value.type.tensor_type.elem_type
    for tensor in tensors:
        if not found.get(tensor):
            raise ModelFormatError(
                f"out_nodes: the element type of {tensor!r} cannot be told",
                hint="choose another node, or add the tensor to the ONNX graph's value_info",
            )
    return found


def _prune(graph: onnx.GraphProto, needed: set[str]) -> None:
    kept = set()
    for position in reversed(range(len(graph.node))):
        node = graph.node[position]
        if needed.intersection(node.output):
            needed.update(_names_used(node))
            kept.add(position)
    gone = {tensor.name for tensor in graph.initializer} - needed
    for position in reversed(range(len(graph.node))):
        if position not in kept:
            del graph.node[position]
    for field in (graph.initializer, graph.input):
        for position in reversed(range(len(field))):
            if field[position].name in gone:
                del field[position]
    for position in reversed(range(len(graph.value_info))):
        if graph.value_info[position].name not in needed:
            del graph.value_info[position]


def _names_used(node: onnx.NodeProto) -> Iterator[str]:
    """What a node reads, in subgraphs too (with names of their own, which does no harm)."""
    yield from node.input
    for graph in _subgraphs(node):
        for inner in graph.node:
            yield from _names_used(inner)


def _subgraphs(node: onnx.NodeProto) -> Iterator[onnx.GraphProto]:
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


# ---- other types ---------------------------------------------------------------------------------


def cast_outputs(model: onnx.ModelProto, types: Mapping[str, int]) -> None:
    """Gives outputs another element type (ONNX's numbers, by the output's name).

    Raises:
        InputError: An output is an input or a constant, which nothing computes.
    """
    made = sources(model)
    for value in model.graph.output:
        number = types.get(value.name)
        old = value.type.tensor_type.elem_type
        if number is None or number == old:
            continue
        if value.name not in made:
            raise InputError(
                f"output_type: the output {value.name!r} is an input or a constant of the model, "
                "whose type stays"
            )
        inner = _fresh(model, value.name)
        _rename(model.graph, value.name, inner, results=True)
        value.type.tensor_type.elem_type = number
        dtype = element_type("output", value)
        for node in _conversion(model, inner, value.name, old, number, _BOUNDS.get(dtype.name)):
            model.graph.node.append(node)


def cast_inputs(
    model: onnx.ModelProto, inputs: Sequence[onnx.ValueInfoProto], names: Sequence[str]
) -> None:
    """Makes these inputs float16; the model gets them cast to what they were.

    Raises:
        InputError: One is not an input, is no float, or is an output as well.
    """
    onnx = import_onnx()
    by_name = {value.name: value for value in inputs}
    outputs = {value.name for value in model.graph.output}
    nodes = []
    for name in dict.fromkeys(names):
        value = by_name.get(name)
        if value is None:
            raise InputError(
                f"input_fp16_nodes: the model has no input {name!r}",
                hint="the inputs are " + ", ".join(map(repr, by_name)) if by_name else "",
            )
        old = value.type.tensor_type.elem_type
        if old == onnx.TensorProto.FLOAT16:
            continue
        if old != onnx.TensorProto.FLOAT:
            kind = element_type("input", value).name
            raise InputError(
                f"input_fp16_nodes: expected inputs of float32, given {name!r} of {kind}"
            )
        if name in outputs:
            raise InputError(
                f"input_fp16_nodes: {name!r} is an output of the model as well, whose type stays"
            )
        inner = _fresh(model, name)
        _rename(model.graph, name, inner, results=False)
        value.type.tensor_type.elem_type = onnx.TensorProto.FLOAT16
        nodes.append(onnx.helper.make_node("Cast", [name], [inner], name=inner, to=old))
    # In front of what reads them: nodes are in the order in which they run.
    rest = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*nodes, *rest])


def _conversion(
    model: onnx.ModelProto,
    source: str,
    target: str,
    old: int,
    new: int,
    bounds: tuple[int, int] | None,
) -> Iterator[onnx.NodeProto]:
    """Cast nodes; values beyond ``bounds`` become the nearest bound."""
    onnx = import_onnx()
    make = onnx.helper.make_node
    if bounds is None or old in (onnx.TensorProto.BOOL, new):
        yield make("Cast", [source], [target], name=f"{source}_cast", to=new)
        return
    wide = f"{source}_wide"  # what all bounds and all integers near them fit in
    limits = [f"{source}_limit_{bound}" for bound in bounds]
    for name, bound in zip(limits, bounds, strict=True):
        limit = onnx.numpy_helper.from_array(np.asarray(bound, np.float32), name)
        model.graph.initializer.append(limit)
    yield make("Cast", [source], [wide], name=wide, to=onnx.TensorProto.FLOAT)
    clipped = f"{source}_clipped"
    yield make("Max", [wide, limits[0]], [f"{clipped}_below"], name=f"{clipped}_below")
    yield make("Min", [f"{clipped}_below", limits[1]], [clipped], name=clipped)
    yield make("Cast", [clipped], [target], name=f"{source}_cast", to=new)


def _fresh(model: onnx.ModelProto, name: str) -> str:
    """A name that nothing in the model has or begins with."""
    taken: set[str] = set()
    graphs = [model.graph]
    while graphs:
        graph = graphs.pop()
        taken.update(value.name for value in (*graph.input, *graph.output))
        taken.update(tensor.name for tensor in graph.initializer)
        for node in graph.node:
            taken.update((node.name, *node.input, *node.output))
            graphs.extend(_subgraphs(node))
    fresh = f"{name}_aclrt"
    while any(other.startswith(fresh) for other in taken):
        fresh += "_"
    return fresh


def _rename(graph: onnx.GraphProto, old: str, new: str, *, results: bool) -> None:
    """Has the graph's nodes read ``new`` for ``old``, and with ``results`` make it as well."""
    for node in graph.node:
        for names in (node.input, node.output) if results else (node.input,):
            for position, name in enumerate(names):
                if name == old:
                    names[position] = new
        for inner in _subgraphs(node):
            own = {value.name for value in inner.input}
            own.update(tensor.name for tensor in inner.initializer)
            own.update(result for item in inner.node for result in item.output)
            if old in own:
                continue  # its own tensor of that name
            _rename(inner, old, new, results=False)
    for value in graph.value_info:
        if value.name == old and results:
            value.name = new
