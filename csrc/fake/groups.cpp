// SPDX-License-Identifier: Apache-2.0
#include "fake/groups.h"

#include <array>
#include <cstddef>

namespace aclfake {
namespace {

constexpr size_t kCalls = static_cast<size_t>(Call::kCount);

// What a failure of each function looks like; undocumented ones give a status.
constexpr const char *kKinds[] = {
#define ACL_FUNCTION(result, name, parameters, family, need, tier, since, kind) #kind,
#define ACL_UNDOCUMENTED(name, family, tier) "status",
#include "acl/functions.def"
};
static_assert(sizeof kKinds / sizeof kKinds[0] == kCalls);

// A function is in a group if its name begins with or contains any of the group's words ("^" marks
// a beginning). The first four groups are the kinds.
struct Rule {
  const char *group;
  std::array<const char *, 6> words;
};

constexpr Rule kRules[] = {
    {"status", {}},
    {"handle", {}},
    {"value", {}},
    {"none", {}},
    {"aipp", {"AIPP", "Aipp"}},
    {"buffer", {"DataBuffer"}},
    {"callback", {"Callback", "Report", "HostFunc"}},
    {"context", {"Context", "Ctx"}},
    {"copy", {"Memcpy", "Memset"}},
    {"create", {"Create", "Malloc", "^aclmdlLoad", "^aclmdlBundleLoad"}},
    {"dataset", {"Dataset"}},
    {"describe", {"^aclmdlGet", "^aclmdlBundleGet", "^aclmdlQuery", "Desc"}},
    {"device", {"Device", "RunMode", "SocName", "^aclGetCann"}},
    {"dynamic", {"Dynamic", "CurOutputDims", "DimsRange", "^aclmdlSetInputDynamic"}},
    {"event", {"Event"}},
    {"execute", {"^aclmdlExecute"}},
    {"init", {"^aclInit", "^aclFinalize", "Version"}},
    {"load", {"^aclmdlLoad", "^aclmdlBundleLoad"}},
    {"memory", {"Malloc", "Free", "HostRegister", "HostUnregister", "GetMemInfo", "^aclrtMem"}},
    {"message", {"ErrMsg", "LastError", "ExceptionInfo", "^aclAppLog"}},
    {"model", {"^aclmdl"}},
    {"op", {"^aclop"}},
    {"profiling", {"^aclprof"}},
    {"release", {"Destroy", "Free", "Unload", "UnLoad", "^aclrtResetDevice"}},
    {"stream", {"Stream"}},
    {"synchronize", {"^aclrtSynchronize"}},
    {"tensor", {"TensorDesc", "^aclSetTensor"}},
};
static_assert(sizeof kRules / sizeof kRules[0] <= 32);

bool matches(std::string_view name, std::string_view word) {
  if (word.empty()) return false;
  if (word[0] != '^') return name.find(word) != std::string_view::npos;
  word.remove_prefix(1);
  return name.substr(0, word.size()) == word;
}

struct Table {
  Table() {
    for (size_t index = 0; index < kCalls; ++index) {
      const std::string_view name = call_name(static_cast<Call>(index));
      Groups bit = 1;
      for (const Rule &rule : kRules) {
        bool member = std::string_view(rule.group) == kKinds[index];
        for (const char *word : rule.words) {
          member = member || (word != nullptr && matches(name, word));
        }
        if (member) groups[index] |= bit;
        bit <<= 1;
      }
    }
  }
  std::array<Groups, kCalls> groups{};
};

}  // namespace

Groups groups_of(Call call) noexcept {
  static const Table table;
  return call < Call::kCount ? table.groups[static_cast<size_t>(call)] : 0;
}

Groups find_group(std::string_view name) noexcept {
  Groups bit = 1;
  for (const Rule &rule : kRules) {
    if (name == rule.group) return bit;
    bit <<= 1;
  }
  return 0;
}

std::string group_names() {
  std::string names;
  for (const Rule &rule : kRules) names += (names.empty() ? "" : ", ") + std::string(rule.group);
  return names;
}

bool is_device_call(Call call) noexcept {
  static const Groups device = find_group("callback") | find_group("copy") | find_group("event") |
                               find_group("execute") | find_group("load") | find_group("memory") |
                               find_group("stream") | find_group("synchronize");
  static const Groups host = find_group("message") | find_group("init");
  const Groups groups = groups_of(call);
  return call == Call::aclmdlUnload || ((groups & device) != 0 && (groups & host) == 0);
}

bool is_release_call(Call call) noexcept {
  static const Groups release = find_group("release");
  return (groups_of(call) & release) != 0;
}

}  // namespace aclfake
