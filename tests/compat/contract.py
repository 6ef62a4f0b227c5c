# SPDX-License-Identifier: Apache-2.0
"""pyACL's functions as the contract lists them (section 23), with the number of arguments."""

from __future__ import annotations

_LISTED = """
acl: finalize/0 finalize_reference/0 get_version/0 get_soc_name/0 data_type_size/1
  float16_to_float/1 float_to_float16/1 create_data_buffer/2 destroy_data_buffer/1
  update_data_buffer/3 get_data_buffer_addr/1 get_data_buffer_size/1 get_data_buffer_size_v2/1
  create_tensor_desc/3 destroy_tensor_desc/1 get_tensor_desc_type/1 get_tensor_desc_format/1
  get_tensor_desc_size/1 get_tensor_desc_element_count/1 get_tensor_desc_num_dims/1
  get_tensor_desc_dim/2 get_tensor_desc_dim_v2/2 get_tensor_desc_dim_range/3
  get_tensor_desc_name/1 set_tensor_desc_name/2 get_tensor_desc_by_index/2
  get_tensor_desc_address/1 set_tensor_format/2 set_tensor_shape/2 set_tensor_origin_format/2
  set_tensor_origin_shape/2 set_tensor_storage_format/2 set_tensor_storage_shape/2
  set_tensor_shape_range/2 set_tensor_value_range/2 set_tensor_dynamic_input/2 set_tensor_const/3
  set_tensor_place_ment/2 trans_tensor_desc_format/2 get_cann_attribute_list/0 get_cann_attribute/1
  get_device_capability/2 get_version_str/1 get_cann_version/1 get_recent_err_msg/0 app_log/2
rt: set_device/1 reset_device/1 get_device/0 get_device_count/0 get_run_mode/0 create_context/1
  get_context/0 set_context/1 destroy_context/1 create_stream/0 create_stream_with_config/2
  destroy_stream/1 destroy_stream_force/1 synchronize_stream/1 synchronize_stream_with_timeout/2
  stream_query/1 create_event/0 create_event_with_flag/1 create_event_ex_with_flag/1
  destroy_event/1 record_event/2 reset_event/2 stream_wait_event/2 synchronize_event/1
  synchronize_event_with_timeout/2 query_event/1 query_event_status/1 query_event_wait_status/1
  event_elapsed_time/2 event_get_timestamp/1 subscribe_report/2 unsubscribe_report/2
  process_report/1 launch_callback/4 synchronize_device/0 set_ts_device/1 query_device_status/1
  malloc/2 malloc_align32/2 malloc_cached/2 malloc_host/1 free/1 free_host/1 mem_flush/2
  mem_invalidate/2 memset/4 memset_async/5 memcpy/5 memcpy_async/6 memcpy2d/7 memcpy2d_async/8
  get_mem_info/1 device_can_access_peer/2 pointer_get_attributes/1 set_exception_info_callback/1
  get_task_id_from_exception_info/1 get_device_utilization_rate/1
mdl: load_from_file/1 load_from_mem/2 load_from_file_with_mem/5 load_from_mem_with_mem/6
  load_with_config/1 load_from_file_with_q/5 load_from_mem_with_q/6 unload/1 query_size/1
  query_size_from_mem/2 create_config_handle/0 destroy_config_handle/1 set_config_opt/3
  create_exec_config_handle/0 destroy_exec_config_handle/1 set_exec_config_opt/3 execute/3
  execute_v2/5 execute_async/4 create_desc/0 get_desc/2 get_desc_from_file/2 get_desc_from_mem/3
  destroy_desc/1 get_num_inputs/1 get_num_outputs/1 get_input_size_by_index/2
  get_output_size_by_index/2 get_input_dims/2 get_input_dims_v2/2 get_output_dims/2
  get_cur_output_dims/2 get_input_dims_range/2 get_input_name_by_index/2
  get_output_name_by_index/2 get_input_index_by_name/2 get_output_index_by_name/2
  get_input_format/2 get_output_format/2 get_input_data_type/2 get_output_data_type/2
  get_tensor_real_name/2 get_op_attr/3 create_dataset/0 destroy_dataset/1
  get_dataset_num_buffers/1 get_dataset_buffer/2 add_dataset_buffer/2 set_dataset_tensor_desc/3
  get_dataset_tensor_desc/2 get_dynamic_batch/1 get_dynamic_hw/2 get_input_dynamic_gear_count/2
  get_input_dynamic_dims/3 set_dynamic_batch_size/4 set_dynamic_hw_size/5 set_input_dynamic_dims/4
  create_aipp/1 destroy_aipp/1 get_aipp_data_size/1 set_aipp_input_format/2 set_aipp_csc_params/17
  set_aipp_rbuv_swap_switch/2 set_aipp_ax_swap_switch/2 set_aipp_src_image_size/3
  set_aipp_scf_params/7 set_aipp_crop_params/7 set_aipp_padding_params/7
  set_aipp_dtc_pixel_mean/6 set_aipp_dtc_pixel_min/6 set_aipp_pixel_var_reci/6 set_input_aipp/4
  set_aipp_by_input_index/4 get_aipp_type/2 get_first_aipp_info/2 create_and_get_op_desc/4
  init_dump/0 set_dump/1 finalize_dump/0 bundle_load_from_file/1 bundle_load_from_mem/2
  bundle_get_model_num/1 bundle_get_model_id/2 bundle_unload/1
util: numpy_to_ptr/1 numpy_contiguous_to_ptr/1 ptr_to_numpy/3 bytes_to_ptr/1 ptr_to_bytes/2
  start_thread/2 stop_thread/1
prof: init/1 create_config/4 start/1 stop/1 destroy_config/1 finalize/0 create_subscribe_config/3
  model_subscribe/2 model_un_subscribe/1 get_op_name/4 get_op_type/4
op: create_attr/0 destroy_attr/1 set_attr_int/3
"""


def listed() -> list[tuple[str, str, int]]:
    """(group, name, arguments); the group is ``""`` for the module itself."""
    found, group = [], ""
    for word in _LISTED.split():
        if word.endswith(":"):
            group = word[:-1].replace("acl", "")
        else:
            name, count = word.split("/")
            found.append((group, name, int(count)))
    return found
