// SPDX-License-Identifier: Apache-2.0
#include "fake/package_version.h"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "fake/messages.h"

namespace aclfake {
namespace {

constexpr const char *kPackages[] = {"cann",    "runtime", "compiler",   "hccl",
                                     "toolkit", "opp",     "opp_kernel", "driver"};
constexpr size_t kPackageCount = sizeof kPackages / sizeof kPackages[0];

// The value of "Version=" in the package's file.
aclError read_version(const std::string &package, std::string *version) {
  const bool plain = !package.empty() && package.find('/') == std::string::npos &&
                     package.find("..") == std::string::npos;
  if (!plain) return fail(ACL_ERROR_INVALID_PARAM, "\"%s\" is no package name", package.c_str());
  const char *home = std::getenv("ASCEND_HOME_PATH");
  const std::string path =
      std::string(home != nullptr ? home : "") + "/share/info/" + package + "/version.info";
  std::ifstream file;
  if (home != nullptr) file.open(path);
  std::string line;
  while (file.is_open() && std::getline(file, line)) {
    if (line.compare(0, 8, "Version=") != 0) continue;
    *version = line.substr(8);
    while (!version->empty() && std::isspace(static_cast<unsigned char>(version->back())) != 0) {
      version->pop_back();
    }
    return ACL_SUCCESS;
  }
  return fail(ACL_ERROR_INVALID_FILE, "no version of package %s: %s", package.c_str(),
              home != nullptr ? path.c_str() : "ASCEND_HOME_PATH is not set");
}

void copy_text(char *target, size_t capacity, const std::string &text) {
  std::snprintf(target, capacity, "%s", text.c_str());
}

// "8.0.RC2.1" -> {"8", "0", "RC2", "1"}
std::vector<std::string> parts_of(const std::string &version) {
  std::vector<std::string> parts;
  size_t start = 0;
  while (start <= version.size()) {
    const size_t end = std::min(version.find_first_of(".-", start), version.size());
    parts.push_back(version.substr(start, end - start));
    start = end + 1;
  }
  return parts;
}

bool is_number(const std::string &text) {
  return !text.empty() && text.size() <= 3 &&
         text.find_first_not_of("0123456789") == std::string::npos;
}

// How far below its release "RC2", "alpha001" or "beta1" lies, in units of the last place.
bool prerelease_offset(std::string text, int32_t *offset) {
  for (char &symbol : text)
    symbol = static_cast<char>(std::tolower(static_cast<unsigned char>(symbol)));
  constexpr struct {
    const char *name;
    int32_t below;
  } kStages[] = {{"alpha", 300}, {"beta", 200}, {"rc", 100}};
  for (const auto &stage : kStages) {
    const size_t length = std::strlen(stage.name);
    if (text.compare(0, length, stage.name) != 0) continue;
    const std::string number = text.substr(length);
    if (!number.empty() && !is_number(number)) return false;
    *offset = std::atoi(number.c_str()) - stage.below;
    return true;
  }
  return false;
}

}  // namespace

aclError package_version(aclCANNPackageName name, aclCANNPackageVersion *version) {
  if (version == nullptr) return fail(ACL_ERROR_INVALID_PARAM, "version is NULL");
  if (name < 0 || static_cast<size_t>(name) >= kPackageCount) {
    return fail(ACL_ERROR_INVALID_PARAM, "unknown package %d", static_cast<int>(name));
  }
  std::string text;
  if (const aclError code = read_version(kPackages[name], &text)) return code;
  std::memset(version, 0, sizeof *version);
  copy_text(version->version, sizeof version->version, text);
  const std::vector<std::string> parts = parts_of(text);
  char *const fields[] = {version->majorVersion, version->minorVersion, version->releaseVersion,
                          version->patchVersion};
  for (size_t index = 0; index < parts.size() && index < 4; ++index) {
    copy_text(fields[index], ACL_PKG_VERSION_PARTS_MAX_SIZE, parts[index]);
  }
  return ACL_SUCCESS;
}

aclError package_version_text(const char *package, char *text) {
  if (package == nullptr || text == nullptr) {
    return fail(ACL_ERROR_INVALID_PARAM, "an argument is NULL");
  }
  std::string version;
  if (const aclError code = read_version(package, &version)) return code;
  copy_text(text, ACL_PKG_VERSION_MAX_SIZE, version);
  return ACL_SUCCESS;
}

aclError package_version_number(const char *package, int32_t *number) {
  if (package == nullptr || number == nullptr) {
    return fail(ACL_ERROR_INVALID_PARAM, "an argument is NULL");
  }
  std::string version;
  if (const aclError code = read_version(package, &version)) return code;
  const std::vector<std::string> parts = parts_of(version);
  constexpr int32_t kUnits[] = {10000000, 100000, 1000};
  int32_t sum = 0;
  size_t index = 0;
  for (; index < 3 && index < parts.size() && is_number(parts[index]); ++index) {
    sum += kUnits[index] * std::atoi(parts[index].c_str());
  }
  int32_t offset = 0;
  if (index < 2 || (index < parts.size() && !prerelease_offset(parts[index], &offset))) {
    return fail(ACL_ERROR_INTERNAL_ERROR, "version \"%s\" of package %s cannot be read as a number",
                version.c_str(), package);
  }
  *number = sum + offset;
  return ACL_SUCCESS;
}

}  // namespace aclfake
