# SPDX-License-Identifier: Apache-2.0
"""The usual pyACL program: everything by hand, in the style of the public samples."""

import sys

import acl
import numpy as np

ACL_MEM_MALLOC_HUGE_FIRST = 0
ACL_MEMCPY_HOST_TO_DEVICE = 1
ACL_MEMCPY_DEVICE_TO_HOST = 2
NPY_FLOAT = 11


def check_ret(message, ret):
    if ret != 0:
        raise RuntimeError(f"{message} failed, ret={ret}: {acl.get_recent_err_msg()}")


class Net:
    def __init__(self, device_id, model_path):
        self.device_id = device_id
        self.model_path = model_path
        self.input_data = []
        self.output_data = []
        check_ret("acl.init", acl.init())
        check_ret("acl.rt.set_device", acl.rt.set_device(self.device_id))
        self.context, ret = acl.rt.create_context(self.device_id)
        check_ret("acl.rt.create_context", ret)
        self.model_id, ret = acl.mdl.load_from_file(self.model_path)
        check_ret("acl.mdl.load_from_file", ret)
        self.model_desc = acl.mdl.create_desc()
        check_ret("acl.mdl.get_desc", acl.mdl.get_desc(self.model_desc, self.model_id))
        for i in range(acl.mdl.get_num_inputs(self.model_desc)):
            size = acl.mdl.get_input_size_by_index(self.model_desc, i)
            buffer, ret = acl.rt.malloc(size, ACL_MEM_MALLOC_HUGE_FIRST)
            check_ret("acl.rt.malloc", ret)
            self.input_data.append({"buffer": buffer, "size": size})
        for i in range(acl.mdl.get_num_outputs(self.model_desc)):
            size = acl.mdl.get_output_size_by_index(self.model_desc, i)
            buffer, ret = acl.rt.malloc(size, ACL_MEM_MALLOC_HUGE_FIRST)
            check_ret("acl.rt.malloc", ret)
            self.output_data.append({"buffer": buffer, "size": size})

    @staticmethod
    def make_dataset(items):
        dataset = acl.mdl.create_dataset()
        for item in items:
            data = acl.create_data_buffer(item["buffer"], item["size"])
            _, ret = acl.mdl.add_dataset_buffer(dataset, data)
            if ret != 0:
                check_ret("acl.destroy_data_buffer", acl.destroy_data_buffer(data))
        return dataset

    def run(self, images):
        for item, image in zip(self.input_data, images, strict=True):
            bytes_data = image.tobytes()
            bytes_ptr = acl.util.bytes_to_ptr(bytes_data)
            ret = acl.rt.memcpy(
                item["buffer"], item["size"], bytes_ptr, len(bytes_data), ACL_MEMCPY_HOST_TO_DEVICE
            )
            check_ret("acl.rt.memcpy", ret)
        inputs = self.make_dataset(self.input_data)
        outputs = self.make_dataset(self.output_data)
        check_ret("acl.mdl.execute", acl.mdl.execute(self.model_id, inputs, outputs))
        results = []
        for i in range(acl.mdl.get_dataset_num_buffers(outputs)):
            data = acl.mdl.get_dataset_buffer(outputs, i)
            device_ptr = acl.get_data_buffer_addr(data)
            size = acl.get_data_buffer_size(data)
            host_ptr, ret = acl.rt.malloc_host(size)
            check_ret("acl.rt.malloc_host", ret)
            ret = acl.rt.memcpy(host_ptr, size, device_ptr, size, ACL_MEMCPY_DEVICE_TO_HOST)
            check_ret("acl.rt.memcpy", ret)
            dims, ret = acl.mdl.get_cur_output_dims(self.model_desc, i)
            check_ret("acl.mdl.get_cur_output_dims", ret)
            view = acl.util.ptr_to_numpy(host_ptr, tuple(dims["dims"]), NPY_FLOAT)
            raw = np.frombuffer(acl.util.ptr_to_bytes(host_ptr, size), np.float32)
            assert (raw == view.reshape(-1)).all()
            results.append(view.copy())
            check_ret("acl.rt.free_host", acl.rt.free_host(host_ptr))
        for dataset in (inputs, outputs):
            for i in range(acl.mdl.get_dataset_num_buffers(dataset)):
                data = acl.mdl.get_dataset_buffer(dataset, i)
                check_ret("acl.destroy_data_buffer", acl.destroy_data_buffer(data))
            check_ret("acl.mdl.destroy_dataset", acl.mdl.destroy_dataset(dataset))
        return results

    def release(self):
        check_ret("acl.mdl.unload", acl.mdl.unload(self.model_id))
        check_ret("acl.mdl.destroy_desc", acl.mdl.destroy_desc(self.model_desc))
        while self.input_data:
            check_ret("acl.rt.free", acl.rt.free(self.input_data.pop()["buffer"]))
        while self.output_data:
            check_ret("acl.rt.free", acl.rt.free(self.output_data.pop()["buffer"]))
        check_ret("acl.rt.destroy_context", acl.rt.destroy_context(self.context))
        check_ret("acl.rt.reset_device", acl.rt.reset_device(self.device_id))
        check_ret("acl.finalize", acl.finalize())


if __name__ == "__main__":
    model, records, target = sys.argv[1:]
    net = Net(0, model)
    name = acl.mdl.get_input_name_by_index(net.model_desc, 0)
    shape, _ = acl.mdl.get_input_dims(net.model_desc, 0)
    print(name, shape["dims"], acl.mdl.get_input_data_type(net.model_desc, 0), acl.get_soc_name())
    np.save(target, np.stack([net.run([x])[0] for x in np.load(records)]))
    net.release()
