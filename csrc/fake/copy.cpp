// SPDX-License-Identifier: Apache-2.0
#include "fake/copy.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>
#include <vector>

#include "fake/checks.h"
#include "fake/freed.h"
#include "fake/in_flight.h"
#include "fake/memory.h"
#include "fake/messages.h"

namespace aclfake {
namespace {

// The four ways that bytes can go.
enum class Way { kHostToHost, kHostToDevice, kDeviceToHost, kDeviceToDevice };

bool on_device(const Location &location) {
  return location.place == Place::kDevice || location.place == Place::kDead;
}

const char *role(const Location &location) {
  switch (location.place) {
    case Place::kDevice:
      return "device memory";
    case Place::kDead:
      return "freed device memory";
    case Place::kHost:
      return "page-locked host memory";
    case Place::kForeign:
      return "host memory";
  }
  return "";
}

Way way_of(const Location &dst, const Location &src) {
  if (on_device(dst)) return on_device(src) ? Way::kDeviceToDevice : Way::kHostToDevice;
  return on_device(src) ? Way::kDeviceToHost : Way::kHostToHost;
}

// Where host and device memory are one, every kind fits.
bool one_memory() {
  const auto list = device_list_if_known();
  return list != nullptr && list->profile.host_is_device;
}

bool names_way(aclrtMemcpyKind kind, Way way) {
  if (one_memory()) return true;
  switch (kind) {
    case ACL_MEMCPY_HOST_TO_HOST:
      return way == Way::kHostToHost;
    case ACL_MEMCPY_HOST_TO_DEVICE:
    case ACL_MEMCPY_HOST_TO_BUF_TO_DEVICE:
      return way == Way::kHostToDevice;
    case ACL_MEMCPY_DEVICE_TO_HOST:
      return way == Way::kDeviceToHost;
    case ACL_MEMCPY_DEVICE_TO_DEVICE:
      return way == Way::kDeviceToDevice;
    default:
      return kind == ACL_MEMCPY_DEFAULT;
  }
}

aclError misfit(const Location &dst, const Location &src, aclrtMemcpyKind kind) {
  const bool host_target = kind == ACL_MEMCPY_HOST_TO_HOST || kind == ACL_MEMCPY_DEVICE_TO_HOST;
  const bool device_source =
      kind == ACL_MEMCPY_DEVICE_TO_HOST || kind == ACL_MEMCPY_DEVICE_TO_DEVICE;
  Check check = Check::CPY_03;
  if ((host_target && on_device(dst)) || (!device_source && on_device(src))) check = Check::CPY_04;
  if (kind == ACL_MEMCPY_DEFAULT) check = Check::CPY_11;
  return violation(check, ACL_ERROR_RT_PARAM_INVALID, "a copy of kind %d does not go from %s to %s",
                   static_cast<int>(kind), role(src), role(dst));
}

// A range that is not wholly inside one allocation. late: seen by the work when its turn came.
aclError out_of_range(const void *ptr, size_t size, bool late) {
  const Location location = locate(ptr);
  const aclError code = late ? ACL_ERROR_RT_DRV_INTERNAL_ERROR : ACL_ERROR_RT_PARAM_INVALID;
  Freed freed;
  if (late && location.place == Place::kDead && find_freed(ptr, &freed) && freed.in_use) {
    return fail(code, "%zu bytes not inside one allocation: %s", size,
                memory_text(ptr).c_str());  // the free was reported
  }
  return violation(location.place == Place::kDead ? Check::CPY_05 : Check::CPY_06, code,
                   "%zu bytes not inside one allocation: %s", size, memory_text(ptr).c_str());
}

// What is wrong although the copy can be done.
void look_at_copy(const Location &to, const Location &from, const void *dst, const void *src,
                  const CopyShape &shape) {
  const auto target = reinterpret_cast<uintptr_t>(dst);
  const auto source = reinterpret_cast<uintptr_t>(src);
  const uint64_t distance = target > source ? target - source : source - target;
  if (shape.rows == 1 && distance != 0 && distance < shape.width) {
    notice(Check::CPY_07, "%zu bytes from %p to %p", shape.width, src, dst);
  }
  const std::shared_ptr<Context> &context = current_context();
  for (const auto &[location, ptr] : {std::pair{&to, dst}, std::pair{&from, src}}) {
    if (location->device == nullptr || context == nullptr) continue;
    if (location->device == context->device) continue;
    notice(Check::CPY_08, "the current device is %d; %s", context->device->id,
           memory_text(ptr).c_str());
    return;
  }
}

std::shared_ptr<const InFlight> in_use(const std::vector<InFlight::Span> &spans) {
  return std::make_shared<const InFlight>(spans);
}

size_t reach(const CopyShape &shape, size_t pitch) {
  return shape.rows == 1 ? shape.width : pitch * (shape.rows - 1) + shape.width;
}

// One side of a copy, accessible.
struct Side {
  uint8_t *data = nullptr;
  DevicePin pin;
};

bool open_side(const void *ptr, bool device, size_t size, Side *side) {
  if (!device) {
    side->data = static_cast<uint8_t *>(const_cast<void *>(ptr));
    return locate(ptr).room >= size;
  }
  side->pin = pin_device(ptr, size);
  side->data = side->pin.data();
  return static_cast<bool>(side->pin);
}

void move_through_window(uint8_t *dst, const uint8_t *src, const CopyShape &shape, Way way) {
  uint8_t *const device = window();
  for (size_t row = 0; row < shape.rows && way != Way::kDeviceToDevice; ++row) {
    for (size_t done = 0; done < shape.width; done += kWindowBytes) {
      const size_t count = std::min(kWindowBytes, shape.width - done);
      if (way == Way::kHostToDevice) {
        std::memcpy(device, src + row * shape.src_pitch + done, count);
      } else {
        std::memcpy(dst + row * shape.dst_pitch + done, device, count);
      }
    }
  }
}

void move_bytes(uint8_t *dst, const uint8_t *src, const CopyShape &shape) {
  for (size_t row = 0; row < shape.rows; ++row) {
    std::memmove(dst + row * shape.dst_pitch, src + row * shape.src_pitch, shape.width);
  }
}

// Does the copy. late: queued before.
aclError copy_bytes(void *dst, const void *src, const CopyShape &shape, Way way, bool late) {
  const bool to_device = way == Way::kHostToDevice || way == Way::kDeviceToDevice;
  const bool from_device = way == Way::kDeviceToHost || way == Way::kDeviceToDevice;
  Side to;
  Side from;
  const size_t dst_reach = reach(shape, shape.dst_pitch);
  const size_t src_reach = reach(shape, shape.src_pitch);
  if (!open_side(dst, to_device, dst_reach, &to)) return out_of_range(dst, dst_reach, late);
  if (!open_side(src, from_device, src_reach, &from)) return out_of_range(src, src_reach, late);
  const Device *device = to_device ? &to.pin.device() : from_device ? &from.pin.device() : nullptr;
  if (device != nullptr && device->profile.window) {
    move_through_window(to.data, from.data, shape, way);
  } else {
    move_bytes(to.data, from.data, shape);
  }
  return ACL_SUCCESS;
}

Cost copy_cost(const Location &dst, const Location &src, const CopyShape &shape, Way way,
               bool pinned) {
  const size_t bytes = shape.width * shape.rows;
  Cost cost;
  switch (way) {
    case Way::kHostToDevice: {
      Device &device = *dst.device;
      cost = {&device.h2d, "copy h2d", 0, device.profile.h2d_us(bytes, pinned)};
      break;
    }
    case Way::kDeviceToHost: {
      Device &device = *src.device;
      cost = {&device.d2h, "copy d2h", 0, device.profile.d2h_us(bytes, pinned)};
      break;
    }
    case Way::kDeviceToDevice: {
      Device &device = *dst.device;
      cost = {&device.compute, "copy d2d", 0, device.profile.d2d_us(bytes)};
      break;
    }
    case Way::kHostToHost:
      break;
  }
  return cost;
}

Cost fill_cost(const Location &location, size_t bytes) {
  if (!on_device(location)) return {};
  Device &device = *location.device;
  return {&device.compute, "set", 0, device.profile.d2d_us(bytes)};
}

aclError check_fill_target(const void *dst, aclError code) {
  if (locate(dst).place != Place::kForeign) return ACL_SUCCESS;
  return violation(Check::CPY_10, code, "%s", memory_text(dst).c_str());
}

aclError fill_bytes(void *dst, const Fill &fill, bool late) {
  const Location location = locate(dst);
  Side side;
  if (!open_side(dst, on_device(location), fill.bytes, &side)) {
    return out_of_range(dst, fill.bytes, late);
  }
  if (!fill.words) {
    std::memset(side.data, static_cast<int>(fill.value & 0xffu), fill.bytes);
  } else {
    for (size_t at = 0; at < fill.bytes; at += sizeof fill.value) {
      std::memcpy(side.data + at, &fill.value, sizeof fill.value);
    }
  }
  return ACL_SUCCESS;
}

}  // namespace

uint8_t *window() {
  alignas(64) static thread_local std::array<uint8_t, kWindowBytes> memory;
  return memory.data();
}

aclError copy_now(void *dst, const void *src, const CopyShape &shape, aclrtMemcpyKind kind) {
  const Location to = locate(dst);
  const Location from = locate(src);
  const Way way = way_of(to, from);
  if (!names_way(kind, way)) return misfit(to, from, kind);
  look_at_copy(to, from, dst, src, shape);
  const Location &host = on_device(to) ? from : to;
  return occupy(copy_cost(to, from, shape, way, host.place == Place::kHost),
                [&] { return copy_bytes(dst, src, shape, way, false); });
}

aclError copy_queued(void *dst, const void *src, const CopyShape &shape, aclrtMemcpyKind kind,
                     std::shared_ptr<Stream> stream, bool pinned_only) {
  std::shared_ptr<Context> context;
  if (const aclError code = need_context(&context)) return code;
  const Location to = locate(dst);
  const Location from = locate(src);
  const Way way = way_of(to, from);
  const bool known = to.place != Place::kForeign && from.place != Place::kForeign;
  if (way == Way::kHostToHost &&
      (known || kind == ACL_MEMCPY_HOST_TO_HOST || kind == ACL_MEMCPY_DEFAULT)) {
    return violation(Check::CPY_09, ACL_ERROR_RT_FEATURE_NOT_SUPPORT,
                     "copies from host to host are not asynchronous");
  }
  if (known) {
    // The kind is corrected from the addresses; only staging has to be what it says.
    if (kind == ACL_MEMCPY_HOST_TO_BUF_TO_DEVICE && way != Way::kHostToDevice) {
      return misfit(to, from, kind);
    }
  } else {
    const bool fits = names_way(kind, way) && kind != ACL_MEMCPY_DEFAULT;
    const bool device_kind = kind == ACL_MEMCPY_DEVICE_TO_DEVICE && way != Way::kHostToHost;
    if (!fits && !device_kind) return misfit(to, from, kind);
  }
  for (const auto &[location, ptr, pitch] :
       {std::tuple{&to, static_cast<const void *>(dst), shape.dst_pitch},
        std::tuple{&from, src, shape.src_pitch}}) {
    const size_t size = reach(shape, pitch);
    const bool fits = on_device(*location) ? bool(pin_device(ptr, size)) : location->room >= size;
    if (!fits) return out_of_range(ptr, size, false);
  }
  if (dst == src) return ACL_SUCCESS;
  look_at_copy(to, from, dst, src, shape);

  if (kind == ACL_MEMCPY_HOST_TO_BUF_TO_DEVICE) {
    if (const aclError code = enter_stream(&stream)) return code;
    const auto *bytes = static_cast<const uint8_t *>(src);
    auto staged =
        std::make_shared<std::vector<uint8_t>>(bytes, bytes + reach(shape, shape.src_pitch));
    auto use = in_use({{dst, reach(shape, shape.dst_pitch)}});
    return stream->push({"copy",
                         [dst, staged, shape, way, use = std::move(use)](Stream &) {
                           return copy_bytes(dst, staged->data(), shape, way, true);
                         },
                         copy_cost(to, from, shape, way, true)});
  }
  if (!known) {
    if (pinned_only) {
      return violation(Check::CPY_11, ACL_ERROR_RT_PARAM_INVALID,
                       "the host memory is not page-locked");
    }
    // Pageable memory: everything that was queued first, errors included. Any context's stream.
    if (stream == nullptr) stream = context->default_stream();
    if (const aclError code = stream->synchronize(-1)) return code;
    return occupy(copy_cost(to, from, shape, way, false),
                  [&] { return copy_bytes(dst, src, shape, way, false); });
  }
  if (const aclError code = enter_stream(&stream)) return code;
  auto use = in_use({{dst, reach(shape, shape.dst_pitch)}, {src, reach(shape, shape.src_pitch)}});
  return stream->push({"copy",
                       [dst, src, shape, way, use = std::move(use)](Stream &) {
                         return copy_bytes(dst, src, shape, way, true);
                       },
                       copy_cost(to, from, shape, way, true)});
}

aclError fill_now(void *dst, const Fill &fill) {
  if (const aclError code = check_fill_target(dst, ACL_ERROR_RT_PARAM_INVALID)) return code;
  return occupy(fill_cost(locate(dst), fill.bytes), [&] { return fill_bytes(dst, fill, false); });
}

aclError fill_queued(void *dst, const Fill &fill, const std::shared_ptr<Stream> &stream) {
  const Location location = locate(dst);
  const bool known = location.place != Place::kForeign;
  auto use = in_use({{dst, fill.bytes}});
  return stream->push({"set",
                       [dst, fill, known, use = std::move(use)](Stream &) {
                         if (!known) return check_fill_target(dst, ACL_ERROR_RT_DRV_INTERNAL_ERROR);
                         return fill_bytes(dst, fill, true);
                       },
                       fill_cost(location, fill.bytes)});
}

}  // namespace aclfake
