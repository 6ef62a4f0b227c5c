# SPDX-License-Identifier: Apache-2.0
"""`aclrt.convert` with gears and shape ranges that do not fit: what the errors say."""

from __future__ import annotations

import pytest
from onnx_graphs import clip, image, make, value

import aclrt


@pytest.fixture
def refused(tmp_path):
    """Converts, expects the error and no file; gives the error's text."""

    def check(error, model, **options):
        with pytest.raises(error) as caught:
            aclrt.convert(model, tmp_path / "out.om", **options)
        assert [] == list(tmp_path.glob("*.om")) + list(tmp_path.glob(".*"))
        return str(caught.value)

    return check


X = "x:-1,3,4,4"
HW = "x:1,3,-1,-1"


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"dynamic_batch_size": "4"}, "dynamic_batch_size: expected 2 to 100 gears, given 1"),
        (
            {"dynamic_batch_size": range(1, 102)},
            "dynamic_batch_size: expected 2 to 100 gears, given 101",
        ),
        ({"dynamic_batch_size": ()}, "expected 2 to 100 gears, given 0"),
        ({"dynamic_batch_size": "1,4,1"}, "the gear 1 is given twice"),
        ({"dynamic_batch_size": "0,1"}, "expected values from 1 to 2147483647, given 0"),
        ({"dynamic_batch_size": "-1,1"}, "expected values from 1 to 2147483647, given -1"),
        ({"dynamic_batch_size": (1, 1 << 31)}, "expected values from 1 to 2147483647"),
        ({"dynamic_batch_size": "1;4"}, "dynamic_batch_size: expected whole numbers"),
        ({"dynamic_batch_size": ""}, "dynamic_batch_size: expected whole numbers, given ''"),
        ({"dynamic_batch_size": "1,,4"}, "expected whole numbers, given '1,,4'"),
        ({"dynamic_batch_size": (1, 2.0)}, "expected whole numbers, given 2.0"),
        ({"dynamic_batch_size": (1, True)}, "expected whole numbers, given True"),
        ({"dynamic_batch_size": 4}, "expected a text or a sequence, given int"),
        ({"dynamic_batch_size": b"1,4"}, "expected a text or a sequence, given bytes"),
        ({"dynamic_dims": (1, 2)}, "expected a sequence of numbers for each gear, given 1"),
        (
            {"dynamic_batch_size": "1,4", "dynamic_dims": "1;4"},
            "dynamic_batch_size and dynamic_dims exclude each other",
        ),
        (
            {"input_shape": "x:1,3,4,4", "dynamic_batch_size": "1,4"},
            "at least one dim of the inputs must be -1, given 'x' (1, 3, 4, 4)",
        ),
        (
            {"input_shape": HW, "dynamic_batch_size": "1,4"},
            "only the first dim (N) of an input can be -1, given 'x' (1, 3, -1, -1)",
        ),
        (
            {"input_shape": "x:1~8,3,4,4", "dynamic_batch_size": "1,4"},
            "the inputs need -1 where the gears fill in, given a range for dim 0 of 'x'",
        ),
        (
            {"input_shape": X, "dynamic_image_size": "4,4;8,8"},
            "height and width, the last two of an input's four dims, can be -1 and must both be",
        ),
        (
            {"input_shape": "x:1,3,4,-1", "dynamic_image_size": "4,4;8,8"},
            "can be -1 and must both be, given 'x' (1, 3, 4, -1)",
        ),
        (
            {"input_shape": HW, "dynamic_image_size": "4;8"},
            "dynamic_image_size: expected height and width in each gear, given (4,)",
        ),
        (
            {"input_shape": HW, "dynamic_image_size": "4,4;8,8", "input_format": "ND"},
            "expected input_format NCHW, where height and width have a place, given ND",
        ),
        (
            {"input_shape": X, "dynamic_dims": "1;4", "input_format": "NCHW"},
            "dynamic_dims: expected input_format ND, given NCHW",
        ),
        (
            {"input_shape": HW, "dynamic_dims": "4,4;8"},
            "expected 2 values in each gear, one for every -1 (dim 2 of 'x', dim 3 of 'x'), "
            "given 8",
        ),
        (
            {"input_shape_range": "x:[1,3,4,4]", "input_shape": X},
            "input_shape_range and input_shape exclude each other",
        ),
        (
            {"input_shape_range": "x:[-1,3,4,4]", "dynamic_batch_size": "1,2"},
            "input_shape_range and dynamic_batch_size exclude each other",
        ),
        ({"input_shape_range": "x:1,3,4,4"}, "expected dims in brackets, given '1,3,4,4'"),
        ({"input_shape_range": "x:[1,3,4~2,4]"}, "end is not before its start, given 4~2"),
        ({"input_shape": "x:1,3,-1~2,4"}, "given -1~2"),
        ({"input_shape": "x:1,3,1~2~3,4"}, "expected whole numbers"),
        ({"input_shape": {"x": (1, 3, (1, 2, 3), 4)}}, "expected (least, greatest)"),
        ({"input_shape": "x:1,-1,4,4"}, "dim 1 is 3 in the model"),
        ({"input_shape": "x:-1,3,4,4;y:1"}, "the model has no input 'y'"),
        ({"input_format": "NHWC"}, "input_format: expected NCHW, NCDHW, ND"),
        ({"input_format": 3}, "input_format: expected NCHW, NCDHW, ND"),
    ],
)
def test_refused(options, text, refused):
    """Before anything is written, with what was expected and what was given."""
    assert text in refused(aclrt.InputError, image(), **options)


def test_one_value_for_two_inputs(refused):
    """The usual mistake: the hint has the gears as they should be written."""
    message = refused(
        aclrt.InputError,
        clip(),
        input_shape="input_ids:-1,77;pixels:-1,3",
        dynamic_dims="1;2;4;8",
    )
    assert (
        "expected 2 values in each gear, one for every -1 (dim 0 of 'input_ids', dim 0 of "
        "'pixels'), given 1" in message
    )
    assert 'dynamic_dims="1,1;2,2;4,4;8,8"' in message


def test_one_symbol_with_two_values(refused):
    """The model says that they are the same."""
    model = make(
        [("Add", ["a", "b"], ["sum"])],
        [value("a", ["N", 3]), value("b", ["N", 3])],
        [value("sum", None)],
    )
    message = refused(aclrt.InputError, model, input_shape="a:-1,3;b:-1,3", dynamic_dims="1,1;2,1")
    assert "the gear 2,1 gives 2 to dim 0 of 'a' and 1 to dim 0 of 'b'" in message
    message = refused(aclrt.InputError, model, input_shape="a:-1,3;b:4,3", dynamic_batch_size="1,2")
    assert "'N' is -1 in the shape of 'a'" in message
    message = refused(aclrt.InputError, model, input_shape="a:1~4,3;b:1~5,3")
    assert "'N' is 1~4 in the shape of 'a'" in message


def test_largest_gear_too_large(refused):
    """More bytes than 64 bits count."""
    side = str((1 << 31) - 1)
    gears = ";".join(f"{n},{side},{side}" for n in (1, side))
    assert "2**63 bytes" in refused(aclrt.InputError, image(), dynamic_dims=gears)
