// SPDX-License-Identifier: Apache-2.0
#include "fake/device.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "fake/arena.h"
#include "fake/checks.h"
#include "fake/context.h"
#include "fake/faults.h"
#include "fake/leftovers.h"
#include "fake/memory.h"
#include "fake/messages.h"
#include "fake/quick.h"
#include "fake/scheduler.h"
#include "fake/state.h"

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

Device::Device(int32_t visible_id, int32_t physical_id, const Profile &board)
    : id(visible_id),
      physical(physical_id),
      profile(board),
      arena(std::make_unique<Arena>(board.memory_bytes, board.host_is_device)),
      h2d("h2d", visible_id),
      d2h("d2h", visible_id),
      compute("compute", visible_id, board.executes_at_once) {}

Device::~Device() = default;

std::shared_ptr<const DeviceList> device_list() {
  Registry &known = registry();
  std::lock_guard<std::mutex> lock(known.mutex);
  if (known.list == nullptr) {
    auto list = std::make_shared<DeviceList>();
    list->profile = profile_from_environment();
    use_scheduler(list->profile.deterministic, list->profile.seed);
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
  quick::changed();
}

aclError no_such_device(int64_t id, aclError code) {
  return violation(Check::DEV_01, code, "device id %lld is not in [0, %zu)",
                   static_cast<long long>(id), device_list()->devices.size());
}

aclError set_device(int32_t id) {
  const std::shared_ptr<Device> device = find_device(id);
  if (device == nullptr) return no_such_device(id, ACL_ERROR_RT_INVALID_DEVICEID);
  warn_unless_initialised();
  std::lock_guard<std::mutex> turn(device->turn);
  std::lock_guard<std::mutex> lock(device->mutex);
  if (device->primary == nullptr) device->primary = Context::create(device, true);
  ++device->set_count;
  choose_context(device->primary);
  return ACL_SUCCESS;
}

aclError reset_device(int32_t id, bool force) {
  const std::shared_ptr<Device> device = find_device(id);
  if (device == nullptr) return no_such_device(id, ACL_ERROR_RT_INVALID_DEVICEID);
  std::lock_guard<std::mutex> turn(device->turn);
  std::shared_ptr<Context> primary;
  {
    std::lock_guard<std::mutex> lock(device->mutex);
    if (device->set_count == 0) {
      return violation(Check::DEV_02, ACL_ERROR_RT_CONTEXT_RELEASE_ERROR,
                       "device %d was never set or is reset completely already", id);
    }
    if (!force && device->set_count > 1) {
      --device->set_count;
      return ACL_SUCCESS;
    }
    device->set_count = 0;
    primary = device->primary;
  }
  report_left_at_reset(device, primary);
  primary->destroy(true);  // callbacks that it waits for are served: the device stays known
  {
    std::lock_guard<std::mutex> lock(device->mutex);
    device->primary = nullptr;
  }
  faults::device_reset(id);
  // Contexts of aclrtCreateContext keep the device, and with it its memory, in use.
  if (device->contexts.load() == 0) free_all(*device);
  return ACL_SUCCESS;
}

}  // namespace aclfake
