// SPDX-License-Identifier: Apache-2.0
#include "fake/leftovers.h"

#include <string>

#include "fake/aipp.h"
#include "fake/checks.h"
#include "fake/data_buffer.h"
#include "fake/dataset.h"
#include "fake/description.h"
#include "fake/event.h"
#include "fake/faults.h"
#include "fake/memory.h"
#include "fake/model.h"
#include "fake/model_config.h"
#include "fake/profiling.h"
#include "fake/stream.h"
#include "fake/stream_config.h"
#include "fake/tensor_desc.h"

namespace aclfake {
namespace {

// Objects of one check: how many, and one of them.
class Left {
 public:
  explicit Left(Check check, const char *what) : check_(check), what_(what) {}

  // What a fault denied to its maker is nobody's to release.
  void add(const Origin &made) {
    if (faults::is_denied(made.call, made.number)) return;
    if (++count_ == 1) first_ = made;
  }

  template <class T, class Which>
  Left &take(Which &&which) {
    for (const auto &object : handles<T>().live()) {
      if (object.counted && which(*object.object)) add(object.made);
    }
    return *this;
  }

  template <class T>
  Left &take() {
    return take<T>([](const T &) { return true; });
  }

  // Whether there was anything to report.
  bool report() const {
    if (count_ == 0) return false;
    notice(check_, "%zu %s, the first made by %s", count_, what_, origin_text(first_).c_str());
    return true;
  }

 private:
  const Check check_;
  const char *const what_;
  size_t count_ = 0;
  Origin first_;
};

bool made_by_execution(const Origin &made) {
  return made.call == Call::aclmdlExecute || made.call == Call::aclmdlExecuteV2;
}

bool report_memory(Check device_check, const Device *device) {
  Left on_device(device_check, "allocations of device memory");
  Left outputs(Check::FIN_16, "outputs allocated by an execution");
  for (const LiveMemory &memory : live_memory()) {
    if (memory.kind != Kind::kDeviceMemory) continue;
    if (device != nullptr && locate(memory.address).device.get() != device) continue;
    (made_by_execution(memory.made) ? outputs : on_device).add(memory.made);
  }
  const bool any = on_device.report();
  return outputs.report() || any;
}

bool report_host_memory() {
  Left left(Check::FIN_09, "allocations of host memory");
  for (const LiveMemory &memory : live_memory()) {
    if (memory.kind == Kind::kHostMemory) left.add(memory.made);
  }
  return left.report();
}

bool report_models() {
  Left left(Check::FIN_10, "models");
  for (const auto &model : live_models()) left.add(model->made);
  return left.report();
}

}  // namespace

void report_left_at_finalize() {
  bool any = Left(Check::FIN_05, "contexts").take<Context>().report();
  any = Left(Check::FIN_06, "streams").take<Stream>().report() || any;
  any = Left(Check::FIN_07, "events").take<Event>().report() || any;
  any = report_memory(Check::FIN_08, nullptr) || any;
  any = report_host_memory() || any;
  any = report_models() || any;
  any = Left(Check::FIN_11, "datasets").take<Dataset>().report() || any;
  any = Left(Check::FIN_12, "data buffers").take<DataBuffer>().report() || any;
  any = Left(Check::FIN_13, "tensor descs").take<TensorDescArray>().report() || any;
  any = Left(Check::FIN_14, "model descriptions").take<ModelDesc>().report() || any;
  Left handles_left(Check::FIN_15, "handles");
  handles_left.take<LoadConfig>().take<ExecConfig>().take<StreamConfig>().take<Aipp>();
  handles_left.take<ProfilingObject>();
  any = handles_left.report() || any;
  // A device that is still set is told on its own only: what is left on it keeps it set, mostly.
  const auto list = device_list_if_known();
  if (any || list == nullptr) return;
  for (const auto &device : list->devices) {
    uint32_t count;
    {
      std::lock_guard<std::mutex> lock(device->mutex);
      count = device->set_count;
    }
    if (count > 0) {
      notice(Check::FIN_04, "device %d is set %u times more than it was reset", device->id, count);
    }
  }
}

void report_left_at_reset(const std::shared_ptr<Device> &device,
                          const std::shared_ptr<Context> &primary) {
  Left(Check::DEV_03, "streams")
      .take<Stream>([&](const Stream &stream) { return stream.context.lock() == primary; })
      .report();
  Left models(Check::DEV_07, "models");
  for (const auto &model : live_models()) {
    if (model->context.lock() == primary) models.add(model->made);
  }
  models.report();
  Left contexts(Check::DEV_05, "contexts");
  contexts
      .take<Context>(
          [&](const Context &context) { return context.device == device && !context.primary; })
      .report();
  // Explicit contexts keep the device in use, and nothing says whose an event or memory is.
  if (device->contexts.load() != 0) return;
  Left(Check::DEV_04, "events")
      .take<Event>([&](const Event &event) { return event.device() == device; })
      .report();
  report_memory(Check::DEV_06, device.get());
}

}  // namespace aclfake
