// SPDX-License-Identifier: Apache-2.0
//
// The wrappers and who is told. aclAppLog, whose arguments cannot be passed on, has no wrapper.
#include "acl/observe.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <mutex>
#include <shared_mutex>
#include <type_traits>
#include <vector>

namespace aclrt::acl {

namespace {

struct Observers {
  std::shared_mutex mutex;
  std::vector<Observer *> all;
};

// Never destroyed: calls may come at exit.
Observers &observers() {
  static Observers *const shared = new Observers;
  return *shared;
}

void begin(Call &call) noexcept {
  {
    std::shared_lock<std::shared_mutex> lock(observers().mutex);
    for (Observer *observer : observers().all) observer->before(call);
  }
  call.begin_ns = now_ns();
}

void end(Call &call, uint64_t result) noexcept {
  call.end_ns = now_ns();
  call.result = result;
  std::shared_lock<std::shared_mutex> lock(observers().mutex);
  for (Observer *observer : observers().all) observer->after(call);
}

template <class T>
uint64_t as_word(const T &value) noexcept {
  static_assert(sizeof(T) <= sizeof(uint64_t) && std::is_trivially_copyable_v<T>);
  if constexpr (std::is_integral_v<T> || std::is_enum_v<T>) {
    return static_cast<uint64_t>(static_cast<int64_t>(value));
  } else {
    uint64_t word = 0;
    std::memcpy(&word, &value, sizeof value);
    return word;
  }
}

enum Row : size_t {
#define ACL_FUNCTION(result, name, parameters, family, need, tier, since, kind) kRow_##name,
#include "acl/functions.def"
};

template <size_t row, class Function>
struct Wrapper {
  static Function wrap(Function real) noexcept { return real; }
};

template <size_t row, class Result, class... Parameters>
struct Wrapper<row, Result (*)(Parameters...)> {
  using Function = Result (*)(Parameters...);
  static inline Function real = nullptr;

  static Function wrap(Function function) noexcept {
    real = function;
    return function != nullptr ? &call : nullptr;
  }

  static Result call(Parameters... parameters) {
    const uint64_t arguments[] = {as_word(parameters)..., 0};
    Call call;
    call.function = row;
    call.arguments = arguments;
    call.argument_count = sizeof...(Parameters);
    begin(call);
    if constexpr (std::is_void_v<Result>) {
      real(parameters...);
      end(call, 0);
    } else {
      const Result result = real(parameters...);
      end(call, as_word(result));
      return result;
    }
  }
};

const Table *wrapped(const Table &library) {
  static const Table *const table = [&library] {
    auto *made = new Table(library);
#define ACL_FUNCTION(result, name, parameters, family, need, tier, since, kind) \
  made->name = Wrapper<kRow_##name, decltype(&::name)>::wrap(library.name);
#include "acl/functions.def"
    return made;
  }();
  return table;
}

}  // namespace

void observe(Observer *observer) {
  Observers &shared = observers();
  {
    std::unique_lock<std::shared_mutex> lock(shared.mutex);
    shared.all.push_back(observer);
  }
  wrap_with(wrapped);
}

void unobserve(Observer *observer) noexcept {
  Observers &shared = observers();
  std::unique_lock<std::shared_mutex> lock(shared.mutex);
  shared.all.erase(std::remove(shared.all.begin(), shared.all.end(), observer), shared.all.end());
  if (shared.all.empty()) wrap_with(nullptr);
}

int64_t now_ns(bool *is_virtual) noexcept {
  int64_t now = 0;
  const Table *library = direct();
  if (library != nullptr && library->fake.clock != nullptr) {
    const bool other = library->fake.clock(&now) != 0;
    if (is_virtual != nullptr) *is_virtual = other;
    return now;
  }
  if (is_virtual != nullptr) *is_virtual = false;
  using std::chrono::nanoseconds;
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<nanoseconds>(since).count();
}

}  // namespace aclrt::acl
