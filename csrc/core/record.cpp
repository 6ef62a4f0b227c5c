// SPDX-License-Identifier: Apache-2.0
#include "core/record.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "aclrt/aclrt.h"
#include "core/call_shape.h"
#include "core/error.h"
#include "om/json_writer.h"

namespace aclrt {

Record::Record(const std::string &path, const std::string &library, bool is_fake)
    : file_(std::fopen(path.c_str(), "we")) {
  if (file_ == nullptr) throw io_error(errno, "cannot write " + path + " (ACLRT_RECORD)");
  om::JsonWriter json;
  json.begin_object();
  json.field("schema", "aclrec/1").field("aclrt_version", ACLRT_VERSION);
  json.field("backend", is_fake ? "fake" : "npu").field("library", library);
  json.field("pid", static_cast<int32_t>(getpid()));
  if (!write(json.end_object().take())) throw io_error(errno, "cannot write " + path);
  call_shape(0);  // reads functions.def now, not in the first call
}

void Record::before(const acl::Call &) noexcept {}

void Record::after(const acl::Call &call) noexcept {
  try {
    const acl::FunctionInfo &info = acl::function_info(call.function);
    const CallShape &shape = call_shape(call.function);
    const bool has_code = std::strcmp(info.result, "aclError") == 0;
    const auto code = static_cast<aclError>(call.result);
    om::JsonWriter json;
    json.begin_object();
    std::lock_guard<std::mutex> lock(mutex_);
    json.field("n", ++calls_).field("thread", static_cast<int32_t>(syscall(SYS_gettid)));
    json.field("function", info.name);
    json.field("begin_ns", call.begin_ns).field("end_ns", call.end_ns);
    json.key("arguments").begin_array();
    for (size_t i = 0; i < call.argument_count; ++i) json.value(call.arguments[i]);
    json.end_array();
    if (const uint64_t nbytes = shape.nbytes(call); nbytes != 0) json.field("bytes", nbytes);
    json.field(has_code ? "code" : "result",
               has_code ? static_cast<int64_t>(code) : static_cast<int64_t>(call.result));
    write(json.end_object().take());
  } catch (...) {
    // Out of memory: this call is not recorded.
  }
}

bool Record::write(std::string line) noexcept {
  line += '\n';
  return std::fwrite(line.data(), 1, line.size(), file_) == line.size() && std::fflush(file_) == 0;
}

void record_if_asked(const std::string &library, bool is_fake) {
  const char *path = getenv("ACLRT_RECORD");
  if (path == nullptr || *path == '\0') return;
  // Never destroyed: calls may come at exit.
  acl::observe(new Record(path, library, is_fake));
}

}  // namespace aclrt
