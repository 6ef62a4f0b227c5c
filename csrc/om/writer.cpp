// SPDX-License-Identifier: Apache-2.0
//
// Third generation, one model; MODEL_INOUT_INFO and the graph in MODEL_DEF tell the same. Field
// numbers of MODEL_DEF are those of ge.proto.
#include "om/writer.h"

#include <algorithm>
#include <iterator>

#include "om/crc32.h"
#include "om/header.h"
#include "om/numbers.h"
#include "om/proto_writer.h"

namespace om {
namespace {

constexpr uint32_t kMagic = 0x444F4D49;
constexpr uint32_t kVersion = 0x20000000;
constexpr uint32_t kIrVersion = 2;
constexpr char kMarker[] = "aclrt-sim/1";
constexpr char kPlatform[] = "1.11.z.0";
constexpr char kSoc[] = "AscendSim";  // no device has this name: a real one refuses the file
constexpr size_t kNameSize = 31;
constexpr uint64_t kWorkAlignment = 512;
// The weights are in the ONNX body; but AscendCL allocates no 0 bytes for programs that give the
// memory of a model themselves.
constexpr uint64_t kWeightSize = 512;

constexpr int32_t kNchw = 0;
constexpr int32_t kNd = 2;

int32_t format_of(const WrittenTensor &tensor) {
  return tensor.dims.size() == 4 ? kNchw : kNd;
}

uint64_t bytes_of(const WrittenTensor &tensor) {
  uint64_t count = 1;
  for (const int64_t dim : tensor.dims) count *= static_cast<uint64_t>(dim);
  return (count * static_cast<uint64_t>(tensor.dtype->bits) + 7) / 8;
}

// What the compiler writes for tensors between nodes.
uint64_t padded(const WrittenTensor &tensor) {
  return (bytes_of(tensor) + 63) / 32 * 32;
}

void put_fixed(std::string &out, uint64_t value, int size) {
  for (int i = 0; i < size; ++i) out += static_cast<char>(value >> (8 * i));
}
void put_u32(std::string &out, uint64_t value) {
  put_fixed(out, value, 4);
}
void put_u64(std::string &out, uint64_t value) {
  put_fixed(out, value, 8);
}
void patch(std::string &out, size_t at, uint64_t value, int size) {
  std::string bytes;
  put_fixed(bytes, value, size);
  out.replace(at, bytes.size(), bytes);
}

// ---- MODEL_INOUT_INFO -------------------------------------------------------------------------

std::string record(uint32_t kind, const std::vector<WrittenTensor> &tensors) {
  if (tensors.empty()) return {};
  std::string value;
  put_u32(value, tensors.size());
  for (const WrittenTensor &tensor : tensors) {
    std::string dims;
    for (const int64_t dim : tensor.dims) put_u64(dims, static_cast<uint64_t>(dim));
    put_u64(value, bytes_of(tensor));
    put_u32(value, static_cast<uint64_t>(format_of(tensor)));
    put_u32(value, static_cast<uint64_t>(tensor.dtype->value));
    put_u32(value, tensor.name.size());
    put_u32(value, dims.size());
    put_u32(value, dims.size());
    put_u32(value, 0);
    value += tensor.name + dims + dims;
  }
  std::string out;
  put_u32(out, kind);
  put_u32(out, value.size());
  return out + value;
}

// ---- MODEL_DEF --------------------------------------------------------------------------------

// An AttrDef: number 3, text 2, lists in 1.
class Attrs {
 public:
  explicit Attrs(uint32_t field) : field_(field) {}

  Attrs &number(const char *name, uint64_t value) {
    std::string attr;
    put_number(attr, 3, value);
    return put(name, attr);
  }
  Attrs &text(const char *name, const std::string &value) {
    std::string attr;
    put_bytes(attr, 2, value);
    return put(name, attr);
  }
  template <class Numbers>
  Attrs &numbers(const char *name, const Numbers &values) {
    std::string list;
    put_packed(list, 3, values);
    put_number(list, 20, 2);
    return put_list(name, list);
  }
  // At least one.
  Attrs &texts(const char *name, const std::vector<std::string> &values) {
    std::string list;
    for (const std::string &value : values) put_bytes(list, 2, value);
    put_number(list, 20, 1);
    return put_list(name, list);
  }
  const std::string &bytes() const { return out_; }

 private:
  Attrs &put_list(const char *name, const std::string &list) {
    std::string attr;
    put_bytes(attr, 1, list);
    return put(name, attr);
  }
  Attrs &put(const char *name, const std::string &attr) {
    std::string entry;
    put_bytes(entry, 1, name);
    put_bytes(entry, 2, attr);
    put_bytes(out_, field_, entry);
    return *this;
  }

  const uint32_t field_;
  std::string out_;
};

std::string descriptor(const WrittenTensor &tensor, uint64_t size) {
  const std::string layout = format_name(format_of(tensor));
  std::string shape;
  put_packed(shape, 1, tensor.dims);
  std::string out;
  put_number(out, 2, static_cast<uint64_t>(tensor.dtype->proto));
  put_bytes(out, 3, shape);
  put_bytes(out, 4, layout);
  out += Attrs(5)
             .number("format_for_int", static_cast<uint64_t>(format_of(tensor)))
             .numbers("origin_shape", tensor.dims)
             .text("origin_format", layout)
             .bytes();
  put_number(out, 10, size);
  put_bytes(out, 14, "NPU");
  put_number(out, 16, tensor.dims.size());
  return out;
}

std::string data_node(uint64_t index, const WrittenTensor &tensor) {
  std::string out;
  put_bytes(out, 1, tensor.name);
  put_bytes(out, 2, "Data");
  put_bytes(out, 5, "");
  out += Attrs(10).number("index", index).bytes();
  put_bytes(out, 33, descriptor(tensor, bytes_of(tensor)));
  put_bytes(out, 34, descriptor(tensor, padded(tensor)));
  return out;
}

std::string source_of(const WrittenTensor &tensor) {
  return tensor.node + ":" + std::to_string(tensor.index);
}

std::string output_node(const std::vector<WrittenTensor> &outputs) {
  std::string out;
  std::vector<uint64_t> indices;
  put_bytes(out, 1, "Node_Output");
  put_bytes(out, 2, "NetOutput");
  for (const WrittenTensor &tensor : outputs) put_bytes(out, 5, source_of(tensor));
  for (const WrittenTensor &tensor : outputs) {
    put_bytes(out, 24, tensor.node);
    indices.push_back(tensor.index);
  }
  put_packed(out, 25, indices);
  for (const WrittenTensor &tensor : outputs) {
    put_bytes(out, 33, descriptor(tensor, padded(tensor)));
  }
  return out;
}

std::string graph(const Contents &contents) {
  std::string out;
  put_bytes(out, 1, contents.name + "_0");
  for (const WrittenTensor &tensor : contents.inputs) put_bytes(out, 4, tensor.name + ":0");
  for (const WrittenTensor &tensor : contents.outputs) put_bytes(out, 5, source_of(tensor));
  for (size_t i = 0; i < contents.inputs.size(); ++i) {
    put_bytes(out, 6, data_node(i, contents.inputs[i]));
  }
  put_bytes(out, 6, output_node(contents.outputs));
  return out;
}

uint64_t work_size(const Contents &contents) {
  uint64_t total = 0;
  for (const auto *side : {&contents.inputs, &contents.outputs}) {
    for (const WrittenTensor &tensor : *side) total += bytes_of(tensor);
  }
  return (total + kWorkAlignment - 1) / kWorkAlignment * kWorkAlignment;
}

std::string model_def(const Contents &contents, size_t task_info_size) {
  std::vector<std::string> names;
  for (const WrittenTensor &tensor : contents.outputs) names.push_back(tensor.name);
  std::string out;
  put_bytes(out, 1, contents.name);
  put_number(out, 2, 2);
  put_bytes(out, 3, kPlatform);
  put_bytes(out, 7, graph(contents));
  return out +
         Attrs(11)
             .number("memory_size", work_size(contents))
             .number("weight_size", kWeightSize)
             .number("zero_copy_memory_size", work_size(contents))
             .number("stream_num", 1)
             .number("event_num", 0)
             .number("label_num", 0)
             .text("target_type", "MINI")
             .number("session_id", 0)
             .text("soc_version", kSoc)
             .text("atc_version", contents.tool_version)
             .text("atc_cmdline", contents.command_line)
             .text("framework_type", "Onnx")
             .texts("attr_model_out_nodes_name", names)
             .numbers("om_info_list", std::vector<uint64_t>{kWeightSize, 0, 0, task_info_size, 0})
             .bytes();
}

// ---- the file ---------------------------------------------------------------------------------

// At most kNameSize bytes of UTF-8, no character cut in two.
std::string cut(const std::string &name) {
  size_t size = std::min(name.size(), kNameSize);
  const auto continues = [&](size_t at) {
    return at < name.size() && (static_cast<uint8_t>(name[at]) & 0xC0) == 0x80;
  };
  while (size > 0 && continues(size)) --size;
  return name.substr(0, size);
}

std::string header(const Contents &contents, uint64_t body_size) {
  std::string out(kHeaderSize, '\0');
  patch(out, 0x00, kMagic, 4);
  patch(out, 0x04, kHeaderSize, 4);
  patch(out, 0x08, kVersion, 4);
  const std::string name = cut(contents.name);
  out.replace(0x54, name.size(), name);
  out.replace(0x78, sizeof kMarker - 1, kMarker);
  patch(out, 0x98, kIrVersion, 4);
  patch(out, 0x9C, 1, 4);
  out.replace(0xA0, sizeof kPlatform - 1, kPlatform);
  patch(out, 0xB4, 1, 1);
  patch(out, 0xB8, body_size, 8);
  return out;
}

std::string body_head(const std::string &onnx) {
  std::string out = "ACLRTSIM";
  put_u32(out, 1);
  put_u32(out, crc32(reinterpret_cast<const uint8_t *>(onnx.data()), onnx.size()));
  put_u64(out, onnx.size());
  return out;
}

}  // namespace

std::string write(const Contents &contents) {
  std::string task_info;
  put_number(task_info, 11, work_size(contents));
  put_number(task_info, 14, kWeightSize);
  const std::string inout = record(0, contents.inputs) + record(1, contents.outputs);
  const std::string def = model_def(contents, task_info.size());
  const std::string head = body_head(contents.onnx);
  const struct {
    uint32_t type;
    uint64_t size;
  } rows[] = {{partition::kModelInoutInfo, inout.size()},
              {partition::kModelDef, def.size()},
              {partition::kWeightsData, kWeightSize},
              {partition::kTaskInfo, task_info.size()},
              {partition::kOnnxBody, head.size() + contents.onnx.size()}};
  std::string table;
  put_u32(table, std::size(rows));
  put_u32(table, 0);
  uint64_t offset = 0;
  for (const auto &row : rows) {
    put_u32(table, row.type);
    put_u32(table, 0);
    put_u64(table, offset);
    put_u64(table, row.size);
    offset += row.size;
  }
  std::string out = header(contents, table.size() + offset);
  out.reserve(out.size() + table.size() + offset);
  return out.append(table)
      .append(inout)
      .append(def)
      .append(kWeightSize, '\0')
      .append(task_info)
      .append(head)
      .append(contents.onnx);
}

}  // namespace om
