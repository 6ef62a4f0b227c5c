// SPDX-License-Identifier: Apache-2.0
//
// The search behind search.h. It opens nothing of CANN's except, when asked, by bare name; whether
// a file is the fake is read from its symbol names.
#include "acl/search.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace aclrt::acl {

namespace {

constexpr char kLibrary[] = "libascendcl.so";
constexpr char kFakeMarker[] = "aclfake_version";

#if defined(__aarch64__)
constexpr char kArchFolder[] = "aarch64-linux/lib64";
#else
constexpr char kArchFolder[] = "x86_64-linux/lib64";
#endif

std::string environment(const char *name) {
  const char *value = getenv(name);
  return value != nullptr ? value : "";
}

std::vector<std::string> split(const std::string &text) {
  std::vector<std::string> parts;
  size_t begin = 0;
  while (begin <= text.size()) {
    size_t end = text.find(':', begin);
    if (end == std::string::npos) end = text.size();
    if (end > begin) parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

std::string absolute(const std::string &path) {
  char *resolved = realpath(path.c_str(), nullptr);
  if (resolved == nullptr) return path;
  std::string result = resolved;
  free(resolved);
  return result;
}

bool is_file(const std::string &path) {
  struct stat info{};
  return stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

bool same_file(const std::string &a, const std::string &b) {
  struct stat one{}, other{};
  return stat(a.c_str(), &one) == 0 && stat(b.c_str(), &other) == 0 && one.st_dev == other.st_dev &&
         one.st_ino == other.st_ino;
}

// Link-time libraries whose functions do nothing.
bool is_stub(const std::string &path) {
  return path.find("/stub/") != std::string::npos || path.find("/devlib/") != std::string::npos;
}

bool file_is_fake(const std::string &path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  struct stat info{};
  bool found = false;
  if (fstat(file, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0) {
    const size_t size = static_cast<size_t>(info.st_size);
    void *bytes = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
    if (bytes != MAP_FAILED) {
      found = memmem(bytes, size, kFakeMarker, sizeof kFakeMarker) != nullptr;
      munmap(bytes, size);
    }
  }
  close(file);
  return found;
}

bool mapped_is_fake(const std::string &path) {
  void *handle = dlopen(path.c_str(), RTLD_LAZY | RTLD_NOLOAD);
  if (handle == nullptr) return false;
  const bool found = dlsym(handle, kFakeMarker) != nullptr;
  dlclose(handle);  // gives back the reference that the line above took
  return found;
}

std::string mapped_copy() {
  std::string path;
  dl_iterate_phdr(
      [](dl_phdr_info *info, size_t, void *result) {
        const char *name = info->dlpi_name;
        if (name == nullptr) return 0;
        const char *slash = strrchr(name, '/');
        const char *base = slash != nullptr ? slash + 1 : name;
        const size_t length = sizeof kLibrary - 1;
        if (strncmp(base, kLibrary, length) != 0) return 0;
        if (base[length] != '\0' && base[length] != '.') return 0;
        if (is_stub(name)) return 0;
        *static_cast<std::string *>(result) = name;
        return 1;
      },
      &path);
  return path;
}

class Search {
 public:
  explicit Search(const Request &request) : request_(request) {}

  Found run() {
    mapped_ = mapped_copy();
    mapped_is_fake_ = !mapped_.empty() && mapped_is_fake(mapped_);
    if (!named() && !already_mapped() && !installed() && !loader_path()) bundled_fake();
    if (!found_.path.empty()) refuse_mix();
    return std::move(found_);
  }

 private:
  void trail(const std::string &place, const std::string &outcome) {
    found_.trail += place + ": " + outcome + "\n";
  }

  bool choose(const std::string &path, bool is_fake, const std::string &reason) {
    found_.path = path;
    found_.is_fake = is_fake;
    found_.reason = reason;
    return true;
  }

  // Ends the search: true, so that no later place is looked at.
  bool refuse(const std::string &refusal, const std::string &hint) {
    found_.path.clear();
    found_.refusal = refusal;
    found_.hint = hint;
    return true;
  }

  bool named() {
    const bool by_caller = !request_.library.empty();
    const std::string path = by_caller ? request_.library : environment("ACLRT_LIBASCENDCL");
    const std::string place = by_caller ? "library option" : "ACLRT_LIBASCENDCL";
    if (path.empty()) {
      trail(place, "not set");
      return false;
    }
    if (!is_file(path)) {
      trail(place + "=" + path, "no such file");
      return refuse(place + " names " + path + ", which is no file",
                    "Correct the path or leave it out.");
    }
    const bool is_fake = file_is_fake(path);
    if (request_.backend != Backend::kAuto && is_fake != (request_.backend == Backend::kFake)) {
      trail(place + "=" + path, is_fake ? "is the fake" : "is not the fake");
      return refuse(is_fake ? place + " names the fake device, but the backend asked for is npu"
                            : place + " names " + path +
                                  ", which is not the fake device, but the backend asked for is "
                                  "fake",
                    "Change the backend or the library so that they agree.");
    }
    trail(place + "=" + path, "chosen");
    return choose(absolute(path), is_fake, "named by " + place);
  }

  bool already_mapped() {
    if (mapped_.empty()) {
      trail("this process", "no libascendcl mapped");
      return false;
    }
    if (request_.backend != Backend::kAuto &&
        mapped_is_fake_ != (request_.backend == Backend::kFake)) {
      trail("this process", mapped_ + (mapped_is_fake_ ? " is the fake" : " is not the fake"));
      return refuse_mapped(mapped_is_fake_ ? "the fake device" : "a real libascendcl");
    }
    trail("this process", mapped_ + " is mapped, chosen");
    return choose(mapped_, mapped_is_fake_, "already loaded by another library of this process");
  }

  bool refuse_mapped(const std::string &what) {
    return refuse(
        what + " is already loaded in this process (" + mapped_ +
            "), and the fake and a real one cannot live side by side",
        "Use one backend per process: leave the backend at auto, or start a new process.");
  }

  bool installed() {
    if (request_.backend == Backend::kFake) return false;
    for (const char *name : {"ASCEND_HOME_PATH", "ASCEND_TOOLKIT_HOME", "ASCEND_INSTALL_PATH"}) {
      const std::string root = environment(name);
      if (root.empty()) {
        trail(name, "not set");
      } else if (root_holds(std::string(name) + "=" + root, root)) {
        return true;
      }
    }
    std::vector<std::string> bases = request_.install_roots;
    if (bases.empty()) {
      bases.push_back("/usr/local/Ascend");
      const std::string home = environment("HOME");
      if (!home.empty()) bases.push_back(home + "/Ascend");
    }
    for (const std::string &base : bases) {
      if (base_holds(base)) return true;
    }
    for (const std::string &prefix : split(request_.prefixes)) {
      if (prefix_holds(prefix)) return true;
    }
    const std::string conda = environment("CONDA_PREFIX");
    if (conda.empty()) {
      trail("CONDA_PREFIX", "not set");
      return false;
    }
    return prefix_holds(conda);
  }

  // The product folders under /usr/local/Ascend.
  bool base_holds(const std::string &base) {
    for (const char *product :
         {"/cann", "/ascend-toolkit/latest", "/nnrt/latest", "/nnae/latest", "/acllib"}) {
      if (root_holds(base + product, base + product)) return true;
    }
    return false;
  }

  bool prefix_holds(const std::string &prefix) {
    return root_holds(prefix, prefix) || base_holds(prefix + "/Ascend");
  }

  // The library folders of one installation.
  bool root_holds(const std::string &place, const std::string &root) {
    bool skipped_fake = false;
    for (const std::string folder : {"lib64", "runtime/lib64", kArchFolder, "lib"}) {
      const std::string path = root + "/" + folder + "/" + kLibrary;
      if (!is_file(path) || is_stub(absolute(path))) continue;
      const bool is_fake = file_is_fake(path);
      if (is_fake && request_.backend == Backend::kNpu) {
        skipped_fake = true;
        continue;
      }
      trail(place, path + ", chosen");
      return choose(absolute(path), is_fake, "found in " + place);
    }
    trail(place, skipped_fake ? "only the fake, npu was asked for" : "no libascendcl.so");
    return false;
  }

  bool loader_path() {
    if (request_.backend == Backend::kFake) return false;
    for (const std::string &folder : split(environment("LD_LIBRARY_PATH"))) {
      const std::string path = folder + "/" + kLibrary;
      if (!is_file(path)) continue;
      if (is_stub(absolute(path))) {
        trail("LD_LIBRARY_PATH", path + " is a link-time stub, skipped");
        continue;
      }
      const bool is_fake = file_is_fake(path);
      if (is_fake && request_.backend == Backend::kNpu) {
        trail("LD_LIBRARY_PATH", path + " is the fake, npu was asked for");
        continue;
      }
      trail("LD_LIBRARY_PATH", path + ", chosen");
      return choose(absolute(path), is_fake, "found in LD_LIBRARY_PATH");
    }
    if (!request_.ask_loader) {
      trail("dynamic loader", "not asked (it would load what it finds)");
      return false;
    }
    return bare_name();
  }

  bool bare_name() {
    void *handle = dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) {
      const char *error = dlerror();
      const std::string text = error != nullptr ? error : "";
      // The loader names the file that it could not open: ours, or one that ours needs.
      if (text.rfind(std::string(kLibrary) + ": cannot open shared object file", 0) == 0) {
        trail("dynamic loader", "no libascendcl.so");
        return false;
      }
      trail("dynamic loader", text);
      found_.detail = text;
      return refuse("the dynamic loader found libascendcl.so but cannot load it",
                    "Source CANN's set_env.sh, or set ACLRT_BACKEND=fake to run without a card.");
    }
    link_map *map = nullptr;
    const bool known = dlinfo(handle, RTLD_DI_LINKMAP, &map) == 0 && map != nullptr;
    const std::string path = known ? absolute(map->l_name) : kLibrary;
    const bool is_fake = dlsym(handle, kFakeMarker) != nullptr;
    if (is_stub(path) || (is_fake && request_.backend == Backend::kNpu)) {
      trail("dynamic loader",
            path + (is_fake ? " is the fake, npu was asked for" : " is a link-time stub, skipped"));
      dlclose(handle);
      return false;
    }
    trail("dynamic loader", path + ", chosen");
    return choose(path, is_fake, "found by the dynamic loader");
  }

  void bundled_fake() {
    if (request_.backend == Backend::kNpu) {
      trail("fake device", "not asked for");
      refuse(
          "no libascendcl.so of CANN was found",
          "Source CANN's set_env.sh, or name the library in ACLRT_LIBASCENDCL. ACLRT_BACKEND=fake "
          "runs without a card.");
      return;
    }
    const std::string path = request_.fake_path.empty() ? bundled_fake_path() : request_.fake_path;
    if (!is_file(path)) {
      trail("fake device", path + " is missing");
      refuse("neither CANN's libascendcl.so nor the fake device was found",
             "Install aclrt again; the fake belongs beside libaclrt.so.");
      return;
    }
    trail("fake device", path + ", chosen");
    const bool asked = request_.backend == Backend::kFake;
    choose(absolute(path), true,
           asked ? "the fake was asked for" : "no libascendcl of CANN was found on this machine");
    found_.is_default = !asked;
  }

  void refuse_mix() {
    if (mapped_.empty() || same_file(mapped_, found_.path)) return;
    if (mapped_is_fake_ != found_.is_fake) {
      refuse_mapped(mapped_is_fake_ ? "the fake device" : "a real libascendcl");
    } else {
      refuse("another libascendcl is already loaded in this process (" + mapped_ +
                 "), and a second copy (" + found_.path + ") would not know its state",
             "Leave the library unset to use the loaded one, or start a new process.");
    }
  }

  const Request &request_;
  Found found_;
  std::string mapped_;
  bool mapped_is_fake_ = false;
};

}  // namespace

Found search(const Request &request) {
  return Search(request).run();
}

std::string bundled_fake_path() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<void *>(&bundled_fake_path), &info) == 0 ||
      info.dli_fname == nullptr) {
    return "";
  }
  const std::string self = absolute(info.dli_fname);
  return self.substr(0, self.rfind('/') + 1) + "fake/" + kLibrary;
}

}  // namespace aclrt::acl
