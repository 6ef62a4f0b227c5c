// SPDX-License-Identifier: Apache-2.0
#include "fake/checks.h"

#include <pthread.h>

#include <array>
#include <atomic>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>

#include "fake/entry.h"
#include "fake/messages.h"
#include "om/json_writer.h"

namespace aclfake {
namespace {

enum class Severity { kError, kNotice, kHint };

struct Row {
  const char *id;
  Severity severity;
  const char *code;
  const char *title;
  const char *remedy;
};

constexpr Row kRows[] = {
#define CHECK(area, number, severity, code, title, remedy) \
  {"ACLFAKE-" #area "-" #number, Severity::severity, code, title, remedy},
#include "fake/checks.def"
};
constexpr size_t kChecks = static_cast<size_t>(Check::kCount);
static_assert(sizeof kRows / sizeof kRows[0] == kChecks);

// Zero-initialised before any constructor runs, never destroyed.
std::array<std::atomic<uint64_t>, kChecks> counts;

struct Texts {
  std::mutex mutex;
  std::array<std::string, kChecks> last;
};

Texts &texts() {
  static Texts *const instance = new Texts;
  return *instance;
}

// A child of fork() may report too: the mutex must not be another thread's there.
const bool registered = pthread_atfork([] { texts().mutex.lock(); }, [] { texts().mutex.unlock(); },
                                       [] { texts().mutex.unlock(); }) == 0;

checks::Mode mode_of_environment() noexcept {
  const char *value = std::getenv("ACLRT_FAKE_CHECKS");
  if (value == nullptr || value[0] == '\0' || std::strcmp(value, "error") == 0) {
    return checks::Mode::kError;
  }
  if (std::strcmp(value, "warn") == 0) return checks::Mode::kWarn;
  if (std::strcmp(value, "abort") == 0) return checks::Mode::kAbort;
  std::fprintf(stderr,
               "aclrt fake device: ACLRT_FAKE_CHECKS is \"%s\"; it can be error, warn or abort\n",
               value);
  return checks::Mode::kError;
}

std::atomic<checks::Mode> &mode() {
  static std::atomic<checks::Mode> current{mode_of_environment()};
  return current;
}

const char *severity_name(Severity severity) {
  switch (severity) {
    case Severity::kError:
      return "error";
    case Severity::kNotice:
      return "notice";
    case Severity::kHint:
      return "hint";
  }
  return "";
}

void report(Check check, aclError code, const char *format, va_list arguments) noexcept {
  const size_t index = static_cast<size_t>(check);
  const Row &row = kRows[index];
  counts[index].fetch_add(1, std::memory_order_relaxed);
  char what[1536];
  std::vsnprintf(what, sizeof what, format, arguments);
  char text[2048];
  std::snprintf(text, sizeof text, "%s: %s. %s", row.id, what, row.remedy);
  messages::add(code, text);
  const Call call = CallScope::current();
  const char *where = call != Call::kCount ? call_name(call) : "device";
  try {
    Texts &all = texts();
    std::lock_guard<std::mutex> lock(all.mutex);
    all.last[index] = std::string(where) + ": " + text;
  } catch (...) {
    // Out of memory: the count alone has to do.
  }
  const checks::Mode now = mode().load(std::memory_order_relaxed);
  if (now == checks::Mode::kError) return;
  std::fprintf(stderr, "aclrt fake device: %s: %s\n", where, text);
  if (now == checks::Mode::kAbort && row.severity != Severity::kHint) std::abort();
}

}  // namespace

aclError violation(Check check, aclError code, const char *format, ...) noexcept {
  va_list arguments;
  va_start(arguments, format);
  report(check, code, format, arguments);
  va_end(arguments);
  return code;
}

void notice(Check check, const char *format, ...) noexcept {
  va_list arguments;
  va_start(arguments, format);
  report(check, ACL_SUCCESS, format, arguments);
  va_end(arguments);
}

namespace checks {

Mode set_mode(Mode value) noexcept {
  return mode().exchange(value);
}

void clear() noexcept {
  for (auto &counter : counts) counter.store(0, std::memory_order_relaxed);
  mode().store(mode_of_environment());
  Texts &all = texts();
  std::lock_guard<std::mutex> lock(all.mutex);
  for (std::string &text : all.last) text.clear();
}

uint64_t count(const char *wanted) noexcept {
  uint64_t sum = 0;
  for (size_t index = 0; index < kChecks; ++index) {
    if (wanted != nullptr && std::strcmp(wanted, kRows[index].id) != 0) continue;
    sum += counts[index].load(std::memory_order_relaxed);
  }
  return sum;
}

const char *id(Check check) noexcept {
  return kRows[static_cast<size_t>(check)].id;
}

void write_counts(om::JsonWriter &json) {
  Texts &all = texts();
  std::lock_guard<std::mutex> lock(all.mutex);
  json.begin_object();
  for (size_t index = 0; index < kChecks; ++index) {
    const uint64_t number = counts[index].load(std::memory_order_relaxed);
    if (number == 0) continue;
    json.key(kRows[index].id).begin_object();
    json.field("count", number).field("last", all.last[index]);
    json.end_object();
  }
  json.end_object();
}

std::string table_json() {
  om::JsonWriter json;
  json.begin_array();
  for (const Row &row : kRows) {
    json.begin_object();
    json.field("id", row.id).field("severity", severity_name(row.severity));
    json.field("code", row.code).field("title", row.title).field("remedy", row.remedy);
    json.end_object();
  }
  json.end_array();
  return json.take();
}

}  // namespace checks
}  // namespace aclfake
