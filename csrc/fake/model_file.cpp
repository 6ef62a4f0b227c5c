// SPDX-License-Identifier: Apache-2.0
//
// Mapping of files and refusal of malformed ones.
#include "fake/model_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "fake/checks.h"
#include "fake/messages.h"

namespace aclfake {
namespace {

constexpr size_t kMagicSize = 4;

aclError code_of(om::Cause cause, bool is_path) {
  switch (cause) {
    case om::Cause::kHeaderCut:
      return is_path ? ACL_ERROR_GE_EXEC_MODEL_DATA_SIZE_INVALID : ACL_ERROR_INVALID_PARAM;
    case om::Cause::kBadMagic:
    case om::Cause::kLength:
    case om::Cause::kPartitionCount:
      return ACL_ERROR_GE_PARAM_INVALID;
    case om::Cause::kTooShort:
    case om::Cause::kTable:
    case om::Cause::kPartition:
      return ACL_ERROR_GE_EXEC_MODEL_DATA_SIZE_INVALID;
    case om::Cause::kNoModelDef:
    case om::Cause::kModelDef:
    case om::Cause::kBody:
    case om::Cause::kUnsupported:
      return ACL_ERROR_GE_EXEC_LOAD_MODEL_PARTITION_FAILED;
    case om::Cause::kTaskInfo:
      return ACL_ERROR_GE_EXEC_LOAD_TASK_PARTITION_FAILED;
    case om::Cause::kInoutInfo:
    case om::Cause::kFamily:
      return ACL_ERROR_GE_FAILURE;
  }
  return ACL_ERROR_GE_FAILURE;
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor &) = delete;
  Descriptor &operator=(const Descriptor &) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

aclError bad_path(const char *path, const char *reason) {
  return fail(ACL_ERROR_GE_EXEC_MODEL_PATH_INVALID, "model file \"%s\": %s", path, reason);
}

aclError too_short(const char *name, size_t size) {
  return fail(ACL_ERROR_GE_EXEC_MODEL_DATA_SIZE_INVALID,
              "model \"%s\" has %zu bytes, too few for an .om", name, size);
}

}  // namespace

aclError ModelFile::open_path(const char *path) {
  if (path == nullptr) return fail(ACL_ERROR_INVALID_PARAM, "the model's path is NULL");
  // Not blocking, so that a FIFO is refused instead of waited for.
  const Descriptor file(open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return bad_path(path, std::strerror(errno));
  struct stat status{};
  if (fstat(file.get(), &status) != 0) return bad_path(path, std::strerror(errno));
  if (!S_ISREG(status.st_mode)) return bad_path(path, "is not a regular file");
  const size_t size = static_cast<size_t>(status.st_size);
  if (size < kMagicSize) return too_short(path, size);
  void *data = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (data == MAP_FAILED) return bad_path(path, std::strerror(errno));
  mapping_ = std::shared_ptr<const void>(data, [size](void *mapped) { munmap(mapped, size); });
  bytes_ = {static_cast<const uint8_t *>(data), size};
  name_ = path;
  return ACL_SUCCESS;
}

aclError ModelFile::open_memory(const void *data, size_t size) {
  if (data == nullptr) return fail(ACL_ERROR_INVALID_PARAM, "the model's address is NULL");
  if (size == 0) return fail(ACL_ERROR_INVALID_PARAM, "the model's size is 0");
  if (size < kMagicSize) return too_short("memory", size);
  pin_ = pin_device(data, size);
  bytes_ = {pin_ ? pin_.data() : static_cast<const uint8_t *>(data), size};
  name_ = "memory";
  return ACL_SUCCESS;
}

Weights ModelFile::keep(om::Bytes part) const {
  if (part.size == 0) return {};
  if (mapping_ != nullptr) return {part, mapping_};
  auto copy = std::make_shared<std::vector<uint8_t>>(part.data, part.data + part.size);
  const om::Bytes bytes{copy->data(), copy->size()};
  return {bytes, std::move(copy)};
}

aclError ModelFile::parse(om::Model *model, const om::Options &options) const {
  try {
    *model = om::parse(bytes_, options);
    return ACL_SUCCESS;
  } catch (const om::FormatError &error) {
    const aclError code = code_of(error.cause(), mapping_ != nullptr);
    if (error.cause() == om::Cause::kUnsupported) {
      return violation(Check::MDL_02, code, "model \"%s\": %s", name_.c_str(), error.what());
    }
    return fail(code, "model \"%s\": %s", name_.c_str(), error.what());
  }
}

}  // namespace aclfake
