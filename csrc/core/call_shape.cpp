// SPDX-License-Identifier: Apache-2.0
#include "core/call_shape.h"

#include <algorithm>
#include <cctype>
#include <string>
#include <vector>

#include "aclrt/aclrt.h"

namespace aclrt {

namespace {

bool begins(const std::string &text, const char *with) {
  return text.rfind(with, 0) == 0;
}

// "(void **devPtr, size_t size)": "", "size". Pointers have no name here: what they point to is not
// looked at.
std::vector<std::string> value_names(const std::string &parameters) {
  std::vector<std::string> names;
  std::string word, last;
  bool is_pointer = false;
  for (const char c : parameters) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_') {
      word += c;
      continue;
    }
    if (!word.empty()) last = word;
    word.clear();
    if (c == '*') is_pointer = true;
    if (c == ',' || c == ')') {
      names.push_back(is_pointer ? "" : last);
      is_pointer = false;
    }
  }
  return names;
}

// The first parameter that is a pointer to one value that the function writes: its position, and
// the value's size; 0 where there is none. Buffers and structures are not told by their length.
size_t output_of(const std::string &parameters, int8_t *position) {
  struct Type {
    const char *name;
    size_t nbytes;
  };
  static constexpr Type kTypes[] = {
      {"(void **", 8},      {"(aclrtContext *", 8}, {"(aclrtStream *", 8},
      {"(aclrtEvent *", 8}, {"(int32_t *", 4},      {"(uint32_t *", 4},
      {"(size_t *", 8},     {"(uint64_t *", 8},     {"(aclrtRunMode *", 4},
  };
  for (const Type &type : kTypes) {
    if (begins(parameters, type.name)) {
      *position = 0;
      return type.nbytes;
    }
  }
  // The id of a model comes after what it is loaded from.
  const size_t found = parameters.find(", uint32_t *modelId");
  if (found == std::string::npos) return 0;
  *position = static_cast<int8_t>(
      1 + std::count(parameters.begin(), parameters.begin() + static_cast<long>(found), ','));
  return 4;
}

CallShape read(const acl::FunctionInfo &info) {
  const std::string name = info.name;
  CallShape shape;
  const bool executes = begins(name, "aclmdlExecute") || begins(name, "aclopCompileAndExecute");
  const bool copies = begins(name, "aclrtMemcpy");
  const bool sets = begins(name, "aclrtMemset");
  const std::vector<std::string> names = value_names(info.parameters);
  for (size_t i = 0; i < names.size(); ++i) {
    const auto at = static_cast<int8_t>(i);
    if (names[i] == "stream") shape.stream = at;
    if (names[i] == "modelId" && executes) shape.model = at;
    if (names[i] == "kind" && copies) shape.kind = at;
    if (names[i] == "count" || names[i] == "size" || names[i] == "width") shape.bytes = at;
    if (names[i] == "height" && copies) shape.height = at;
  }
  if (copies && begins(info.parameters, "(void *dst, size_t destMax, const void *src,")) {
    shape.target = 0;
    shape.source = 2;
  }
  shape.output_nbytes = static_cast<uint8_t>(output_of(info.parameters, &shape.output));
  if (executes) shape.lane = ACLRT_TRACE_COMPUTE;
  if (copies || sets) shape.lane = ACLRT_TRACE_OTHER;
  const bool is_queued = begins(name, "aclop") || name.find("Async") != std::string::npos;
  shape.is_async = shape.lane != ACLRT_TRACE_HOST && is_queued && shape.stream >= 0;
  shape.waits = begins(name, "aclrtSynchronize");
  shape.ends = begins(name, "aclrtDestroyContext") || begins(name, "aclrtResetDevice") ||
               name == "aclFinalize" || name == "aclFinalizeReference";
  return shape;
}

uint64_t argument(const acl::Call &call, int8_t index) noexcept {
  return index < 0 ? 0 : call.arguments[index];
}

}  // namespace

uint64_t CallShape::nbytes(const acl::Call &call) const noexcept {
  return argument(call, bytes) * (height >= 0 ? argument(call, height) : 1);
}

uint64_t CallShape::stream_of(const acl::Call &call) const noexcept {
  return argument(call, stream);
}

int64_t CallShape::model_of(const acl::Call &call) const noexcept {
  return model < 0 ? -1 : static_cast<int64_t>(argument(call, model));
}

int32_t CallShape::lane_of(const acl::Call &call) const noexcept {
  if (kind < 0) return lane;
  switch (static_cast<aclrtMemcpyKind>(argument(call, kind))) {
    case ACL_MEMCPY_HOST_TO_HOST:
      return ACLRT_TRACE_HOST;
    case ACL_MEMCPY_HOST_TO_DEVICE:
      return ACLRT_TRACE_H2D;
    case ACL_MEMCPY_DEVICE_TO_HOST:
      return ACLRT_TRACE_D2H;
    default:
      return ACLRT_TRACE_OTHER;
  }
}

const CallShape &call_shape(size_t function) {
  static const std::vector<CallShape> *const shapes = [] {
    auto *made = new std::vector<CallShape>;
    for (size_t i = 0; i < acl::function_count(); ++i) made->push_back(read(acl::function_info(i)));
    return made;
  }();
  return (*shapes)[function];
}

}  // namespace aclrt
