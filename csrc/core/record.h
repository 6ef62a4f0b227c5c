// SPDX-License-Identifier: Apache-2.0
//
// A record: every call of AscendCL that goes through the shim, a line of JSON each, written when
// the call is over, so that a crash loses nothing that was finished. docs/fake.md has the format.
// What copies between host and device carry is recorded on request alone, in a second file beside
// it.
//
// Threads  Called on any thread, several at once; lines are written one at a time.
#ifndef ACLRT_CORE_RECORD_H
#define ACLRT_CORE_RECORD_H

#include <cstdint>
#include <cstdio>
#include <mutex>
#include <string>

#include "acl/observe.h"
#include "om/json_writer.h"

namespace aclrt {

class Record final : public acl::Observer {
 public:
  // What to write, and where: %p in the path becomes the process's number.
  struct Options {
    std::string path;
    uint64_t data_nbytes = 0;  // of each copy, at most
  };

  // Creates the file, or empties it, and writes the header; soc_name may be empty: not known yet,
  // the calls will tell. Throws Error of kind IO.
  Record(const Options &options, const acl::Table &table, const std::string &soc_name,
         uint32_t device_count);
  ~Record() override;
  Record(const Record &) = delete;
  Record &operator=(const Record &) = delete;

  void before(const acl::Call &call) noexcept override;
  void after(const acl::Call &call) noexcept override;

 private:
  bool write(std::string line) noexcept;
  void write_data(const acl::Call &call, om::JsonWriter &json);

  const uint64_t data_nbytes_;
  std::mutex mutex_;
  FILE *file_;
  FILE *data_ = nullptr;  // made with the first bytes
  std::string data_path_;
  uint64_t data_size_ = 0;
  uint64_t calls_ = 0;
};

// Where ACLRT_RECORD is set, records until the process ends; otherwise nothing is observed. Throws
// Error of kind IO or INVALID_ARGUMENT.
void record_if_asked(const acl::Table &table);

}  // namespace aclrt

#endif
