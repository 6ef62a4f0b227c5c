// SPDX-License-Identifier: Apache-2.0
//
// Exported functions: gears of dynamic batch, image size and dims. A setter writes the gear into
// the device memory of a data buffer at once, and remembers it in the model (for
// aclmdlGetCurOutputDims) and in the dataset (whose sizes are not tested any more). Nothing is
// written on an error.
#include <algorithm>
#include <cinttypes>

#include "fake/arguments.h"
#include "fake/copy.h"
#include "fake/dataset.h"
#include "fake/description.h"
#include "fake/entry.h"
#include "fake/in_flight.h"
#include "fake/model.h"

using namespace aclfake;  // the functions themselves are AscendCL's, in the global namespace

namespace {

constexpr size_t kAllInputs = static_cast<size_t>(-1);

// Where a setter writes: a slot of the dataset, which need not be the gear input's.
struct Target {
  std::shared_ptr<Dataset> dataset;
  std::shared_ptr<DataBuffer> buffer;
  size_t index = 0;
};

aclError need_target(const aclmdlDataset *handle, size_t index, Target *target) {
  if (const aclError code = need_handle(handle, "dataset", &target->dataset)) return code;
  const Dataset &dataset = *target->dataset;
  if (index >= dataset.size()) {
    return violation(Check::SET_06, ACL_ERROR_INVALID_PARAM,
                     "index %zu, the dataset has %zu buffers", index, dataset.size());
  }
  Miss miss = Miss::kNone;
  target->index = index;
  target->buffer = dataset.find_buffer(index, &miss);
  if (target->buffer == nullptr) {
    return violation(Check::SET_05, ACL_ERROR_INVALID_PARAM, "data buffer %zu %s", index,
                     miss_text(miss));
  }
  if (target->buffer->data.load() != nullptr) return ACL_SUCCESS;
  return violation(Check::DYN_01, ACL_ERROR_INVALID_PARAM, "data buffer %zu has no memory", index);
}

aclError need_room(const Target &target, size_t values) {
  const size_t size = target.buffer->size.load();
  if (size >= values * sizeof(uint32_t)) return ACL_SUCCESS;
  return violation(Check::DYN_02, ACL_ERROR_GE_DYNAMIC_INPUT_LENGTH_INVALID,
                   "data buffer %zu has %zu bytes, %zu values need %zu", target.index, size, values,
                   values * sizeof(uint32_t));
}

aclError need_gear_model(uint32_t id, std::shared_ptr<Model> *model) {
  if (const aclError code = need_model(id, model)) return code;
  if (!(*model)->description->shape_range) return ACL_SUCCESS;
  return violation(Check::DYN_03, ACL_ERROR_GE_EXEC_MODEL_ID_INVALID,
                   "model %u has no gears but ranges of dims", id);
}

aclError need_gear(const Model &model, om::Dynamic kind, const char *what,
                   const Gears::Values &values, size_t *gear) {
  const Gears &gears = model.description->gears;
  if (gears.kind != kind || !gears.any()) {
    return violation(Check::DYN_03, ACL_ERROR_GE_DYNAMIC_BATCH_SIZE_INVALID,
                     "model %u has no gears of %s", model.id, what);
  }
  if (const std::optional<size_t> found = gears.find(values)) {
    *gear = *found;
    return ACL_SUCCESS;
  }
  std::string given;
  for (const int64_t value : values) given += (given.empty() ? "" : ",") + std::to_string(value);
  return violation(Check::DYN_04, ACL_ERROR_GE_DYNAMIC_BATCH_SIZE_INVALID,
                   "%s %s is no gear of model %u, which has %s", what, given.c_str(), model.id,
                   gears.text().c_str());
}

aclError write_gear(Model &model, const Target &target, size_t gear) {
  const Gears &gears = model.description->gears;
  void *data = target.buffer->data.load();
  const size_t bytes = gears.value_bytes(target.buffer->size.load());
  const std::vector<uint8_t> block = Gears::encode(gears.gears[gear], bytes);
  if (target.index != gears.input) {
    notice(Check::DYN_05, "index %zu, the gear input of model %u is %zu", target.index, model.id,
           gears.input);
  }
  Origin by;
  if (in_flight(data, block.size(), &by)) {
    notice(Check::DYN_06, "the memory at %p is in use by work that %s queued", data,
           origin_text(by).c_str());
  }
  CopyShape shape;
  shape.width = block.size();
  if (const aclError code = copy_now(data, block.data(), shape, ACL_MEMCPY_HOST_TO_DEVICE)) {
    return code;
  }
  model.set_gear(gear);
  target.dataset->mark_gear();
  return ACL_SUCCESS;
}

// For the two setters that take values alone, in AscendCL's order of tests.
aclError set_gear(uint32_t id, const aclmdlDataset *dataset, size_t index, om::Dynamic kind,
                  const char *what, const Gears::Values &values) {
  Target target;
  if (const aclError code = need_target(dataset, index, &target)) return code;
  if (const aclError code = need_room(target, values.size())) return code;
  std::shared_ptr<Model> model;
  if (const aclError code = need_gear_model(id, &model)) return code;
  size_t gear = 0;
  if (const aclError code = need_gear(*model, kind, what, values, &gear)) return code;
  return write_gear(*model, target, gear);
}

// What a desc tells of gears of this kind; nullptr: none, or it was never filled.
const Gears *gears_of(const ModelDesc &desc, om::Dynamic kind) {
  if (desc.description == nullptr) return nullptr;
  const Gears &gears = desc.description->gears;
  return gears.kind == kind && gears.any() ? &gears : nullptr;
}

aclError too_many(const char *what, size_t count, size_t limit) {
  return fail(ACL_ERROR_STORAGE_OVER_LIMIT, "the model has %zu %s, at most %zu fit", count, what,
              limit);
}

aclError need_all_inputs(size_t index) {
  if (index == kAllInputs) return ACL_SUCCESS;
  return violation(Check::DYN_07, ACL_ERROR_INVALID_PARAM, "index must be (size_t)-1, given %zu",
                   index);
}

}  // namespace

aclError aclmdlGetDynamicBatch(const aclmdlDesc *modelDesc, aclmdlBatch *batch) {
  return entry(Call::aclmdlGetDynamicBatch, [&]() -> aclError {
    std::shared_ptr<ModelDesc> desc;
    if (const aclError code = need_handle(modelDesc, "model desc", &desc)) return code;
    if (const aclError code = need_pointer(batch, "batch")) return code;
    const Gears *gears = gears_of(*desc, om::Dynamic::kBatch);
    const size_t count = gears != nullptr ? gears->gears.size() : 0;
    if (count > ACL_MAX_BATCH_NUM) return too_many("batch sizes", count, ACL_MAX_BATCH_NUM);
    batch->batchCount = count;
    for (size_t i = 0; i < count; ++i) {
      batch->batch[i] = static_cast<uint64_t>(gears->gears[i].at(0));
    }
    return ACL_SUCCESS;
  });
}

aclError aclmdlSetDynamicBatchSize(uint32_t modelId, aclmdlDataset *dataset, size_t index,
                                   uint64_t batchSize) {
  return entry(Call::aclmdlSetDynamicBatchSize, [&]() -> aclError {
    if (batchSize == 0) return fail(ACL_ERROR_INVALID_PARAM, "batchSize is 0");
    return set_gear(modelId, dataset, index, om::Dynamic::kBatch, "batch",
                    {static_cast<int64_t>(batchSize)});
  });
}

aclError aclmdlGetDynamicHW(const aclmdlDesc *modelDesc, size_t, aclmdlHW *hw) {
  return entry(Call::aclmdlGetDynamicHW, [&]() -> aclError {
    std::shared_ptr<ModelDesc> desc;
    if (const aclError code = need_handle(modelDesc, "model desc", &desc)) return code;
    if (const aclError code = need_pointer(hw, "hw")) return code;
    const Gears *gears = gears_of(*desc, om::Dynamic::kImage);
    const size_t count = gears != nullptr ? gears->gears.size() : 0;
    if (count > ACL_MAX_HW_NUM) return too_many("image sizes", count, ACL_MAX_HW_NUM);
    hw->hwCount = count;
    for (size_t i = 0; i < count; ++i) {
      for (size_t j = 0; j < 2; ++j) hw->hw[i][j] = static_cast<uint64_t>(gears->gears[i].at(j));
    }
    return ACL_SUCCESS;
  });
}

aclError aclmdlSetDynamicHWSize(uint32_t modelId, aclmdlDataset *dataset, size_t index,
                                uint64_t height, uint64_t width) {
  return entry(Call::aclmdlSetDynamicHWSize, [&]() -> aclError {
    if (height == 0 || width == 0) return fail(ACL_ERROR_INVALID_PARAM, "height or width is 0");
    return set_gear(modelId, dataset, index, om::Dynamic::kImage, "image size",
                    {static_cast<int64_t>(height), static_cast<int64_t>(width)});
  });
}

aclError aclmdlGetInputDynamicGearCount(const aclmdlDesc *modelDesc, size_t index,
                                        size_t *gearCount) {
  return entry(Call::aclmdlGetInputDynamicGearCount, [&]() -> aclError {
    std::shared_ptr<ModelDesc> desc;
    if (const aclError code = need_handle(modelDesc, "model desc", &desc)) return code;
    if (const aclError code = need_pointer(gearCount, "gearCount")) return code;
    if (const aclError code = need_all_inputs(index)) return code;
    const Gears *gears = gears_of(*desc, om::Dynamic::kDims);
    const size_t count = gears != nullptr ? gears->gears.size() : 0;
    if (count > ACL_MAX_SHAPE_COUNT) return too_many("gears", count, ACL_MAX_SHAPE_COUNT);
    *gearCount = count;
    return ACL_SUCCESS;
  });
}

aclError aclmdlGetInputDynamicDims(const aclmdlDesc *modelDesc, size_t index, aclmdlIODims *dims,
                                   size_t gearCount) {
  return entry(Call::aclmdlGetInputDynamicDims, [&]() -> aclError {
    std::shared_ptr<ModelDesc> desc;
    if (const aclError code = need_handle(modelDesc, "model desc", &desc)) return code;
    if (const aclError code = need_pointer(dims, "dims")) return code;
    if (const aclError code = need_all_inputs(index)) return code;
    const Gears *gears = gears_of(*desc, om::Dynamic::kDims);
    const size_t count = gears != nullptr ? gears->gears.size() : 0;
    if (gearCount < count) {
      return fail(ACL_ERROR_INVALID_PARAM, "room for %zu gears, the model has %zu", gearCount,
                  count);
    }
    if (count > 0 && gears->all_dims().size() > ACL_MAX_DIM_CNT) {
      return too_many("dims in all inputs", gears->all_dims().size(), ACL_MAX_DIM_CNT);
    }
    for (size_t gear = 0; gear < count; ++gear) {
      const Gears::Dims all = gears->all_dims(gear);
      dims[gear].dimCount = all.size();
      std::copy(all.begin(), all.end(), dims[gear].dims);
    }
    return ACL_SUCCESS;
  });
}

aclError aclmdlSetInputDynamicDims(uint32_t modelId, aclmdlDataset *dataset, size_t index,
                                   const aclmdlIODims *dims) {
  return entry(Call::aclmdlSetInputDynamicDims, [&]() -> aclError {
    if (const aclError code = need_pointer(dims, "dims")) return code;
    if (dims->dimCount == 0) return fail(ACL_ERROR_INVALID_PARAM, "dimCount is 0");
    Target target;
    if (const aclError code = need_target(dataset, index, &target)) return code;
    std::shared_ptr<Model> model;
    if (const aclError code = need_gear_model(modelId, &model)) return code;
    const Gears &gears = model->description->gears;
    if (gears.kind != om::Dynamic::kDims || !gears.any()) {
      return violation(Check::DYN_03, ACL_ERROR_GE_DYNAMIC_INPUT_LENGTH_INVALID,
                       "%zu dims are given, model %u has no gears of dims", dims->dimCount,
                       modelId);
    }
    const Gears::Dims &all = gears.all_dims();
    if (dims->dimCount != all.size()) {
      return violation(Check::DYN_08, ACL_ERROR_GE_DYNAMIC_INPUT_LENGTH_INVALID,
                       "%zu dims are given, the inputs of model %u have %zu", dims->dimCount,
                       modelId, all.size());
    }
    Gears::Values values;
    for (size_t i = 0; i < all.size(); ++i) {
      if (all[i] < 0) {
        values.push_back(dims->dims[i]);
      } else if (all[i] != dims->dims[i]) {
        return violation(Check::DYN_08, ACL_ERROR_GE_DYNAMIC_INPUT_LENGTH_INVALID,
                         "dim %zu is %" PRId64 ", in model %u it is always %" PRId64, i,
                         dims->dims[i], modelId, all[i]);
      }
    }
    size_t gear = 0;
    if (const aclError code = need_gear(*model, om::Dynamic::kDims, "dims", values, &gear)) {
      return code;
    }
    if (const aclError code = need_room(target, values.size())) return code;
    return write_gear(*model, target, gear);
  });
}
