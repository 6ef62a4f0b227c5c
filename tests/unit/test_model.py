# SPDX-License-Identifier: Apache-2.0
"""Loading from every kind of source, describing, calling in every way."""

from __future__ import annotations

import copy
import errno
import io
import mmap
import pickle
from pathlib import Path

import numpy as np
import pytest

import aclrt


def test_a_path_loads_the_file(om_factory, tmp_path):
    """A path may be str, PathLike, or a PathLike that gives bytes."""
    path = tmp_path / "m.om"
    path.write_bytes(om_factory.identity())

    class BytesPath:
        def __fspath__(self):
            return bytes(path)

    for source in (str(path), path, BytesPath()):
        with aclrt.OfflineModel(source) as model:
            assert "x" == model.inputs[0].name
            assert "m.om" in repr(model)


def test_bytes_are_the_model(om_factory, tmp_path):
    """bytes, bytearray, memoryview, mmap and an array of bytes are the file's content."""
    om = om_factory.identity()
    path = tmp_path / "m.om"
    path.write_bytes(om)
    x = np.ones((2, 3), np.float32)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        sources = (om, bytearray(om), memoryview(om), mapped, np.frombuffer(om, np.uint8))
        for source in sources:
            with aclrt.OfflineModel(source) as model:
                np.testing.assert_array_equal(x, model(x)[0])
        del sources, source


def test_the_bytes_are_not_needed_after_loading(om_factory):
    """The caller may change or drop its buffer at once."""
    om = bytearray(om_factory.identity())
    x = np.ones((2, 3), np.float32)
    with aclrt.OfflineModel(om) as model:
        om[:] = bytes(len(om))
        om.clear()
        np.testing.assert_array_equal(x, model(x)[0])


def test_a_file_object_is_read_from_where_it_stands(om_factory, tmp_path):
    """Binary file objects work, after bytes that were already read."""
    om = om_factory.identity()
    path = tmp_path / "m.om"
    path.write_bytes(b"head" + om)
    with path.open("rb") as file:
        file.seek(4)
        with aclrt.OfflineModel(file) as model:
            assert "y" == model.outputs[0].name
    with aclrt.OfflineModel(io.BytesIO(om)) as model:
        assert "y" == model.outputs[0].name


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (12, "not int"),
        (None, "not NoneType"),
        (["a"], "not list"),
        (io.StringIO("text"), "binary"),
        ("a\0b", "NUL"),
        (memoryview(b"abcdef")[::2], r"path, bytes or a binary file"),
    ],
)
def test_other_sources_are_refused(source, words):
    """What is no path, no bytes and no binary file is an InputError that says so."""
    with pytest.raises(aclrt.InputError, match=words):
        aclrt.OfflineModel(source)


def test_a_missing_file_is_file_not_found(tmp_path):
    """The error is the operating system's, with the file's name."""
    path = tmp_path / "missing.om"
    with pytest.raises(FileNotFoundError) as caught:
        aclrt.OfflineModel(path)
    assert str(path) == caught.value.filename


def test_a_directory_is_refused(tmp_path):
    """A directory is no model."""
    with pytest.raises((OSError, aclrt.ModelFormatError)):
        aclrt.OfflineModel(tmp_path)


@pytest.mark.parametrize("read", [aclrt.OfflineModel, aclrt.inspect])
def test_a_special_file_is_refused(read):
    """A device or a pipe is no model, and the error says that and no more."""
    with pytest.raises(OSError, match=r"is no regular file: '/dev/null'$") as caught:
        read("/dev/null")
    assert ("/dev/null", errno.EINVAL) == (caught.value.filename, caught.value.errno)
    assert "Invalid" not in str(caught.value)


def test_a_simulated_file_without_its_body_is_a_format_error(om_factory):
    """Before the device is touched, with the place; a stand-in makes up for it."""
    om = om_factory.identity()
    (body,) = (part for part in aclrt.inspect(om).partitions if part.name == "ACLRT_ONNX")
    damaged = bytearray(om)
    damaged[body.offset] ^= 1
    with pytest.raises(aclrt.ModelFormatError, match=rf"simulated.*offset {body.offset}\b"):
        aclrt.OfflineModel(damaged)
    assert aclrt.inspect(damaged).simulated


@pytest.mark.parametrize("content", [b"", b"IMOD", b"not a model" * 100])
def test_bytes_that_are_no_model_are_a_format_error(content, tmp_path):
    """Empty, cut and foreign content is refused, from memory and from a file."""
    path = tmp_path / "bad.om"
    path.write_bytes(content)
    for source in (content, path):
        with pytest.raises(aclrt.ModelFormatError):
            aclrt.OfflineModel(source)


def test_a_cut_file_names_the_offset(om_factory):
    """Half a model is refused with the place where it stopped making sense."""
    om = om_factory.identity()
    with pytest.raises(aclrt.ModelFormatError, match=r"offset|0x"):
        aclrt.OfflineModel(om[: len(om) // 2])


def test_inputs_and_outputs_are_described(pair):
    """A TensorSpec says name, dtype, shape, format, bytes and whether it is dynamic."""
    image, mask = pair.inputs
    assert ("image", np.dtype(np.float32), (1, 2, 4), 32, False) == (
        image.name,
        image.dtype,
        image.shape,
        image.nbytes,
        image.dynamic,
    )
    assert ("mask", np.dtype(bool), (2,), 2) == (mask.name, mask.dtype, mask.shape, mask.nbytes)
    assert ("probs", "flags") == tuple(spec.name for spec in pair.outputs)
    assert isinstance(image.format, str)
    assert "image: float32 (1, 2, 4)" == str(image)
    with pytest.raises(AttributeError):
        image.name = "other"


def test_onnxruntime_descriptions(pair):
    """get_inputs and get_outputs speak ONNX Runtime's language."""
    image, mask = pair.get_inputs()
    assert ("image", [1, 2, 4], "tensor(float)") == (image.name, image.shape, image.type)
    assert ("mask", [2], "tensor(bool)") == (mask.name, mask.shape, mask.type)
    assert ["probs", "flags"] == [node.name for node in pair.get_outputs()]


def test_every_way_of_calling_gives_the_same(pair, image, mask):
    """Positional, dict, keyword and mixed feeds are one call."""
    for result in (
        pair(image, mask),
        pair({"image": image, "mask": mask}),
        pair({"mask": mask, "image": image}),
        pair(image=image, mask=mask),
        pair(image, mask=mask),
        pair({"image": image}, mask=mask),
    ):
        np.testing.assert_array_equal(-image, result["probs"])
        np.testing.assert_array_equal(~mask, result["flags"])


def test_run_has_onnxruntimes_meaning(pair, image, mask):
    """A list of arrays: all for None, else those named, in that order."""
    feed = {"image": image, "mask": mask}
    probs, flags = pair.run(None, feed)
    np.testing.assert_array_equal(-image, probs)
    np.testing.assert_array_equal(~mask, flags)
    only, again = pair.run(["flags", "probs"], feed)
    np.testing.assert_array_equal(flags, only)
    np.testing.assert_array_equal(probs, again)
    assert [] == pair.run([], feed)
    assert isinstance(pair.run(None, feed, None), list)


def test_run_refuses_what_onnxruntime_would(pair, image, mask):
    """Unknown output names, a bare string, a list for a feed, run options."""
    feed = {"image": image, "mask": mask}
    with pytest.raises(aclrt.InputError, match="did you mean 'probs'"):
        pair.run(["prob"], feed)
    with pytest.raises(aclrt.InputError, match="list of names"):
        pair.run("probs", feed)
    with pytest.raises(aclrt.InputError, match="dict of inputs"):
        pair.run(None, [image, mask])
    with pytest.raises(aclrt.InputError, match="run_options"):
        pair.run(None, feed, object())


def test_ascendcl_names_work_everywhere(pair, image, mask):
    """An output is found by the name that AscendCL reports too."""
    name = pair.outputs[0].acl_name
    assert name != "probs"
    assert name.endswith(":probs")
    buffer = np.empty_like(image)
    result = pair(image, mask, out={name: buffer})
    assert buffer is result[name]
    assert buffer is result["probs"]
    np.testing.assert_array_equal(-image, pair.run([name], {"image": image, "mask": mask})[0])


def test_inputs_named_like_keywords_are_fed_by_dict(om_factory):
    """A model may call its inputs out, cast, self: a dict reaches them."""
    names = ["out", "cast", "self", "args"]
    om = om_factory(
        [("Sum", names, ["y"])],
        [(name, "float32", (2,)) for name in names],
        [("y", "float32", (2,))],
    )
    x = np.ones(2, np.float32)
    with aclrt.OfflineModel(om) as model:
        np.testing.assert_array_equal(4 * x, model(dict.fromkeys(names, x))["y"])
        np.testing.assert_array_equal(4 * x, model({"out": x, "cast": x}, self=x, args=x)["y"])


def test_a_model_without_inputs(om_factory):
    """A constant is a model too."""
    om = om_factory(
        [("Identity", ["c"], ["y"])],
        [],
        [("y", "float32", (2,))],
        {"c": np.array([1, 2], np.float32)},
    )
    with aclrt.OfflineModel(om) as model:
        assert () == model.inputs
        np.testing.assert_array_equal([1, 2], model()["y"])
        np.testing.assert_array_equal([1, 2], model({})["y"])
        with pytest.raises(aclrt.InputError, match="too many"):
            model(np.ones(2))


def test_options_are_checked():
    """Bad options are refused before anything is loaded."""
    with pytest.raises(aclrt.InputError, match="cast must be"):
        aclrt.OfflineModel(b"", cast="unsafe")
    with pytest.raises(aclrt.InputError, match="device_id"):
        aclrt.OfflineModel(b"", device_id="0")
    with pytest.raises(aclrt.InputError, match="out of range"):
        aclrt.OfflineModel(b"", device_id=2**40)
    with pytest.raises(aclrt.InputError, match="onnx must be a path"):
        aclrt.OfflineModel(b"", onnx=3)


@pytest.fixture
def compiled(om_factory) -> bytes:
    """A file as ATC writes it: without the marker that makes it a simulated one."""
    return om_factory.identity().replace(b"aclrt-sim/1", bytes(11), 1)


def test_a_compiled_model_needs_an_npu(compiled, tmp_path):
    """The fake never invents results: it says so and names the remedy."""
    path = tmp_path / "real.om"
    path.write_bytes(compiled)
    for source in (compiled, path):
        with pytest.raises(aclrt.NeedsNpuError) as caught:
            aclrt.OfflineModel(source)
        assert "onnx" in caught.value.hint


def test_a_compiled_model_beside_its_onnx(compiled, om_factory, tmp_path):
    """Paired with the ONNX it was made from, it runs on the fake."""
    onnx = tmp_path / "neg.onnx"
    tensors = [("x", "float32", (2, 3))], [("y", "float32", (2, 3))]
    onnx.write_bytes(om_factory.onnx([("Neg", ["x"], ["y"])], *tensors))
    x = np.ones((2, 3), np.float32)
    with aclrt.OfflineModel(compiled, onnx=onnx) as model:
        assert not model.is_simulated
        np.testing.assert_array_equal(-x, model(x)["y"])


def test_an_onnx_that_is_not_there(compiled, tmp_path):
    """The missing file is the one that the error names."""
    path = tmp_path / "real.om"
    path.write_bytes(compiled)
    with pytest.raises(FileNotFoundError) as caught:
        aclrt.OfflineModel(path, onnx=tmp_path / "real.om.onnx")
    assert str(tmp_path / "real.om.onnx") == caught.value.filename
    with pytest.raises(aclrt.InputError, match="NUL"):
        aclrt.OfflineModel(path, onnx="a\0b")


@pytest.mark.parametrize("device_id", [-1, 1000])
def test_a_device_that_is_not_there(om_factory, device_id):
    """The error is a DeviceError and names the id."""
    with pytest.raises(aclrt.DeviceError, match=str(device_id)):
        aclrt.OfflineModel(om_factory.identity(), device_id=device_id)


def test_the_device_of_a_model(pair):
    """model.device says where it runs."""
    assert aclrt.Device(0) == pair.device
    assert pair.device is pair.device
    assert pair.device.is_fake
    assert pair.is_simulated


def test_a_loaded_model_cannot_be_pickled_or_copied(pair):
    """It belongs to its process."""
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="cannot be pickled"):
            attempt(pair)


def test_repr_tells_inputs_and_outputs(om_factory, tmp_path):
    """repr shows name, device, tensors, and that it is closed."""
    path = Path(tmp_path, "pair.om")
    path.write_bytes(om_factory.two_in_two_out())
    model = aclrt.OfflineModel(path)
    assert "pair.om" in repr(model)
    assert "image: float32 (1, 2, 4)" in repr(model)
    assert "closed" not in repr(model)
    model.close()
    assert "closed" in repr(model)
