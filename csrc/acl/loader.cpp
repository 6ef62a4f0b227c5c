// SPDX-License-Identifier: Apache-2.0
//
// Opens libascendcl and resolves functions.def. CANN 9 splits the library: symbols that the
// umbrella does not bring along are looked for in libacl_mdl.so and libacl_rt.so beside it.
#include "acl/loader.h"

#include <dlfcn.h>
#include <link.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <mutex>

// This library's own ELF header, from the linker.
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

namespace aclrt::acl {

namespace {

enum class Need { REQUIRED, OPTIONAL };

struct Row : FunctionInfo {
  Need need;
  size_t offset;  // of the pointer in Functions
};

constexpr Row kFunctions[] = {
#define ACL_FUNCTION(result, name, parameters, family, need, tier, since, kind) \
  {{#name, #result, #parameters, #since}, Need::need, offsetof(Functions, name)},
#include "acl/functions.def"
};

std::atomic<const Table *> g_table{nullptr};   // what api() gives
std::atomic<const Table *> g_direct{nullptr};  // the library's own
std::mutex g_wrap_mutex;                       // of a change of both
Wrap g_wrap = nullptr;

void publish() {
  const Table *direct = g_direct.load(std::memory_order_relaxed);
  if (direct == nullptr) return;
  g_table.store(g_wrap != nullptr ? g_wrap(*direct) : direct, std::memory_order_release);
}

std::string last_dlerror() {
  const char *text = dlerror();
  return text != nullptr ? text : "";
}

// The dynamic loader passes over a library for another processor as if it were not there.
std::string foreign_machine(const std::string &path) {
  ElfW(Ehdr) theirs{};
  std::ifstream file(path, std::ios::binary);
  if (!file.read(reinterpret_cast<char *>(&theirs), sizeof theirs)) return "";
  if (std::memcmp(theirs.e_ident, ELFMAG, SELFMAG) != 0) return "";
  const ElfW(Ehdr) &ours = __ehdr_start;
  if (theirs.e_machine == ours.e_machine && theirs.e_ident[EI_CLASS] == ours.e_ident[EI_CLASS] &&
      theirs.e_ident[EI_DATA] == ours.e_ident[EI_DATA]) {
    return "";
  }
  return ", which was built for another processor (ELF machine " +
         std::to_string(theirs.e_machine) + ", this process has " + std::to_string(ours.e_machine) +
         ")";
}

class Symbols {
 public:
  explicit Symbols(const std::string &path) : main_(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) {
    if (main_ == nullptr) {
      const std::string words = last_dlerror();
      throw LoadError("cannot load " + path + foreign_machine(path), words,
                      "Source CANN's set_env.sh, name the library in ACLRT_LIBASCENDCL, or set "
                      "ACLRT_BACKEND=fake to run without a card.");
    }
    link_map *map = nullptr;
    if (dlinfo(main_, RTLD_DI_LINKMAP, &map) == 0 && map != nullptr && map->l_name[0] != '\0') {
      path_ = map->l_name;
    } else {
      path_ = path;
    }
    char *absolute = realpath(path_.c_str(), nullptr);
    if (absolute != nullptr) {
      path_ = absolute;
      free(absolute);
    }
  }

  const std::string &path() const noexcept { return path_; }

  void *find(const char *name) {
    if (void *symbol = dlsym(main_, name)) return symbol;
    open_neighbours();
    for (void *handle : neighbours_) {
      if (handle == nullptr) continue;
      if (void *symbol = dlsym(handle, name)) return symbol;
    }
    return nullptr;
  }

 private:
  void open_neighbours() {
    if (tried_neighbours_) return;
    tried_neighbours_ = true;
    const std::string folder = path_.substr(0, path_.rfind('/') + 1);
    const char *names[] = {"libacl_mdl.so", "libacl_rt.so"};
    for (size_t i = 0; i < neighbours_.size(); ++i) {
      const std::string file = folder + names[i];
      if (access(file.c_str(), R_OK) == 0) {
        neighbours_[i] = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
      }
    }
  }

  void *main_;
  std::string path_;
  bool tried_neighbours_ = false;
  std::array<void *, 2> neighbours_{};
};

// Fills one control of the fake; false if the library lacks it.
template <class Pointer>
bool fill(Symbols &symbols, const char *name, Pointer &pointer) {
  pointer = reinterpret_cast<Pointer>(symbols.find(name));
  return pointer != nullptr;
}

bool fill_fake(Symbols &symbols, FakeFunctions &fake) {
  return fill(symbols, "aclfake_ledger_json", fake.ledger_json) &&
         fill(symbols, "aclfake_ledger_text", fake.ledger_text) &&
         fill(symbols, "aclfake_profile_json", fake.profile_json) &&
         fill(symbols, "aclfake_trace_json", fake.trace_json) &&
         fill(symbols, "aclfake_check_table_json", fake.check_table_json) &&
         fill(symbols, "aclfake_set_checks", fake.set_checks) &&
         fill(symbols, "aclfake_clock", fake.clock) && fill(symbols, "aclfake_reset", fake.reset) &&
         fill(symbols, "aclfake_set_onnxruntime", fake.set_onnxruntime) &&
         fill(symbols, "aclfake_set_onnx_for_next_load", fake.set_onnx_for_next_load) &&
         fill(symbols, "aclfake_fault_arm", fake.fault_arm) &&
         fill(symbols, "aclfake_fault_disarm", fake.fault_disarm) &&
         fill(symbols, "aclfake_faults_clear", fake.faults_clear) &&
         fill(symbols, "aclfake_lose_device", fake.lose_device) &&
         fill(symbols, "aclfake_set_memory_limit", fake.set_memory_limit);
}

}  // namespace

std::string release_name(const std::string &since) {
  static constexpr struct {
    const char *since, *cann;
  } kReleases[] = {
      {"1_0", "20.0"},    {"1_1", "5.0"},     {"1_2", "5.1"},  {"1_3", "6.0"},
      {"1_4", "6.3"},     {"1_5", "7.0"},     {"1_6", "7.0"},  {"1_7", "7.0"},
      {"1_8", "8.0.RC1"}, {"1_9", "8.0.RC2"}, {"1_10", "8.0"}, {"1_11", ""},
  };
  for (const auto &release : kReleases) {
    if (since != release.since) continue;
    if (release.cann[0] == '\0') return "a release after ACL 1.10 (about CANN 8.1 or later)";
    std::string version = since;
    version.replace(version.find('_'), 1, ".");
    return "ACL " + version + " (about CANN " + release.cann + ")";
  }
  return "an unknown release";
}

size_t function_count() noexcept {
  return std::size(kFunctions);
}

const FunctionInfo &function_info(size_t index) noexcept {
  return kFunctions[index];
}

void *Table::find(const std::string &function) const {
  for (const Row &row : kFunctions) {
    if (function != row.name) continue;
    void *symbol = nullptr;
    const Functions &functions = *this;
    std::memcpy(&symbol, reinterpret_cast<const char *>(&functions) + row.offset, sizeof symbol);
    if (symbol == nullptr) throw_missing(row.offset);
    return symbol;
  }
  return nullptr;
}

void Table::throw_missing(size_t offset) const {
  for (const Row &row : kFunctions) {
    if (row.offset != offset) continue;
    throw LoadError(std::string("this needs ") + row.name + ", which " + path + " does not have",
                    "",
                    std::string(row.name) + " came with " + release_name(row.since) +
                        "; install that CANN release or a newer one.");
  }
  throw LoadError("an unknown function is missing", "", "");
}

std::unique_ptr<const Table> load(const std::string &path) {
  Symbols symbols(path);
  auto table = std::make_unique<Table>();
  table->path = symbols.path();
  for (const Row &row : kFunctions) {
    void *symbol = symbols.find(row.name);
    if (symbol == nullptr && row.need == Need::REQUIRED) {
      throw LoadError(symbols.path() + " lacks " + row.name, "",
                      std::string("The function came with ") + release_name(row.since) +
                          "; install that CANN release or a newer one, or name another library in "
                          "ACLRT_LIBASCENDCL.");
    }
    Functions &functions = *table;
    std::memcpy(reinterpret_cast<char *>(&functions) + row.offset, &symbol, sizeof symbol);
  }
  if (fill(symbols, "aclfake_version", table->fake.version) && !fill_fake(symbols, table->fake)) {
    throw LoadError(symbols.path() + " is a fake device of another version", "",
                    "Use the fake that was installed together with this aclrt.");
  }
  return table;
}

void install(std::unique_ptr<const Table> table) noexcept {
  std::lock_guard<std::mutex> lock(g_wrap_mutex);
  g_direct.store(table.release(), std::memory_order_release);
  publish();
}

void wrap_with(Wrap wrap) {
  std::lock_guard<std::mutex> lock(g_wrap_mutex);
  g_wrap = wrap;
  publish();
}

const Table *direct() noexcept {
  return g_direct.load(std::memory_order_acquire);
}

const Table *installed() noexcept {
  return g_table.load(std::memory_order_acquire);
}

}  // namespace aclrt::acl
