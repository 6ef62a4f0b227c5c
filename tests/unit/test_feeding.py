# SPDX-License-Identifier: Apache-2.0
"""Strict feeding: every wrong input has its error, every acceptable one its stated treatment."""

from __future__ import annotations

import array
import re

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import aclrt


def refusal(call) -> aclrt.InputError:
    """The InputError of a call; a table always has its heading."""
    with pytest.raises(aclrt.InputError) as caught:
        call()
    assert re.search(r"expected +given", str(caught.value))
    return caught.value


class Other:
    """Stands for another library's array: only the given attributes."""

    def __init__(self, **attributes):
        self.__dict__.update(attributes)


def dlpack(x, device=(1, 0), fails=None):
    """An object that exports x by DLPack alone, as torch's CPU tensors do."""

    class Producer:
        def __dlpack_device__(self):
            return device

        def __dlpack__(self, **options):
            if fails is not None:
                raise fails
            return x.__dlpack__(**options)

    return Producer()


# ---- names ------------------------------------------------------------------------------------


def test_a_wrong_name_gets_a_suggestion(pair, image, mask):
    """A near miss is answered with the name that was probably meant."""
    error = refusal(lambda: pair(imgae=image, mask=mask))
    assert "did you mean 'image'?" in str(error)
    assert "missing" in str(error)


def test_a_far_name_gets_the_list(pair, image, mask):
    """A name like none of them is answered with those that are still open."""
    assert "there is 'image'" in str(refusal(lambda: pair(zzz=image, mask=mask)))


def test_missing_inputs_are_named(pair, image):
    """Each missing input is a line of the table."""
    error = refusal(lambda: pair(image))
    assert "input 'mask'" in error.message
    assert "missing" in error.message
    assert 2 == str(refusal(pair)).count("missing")


def test_extra_inputs_are_refused(pair, image, mask):
    """Too many by position, unknown by name, twice by both."""
    assert "too many: the model has 2 inputs" in str(refusal(lambda: pair(image, mask, mask)))
    assert "no such input" in str(refusal(lambda: pair(image, mask, more=mask)))
    assert "given twice" in str(refusal(lambda: pair(image, mask, image=image)))
    with pytest.raises(aclrt.InputError, match="given twice"):
        pair({"image": image, "mask": mask}, mask=mask)


def test_a_feed_may_be_any_mapping(pair, image, mask):
    """Not only dict."""
    import types

    feed = types.MappingProxyType({"image": image, "mask": mask})
    np.testing.assert_array_equal(-image, pair(feed)["probs"])


def test_names_need_not_be_strings_to_be_refused(pair, image, mask):
    """A dict with a number for a key is an error, not a crash."""
    assert "no such input" in str(refusal(lambda: pair({0: image, "mask": mask})))


def test_the_table_shows_all_inputs(pair, image, mask):
    """Expected beside given, the good ones too."""
    text = str(refusal(lambda: pair(image.astype(np.float64), mask[:1])))
    assert "2 inputs of <bytes> do not fit" in text
    assert re.search(r"image +float32 \(1, 2, 4\) +float64 \(1, 2, 4\) +dtype is float64", text)
    assert re.search(r"mask +bool \(2,\) +bool \(1,\) +dim 0 is 1, not 2", text)
    assert re.search(r"mask +bool .* ok", str(refusal(lambda: pair(image[0], mask))))


def test_a_long_table_shows_the_wrong_ones(om_factory):
    """With very many inputs the good ones are left out."""
    names = [f"input_{number}" for number in range(20)]
    om = om_factory(
        [("Sum", names, ["y"])],
        [(name, "float32", (1,)) for name in names],
        [("y", "float32", (1,))],
    )
    x = np.ones(1, np.float32)
    with aclrt.OfflineModel(om) as model:
        np.testing.assert_array_equal([20], model(*[x] * 20)["y"])
        text = str(refusal(lambda: model(*[x] * 19)))
    assert "input_19" in text
    assert "input_3 " not in text


# ---- dtype, shape, layout ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "dtype", ["float64", "float16", "int32", "bool", "complex64", "S4", "M8[s]"]
)
def test_another_dtype_is_refused(pair, image, mask, dtype):
    """Nothing is converted silently."""
    error = refusal(lambda: pair(np.zeros(image.shape, dtype), mask))
    assert "dtype is" in error.message
    assert "float32" in error.hint


def test_a_hint_names_the_safe_cast_only_where_it_is_one(pair, image, mask):
    """float16 fits into float32, float64 does not."""
    assert 'cast="safe"' in refusal(lambda: pair(image.astype("f2"), mask)).hint
    assert "cast=" not in refusal(lambda: pair(image.astype("f8"), mask)).hint


def test_foreign_byte_order_is_refused(pair, image, mask):
    """Big-endian numbers are not sent to the device as they are."""
    error = refusal(lambda: pair(image.astype(">f4"), mask))
    assert "byte order" in error.message
    assert "newbyteorder" in error.hint


def test_object_and_structured_arrays_are_refused(pair, image, mask):
    """Pointers and records are no numbers."""
    assert "Python objects" in str(refusal(lambda: pair(image.astype(object), mask)))
    record = np.zeros(image.shape, [("a", "f4")])
    assert "dtype is" in str(refusal(lambda: pair(record, mask)))


def test_rank_and_dims_are_told_apart(pair, image, mask):
    """The message says which axis is wrong."""
    assert "rank is 2, not 3" in str(refusal(lambda: pair(image[0], mask)))
    assert "dim 1 is 1, not 2" in str(refusal(lambda: pair(image[:, :1], mask)))
    assert "dims 0, 2 differ" in str(refusal(lambda: pair(np.ones((4, 2, 1), "f4"), mask)))
    assert "dim 0 is 0, not 1" in str(refusal(lambda: pair(image[:0], mask)))


@pytest.mark.parametrize(
    "view",
    [
        lambda x: np.repeat(x, 2, axis=2)[:, :, ::2],
        lambda x: x[:, ::-1][:, ::-1],
        lambda x: np.asfortranarray(x),
        lambda x: np.ascontiguousarray(x.T).T,
        lambda x: np.ascontiguousarray(x[:, :, ::-1])[:, :, ::-1],
    ],
    ids=["strided", "twice reversed", "fortran", "transposed", "negative strides"],
)
def test_non_contiguous_inputs_are_right(pair, image, mask, view):
    """An array in another order is copied once; the result is the same."""
    x = view(image)
    np.testing.assert_array_equal(image, x)
    np.testing.assert_array_equal(-image, pair(x, mask)["probs"])


def test_broadcast_inputs_are_right(pair, mask):
    """Strides of zero too."""
    x = np.broadcast_to(np.float32(3), (1, 2, 4))
    np.testing.assert_array_equal(-x, pair(x, mask)["probs"])


def test_read_only_inputs_are_accepted(pair, image, mask):
    """Inputs are only read."""
    image.flags.writeable = False
    np.testing.assert_array_equal(-image, pair(image, mask)["probs"])


def test_inputs_are_not_changed(pair, image, mask):
    """The caller's arrays stay as they were."""
    before = image.copy()
    pair(image, mask)
    np.testing.assert_array_equal(before, image)


def test_unaligned_inputs_are_right(pair, image, mask):
    """Memory that begins at an odd address."""
    raw = bytearray(33)
    x = np.frombuffer(raw, np.float32, 8, offset=1).reshape(1, 2, 4)
    x[:] = image
    assert not x.flags.aligned
    np.testing.assert_array_equal(-image, pair(x, mask)["probs"])


@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (1,), (1, 1, 1, 1, 1, 1, 1, 1)])
def test_scalars_and_empty_tensors(om_factory, shape):
    """0-d and zero-size tensors go in and come out."""
    x = np.full(shape, 7, np.float32)
    with aclrt.OfflineModel(om_factory.identity("float32", shape)) as model:
        result = model(x)[0]
        assert shape == result.shape
        np.testing.assert_array_equal(x, result)
        if shape == ():
            np.testing.assert_array_equal(7, model(np.float32(7))[0])
            assert "rank is 1" in str(refusal(lambda: model(np.ones(1, "f4"))))


# ---- kinds of objects -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [1, 1.5, True, None, "text", [[1.0]], (1.0,), {1}, [np.zeros(2)]],
    ids=lambda value: type(value).__name__,
)
def test_python_values_are_refused(pair, image, value):
    """Lists and numbers have no dtype: the hint shows the explicit conversion."""
    error = refusal(lambda: pair(image, value))
    assert "not an array" in error.message
    assert "np.asarray(value, dtype='bool')" in error.hint


def test_things_without_a_buffer_are_refused(pair, image):
    """Any other object."""
    assert "Other, not an array" in str(refusal(lambda: pair(image, Other(shape=(2,)))))


def test_masked_arrays_are_refused(pair, image, mask):
    """The mask would be lost."""
    error = refusal(lambda: pair(np.ma.masked_less(image, 3), mask))
    assert "masked" in error.message
    assert "filled" in error.hint


def test_subclasses_are_taken_as_plain_arrays(om_factory, tmp_path):
    """matrix and memmap are arrays; the result is a plain one."""
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    on_disk = np.memmap(tmp_path / "x", np.float32, "w+", shape=(2, 3))
    on_disk[:] = x
    with aclrt.OfflineModel(om_factory.identity()) as model:
        for value in (x.view(np.matrix), on_disk):
            result = model(value)[0]
            assert np.ndarray is type(result)
            np.testing.assert_array_equal(x, result)


def test_buffers_are_accepted_if_their_format_fits(om_factory):
    """memoryview, array.array, bytes."""
    x = np.arange(6, dtype=np.float32)
    with aclrt.OfflineModel(om_factory.identity("float32", (6,))) as model:
        np.testing.assert_array_equal(x, model(memoryview(x))[0])
        np.testing.assert_array_equal(x, model(array.array("f", x))[0])
        assert "dtype is float64" in str(refusal(lambda: model(array.array("d", x))))
    with aclrt.OfflineModel(om_factory.identity("uint8", (6,))) as model:
        np.testing.assert_array_equal([97] * 6, model(b"aaaaaa")[0])
        np.testing.assert_array_equal([97] * 6, model(bytearray(b"aaaaaa"))[0])


def test_dlpack_tensors_are_accepted(pair, image, mask):
    """Tensors of other frameworks in host memory, strict about dtype as ever."""
    np.testing.assert_array_equal(-image, pair(dlpack(image), mask)["probs"])
    wrong = dlpack(image.astype(np.float64))
    assert "dtype is float64" in str(refusal(lambda: pair(wrong, mask)))


def test_tensors_in_device_memory_are_refused(pair, image, mask):
    """They have to be copied to the host first."""
    error = refusal(lambda: pair(dlpack(image, device=(2, 0)), mask))
    assert "host memory" in error.message
    assert "cpu()" in error.hint


def test_a_tensor_that_cannot_be_exported_says_why(pair, image, mask):
    """The producer's own words are kept."""
    error = refusal(lambda: pair(dlpack(image, fails=BufferError("use detach()")), mask))
    assert "use detach()" in error.message


def test_array_interfaces_are_accepted(pair, image, mask):
    """__array_interface__ and __array__, and an error from inside is told."""
    interface = Other(__array_interface__=image.__array_interface__)
    np.testing.assert_array_equal(-image, pair(interface, mask)["probs"])

    class Convertible:
        def __array__(self, dtype=None, copy=None):
            return image

    np.testing.assert_array_equal(-image, pair(Convertible(), mask)["probs"])

    class Broken:
        def __array__(self, dtype=None, copy=None):
            raise RuntimeError("not today")

    assert "not today" in str(refusal(lambda: pair(Broken(), mask)))


# ---- cast="safe" ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "expected", "fits"),
    [
        ("float16", "float32", True),
        ("float32", "float64", True),
        ("int8", "int32", True),
        ("uint8", "int16", True),
        ("bool", "uint8", True),
        ("uint8", "float16", True),
        (">f4", "float32", True),
        ("float64", "float32", False),
        ("int64", "int32", False),
        ("int32", "float32", False),
        ("int8", "uint8", False),
        ("float32", "int32", False),
    ],
)
def test_safe_casts(om_factory, given, expected, fits):
    """cast="safe" converts where no value can change and refuses elsewhere."""
    x = np.array([0, 1, 1, 0]).astype(given)
    with aclrt.OfflineModel(om_factory.identity(expected, (4,))) as model:
        refusal(lambda: model(x))
        if fits:
            result = model(x, cast="safe")[0]
            assert np.dtype(expected) == result.dtype
            np.testing.assert_array_equal([0, 1, 1, 0], result)
        else:
            refusal(lambda: model(x, cast="safe"))


def test_safe_cast_set_once(om_factory):
    """In the constructor it holds for every call; shapes stay strict."""
    x = np.ones((2, 3), np.float16)
    with aclrt.OfflineModel(om_factory.identity(), cast="safe") as model:
        np.testing.assert_array_equal(x, model(x)[0])
        np.testing.assert_array_equal(x, model.run(None, {"x": x})[0])
        refusal(lambda: model(x[0]))


def test_an_unknown_cast_is_refused(pair, image, mask):
    """Also where nothing would have to be cast."""
    for value in ("unsafe", True, 1):
        with pytest.raises(aclrt.InputError, match="cast must be"):
            pair(image, mask, cast=value)


def test_bfloat16_bits_get_a_hint(om_factory):
    """uint16 is not taken for bfloat16, but the hint shows the view."""
    bits = np.zeros((2, 3), np.uint16)
    with aclrt.OfflineModel(om_factory.identity("bfloat16")) as model:
        assert "view(ml_dtypes.bfloat16)" in refusal(lambda: model(bits)).hint
        x = np.ones((2, 3), ml_dtypes.bfloat16)
        result = model(x[:, ::-1])[0]
        assert x.dtype == result.dtype
        np.testing.assert_array_equal(x, result)


# ---- out= -------------------------------------------------------------------------------------


def test_out_by_name_by_position_and_alone(pair, image, mask, om_factory):
    """Given buffers are filled and returned; others are allocated."""
    probs, flags = np.empty((1, 2, 4), np.float32), np.empty(2, bool)
    for out in (
        {"probs": probs, "flags": flags},
        [probs, flags],
        (probs, flags),
        {"flags": flags, "probs": probs},
        pair(image, mask, out=[probs, flags]),
    ):
        probs[:], flags[:] = 0, False
        result = pair(image, mask, out=out)
        assert probs is result["probs"]
        assert flags is result["flags"]
        np.testing.assert_array_equal(-image, probs)
        np.testing.assert_array_equal(~mask, flags)
    assert probs is pair(image, mask, out={"probs": probs})[0]
    assert flags is pair(image, mask, out=[None, flags])[1]
    np.testing.assert_array_equal(~mask, pair(image, mask, out={})["flags"])
    y = np.empty((2, 3), np.float32)
    with aclrt.OfflineModel(om_factory.identity()) as model:
        assert y is model(np.ones((2, 3), "f4"), out=y)[0]
    np.testing.assert_array_equal(1, y)


def test_out_that_does_not_fit_is_refused(pair, image, mask):
    """Each with its own words, and the table."""
    good = np.empty((1, 2, 4), np.float32)
    locked = good.copy()
    locked.flags.writeable = False
    for value, words in (
        (good.astype(np.float64), "dtype is float64, not float32"),
        (good.astype(">f4"), "dtype is >f4, not float32"),
        (good[0], "rank is 2, not 3"),
        (np.empty((1, 2, 5), np.float32), "dim 2 is 5, not 4"),
        (locked, "read-only"),
        (np.empty((1, 2, 8), np.float32)[:, :, ::2], "not contiguous"),
        (np.ma.array(good), "masked"),
        ([[0.0] * 4] * 2, "not a NumPy array"),
        (bytearray(32), "not a NumPy array"),
    ):
        assert words in str(refusal(lambda value=value: pair(image, mask, out={"probs": value})))


def test_out_of_the_wrong_form_is_refused(pair, image, mask):
    """Unknown names, a wrong count, a single array for two outputs."""
    good = np.empty((1, 2, 4), np.float32)
    text = str(refusal(lambda: pair(image, mask, out={"prob": good})))
    assert "no such output; did you mean 'probs'?" in text
    by_both = {"probs": good, pair.outputs[0].acl_name: good.copy()}
    assert "given twice" in str(refusal(lambda: pair(image, mask, out=by_both)))
    with pytest.raises(aclrt.InputError, match="out= has 1 array"):
        pair(image, mask, out=[good])
    for value in (good, "probs", 3):
        with pytest.raises(aclrt.InputError, match="out= is"):
            pair(image, mask, out=value)


def test_overlapping_buffers_are_refused(om_factory):
    """An output shares no memory with an input or another output."""
    om = om_factory(
        [("Neg", ["x"], ["a"]), ("Abs", ["x"], ["b"])],
        [("x", "float32", (4,))],
        [("a", "float32", (4,)), ("b", "float32", (4,))],
    )
    x = np.ones(12, np.float32)
    with aclrt.OfflineModel(om) as model:
        for out in ({"a": x[:4]}, {"a": x[3:7]}, {"b": x[:4]}):
            text = str(refusal(lambda out=out: model(x[:4], out=out)))
            assert "shares memory with an input" in text
        for out in ([x[4:8], x[4:8]], [x[4:8], x[7:11]]):
            text = str(refusal(lambda out=out: model(x[:4], out=out)))
            assert "shares memory with output 'a'" in text
        neighbours = model(x[:4], out=[x[4:8], x[8:12]])
        np.testing.assert_array_equal(-1, neighbours["a"])
    np.testing.assert_array_equal([1] * 4 + [-1] * 4 + [1] * 4, x)


def test_one_array_may_feed_two_inputs(om_factory):
    """Inputs are only read, so they may overlap."""
    om = om_factory(
        [("Add", ["a", "b"], ["y"])],
        [("a", "float32", (4,)), ("b", "float32", (4,))],
        [("y", "float32", (4,))],
    )
    x = np.arange(4, dtype=np.float32)
    with aclrt.OfflineModel(om) as model:
        np.testing.assert_array_equal(2 * x, model(x, x)["y"])


def test_a_refused_call_leaves_the_model_usable(pair, image, mask):
    """Errors are not sticky."""
    for _ in range(3):
        refusal(lambda: pair(image))
        np.testing.assert_array_equal(-image, pair(image, mask)["probs"])


# ---- properties -------------------------------------------------------------------------------

_DTYPES = ["float16", "float32", "float64", "int8", "uint8", "int32", "int64", "bool"]
_ORDERS = ["plain", "fortran", "strided", "reversed", "read-only", "memoryview", "dlpack"]


def in_order(x: np.ndarray, order: str):
    """The same values in another memory layout or object."""
    if order == "fortran":
        return np.array(x, order="F")
    if order == "strided":
        return np.stack([x, x], axis=-1)[..., 0]
    if order == "reversed":
        axes = tuple(range(x.ndim))
        return np.flip(np.flip(x, axes).copy(), axes)
    if order == "read-only":
        x = x.copy()
        x.flags.writeable = False
    if order == "memoryview":
        return memoryview(x)
    if order == "dlpack":
        return dlpack(x)
    return x


@given(data=st.data())
def test_any_shape_dtype_and_feeding_style_is_bit_exact(om_factory, data):
    """What goes in comes out, whichever way it is fed."""
    dtype = data.draw(st.sampled_from(_DTYPES))
    shape = tuple(data.draw(st.lists(st.integers(0, 4), max_size=4)))
    order = data.draw(st.sampled_from(_ORDERS))
    size = int(np.prod(shape, dtype=int)) * np.dtype(dtype).itemsize
    raw = data.draw(st.binary(min_size=size, max_size=size))
    x = np.frombuffer(raw, np.uint8)
    x = (x & 1).view(bool) if dtype == "bool" else x.view(dtype)
    x = x.reshape(shape)
    value = in_order(x, order)
    with aclrt.OfflineModel(om_factory.identity(dtype, shape)) as model:
        style = data.draw(st.sampled_from(["positional", "keyword", "dict", "run", "out"]))
        if style == "positional":
            y = model(value)[0]
        elif style == "keyword":
            y = model(x=value)["y"]
        elif style == "dict":
            (y,) = model({"x": value})
        elif style == "run":
            (y,) = model.run(None, {"x": value})
        else:
            buffer = np.empty(shape, dtype)
            y = model(value, out=buffer)[0]
            assert y is buffer
    assert x.shape == y.shape
    assert x.dtype == y.dtype
    assert x.tobytes() == y.tobytes()


@given(
    expected=st.lists(st.integers(0, 3), max_size=3).map(tuple),
    given_shape=st.lists(st.integers(0, 3), max_size=3).map(tuple),
    dtype=st.sampled_from(_DTYPES),
    order=st.sampled_from(["=", ">"]),
)
def test_accepted_exactly_if_dtype_and_shape_are_equal(
    om_factory, expected, given_shape, dtype, order
):
    """No combination slips through, none is refused without reason."""
    x = np.zeros(given_shape, np.dtype(dtype).newbyteorder(order))
    with aclrt.OfflineModel(om_factory.identity("float32", expected)) as model:
        if x.dtype == np.float32 and x.shape == expected:
            assert expected == model(x)[0].shape
        else:
            refusal(lambda: model(x))
