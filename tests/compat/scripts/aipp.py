# SPDX-License-Identifier: Apache-2.0
"""A pyACL program for a model with dynamic AIPP: RGB images of its own size, cropped and scaled."""

import sys

import acl
import numpy as np

ACL_DYNAMIC_AIPP_NAME = "ascend_dynamic_aipp_data"
ACL_RGB888_U8 = 3
ACL_DATA_WITH_DYNAMIC_AIPP = 2
HOST_TO_DEVICE, DEVICE_TO_HOST = 1, 2
NPY_FLOAT = 11


def check(ret):
    if ret != 0:
        raise RuntimeError(f"ret={ret}: {acl.get_recent_err_msg()}")


def checked(pair):
    value, ret = pair
    check(ret)
    return value


def main():
    path, source, target = sys.argv[1:]
    images = np.load(source)
    batch, height, width, _ = images.shape
    check(acl.init())
    check(acl.rt.set_device(0))
    model = checked(acl.mdl.load_from_file(path))
    desc = acl.mdl.create_desc()
    check(acl.mdl.get_desc(desc, model))
    kind, attached, ret = acl.mdl.get_aipp_type(model, 0)
    check(ret)
    assert kind == ACL_DATA_WITH_DYNAMIC_AIPP
    index = checked(acl.mdl.get_input_index_by_name(desc, ACL_DYNAMIC_AIPP_NAME))
    assert index == attached

    inputs, outputs = acl.mdl.create_dataset(), acl.mdl.create_dataset()
    memories = []
    for dataset, sizes in (
        (inputs, [acl.mdl.get_input_size_by_index(desc, i) for i in range(2)]),
        (outputs, [acl.mdl.get_output_size_by_index(desc, 0)]),
    ):
        for size in sizes:
            memories.append(checked(acl.rt.malloc(size, 2)))
            checked(acl.mdl.add_dataset_buffer(dataset, acl.create_data_buffer(memories[-1], size)))

    aipp = acl.mdl.create_aipp(batch)
    check(acl.mdl.set_aipp_input_format(aipp, ACL_RGB888_U8))
    check(acl.mdl.set_aipp_src_image_size(aipp, width, height))
    for image in range(batch):
        check(acl.mdl.set_aipp_crop_params(aipp, 1, 2, 1, 4, 4, image))
        check(acl.mdl.set_aipp_dtc_pixel_mean(aipp, 3, 2, 1, 0, image))
        check(acl.mdl.set_aipp_pixel_var_reci(aipp, 0.5, 0.5, 0.5, 1.0, image))
    check(acl.mdl.set_aipp_rbuv_swap_switch(aipp, 1))
    check(acl.mdl.set_input_aipp(model, inputs, index, aipp))
    check(acl.mdl.destroy_aipp(aipp))

    data = images.tobytes()
    check(
        acl.rt.memcpy(
            memories[0], len(data), acl.util.bytes_to_ptr(data), len(data), HOST_TO_DEVICE
        )
    )
    check(acl.mdl.execute(model, inputs, outputs))
    shape = tuple(checked(acl.mdl.get_cur_output_dims(desc, 0))["dims"])
    size = 4 * int(np.prod(shape))
    host = checked(acl.rt.malloc_host(size))
    check(acl.rt.memcpy(host, size, memories[2], size, DEVICE_TO_HOST))
    np.save(target, acl.util.ptr_to_numpy(host, shape, NPY_FLOAT))
    check(acl.rt.free_host(host))

    for dataset in (inputs, outputs):
        for number in range(acl.mdl.get_dataset_num_buffers(dataset)):
            check(acl.destroy_data_buffer(acl.mdl.get_dataset_buffer(dataset, number)))
        check(acl.mdl.destroy_dataset(dataset))
    for memory in memories:
        check(acl.rt.free(memory))
    check(acl.mdl.destroy_desc(desc))
    check(acl.mdl.unload(model))
    check(acl.rt.reset_device(0))
    check(acl.finalize())


if __name__ == "__main__":
    main()
