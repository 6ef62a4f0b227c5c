// SPDX-License-Identifier: Apache-2.0
//
// A regular file, mapped read-only for as long as the object lives. Anything else that a path can
// name (folder, pipe, device) is refused without waiting on it.
#ifndef ACLRT_CORE_MAPPED_FILE_H
#define ACLRT_CORE_MAPPED_FILE_H

#include <string>

#include "om/om.h"

namespace aclrt {

class MappedFile {
 public:
  // Throws Error of kind IO.
  explicit MappedFile(const std::string &path);
  ~MappedFile();
  MappedFile(const MappedFile &) = delete;
  MappedFile &operator=(const MappedFile &) = delete;

  om::Bytes bytes() const noexcept { return {static_cast<const uint8_t *>(data_), size_}; }

 private:
  void *data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace aclrt

#endif
