// SPDX-License-Identifier: Apache-2.0
//
// Every length is compared with what is left of its record before it is used; nothing is aligned.
#include "om/tlv.h"

#include <string>

#include "om/descriptor.h"
#include "om/error.h"

namespace om {
namespace {

constexpr Cause kCause = Cause::kInoutInfo;
constexpr size_t kTensorHead = 32;
constexpr uint32_t kTypeCount = 7;

const char *const kTypeNames[kTypeCount] = {
    "MODEL_INOUT_INFO inputs",      "MODEL_INOUT_INFO outputs",
    "MODEL_INOUT_INFO batch gears", "MODEL_INOUT_INFO image size gears",
    "MODEL_INOUT_INFO dims gears",  "MODEL_INOUT_INFO output shapes",
    "MODEL_INOUT_INFO gear order"};

// Takes pieces from the front of one record's value.
class Cursor {
 public:
  Cursor(View value, const char *name) : value_(value), name_(name) {}

  size_t left() const { return value_.size - position_; }
  uint64_t offset() const { return value_.offset + position_; }

  View take(uint64_t length, const char *field) {
    if (length > left()) {
      fail(kCause, offset(), name(field),
           "at most " + std::to_string(left()) + " bytes (the rest of the record)", length);
    }
    const View piece = value_.sub(position_, static_cast<size_t>(length));
    position_ += piece.size;
    return piece;
  }
  uint32_t take_u32(const char *field) { return load_u32(take(4, field).data); }

  std::string name(const char *field) const { return std::string(name_) + "." + field; }

 private:
  View value_;
  const char *name_;
  size_t position_ = 0;
};

std::vector<int64_t> take_dims(Cursor &cursor, uint32_t length, uint64_t length_at,
                               const char *field) {
  if (length % 8 != 0 || length / 8 > kMaxRank) {
    fail(kCause, length_at, cursor.name(field), "a multiple of 8 up to 1024", length);
  }
  const View bytes = cursor.take(length, field);
  std::vector<int64_t> dims(bytes.size / 8);
  for (size_t i = 0; i < dims.size(); ++i) {
    dims[i] = static_cast<int64_t>(load_u64(bytes.data + 8 * i));
  }
  return dims;
}

Tensor take_tensor(Cursor &cursor) {
  const View head = cursor.take(kTensorHead, "tensor");
  Tensor tensor;
  tensor.size = load_u64(head.data);
  tensor.format = plain_format(load_u32(head.data + 8));
  tensor.dtype = static_cast<int32_t>(load_u32(head.data + 12));
  tensor.name = cursor.take(load_u32(head.data + 16), "name").text();
  tensor.dims = take_dims(cursor, load_u32(head.data + 20), head.offset + 20, "dims_len");
  tensor.dims_v2 = take_dims(cursor, load_u32(head.data + 24), head.offset + 24, "dimsV2_len");
  const std::vector<int64_t> range =
      take_dims(cursor, load_u32(head.data + 28), head.offset + 28, "shape_range_len");
  if (range.size() % 2 != 0) {
    fail(kCause, head.offset + 28, cursor.name("shape_range_len"), "a multiple of 16",
         range.size() * 8);
  }
  for (size_t i = 0; i < range.size(); i += 2) tensor.range.emplace_back(range[i], range[i + 1]);
  return tensor;
}

// Counts come from the file: the lists grow by what was really there, never by the count.
std::vector<Tensor> take_tensors(Cursor &cursor) {
  const uint64_t at = cursor.offset();
  const uint32_t count = cursor.take_u32("n");
  if (count > cursor.left() / kTensorHead) {
    fail(kCause, at, cursor.name("n"),
         "at most " + std::to_string(cursor.left() / kTensorHead) + " tensors in " +
             std::to_string(cursor.left()) + " bytes",
         count);
  }
  std::vector<Tensor> tensors;
  for (uint32_t i = 0; i < count; ++i) tensors.push_back(take_tensor(cursor));
  return tensors;
}

std::vector<int64_t> take_values(Cursor &cursor, uint64_t count) {
  const View bytes = cursor.take(count * 8, "values");
  std::vector<int64_t> values(bytes.size / 8);
  for (size_t i = 0; i < values.size(); ++i) {
    const uint64_t value = load_u64(bytes.data + 8 * i);
    if (value > INT64_MAX) {
      fail(kCause, bytes.offset + 8 * i, cursor.name("values"), "numbers below 2^63", value);
    }
    values[i] = static_cast<int64_t>(value);
  }
  return values;
}

// u32 n, u64 value[n]: gears of one value each
std::vector<std::vector<int64_t>> take_batches(Cursor &cursor) {
  std::vector<std::vector<int64_t>> gears;
  for (const int64_t value : take_values(cursor, cursor.take_u32("n"))) gears.push_back({value});
  return gears;
}

// u32 n, u32 length[n], then length[i] items, which take(length, its offset) takes
template <class Take>
void take_groups(Cursor &cursor, Take take) {
  const uint64_t count = cursor.take_u32("n");
  const View lengths = cursor.take(count * 4, "lengths");
  for (size_t i = 0; i < count; ++i) {
    take(load_u32(lengths.data + 4 * i), lengths.offset + 4 * i);
  }
}

// needed: values of a gear; 0: any number
std::vector<std::vector<int64_t>> take_gears(Cursor &cursor, uint32_t needed) {
  std::vector<std::vector<int64_t>> gears;
  take_groups(cursor, [&](uint32_t length, uint64_t at) {
    gears.push_back(take_values(cursor, length));
    if (needed != 0 && length != needed) {
      fail(kCause, at, cursor.name("lengths"), std::to_string(needed) + " values each", length);
    }
  });
  return gears;
}

std::vector<View> take_texts(Cursor &cursor) {
  std::vector<View> texts;
  take_groups(cursor,
              [&](uint32_t length, uint64_t) { texts.push_back(cursor.take(length, "values")); });
  return texts;
}

void set_gears(Dynamic kind, std::vector<std::vector<int64_t>> values, Gears &gears,
               Sentences &sentences) {
  if (values.empty()) return;
  if (gears.kind != Dynamic::kNone) {
    sentences.add("MODEL_INOUT_INFO has gears of more than one kind; the first count");
    return;
  }
  gears.kind = kind;
  gears.values = std::move(values);
}

}  // namespace

InoutInfo read_inout_info(View partition, Sentences &sentences) {
  InoutInfo info;
  bool seen[kTypeCount] = {};
  Cursor records(partition, "MODEL_INOUT_INFO");
  while (records.left() > 0) {
    const uint64_t at = records.offset();
    const uint32_t type = records.take_u32("type");
    if (type >= kTypeCount) fail(kCause, at, "MODEL_INOUT_INFO.type", "0 to 6", type);
    if (seen[type]) {
      fail(kCause, at, "MODEL_INOUT_INFO.type", "each type once", std::to_string(type) + " again");
    }
    seen[type] = true;
    const uint32_t length = records.take_u32("length");
    Cursor record(records.take(length, "length"), kTypeNames[type]);
    switch (type) {
      case 0:
        info.inputs = take_tensors(record);
        break;
      case 1:
        info.outputs = take_tensors(record);
        break;
      case 2:
        set_gears(Dynamic::kBatch, take_batches(record), info.gears, sentences);
        break;
      case 3:
        set_gears(Dynamic::kImage, take_gears(record, 2), info.gears, sentences);
        break;
      case 4:
        set_gears(Dynamic::kDims, take_gears(record, 0), info.gears, sentences);
        break;
      case 5:
        info.output_shapes = parse_output_shapes(take_texts(record), sentences);
        break;
      default:
        info.gears.order = strings(take_texts(record));
    }
    if (record.left() != 0) {
      fail(kCause, record.offset(), record.name("length"), "no bytes behind the last item",
           record.left());
    }
  }
  return info;
}

}  // namespace om
