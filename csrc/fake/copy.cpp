// SPDX-License-Identifier: Apache-2.0
#include "fake/copy.h"

#include <cstring>
#include <utility>
#include <vector>

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

bool names_way(aclrtMemcpyKind kind, Way way) {
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
  return fail(ACL_ERROR_RT_PARAM_INVALID, "a copy of kind %d does not go from %s to %s",
              static_cast<int>(kind), role(src), role(dst));
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
    return true;
  }
  side->pin = pin_device(ptr, size);
  side->data = side->pin.data();
  return static_cast<bool>(side->pin);
}

void move_bytes(uint8_t *dst, const uint8_t *src, const CopyShape &shape) {
  for (size_t row = 0; row < shape.rows; ++row) {
    std::memmove(dst + row * shape.dst_pitch, src + row * shape.src_pitch, shape.width);
  }
}

// Does the copy; refused is the code for a range that is not wholly inside one live allocation.
aclError copy_bytes(void *dst, const void *src, const CopyShape &shape, Way way, bool pinned,
                    aclError refused) {
  const bool to_device = way == Way::kHostToDevice || way == Way::kDeviceToDevice;
  const bool from_device = way == Way::kDeviceToHost || way == Way::kDeviceToDevice;
  Side to;
  Side from;
  const size_t dst_reach = reach(shape, shape.dst_pitch);
  const size_t src_reach = reach(shape, shape.src_pitch);
  if (!open_side(dst, to_device, dst_reach, &to)) {
    return fail(refused, "the target [%p, +%zu) is not inside one allocation of device memory", dst,
                dst_reach);
  }
  if (!open_side(src, from_device, src_reach, &from)) {
    return fail(refused, "the source [%p, +%zu) is not inside one allocation of device memory", src,
                src_reach);
  }
  const auto work = [&]() -> aclError {
    move_bytes(to.data, from.data, shape);
    return ACL_SUCCESS;
  };
  const size_t bytes = shape.width * shape.rows;
  switch (way) {
    case Way::kHostToDevice: {
      Device &device = to.pin.device();
      return device.h2d.run(device.profile.h2d_us(bytes, pinned), work);
    }
    case Way::kDeviceToHost: {
      Device &device = from.pin.device();
      return device.d2h.run(device.profile.d2h_us(bytes, pinned), work);
    }
    case Way::kDeviceToDevice: {
      Device &device = to.pin.device();
      return device.compute.run(device.profile.d2d_us(bytes), work);
    }
    case Way::kHostToHost:
      break;
  }
  return work();
}

aclError fill_bytes(void *dst, const Fill &fill, aclError refused) {
  const Location location = locate(dst);
  if (location.place == Place::kForeign) {
    return fail(refused, "%p is neither device memory nor host memory from AscendCL", dst);
  }
  Side side;
  if (!open_side(dst, on_device(location), fill.bytes, &side)) {
    return fail(refused, "[%p, +%zu) is not inside one allocation of device memory", dst,
                fill.bytes);
  }
  const auto work = [&]() -> aclError {
    if (!fill.words) {
      std::memset(side.data, static_cast<int>(fill.value & 0xffu), fill.bytes);
    } else {
      for (size_t at = 0; at < fill.bytes; at += sizeof fill.value) {
        std::memcpy(side.data + at, &fill.value, sizeof fill.value);
      }
    }
    return ACL_SUCCESS;
  };
  if (!on_device(location)) return work();
  Device &device = side.pin.device();
  return device.compute.run(device.profile.d2d_us(fill.bytes), work);
}

}  // namespace

aclError copy_now(void *dst, const void *src, const CopyShape &shape, aclrtMemcpyKind kind) {
  const Location to = locate(dst);
  const Location from = locate(src);
  const Way way = way_of(to, from);
  if (!names_way(kind, way)) return misfit(to, from, kind);
  const Location &host = on_device(to) ? from : to;
  return copy_bytes(dst, src, shape, way, host.place == Place::kHost, ACL_ERROR_RT_PARAM_INVALID);
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
    return fail(ACL_ERROR_RT_FEATURE_NOT_SUPPORT, "copies from host to host are not asynchronous");
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
    if (on_device(*location) && !pin_device(ptr, reach(shape, pitch))) {
      return fail(ACL_ERROR_RT_PARAM_INVALID,
                  "[%p, +%zu) is not inside one allocation of device memory", ptr,
                  reach(shape, pitch));
    }
  }
  if (dst == src) return ACL_SUCCESS;

  if (kind == ACL_MEMCPY_HOST_TO_BUF_TO_DEVICE) {
    if (const aclError code = enter_stream(&stream)) return code;
    const auto *bytes = static_cast<const uint8_t *>(src);
    auto staged =
        std::make_shared<std::vector<uint8_t>>(bytes, bytes + reach(shape, shape.src_pitch));
    return stream->push({"copy", [dst, staged, shape, way](Stream &) {
                           return copy_bytes(dst, staged->data(), shape, way, true,
                                             ACL_ERROR_RT_DRV_INTERNAL_ERROR);
                         }});
  }
  if (!known) {
    if (pinned_only) {
      return fail(ACL_ERROR_RT_PARAM_INVALID, "the host memory is not page-locked");
    }
    // Pageable memory: everything that was queued first, errors included. Any context's stream.
    if (stream == nullptr) stream = context->default_stream();
    if (const aclError code = stream->synchronize(-1)) return code;
    return copy_bytes(dst, src, shape, way, false, ACL_ERROR_RT_PARAM_INVALID);
  }
  if (const aclError code = enter_stream(&stream)) return code;
  return stream->push({"copy", [dst, src, shape, way](Stream &) {
                         return copy_bytes(dst, src, shape, way, true,
                                           ACL_ERROR_RT_DRV_INTERNAL_ERROR);
                       }});
}

aclError fill_now(void *dst, const Fill &fill) {
  return fill_bytes(dst, fill, ACL_ERROR_RT_PARAM_INVALID);
}

aclError fill_queued(void *dst, const Fill &fill, const std::shared_ptr<Stream> &stream) {
  return stream->push({"set", [dst, fill](Stream &) {
                         return fill_bytes(dst, fill, ACL_ERROR_RT_DRV_INTERNAL_ERROR);
                       }});
}

}  // namespace aclfake
