# SPDX-License-Identifier: Apache-2.0
"""Asynchronous inference: a stream, events, callbacks served by a report thread."""

import sys

import acl
import numpy as np

ACL_MEM_MALLOC_HUGE_FIRST = 0
HOST_TO_DEVICE, DEVICE_TO_HOST = 1, 2
ACL_CALLBACK_BLOCK = 1


def ok(ret):
    assert ret == 0, (ret, acl.get_recent_err_msg())


class Sample:
    def __init__(self, model):
        ok(acl.init(""))
        ok(acl.rt.set_device(0))
        self.context, ret = acl.rt.create_context(0)
        ok(ret)
        self.stream, ret = acl.rt.create_stream()
        ok(ret)
        self.file = np.fromfile(model, np.byte).tobytes()
        work, weight, ret = acl.mdl.query_size_from_mem(
            acl.util.bytes_to_ptr(self.file), len(self.file)
        )
        ok(ret)
        self.blocks = [
            acl.rt.malloc(max(n, 1), ACL_MEM_MALLOC_HUGE_FIRST)[0] for n in (work, weight)
        ]
        self.model_id, ret = acl.mdl.load_from_mem_with_mem(
            acl.util.bytes_to_ptr(self.file),
            len(self.file),
            self.blocks[0],
            work,
            self.blocks[1],
            weight,
        )
        ok(ret)
        self.desc = acl.mdl.create_desc()
        ok(acl.mdl.get_desc(self.desc, self.model_id))
        self.sizes = (
            acl.mdl.get_input_size_by_index(self.desc, 0),
            acl.mdl.get_output_size_by_index(self.desc, 0),
        )
        self.exit = False
        self.done = []

    def report(self, args_list):
        context, timeout = args_list
        ok(acl.rt.set_context(context))
        while not self.exit:
            acl.rt.process_report(timeout)

    def delivered(self, job):
        number, host, size = job["number"], job["host"], self.sizes[1]
        self.done.append((number, np.frombuffer(acl.util.ptr_to_bytes(host, size), np.float32)))

    def start(self, number, x):
        job = {"number": number, "x": x}
        job["in"], ret = acl.rt.malloc(self.sizes[0], ACL_MEM_MALLOC_HUGE_FIRST)
        ok(ret)
        job["out"], ret = acl.rt.malloc(self.sizes[1], ACL_MEM_MALLOC_HUGE_FIRST)
        ok(ret)
        job["pinned"], ret = acl.rt.malloc_host(self.sizes[0])
        ok(ret)
        job["host"], ret = acl.rt.malloc_host(self.sizes[1])
        ok(ret)
        acl.util.ptr_to_numpy(job["pinned"], x.shape, 11)[...] = x
        size = self.sizes[0]
        ok(acl.rt.memcpy_async(job["in"], size, job["pinned"], size, HOST_TO_DEVICE, self.stream))
        job["sets"] = []
        for address, size in zip((job["in"], job["out"]), self.sizes, strict=True):
            dataset = acl.mdl.create_dataset()
            same, ret = acl.mdl.add_dataset_buffer(dataset, acl.create_data_buffer(address, size))
            ok(ret)
            assert same == dataset
            job["sets"].append(dataset)
        ok(acl.mdl.execute_async(self.model_id, *job["sets"], self.stream))
        size = self.sizes[1]
        ok(acl.rt.memcpy_async(job["host"], size, job["out"], size, DEVICE_TO_HOST, self.stream))
        ok(acl.rt.launch_callback(self.delivered, job, ACL_CALLBACK_BLOCK, self.stream))
        return job

    def free(self, job):
        for dataset in job["sets"]:
            ok(acl.destroy_data_buffer(acl.mdl.get_dataset_buffer(dataset, 0)))
            ok(acl.mdl.destroy_dataset(dataset))
        ok(acl.rt.free(job["in"]))
        ok(acl.rt.free(job["out"]))
        ok(acl.rt.free_host(job["pinned"]))
        ok(acl.rt.free_host(job["host"]))

    def run(self, records):
        thread_id, ret = acl.util.start_thread(self.report, [self.context, 50])
        ok(ret)
        ok(acl.rt.subscribe_report(thread_id, self.stream))
        begin, ret = acl.rt.create_event_with_flag(8)
        ok(ret)
        end, ret = acl.rt.create_event_with_flag(8)
        ok(ret)
        ok(acl.rt.record_event(begin, self.stream))
        jobs = [self.start(number, x) for number, x in enumerate(records)]
        ok(acl.rt.record_event(end, self.stream))
        ok(acl.rt.synchronize_stream(self.stream))
        milliseconds, ret = acl.rt.event_elapsed_time(begin, end)
        ok(ret)
        status, ret = acl.rt.query_event(end)
        ok(ret)
        print("timed" if milliseconds > 0 and status == 0 else "not timed")
        ok(acl.rt.unsubscribe_report(thread_id, self.stream))
        self.exit = True
        ok(acl.util.stop_thread(thread_id))
        for job in jobs:
            self.free(job)
        ok(acl.rt.destroy_event(begin))
        ok(acl.rt.destroy_event(end))
        return [y for _, y in sorted(self.done, key=lambda entry: entry[0])]

    def release(self):
        ok(acl.mdl.destroy_desc(self.desc))
        ok(acl.mdl.unload(self.model_id))
        for block in self.blocks:
            ok(acl.rt.free(block))
        ok(acl.rt.destroy_stream(self.stream))
        ok(acl.rt.destroy_context(self.context))
        ok(acl.rt.reset_device(0))
        ok(acl.finalize())


if __name__ == "__main__":
    sample = Sample(sys.argv[1])
    x = np.load(sys.argv[2])
    dims, _ = acl.mdl.get_output_dims(sample.desc, 0)
    np.save(sys.argv[3], np.stack(sample.run(x)).reshape(len(x), *dims["dims"]))
    sample.release()
