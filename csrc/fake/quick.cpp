// SPDX-License-Identifier: Apache-2.0
#include "fake/quick.h"

#include <sched.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "fake/admission.h"
#include "fake/context.h"
#include "fake/copy.h"
#include "fake/faults.h"
#include "fake/memory.h"
#include "fake/scheduler.h"
#include "fake/thread.h"

namespace aclfake::quick {
namespace {

enum Counted : size_t { kCopy, kExecute, kGetContext, kSetContext, kCounted };

// Up to this many bytes a copy that touches no device memory (window mode) is over so soon that
// nobody can have freed anything meanwhile.
constexpr size_t kInstant = 4096;
static_assert(kInstant <= kWindowBytes);

// Device memory from one address on.
struct Target {
  uint64_t epoch = 0;
  uintptr_t key = 0;
  uint64_t room = 0;
  uint8_t *data = nullptr;
  const Device *device = nullptr;
  uint8_t *window = nullptr;  // this thread's, in window mode
  bool to = false;            // copies to it take no time
  bool from = false;
};

// Host memory within which every range is as good as every other.
struct Span {
  uint64_t epoch = 0;
  uintptr_t key = 0;
  uintptr_t start = 0;
  uintptr_t end = 0;
};

struct Execution {
  uint64_t epoch = 0;
  uintptr_t key = 0;
  uint32_t model = 0;
  const void *input = nullptr;
  const void *output = nullptr;
  const Context *context = nullptr;
  std::shared_ptr<std::atomic<bool>> running;
};

struct Known {
  uint64_t epoch = 0;
  uintptr_t key = 0;  // the handle
  std::weak_ptr<Context> context;
};

// What was remembered lately, two entries of a kind of key.
template <class Entry, size_t kBits>
class Lately {
 public:
  Entry *find(uintptr_t key, uint64_t epoch) noexcept {
    Entry *pair = at(key);
    if (pair[0].key == key && pair[0].epoch == epoch) return &pair[0];
    if (pair[1].key == key && pair[1].epoch == epoch) return &pair[1];
    return nullptr;
  }
  void put(Entry entry) noexcept {
    Entry *pair = at(entry.key);
    if (pair[0].key != entry.key) pair[1] = std::move(pair[0]);
    pair[0] = std::move(entry);
  }

 private:
  Entry *at(uintptr_t key) noexcept {
    const uint64_t mixed = (uint64_t{key} >> 5) * 0x9E3779B97F4A7C15u;
    return &entries_[(mixed >> (64 - kBits)) * 2];
  }
  std::array<Entry, size_t{2} << kBits> entries_{};
};

// One per thread, handed on when the thread ends, never freed.
struct Record {
  // Seen by other threads.
  std::atomic<bool> taken{true};
  std::atomic<uint64_t> turn{0};  // odd: a copy is inside the memory at `touched`
  std::atomic<uintptr_t> touched{0};
  std::array<std::atomic<uint64_t>, kCounted> calls{};
  Record *next = nullptr;

  // The thread's own.
  uint64_t calm = 0;  // the epoch in which it was seen that nothing unusual is on
  int callbacks = 0;
  const Context *context = nullptr;
  std::array<Span, 2> foreign{};
  Lately<Target, 7> targets;
  Lately<Span, 6> spans;
  Lately<Execution, 4> executions;
  Lately<Known, 2> contexts;

  void count(Counted which) noexcept {
    std::atomic<uint64_t> &number = calls[which];
    number.store(number.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  bool has_context() const noexcept { return context != nullptr && context->alive(); }
  bool is_plain(uintptr_t host, size_t count, uint64_t now) noexcept {
    for (const Span &span : foreign) {
      if (span.epoch == now && host >= span.start && host < span.end) {
        return count <= span.end - host;
      }
    }
    const Span *span = spans.find(host, now);
    return span != nullptr && count <= span->end - host;
  }
};

alignas(64) std::atomic<uint64_t> current_epoch{1};
std::atomic<Record *> records{nullptr};
std::array<std::atomic<uint64_t>, kCounted> forgotten{};
__thread Record *own = nullptr;  // no wrapper function, as thread_local has

// The record if the short way is open to this thread, and *now.
Record *open(uint64_t *now) noexcept {
  Record *record = own;
  *now = current_epoch.load(std::memory_order_acquire);
  return record != nullptr && record->calm == *now ? record : nullptr;
}

Record *take_record() {
  for (Record *record = records.load(std::memory_order_acquire); record != nullptr;
       record = record->next) {
    bool taken = false;
    if (record->taken.compare_exchange_strong(taken, true, std::memory_order_acquire)) {
      return record;
    }
  }
  auto *record = new Record;
  record->next = records.load(std::memory_order_relaxed);
  while (!records.compare_exchange_weak(record->next, record, std::memory_order_release)) {
  }
  return record;
}

uintptr_t number(const void *pointer) noexcept {
  return reinterpret_cast<uintptr_t>(pointer);
}

uintptr_t key_of(uint32_t model, const void *input, const void *output) noexcept {
  return number(input) ^ (number(output) << 8) ^ (uintptr_t{model} << 36);
}

// From the host to the window, or back: as much memory traffic as a copy has there.
void pass_window(uint8_t *window, void *to, const void *from, size_t count) noexcept {
  for (size_t done = 0; done < count; done += kWindowBytes) {
    const size_t part = std::min(kWindowBytes, count - done);
    if (to == nullptr) {
      std::memcpy(window, static_cast<const uint8_t *>(from) + done, part);
    } else {
      std::memcpy(static_cast<uint8_t *>(to) + done, window, part);
    }
  }
}

void move(const Target &target, void *dst, const void *src, size_t count, bool down) noexcept {
  if (target.window != nullptr) {
    pass_window(target.window, down ? dst : nullptr, src, count);
  } else if (down) {
    std::memcpy(dst, target.data, count);
  } else {
    std::memcpy(target.data, src, count);
  }
}

}  // namespace

bool copy(void *dst, size_t capacity, const void *src, size_t count,
          aclrtMemcpyKind kind) noexcept {
  uint64_t now;
  Record *record = open(&now);
  const bool down = kind == ACL_MEMCPY_DEVICE_TO_HOST;
  if (record == nullptr || count == 0 || count > capacity) return false;
  if (!down && kind != ACL_MEMCPY_HOST_TO_DEVICE) return false;
  const void *device = down ? src : dst;
  const Target *target = record->targets.find(number(device), now);
  if (target == nullptr || count > target->room || !(down ? target->from : target->to))
    return false;
  if (!record->has_context() || record->context->device.get() != target->device) return false;
  if (!record->is_plain(number(down ? dst : src), count, now)) return false;
  if (target->window != nullptr && count <= kInstant) {
    std::memcpy(down ? dst : target->window, down ? target->window : src, count);
  } else {
    // Published first, then looked at again: who frees the memory does it the other way round.
    const uint64_t turn = record->turn.load(std::memory_order_relaxed);
    record->touched.store(number(device), std::memory_order_relaxed);
    record->turn.exchange(turn + 1, std::memory_order_seq_cst);
    const bool stands = current_epoch.load(std::memory_order_seq_cst) == now;
    if (stands) move(*target, dst, src, count, down);
    record->turn.store(turn + 2, std::memory_order_release);
    if (!stands) return false;
  }
  record->count(kCopy);
  return true;
}

bool execute(uint32_t model, const void *input, const void *output) noexcept {
  uint64_t now;
  Record *record = open(&now);
  if (record == nullptr) return false;
  const Execution *known = record->executions.find(key_of(model, input, output), now);
  if (known == nullptr || known->model != model || known->input != input ||
      known->output != output) {
    return false;
  }
  if (!record->has_context() || record->context != known->context) return false;
  if (known->running->exchange(true)) return false;
  const bool stands = current_epoch.load() == now;
  known->running->store(false, std::memory_order_release);
  if (!stands) return false;
  record->count(kExecute);
  return true;
}

bool current_context(aclrtContext *context) noexcept {
  uint64_t now;
  Record *record = open(&now);
  if (record == nullptr || context == nullptr || !record->has_context()) return false;
  *context = record->context->handle();
  record->count(kGetContext);
  return true;
}

bool set_context(aclrtContext context) noexcept {
  uint64_t now;
  Record *record = open(&now);
  if (record == nullptr || context == nullptr) return false;
  if (!record->has_context() || record->context->handle() != context) {
    const Known *known = record->contexts.find(number(context), now);
    if (known == nullptr) return false;
    std::shared_ptr<Context> found = known->context.lock();
    if (found == nullptr || !found->alive()) return false;
    choose_context(std::move(found));
  }
  record->count(kSetContext);
  return true;
}

uint64_t epoch() noexcept {
  try {
    // Read before what it stands for.
    const uint64_t now = current_epoch.load(std::memory_order_acquire);
    if (own == nullptr) {
      const ThreadState &thread = this_thread();  // sees to thread_ends()
      own = take_record();
      own->context = thread.context.get();
    }
    const bool calm =
        own->callbacks == 0 && !faults::any() && !forked_child() && scheduler() == nullptr;
    own->calm = calm ? now : 0;
    return own->calm;
  } catch (...) {
    return 0;
  }
}

void remember_copy(uint64_t epoch, const void *dst, const void *src, aclrtMemcpyKind kind) {
  const bool down = kind == ACL_MEMCPY_DEVICE_TO_HOST;
  if (epoch == 0 || (!down && kind != ACL_MEMCPY_HOST_TO_DEVICE)) return;
  const void *device = down ? src : dst;
  const void *host = down ? dst : src;
  const Location location = locate(device);
  if (location.place != Place::kDevice || locate(host).device != nullptr) return;
  const Profile &profile = location.device->profile;
  constexpr size_t kMany = size_t{1} << 30;
  Target target;
  target.to = profile.h2d_us(kMany, true) <= 0 && profile.h2d_us(kMany, false) <= 0;
  target.from = profile.d2h_us(kMany, true) <= 0 && profile.d2h_us(kMany, false) <= 0;
  if (!target.to && !target.from) return;
  const DevicePin pin = pin_device(device, 1);
  if (!pin) return;
  target.epoch = epoch;
  target.key = number(device);
  target.room = location.room;
  target.data = pin.data();
  target.device = location.device.get();
  target.window = profile.window ? window() : nullptr;
  own->targets.put(target);
  if (own->is_plain(number(host), 1, epoch)) return;
  const HostSpan span = host_span(host);
  const Span entry{epoch, number(host), span.start, span.end};
  if (span.foreign) {
    own->foreign[1] = std::exchange(own->foreign[0], entry);
  } else {
    own->spans.put(entry);
  }
}

void remember_execution(uint64_t epoch, uint32_t model, const void *input, const void *output,
                        std::shared_ptr<std::atomic<bool>> running) {
  if (epoch == 0) return;
  own->executions.put({epoch, key_of(model, input, output), model, input, output, own->context,
                       std::move(running)});
}

void remember_context(uint64_t epoch, const std::shared_ptr<Context> &context) {
  if (epoch != 0) own->contexts.put({epoch, number(context->handle()), context});
}

void changed() noexcept {
  current_epoch.fetch_add(1, std::memory_order_seq_cst);
}

namespace {

// The turn in which the record's thread is inside the memory; 0: it is not.
uint64_t turn_inside(const Record &record, uintptr_t start, uint64_t size) noexcept {
  const uint64_t turn = record.turn.load(std::memory_order_seq_cst);
  if (turn % 2 == 0) return 0;
  return record.touched.load(std::memory_order_relaxed) - start < size ? turn : 0;
}

}  // namespace

bool touching(uintptr_t start, uint64_t size) noexcept {
  for (const Record *record = records.load(std::memory_order_acquire); record != nullptr;
       record = record->next) {
    if (turn_inside(*record, start, size) != 0) return true;
  }
  return false;
}

void wait_until_left(uintptr_t start, uint64_t size) noexcept {
  for (const Record *record = records.load(std::memory_order_acquire); record != nullptr;
       record = record->next) {
    const uint64_t turn = turn_inside(*record, start, size);
    while (turn != 0 && record->turn.load(std::memory_order_acquire) == turn) sched_yield();
  }
}

void chose(const Context *context) noexcept {
  if (own != nullptr) own->context = context;
}

void thread_ends() noexcept {
  Record *record = std::exchange(own, nullptr);
  if (record == nullptr) return;
  record->calm = 0;
  record->callbacks = 0;
  record->context = nullptr;
  record->targets = {};  // they know the thread's window
  record->taken.store(false, std::memory_order_release);
}

void in_callback(int more) noexcept {
  epoch();
  if (own == nullptr) return;
  own->callbacks += more;
  own->calm = 0;
}

namespace {

Counted counted(Call call) noexcept {
  switch (call) {
    case Call::aclrtMemcpy:
      return kCopy;
    case Call::aclmdlExecute:
      return kExecute;
    case Call::aclrtGetCurrentContext:
      return kGetContext;
    case Call::aclrtSetCurrentContext:
      return kSetContext;
    default:
      return kCounted;
  }
}

uint64_t sum(Counted which) noexcept {
  uint64_t result = 0;
  for (const Record *record = records.load(std::memory_order_acquire); record != nullptr;
       record = record->next) {
    result += record->calls[which].load(std::memory_order_relaxed);
  }
  return result;
}

}  // namespace

uint64_t calls(Call call) noexcept {
  const Counted which = counted(call);
  return which != kCounted ? sum(which) - forgotten[which].load(std::memory_order_relaxed) : 0;
}

void forget_calls() noexcept {
  for (size_t which = 0; which < kCounted; ++which) {
    forgotten[which].store(sum(static_cast<Counted>(which)), std::memory_order_relaxed);
  }
}

}  // namespace aclfake::quick
