// SPDX-License-Identifier: Apache-2.0
//
// Contract 12.2: tensor descriptions.
#include <string>

#include "acl/abi.h"
#include "fake/entry.h"
#include "fake/handle_check.h"
#include "fake/tensor_desc.h"

using namespace aclfake;

namespace {

using DescPtr = std::shared_ptr<TensorDesc>;

aclError need_desc(const aclTensorDesc *handle, DescPtr *desc) {
  Miss miss;
  *desc = find_tensor_desc(handle, &miss);
  if (*desc != nullptr) return ACL_SUCCESS;
  return bad_handle<TensorDescArray>(ACL_ERROR_INVALID_PARAM, handle, miss);
}

// A getter: neutral for a bad handle, else get(desc).
template <class Value, class Get>
Value read(Call call, const aclTensorDesc *handle, Value neutral, Get &&get) {
  return value_entry(call, neutral, [&]() -> Value {
    Miss miss;
    const DescPtr desc = find_tensor_desc(handle, &miss);
    if (desc != nullptr) return get(*desc);
    bad_handle<TensorDescArray>(ACL_SUCCESS, handle, miss);
    return neutral;
  });
}

// A setter: 100000 for a bad handle, else set(desc).
template <class Set>
aclError change(Call call, const aclTensorDesc *handle, Set &&set) {
  return entry(call, [&]() -> aclError {
    DescPtr desc;
    if (const aclError code = need_desc(handle, &desc)) return code;
    return set(*desc);
  });
}

aclError set_dims(std::vector<int64_t> *target, int count, const int64_t *dims) {
  if (count < 0 || dims == nullptr) {
    return fail(ACL_ERROR_INVALID_PARAM, "%d dims at %p", count, static_cast<const void *>(dims));
  }
  target->assign(dims, dims + count);
  return ACL_SUCCESS;
}

// Format setters answer 0 for NULL too; a handle that is no desc is still an error.
aclError set_format(Call call, aclTensorDesc *handle, aclFormat TensorDesc::*field,
                    aclFormat format) {
  return entry(call, [&]() -> aclError {
    if (handle == nullptr) return ACL_SUCCESS;
    DescPtr desc;
    if (const aclError code = need_desc(handle, &desc)) return code;
    desc.get()->*field = format;
    return ACL_SUCCESS;
  });
}

aclError set_ranges(std::vector<std::pair<int64_t, int64_t>> *target, size_t count,
                    int64_t (*ranges)[2]) {
  if (count > 0 && ranges == nullptr) return fail(ACL_ERROR_INVALID_PARAM, "the ranges are NULL");
  target->clear();
  for (size_t index = 0; index < count; ++index) {
    target->emplace_back(ranges[index][0], ranges[index][1]);
  }
  return ACL_SUCCESS;
}

constexpr int64_t kUnknownRankDim = -2;

}  // namespace

aclTensorDesc *aclCreateTensorDesc(aclDataType dataType, int numDims, const int64_t *dims,
                                   aclFormat format) {
  return value_entry(Call::aclCreateTensorDesc, static_cast<aclTensorDesc *>(nullptr),
                     [&]() -> aclTensorDesc * {
                       if (numDims < 0 || (numDims > 0 && dims == nullptr)) {
                         complain("%d dims at %p", numDims, static_cast<const void *>(dims));
                         return nullptr;
                       }
                       TensorDesc desc;
                       desc.type = dataType;
                       desc.format = format;
                       if (numDims > 0) desc.dims.assign(dims, dims + numDims);
                       return publish_tensor_descs({std::move(desc)}, false);
                     });
}

void aclDestroyTensorDesc(const aclTensorDesc *desc) {
  void_entry(Call::aclDestroyTensorDesc, [&] {
    if (desc == nullptr) return;
    Miss miss;
    uint32_t element = 0;
    const auto array = handles<TensorDescArray>().find(desc, &miss, &element);
    if (array == nullptr) {
      bad_handle<TensorDescArray>(ACL_SUCCESS, desc, miss, Want::kDestroy);
    } else if (array->borrowed) {
      notice(Check::DSC_05, "the tensor desc %p belongs to a dataset",
             static_cast<const void *>(desc));
    } else if (element != 0) {
      complain("an array of tensor descs is destroyed by its first element");
    } else {
      handles<TensorDescArray>().remove(desc);
    }
  });
}

aclDataType aclGetTensorDescType(const aclTensorDesc *desc) {
  return read(Call::aclGetTensorDescType, desc, ACL_DT_UNDEFINED,
              [](const TensorDesc &item) { return item.type; });
}

aclFormat aclGetTensorDescFormat(const aclTensorDesc *desc) {
  return read(Call::aclGetTensorDescFormat, desc, ACL_FORMAT_UNDEFINED,
              [](const TensorDesc &item) { return item.format; });
}

size_t aclGetTensorDescElementCount(const aclTensorDesc *desc) {
  return read(Call::aclGetTensorDescElementCount, desc, size_t{0},
              [](const TensorDesc &item) { return item.element_count(); });
}

size_t aclGetTensorDescSize(const aclTensorDesc *desc) {
  return read(Call::aclGetTensorDescSize, desc, size_t{0},
              [](const TensorDesc &item) { return item.byte_size(); });
}

size_t aclGetTensorDescNumDims(const aclTensorDesc *desc) {
  return read(Call::aclGetTensorDescNumDims, desc, size_t{0}, [](const TensorDesc &item) {
    const bool unknown = !item.dims.empty() && item.dims[0] == kUnknownRankDim;
    return unknown ? static_cast<size_t>(ACL_UNKNOWN_RANK) : item.dims.size();
  });
}

int64_t aclGetTensorDescDim(const aclTensorDesc *desc, size_t index) {
  return read(Call::aclGetTensorDescDim, desc, int64_t{-1}, [&](const TensorDesc &item) -> int64_t {
    if (index < item.dims.size()) return item.dims[index];
    complain("dim %zu of %zu", index, item.dims.size());
    return -1;
  });
}

aclError aclGetTensorDescDimV2(const aclTensorDesc *desc, size_t index, int64_t *dimSize) {
  return change(Call::aclGetTensorDescDimV2, desc, [&](const TensorDesc &item) -> aclError {
    if (dimSize == nullptr) return fail(ACL_ERROR_INVALID_PARAM, "dimSize is NULL");
    if (index >= item.dims.size()) {
      return fail(ACL_ERROR_INVALID_PARAM, "dim %zu of %zu", index, item.dims.size());
    }
    *dimSize = item.dims[index];
    return ACL_SUCCESS;
  });
}

aclError aclGetTensorDescDimRange(const aclTensorDesc *desc, size_t index, size_t dimRangeNum,
                                  int64_t *dimRange) {
  return change(Call::aclGetTensorDescDimRange, desc, [&](const TensorDesc &item) -> aclError {
    if (dimRange == nullptr || dimRangeNum < 2) {
      return fail(ACL_ERROR_INVALID_PARAM, "dimRange needs room for 2 values, has %zu at %p",
                  dimRangeNum, static_cast<const void *>(dimRange));
    }
    if (index >= item.range.size()) {
      return fail(ACL_ERROR_INVALID_PARAM, "no range for dim %zu (%zu ranges)", index,
                  item.range.size());
    }
    dimRange[0] = item.range[index].first;
    dimRange[1] = item.range[index].second;
    return ACL_SUCCESS;
  });
}

const char *aclGetTensorDescName(aclTensorDesc *desc) {
  return read(Call::aclGetTensorDescName, desc, "",
              [](const TensorDesc &item) { return item.name.c_str(); });
}

void aclSetTensorDescName(aclTensorDesc *desc, const char *name) {
  void_entry(Call::aclSetTensorDescName, [&] {
    DescPtr item;
    if (need_desc(desc, &item) == ACL_SUCCESS) item->name = name != nullptr ? name : "";
  });
}

void *aclGetTensorDescAddress(const aclTensorDesc *desc) {
  return read(Call::aclGetTensorDescAddress, desc, static_cast<void *>(nullptr),
              [](TensorDesc &item) -> void * {
                return item.constant.empty() ? nullptr : item.constant.data();
              });
}

aclTensorDesc *aclGetTensorDescByIndex(aclTensorDesc *desc, size_t index) {
  return value_entry(Call::aclGetTensorDescByIndex, static_cast<aclTensorDesc *>(nullptr),
                     [&]() -> aclTensorDesc * {
                       // The element bits are the lowest: the next desc's handle is one higher.
                       auto *address = reinterpret_cast<char *>(desc);
                       if (desc != nullptr && index < kMaxElements) {
                         auto *element = reinterpret_cast<aclTensorDesc *>(address + index);
                         if (find_tensor_desc(element) != nullptr) return element;
                       }
                       complain("no tensor desc %zu in the array at %p", index,
                                static_cast<void *>(desc));
                       return nullptr;
                     });
}

aclError aclSetTensorFormat(aclTensorDesc *desc, aclFormat format) {
  return set_format(Call::aclSetTensorFormat, desc, &TensorDesc::storage_format, format);
}

aclError aclSetTensorStorageFormat(aclTensorDesc *desc, aclFormat format) {
  return set_format(Call::aclSetTensorStorageFormat, desc, &TensorDesc::storage_format, format);
}

aclError aclSetTensorOriginFormat(aclTensorDesc *desc, aclFormat format) {
  return set_format(Call::aclSetTensorOriginFormat, desc, &TensorDesc::format, format);
}

aclError aclSetTensorShape(aclTensorDesc *desc, int numDims, const int64_t *dims) {
  return change(Call::aclSetTensorShape, desc,
                [&](TensorDesc &item) { return set_dims(&item.storage_dims, numDims, dims); });
}

aclError aclSetTensorStorageShape(aclTensorDesc *desc, int numDims, const int64_t *dims) {
  return change(Call::aclSetTensorStorageShape, desc,
                [&](TensorDesc &item) { return set_dims(&item.storage_dims, numDims, dims); });
}

aclError aclSetTensorOriginShape(aclTensorDesc *desc, int numDims, const int64_t *dims) {
  return change(Call::aclSetTensorOriginShape, desc,
                [&](TensorDesc &item) { return set_dims(&item.dims, numDims, dims); });
}

aclError aclSetTensorShapeRange(aclTensorDesc *desc, size_t dimsCount, int64_t dimsRange[][2]) {
  return change(Call::aclSetTensorShapeRange, desc,
                [&](TensorDesc &item) { return set_ranges(&item.range, dimsCount, dimsRange); });
}

aclError aclSetTensorValueRange(aclTensorDesc *desc, size_t valueCount, int64_t valueRange[][2]) {
  return change(Call::aclSetTensorValueRange, desc, [&](TensorDesc &item) {
    return set_ranges(&item.value_range, valueCount, valueRange);
  });
}

aclError aclSetTensorDynamicInput(aclTensorDesc *desc, const char *dynamicInputName) {
  return change(Call::aclSetTensorDynamicInput, desc, [&](TensorDesc &item) -> aclError {
    if (dynamicInputName == nullptr) return fail(ACL_ERROR_INVALID_PARAM, "the name is NULL");
    item.dynamic_input = dynamicInputName;
    return ACL_SUCCESS;
  });
}

aclError aclSetTensorConst(aclTensorDesc *desc, void *dataBuffer, size_t length) {
  return change(Call::aclSetTensorConst, desc, [&](TensorDesc &item) -> aclError {
    if (dataBuffer == nullptr || length == 0) {
      return fail(ACL_ERROR_INVALID_PARAM, "%zu bytes at %p", length, dataBuffer);
    }
    const auto *bytes = static_cast<const uint8_t *>(dataBuffer);
    item.constant.assign(bytes, bytes + length);
    return ACL_SUCCESS;
  });
}

aclError aclSetTensorPlaceMent(aclTensorDesc *desc, aclMemType memType) {
  return change(Call::aclSetTensorPlaceMent, desc, [&](TensorDesc &item) -> aclError {
    item.placement = memType;
    return ACL_SUCCESS;
  });
}

aclError aclTransTensorDescFormat(const aclTensorDesc *, aclFormat, aclTensorDesc **) {
  return entry(Call::aclTransTensorDescFormat, [&]() -> aclError {
    return fail(ACL_ERROR_API_NOT_SUPPORT, "format conversion of descs is not implemented");
  });
}
