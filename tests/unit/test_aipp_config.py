# SPDX-License-Identifier: Apache-2.0
"""ATC's AIPP configuration: what is read, what is refused and how, and what the file then says."""

from __future__ import annotations

from pathlib import Path

import pytest

import aclrt
from aclrt.errors import InputError
from aclrt.om import _aipp_attrs, _aipp_config, _container, _contents, _types

RGB = "aipp_mode: static  input_format: RGB888_U8"
YUV = "aipp_mode: static  input_format: YUV420SP_U8"


def block(body: str) -> str:
    """One aipp_op."""
    return f"aipp_op {{ {body} }}"


def network(**changes: object) -> _contents.Tensor:
    """x float32 NCHW (2, 3, 8, 16)."""
    given = {"name": "x", "dtype": _types.named("float32"), "dims": (2, 3, 8, 16), "format": "NCHW"}
    return _contents.Tensor(**(given | changes))


def inspected(text: str, *inputs: _contents.Tensor) -> aclrt.ModelInfo:
    """What a reader sees of a file with this AIPP."""
    output = _contents.Tensor("n:0:y", _types.named("float32"), (2, 10), source=("n", 0))
    shown = _aipp_attrs.insert(_aipp_config.parse(text), inputs or (network(),))
    contents = _contents.Contents("made", shown, (output,), b"onnx", "tool", "command")
    return aclrt.inspect(b"".join(_container.pieces(contents)))


# ---- reading -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "aipp_op { aipp_mode: static input_format: RGB888_U8 mean_chn_0: 104 min_chn_0: 0.5 }",
        "aipp_op{aipp_mode:static,input_format:RGB888_U8;mean_chn_0:104,min_chn_0:.5}",
        "# above\naipp_op: <\n aipp_mode : static # here\n input_format : RGB888_U8\n"
        " mean_chn_0 : 0x68\n min_chn_0 : 5e-1\n>\n",
    ],
)
def test_spellings(text: str) -> None:
    """Protobuf's text format with its freedoms gives the same values."""
    (op,) = _aipp_config.parse(text)
    expected = {
        "aipp_mode": "static",
        "input_format": "RGB888_U8",
        "mean_chn_0": 104,
        "min_chn_0": 0.5,
    }
    assert expected == op.given


def test_a_path_and_a_text_are_told_apart(tmp_path: Path) -> None:
    """A file with the same text gives the same blocks; a byte order mark is skipped."""
    path = tmp_path / "aipp.cfg"
    path.write_bytes(b"\xef\xbb\xbf" + block(RGB).encode())
    expected = [op.given for op in _aipp_config.parse(block(RGB))]
    assert expected == [op.given for op in _aipp_config.parse(path)]
    assert expected == [op.given for op in _aipp_config.parse(str(path))]
    with pytest.raises(FileNotFoundError):
        _aipp_config.parse(tmp_path / "missing.cfg")
    path.write_bytes(b"aipp_op { \xff }")
    with pytest.raises(InputError, match="not UTF-8 at byte 10"):
        _aipp_config.parse(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# nothing {}", "no aipp_op"),
        ("aipp_op {", "line 1: expected a key or }, given the end"),
        ("aipp {}", "expected aipp_op, given aipp"),
        ("aipp_op { aipp_mode static }", "expected : after aipp_mode, given static"),
        ("aipp_op {\n aipp_mode: static\n $ }", r"line 3: cannot read '\$'"),
        (block(RGB + " crop: true crop: true"), "crop is given twice"),
        (block(RGB + " mean_chan_0: 1"), "unknown key 'mean_chan_0'\n.*did you mean 'mean_chn_0'"),
        (block(RGB + " crop: 3"), "crop: expected true or false, given 3"),
        (block(RGB + " mean_chn_0: 1.5"), "mean_chn_0: expected a whole number, given 1.5"),
        (block(RGB + " min_chn_0: x"), "min_chn_0: expected a number, given x"),
        (block(RGB + " related_input_name: x"), "expected a name in quotes, given x"),
        (block("input_format: RGB888_U8"), "aipp_mode: expected static or dynamic, given nothing"),
        (block("aipp_mode: fixed"), "aipp_mode: expected static or dynamic, given 'fixed'"),
        (block("aipp_mode: static"), "input_format: expected YUV420SP_U8.*given nothing"),
        (block("aipp_mode: static input_format: RAW10"), "RAW10 .no chip"),
        (block(RGB + ' related_input_rank: 0 related_input_name: "x"'), "are both given"),
        (block("aipp_mode: dynamic"), "needs max_src_image_size"),
        (block("aipp_mode: dynamic max_src_image_size: 9 crop: true"), "crop does not belong"),
        (block(RGB + " max_src_image_size: 9"), "max_src_image_size does not belong"),
        (block(RGB + " resize: true"), "resize: no chip has it"),
        (block(RGB + " single_line_mode: true"), "single_line_mode"),
        (block(RGB + " ax_swap_switch: true"), "RGB888_U8 has no A or X channel"),
        (block("aipp_mode: static input_format: YUV400_U8 csc_switch: true"), "no colours"),
        (block("aipp_mode: static input_format: YUV400_U8 rbuv_swap_switch: true"), "no channels"),
        (block(RGB + " src_image_size_w: 8"), "give both, or neither"),
        (block(RGB + " crop: true"), "crop needs src_image_size_w"),
        (block(RGB + " padding: true"), "padding needs src_image_size_w"),
        (block(YUV + " src_image_size_w: 7 src_image_size_h: 8"), "even one, given 7"),
        (block(YUV + " src_image_size_w: 8 src_image_size_h: 7"), "even one, given 7"),
        (
            block(
                YUV + " src_image_size_w: 8 src_image_size_h: 8 crop: true load_start_pos_w: 1"
                " crop_size_w: 2 crop_size_h: 2"
            ),
            "load_start_pos_w: YUV420SP_U8 needs an even one, given 1",
        ),
        (
            block(
                RGB + " src_image_size_w: 8 src_image_size_h: 8 crop: true load_start_pos_h: 7"
                " crop_size_w: 2 crop_size_h: 2"
            ),
            "load_start_pos_h 7 . crop_size_h 2 is more than src_image_size_h 8",
        ),
        (
            block(
                RGB + " src_image_size_w: 8 src_image_size_h: 8 crop: true padding: true"
                " crop_size_w: 8"
            ),
            "needs crop_size_w and crop_size_h",
        ),
    ],
)
def test_refused(text: str, message: str) -> None:
    """What was expected and what was given, with the line."""
    with pytest.raises(InputError, match="(?s)AIPP configuration.*" + message):
        _aipp_config.parse(text)


LIMITS = {
    "src_image_size_w": (2, 4096),
    "src_image_size_h": (1, 4096),
    "load_start_pos_w": (0, 4095),
    "load_start_pos_h": (0, 4095),
    "crop_size_w": (1, 4096),
    "crop_size_h": (1, 4096),
    "resize_output_w": (16, 1920),
    "resize_output_h": (16, 4096),
    "left_padding_size": (0, 32),
    "right_padding_size": (0, 32),
    "top_padding_size": (0, 32),
    "bottom_padding_size": (0, 32),
    "mean_chn_3": (0, 255),
    "min_chn_3": (0, 255),
    "var_reci_chn_3": (-65504, 65504),
    "matrix_r2c2": (-32677, 32676),
    "input_bias_2": (0, 255),
    "output_bias_2": (0, 255),
    "padding_value": (-65504, 65504),
}


@pytest.mark.parametrize("key", LIMITS)
def test_limits(key: str) -> None:
    """Both ends are taken, one beyond either is refused with the limits and the line."""
    low, high = LIMITS[key]
    others = {"src_image_size_w": 8, "src_image_size_h": 8}
    size = " ".join(f"{name}: {value}" for name, value in others.items() if name != key)
    for value in (low, high):
        (op,) = _aipp_config.parse(block(f"{RGB} {key}: {value} {size}"))
        assert value == op.given[key]
    for value in (low - 1, high + 1):
        if value == 0:  # the network's own
            continue
        with pytest.raises(InputError, match=rf"line 2: {key}: expected {low} to {high}.*{value}"):
            _aipp_config.parse(f"aipp_op {{ {RGB}\n {key}: {value} }}")


# ---- what the file says --------------------------------------------------------------------------


def test_static_in_words() -> None:
    """inspect shows what the configuration said, and the image that a caller feeds."""
    info = inspected(
        block(
            YUV + " src_image_size_w: 32 src_image_size_h: 16 crop: true load_start_pos_w: 2"
            " crop_size_w: 12 crop_size_h: 8 padding: true left_padding_size: 4 padding_value: 3.5"
            " csc_switch: true mean_chn_1: 7 var_reci_chn_0: 0.5"
        )
    )
    (x,) = info.inputs
    assert ((2, 16, 32, 3), (2, 24, 32, 1)) == (x.shape, x.shape_v2)
    assert ("uint8", "NHWC", 2 * 16 * 32 * 3 // 2) == (str(x.dtype), x.format, x.nbytes)
    assert ("both", ()) == (info.io_source, info.disagreements)
    (aipp,) = info.aipp
    assert ((2, 0, 12, 8), (4, 0, 0, 0), 3.5) == (aipp.crop, aipp.padding, aipp.padding_value)
    assert (298, 516, 0, 298, -100, -208, 298, 0, 409) == aipp.csc_matrix
    assert ((16, 128, 128), (16, 128, 128)) == (aipp.csc_input_bias, aipp.csc_output_bias)
    assert aipp.network_input is not None
    assert ("x", "NCHW", "DT_FLOAT", (2, 3, 8, 16)) == (
        aipp.network_input.name,
        aipp.network_input.format,
        aipp.network_input.dtype,
        aipp.network_input.shape,
    )
    assert aipp.output is not None
    assert ("DT_FLOAT16", 2 * 3 * 8 * 16 * 2) == (aipp.output.dtype, aipp.output.nbytes)
    assert "YUV to BGR (BT.601 narrow)" in aipp.describe()
    assert "pads left 4, right 0, top 0, bottom 0 with 3.5" in aipp.describe()


def test_dynamic_in_words() -> None:
    """The image's dims are open; the parameters' input is hidden, its size the contract's."""
    info = inspected(block("aipp_mode: dynamic max_src_image_size: 1536"))
    (x,) = info.inputs
    assert ((2, -1, -1, -1), 1536, True) == (x.shape, x.nbytes, x.dynamic)
    assert () == info.disagreements
    (aipp,) = info.aipp
    assert ("dynamic", 1536, "ascend_dynamic_aipp_data") == (
        aipp.mode,
        aipp.max_src_image_size,
        aipp.parameter_input,
    )
    assert 64 + 96 * 2 == _aipp_attrs.block_size(2)


def test_several_inputs() -> None:
    """Each block finds its input by rank or name; the second parameter input has a longer name."""
    second = network(name="z", dims=(2, 8, 16, 3), format="NHWC")
    text = block("aipp_mode: dynamic max_src_image_size: 9 related_input_rank: 1") + block(
        'aipp_mode: dynamic max_src_image_size: 8 related_input_name: "x"'
    )
    info = inspected(text, network(), second)
    assert [("x", 8), ("z", 9)] == [(item.input, item.max_src_image_size) for item in info.aipp]
    names = [item.parameter_input for item in info.aipp]
    assert ["ascend_dynamic_aipp_data_x_aipp", "ascend_dynamic_aipp_data"] == names


@pytest.mark.parametrize(
    ("text", "tensor", "message"),
    [
        (RGB + " related_input_rank: 1", network(), "expected 0 to 0, given 1"),
        (RGB + ' related_input_name: "y"', network(), "no input 'y'\n.*inputs: x"),
        (RGB, network(dims=(2, 10), format="ND"), "expected NCHW or NHWC with four dims"),
        (RGB, network(dtype=_types.named("int64")), "expected float32, float16, uint8, given int"),
        (RGB, network(dims=(2, 4, 8, 16)), "has 4 channels; RGB888_U8 without csc_switch gives 3"),
        (RGB, network(dims=(-1, 3, 8, 16), range=((1, 4),) * 4), "has a shape range"),
        (RGB + " mean_chn_0: 5", network(dtype=_types.named("uint8")), "mean_chn_0 5: pixels are"),
        (YUV, network(dims=(2, 3, 7, 16)), "have an even height, input 'x' takes 7"),
        (
            RGB + " src_image_size_w: 18 src_image_size_h: 8",
            network(),
            "takes images of width 16, given 18",
        ),
        ("aipp_mode: dynamic max_src_image_size: 9", network(dims=(2, 5, 8, 16)), "1, 3 or 4"),
    ],
)
def test_does_not_fit_the_network(text: str, tensor: _contents.Tensor, message: str) -> None:
    """The network's side of the matter is named."""
    with pytest.raises(InputError, match="(?s)" + message):
        _aipp_attrs.insert(_aipp_config.parse(block(text)), (tensor,))


def test_one_block_for_one_input() -> None:
    """Two for the same are refused, with the line of the first."""
    with pytest.raises(InputError, match=r"line 2: input 'x' has AIPP already \(line 1\)"):
        _aipp_attrs.insert(_aipp_config.parse(block(RGB) + "\n" + block(RGB)), (network(),))
