// SPDX-License-Identifier: Apache-2.0
//
// ACLRT_RECORD: every call of AscendCL that goes through the shim, a line of JSON each, written
// when the call is over, so that a crash loses nothing that was finished. docs/fake.md has the
// format. Tensor contents are not recorded.
//
// Threads  Called on any thread, several at once; lines are written one at a time.
#ifndef ACLRT_CORE_RECORD_H
#define ACLRT_CORE_RECORD_H

#include <cstdint>
#include <cstdio>
#include <mutex>
#include <string>

#include "acl/observe.h"

namespace aclrt {

class Record final : public acl::Observer {
 public:
  // Creates the file, or empties it, and writes the header. Throws Error of kind IO.
  Record(const std::string &path, const std::string &library, bool is_fake);

  void before(const acl::Call &call) noexcept override;
  void after(const acl::Call &call) noexcept override;

 private:
  bool write(std::string line) noexcept;

  std::mutex mutex_;
  FILE *file_;
  uint64_t calls_ = 0;
};

// Where ACLRT_RECORD is set, records until the process ends; otherwise nothing is observed.
void record_if_asked(const std::string &library, bool is_fake);

}  // namespace aclrt

#endif
