// SPDX-License-Identifier: Apache-2.0
#include "fake/device.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "fake/arena.h"
#include "fake/context.h"
#include "fake/memory.h"
#include "fake/messages.h"

namespace aclfake {
namespace {

struct Registry {
  std::mutex mutex;
  std::shared_ptr<const DeviceList> list;
};

Registry &registry() {
  static Registry *const instance = new Registry;
  return *instance;
}

// The physical ids that ASCEND_RT_VISIBLE_DEVICES names; false if it is wrong as a whole.
bool visible_devices(uint32_t count, std::vector<int32_t> *ids) {
  const char *text = std::getenv("ASCEND_RT_VISIBLE_DEVICES");
  if (text == nullptr) {
    for (uint32_t id = 0; id < count; ++id) ids->push_back(static_cast<int32_t>(id));
    return count != 0;
  }
  // Items are taken up to the first that is no number or no device; what was taken must ascend.
  const std::string list = text;
  size_t start = 0;
  while (start <= list.size()) {
    const size_t comma = std::min(list.find(',', start), list.size());
    const std::string item = list.substr(start, comma - start);
    if (item.empty() || item.size() > 6 ||
        item.find_first_not_of("0123456789") != std::string::npos) {
      break;
    }
    const int32_t id = std::atoi(item.c_str());
    if (id >= static_cast<int32_t>(count)) break;
    if (!ids->empty() && id <= ids->back()) return false;
    ids->push_back(id);
    start = comma + 1;
  }
  return !ids->empty();
}

}  // namespace

Engine::Turn::Turn(Engine &engine) : engine_(engine) {
  std::unique_lock<std::mutex> lock(engine_.mutex_);
  const uint64_t mine = engine_.next_++;
  engine_.changed_.wait(lock, [&] { return engine_.serving_ == mine; });
}

Engine::Turn::~Turn() {
  {
    std::lock_guard<std::mutex> lock(engine_.mutex_);
    ++engine_.serving_;
  }
  engine_.changed_.notify_all();
}

Device::Device(int32_t visible_id, int32_t physical_id, const Profile &board)
    : id(visible_id),
      physical(physical_id),
      profile(board),
      arena(std::make_unique<Arena>(board.memory_bytes)) {}

Device::~Device() = default;

std::shared_ptr<const DeviceList> device_list() {
  Registry &known = registry();
  std::lock_guard<std::mutex> lock(known.mutex);
  if (known.list == nullptr) {
    auto list = std::make_shared<DeviceList>();
    list->profile = profile_from_environment();
    std::vector<int32_t> ids;
    list->valid = visible_devices(list->profile.device_count, &ids);
    if (!list->valid) ids.clear();
    for (size_t index = 0; index < ids.size(); ++index) {
      list->devices.push_back(
          std::make_shared<Device>(static_cast<int32_t>(index), ids[index], list->profile));
    }
    known.list = std::move(list);
  }
  return known.list;
}

std::shared_ptr<const DeviceList> device_list_if_known() {
  Registry &known = registry();
  std::lock_guard<std::mutex> lock(known.mutex);
  return known.list;
}

std::shared_ptr<Device> find_device(int64_t id) {
  const auto list = device_list();
  if (id < 0 || id >= static_cast<int64_t>(list->devices.size())) return nullptr;
  return list->devices[static_cast<size_t>(id)];
}

void forget_devices() {
  Registry &known = registry();
  std::shared_ptr<const DeviceList> old;
  std::lock_guard<std::mutex> lock(known.mutex);
  old.swap(known.list);
}

aclError set_device(int32_t id) {
  const std::shared_ptr<Device> device = find_device(id);
  if (device == nullptr) {
    return fail(ACL_ERROR_RT_INVALID_DEVICEID, "device id %d is not in [0, %zu)", id,
                device_list()->devices.size());
  }
  std::lock_guard<std::mutex> lock(device->mutex);
  if (device->primary == nullptr) device->primary = Context::create(device, true);
  ++device->set_count;
  choose_context(device->primary);
  return ACL_SUCCESS;
}

aclError reset_device(int32_t id, bool force) {
  const std::shared_ptr<Device> device = find_device(id);
  if (device == nullptr) {
    return fail(ACL_ERROR_RT_INVALID_DEVICEID, "device id %d is not in [0, %zu)", id,
                device_list()->devices.size());
  }
  std::lock_guard<std::mutex> lock(device->mutex);
  if (device->set_count == 0) {
    return fail(ACL_ERROR_RT_CONTEXT_RELEASE_ERROR,
                "device %d was never set or is reset completely already", id);
  }
  if (!force && device->set_count > 1) {
    --device->set_count;
    return ACL_SUCCESS;
  }
  device->set_count = 0;
  const std::shared_ptr<Context> primary = std::move(device->primary);
  device->primary = nullptr;
  primary->destroy(true);
  // Contexts of aclrtCreateContext keep the device, and with it its memory, in use.
  if (device->contexts.load() == 0) free_all(*device);
  return ACL_SUCCESS;
}

}  // namespace aclfake
