// SPDX-License-Identifier: Apache-2.0
//
// aclrt: load and run Ascend offline models (.om). This header is the library's whole boundary:
// C99, opaque handles, one status object. Python binds this very file; aclrt.hpp wraps it for C++.
//
// Errors     A function that can fail returns NULL on success, else a status that the caller
//            releases with aclrt_status_release. Nothing is kept in thread-local state.
// Ownership  Children keep their parents alive (a model its device, a device the runtime), so
//            handles may be released in any order, on any thread, at any time, also at exit.
// Threads    Every function may be called from any thread. The calling thread's AscendCL context is
//            restored before a call returns. A run takes a free instance of its model, of which
//            there is one unless more were asked for, or waits for one.
// Strings    UTF-8 (paths: the bytes of the file system). Pointers in *_info structs belong to the
//            object asked and live as long as it does.
#ifndef ACLRT_ACLRT_H
#define ACLRT_ACLRT_H

#include <stddef.h>
#include <stdint.h>

#define ACLRT_API __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

// cffi: begin

// ---- status -----------------------------------------------------------------------------------

typedef struct aclrt_status aclrt_status_t;

// What a failure is, independent of the AscendCL code. Each is one exception class in Python.
typedef enum aclrt_error_kind_t {
  ACLRT_ERROR_NONE = 0,
  ACLRT_ERROR_ACL = 1,            // AscendCL refused a call; none of the kinds below
  ACLRT_ERROR_DEVICE = 2,         // the device cannot be opened or does not exist
  ACLRT_ERROR_DEVICE_LOST = 3,    // the device died; only close() is left
  ACLRT_ERROR_DEVICE_MEMORY = 4,  // out of device memory
  ACLRT_ERROR_TIMEOUT = 5,        // the device did not finish in time
  ACLRT_ERROR_MODEL_FORMAT = 6,   // the bytes are not a well-formed offline model
  ACLRT_ERROR_MODEL_LOAD = 7,     // well formed, but it cannot be loaded here
  ACLRT_ERROR_INPUT = 8,          // the caller's arguments do not fit
  ACLRT_ERROR_CLOSED = 9,         // the object was closed
  ACLRT_ERROR_FORKED = 10,        // used in a child of the process that opened it
  ACLRT_ERROR_NEEDS_NPU = 11,     // a real compiled model on the fake device
  ACLRT_ERROR_BACKEND = 12,       // no usable libascendcl
  ACLRT_ERROR_IO = 13,            // the operating system refused; the code is its errno
  ACLRT_ERROR_HOST_MEMORY = 14,   // out of host memory
  ACLRT_ERROR_INTERNAL = 15       // a defect in this library
} aclrt_error_kind_t;

// A failure, in the words of each layer. No field is NULL; code is 0 where no AscendCL call failed.
typedef struct aclrt_error_t {
  aclrt_error_kind_t kind;
  int32_t code;         // AscendCL's code, or errno for ACLRT_ERROR_IO
  const char *name;     // the code's name, "ACL_ERROR_RT_CONTEXT_NULL"; "" if none
  const char *call;     // the function that failed, "aclrtMalloc"; "" if none
  const char *message;  // one sentence: what was expected, what was given
  const char *detail;   // AscendCL's own recent message; "" if none
  const char *hint;     // what to do next; "" if there is nothing to say
} aclrt_error_t;

// The fields of a status; they live as long as the status. NULL gives ACLRT_ERROR_NONE.
ACLRT_API aclrt_error_t aclrt_status_error(const aclrt_status_t *status);
ACLRT_API void aclrt_status_release(aclrt_status_t *status);

// One row of the table of AscendCL codes.
typedef struct aclrt_code_info_t {
  int32_t value;
  aclrt_error_kind_t kind;
  const char *name;
  const char *meaning;
  const char *causes;  // the most usual first, a newline between two; "" for success alone
  const char *hint;    // what to try
} aclrt_code_info_t;

ACLRT_API size_t aclrt_code_count(void);
// The index-th row, ordered by value; an index out of range gives a row of zeros and "".
ACLRT_API aclrt_code_info_t aclrt_code_at(size_t index);

// ---- element types and layouts ----------------------------------------------------------------

// The numbers are AscendCL's (aclDataType).
typedef enum aclrt_dtype_t {
  ACLRT_DTYPE_UNDEFINED = -1,
  ACLRT_DTYPE_FLOAT32 = 0,
  ACLRT_DTYPE_FLOAT16 = 1,
  ACLRT_DTYPE_INT8 = 2,
  ACLRT_DTYPE_INT32 = 3,
  ACLRT_DTYPE_UINT8 = 4,
  ACLRT_DTYPE_INT16 = 6,
  ACLRT_DTYPE_UINT16 = 7,
  ACLRT_DTYPE_UINT32 = 8,
  ACLRT_DTYPE_INT64 = 9,
  ACLRT_DTYPE_UINT64 = 10,
  ACLRT_DTYPE_FLOAT64 = 11,
  ACLRT_DTYPE_BOOL = 12,
  ACLRT_DTYPE_STRING = 13,
  ACLRT_DTYPE_COMPLEX64 = 16,
  ACLRT_DTYPE_COMPLEX128 = 17,
  ACLRT_DTYPE_BFLOAT16 = 27,
  ACLRT_DTYPE_INT4 = 29,
  ACLRT_DTYPE_UINT1 = 30,
  ACLRT_DTYPE_COMPLEX32 = 33,
  ACLRT_DTYPE_HIFLOAT8 = 34,
  ACLRT_DTYPE_FLOAT8_E5M2 = 35,
  ACLRT_DTYPE_FLOAT8_E4M3FN = 36,
  ACLRT_DTYPE_FLOAT8_E8M0 = 37
} aclrt_dtype_t;

// One row of the table of element types.
typedef struct aclrt_dtype_info_t {
  int32_t value;     // aclDataType
  int32_t proto;     // the number that the .om's ModelDef uses for it
  int32_t bits;      // of one element
  const char *name;  // NumPy's or ml_dtypes' name where there is one: "float16", "bfloat16"
} aclrt_dtype_info_t;

ACLRT_API size_t aclrt_dtype_count(void);
ACLRT_API aclrt_dtype_info_t aclrt_dtype_at(size_t index);
// "" if unknown.
ACLRT_API const char *aclrt_format_name(int32_t format);

// ---- runtime ----------------------------------------------------------------------------------

// How to find libascendcl. Zero-initialise, set struct_size, then what differs from the default.
typedef struct aclrt_runtime_options_t {
  size_t struct_size;
  const char *backend;      // "auto", "npu", "fake"; NULL: $ACLRT_BACKEND, else "auto"
  const char *library;      // path of libascendcl.so; NULL: $ACLRT_LIBASCENDCL, else the search
  const char *prefixes;     // further roots to search, ':' between them (site-packages, conda)
  const char *onnxruntime;  // libonnxruntime for the fake; NULL: $ACLRT_FAKE_ONNXRUNTIME, search
  const char *acl_config;   // acl.json for aclInit; NULL: none
} aclrt_runtime_options_t;

typedef struct aclrt_runtime_info_t {
  const char *backend;     // "npu" or "fake"
  const char *library;     // absolute path of the libascendcl in use
  const char *reason;      // one sentence: why this one
  const char *trail;       // every place looked at, one a line: "<place>: <outcome>"
  const char *soc_name;    // device 0's chip, "Ascend310P3"; "" where unknown
  int32_t is_default;      // 1: the fake, because nothing was asked for and nothing else was found
  int32_t is_adopted;      // 1: somebody else in this process had initialised AscendCL
  int32_t acl_version[3];  // major, minor, patch; -1 where the library cannot tell
  uint32_t device_count;
} aclrt_runtime_info_t;

// Finds and loads libascendcl and initialises it; later calls do nothing. Every call below does it
// with default options. Options that contradict the backend in use: ACLRT_ERROR_BACKEND.
ACLRT_API aclrt_status_t *aclrt_runtime_init(const aclrt_runtime_options_t *options);
// Initialises if needed.
ACLRT_API aclrt_status_t *aclrt_runtime_info(aclrt_runtime_info_t *info);
// Runs the search alone and loads nothing: the trail, one place a line (release with
// aclrt_string_release). For diagnosis when initialising fails.
ACLRT_API aclrt_status_t *aclrt_runtime_search(const aclrt_runtime_options_t *options,
                                               char **trail);
// Closes what is open and finalises AscendCL if this library initialised it. For atexit: afterwards
// every release is a no-op and every call fails with ACLRT_ERROR_CLOSED, except those that need no
// device (aclrt_om_*, aclrt_runtime_search, aclrt_model_info) and the closes. Idempotent.
ACLRT_API void aclrt_runtime_shutdown(void);

ACLRT_API const char *aclrt_version(void);
ACLRT_API void aclrt_string_release(char *text);

// ---- AscendCL itself --------------------------------------------------------------------------

// For what offers AscendCL's own calls over the backend in use (Python's aclrt.compat.acl): its
// functions as declared in functions.def, and where they are. Their types are in CANN's headers.
typedef struct aclrt_function_info_t {
  const char *name;        // "aclrtMalloc"
  const char *result;      // "aclError"
  const char *parameters;  // "(void **devPtr, size_t size, aclrtMemMallocPolicy policy)"
  const char *release;     // what brought it: "ACL 1.8 (about CANN 8.0.RC1)"
} aclrt_function_info_t;

ACLRT_API size_t aclrt_function_count(void);
// The index-th row; an index out of range gives a row of "".
ACLRT_API aclrt_function_info_t aclrt_function_at(size_t index);
// Finds and loads libascendcl as aclrt_runtime_init does, but does not initialise it. is_default
// (may be NULL): as in aclrt_runtime_info_t.
ACLRT_API aclrt_status_t *aclrt_runtime_load(const aclrt_runtime_options_t *options,
                                             int32_t *is_default);
// The address of a function in the library in use, which is loaded if needed; it is valid for the
// life of the process, after aclrt_runtime_shutdown too. What is called there keeps no promise of
// this header. ACLRT_ERROR_BACKEND: the library lacks it (the message names the release that
// brought it); ACLRT_ERROR_INPUT: AscendCL has no such function.
ACLRT_API aclrt_status_t *aclrt_function_address(const char *name, void **address);

// ---- device -----------------------------------------------------------------------------------

typedef struct aclrt_device aclrt_device_t;

typedef struct aclrt_device_info_t {
  int32_t id;             // logical, after ASCEND_RT_VISIBLE_DEVICES
  int32_t run_mode;       // 1: PCIe card, memories are separate; 0: program runs on the device
  uint64_t memory_free;   // bytes
  uint64_t memory_total;  // bytes
  const char *soc_name;
} aclrt_device_info_t;

// Opens (and keeps warm) one device; models open theirs by themselves.
ACLRT_API aclrt_status_t *aclrt_device_open(int32_t device_id, aclrt_device_t **device);
ACLRT_API aclrt_status_t *aclrt_device_info(aclrt_device_t *device, aclrt_device_info_t *info);
// Idempotent; the device is reset when its last user has gone and this library had set it.
ACLRT_API aclrt_status_t *aclrt_device_close(aclrt_device_t *device);
ACLRT_API void aclrt_device_release(aclrt_device_t *device);

// ---- memory -----------------------------------------------------------------------------------

// Memory that AscendCL allocates for the caller. Runs take it as inputs and outputs.
typedef struct aclrt_memory aclrt_memory_t;

typedef enum aclrt_memory_kind_t {
  ACLRT_MEMORY_DEVICE = 0,  // the device's: not for the host to touch, but by the copies below
  ACLRT_MEMORY_HOST = 1     // page-locked memory of the host's, which the device copies fastest
} aclrt_memory_kind_t;

typedef struct aclrt_memory_info_t {
  void *data;  // where it begins, at a multiple of 64
  size_t nbytes;
  int32_t device_id;
  aclrt_memory_kind_t kind;
  int32_t is_shared;  // 1: host and device both use it as it is (run_mode 0)
  int32_t is_closed;
} aclrt_memory_info_t;

// Opens the device; the content is not set. Where host and device have one memory (run_mode 0) both
// kinds are the same memory of the device's, which runs use in place.
ACLRT_API aclrt_status_t *aclrt_memory_alloc(int32_t device_id, size_t nbytes, int32_t kind,
                                             aclrt_memory_t **memory);
ACLRT_API aclrt_status_t *aclrt_memory_info(aclrt_memory_t *memory, aclrt_memory_info_t *info);
// From and to ordinary memory of the host's, offset and nbytes within the memory. They do not wait
// for runs that use it.
ACLRT_API aclrt_status_t *aclrt_memory_copy_in(aclrt_memory_t *memory, size_t offset,
                                               const void *data, size_t nbytes);
ACLRT_API aclrt_status_t *aclrt_memory_copy_out(aclrt_memory_t *memory, size_t offset, void *data,
                                                size_t nbytes);
// From one to another of the same device, without the host where both are the device's.
ACLRT_API aclrt_status_t *aclrt_memory_copy(aclrt_memory_t *to, size_t to_offset,
                                            aclrt_memory_t *from, size_t from_offset,
                                            size_t nbytes);
// Waits until no run uses it; *is_idle 0: not in time. timeout_ms negative: no limit.
ACLRT_API aclrt_status_t *aclrt_memory_drain(aclrt_memory_t *memory, int64_t timeout_ms,
                                             int32_t *is_idle);
// Waits for runs that use it, those in flight among them, then frees it. Idempotent; a later use
// fails with ACLRT_ERROR_CLOSED. What is released without a close is freed when no run uses it.
ACLRT_API aclrt_status_t *aclrt_memory_close(aclrt_memory_t *memory);
// Without a close before: frees it, when whatever else holds it has gone too. Unlike all else,
// memory of kind HOST outlives aclrt_runtime_shutdown, because pointers to it may be anywhere:
// until its release or the process' exit, which is then also where AscendCL is finalised.
ACLRT_API void aclrt_memory_release(aclrt_memory_t *memory);

// ---- model ------------------------------------------------------------------------------------

typedef struct aclrt_model aclrt_model_t;

typedef struct aclrt_model_options_t {
  size_t struct_size;
  const char *path;  // the .om: a file (mapped), or
  const void *data;  // its bytes; free to go after the call
  size_t data_size;
  int32_t device_id;   // default 0
  const char *onnx;    // fake only: the ONNX to run in place of a really compiled .om; may be NULL
  uint32_t instances;  // how many runs there can be at a time, up to 64; 0 is 1
} aclrt_model_options_t;

// What varies from run to run.
typedef enum aclrt_dynamic_t {
  ACLRT_DYNAMIC_NONE = 0,
  ACLRT_DYNAMIC_BATCH = 1,  // gears of one value, the first dim
  ACLRT_DYNAMIC_IMAGE = 2,  // gears of height and width
  ACLRT_DYNAMIC_DIMS = 3,   // gears with a value for every dynamic dim
  ACLRT_DYNAMIC_RANGE = 4   // no gears: any dims inside the ranges
} aclrt_dynamic_t;

typedef struct aclrt_dims_t {
  const int64_t *dims;
  size_t rank;
} aclrt_dims_t;

// One of the shapes that the model was compiled for.
typedef struct aclrt_gear_t {
  const int64_t *values;  // what ATC was given: {batch}, {height, width}, or one for each -1
  size_t value_count;
  const aclrt_dims_t *inputs;   // input_count of them; -1 where an image of any size is taken
  const aclrt_dims_t *outputs;  // output_count of them
} aclrt_gear_t;

typedef struct aclrt_tensor_info_t {
  const char *name;      // the framework's name; unique among its inputs or outputs
  const char *acl_name;  // the name AscendCL reports ("Softmax_3:0:probs"); often the same
  int32_t dtype;         // aclrt_dtype_t
  int32_t format;        // aclFormat
  size_t nbytes;         // bytes to feed or fetch, of the largest shape; 0 where it has no limit
  size_t rank;
  const int64_t *dims;   // rank of them; -1 where dynamic
  const int64_t *range;  // rank pairs: least, greatest (-1: no limit); NULL where not known
} aclrt_tensor_info_t;

typedef struct aclrt_model_info_t {
  size_t input_count;  // what the caller feeds; AscendCL's internal inputs are not among them
  size_t output_count;
  const aclrt_tensor_info_t *inputs;
  const aclrt_tensor_info_t *outputs;
  int32_t device_id;
  int32_t is_simulated;  // 1: made by aclrt convert, runs on the fake alone
  uint64_t work_size;    // device bytes for activations, as AscendCL states them
  uint64_t weight_size;  // device bytes for weights
  aclrt_dynamic_t dynamic;
  size_t gear_count;
  const aclrt_gear_t *gears;
  size_t instance_count;
  int32_t shares_weights;  // 1: the instances have one block of device memory for weights
} aclrt_model_info_t;

// A buffer. For inputs data is only read.
typedef struct aclrt_buffer_t {
  void *data;
  size_t nbytes;
  const aclrt_memory_t *memory;  // what data lies in; NULL: ordinary memory of the host's
} aclrt_buffer_t;

#define ACLRT_MAX_RANK 128

typedef struct aclrt_shape_t {
  size_t rank;
  int64_t dims[128];
} aclrt_shape_t;

// Checks the file, opens the device, loads, describes and prepares all buffers that a run needs.
// Several instances share their weights where AscendCL can load with given memory; each has
// workspace and buffers of its own, a device that one of them loses is lost for all, and the calls
// below are for all of them.
ACLRT_API aclrt_status_t *aclrt_model_load(const aclrt_model_options_t *options,
                                           aclrt_model_t **model);
ACLRT_API aclrt_status_t *aclrt_model_info(aclrt_model_t *model, aclrt_model_info_t *info);
// Copies in, executes, copies out: for models whose inputs have fixed shapes. Buffers are
// positional; each nbytes must equal the tensor's.
// No output may overlap an input or another output. Memory of the model's device is used where it
// is, which saves the copy; memory of another device's is refused. shapes (output_count of them)
// receives the outputs' real dims; NULL where they are not wanted.
ACLRT_API aclrt_status_t *aclrt_model_run(aclrt_model_t *model, const aclrt_buffer_t *inputs,
                                          size_t input_count, const aclrt_buffer_t *outputs,
                                          size_t output_count, aclrt_shape_t *shapes);
// The same for ordinary memory of the host's of just the tensors' sizes: where each input begins,
// then each output; count is input_count + output_count.
ACLRT_API aclrt_status_t *aclrt_model_run_pointers(aclrt_model_t *model, void *const *pointers,
                                                   size_t count);
// The same for every model, by the shapes of its inputs (input_count of them), which select the
// gear; nbytes must be what a shape takes. Where none fits: ACLRT_ERROR_INPUT with the gears. An
// output whose data is NULL gets memory from this call, unless it is empty, which the caller
// releases with aclrt_data_release; nbytes is set to it. On failure all such data are NULL again.
ACLRT_API aclrt_status_t *aclrt_model_run_shaped(aclrt_model_t *model, const aclrt_buffer_t *inputs,
                                                 const aclrt_dims_t *input_shapes,
                                                 size_t input_count, aclrt_buffer_t *outputs,
                                                 size_t output_count, aclrt_shape_t *shapes);
ACLRT_API void aclrt_data_release(void *data);

// Bytes that a model holds. Asking does not wait for runs.
typedef struct aclrt_memory_stats_t {
  uint64_t weights;  // on the device, as AscendCL states them; of an instance 0 where shared
  uint64_t work;     // on the device for activations, as AscendCL states them
  uint64_t buffers;  // on the device for inputs and outputs, queues' among them
  uint64_t pinned;   // page-locked host memory
  uint64_t host;     // ordinary host memory, beside the library's fixed structures
  uint64_t peak;     // the most that the three on the device came to at one time
} aclrt_memory_stats_t;

// instance: counted from 0, or -1 for all together.
ACLRT_API aclrt_status_t *aclrt_model_memory_stats(aclrt_model_t *model, int32_t instance,
                                                   aclrt_memory_stats_t *stats);
// Runs each instance this often with zeros in its largest shapes, so that no caller has to wait for
// what happens at a first run. ACLRT_ERROR_INPUT where the largest shape has no limit, or an input
// takes images of any size.
ACLRT_API aclrt_status_t *aclrt_model_warm_up(aclrt_model_t *model, uint32_t runs);

// A run of a model on buffers that stay the same. They are checked at once, as a run checks them,
// and not again; their memory stays the caller's to keep until the binding is closed. Every output
// has memory. input_shapes may be NULL where shapes are fixed. It keeps the model and what its
// buffers name alive.
typedef struct aclrt_binding aclrt_binding_t;

ACLRT_API aclrt_status_t *aclrt_binding_create(aclrt_model_t *model, const aclrt_buffer_t *inputs,
                                               const aclrt_dims_t *input_shapes, size_t input_count,
                                               const aclrt_buffer_t *outputs, size_t output_count,
                                               aclrt_binding_t **binding);
// Runs of one binding take turns, as do those of bindings on the same instance; bindings are spread
// over the instances. Memory that a run in flight of the model writes, or an output that one reads:
// ACLRT_ERROR_INPUT at once, also where the device hangs.
ACLRT_API aclrt_status_t *aclrt_binding_run(aclrt_binding_t *binding);
// Waits for a run in progress, after which the buffers are used no more. Idempotent.
ACLRT_API aclrt_status_t *aclrt_binding_close(aclrt_binding_t *binding);
ACLRT_API void aclrt_binding_release(aclrt_binding_t *binding);

// Dynamic AIPP: what is done to one image.
typedef struct aclrt_aipp_image_t {
  int32_t crop_left;  // of the source
  int32_t crop_top;
  int32_t crop_width;  // 0, with the height: nothing is cut away
  int32_t crop_height;
  int32_t padding_left;  // 0 to 32
  int32_t padding_right;
  int32_t padding_top;
  int32_t padding_bottom;
  int16_t mean[4];  // a pixel becomes (pixel - mean - min) * var_reci, by channel
  float min[4];
  float var_reci[4];
} aclrt_aipp_image_t;

// And what all images of an input have in common.
typedef struct aclrt_aipp_t {
  int32_t input_format;  // 1 YUV420SP_U8, 2 XRGB8888_U8, 3 RGB888_U8, 4 YUV400_U8
  int32_t width;         // of the source images
  int32_t height;
  int32_t rbuv_swap;  // 0 or 1
  int32_t ax_swap;
  int32_t csc;
  int16_t matrix[9];  // row after row, 256 is 1.0; with csc alone, as are the biases
  uint8_t output_bias[3];
  uint8_t input_bias[3];
  const aclrt_aipp_image_t *images;  // one for all, or one for each of the (largest) batch
  size_t image_count;
} aclrt_aipp_t;

// The parameters of the runs that follow, for an input with dynamic AIPP; a run before is refused.
// Waits for a run in progress. Values outside of AscendCL's limits: ACLRT_ERROR_INPUT.
ACLRT_API aclrt_status_t *aclrt_model_set_aipp(aclrt_model_t *model, size_t input,
                                               const aclrt_aipp_t *aipp);
// Waits for a run in progress, then gives everything back. Idempotent; a later run fails with
// ACLRT_ERROR_CLOSED. Returns the first failure, having released the rest all the same.
ACLRT_API aclrt_status_t *aclrt_model_close(aclrt_model_t *model);
ACLRT_API void aclrt_model_release(aclrt_model_t *model);

// ---- runs in flight -----------------------------------------------------------------------------

// A bounded queue over a model: runs are submitted and their results taken, and in between the
// copies of one overlap with the execution of another, in threads of this library. A run's arrays
// are the device's until its final completion. The queue keeps its model alive; plain runs of the
// model may go on beside it.
typedef struct aclrt_queue aclrt_queue_t;

typedef struct aclrt_queue_options_t {
  size_t struct_size;
  size_t depth;  // runs on each instance, those that completed and were not taken included; 0: 8
} aclrt_queue_options_t;

// One run. The structures and dims are copied by aclrt_queue_submit; the memory behind them stays
// the caller's to keep, as do the arrays outputs and shapes themselves, which the run writes. An
// aclrt_memory_t that a buffer names is held until the final completion, though it be released.
typedef struct aclrt_submission_t {
  const aclrt_buffer_t *inputs;
  const aclrt_dims_t *input_shapes;  // as in aclrt_model_run_shaped; NULL where shapes are fixed
  size_t input_count;
  aclrt_buffer_t *outputs;  // data NULL: the run gives it memory, as aclrt_model_run_shaped does
  size_t output_count;
  aclrt_shape_t *shapes;  // receives the outputs' dims; may be NULL
  uint64_t tag;           // comes back with the completion
  int64_t timeout_ms;     // from now; negative: none
} aclrt_submission_t;

typedef enum aclrt_outcome_t {
  ACLRT_OUTCOME_DONE = 0,
  ACLRT_OUTCOME_FAILED = 1,     // status says why
  ACLRT_OUTCOME_TIMED_OUT = 2,  // status is of kind ACLRT_ERROR_TIMEOUT
  ACLRT_OUTCOME_CANCELLED = 3
} aclrt_outcome_t;

// A run whose time is over while the device works on it comes twice: at once, with is_final 0, and
// when the device has let go of its memory.
typedef struct aclrt_completion_t {
  uint64_t tag;
  aclrt_outcome_t outcome;
  int32_t is_final;        // 1: the run's memory is the caller's again
  aclrt_status_t *status;  // to be released; NULL for DONE and CANCELLED
} aclrt_completion_t;

typedef struct aclrt_queue_info_t {
  size_t depth;     // of all instances
  size_t waiting;   // submitted, not begun
  size_t running;   // begun: the device may use their memory
  size_t finished;  // to be taken
} aclrt_queue_info_t;

ACLRT_API aclrt_status_t *aclrt_queue_create(aclrt_model_t *model,
                                             const aclrt_queue_options_t *options,
                                             aclrt_queue_t **queue);
// Checks and takes runs in turn, as many as there is room for, without waiting; *accepted is their
// number, also where the next one is refused. Memory that a run in flight writes, or an output that
// it reads: ACLRT_ERROR_INPUT.
ACLRT_API aclrt_status_t *aclrt_queue_submit(aclrt_queue_t *queue,
                                             const aclrt_submission_t *submissions, size_t count,
                                             size_t *accepted);
// Waits for the first completion (timeout_ms, negative: for ever) and gives all that are there, at
// most max; *count 0: none in time. Any number of threads may wait. ACLRT_ERROR_CLOSED where the
// queue is closed and nothing is left.
ACLRT_API aclrt_status_t *aclrt_queue_take(aclrt_queue_t *queue, aclrt_completion_t *completions,
                                           size_t max, int64_t timeout_ms, size_t *count);
// aclrt_queue_submit, then aclrt_queue_take, in one call: for callers that pay for every call, as a
// Python thread does that waits for the interpreter after each. Nothing is taken where the first
// of the two fails.
ACLRT_API aclrt_status_t *aclrt_queue_exchange(aclrt_queue_t *queue,
                                               const aclrt_submission_t *submissions,
                                               size_t submission_count, size_t *accepted,
                                               aclrt_completion_t *completions, size_t max,
                                               int64_t timeout_ms, size_t *count);
// Gives up the runs with this tag: one that has not begun completes at once, one that has when the
// device has let go of its memory, with its result dropped. *found 0: there is none in flight.
ACLRT_API aclrt_status_t *aclrt_queue_cancel(aclrt_queue_t *queue, uint64_t tag, int32_t *found);
// Waits until no run is waiting or running; *is_idle 0: not in time.
ACLRT_API aclrt_status_t *aclrt_queue_drain(aclrt_queue_t *queue, int64_t timeout_ms,
                                            int32_t *is_idle);
ACLRT_API aclrt_status_t *aclrt_queue_info(aclrt_queue_t *queue, aclrt_queue_info_t *info);
// Cancels what has not begun, waits for what has, and gives everything back. What has completed can
// still be taken. Idempotent. Releasing a queue closes it.
ACLRT_API aclrt_status_t *aclrt_queue_close(aclrt_queue_t *queue);
ACLRT_API void aclrt_queue_release(aclrt_queue_t *queue);

// ---- tracing -----------------------------------------------------------------------------------

typedef struct aclrt_trace aclrt_trace_t;

// Where something took place: in the calling thread, or in one of the device's engines.
typedef enum aclrt_trace_lane_t {
  ACLRT_TRACE_HOST = 0,     // a call of AscendCL
  ACLRT_TRACE_H2D = 1,      // a copy from the host to the device
  ACLRT_TRACE_COMPUTE = 2,  // an execution
  ACLRT_TRACE_D2H = 3,      // a copy back
  ACLRT_TRACE_OTHER = 4     // other work: copies within the device, memory being set
} aclrt_trace_lane_t;

typedef struct aclrt_trace_span_t {
  int32_t function;  // row of aclrt_function_at
  int32_t lane;      // aclrt_trace_lane_t
  int32_t thread;    // of the caller (gettid)
  int32_t device;    // logical; -1 in the host's lane
  int64_t begin_ns;  // as aclrt_trace_clock
  int64_t end_ns;
  int64_t result;   // the call's code, handle or number; 0 for none and in the device's lanes
  uint64_t stream;  // the handle; 0: the default one, or a call without
  uint64_t nbytes;  // copied, set or allocated; else 0
  int64_t model;    // AscendCL's id of the model that was executed; else -1
} aclrt_trace_span_t;

// A trace sees every call of AscendCL that this library makes while it is started, and what the
// device did for it: a synchronous call's work is the span of the call, that of an asynchronous one
// comes from the timestamps of two events recorded around it, moved so that no work begins before
// it was queued. A trace may be started and stopped any number of times; several may be started at
// once; where none is, tracing costs nothing. capacity: the most calls that it keeps, 0 for a
// million; further ones are counted only. Works before a library is loaded.
ACLRT_API aclrt_status_t *aclrt_trace_create(size_t capacity, aclrt_trace_t **trace);
ACLRT_API aclrt_status_t *aclrt_trace_start(aclrt_trace_t *trace);
// Asynchronous work that is not over by then is not seen.
ACLRT_API aclrt_status_t *aclrt_trace_stop(aclrt_trace_t *trace);
// Of a stopped trace, ordered by begin; valid until it is started or released. left_out (may be
// NULL): calls beyond the capacity, and asynchronous work without timestamps.
ACLRT_API aclrt_status_t *aclrt_trace_spans(aclrt_trace_t *trace, const aclrt_trace_span_t **spans,
                                            size_t *count, uint64_t *left_out);
// A stopped trace as a file in the JSON format that ui.perfetto.dev and chrome://tracing open.
ACLRT_API aclrt_status_t *aclrt_trace_write(aclrt_trace_t *trace, const char *path);
// Stops it too. NULL is ignored.
ACLRT_API void aclrt_trace_release(aclrt_trace_t *trace);
// A record has every call of AscendCL that this library makes until it is released, a line of JSON
// each, written when the call is over; docs/fake.md has the format. ACLRT_RECORD makes one of the
// whole process. path: %p in it becomes the process's number. data_nbytes: how many bytes of each
// copy between host and device to keep, in path.data; 0 for none. Loads and initialises AscendCL.
typedef struct aclrt_record aclrt_record_t;
ACLRT_API aclrt_status_t *aclrt_record_start(const char *path, uint64_t data_nbytes,
                                             aclrt_record_t **record);
// NULL is ignored.
ACLRT_API void aclrt_record_release(aclrt_record_t *record);

// Now, by the clock that spans are stamped with: the machine's steady clock (CLOCK_MONOTONIC), or
// the fake device's virtual one (*is_virtual, may be NULL, is 1).
ACLRT_API int64_t aclrt_trace_clock(int32_t *is_virtual);

// ---- CANN's own profiler -----------------------------------------------------------------------

typedef struct aclrt_profiling aclrt_profiling_t;

// Zero-initialise, set struct_size, then the rest.
typedef struct aclrt_profiling_options_t {
  size_t struct_size;
  const char *directory;    // for the results, which msprof reads; AscendCL creates it
  const uint32_t *devices;  // logical ids, each once
  size_t device_count;
  int32_t metrics;      // of the AI cores: aclprofAicoreMetrics; 255: none
  uint64_t data_types;  // AscendCL's bits (ACL_PROF_*), at least one
} aclrt_profiling_options_t;

// One at a time in a process. ACLRT_ERROR_BACKEND: the CANN release has no profiler. The fake
// device takes it all and writes nothing.
ACLRT_API aclrt_status_t *aclrt_profiling_start(const aclrt_profiling_options_t *options,
                                                aclrt_profiling_t **profiling);
// Idempotent.
ACLRT_API aclrt_status_t *aclrt_profiling_stop(aclrt_profiling_t *profiling);
// Stops it too. NULL is ignored.
ACLRT_API void aclrt_profiling_release(aclrt_profiling_t *profiling);

// ---- .om files, without a device ---------------------------------------------------------------

// What is in the file, as a JSON object (schema: docs/om.md). Release json with
// aclrt_string_release. Malformed bytes: ACLRT_ERROR_MODEL_FORMAT naming offset and field.
ACLRT_API aclrt_status_t *aclrt_om_inspect(const void *data, size_t data_size, char **json);
ACLRT_API aclrt_status_t *aclrt_om_inspect_file(const char *path, char **json);
// Whether aclrt_model_load would take the model here, without opening a device (device_id is not
// looked at): {"loads": bool, "findings": [{"topic", "ok", "text", "hint"}]}; release with
// aclrt_string_release. Fails as aclrt_om_inspect does, and where there is no usable libascendcl.
ACLRT_API aclrt_status_t *aclrt_model_check(const aclrt_model_options_t *options, char **json);

// ---- the fake device ---------------------------------------------------------------------------

// ACLRT_ERROR_BACKEND where the backend in use is not the fake.
// The ledger as JSON (schema: docs/fake.md); release with aclrt_string_release.
ACLRT_API aclrt_status_t *aclrt_fake_ledger(char **json);
// The same as a table for people.
ACLRT_API aclrt_status_t *aclrt_fake_ledger_text(char **text);

typedef enum aclrt_fake_action {
  ACLRT_FAKE_FAIL = 0,         // the call reports the fault's code
  ACLRT_FAKE_LOSE_DEVICE = 1,  // so do all later calls on the thread's device, until it is reset
  ACLRT_FAKE_HANG = 2          // the call, or the work that it queues, takes hang_ms longer
} aclrt_fake_action_t;

// A fault to come. Zero-initialise, set struct_size, then what differs: zeros are "any" and
// "first".
typedef struct aclrt_fake_fault {
  size_t struct_size;
  const char *function;  // only calls of this AscendCL function; NULL: any
  const char *group;     // only calls of this group (docs/fake.md lists them); NULL: any
  int64_t thread;        // only calls by this thread (gettid); 0: any
  uint64_t nth;          // the nth of these calls, counted from arming; 0 is 1
  int32_t code;          // what it reports; lose device: 0 is 507010; hang: not used
  int32_t persistent;    // 1: also all of these calls after the nth; 0: once
  int32_t after;         // 1: the call does its work and then reports failure; 0: it does nothing
  int32_t action;        // aclrt_fake_action_t
  int64_t hang_ms;
} aclrt_fake_fault_t;

// ACLRT_ERROR_INPUT where the fault makes no sense; the detail says why. number is never 0.
ACLRT_API aclrt_status_t *aclrt_fake_fault_arm(const aclrt_fake_fault_t *fault, uint64_t *number);
// Number 0: all of them. What has fired stays in the ledger.
ACLRT_API aclrt_status_t *aclrt_fake_fault_disarm(uint64_t number);
// Disarms all, forgets what has fired, brings lost devices back, lifts memory limits.
ACLRT_API aclrt_status_t *aclrt_fake_faults_clear(void);
// Loses a device at once, until its reset. code 0: 507010.
ACLRT_API aclrt_status_t *aclrt_fake_lose_device(int32_t device_id, int32_t code);
// Bytes that may be allocated on a device (-1: each); nbytes 0: what the board has.
ACLRT_API aclrt_status_t *aclrt_fake_set_memory_limit(int32_t device_id, uint64_t nbytes);

// The board that is played, and what the deterministic scheduler has done, as JSON (same schema
// page and release).
ACLRT_API aclrt_status_t *aclrt_fake_profile(char **json);
ACLRT_API aclrt_status_t *aclrt_fake_trace(char **json);

// The misuse checks (docs/checks.md): all of them as a JSON array (release as above); how often
// each has fired is in the ledger. mode: 0 error code only, 1 also a line on stderr, 2 also
// abort(); *before: the mode until now. ACLRT_ERROR_INPUT for any other.
ACLRT_API aclrt_status_t *aclrt_fake_check_table(char **json);
ACLRT_API aclrt_status_t *aclrt_fake_set_checks(int32_t mode, int32_t *before);

// Frees every device object, clears counters, errors and faults. Refused while models or devices
// are open.
ACLRT_API aclrt_status_t *aclrt_fake_reset(void);

// cffi: end

#ifdef __cplusplus
}
#endif

#endif
