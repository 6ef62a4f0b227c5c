// SPDX-License-Identifier: Apache-2.0
//
// AscendCL's binary interface, in our own declarations: types, enums, codes, structs and the
// prototypes of functions.def. Both sides of the boundary (shim and fake) include it, and C99
// programs may. Numbers and layouts follow the contract reference (LP64); the assertions at the end
// pin them, so that a slip fails the build on every compiler. Python binds the parts between the
// cffi marks: types, no function.
#ifndef ACLRT_ACL_ABI_H
#define ACLRT_ACL_ABI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
// Callers may pass numbers outside an enum; a fixed underlying type keeps reading them defined.
#define ACL_ENUM(name) enum name : int32_t
#define ACL_ABI_ASSERT(...) static_assert(__VA_ARGS__, #__VA_ARGS__)
#else
#define ACL_ENUM(name) enum name
#define ACL_ABI_ASSERT(...) _Static_assert(__VA_ARGS__, #__VA_ARGS__)
#endif

// cffi: begin

// ---- scalars, handles -------------------------------------------------------------------------

typedef int aclError;
typedef uint16_t aclFloat16;

typedef void *aclrtStream;
typedef void *aclrtEvent;
typedef void *aclrtContext;
typedef void *aclrtNotify;
typedef void *aclrtCntNotify;
typedef void *aclrtLabel;
typedef void *aclrtLabelList;
typedef void *aclrtMbuf;
typedef void *aclrtDrvMemHandle;
typedef void *aclrtAllocatorDesc;
typedef void *aclrtAllocator;
typedef void *aclrtAllocatorBlock;
typedef void *aclrtAllocatorAddr;
typedef void *aclmdlRI;
typedef void *aclmdlModel;

typedef struct aclDataBuffer aclDataBuffer;
typedef struct aclTensorDesc aclTensorDesc;
typedef struct aclmdlDataset aclmdlDataset;
typedef struct aclmdlDesc aclmdlDesc;
typedef struct aclmdlAIPP aclmdlAIPP;
typedef struct aclAippExtendInfo aclAippExtendInfo;
typedef struct aclmdlConfigHandle aclmdlConfigHandle;
typedef struct aclmdlExecConfigHandle aclmdlExecConfigHandle;
typedef struct aclmdlBundleQueryInfo aclmdlBundleQueryInfo;
typedef struct aclrtExceptionInfo aclrtExceptionInfo;
typedef struct aclrtUtilizationExtendInfo aclrtUtilizationExtendInfo;
typedef struct aclopAttr aclopAttr;
typedef struct aclopHandle aclopHandle;
typedef struct aclprofConfig aclprofConfig;
typedef struct aclprofSubscribeConfig aclprofSubscribeConfig;
typedef struct aclprofStepInfo aclprofStepInfo;
typedef struct aclprofAicoreEvents aclprofAicoreEvents;

typedef void (*aclrtCallback)(void *userData);
typedef void (*aclrtHostFunc)(void *args);
typedef void (*aclrtExceptionInfoCallback)(aclrtExceptionInfo *exceptionInfo);
typedef aclError (*aclInitCallbackFunc)(const char *configStr, size_t len, void *userData);
typedef aclError (*aclFinalizeCallbackFunc)(void *userData);

// ---- limits and names -------------------------------------------------------------------------

#define ACL_MAJOR_VERSION 1
#define ACL_MINOR_VERSION 17
#define ACL_PATCH_VERSION 0

#define ACL_DIM_ENDPOINTS 2
#define ACL_TENSOR_SHAPE_RANGE_NUM 2
#define ACL_TENSOR_VALUE_RANGE_NUM 2
#define ACL_MAX_DIM_CNT 128
#define ACL_MAX_TENSOR_NAME_LEN 128
#define ACL_MAX_BATCH_NUM 128
#define ACL_MAX_HW_NUM 128
#define ACL_MAX_SHAPE_COUNT 128
#define ACL_INVALID_NODE_INDEX 0xFFFFFFFFU
#define ACL_UNKNOWN_RANK 0xFFFFFFFFFFFFFFFEULL
#define ACL_PKG_VERSION_MAX_SIZE 128
#define ACL_PKG_VERSION_PARTS_MAX_SIZE 64

// cffi: end

#define ACL_MDL_LOAD_FROM_FILE 1
#define ACL_MDL_LOAD_FROM_FILE_WITH_MEM 2
#define ACL_MDL_LOAD_FROM_MEM 3
#define ACL_MDL_LOAD_FROM_MEM_WITH_MEM 4
#define ACL_MDL_LOAD_FROM_FILE_WITH_Q 5
#define ACL_MDL_LOAD_FROM_MEM_WITH_Q 6
#define ACL_WORKSPACE_MEM_OPTIMIZE_DEFAULT 0
#define ACL_WORKSPACE_MEM_OPTIMIZE_INPUTOUTPUT 1

#define ACL_DYNAMIC_TENSOR_NAME "ascend_mbatch_shape_data"
#define ACL_DYNAMIC_AIPP_NAME "ascend_dynamic_aipp_data"
#define ACL_ATTR_NAME_DATA_DUMP_ORIGIN_OP_NAMES "_datadump_original_op_names"

#define ACL_EVENT_SYNC 0x00000001U
#define ACL_EVENT_CAPTURE_STREAM_PROGRESS 0x00000002U
#define ACL_EVENT_TIME_LINE 0x00000008U
#define ACL_EVENT_DEVICE_USE_ONLY 0x00000010U
#define ACL_EVENT_EXTERNAL 0x00000020U
#define ACL_EVENT_IPC 0x00000040U
#define ACL_EVENT_RECORD_DEFAULT 0x0U
#define ACL_EVENT_RECORD_EXTERNAL 0x01U
#define ACL_EVENT_WAIT_DEFAULT 0x0U
#define ACL_EVENT_WAIT_EXTERNAL 0x01U

#define ACL_STREAM_FAST_LAUNCH 0x00000001U
#define ACL_STREAM_FAST_SYNC 0x00000002U
#define ACL_STREAM_PERSISTENT 0x00000004U
#define ACL_STREAM_HUGE 0x00000008U
#define ACL_STREAM_CPU_SCHEDULE 0x00000010U
#define ACL_STREAM_DEVICE_USE_ONLY 0x00000020U
#define ACL_CONTINUE_ON_FAILURE 0x00000000U
#define ACL_STOP_ON_FAILURE 0x00000001U
#define ACL_MODEL_STREAM_FLAG_HEAD 0x00000000U
#define ACL_MODEL_STREAM_FLAG_DEFAULT 0x7FFFFFFFU

#define ACL_PROF_ACL_API 0x0001ULL
#define ACL_PROF_TASK_TIME 0x0002ULL
#define ACL_PROF_AICORE_METRICS 0x0004ULL
#define ACL_PROF_AICPU 0x0008ULL
#define ACL_PROF_L2CACHE 0x0010ULL
#define ACL_PROF_HCCL_TRACE 0x0020ULL
#define ACL_PROF_TRAINING_TRACE 0x0040ULL
#define ACL_PROF_MSPROFTX 0x0080ULL
#define ACL_PROF_RUNTIME_API 0x0100ULL
#define ACL_PROF_GE_API_L0 0x0200ULL
#define ACL_PROF_TASK_TIME_L0 0x0800ULL
#define ACL_PROF_TASK_MEMORY 0x1000ULL
#define ACL_PROF_TASK_TIME_L2 0x2000ULL
#define ACL_PROF_OP_ATTR 0x4000ULL
#define ACL_PROF_TASK_TIME_L3 0x8000ULL
#define ACL_PROF_GE_API_L1 0x01000000ULL
#define ACL_PROF_API_STATS 0x400000000ULL
#define ACL_PROF_AICORE_SHAPE 0x800000000ULL

// To CANN's log, with the place of the call; the argument after the level is printf's format.
#define ACL_APP_LOG(level, ...) aclAppLog(level, __func__, __FILE__, __LINE__, __VA_ARGS__)

// ---- status codes -----------------------------------------------------------------------------

// Integers, as in CANN's headers, so that `auto code = ACL_SUCCESS` makes a variable that holds any
// code. C wants an enumerator where a case label needs a constant.
#ifdef __cplusplus
#define ACL_CODE(name, value, kind, meaning, causes, hint) static const int name = value;
#include "codes.def"
#else
enum {
#define ACL_CODE(name, value, kind, meaning, causes, hint) name = value,
#include "codes.def"
};
#endif

// cffi: begin

// ---- enums ------------------------------------------------------------------------------------

typedef ACL_ENUM(aclDataType){
    ACL_DT_UNDEFINED = -1, ACL_FLOAT = 0,        ACL_FLOAT16 = 1,        ACL_INT8 = 2,
    ACL_INT32 = 3,         ACL_UINT8 = 4,        ACL_INT16 = 6,          ACL_UINT16 = 7,
    ACL_UINT32 = 8,        ACL_INT64 = 9,        ACL_UINT64 = 10,        ACL_DOUBLE = 11,
    ACL_BOOL = 12,         ACL_STRING = 13,      ACL_COMPLEX64 = 16,     ACL_COMPLEX128 = 17,
    ACL_BF16 = 27,         ACL_INT4 = 29,        ACL_UINT1 = 30,         ACL_COMPLEX32 = 33,
    ACL_HIFLOAT8 = 34,     ACL_FLOAT8_E5M2 = 35, ACL_FLOAT8_E4M3FN = 36, ACL_FLOAT8_E8M0 = 37,
    ACL_FLOAT6_E3M2 = 38,  ACL_FLOAT6_E2M3 = 39, ACL_FLOAT4_E2M1 = 40,   ACL_FLOAT4_E1M2 = 41,
} aclDataType;

typedef ACL_ENUM(aclFormat){
    ACL_FORMAT_UNDEFINED = -1,
    ACL_FORMAT_NCHW = 0,
    ACL_FORMAT_NHWC = 1,
    ACL_FORMAT_ND = 2,
    ACL_FORMAT_NC1HWC0 = 3,
    ACL_FORMAT_FRACTAL_Z = 4,
    ACL_FORMAT_NC1HWC0_C04 = 12,
    ACL_FORMAT_HWCN = 16,
    ACL_FORMAT_NDHWC = 27,
    ACL_FORMAT_FRACTAL_NZ = 29,
    ACL_FORMAT_NCDHW = 30,
    ACL_FORMAT_NDC1HWC0 = 32,
    ACL_FRACTAL_Z_3D = 33,
    ACL_FORMAT_NC = 35,
    ACL_FORMAT_NCL = 47,
    ACL_FORMAT_FRACTAL_NZ_C0_16 = 50,
    ACL_FORMAT_FRACTAL_NZ_C0_32 = 51,
    ACL_FORMAT_FRACTAL_NZ_C0_2 = 52,
    ACL_FORMAT_FRACTAL_NZ_C0_4 = 53,
    ACL_FORMAT_FRACTAL_NZ_C0_8 = 54,
} aclFormat;

typedef ACL_ENUM(aclLogLevel){
    ACL_DEBUG = 0,
    ACL_INFO = 1,
    ACL_WARNING = 2,
    ACL_ERROR = 3,
} aclLogLevel;

typedef ACL_ENUM(aclMemType){
    ACL_MEMTYPE_DEVICE = 0,
    ACL_MEMTYPE_HOST = 1,
    ACL_MEMTYPE_HOST_COMPILE_INDEPENDENT = 2,
} aclMemType;

typedef ACL_ENUM(aclSysParamOpt){
    ACL_OPT_DETERMINISTIC = 0,
    ACL_OPT_ENABLE_DEBUG_KERNEL = 1,
    ACL_OPT_STRONG_CONSISTENCY = 2,
    ACL_OPT_ENABLE_KERNEL_EARLY_START = 3,
} aclSysParamOpt;

typedef ACL_ENUM(aclCannAttr){
    ACL_CANN_ATTR_UNDEFINED = -1,
    ACL_CANN_ATTR_INF_NAN = 0,
    ACL_CANN_ATTR_BF16 = 1,
    ACL_CANN_ATTR_JIT_COMPILE = 2,
} aclCannAttr;

typedef ACL_ENUM(aclDeviceInfo){
    ACL_DEVICE_INFO_UNDEFINED = -1,
    ACL_DEVICE_INFO_AI_CORE_NUM = 0,
    ACL_DEVICE_INFO_VECTOR_CORE_NUM = 1,
    ACL_DEVICE_INFO_L2_SIZE = 2,
} aclDeviceInfo;

typedef ACL_ENUM(aclrtRunMode){
    ACL_DEVICE = 0,
    ACL_HOST = 1,
} aclrtRunMode;

typedef ACL_ENUM(aclrtTsId){
    ACL_TS_ID_AICORE = 0,
    ACL_TS_ID_AIVECTOR = 1,
    ACL_TS_ID_RESERVED = 2,
} aclrtTsId;

typedef ACL_ENUM(aclrtEventStatus){
    ACL_EVENT_STATUS_COMPLETE = 0,
    ACL_EVENT_STATUS_NOT_READY = 1,
    ACL_EVENT_STATUS_RESERVED = 2,
} aclrtEventStatus;

typedef ACL_ENUM(aclrtEventRecordedStatus){
    ACL_EVENT_RECORDED_STATUS_NOT_READY = 0,
    ACL_EVENT_RECORDED_STATUS_COMPLETE = 1,
} aclrtEventRecordedStatus;

typedef ACL_ENUM(aclrtEventWaitStatus){
    ACL_EVENT_WAIT_STATUS_COMPLETE = 0,
    ACL_EVENT_WAIT_STATUS_NOT_READY = 1,
    ACL_EVENT_WAIT_STATUS_RESERVED = 0xffff,
} aclrtEventWaitStatus;

typedef ACL_ENUM(aclrtStreamStatus){
    ACL_STREAM_STATUS_COMPLETE = 0,
    ACL_STREAM_STATUS_NOT_READY = 1,
    ACL_STREAM_STATUS_RESERVED = 0xffff,
} aclrtStreamStatus;

typedef ACL_ENUM(aclrtCallbackBlockType){
    ACL_CALLBACK_NO_BLOCK = 0,
    ACL_CALLBACK_BLOCK = 1,
} aclrtCallbackBlockType;

typedef ACL_ENUM(aclrtMemcpyKind){
    ACL_MEMCPY_HOST_TO_HOST = 0,
    ACL_MEMCPY_HOST_TO_DEVICE = 1,
    ACL_MEMCPY_DEVICE_TO_HOST = 2,
    ACL_MEMCPY_DEVICE_TO_DEVICE = 3,
    ACL_MEMCPY_DEFAULT = 4,
    ACL_MEMCPY_HOST_TO_BUF_TO_DEVICE = 5,
    ACL_MEMCPY_INNER_DEVICE_TO_DEVICE = 6,
    ACL_MEMCPY_INTER_DEVICE_TO_DEVICE = 7,
} aclrtMemcpyKind;

typedef ACL_ENUM(aclrtMemMallocPolicy){
    ACL_MEM_MALLOC_HUGE_FIRST = 0,
    ACL_MEM_MALLOC_HUGE_ONLY = 1,
    ACL_MEM_MALLOC_NORMAL_ONLY = 2,
    ACL_MEM_MALLOC_HUGE_FIRST_P2P = 3,
    ACL_MEM_MALLOC_HUGE_ONLY_P2P = 4,
    ACL_MEM_MALLOC_NORMAL_ONLY_P2P = 5,
    ACL_MEM_MALLOC_HUGE1G_ONLY = 6,
    ACL_MEM_MALLOC_HUGE1G_ONLY_P2P = 7,
    ACL_MEM_TYPE_LOW_BAND_WIDTH = 256,
    ACL_MEM_TYPE_HIGH_BAND_WIDTH = 4096,
    ACL_MEM_ACCESS_USER_SPACE_READONLY = 0x100000,
} aclrtMemMallocPolicy;

typedef ACL_ENUM(aclrtMemAttr){
    ACL_DDR_MEM = 0,          ACL_HBM_MEM = 1,
    ACL_DDR_MEM_HUGE = 2,     ACL_DDR_MEM_NORMAL = 3,
    ACL_HBM_MEM_HUGE = 4,     ACL_HBM_MEM_NORMAL = 5,
    ACL_DDR_MEM_P2P_HUGE = 6, ACL_DDR_MEM_P2P_NORMAL = 7,
    ACL_HBM_MEM_P2P_HUGE = 8, ACL_HBM_MEM_P2P_NORMAL = 9,
    ACL_HBM_MEM_HUGE1G = 10,  ACL_HBM_MEM_P2P_HUGE1G = 11,
    ACL_MEM_NORMAL = 12,      ACL_MEM_HUGE = 13,
    ACL_MEM_HUGE1G = 14,      ACL_MEM_P2P_NORMAL = 15,
    ACL_MEM_P2P_HUGE = 16,    ACL_MEM_P2P_HUGE1G = 17,
} aclrtMemAttr;

typedef ACL_ENUM(aclrtFloatOverflowMode){
    ACL_RT_OVERFLOW_MODE_SATURATION = 0,
    ACL_RT_OVERFLOW_MODE_INFNAN = 1,
    ACL_RT_OVERFLOW_MODE_UNDEF = 2,
} aclrtFloatOverflowMode;

typedef ACL_ENUM(aclrtDeviceStatus){
    ACL_RT_DEVICE_STATUS_NORMAL = 0,
    ACL_RT_DEVICE_STATUS_ABNORMAL = 1,
    ACL_RT_DEVICE_STATUS_END = 0xffff,
} aclrtDeviceStatus;

typedef ACL_ENUM(aclrtMemLocationType){
    ACL_MEM_LOCATION_TYPE_HOST = 0,         ACL_MEM_LOCATION_TYPE_DEVICE = 1,
    ACL_MEM_LOCATION_TYPE_UNREGISTERED = 2, ACL_MEM_LOCATION_TYPE_MANAGED = 3,
    ACL_MEM_LOCATION_TYPE_HOST_NUMA = 4,
} aclrtMemLocationType;

typedef ACL_ENUM(aclrtStreamConfigAttr){
    ACL_RT_STREAM_WORK_ADDR_PTR = 0,
    ACL_RT_STREAM_WORK_SIZE = 1,
    ACL_RT_STREAM_FLAG = 2,
    ACL_RT_STREAM_PRIORITY = 3,
} aclrtStreamConfigAttr;

typedef ACL_ENUM(aclrtLastErrLevel){
    ACL_RT_THREAD_LEVEL = 0,
} aclrtLastErrLevel;

typedef ACL_ENUM(aclrtMallocAttrType){
    ACL_RT_MEM_ATTR_RSV = 0,
    ACL_RT_MEM_ATTR_MODULE_ID = 1,
    ACL_RT_MEM_ATTR_DEVICE_ID = 2,
    ACL_RT_MEM_ATTR_VA_FLAG = 3,
} aclrtMallocAttrType;

typedef ACL_ENUM(aclRegisterCallbackType){
    ACL_REG_TYPE_ACL_MODEL = 0,       ACL_REG_TYPE_ACL_OP_EXECUTOR = 1,
    ACL_REG_TYPE_ACL_OP_CBLAS = 2,    ACL_REG_TYPE_ACL_OP_COMPILER = 3,
    ACL_REG_TYPE_ACL_TDT_CHANNEL = 4, ACL_REG_TYPE_ACL_TDT_QUEUE = 5,
    ACL_REG_TYPE_ACL_DVPP = 6,        ACL_REG_TYPE_ACL_RETR = 7,
    ACL_REG_TYPE_OTHER = 0xFFFF,
} aclRegisterCallbackType;

typedef ACL_ENUM(aclrtHostRegisterType){
    ACL_HOST_REGISTER_MAPPED = 0,
    ACL_HOST_REGISTER_IOMEMORY = 4,
    ACL_HOST_REGISTER_READONLY = 8,
} aclrtHostRegisterType;

typedef ACL_ENUM(aclAippInputFormat){
    ACL_YUV420SP_U8 = 1, ACL_XRGB8888_U8 = 2,    ACL_RGB888_U8 = 3,
    ACL_YUV400_U8 = 4,   ACL_NC1HWC0DI_FP16 = 5, ACL_NC1HWC0DI_S8 = 6,
    ACL_ARGB8888_U8 = 7, ACL_YUYV_U8 = 8,        ACL_YUV422SP_U8 = 9,
    ACL_AYUV444_U8 = 10, ACL_RAW10 = 11,         ACL_RAW12 = 12,
    ACL_RAW16 = 13,      ACL_RAW24 = 14,         ACL_AIPP_RESERVED = 0xffff,
} aclAippInputFormat;

typedef ACL_ENUM(aclmdlConfigAttr){
    ACL_MDL_PRIORITY_INT32 = 0,
    ACL_MDL_LOAD_TYPE_SIZET = 1,
    ACL_MDL_PATH_PTR = 2,
    ACL_MDL_MEM_ADDR_PTR = 3,
    ACL_MDL_MEM_SIZET = 4,
    ACL_MDL_WEIGHT_ADDR_PTR = 5,
    ACL_MDL_WEIGHT_SIZET = 6,
    ACL_MDL_WORKSPACE_ADDR_PTR = 7,
    ACL_MDL_WORKSPACE_SIZET = 8,
    ACL_MDL_INPUTQ_NUM_SIZET = 9,
    ACL_MDL_INPUTQ_ADDR_PTR = 10,
    ACL_MDL_OUTPUTQ_NUM_SIZET = 11,
    ACL_MDL_OUTPUTQ_ADDR_PTR = 12,
    ACL_MDL_WORKSPACE_MEM_OPTIMIZE = 13,
    ACL_MDL_WEIGHT_PATH_PTR = 14,
    ACL_MDL_MODEL_DESC_PTR = 15,
    ACL_MDL_MODEL_DESC_SIZET = 16,
    ACL_MDL_KERNEL_PTR = 17,
    ACL_MDL_KERNEL_SIZET = 18,
    ACL_MDL_KERNEL_ARGS_PTR = 19,
    ACL_MDL_KERNEL_ARGS_SIZET = 20,
    ACL_MDL_STATIC_TASK_PTR = 21,
    ACL_MDL_STATIC_TASK_SIZET = 22,
    ACL_MDL_DYNAMIC_TASK_PTR = 23,
    ACL_MDL_DYNAMIC_TASK_SIZET = 24,
    ACL_MDL_MEM_MALLOC_POLICY_SIZET = 25,
    ACL_MDL_FIFO_PTR = 26,
    ACL_MDL_FIFO_SIZET = 27,
    ACL_MDL_WITHOUT_GRAPH_INT32 = 28,
    ACL_NPU_PERF_MODE = 29,
    ACL_MDL_RESERVED = 0xffff,
} aclmdlConfigAttr;

typedef ACL_ENUM(aclmdlExecConfigAttr){
    ACL_MDL_STREAM_SYNC_TIMEOUT = 0, ACL_MDL_EVENT_SYNC_TIMEOUT = 1,
    ACL_MDL_WORK_ADDR_PTR = 2,       ACL_MDL_WORK_SIZET = 3,
    ACL_MDL_MPAIMID_SIZET = 4,       ACL_MDL_AICQOS_SIZET = 5,
    ACL_MDL_AICOST_SIZET = 6,        ACL_MDL_MEC_TIMETHR_SIZET = 7,
    ACL_MDL_EXEC_PRIORITY_INT32 = 8, ACL_MDL_NPU_PERF_MODE = 9,
} aclmdlExecConfigAttr;

typedef ACL_ENUM(aclmdlAttr){
    ACL_MDL_ATTR_PRIORITY_INT32 = 0,
} aclmdlAttr;

typedef ACL_ENUM(aclmdlInputAippType){
    ACL_DATA_WITHOUT_AIPP = 0,
    ACL_DATA_WITH_STATIC_AIPP = 1,
    ACL_DATA_WITH_DYNAMIC_AIPP = 2,
    ACL_DYNAMIC_AIPP_NODE = 3,
} aclmdlInputAippType;

typedef ACL_ENUM(aclprofAicoreMetrics){
    ACL_AICORE_ARITHMETIC_UTILIZATION = 0,
    ACL_AICORE_PIPE_UTILIZATION = 1,
    ACL_AICORE_MEMORY_BANDWIDTH = 2,
    ACL_AICORE_L0B_AND_WIDTH = 3,
    ACL_AICORE_RESOURCE_CONFLICT_RATIO = 4,
    ACL_AICORE_MEMORY_UB = 5,
    ACL_AICORE_L2_CACHE = 6,
    ACL_AICORE_PIPE_EXECUTE_UTILIZATION = 7,
    ACL_AICORE_MEMORY_ACCESS = 8,
    ACL_AICORE_NONE = 255,
} aclprofAicoreMetrics;

typedef ACL_ENUM(aclprofStepTag){
    ACL_STEP_START = 0,
    ACL_STEP_END = 1,
} aclprofStepTag;

typedef ACL_ENUM(aclprofConfigType){
    ACL_PROF_ARGS_MIN = 0,
    ACL_PROF_STORAGE_LIMIT = 1,
    ACL_PROF_SYS_HARDWARE_MEM_FREQ = 3,
    ACL_PROF_LLC_MODE = 4,
    ACL_PROF_SYS_IO_FREQ = 5,
    ACL_PROF_SYS_INTERCONNECTION_FREQ = 6,
    ACL_PROF_DVPP_FREQ = 7,
    ACL_PROF_HOST_SYS = 8,
    ACL_PROF_HOST_SYS_USAGE = 9,
    ACL_PROF_HOST_SYS_USAGE_FREQ = 10,
    ACL_PROF_LOW_POWER_FREQ = 11,
    ACL_PROF_SYS_MEM_SERVICEFLOW = 12,
    ACL_PROF_SYS_CPU_FREQ = 13,
    ACL_PROF_OPTYPE = 14,
    ACL_PROF_NTS_METRICS = 15,
    ACL_PROF_PATH = 16,
    ACL_PROF_ARGS_MAX = 17,
} aclprofConfigType;

typedef ACL_ENUM(aclprofSubscribeOpFlag){
    ACL_SUBSCRIBE_OP = 0,
    ACL_SUBSCRIBE_SUBGRAPH = 1,
    ACL_SUBSCRIBE_OP_THREAD = 2,
    ACL_SUBSCRIBE_NONE = 255,
} aclprofSubscribeOpFlag;

typedef ACL_ENUM(aclCANNPackageName){
    ACL_PKG_NAME_CANN = 0,       ACL_PKG_NAME_RUNTIME = 1, ACL_PKG_NAME_COMPILER = 2,
    ACL_PKG_NAME_HCCL = 3,       ACL_PKG_NAME_TOOLKIT = 4, ACL_PKG_NAME_OPP = 5,
    ACL_PKG_NAME_OPP_KERNEL = 6, ACL_PKG_NAME_DRIVER = 7,
} aclCANNPackageName;

// Named by signatures only: their values are in no source that we could read.
typedef int32_t aclrtDevAttr;
typedef int32_t aclrtDevFeatureType;
typedef int32_t aclopEngineType;
typedef int32_t aclopCompileType;

// ---- structs with a public layout -------------------------------------------------------------

typedef struct aclmdlIODims {
  char name[ACL_MAX_TENSOR_NAME_LEN];
  size_t dimCount;
  int64_t dims[ACL_MAX_DIM_CNT];
} aclmdlIODims;

typedef struct aclmdlIODimsRange {
  size_t rangeCount;
  int64_t range[ACL_MAX_DIM_CNT][ACL_DIM_ENDPOINTS];
} aclmdlIODimsRange;

typedef struct aclmdlBatch {
  size_t batchCount;
  uint64_t batch[ACL_MAX_BATCH_NUM];
} aclmdlBatch;

typedef struct aclmdlHW {
  size_t hwCount;
  uint64_t hw[ACL_MAX_HW_NUM][2];
} aclmdlHW;

typedef struct aclAippDims {
  aclmdlIODims srcDims;
  size_t srcSize;
  aclmdlIODims aippOutdims;
  size_t aippOutSize;
} aclAippDims;

typedef struct aclAippInfo {
  aclAippInputFormat inputFormat;
  int32_t srcImageSizeW;
  int32_t srcImageSizeH;
  int8_t cropSwitch;
  int32_t loadStartPosW;
  int32_t loadStartPosH;
  int32_t cropSizeW;
  int32_t cropSizeH;
  int8_t resizeSwitch;
  int32_t resizeOutputW;
  int32_t resizeOutputH;
  int8_t paddingSwitch;
  int32_t leftPaddingSize;
  int32_t rightPaddingSize;
  int32_t topPaddingSize;
  int32_t bottomPaddingSize;
  int8_t cscSwitch;
  int8_t rbuvSwapSwitch;
  int8_t axSwapSwitch;
  int8_t singleLineMode;
  int32_t matrixR0C0;
  int32_t matrixR0C1;
  int32_t matrixR0C2;
  int32_t matrixR1C0;
  int32_t matrixR1C1;
  int32_t matrixR1C2;
  int32_t matrixR2C0;
  int32_t matrixR2C1;
  int32_t matrixR2C2;
  int32_t outputBias0;
  int32_t outputBias1;
  int32_t outputBias2;
  int32_t inputBias0;
  int32_t inputBias1;
  int32_t inputBias2;
  int32_t meanChn0;
  int32_t meanChn1;
  int32_t meanChn2;
  int32_t meanChn3;
  float minChn0;
  float minChn1;
  float minChn2;
  float minChn3;
  float varReciChn0;
  float varReciChn1;
  float varReciChn2;
  float varReciChn3;
  aclFormat srcFormat;
  aclDataType srcDatatype;
  size_t srcDimNum;
  size_t shapeCount;
  aclAippDims outDims[ACL_MAX_SHAPE_COUNT];
  aclAippExtendInfo *aippExtend;
} aclAippInfo;

typedef struct aclmdlExeOMDesc {
  size_t workSize;
  size_t weightSize;
  size_t modelDescSize;
  size_t kernelSize;
  size_t kernelArgsSize;
  size_t staticTaskSize;
  size_t dynamicTaskSize;
  size_t fifoTaskSize;
  size_t reserved[8];
} aclmdlExeOMDesc;

typedef union aclmdlAttrValue {
  uint32_t mdlPriority;
  uint32_t reserved[8];
} aclmdlAttrValue_t;

typedef struct aclrtUtilizationInfo {
  int32_t cubeUtilization;
  int32_t vectorUtilization;
  int32_t aicpuUtilization;
  int32_t memoryUtilization;
  aclrtUtilizationExtendInfo *utilizationExtend;
} aclrtUtilizationInfo;

typedef struct aclrtMemLocation {
  uint32_t id;
  aclrtMemLocationType type;
} aclrtMemLocation;

typedef struct aclrtPtrAttributes {
  aclrtMemLocation location;
  uint32_t pageSize;
  uint32_t rsv[4];
} aclrtPtrAttributes;

typedef union aclrtMallocAttrValue {
  uint16_t moduleId;
  uint32_t deviceId;
  uint32_t vaFlag;
  uint8_t rsv[8];
} aclrtMallocAttrValue;

typedef struct aclrtMallocAttribute {
  aclrtMallocAttrType attr;
  aclrtMallocAttrValue value;
} aclrtMallocAttribute;

typedef struct aclrtMallocConfig {
  aclrtMallocAttribute *attrs;
  size_t numAttrs;
} aclrtMallocConfig;

typedef struct aclrtStreamConfigHandle {
  void *workptr;
  size_t workSize;
  size_t flag;
  uint32_t priority;
} aclrtStreamConfigHandle;

typedef struct aclCANNPackageVersion {
  char version[ACL_PKG_VERSION_MAX_SIZE];
  char majorVersion[ACL_PKG_VERSION_PARTS_MAX_SIZE];
  char minorVersion[ACL_PKG_VERSION_PARTS_MAX_SIZE];
  char releaseVersion[ACL_PKG_VERSION_PARTS_MAX_SIZE];
  char patchVersion[ACL_PKG_VERSION_PARTS_MAX_SIZE];
  char reserved[ACL_PKG_VERSION_MAX_SIZE];
} aclCANNPackageVersion;

// cffi: end

// ---- functions --------------------------------------------------------------------------------

// Only the fake defines these; the shim has pointers of these types in its loader's table.
#pragma GCC visibility push(default)
#define ACL_FUNCTION(result, name, parameters, family, need, tier, since, kind) \
  result name parameters;
#include "functions.def"
#pragma GCC visibility pop

// ---- layout -----------------------------------------------------------------------------------

ACL_ABI_ASSERT(sizeof(void *) == 8 && sizeof(size_t) == 8 && sizeof(aclError) == 4);
ACL_ABI_ASSERT(sizeof(aclDataType) == 4 && sizeof(aclrtMemcpyKind) == 4);
ACL_ABI_ASSERT(sizeof(aclmdlIODims) == 1160);
ACL_ABI_ASSERT(offsetof(aclmdlIODims, dimCount) == 128 && offsetof(aclmdlIODims, dims) == 136);
ACL_ABI_ASSERT(sizeof(aclmdlIODimsRange) == 2056);
ACL_ABI_ASSERT(sizeof(aclmdlBatch) == 1032);
ACL_ABI_ASSERT(sizeof(aclmdlHW) == 2056);
ACL_ABI_ASSERT(sizeof(aclAippDims) == 2336);
ACL_ABI_ASSERT(offsetof(aclAippDims, srcSize) == 1160);
ACL_ABI_ASSERT(offsetof(aclAippDims, aippOutdims) == 1168);
ACL_ABI_ASSERT(offsetof(aclAippDims, aippOutSize) == 2328);
ACL_ABI_ASSERT(sizeof(aclAippInfo) == 299216);
ACL_ABI_ASSERT(offsetof(aclAippInfo, cropSwitch) == 12 &&
               offsetof(aclAippInfo, loadStartPosW) == 16);
ACL_ABI_ASSERT(offsetof(aclAippInfo, resizeSwitch) == 32 &&
               offsetof(aclAippInfo, resizeOutputW) == 36);
ACL_ABI_ASSERT(offsetof(aclAippInfo, paddingSwitch) == 44 &&
               offsetof(aclAippInfo, leftPaddingSize) == 48);
ACL_ABI_ASSERT(offsetof(aclAippInfo, cscSwitch) == 64 &&
               offsetof(aclAippInfo, singleLineMode) == 67);
ACL_ABI_ASSERT(offsetof(aclAippInfo, matrixR0C0) == 68 &&
               offsetof(aclAippInfo, outputBias0) == 104);
ACL_ABI_ASSERT(offsetof(aclAippInfo, meanChn0) == 128 && offsetof(aclAippInfo, minChn0) == 144);
ACL_ABI_ASSERT(offsetof(aclAippInfo, varReciChn0) == 160 &&
               offsetof(aclAippInfo, srcFormat) == 176);
ACL_ABI_ASSERT(offsetof(aclAippInfo, srcDatatype) == 180 &&
               offsetof(aclAippInfo, srcDimNum) == 184);
ACL_ABI_ASSERT(offsetof(aclAippInfo, shapeCount) == 192 && offsetof(aclAippInfo, outDims) == 200);
ACL_ABI_ASSERT(offsetof(aclAippInfo, aippExtend) == 299208);
ACL_ABI_ASSERT(sizeof(aclmdlExeOMDesc) == 128);
ACL_ABI_ASSERT(sizeof(aclmdlAttrValue_t) == 32);
ACL_ABI_ASSERT(sizeof(aclrtUtilizationInfo) == 24);
ACL_ABI_ASSERT(sizeof(aclrtMemLocation) == 8);
ACL_ABI_ASSERT(sizeof(aclrtPtrAttributes) == 28);
ACL_ABI_ASSERT(sizeof(aclrtMallocAttrValue) == 8);
ACL_ABI_ASSERT(sizeof(aclrtMallocAttribute) == 12);
ACL_ABI_ASSERT(sizeof(aclrtMallocConfig) == 16);
ACL_ABI_ASSERT(sizeof(aclrtStreamConfigHandle) == 32);
ACL_ABI_ASSERT(sizeof(aclCANNPackageVersion) == 512);

// Enum values that clients hard-code (pyACL scripts have no constants to import).
ACL_ABI_ASSERT(ACL_FLOAT == 0 && ACL_FLOAT16 == 1 && ACL_INT32 == 3 && ACL_INT64 == 9);
ACL_ABI_ASSERT(ACL_DOUBLE == 11 && ACL_BOOL == 12 && ACL_BF16 == 27 && ACL_INT4 == 29);
ACL_ABI_ASSERT(ACL_DT_UNDEFINED == -1 && ACL_FORMAT_UNDEFINED == -1 && ACL_FORMAT_ND == 2);
ACL_ABI_ASSERT(ACL_MEMCPY_HOST_TO_DEVICE == 1 && ACL_MEMCPY_DEVICE_TO_HOST == 2);
ACL_ABI_ASSERT(ACL_MEMCPY_DEFAULT == 4 && ACL_MEM_MALLOC_HUGE_FIRST == 0);
ACL_ABI_ASSERT(ACL_DEVICE == 0 && ACL_HOST == 1);
ACL_ABI_ASSERT(ACL_EVENT_STATUS_COMPLETE == 0 && ACL_EVENT_RECORDED_STATUS_COMPLETE == 1);
ACL_ABI_ASSERT(ACL_STREAM_STATUS_COMPLETE == 0 && ACL_MDL_WEIGHT_PATH_PTR == 14);
ACL_ABI_ASSERT(ACL_DATA_WITH_STATIC_AIPP == 1 && ACL_DYNAMIC_AIPP_NODE == 3);

#ifdef __cplusplus
}
#endif

#endif
