# SPDX-License-Identifier: Apache-2.0
"""What `aclrt.inspect` says of gears, ranges and AIPP, and `aclrt.om.diff`."""

from __future__ import annotations

import json

import numpy as np
import om_graphs
import pytest

import aclrt
from aclrt.om import (
    AippInfo,
    AippTensor,
    Difference,
    GraphInfo,
    OutputShape,
    PartitionInfo,
    SubModelInfo,
    TensorInfo,
    diff,
)

YUV = {"csc_switch": True, "input_format": 1, "rbuv_swap_switch": True}


def test_gears_of_dims() -> None:
    """Values go to the inputs in the order that the file states, not in that of feeding."""
    info = aclrt.inspect(om_graphs.dims_gears())
    assert ("dims", ((4, 8, 5), (6, 9, 7)), ("b", "a")) == (
        info.dynamic,
        info.gears,
        info.gear_order,
    )
    assert ["a", "b"] == [tensor.name for tensor in info.inputs]  # the gear's own is not fed
    assert ("graph", ()) == (info.io_source, info.disagreements)
    assert {"a": (5, 2), "b": (4, 8), "y": (4, 8), "z": (1,)} == info.gear_shapes(0)
    assert {"a": (7, 2), "b": (6, 9), "y": (6, 9), "z": (1,)} == info.gear_shapes(1)
    assert OutputShape(gear=-1, output="z", shape=(1,)) == info.output_shapes[2]


@pytest.mark.parametrize("index", [-1, 2])
def test_no_such_gear(index: int) -> None:
    """The error says how many there are."""
    with pytest.raises(aclrt.InputError, match="the model has 2"):
        aclrt.inspect(om_graphs.dims_gears()).gear_shapes(index)


@pytest.mark.parametrize(("gears", "text"), [([(1, 2)], "fewer"), ([(1, 2, 3, 4)], "more")])
def test_gears_that_do_not_fit(gears: list[tuple[int, ...]], text: str) -> None:
    """A file that contradicts itself is read, says so, and gives no shapes."""
    info = aclrt.inspect(om_graphs.dims_gears(gears, ()))
    assert any("the inputs need 3 values" in sentence for sentence in info.disagreements)
    with pytest.raises(aclrt.InputError, match=text):
        info.gear_shapes(0)


def test_output_dims_of_no_output() -> None:
    """They stay under the output's number."""
    om = om_graphs.dims_gears()
    at = om.index(b"-1,1,1")
    info = aclrt.inspect(om[:at] + b"-1,7,1" + om[at + 6 :])
    assert OutputShape(gear=-1, output="7", shape=(1,)) == info.output_shapes[2]
    assert {"a", "b", "y"} == set(info.gear_shapes(0))
    assert any("output 7" in sentence for sentence in info.disagreements)


def test_ranges() -> None:
    """Open dims without gears have limits."""
    info = aclrt.inspect(om_graphs.ranged())
    assert ("range", (), True) == (info.dynamic, info.gears, info.unknown_shape)
    assert ((1, 8), (3, 3), (2, -1)) == info.inputs[0].range
    assert "Ascend310P3" == info.soc_version  # from the command
    assert "atc_cmdline" not in info.attributes


def test_static_aipp() -> None:
    """What is fed is the image; the words tell whether it is normalised inside."""
    parameters = {"mean_chn_0": 104, "var_reci_chn_0": 0.5, "crop": True, "crop_size_w": 8}
    info = aclrt.inspect(om_graphs.static_aipp(**parameters))
    assert ((1, 4, 8, 3), "uint8", "NHWC", 96) == (
        info.inputs[0].shape,
        info.inputs[0].dtype,
        info.inputs[0].format,
        info.inputs[0].nbytes,
    )
    (aipp,) = info.aipp
    assert ("image", "static", "RGB888_U8", (8, 4)) == (
        aipp.input,
        aipp.mode,
        aipp.input_format,
        aipp.src_image_size,
    )
    assert ((0, 0, 8, 0), None, None, None) == (
        aipp.crop,
        aipp.resize,
        aipp.padding,
        aipp.csc_matrix,
    )
    assert ((104, 0, 0, 0), (0.5, 1.0, 1.0, 1.0)) == (aipp.mean, aipp.var_reci)
    assert aipp.network_input is not None
    assert ("DT_FLOAT", (1, 3, 4, 8)) == (aipp.network_input.dtype, aipp.network_input.shape)
    assert aipp.output is None
    assert "normalises: subtracts mean [104, 0, 0]" in aipp.describe()
    assert "would do it twice" in aipp.describe()


def test_aipp_without_normalisation() -> None:
    """The other case is said as clearly."""
    (aipp,) = aclrt.inspect(om_graphs.static_aipp(**YUV)).aipp
    assert "does not normalise" in aipp.describe()
    assert "nothing is normalised" in aipp.describe()
    assert "exchanges U and V" in aipp.describe()
    assert (0,) * 9 == aipp.csc_matrix


def test_every_parameter_of_static_aipp() -> None:
    """Each key of the configuration file has its place."""
    matrix = {f"matrix_r{i // 3}c{i % 3}": i for i in range(9)}
    om = om_graphs.static_aipp(
        **matrix,
        **{f"mean_chn_{i}": i for i in range(4)},
        **{f"min_chn_{i}": i + 0.5 for i in range(4)},
        **{f"var_reci_chn_{i}": i + 0.25 for i in range(4)},
        **{f"input_bias_{i}": i + 10 for i in range(3)},
        **{f"output_bias_{i}": i + 20 for i in range(3)},
        **dict.fromkeys(("crop", "resize", "padding", "csc_switch", "ax_swap_switch"), True),
        load_start_pos_w=1,
        load_start_pos_h=2,
        crop_size_w=3,
        crop_size_h=4,
        resize_output_w=5,
        resize_output_h=6,
        cpadding_value=0.5,
        left_padding_size=7,
        right_padding_size=8,
        top_padding_size=9,
        bottom_padding_size=10,
    )
    (aipp,) = aclrt.inspect(om).aipp
    assert aipp == AippInfo(
        input="image",
        mode="static",
        parameter_input="",
        has_parameters=True,
        max_src_image_size=0,
        support_rotation=False,
        input_format="RGB888_U8",
        src_image_size=(8, 4),
        crop=(1, 2, 3, 4),
        resize=(5, 6),
        padding=(7, 8, 9, 10),
        padding_value=0.0,
        cpadding_value=0.5,
        csc_matrix=tuple(range(9)),
        csc_input_bias=(10, 11, 12),
        csc_output_bias=(20, 21, 22),
        rbuv_swap=False,
        ax_swap=True,
        mean=(0, 1, 2, 3),
        min=(0.5, 1.5, 2.5, 3.5),
        var_reci=(0.25, 1.25, 2.25, 3.25),
        network_input=AippTensor("image", "NCHW", "DT_FLOAT", 384, (1, 3, 4, 8)),
        output=None,
        description=aipp.description,
    )


def test_dynamic_aipp() -> None:
    """The image's dims are open, but not the caller's to choose among; the parameters hidden."""
    info = aclrt.inspect(om_graphs.dynamic_aipp())
    assert ("none", ["image"]) == (info.dynamic, [tensor.name for tensor in info.inputs])
    assert (1, -1, -1, -1) == info.inputs[0].shape
    (aipp,) = info.aipp
    assert ("dynamic", "ascend_dynamic_aipp_data", 96, True) == (
        aipp.mode,
        aipp.parameter_input,
        aipp.max_src_image_size,
        aipp.support_rotation,
    )
    assert "images of at most 96 bytes" in aipp.describe()


def test_parts_of_a_dynamic_model() -> None:
    """The first model is described, the others are listed with what their graphs tell."""
    info = aclrt.inspect(om_graphs.parts())
    assert (2, 7, ("graph", 2)) == (
        info.model_count,
        info.weight_size,
        (info.graphs[0].name, info.graphs[0].operator_count),
    )
    x = TensorInfo("part_x", np.dtype("f4"), (2,), "NCHW", 0, False, "part_x", (), "float32", (2,))
    at = info.partitions[-1].offset + info.partitions[-1].size + 8 + 2 * 24
    size = info.sub_models[0].partitions[0].size
    assert info.sub_models == (
        SubModelInfo(
            name="made",
            inputs=(x,),
            outputs=(),
            io_problem=info.sub_models[0].io_problem,
            graphs=(GraphInfo("graph", 1),),
            attributes={"stream_num": 3},
            partitions=(
                PartitionInfo(0, "MODEL_DEF", at, size),
                PartitionInfo(1, "WEIGHTS_DATA", at + size, 7),
            ),
        ),
    )
    assert "outputs are unknown" in info.sub_models[0].io_problem


@pytest.mark.parametrize(
    "om", [om_graphs.dims_gears(), om_graphs.ranged(), om_graphs.static_aipp(**YUV)]
)
def test_to_dict_is_json(om: bytes) -> None:
    """Nested answers become plain lists and dicts as well."""
    fields = aclrt.inspect(om).to_dict()
    assert fields == json.loads(json.dumps(fields))


def test_disagreement() -> None:
    """Where the file's list and its graph differ, the list counts and a sentence tells."""
    definition = om_graphs.model_def(
        om_graphs.node("x", "Data", {"index": 0}, om_graphs.descriptor([2, 3], layout="ND"))
    )
    info = aclrt.inspect(om_graphs.om_file(definition, type_8=om_graphs.listed("x", [2, 4], 32)))
    assert ("both", (2, 4)) == (info.io_source, info.inputs[0].shape)
    assert (
        'input 0 "x": shape is [2,4] in MODEL_INOUT_INFO, [2,3] in the graph' in info.disagreements
    )


def test_inputs_that_cannot_be_told() -> None:
    """No empty tables without a word."""
    info = aclrt.inspect(om_graphs.om_file(om_graphs.model_def(b"")))
    assert ("none", (), ()) == (info.io_source, info.inputs, info.outputs)
    assert "no Data and no NetOutput node" in info.io_problem


# ---- diff ----------------------------------------------------------------------------------------


def test_a_difference_is_a_field_and_two_values() -> None:
    """Nothing else."""
    first, second = om_graphs.ranged(), om_graphs.ranged().replace(b"310P3", b"310P1")
    assert Difference("soc_version", "Ascend310P3", "Ascend310P1") in diff(first, second)


def differing(first: bytes, second: bytes) -> dict[str, tuple[object, object]]:
    return {item.field: (item.first, item.second) for item in diff(first, second)}


def test_a_file_is_like_itself(tmp_path) -> None:
    """From a path and from bytes; where the parts begin does not count."""
    om = om_graphs.dims_gears()
    (tmp_path / "a.om").write_bytes(om)
    assert [] == diff(om, om)
    assert [] == diff(tmp_path / "a.om", om)
    assert [] == diff(str(tmp_path / "a.om"), bytearray(om))


def test_fields_that_differ() -> None:
    """By name, with both values."""
    found = differing(om_graphs.static_aipp(), om_graphs.static_aipp(mean_chn_1=7))
    assert ([0, 0, 0, 0], [0, 7, 0, 0]) == found["aipp[image].mean"]
    assert "partitions[MODEL_DEF].sha256" in found
    assert not [name for name in found if name.startswith(("inputs", "outputs"))]


def test_things_that_only_one_has() -> None:
    """As a whole, None on the other side."""
    found = differing(om_graphs.dims_gears(), om_graphs.ranged())
    first, second = found["inputs[a]"]
    assert isinstance(first, dict)
    assert second is None
    assert (None, "ranged") != found["inputs[x]"]
    assert ("dims", "range") == found["dynamic"]


def test_weights_that_differ() -> None:
    """Bytes that no field describes are compared too."""
    definition = om_graphs.model_def(b"")
    first, second = (om_graphs.om_file(definition, type_1=raw) for raw in (b"abc", b"abd"))
    assert ["partitions[WEIGHTS_DATA].sha256"] == list(differing(first, second))


def test_order_and_repeated_names() -> None:
    """An order that differs is one difference; two of a name are told apart."""
    definition = om_graphs.model_def(b"")
    first = om_graphs.om_file(definition, type_1=b"w", type_77=b"x")
    second = om_graphs.om_file(definition, type_77=b"x", type_1=b"w")
    assert ["partitions.order"] == list(differing(first, second))
    doubled = bytearray(first)
    at = 256 + 8 + 24  # the type of the second part
    doubled[at] = 77
    assert {"partitions[type 77].size", "partitions[type 77#2]"} & set(
        differing(first, bytes(doubled))
    )
