// SPDX-License-Identifier: Apache-2.0
#include "fake/messages.h"

#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <mutex>
#include <string>

#include "fake/entry.h"
#include "fake/thread.h"

namespace aclfake {
namespace {

struct CodeRow {
  aclError code;
  const char *name;
  const char *meaning;
};

constexpr CodeRow kCodes[] = {
#define ACL_CODE(name, value, kind, meaning, causes, hint) {value, #name, meaning},
#include "acl/codes.def"
};

const CodeRow *find_code(aclError code) noexcept {
  for (const CodeRow &row : kCodes) {
    if (row.code == code) return &row;
  }
  return nullptr;
}

// Old messages are dropped beyond this, so that a client that never reads them costs nothing.
constexpr size_t kLimit = 16 * 1024;

struct ProcessMessages {
  std::mutex mutex;
  std::string text;
};

ProcessMessages &process_messages() {
  static ProcessMessages *const messages = new ProcessMessages;
  return *messages;
}

std::atomic<bool> process_wide{false};
// Raised by clear(): a thread drops what it gathered in an earlier epoch.
std::atomic<unsigned> epoch{0};
thread_local unsigned thread_epoch = 0;

const char *message_id(aclError code) noexcept {
  const int family = code / 1000;
  if (code == 0) return "E10002";
  if (family == 107 || family == 207 || family == 507) return "EE1001";
  if (family % 100 == 45) return "E13000";
  if (family == 500 || family == 200) return "EH9999";
  return "EH0001";
}

std::string stamp() {
  timeval now{};
  gettimeofday(&now, nullptr);
  tm local{};
  localtime_r(&now.tv_sec, &local);
  char text[64];
  const size_t length = std::strftime(text, sizeof text, "%Y-%m-%d-%H:%M:%S", &local);
  std::snprintf(text + length, sizeof text - length, ".%03d.%03d",
                static_cast<int>(now.tv_usec / 1000), static_cast<int>(now.tv_usec % 1000));
  return text;
}

std::string compose(aclError code, const char *text) {
  const char *task = this_thread().task;
  const Call call = CallScope::current();
  std::string result = message_id(code);
  result += ": " + stamp() + "(PID:" + std::to_string(getpid()) + "): ";
  result += text;
  result += "\n        TraceBack (most recent call last):\n        [aclrt fake] ";
  result += call != Call::kCount ? call_name(call) : (task != nullptr ? task : "device");
  if (code != 0) {
    result += " returned " + std::to_string(code) + " (" + messages::code_name(code) + ")";
  }
  result += "[THREAD:" + std::to_string(syscall(SYS_gettid)) + "]\n";
  return result;
}

void put_first(std::string &all, const std::string &text) {
  all.insert(0, text);
  if (all.size() > kLimit) {
    const size_t line = all.rfind('\n', kLimit - 1);
    all.resize(line == std::string::npos ? kLimit : line + 1);
  }
}

std::string &own_messages() {
  ThreadState &thread = this_thread();
  const unsigned now = epoch.load(std::memory_order_acquire);
  if (thread_epoch != now) {
    thread_epoch = now;
    thread.messages.clear();
    thread.last_error = ACL_SUCCESS;
  }
  return thread.messages;
}

void add_formatted(aclError code, const char *format, va_list arguments) noexcept {
  char text[1024];
  std::vsnprintf(text, sizeof text, format, arguments);
  messages::add(code, text);
}

}  // namespace

aclError fail(aclError code, const char *format, ...) noexcept {
  va_list arguments;
  va_start(arguments, format);
  add_formatted(code, format, arguments);
  va_end(arguments);
  return code;
}

void complain(const char *format, ...) noexcept {
  va_list arguments;
  va_start(arguments, format);
  add_formatted(0, format, arguments);
  va_end(arguments);
}

namespace messages {

void add(aclError code, const char *text) noexcept {
  try {
    ThreadState &thread = this_thread();
    std::string &own = own_messages();
    ++thread.added;
    if (code != 0) thread.last_error = code;
    const std::string message = compose(code, text);
    if (thread.diverted != nullptr) {
      put_first(*thread.diverted, message);
    } else if (process_wide.load(std::memory_order_relaxed)) {
      ProcessMessages &all = process_messages();
      std::lock_guard<std::mutex> lock(all.mutex);
      put_first(all.text, message);
    } else {
      put_first(own, message);
    }
  } catch (...) {
    // Out of memory: the code alone has to do.
  }
}

void add_text(aclError code, const std::string &text) noexcept {
  try {
    ++this_thread().added;
    this_thread().last_error = code;
    if (process_wide.load(std::memory_order_relaxed)) {
      ProcessMessages &all = process_messages();
      std::lock_guard<std::mutex> lock(all.mutex);
      put_first(all.text, text);
    } else {
      put_first(own_messages(), text);
    }
  } catch (...) {
    // As above.
  }
}

const char *take() noexcept {
  try {
    ThreadState &thread = this_thread();
    std::string &own = own_messages();
    if (process_wide.load(std::memory_order_relaxed)) {
      ProcessMessages &all = process_messages();
      std::lock_guard<std::mutex> lock(all.mutex);
      thread.given.swap(all.text);
      all.text.clear();
    } else {
      thread.given.swap(own);
      own.clear();
    }
    return thread.given.empty() ? nullptr : thread.given.c_str();
  } catch (...) {
    return "E10002: out of memory while reading the message\n";
  }
}

unsigned added() noexcept {
  try {
    return this_thread().added;
  } catch (...) {
    return 0;
  }
}

void set_process_wide(bool on) noexcept {
  process_wide.store(on, std::memory_order_relaxed);
}

void clear() noexcept {
  epoch.fetch_add(1, std::memory_order_acq_rel);
  ProcessMessages &all = process_messages();
  std::lock_guard<std::mutex> lock(all.mutex);
  all.text.clear();
}

aclError last_error(bool clear) noexcept {
  try {
    ThreadState &thread = this_thread();
    own_messages();
    const aclError code = thread.last_error;
    if (clear) thread.last_error = ACL_SUCCESS;
    return code;
  } catch (...) {
    return ACL_ERROR_BAD_ALLOC;
  }
}

const char *code_name(aclError code) noexcept {
  const CodeRow *row = find_code(code);
  return row != nullptr ? row->name : "unknown code";
}

const char *code_meaning(aclError code) noexcept {
  const CodeRow *row = find_code(code);
  return row != nullptr ? row->meaning : "";
}

}  // namespace messages
}  // namespace aclfake
