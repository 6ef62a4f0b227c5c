// SPDX-License-Identifier: Apache-2.0
//
// AscendCL, loaded. Table has one typed pointer per row of functions.def, filled by name from a
// library that the caller has chosen (search.h). Nothing is ever dlclosed: CANN's threads may still
// run in it. One table per process is put to use with install(); api() is what the core calls.
#ifndef ACLRT_ACL_LOADER_H
#define ACLRT_ACL_LOADER_H

#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>

#include "acl/abi.h"
#include "aclrt/aclfake.h"

namespace aclrt::acl {

// No library, or one that lacks something. The core turns it into ACLRT_ERROR_BACKEND.
class LoadError : public std::runtime_error {
 public:
  LoadError(const std::string &message, std::string detail, std::string hint)
      : std::runtime_error(message), detail_(std::move(detail)), hint_(std::move(hint)) {}
  const std::string &detail() const noexcept { return detail_; }  // the dynamic loader's words
  const std::string &hint() const noexcept { return hint_; }

 private:
  std::string detail_;
  std::string hint_;
};

// Null where the library lacks an optional function.
struct Functions {
#define ACL_FUNCTION(result, name, parameters, family, need, tier, since, kind) \
  decltype(&::name) name = nullptr;
#include "acl/functions.def"
};

// The fake's own controls; all null on a real library.
struct FakeFunctions {
  decltype(&::aclfake_version) version = nullptr;
  decltype(&::aclfake_ledger_json) ledger_json = nullptr;
  decltype(&::aclfake_reset) reset = nullptr;
  decltype(&::aclfake_set_onnxruntime) set_onnxruntime = nullptr;
  decltype(&::aclfake_set_onnx_for_next_load) set_onnx_for_next_load = nullptr;
  decltype(&::aclfake_fault_arm) fault_arm = nullptr;
  decltype(&::aclfake_fault_disarm) fault_disarm = nullptr;
  decltype(&::aclfake_faults_clear) faults_clear = nullptr;
  decltype(&::aclfake_lose_device) lose_device = nullptr;
  decltype(&::aclfake_set_memory_limit) set_memory_limit = nullptr;
  decltype(&::aclfake_ledger_text) ledger_text = nullptr;
  decltype(&::aclfake_profile_json) profile_json = nullptr;
  decltype(&::aclfake_trace_json) trace_json = nullptr;
  decltype(&::aclfake_check_table_json) check_table_json = nullptr;
  decltype(&::aclfake_set_checks) set_checks = nullptr;
  decltype(&::aclfake_clock) clock = nullptr;
};

struct Table : Functions {
  std::string path;  // absolute, of the library in use
  FakeFunctions fake;

  bool is_fake() const noexcept { return fake.version != nullptr; }

  // By name: nullptr if functions.def has no such row, a LoadError if the library lacks it.
  void *find(const std::string &function) const;

  // An optional function at its use: the pointer, or a LoadError that names it and its release.
  template <class Pointer>
  Pointer require(Pointer Functions::*member) const {
    Pointer function = this->*member;
    if (function == nullptr) {
      const Functions &all = *this;
      throw_missing(static_cast<size_t>(reinterpret_cast<const char *>(&(all.*member)) -
                                        reinterpret_cast<const char *>(&all)));
    }
    return function;
  }

 private:
  [[noreturn]] void throw_missing(size_t offset) const;
};

// Opens the library (RTLD_NOW | RTLD_LOCAL) and fills a table.
// Throws LoadError, naming the first required function that is missing.
std::unique_ptr<const Table> load(const std::string &path);

// "ACL 1.10 (about CANN 8.0.RC3)" for a since column of functions.def.
std::string release_name(const std::string &since);

// A row of functions.def, in its own words.
struct FunctionInfo {
  const char *name, *result, *parameters, *since;
};
size_t function_count() noexcept;
const FunctionInfo &function_info(size_t index) noexcept;  // index < function_count()

// Makes the table the process's own, for ever. Before that, api() must not be called.
void install(std::unique_ptr<const Table> table) noexcept;
const Table *installed() noexcept;  // nullptr before install()
inline const Table &api() noexcept {
  return *installed();
}

// Makes api() give what wrap makes of the installed table, also of one that is yet to be installed;
// nullptr: that table itself again. Both tables stay valid.
using Wrap = const Table *(*)(const Table &);
void wrap_with(Wrap wrap);
const Table *direct() noexcept;  // the installed table itself; nullptr before install()

}  // namespace aclrt::acl

#endif
