# SPDX-License-Identifier: Apache-2.0
"""A pyACL program for a model with gears, of batch, image size or dims: whichever it finds."""

import sys

import acl
import numpy as np

ACL_DYNAMIC_TENSOR_NAME = "ascend_mbatch_shape_data"
ACL_MEM_MALLOC_NORMAL_ONLY = 2
HOST_TO_DEVICE, DEVICE_TO_HOST = 1, 2
NPY_FLOAT = 11


def check(ret):
    if ret != 0:
        raise RuntimeError(f"ret={ret}: {acl.get_recent_err_msg()}")


def checked(pair):
    value, ret = pair
    check(ret)
    return value


def dataset_of(sizes):
    dataset = acl.mdl.create_dataset()
    for size in sizes:
        memory = checked(acl.rt.malloc(size, ACL_MEM_MALLOC_NORMAL_ONLY))
        checked(acl.mdl.add_dataset_buffer(dataset, acl.create_data_buffer(memory, size)))
    return dataset


def address(dataset, index):
    return acl.get_data_buffer_addr(acl.mdl.get_dataset_buffer(dataset, index))


def free(dataset):
    for index in range(acl.mdl.get_dataset_num_buffers(dataset)):
        check(acl.rt.free(address(dataset, index)))
        check(acl.destroy_data_buffer(acl.mdl.get_dataset_buffer(dataset, index)))
    check(acl.mdl.destroy_dataset(dataset))


def setters(model, desc, inputs):
    """For each gear a function that sets it, and its values."""
    index = checked(acl.mdl.get_input_index_by_name(desc, ACL_DYNAMIC_TENSOR_NAME))
    batch = checked(acl.mdl.get_dynamic_batch(desc))
    for size in batch["batch"][: batch["batchCount"]]:
        yield [size], lambda n=size: acl.mdl.set_dynamic_batch_size(model, inputs, index, n)
    sizes = checked(acl.mdl.get_dynamic_hw(desc, -1))
    for h, w in sizes["hw"][: sizes["hwCount"]]:
        yield [h, w], lambda h=h, w=w: acl.mdl.set_dynamic_hw_size(model, inputs, index, h, w)
    count = checked(acl.mdl.get_input_dynamic_gear_count(desc, -1))
    for dims in checked(acl.mdl.get_input_dynamic_dims(desc, -1, count)) if count else ():
        yield dims["dims"], lambda d=dims: acl.mdl.set_input_dynamic_dims(model, inputs, index, d)


def run(model, desc, inputs, outputs, arrays):
    for index, array in enumerate(arrays):
        data = array.tobytes()
        source = acl.util.bytes_to_ptr(data)
        check(acl.rt.memcpy(address(inputs, index), len(data), source, len(data), HOST_TO_DEVICE))
    check(acl.mdl.execute(model, inputs, outputs))
    results = []
    for index in range(acl.mdl.get_num_outputs(desc)):
        shape = tuple(checked(acl.mdl.get_cur_output_dims(desc, index))["dims"])
        size = 4 * int(np.prod(shape))
        host = checked(acl.rt.malloc_host(size))
        check(acl.rt.memcpy(host, size, address(outputs, index), size, DEVICE_TO_HOST))
        results.append(acl.util.ptr_to_numpy(host, shape, NPY_FLOAT).copy())
        check(acl.rt.free_host(host))
    return results


def main():
    path, feeds, target = sys.argv[1:]
    arrays = np.load(feeds)
    check(acl.init())
    check(acl.rt.set_device(0))
    model = checked(acl.mdl.load_from_file(path))
    desc = acl.mdl.create_desc()
    check(acl.mdl.get_desc(desc, model))
    count = acl.mdl.get_num_inputs(desc)
    inputs = dataset_of(acl.mdl.get_input_size_by_index(desc, i) for i in range(count))
    outputs = dataset_of(
        acl.mdl.get_output_size_by_index(desc, i) for i in range(acl.mdl.get_num_outputs(desc))
    )
    results = {}
    for gear, (values, choose) in enumerate(setters(model, desc, inputs)):
        check(choose())
        fed = [arrays[f"{gear}_{i}"] for i in range(count - 1)]
        for index, result in enumerate(run(model, desc, inputs, outputs, fed)):
            results[f"{gear}_{index}"] = result
        print(*values)
    np.savez(target, **results)
    free(inputs)
    free(outputs)
    check(acl.mdl.destroy_desc(desc))
    check(acl.mdl.unload(model))
    check(acl.rt.reset_device(0))
    check(acl.finalize())


if __name__ == "__main__":
    main()
