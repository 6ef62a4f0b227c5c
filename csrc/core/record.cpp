// SPDX-License-Identifier: Apache-2.0
#include "core/record.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "aclrt/aclrt.h"
#include "core/call_shape.h"
#include "core/error.h"
#include "core/pid_path.h"
#include "om/json_writer.h"

namespace aclrt {

namespace {

constexpr size_t kLongestText = 4096;

// Emptied only once it is locked, so that a record which is being made is never spoilt. A file
// system without locks is taken as it is.
FILE *open_alone(const std::string &path) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  if (file < 0) throw io_error(errno, "cannot write the record " + path);
  if (flock(file, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    close(file);
    Error error = io_error(EBUSY, "");
    error.message =
        path + " is being recorded to already: put %p in the path for the process's number";
    throw error;
  }
  FILE *stream = ftruncate(file, 0) == 0 || errno == EINVAL ? fdopen(file, "w") : nullptr;
  if (stream == nullptr) {
    const int number = errno;
    close(file);
    throw io_error(number, "cannot write the record " + path);
  }
  return stream;
}

// What a reader of records has to know of a call without knowing AscendCL; nullptr: nothing.
const char *tells(const std::string &function, int64_t result) {
  if (function == "aclrtGetSocName") return "soc_name";
  if (function == "aclrtGetDeviceCount") return "device_count";
  if (function == "aclGetRecentErrMsg") return "message";
  // "Somebody else has done it" and "there is none" are answers and no failures.
  if (result == ACL_ERROR_REPEAT_INITIALIZE) return "initialised";
  const bool asks = function == "aclrtGetCurrentContext" || function == "aclrtGetDevice";
  return asks && result == ACL_ERROR_RT_CONTEXT_NULL ? "no_context" : nullptr;
}

// The bytes that a copy between host and device carries, on the host's side, once they are there.
const void *host_side(const acl::Call &call, const CallShape &shape) noexcept {
  if (shape.height != CallShape::kNone || shape.source < 0) return nullptr;
  const int32_t lane = shape.lane_of(call);
  if (lane == ACLRT_TRACE_H2D) return reinterpret_cast<void *>(call.arguments[shape.source]);
  if (lane != ACLRT_TRACE_D2H || shape.is_async) return nullptr;
  return reinterpret_cast<void *>(call.arguments[shape.target]);
}

}  // namespace

Record::Record(const Options &options, const acl::Table &table, const std::string &soc_name,
               uint32_t device_count)
    : data_nbytes_(options.data_nbytes) {
  const std::string path = with_pid(options.path);
  data_path_ = path + ".data";
  file_ = open_alone(path);
  om::JsonWriter json;
  json.begin_object();
  json.field("schema", "aclrec/2").field("aclrt_version", ACLRT_VERSION);
  json.field("backend", table.is_fake() ? "fake" : "npu").field("library", table.path);
  json.field("pid", static_cast<int32_t>(getpid())).field("data_nbytes", data_nbytes_);
  if (!soc_name.empty()) json.field("soc_name", soc_name).field("device_count", device_count);
  if (!write(json.end_object().take())) {
    const int number = errno;
    std::fclose(file_);
    throw io_error(number, "cannot write the record " + path);
  }
  call_shape(0);  // reads functions.def now, not in the first call
}

Record::~Record() {
  flock(fileno(file_), LOCK_UN);  // also for what a child of fork has inherited
  std::fclose(file_);
  if (data_ != nullptr) std::fclose(data_);
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
    if (const char *meaning = tells(info.name, static_cast<int64_t>(code))) {
      json.field("tells", meaning);
    }
    if (std::strncmp(info.parameters, "(const char *", 13) == 0 && call.arguments[0] != 0) {
      const char *text = reinterpret_cast<const char *>(call.arguments[0]);
      json.field("input_text", std::string_view(text, strnlen(text, kLongestText)));
    }
    if (std::strcmp(info.result, "const char *") == 0 && call.result != 0) {
      const char *text = reinterpret_cast<const char *>(call.result);
      json.field("text", std::string_view(text, strnlen(text, kLongestText)));
    }
    if (has_code && code == ACL_SUCCESS) {
      if (shape.output >= 0 && call.arguments[shape.output] != 0) {
        int64_t value = 0;
        std::memcpy(&value, reinterpret_cast<void *>(call.arguments[shape.output]),
                    shape.output_nbytes);
        json.field("output", value);
      }
      write_data(call, json);
    }
    write(json.end_object().take());
  } catch (...) {
    // Out of memory: this call is not recorded.
  }
}

void Record::write_data(const acl::Call &call, om::JsonWriter &json) {
  const CallShape &shape = call_shape(call.function);
  const void *bytes = data_nbytes_ == 0 ? nullptr : host_side(call, shape);
  if (bytes == nullptr) return;
  const uint64_t nbytes = std::min(shape.nbytes(call), data_nbytes_);
  if (data_ == nullptr) data_ = std::fopen(data_path_.c_str(), "we");
  if (data_ == nullptr || std::fwrite(bytes, 1, nbytes, data_) != nbytes ||
      std::fflush(data_) != 0) {
    json.field("data_problem", std::strerror(errno));
    return;
  }
  json.field("data_offset", data_size_).field("data_nbytes", nbytes);
  data_size_ += nbytes;
}

bool Record::write(std::string line) noexcept {
  line += '\n';
  return std::fwrite(line.data(), 1, line.size(), file_) == line.size() && std::fflush(file_) == 0;
}

void record_if_asked(const acl::Table &table) {
  const char *path = getenv("ACLRT_RECORD");
  if (path == nullptr || *path == '\0') return;
  Record::Options options;
  options.path = path;
  const char *data = getenv("ACLRT_RECORD_DATA");
  if (data != nullptr && std::strcmp(data, "all") == 0) {
    options.data_nbytes = UINT64_MAX;
  } else if (data != nullptr && *data != '\0') {
    char *end = nullptr;
    options.data_nbytes = std::strtoull(data, &end, 10);
    if (std::isdigit(static_cast<unsigned char>(*data)) == 0 || *end != '\0') {
      throw Error(ACLRT_ERROR_INPUT, std::string("ACLRT_RECORD_DATA is \"") + data + "\"",
                  "it takes \"all\", or the most bytes to keep of each copy");
    }
  }
  // Never destroyed: calls may come at exit.
  acl::observe(new Record(options, table, "", 0));
}

}  // namespace aclrt
