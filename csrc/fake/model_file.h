// SPDX-License-Identifier: Apache-2.0
//
// The bytes of an .om, from a file (mapped) or from the client's memory (the device's too), and the
// code that AscendCL gives for each way in which they can be wrong. Messages are added here.
#ifndef ACLRT_FAKE_MODEL_FILE_H
#define ACLRT_FAKE_MODEL_FILE_H

#include <cstddef>
#include <memory>
#include <string>

#include "acl/abi.h"
#include "fake/memory.h"
#include "fake/weights.h"
#include "om/om.h"

namespace aclfake {

// Steps in AscendCL's order: open() tests the path and the first bytes, before any other argument
// is looked at; parse() is for when they all are.
class ModelFile {
 public:
  ModelFile() = default;
  ModelFile(const ModelFile &) = delete;
  ModelFile &operator=(const ModelFile &) = delete;

  aclError open_path(const char *path);                 // 100000, 145002 or 145006
  aclError open_memory(const void *data, size_t size);  // 100000 or 145006
  aclError parse(om::Model *model, const om::Options &options = {}) const;

  // A part of bytes(), for longer than this object: of a file the mapping is shared, of memory the
  // part is copied, because the client may free it.
  Weights keep(om::Bytes part) const;

  om::Bytes bytes() const noexcept { return bytes_; }
  const std::string &name() const noexcept { return name_; }  // the path, or "memory"

 private:
  om::Bytes bytes_;
  std::string name_;
  DevicePin pin_;
  std::shared_ptr<const void> mapping_;
};

}  // namespace aclfake

#endif
