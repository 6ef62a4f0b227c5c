// SPDX-License-Identifier: Apache-2.0
//
// ONNX Runtime's C API without its header: the few functions that the fake needs, by their position
// in the append-only table that the library hands out. All of them are as old as version 1 of that
// API, so any onnxruntime wheel will do. The library is opened at the first use, once, and never
// closed; its environment is leaked on purpose (its threads may outlive main). Thread-safe.
#ifndef ACLRT_FAKE_ORT_API_H
#define ACLRT_FAKE_ORT_API_H

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace aclfake {

// Which library to open, from aclfake_set_onnxruntime: nullptr unsets. No effect once it is open.
void set_onnxruntime_path(const char *path);

namespace ort {

struct Allocator;
struct Env;
struct MemoryInfo;
struct RunOptions;
struct Session;
struct SessionOptions;
struct Status;
struct TensorInfo;
struct TypeInfo;
struct Value;

constexpr uint32_t kApiVersion = 11;
constexpr int kSeverityFatal = 4;  // errors come back as statuses: nothing is printed
constexpr int kTypeTensor = 1;
constexpr int kDeviceAllocator = 0;
constexpr int kMemoryDefault = 0;

// ORT_FUNCTION(position, result, name, parameters)
#define ACLFAKE_ORT_FUNCTIONS(ORT_FUNCTION)                                                        \
  ORT_FUNCTION(2, const char *, GetErrorMessage, (const Status *))                                 \
  ORT_FUNCTION(3, Status *, CreateEnv, (int severity, const char *id, Env **))                     \
  ORT_FUNCTION(7, Status *, CreateSession,                                                         \
               (const Env *, const char *path, const SessionOptions *, Session **))                \
  ORT_FUNCTION(8, Status *, CreateSessionFromArray,                                                \
               (const Env *, const void *data, size_t size, const SessionOptions *, Session **))   \
  ORT_FUNCTION(                                                                                    \
      9, Status *, Run,                                                                            \
      (Session *, const RunOptions *, const char *const *input_names, const Value *const *inputs,  \
       size_t input_count, const char *const *output_names, size_t output_count, Value **outputs)) \
  ORT_FUNCTION(10, Status *, CreateSessionOptions, (SessionOptions **))                            \
  ORT_FUNCTION(22, Status *, SetSessionLogSeverityLevel, (SessionOptions *, int severity))         \
  ORT_FUNCTION(30, Status *, SessionGetInputCount, (const Session *, size_t *))                    \
  ORT_FUNCTION(31, Status *, SessionGetOutputCount, (const Session *, size_t *))                   \
  ORT_FUNCTION(33, Status *, SessionGetInputTypeInfo,                                              \
               (const Session *, size_t index, TypeInfo **))                                       \
  ORT_FUNCTION(34, Status *, SessionGetOutputTypeInfo,                                             \
               (const Session *, size_t index, TypeInfo **))                                       \
  ORT_FUNCTION(36, Status *, SessionGetInputName,                                                  \
               (const Session *, size_t index, Allocator *, char **))                              \
  ORT_FUNCTION(37, Status *, SessionGetOutputName,                                                 \
               (const Session *, size_t index, Allocator *, char **))                              \
  ORT_FUNCTION(49, Status *, CreateTensorWithDataAsOrtValue,                                       \
               (const MemoryInfo *, void *data, size_t size, const int64_t *shape, size_t rank,    \
                int type, Value **))                                                               \
  ORT_FUNCTION(51, Status *, GetTensorMutableData, (Value *, void **))                             \
  ORT_FUNCTION(55, Status *, CastTypeInfoToTensorInfo, (const TypeInfo *, const TensorInfo **))    \
  ORT_FUNCTION(56, Status *, GetOnnxTypeFromTypeInfo, (const TypeInfo *, int *))                   \
  ORT_FUNCTION(60, Status *, GetTensorElementType, (const TensorInfo *, int *))                    \
  ORT_FUNCTION(61, Status *, GetDimensionsCount, (const TensorInfo *, size_t *))                   \
  ORT_FUNCTION(62, Status *, GetDimensions, (const TensorInfo *, int64_t *, size_t count))         \
  ORT_FUNCTION(63, Status *, GetSymbolicDimensions,                                                \
               (const TensorInfo *, const char **names, size_t count))                             \
  ORT_FUNCTION(65, Status *, GetTensorTypeAndShape, (const Value *, TensorInfo **))                \
  ORT_FUNCTION(69, Status *, CreateCpuMemoryInfo, (int allocator, int memory, MemoryInfo **))      \
  ORT_FUNCTION(76, Status *, AllocatorFree, (Allocator *, void *))                                 \
  ORT_FUNCTION(78, Status *, GetAllocatorWithDefaultOptions, (Allocator **))                       \
  ORT_FUNCTION(93, void, ReleaseStatus, (Status *))                                                \
  ORT_FUNCTION(95, void, ReleaseSession, (Session *))                                              \
  ORT_FUNCTION(96, void, ReleaseValue, (Value *))                                                  \
  ORT_FUNCTION(98, void, ReleaseTypeInfo, (TypeInfo *))                                            \
  ORT_FUNCTION(99, void, ReleaseTensorTypeAndShapeInfo, (TensorInfo *))                            \
  ORT_FUNCTION(100, void, ReleaseSessionOptions, (SessionOptions *))                               \
  ORT_FUNCTION(124, Status *, AddFreeDimensionOverrideByName,                                      \
               (SessionOptions *, const char *name, int64_t value))

struct Functions {
#define ACLFAKE_ORT_MEMBER(position, result, name, parameters) result(*name) parameters;
  ACLFAKE_ORT_FUNCTIONS(ACLFAKE_ORT_MEMBER)
#undef ACLFAKE_ORT_MEMBER
};

struct Library : Functions {
  Env *env = nullptr;
  MemoryInfo *memory = nullptr;
  Allocator *allocator = nullptr;
  std::string path;
  std::string version;

  void check(Status *status) const;  // throws EngineError with the library's text
};

// Throws EngineError, which then lists every place that was looked at.
const Library &library();

// Permission to call the library while the object lives. At exit none is given any more, and the
// exit waits a bounded time for those in use: the library's static objects are destroyed then.
class Use {
 public:
  Use();
  ~Use();
  Use(const Use &) = delete;
  Use &operator=(const Use &) = delete;
  explicit operator bool() const noexcept { return granted_; }

 private:
  bool granted_;
};

// Throws EngineError at exit.
class RequiredUse : public Use {
 public:
  RequiredUse();
};

// Objects that outlive the library are leaked.
struct Release {
  void operator()(Session *p) const noexcept { call(&Functions::ReleaseSession, p); }
  void operator()(SessionOptions *p) const noexcept { call(&Functions::ReleaseSessionOptions, p); }
  void operator()(TensorInfo *p) const noexcept {
    call(&Functions::ReleaseTensorTypeAndShapeInfo, p);
  }
  void operator()(TypeInfo *p) const noexcept { call(&Functions::ReleaseTypeInfo, p); }
  void operator()(Value *p) const noexcept { call(&Functions::ReleaseValue, p); }

 private:
  template <class T>
  static void call(void (*Functions::*release)(T *), T *p) noexcept {
    const Use use;
    if (use) (library().*release)(p);
  }
};
template <class T>
using Owned = std::unique_ptr<T, Release>;

}  // namespace ort
}  // namespace aclfake

#endif
