# SPDX-License-Identifier: Apache-2.0
"""Scenes about dynamic shapes: gears and ranges."""

from __future__ import annotations

import ctypes

import numpy as np

from conformance import acl, dynamic
from conformance.dynamic import bench, numbers
from conformance.misuse import Stage, right, wrong


@wrong("DYN-01")
def gear_without_memory(s: Stage) -> None:
    with bench(s.lib, dynamic.batch()) as work:
        assert work.set_batch(4, work.device.dataset(work.sources[0], (None, 0))) == 100000


@wrong("DYN-02")
def gear_without_room(s: Stage) -> None:
    with bench(s.lib, dynamic.image()) as work:
        work.inputs = work.device.dataset(work.sources[0], (work.sources[1][0], 4))
        assert work.set_image(4, 6) == 145012


@wrong("DYN-03", times=4)
def gear_of_another_kind(s: Stage) -> None:
    with bench(s.lib, dynamic.batch()) as work:
        work.inputs = work.device.dataset(work.sources[0], (work.device.alloc(8), 8))
        assert [work.set_image(4, 6), work.set_dims(4, 3, 2)] == [145013, 145012]
    with bench(s.lib, dynamic.ranges()) as work:
        assert [work.set_batch(4), work.set_dims(4, 3, 2)] == [145003, 145003]


@wrong("DYN-04")
def no_such_gear(s: Stage) -> None:
    with bench(s.lib, dynamic.batch()) as work:
        assert work.set_batch(2) == 145013


@wrong("DYN-05")
def gear_into_the_data(s: Stage) -> None:
    with bench(s.lib, dynamic.batch()) as work:
        s.ok("aclmdlSetDynamicBatchSize", work.model, work.inputs, 0, 4)


@wrong("DYN-06")
def gear_while_queued(s: Stage) -> None:
    with bench(s.lib, dynamic.batch()) as work:
        work.feed(numbers(8, 3, 2))
        assert work.set_batch(8) == 0
        gate = s.hold(None)
        assert work.queue(None) == 0
        assert work.set_batch(1) == 0
        assert s.release(gate, None) == 0


@wrong("DYN-07", times=2)
def gears_of_one_input(s: Stage) -> None:
    count, dims = ctypes.c_size_t(), (acl.IODims * 3)()
    with bench(s.lib, dynamic.dims()) as work:
        s.gives(100000, "aclmdlGetInputDynamicGearCount", work.desc, 0, ctypes.byref(count))
        s.gives(100000, "aclmdlGetInputDynamicDims", work.desc, 1, dims, 3)


@wrong("DYN-08", times=2)
def dims_of_the_open_places_alone(s: Stage) -> None:
    with bench(s.lib, dynamic.dims()) as work:
        assert work.set_dims(20, 20, 1, 1) == 145012
        assert work.set_dims(1, 1, 41, 20, 1, 20, 1, 1) == 145012


@wrong("DYN-09", times=2)
def no_gear_set(s: Stage) -> None:
    with bench(s.lib, dynamic.batch()) as work:
        work.feed(numbers(8, 3, 2))
        assert work.run() == 507011
        work.device.write(work.sources[1][0], np.zeros(1, np.int32))
        assert work.run() == 507011


@wrong("DYN-10", times=2)
def less_than_the_gear(s: Stage) -> None:
    with bench(s.lib, dynamic.batch()) as work:
        inputs = work.device.dataset((work.sources[0][0], 24), work.sources[1])
        assert work.set_batch(8, inputs) == 0
        assert work.run(inputs) == 507011
    with bench(s.lib, dynamic.ranges()) as work:
        work.inputs = work.device.dataset((work.sources[0][0], 24))
        work.set_desc(0, 8, 3, 2)
        assert work.run() == 500002


@wrong("DYN-11", times=2)
def beyond_the_range(s: Stage) -> None:
    with bench(s.lib, dynamic.ranges()) as work:
        work.set_desc(0, 9, 3, 2)
        assert work.run() == 100000
        work.set_desc(0, 8, 3)
        assert work.run() == 100000


@wrong("DYN-12")
def dims_not_told(s: Stage) -> None:
    with bench(s.lib, dynamic.ranges()) as work:
        assert work.run() == 500002


@wrong("DYN-13", times=2)
def result_too_large(s: Stage) -> None:
    with bench(s.lib, dynamic.ranges()) as work:
        work.feed(numbers(8, 3, 2))
        work.set_desc(0, 8, 3, 2)
        short = work.device.dataset((work.targets[0][0], 191), work.targets[1])
        assert work.run(None, short) == 500002
        assert work.queue(None, None, short) == 500002
        s.ok("aclrtSynchronizeStream", None)


@right("DYN-01", "DYN-02", "DYN-04", "DYN-05", "DYN-09", "DYN-10")
def gears(s: Stage) -> None:
    x = numbers(4, 3, 2)
    with bench(s.lib, dynamic.batch()) as work:
        inputs = work.device.dataset((work.sources[0][0], x.nbytes), work.sources[1])
        work.feed(x)
        assert work.set_batch(4, inputs) == 0
        assert work.run(inputs) == 0
        work.check(dynamic.batch().expected(x))
    with bench(s.lib, dynamic.image()) as work:
        work.feed(numbers(1, 2, 4, 6))
        assert work.set_image(4, 6) == 0
        assert work.run() == 0


@right("DYN-03", "DYN-07", "DYN-08")
def gears_of_dims(s: Stage) -> None:
    count, dims = ctypes.c_size_t(), (acl.IODims * 3)()
    every = dynamic.ALL_INPUTS
    with bench(s.lib, dynamic.dims()) as work:
        s.ok("aclmdlGetInputDynamicGearCount", work.desc, every, ctypes.byref(count))
        s.ok("aclmdlGetInputDynamicDims", work.desc, every, dims, count.value)
        for gear in dims:
            assert work.set_dims(*gear.shape()) == 0


@right("DYN-06")
def gear_of_each_queued_run(s: Stage) -> None:
    with bench(s.lib, dynamic.batch()) as work:
        work.feed(numbers(8, 3, 2))
        others = [work.device.dataset(work.sources[0], (work.device.alloc(4), 4)) for _ in range(2)]
        gate = s.hold(None)
        for size, inputs in zip((1, 8), others, strict=True):
            assert work.set_batch(size, inputs) == 0
            assert work.queue(None, inputs) == 0
        assert s.release(gate, None) == 0
        assert work.set_batch(4, others[0]) == 0


@right("DYN-11", "DYN-12", "DYN-13")
def real_dims(s: Stage) -> None:
    with bench(s.lib, dynamic.ranges()) as work:
        work.feed(numbers(8, 3, 2))
        work.set_desc(0, 8, 3, 2)
        exact = work.device.dataset((work.targets[0][0], 192), (work.targets[1][0], 32))
        assert work.run(None, exact) == 0
        assert work.queue(None, None, exact) == 0
        s.ok("aclrtSynchronizeStream", None)
