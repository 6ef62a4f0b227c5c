# SPDX-License-Identifier: Apache-2.0
"""The pyACL part of a widely read deployment tutorial, which cannot work as printed.

MENDED names the mistakes that this run does not make: "bytes", "host", "output", "constant".
"""

import os
import sys

import acl
import numpy as np

mended = os.environ.get("MENDED", "").split()
acl.init()
acl.rt.set_device(0)
model_id, ret = acl.mdl.load_from_file(sys.argv[1])
model_desc = acl.mdl.create_desc()
acl.mdl.get_desc(model_desc, model_id)
x = np.load(sys.argv[2])[0]
data = x.tobytes()

input_dataset = acl.mdl.create_dataset()
if "host" in mended:
    address, ret = acl.rt.malloc(x.nbytes, 0)
    acl.rt.memcpy(address, x.nbytes, acl.util.bytes_to_ptr(data), x.nbytes, 1)
elif "bytes" in mended:
    address = acl.util.bytes_to_ptr(data)
else:
    address = data
input_buffer = acl.create_data_buffer(address, x.nbytes)
acl.mdl.add_dataset_buffer(input_dataset, input_buffer)

output_dataset = acl.mdl.create_dataset()
if "output" in mended:
    size = acl.mdl.get_output_size_by_index(model_desc, 0)
    acl.mdl.add_dataset_buffer(
        output_dataset, acl.create_data_buffer(acl.rt.malloc(size, 0)[0], size)
    )

acl.mdl.execute(model_id, input_dataset, output_dataset)
output_buffer = acl.mdl.get_dataset_buffer(output_dataset, 0)
output_addr = acl.get_data_buffer_addr(output_buffer)
output_size = acl.get_data_buffer_size(output_buffer)
if "copy" in mended:
    host, ret = acl.rt.malloc_host(output_size)
    acl.rt.memcpy(host, output_size, output_addr, output_size, 2)
    output_addr = host
number = 11 if "constant" in mended else acl.NPY_FLOAT32
output = acl.util.ptr_to_numpy(output_addr, (2, 4, 8, 8), number)
np.save(sys.argv[3], output[None])
