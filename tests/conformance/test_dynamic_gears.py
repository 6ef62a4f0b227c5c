# SPDX-License-Identifier: Apache-2.0
"""Contract 18.1 to 18.3: gears of batch, image size and dims; results against ONNX Runtime."""

from __future__ import annotations

import ctypes
import itertools
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import om_graphs
import onnx
import pytest

from conformance import acl, dynamic, files, running
from conformance.dynamic import ALL_INPUTS, BATCHES, DIMS, IMAGES, Bench, bench, numbers

CODES = acl.codes()
INVALID_PARAM = CODES["ACL_ERROR_INVALID_PARAM"]
BAD_ID = CODES["ACL_ERROR_GE_EXEC_MODEL_ID_INVALID"]
GE_FAILURE = CODES["ACL_ERROR_GE_FAILURE"]
MODEL_EXECUTE = CODES["ACL_ERROR_RT_MODEL_EXECUTE"]

fake_only = pytest.mark.fake_only


def batch_feeds(gear: int) -> list[np.ndarray]:
    """Of the batch model under a gear."""
    return [numbers(BATCHES[gear], 3, 2, seed=gear)]


def image_feeds(gear: int) -> list[np.ndarray]:
    """Of the image model."""
    return [numbers(1, 2, *IMAGES[gear], seed=gear)]


def dims_feeds(gear: int) -> list[np.ndarray]:
    """Of the dims model."""
    a, b, c, d = DIMS[gear]
    return [numbers(1, 1, 40, a, seed=gear), numbers(1, b, seed=gear), numbers(c, d, seed=gear)]


def set_batch(work: Bench, gear: int) -> int:
    """The gear by its number."""
    return work.set_batch(BATCHES[gear])


def set_image(work: Bench, gear: int) -> int:
    """The gear by its number."""
    return work.set_image(*IMAGES[gear])


def set_dims(work: Bench, gear: int) -> int:
    """The gear by its number, as all dims of all inputs."""
    a, b, c, d = DIMS[gear]
    return work.set_dims(1, 1, 40, a, 1, b, c, d)


Setter = Callable[[Bench, int], int]
Feeds = Callable[[int], list[np.ndarray]]
KINDS = [
    pytest.param(dynamic.batch, set_batch, batch_feeds, id="batch"),
    pytest.param(dynamic.image, set_image, image_feeds, id="image"),
    pytest.param(dynamic.dims, set_dims, dims_feeds, id="dims"),
]


@pytest.fixture
def stream(lib: acl.Library) -> Iterator[ctypes.c_void_p]:
    """A stream."""
    handle = ctypes.c_void_p()
    assert lib.aclrtCreateStream(ctypes.byref(handle)) == 0
    yield handle
    assert lib.aclrtDestroyStream(handle) == 0


# ---- what a model tells --------------------------------------------------------------------------


def test_c18_batch_sizes(lib: acl.Library) -> None:
    """DYN-DESC-01 (18.1): batch sizes in the model's order; no image sizes, no gears of dims."""
    batch, hw, count = acl.Batch(), acl.HW(hwCount=9), ctypes.c_size_t(9)
    with bench(lib, dynamic.batch()) as work:
        assert lib.aclmdlGetDynamicBatch(work.desc, ctypes.byref(batch)) == 0
        assert lib.aclmdlGetDynamicHW(work.desc, ALL_INPUTS, ctypes.byref(hw)) == 0
        every = (ALL_INPUTS, ctypes.byref(count))
        assert lib.aclmdlGetInputDynamicGearCount(work.desc, *every) == 0
    assert tuple(batch.batch[: batch.batchCount]) == BATCHES
    assert (hw.hwCount, count.value) == (0, 0)


def test_c18_image_sizes(lib: acl.Library) -> None:
    """DYN-DESC-02 (18.2): height and width; the index is not looked at; no batch sizes."""
    batch, hw = acl.Batch(batchCount=9), acl.HW()
    with bench(lib, dynamic.image()) as work:
        assert lib.aclmdlGetDynamicBatch(work.desc, ctypes.byref(batch)) == 0
        for index in (ALL_INPUTS, 0, 77):
            assert lib.aclmdlGetDynamicHW(work.desc, index, ctypes.byref(hw)) == 0
    assert batch.batchCount == 0
    assert tuple(tuple(hw.hw[i]) for i in range(hw.hwCount)) == IMAGES


def test_c18_gears_of_dims(lib: acl.Library) -> None:
    """DYN-DESC-03 (18.3): all dims of all inputs by gear; index (size_t)-1 and room for all."""
    count, room = ctypes.c_size_t(), (acl.IODims * 4)()
    for dims in room:
        dims.name = b"mine"
    with bench(lib, dynamic.dims()) as work:
        every = (ALL_INPUTS, ctypes.byref(count))
        assert lib.aclmdlGetInputDynamicGearCount(work.desc, *every) == 0
        assert count.value == len(DIMS)
        get = lib.aclmdlGetInputDynamicDims
        assert get(work.desc, ALL_INPUTS, room, 2) == INVALID_PARAM
        assert get(work.desc, 0, room, 3) == INVALID_PARAM
        assert get(work.desc, ALL_INPUTS, room, 4) == 0
        one = (0, ctypes.byref(count))
        assert lib.aclmdlGetInputDynamicGearCount(work.desc, *one) == INVALID_PARAM
    told = [dims.shape() for dims in room[:3]]
    assert told == [(1, 1, 40, a, 1, b, c, d) for a, b, c, d in DIMS]
    assert {dims.name for dims in room} == {b"mine"}
    assert room[3].dimCount == 0


@pytest.mark.parametrize(
    ("made", "values", "open_dims"),
    [
        (dynamic.batch, 1, [(-1, 3, 2)]),
        (dynamic.image, 2, [(1, 2, -1, -1)]),
        (dynamic.dims, 4, [(1, 1, 40, -1), (1, -1), (-1, -1)]),
    ],
)
def test_c18_the_gear_input(
    lib: acl.Library, made: Any, values: int, open_dims: list[tuple[int, ...]]
) -> None:
    """DYN-DESC-04 (15, 18.1): one more input, the last: int32, one value per dim of a gear; the
    others show -1, in V2 too, and no ranges.
    """
    dims, ranges, index = acl.IODims(), acl.IODimsRange(rangeCount=9), ctypes.c_size_t()
    with bench(lib, made()) as work:
        assert lib.aclmdlGetNumInputs(work.desc) == len(open_dims) + 1
        name = (dynamic.GEAR_INPUT, ctypes.byref(index))
        assert lib.aclmdlGetInputIndexByName(work.desc, *name) == 0
        assert index.value == len(open_dims)
        assert lib.aclmdlGetInputSizeByIndex(work.desc, index) == 4 * values
        assert lib.aclmdlGetInputDataType(work.desc, index) == acl.INT32
        for get in (lib.aclmdlGetInputDims, lib.aclmdlGetInputDimsV2):
            shapes = []
            for i in range(len(open_dims) + 1):
                assert get(work.desc, i, ctypes.byref(dims)) == 0
                shapes.append(dims.shape())
            assert shapes == [*open_dims, (values,)]
        for i in (0, 99):  # not tested
            assert lib.aclmdlGetInputDimsRange(work.desc, i, ctypes.byref(ranges)) == 0
            assert ranges.rangeCount == 0


def test_c18_sizes_are_the_largest(lib: acl.Library) -> None:
    """DYN-DESC-05 (15): sizes and output dims of the largest gear, before one is set too."""
    dims = acl.IODims()
    with bench(lib, dynamic.batch()) as work:
        assert [size for _, size in work.sources] == [8 * 6 * 4, 4]
        assert [size for _, size in work.targets] == [8 * 6 * 4, 8 * 4, 16]
        for output, shape in enumerate([(8, 3, 2), (8,), (2, 2)]):
            assert lib.aclmdlGetOutputDims(work.desc, output, ctypes.byref(dims)) == 0
            assert dims.shape() == shape == work.shape(output)


def test_c18_descs_from_a_file_know_the_gears(lib: acl.Library) -> None:
    """DYN-DESC-06 (15): GetDescFromMem tells gears; CurOutputDims of such a desc is 145003."""
    om, batch, dims = dynamic.batch().om, acl.Batch(), acl.IODims()
    desc = lib.aclmdlCreateDesc()
    assert lib.aclmdlGetDescFromMem(desc, om, len(om)) == 0
    assert lib.aclmdlGetDynamicBatch(desc, ctypes.byref(batch)) == 0
    assert tuple(batch.batch[: batch.batchCount]) == BATCHES
    assert lib.aclmdlGetCurOutputDims(desc, 0, ctypes.byref(dims)) == BAD_ID
    assert lib.aclmdlDestroyDesc(desc) == 0


# ---- results -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("made", "choose", "feeds"), KINDS)
def test_c18_results_under_every_gear(
    lib: acl.Library, made: Any, choose: Setter, feeds: Feeds
) -> None:
    """DYN-RUN-01 (18): every gear after every other: ONNX Runtime's results, the real dims; what
    lies behind the gear's bytes is not written.
    """
    graph = made()
    with bench(lib, graph) as work:
        for gear in (0, 1, 2, 1, 0, 2, 0):
            given = feeds(gear)
            for target, size in work.targets:
                assert lib.aclrtMemset(target, size, 0xA5, size) == 0
            work.feed(*given)
            assert choose(work, gear) == 0
            assert work.run() == 0, lib.message()
            expected = graph.expected(*given)
            work.check(expected)
            for output, array in enumerate(expected):
                assert work.shape(output) == array.shape
                whole = np.empty(work.targets[output][1], np.uint8)
                rest = work.device.read(work.targets[output][0], whole)[array.nbytes :]
                assert (rest == 0xA5).all()


STEPS = ("set", "feed", "fill")


@pytest.mark.parametrize("order", list(itertools.permutations(STEPS)), ids="-".join)
@pytest.mark.parametrize(("made", "choose", "feeds"), KINDS)
def test_c18_orders(
    lib: acl.Library, made: Any, choose: Setter, feeds: Feeds, order: tuple[str, ...]
) -> None:
    """DYN-RUN-02 (18): set before or after the data are copied and the rest of the dataset is
    filled, twice or with another gear in between: the last one set before the run counts.
    """
    graph = made()
    with bench(lib, graph) as work:
        whole = work.sources
        others = [i for i in range(len(whole)) if i != work.gear]
        # The gear's buffer has to be there to be set; the data's may still have no memory.
        handles = [work.device.buffer(*whole[i]) for i in range(len(whole))]
        for i in others:
            assert lib.aclUpdateDataBuffer(handles[i], None, 0) == 0
        work.inputs = work.device.dataset()
        for handle in handles:
            assert lib.aclmdlAddDatasetBuffer(work.inputs, handle) == 0
        given = feeds(1)
        for step in order:
            if step == "set":
                assert [choose(work, gear) for gear in (2, 1, 1)] == [0, 0, 0]
            elif step == "feed":
                work.feed(*given)
            else:
                for i in others:
                    assert lib.aclUpdateDataBuffer(handles[i], *whole[i]) == 0
        for _ in range(2):  # the gear stays
            assert work.run() == 0, lib.message()
            work.check(graph.expected(*given))


@pytest.mark.parametrize(("made", "choose", "feeds"), KINDS)
def test_c18_wide_gear_buffer(lib: acl.Library, made: Any, choose: Setter, feeds: Feeds) -> None:
    """DYN-RUN-03 (18.1): 8 bytes are written per value where the buffer has room, else 4."""
    graph = made()
    for wide in (False, True):
        with bench(lib, graph) as narrow:
            size = narrow.sources[narrow.gear][1] * (2 if wide else 1)
        with bench(lib, graph, gear_bytes=size + 3) as work:
            where = work.sources[work.gear][0]
            assert lib.aclrtMemset(where, size + 3, 0x77, size + 3) == 0
            given = feeds(1)
            work.feed(*given)
            assert choose(work, 1) == 0
            raw = work.device.read(where, np.empty(size + 3, np.uint8))
            values = raw[:size].view(np.uint64 if wide else np.uint32)
            gear = {dynamic.batch: (4,), dynamic.image: IMAGES[1], dynamic.dims: DIMS[1]}[made]
            assert tuple(values) == gear
            assert (raw[size:] == 0x77).all()
            assert work.run() == 0, lib.message()
            work.check(graph.expected(*given))


def test_c18_two_datasets_keep_their_gears(lib: acl.Library) -> None:
    """DYN-RUN-04 (17, 18): the bytes in the gear input's memory choose; aclmdlGetCurOutputDims
    tells of the gear set last on the model.
    """
    graph = dynamic.batch()
    one, four = numbers(1, 3, 2), numbers(4, 3, 2)
    with bench(lib, graph) as work:
        other_gear = work.device.alloc(4)
        other = work.device.dataset(work.sources[0], (other_gear, 4))
        assert work.set_batch(1) == 0
        assert work.set_batch(4, other) == 0
        for inputs, x in ((work.inputs, one), (other, four), (work.inputs, one)):
            work.feed(x)
            assert work.run(inputs) == 0
            work.check(graph.expected(x))
            assert work.shape(0) == (4, 3, 2)


def test_c18_gear_written_by_a_copy(lib: acl.Library) -> None:
    """DYN-RUN-05 (17): a valid gear that a copy put there is as good; then the sizes are tested
    against the largest gear, because no Set call told otherwise.
    """
    graph = dynamic.batch()
    x = numbers(1, 3, 2)
    with bench(lib, graph) as work:
        work.device.write(work.sources[work.gear][0], np.array([1], np.int32))
        work.feed(x)
        assert work.run() == 0
        work.check(graph.expected(x))
        small = work.device.dataset((work.sources[0][0], x.nbytes), work.sources[1])
        assert work.run(small) == GE_FAILURE
        assert work.set_batch(1, small) == 0
        assert work.run(small) == 0
        work.check(graph.expected(x))


def test_c18_small_buffers_once_a_gear_is_set(lib: acl.Library) -> None:
    """DYN-RUN-06 (17): after a Set call buffers need the gear's bytes only, in and out."""
    graph = dynamic.image()
    (x,) = image_feeds(0)
    with bench(lib, graph) as work:
        work.feed(x)
        pieces = ((work.sources[0][0], x.nbytes), work.sources[1])
        inputs = work.device.dataset(*pieces)
        outputs = work.device.dataset((work.targets[0][0], x.nbytes), work.targets[1])
        work.inputs = inputs
        assert work.run(inputs, outputs) == GE_FAILURE
        assert work.set_image(*IMAGES[0]) == 0
        assert work.run(inputs, outputs) == 0
        work.check(graph.expected(x))


@fake_only
def test_fake_buffer_too_small_for_its_gear(lib: acl.Library) -> None:
    """FAKE-DYN-01 (fake): what a device would read or write beyond the buffer is an error."""
    with bench(lib, dynamic.batch()) as work:
        small = work.device.dataset((work.sources[0][0], 8 * 6 * 4 - 65), work.sources[1])
        short = work.device.dataset((work.targets[0][0], 8 * 6 * 4 - 65), *work.targets[1:])
        assert work.set_batch(8) == 0
        assert work.set_batch(8, small) == 0
        for arguments in ((small, work.outputs), (work.inputs, short)):
            assert work.run(*arguments) == MODEL_EXECUTE
            assert "ACLFAKE-DYN-10" in lib.message()


@fake_only
@pytest.mark.parametrize("content", [0, 3, -1, 0x10000001])
def test_fake_no_gear_in_the_memory(lib: acl.Library, content: int) -> None:
    """FAKE-DYN-02 (fake): never set, or overwritten: refused with the gears, nothing is computed;
    on a card it is undefined.
    """
    with bench(lib, dynamic.batch()) as work:
        where = work.sources[work.gear][0]
        work.device.write(where, np.array([content], np.int32))
        assert work.run() == MODEL_EXECUTE
        message = lib.message()
        assert "ACLFAKE-DYN-09" in message
        assert "1, 4, 8" in message
        assert work.set_batch(4) == 0
        assert work.run() == 0


def test_c18_output_without_memory(lib: acl.Library) -> None:
    """DYN-RUN-07 (17): (NULL, 0) gets memory of the largest gear's size; the gear's bytes are
    written.
    """
    graph = dynamic.batch()
    x = numbers(4, 3, 2)
    with bench(lib, graph) as work:
        outputs = work.device.dataset(*[(None, 0)] * 3)
        work.feed(x)
        assert work.set_batch(4) == 0
        assert work.run(None, outputs) == 0
        for i, array in enumerate(graph.expected(x)):
            buffer = lib.aclmdlGetDatasetBuffer(outputs, i)
            assert lib.aclGetDataBufferSizeV2(buffer) == work.targets[i][1]
            where = lib.aclGetDataBufferAddr(buffer)
            np.testing.assert_array_equal(work.device.read(where, array), array)
            assert lib.aclrtFree(where) == 0


def test_c18_repeated_batch_in_two_models(lib: acl.Library) -> None:
    """DYN-RUN-08 (18): the gear set last belongs to one loaded model alone."""
    with bench(lib, dynamic.batch()) as first, bench(lib, dynamic.batch()) as second:
        assert first.set_batch(1) == 0
        assert [first.shape(0)[0], second.shape(0)[0]] == [1, 8]
        assert second.set_batch(4) == 0
        assert [first.shape(0)[0], second.shape(0)[0]] == [1, 4]


# ---- queued --------------------------------------------------------------------------------------


def test_c18_queued_runs_read_their_gear_late(lib: acl.Library, stream: ctypes.c_void_p) -> None:
    """DYN-ASYNC-01 (17, 18): three queued runs of three datasets, each with its own gear."""
    graph = dynamic.batch()
    with bench(lib, graph) as work:
        feeds = [numbers(size, 3, 2, seed=size) for size in BATCHES]
        runs = []
        for x in feeds:
            gear = work.device.alloc(4)
            inputs = work.device.dataset((work.device.upload(x), x.nbytes), (gear, 4))
            targets = [(work.device.alloc(size), size) for _, size in work.targets]
            assert work.set_batch(len(x), inputs) == 0
            assert work.queue(stream, inputs, work.device.dataset(*targets)) == 0
            runs.append(targets)
        assert lib.aclrtSynchronizeStream(stream) == 0
        for x, targets in zip(feeds, runs, strict=True):
            for (where, _), array in zip(targets, graph.expected(x), strict=True):
                np.testing.assert_array_equal(work.device.read(where, array), array)


def test_c18_a_queued_copy_chooses_the_gear(lib: acl.Library, stream: ctypes.c_void_p) -> None:
    """DYN-ASYNC-02 (17): the gear is what the memory holds when the stream gets to the run: a copy
    queued in between, after the call that set another one.
    """
    graph = dynamic.batch()
    x = numbers(8, 3, 2)
    pinned = ctypes.c_void_p()
    assert lib.aclrtMallocHost(ctypes.byref(pinned), 4) == 0
    assert pinned.value
    ctypes.c_int32.from_address(pinned.value).value = 4
    with bench(lib, graph) as work:
        work.feed(x)
        assert work.set_batch(8) == 0
        where = work.sources[work.gear][0]
        copy = (where, 4, pinned, 4, acl.HOST_TO_DEVICE, stream)
        assert lib.aclrtMemcpyAsync(*copy) == 0
        assert work.queue(stream) == 0
        assert lib.aclrtSynchronizeStream(stream) == 0
        work.check(graph.expected(x[:4]))
        assert work.shape(0) == (8, 3, 2)  # of the call
    assert lib.aclrtFreeHost(pinned) == 0


def test_c18_queued_without_memory(lib: acl.Library, stream: ctypes.c_void_p) -> None:
    """DYN-ASYNC-03 (17): an output without memory is refused at the call, a gear set or not."""
    with bench(lib, dynamic.batch()) as work:
        empty = work.device.dataset(*[(None, 0)] * 3)
        assert work.queue(stream, None, empty) == GE_FAILURE
        assert work.set_batch(1) == 0
        assert work.queue(stream, None, empty) == GE_FAILURE


def test_c18_threads_with_their_own_models(lib: acl.Library) -> None:
    """DYN-RUN-09 (17): two ids of one file, two threads, every gear over and over."""
    graph = dynamic.dims()
    context = ctypes.c_void_p()
    assert lib.aclrtGetCurrentContext(ctypes.byref(context)) == 0
    expected = [graph.expected(*dims_feeds(gear)) for gear in range(len(DIMS))]
    failures: list[BaseException] = []

    def work_off(work: Bench, first: int) -> None:
        try:
            assert lib.aclrtSetCurrentContext(context) == 0
            for turn in range(60):
                gear = (first + turn) % len(DIMS)
                work.feed(*dims_feeds(gear))
                assert set_dims(work, gear) == 0
                assert work.run() == 0
                work.check(expected[gear])
        except BaseException as error:
            failures.append(error)

    with bench(lib, graph) as one, bench(lib, graph) as other:
        threads = [
            threading.Thread(target=work_off, args=(w, i)) for i, w in enumerate((one, other))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failures == []


def test_c18_a_hundred_gears(lib: acl.Library) -> None:
    """DYN-DESC-07 (18.1): a hundred batch sizes, the compiler's limit, all come back."""
    sizes = tuple(range(1, 101))
    batch = acl.Batch()
    with bench(lib, dynamic.batch(sizes)) as work:
        assert lib.aclmdlGetDynamicBatch(work.desc, ctypes.byref(batch)) == 0
        assert tuple(batch.batch[: batch.batchCount]) == sizes
        assert work.set_batch(77) == 0
        assert work.shape(1) == (77,)


@fake_only
@pytest.mark.parametrize(("made", "choose", "feeds"), KINDS)
def test_fake_made_up_outputs_of_gears(
    lib: acl.Library,
    monkeypatch: pytest.MonkeyPatch,
    made: Any,
    choose: Setter,
    feeds: Feeds,
) -> None:
    """FAKE-DYN-04 (fake): the synthetic engine fills the gear's bytes and no more."""
    monkeypatch.setenv("ACLRT_FAKE_ENGINE", "synthetic")
    with bench(lib, made()) as work:
        where, size = work.targets[0]
        assert lib.aclrtMemset(where, size, 0xA5, size) == 0
        work.feed(*feeds(0))
        assert choose(work, 0) == 0
        assert work.run() == 0
        real = int(np.prod(work.shape(0))) * 4
        raw = work.device.read(where, np.empty(size, np.uint8))
        assert (raw[real:] == 0xA5).all()
        values = raw[:real].view(np.float32)
        assert ((values >= 1) & (values < 2)).all()


def test_c18_result_as_input(lib: acl.Library) -> None:
    """DYN-RUN-10 (18): the output's memory as the input of the next run, under its gear."""
    graph = dynamic.batch()
    x = numbers(4, 3, 2)
    with bench(lib, graph) as work:
        work.feed(x)
        assert work.set_batch(4) == 0
        swapped = work.device.dataset(work.targets[0], work.sources[work.gear])
        assert work.set_batch(4, swapped) == 0
        assert work.run() == 0
        y = work.read(0, x)
        target = work.device.alloc(work.targets[0][1])
        outputs = work.device.dataset((target, work.targets[0][1]), *work.targets[1:])
        assert work.run(swapped, outputs) == 0
        np.testing.assert_array_equal(work.device.read(target, y), graph.expected(y)[0])


# ---- files of the real compiler ------------------------------------------------------------------


@fake_only
def test_fake_gears_of_a_file_with_its_onnx(
    lib: acl.Library, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """FAKE-DYN-08 (fake): a file without a body and its ONNX: open dims there run every gear, fixed
    ones do not fit.
    """
    graph = dynamic.batch()
    bare = dynamic.Dynamic(graph.onnx, files.without_body(graph.om))
    path = tmp_path / "m.onnx"
    monkeypatch.setenv("ACLRT_FAKE_ONNX", str(path))
    path.write_bytes(graph.onnx)
    with bench(lib, bare) as work:
        for size in BATCHES:
            x = numbers(size, 3, 2)
            work.feed(x)
            assert work.set_batch(size) == 0
            assert work.run() == 0
            work.check(graph.expected(x))
    model = onnx.load_from_string(graph.onnx)
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 8
    path.write_bytes(model.SerializeToString())
    assert running.load_memory(lib, bare.om)[0] == 545002
    assert "ACLFAKE-MDL-04" in lib.message()


@fake_only
def test_fake_gears_that_make_no_sense(lib: acl.Library) -> None:
    """FAKE-DYN-09 (fake): a file whose gears have different numbers of values is refused."""
    om = om_graphs.dims_gears(gears=((4, 8, 5), (6, 9)))
    assert running.load_memory(lib, om)[0] == 545002
    message = lib.message()
    assert "ACLFAKE-MDL-02" in message
    assert "4,8,5; 6,9" in message
