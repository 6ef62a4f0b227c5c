# SPDX-License-Identifier: Apache-2.0
"""Several Python threads, each with its own context and its own copy of the model."""

import sys
import threading

import acl
import numpy as np

ACL_ERROR_RT_CONTEXT_NULL = 107002


def ok(ret):
    assert ret == 0, (ret, acl.get_recent_err_msg())


def worker(path, records, results, numbers):
    _, ret = acl.rt.create_stream()
    assert ret == ACL_ERROR_RT_CONTEXT_NULL  # a new thread has no context
    ok(acl.rt.set_device(0))
    context, ret = acl.rt.create_context(0)
    ok(ret)
    config = acl.mdl.create_config_handle()
    ok(acl.mdl.set_config_opt(config, 1, 1))  # load type: from a file
    ok(acl.mdl.set_config_opt(config, 2, path))
    model, ret = acl.mdl.load_with_config(config)
    ok(ret)
    ok(acl.mdl.destroy_config_handle(config))
    desc = acl.mdl.create_desc()
    ok(acl.mdl.get_desc(desc, model))
    sizes = [acl.mdl.get_input_size_by_index(desc, 0), acl.mdl.get_output_size_by_index(desc, 0)]
    dims = acl.mdl.get_output_dims(desc, 0)[0]["dims"]
    pointers = [acl.rt.malloc(size, 2)[0] for size in sizes]
    datasets = []
    for pointer, size in zip(pointers, sizes, strict=True):
        datasets.append(acl.mdl.create_dataset())
        _, ret = acl.mdl.add_dataset_buffer(datasets[-1], acl.create_data_buffer(pointer, size))
        ok(ret)
    for number in numbers:
        x = np.ascontiguousarray(records[number])
        y = np.empty(dims, np.float32)
        ok(acl.rt.memcpy(pointers[0], sizes[0], acl.util.numpy_to_ptr(x), x.nbytes, 1))
        ok(acl.mdl.execute(model, *datasets))
        ok(acl.rt.memcpy(acl.util.numpy_to_ptr(y), y.nbytes, pointers[1], sizes[1], 2))
        results[number] = y
    for dataset, pointer in zip(datasets, pointers, strict=True):
        ok(acl.destroy_data_buffer(acl.mdl.get_dataset_buffer(dataset, 0)))
        ok(acl.mdl.destroy_dataset(dataset))
        ok(acl.rt.free(pointer))
    ok(acl.mdl.destroy_desc(desc))
    ok(acl.mdl.unload(model))
    ok(acl.rt.destroy_context(context))
    ok(acl.rt.reset_device(0))


if __name__ == "__main__":
    path, source, target = sys.argv[1:]
    ok(acl.init())
    records = np.load(source)
    results = [None] * len(records)
    threads = [
        threading.Thread(target=worker, args=(path, records, results, range(n, len(records), 3)))
        for n in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ok(acl.finalize())
    np.save(target, np.stack(results))
