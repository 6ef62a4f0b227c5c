// SPDX-License-Identifier: Apache-2.0
#include "fake/log.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <mutex>
#include <string>

namespace aclfake {
namespace {

constexpr size_t kLimit = 1024;
constexpr char kCut[] = "...[truncated]";
constexpr int kLevelOff = 4;

int threshold() {
  const char *text = std::getenv("ASCEND_GLOBAL_LOG_LEVEL");
  if (text == nullptr || text[0] < '0' || text[0] > '4' || text[1] != '\0') return ACL_ERROR;
  return text[0] - '0';
}

bool to_stdout() {
  const char *text = std::getenv("ASCEND_LOG_PRINT_TO_STDOUT");
  if (text == nullptr) text = std::getenv("ASCEND_SLOG_PRINT_TO_STDOUT");
  return text != nullptr && std::strcmp(text, "1") == 0;
}

std::string time_text(const char *format) {
  const std::time_t now = std::time(nullptr);
  tm local{};
  localtime_r(&now, &local);
  char text[64];
  std::strftime(text, sizeof text, format, &local);
  return text;
}

void make_directories(const std::string &path) {
  for (size_t slash = path.find('/', 1); slash != std::string::npos;
       slash = path.find('/', slash + 1)) {
    mkdir(path.substr(0, slash).c_str(), 0750);
  }
}

// plog-<pid>_<time>.log under the directory that the variables name; nullptr: nowhere to write.
std::FILE *open_file() {
  std::string root;
  if (const char *process = std::getenv("ASCEND_PROCESS_LOG_PATH")) {
    root = process;
  } else if (const char *work = std::getenv("ASCEND_WORK_PATH")) {
    root = std::string(work) + "/log";
  } else if (const char *home = std::getenv("HOME")) {
    root = std::string(home) + "/ascend/log";
  } else {
    return nullptr;
  }
  const std::string path = root + "/debug/plog/plog-" + std::to_string(getpid()) + "_" +
                           time_text("%Y%m%d%H%M%S") + ".log";
  make_directories(path);
  return std::fopen(path.c_str(), "ae");
}

}  // namespace

namespace {

void write_text(aclLogLevel level, const char *origin, const std::string &where, const char *text) {
  static constexpr const char *kNames[] = {"DEBUG", "INFO", "WARNING", "ERROR"};
  const std::string head = std::string("[") + kNames[level] + "] " + origin + "(" +
                           std::to_string(getpid()) + "):" + time_text("%Y-%m-%d-%H:%M:%S") + " " +
                           where + ": ";
  static std::mutex *const mutex = new std::mutex;
  static std::FILE *log_file = nullptr;
  std::lock_guard<std::mutex> lock(*mutex);
  std::FILE *target = stdout;
  if (!to_stdout()) {
    if (log_file == nullptr) log_file = open_file();
    target = log_file;
  }
  if (target == nullptr) return;
  std::fprintf(target, "%s%s\n", head.c_str(), text);
  std::fflush(target);
}

bool is_written(aclLogLevel level) {
  const int lowest = threshold();
  return level >= ACL_DEBUG && level <= ACL_ERROR && lowest != kLevelOff && level >= lowest;
}

}  // namespace

void write_log(aclLogLevel level, const char *function, const char *file, uint32_t line,
               const char *format, va_list arguments) {
  if (!is_written(level)) return;
  char text[kLimit];
  const int length = std::vsnprintf(text, sizeof text, format, arguments);
  if (length >= static_cast<int>(sizeof text)) {
    std::memcpy(text + sizeof text - sizeof kCut, kCut, sizeof kCut);
  }
  const char *slash = std::strrchr(file, '/');
  const std::string place = std::string(slash != nullptr ? slash + 1 : file);
  write_text(level, "APP", "[" + place + ":" + std::to_string(line) + "] " + function, text);
}

void log_error(const char *part, const char *text) {
  if (is_written(ACL_ERROR)) write_text(ACL_ERROR, part, "[aclrt fake]", text);
}

}  // namespace aclfake
