// SPDX-License-Identifier: Apache-2.0
/*
 * C99: the model's bytes, its work memory and its weights are the caller's, handed over with
 * aclmdlLoadWithConfig; one execution with a timeout.
 *   own_memory MODEL.om INPUT.bin OUTPUT.bin
 */
#include <stdio.h>
#include <stdlib.h>

#include "acl/acl.h"

#define CHECK(call)                                                     \
  do {                                                                  \
    const aclError code_ = (call);                                      \
    if (code_ != ACL_SUCCESS) {                                         \
      const char *text_ = aclGetRecentErrMsg();                         \
      fprintf(stderr, "%s: %d %s\n", #call, code_, text_ ? text_ : ""); \
      exit(1);                                                          \
    }                                                                   \
  } while (0)

#define SET(handle, attr, value) CHECK(aclmdlSetConfigOpt(handle, attr, &(value), sizeof(value)))

static void *read_file(const char *path, size_t *size) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) exit(3);
  fseek(file, 0, SEEK_END);
  *size = (size_t)ftell(file);
  rewind(file);
  void *data = malloc(*size);
  if (data == NULL || fread(data, 1, *size, file) != *size) exit(3);
  fclose(file);
  return data;
}

static uint32_t load(const void *om, size_t om_size, void **work, void **weights) {
  size_t work_size = 0, weight_size = 0;
  size_t type = ACL_MDL_LOAD_FROM_MEM_WITH_MEM;
  uint32_t id = 0;
  aclmdlConfigHandle *config = aclmdlCreateConfigHandle();
  CHECK(aclmdlQuerySizeFromMem(om, om_size, &work_size, &weight_size));
  if (work_size != 0) CHECK(aclrtMalloc(work, work_size, ACL_MEM_MALLOC_HUGE_FIRST));
  if (weight_size != 0) CHECK(aclrtMalloc(weights, weight_size, ACL_MEM_MALLOC_HUGE_FIRST));
  SET(config, ACL_MDL_LOAD_TYPE_SIZET, type);
  SET(config, ACL_MDL_MEM_ADDR_PTR, om);
  SET(config, ACL_MDL_MEM_SIZET, om_size);
  SET(config, ACL_MDL_WORKSPACE_ADDR_PTR, *work);
  SET(config, ACL_MDL_WORKSPACE_SIZET, work_size);
  SET(config, ACL_MDL_WEIGHT_ADDR_PTR, *weights);
  SET(config, ACL_MDL_WEIGHT_SIZET, weight_size);
  CHECK(aclmdlLoadWithConfig(config, &id));
  CHECK(aclmdlDestroyConfigHandle(config));
  return id;
}

int main(int argc, char **argv) {
  size_t om_size = 0, input_size = 0;
  void *work = NULL, *weights = NULL, *device_in = NULL, *device_out = NULL;
  aclmdlIODims dims;
  if (argc != 4) return 2;
  void *om = read_file(argv[1], &om_size);
  char *records = read_file(argv[2], &input_size);

  CHECK(aclInit(NULL));
  CHECK(aclrtSetDevice(0));
  uint32_t id = load(om, om_size, &work, &weights);
  free(om);

  aclmdlDesc *desc = aclmdlCreateDesc();
  CHECK(aclmdlGetDesc(desc, id));
  CHECK(aclmdlGetInputDims(desc, 0, &dims));
  printf("%s:", dims.name);
  for (size_t i = 0; i < dims.dimCount; ++i) printf(" %lld", (long long)dims.dims[i]);
  printf("\n");
  const size_t size_in = aclmdlGetInputSizeByIndex(desc, 0);
  const size_t size_out = aclmdlGetOutputSizeByIndex(desc, 0);
  CHECK(aclrtMalloc(&device_in, size_in, ACL_MEM_MALLOC_HUGE_FIRST));
  CHECK(aclrtMalloc(&device_out, size_out, ACL_MEM_MALLOC_HUGE_FIRST));
  aclDataBuffer *in = aclCreateDataBuffer(device_in, size_in);
  aclDataBuffer *out = aclCreateDataBuffer(device_out, size_out);
  aclmdlDataset *input = aclmdlCreateDataset(), *output = aclmdlCreateDataset();
  CHECK(aclmdlAddDatasetBuffer(input, in));
  CHECK(aclmdlAddDatasetBuffer(output, out));

  int32_t timeout_ms = 60000;
  aclrtStream stream = NULL;
  aclmdlExecConfigHandle *options = aclmdlCreateExecConfigHandle();
  CHECK(
      aclmdlSetExecConfigOpt(options, ACL_MDL_STREAM_SYNC_TIMEOUT, &timeout_ms, sizeof timeout_ms));
  CHECK(aclrtCreateStream(&stream));

  FILE *file = fopen(argv[3], "wb");
  char *result = malloc(size_out);
  if (file == NULL || result == NULL) return 3;
  for (size_t at = 0; at + size_in <= input_size; at += size_in) {
    CHECK(aclrtMemcpy(device_in, size_in, records + at, size_in, ACL_MEMCPY_HOST_TO_DEVICE));
    CHECK(aclmdlExecuteV2(id, input, output, stream, options));
    CHECK(aclrtMemcpy(result, size_out, device_out, size_out, ACL_MEMCPY_DEVICE_TO_HOST));
    if (fwrite(result, 1, size_out, file) != size_out) return 3;
  }
  fclose(file);
  free(result);
  free(records);

  CHECK(aclrtDestroyStream(stream));
  CHECK(aclmdlDestroyExecConfigHandle(options));
  CHECK(aclmdlDestroyDataset(input));
  CHECK(aclmdlDestroyDataset(output));
  CHECK(aclDestroyDataBuffer(in));
  CHECK(aclDestroyDataBuffer(out));
  CHECK(aclrtFree(device_in));
  CHECK(aclrtFree(device_out));
  CHECK(aclmdlDestroyDesc(desc));
  CHECK(aclmdlUnload(id));
  if (work != NULL) CHECK(aclrtFree(work));
  if (weights != NULL) CHECK(aclrtFree(weights));
  CHECK(aclrtResetDevice(0));
  CHECK(aclFinalize());
  return 0;
}
