// SPDX-License-Identifier: Apache-2.0
//
// Makes .om files piece by piece for the tests of the reader: protobuf fields, attributes, nodes,
// tables, MODEL_INOUT_INFO. Values are spelt as they stand in the file; nothing is checked.
#ifndef ACLRT_TESTS_CPP_OM_MAKE_H
#define ACLRT_TESTS_CPP_OM_MAKE_H

#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace make {

using Ints = std::vector<int64_t>;
using Texts = std::vector<std::string>;

inline std::string u32(uint32_t value) {
  std::string out;
  for (int i = 0; i < 4; ++i) out += static_cast<char>(value >> (8 * i));
  return out;
}

inline std::string u64(uint64_t value) {
  return u32(static_cast<uint32_t>(value)) + u32(static_cast<uint32_t>(value >> 32));
}

// ---- protobuf -----------------------------------------------------------------------------------

inline std::string varint(uint64_t value) {
  std::string out;
  for (; value > 0x7F; value >>= 7) out += static_cast<char>((value & 0x7F) | 0x80);
  return out + static_cast<char>(value);
}

inline std::string bytes(uint32_t number, const std::string &content) {
  return varint(number << 3 | 2) + varint(content.size()) + content;
}

inline std::string number(uint32_t number, int64_t value) {
  return varint(number << 3) + varint(static_cast<uint64_t>(value));
}

inline std::string packed(uint32_t number, const Ints &values) {
  std::string content;
  for (const int64_t value : values) content += varint(static_cast<uint64_t>(value));
  return bytes(number, content);
}

inline std::string unpacked(uint32_t field, const Ints &values) {
  std::string out;
  for (const int64_t value : values) out += number(field, value);
  return out;
}

// ---- AttrDef ------------------------------------------------------------------------------------

inline std::string of_int(int64_t value) {
  return number(3, value);
}
inline std::string of_bool(bool value) {
  return number(5, value);
}
inline std::string of_text(const std::string &text) {
  return bytes(2, text);
}
inline std::string of_float(float value) {
  uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  return varint(4 << 3 | 5) + u32(bits);
}
inline std::string of_ints(const Ints &values) {
  return bytes(1, (values.empty() ? "" : packed(3, values)) + number(20, 2));
}
inline std::string of_bools(const Ints &values) {
  return bytes(1, packed(5, values) + number(20, 4));
}
inline std::string of_texts(const Texts &texts) {
  std::string content;
  for (const std::string &text : texts) content += bytes(2, text);
  return bytes(1, content + number(20, 1));
}
inline std::string of_int_lists(const std::vector<Ints> &lists) {
  std::string content;
  for (const Ints &list : lists) content += bytes(1, packed(1, list));
  return bytes(14, content);
}

using Attrs = std::vector<std::pair<std::string, std::string>>;  // name, AttrDef

inline std::string attrs(uint32_t field, const Attrs &list) {
  std::string out;
  for (const auto &[name, value] : list) out += bytes(field, bytes(1, name) + bytes(2, value));
  return out;
}

inline std::string of_named(const Attrs &list) {
  return bytes(10, bytes(1, "aipp") + attrs(2, list));
}

// ---- graphs -------------------------------------------------------------------------------------

struct Desc {
  int64_t proto_type = 1;  // float32
  std::string dims;        // ShapeDef
  std::string layout = "NCHW";
  int64_t size = 0;
  Attrs attributes;
};

inline std::string dims(const Ints &values) {
  return packed(1, values);
}

inline std::string desc(const Desc &desc) {
  return number(2, desc.proto_type) + bytes(3, desc.dims) + bytes(4, desc.layout) +
         attrs(5, desc.attributes) + number(10, desc.size);
}

inline std::string op(const std::string &name, const std::string &type, const std::string &rest) {
  return bytes(6, bytes(1, name) + bytes(2, type) + rest);
}

inline std::string data(const std::string &name, int64_t index, const Desc &input,
                        Attrs attributes = {}) {
  if (index >= 0) attributes.push_back({"index", of_int(index)});
  return op(name, "Data", bytes(5, "") + attrs(10, attributes) + bytes(33, desc(input)));
}

// Every output comes from node "last".
inline std::string net_output(const std::vector<Desc> &outputs, const Attrs &attributes = {}) {
  std::string rest = attrs(10, attributes);
  Ints indices;
  for (size_t i = 0; i < outputs.size(); ++i) {
    rest += bytes(24, "last") + bytes(33, desc(outputs[i]));
    indices.push_back(static_cast<int64_t>(i));
  }
  return op("Node_Output", "NetOutput", rest + packed(25, indices));
}

inline std::string graph(const std::string &ops, const std::string &name = "g") {
  return bytes(7, bytes(1, name) + ops);
}

inline std::string model_def(const std::string &graphs, const Attrs &attributes = {}) {
  return bytes(1, "model") + graphs + attrs(11, attributes);
}

// ---- files --------------------------------------------------------------------------------------

struct Part {
  uint32_t type;
  std::string content;
};

inline std::string table(const std::vector<Part> &parts) {
  std::string head = u32(static_cast<uint32_t>(parts.size())) + u32(0);
  std::string content;
  for (const Part &part : parts) {
    head += u32(part.type) + u32(0) + u64(content.size()) + u64(part.content.size());
    content += part.content;
  }
  return head + content;
}

inline void put(std::string &file, size_t at, const std::string &value) {
  file.replace(at, value.size(), value);
}

// Third generation; one body for each model, as table() makes them.
inline std::string file(const Texts &bodies, bool is_unknown_shape = false) {
  std::string body;
  for (const std::string &one : bodies) body += one;
  std::string out(256, '\0');
  put(out, 0x00, "IMOD" + u32(256) + u32(0x20000000));
  put(out, 0x54, "short");
  put(out, 0x9C, u32(static_cast<uint32_t>(bodies.size())));
  put(out, 0xB8, u64(body.size()));
  put(out, 0xC1, std::string(1, is_unknown_shape ? '\1' : '\0'));
  return out + body;
}

inline std::string file_of(const std::string &model_def, const std::string &inout = "") {
  std::vector<Part> parts{{0, model_def}, {2, number(11, 4096)}};
  if (!inout.empty()) parts.insert(parts.begin(), {8, inout});
  return file({table(parts)});
}

// Second generation: no place for MODEL_INOUT_INFO in practice.
inline std::string old_file_of(const std::string &model_def) {
  std::string body = u32(1) + u32(0) + u32(0) + u32(static_cast<uint32_t>(model_def.size()));
  body += model_def;
  std::string out(256, '\0');
  put(out, 0x00, "IMOD" + u32(256) + u32(0x20000000));
  put(out, 0x4C, u32(static_cast<uint32_t>(body.size())));
  put(out, 0x9C, u32(1));
  return out + body;
}

// ---- MODEL_INOUT_INFO ---------------------------------------------------------------------------

struct Listed {
  std::string name;
  Ints dims;
  uint64_t size = 0;
  uint32_t format = 0;
  uint32_t dtype = 0;
  Ints dims_v2{};  // empty: dims
  Ints range{};    // least and greatest in turn
};

inline std::string raw(const Ints &values) {
  std::string out;
  for (const int64_t value : values) out += u64(static_cast<uint64_t>(value));
  return out;
}

inline std::string record(uint32_t type, const std::string &value) {
  return u32(type) + u32(static_cast<uint32_t>(value.size())) + value;
}

inline std::string tensors(uint32_t type, const std::vector<Listed> &list) {
  std::string out = u32(static_cast<uint32_t>(list.size()));
  for (const Listed &tensor : list) {
    const Ints &dims_v2 = tensor.dims_v2.empty() ? tensor.dims : tensor.dims_v2;
    const auto length = [](size_t size) { return u32(static_cast<uint32_t>(size)); };
    out += u64(tensor.size) + u32(tensor.format) + u32(tensor.dtype) + length(tensor.name.size()) +
           length(8 * tensor.dims.size()) + length(8 * dims_v2.size()) +
           length(8 * tensor.range.size()) + tensor.name + raw(tensor.dims) + raw(dims_v2) +
           raw(tensor.range);
  }
  return record(type, out);
}

inline std::string gears(uint32_t type, const std::vector<Ints> &list) {
  std::string lengths;
  std::string values;
  for (const Ints &gear : list) {
    lengths += u32(static_cast<uint32_t>(gear.size()));
    values += raw(gear);
  }
  if (type == 2) lengths.clear();
  return record(type, u32(static_cast<uint32_t>(list.size())) + lengths + values);
}

inline std::string texts(uint32_t type, const Texts &list) {
  std::string lengths;
  std::string values;
  for (const std::string &text : list) {
    lengths += u32(static_cast<uint32_t>(text.size()));
    values += text;
  }
  return record(type, u32(static_cast<uint32_t>(list.size())) + lengths + values);
}

}  // namespace make

#endif
