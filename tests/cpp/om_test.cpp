// SPDX-License-Identifier: Apache-2.0
//
// The .om reader against files made here byte by byte, and against damaged ones: it answers or
// throws FormatError, nothing else. Meant to run under ASan and UBSan as well.
//
//   om_test [FOLDER]               all checks; the .om files of FOLDER are damaged too
//   om_test --json FILE            what the reader makes of one file; exit code 1 if refused
//   om_test --mutate N FILE...     N damaged versions of each file
#include "om/om.h"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "check.h"
#include "om/crc32.h"
#include "om/json_writer.h"
#include "om/numbers.h"
#include "om/proto.h"

namespace {

using om::Cause;
using om::FormatError;

// ---- making files
// --------------------------------------------------------------------------------

std::string u32(uint32_t value) {
  std::string out;
  for (int i = 0; i < 4; ++i) out += static_cast<char>(value >> (8 * i));
  return out;
}

std::string u64(uint64_t value) {
  return u32(static_cast<uint32_t>(value)) + u32(static_cast<uint32_t>(value >> 32));
}

std::string varint(uint64_t value) {
  std::string out;
  for (; value > 0x7F; value >>= 7) out += static_cast<char>((value & 0x7F) | 0x80);
  return out + static_cast<char>(value);
}

std::string field(uint32_t number, const std::string &content) {
  return varint(number << 3 | 2) + varint(content.size()) + content;
}

std::string field(uint32_t number, uint64_t value) {
  return varint(number << 3) + varint(value);
}

std::string attr(const std::string &name, const std::string &value) {
  return field(11, field(1, name) + field(2, value));
}

struct Part {
  uint32_t type;
  std::string content;
};

std::string wide_table(const std::vector<Part> &parts) {
  std::string table = u32(static_cast<uint32_t>(parts.size())) + u32(0);
  std::string content;
  for (const Part &part : parts) {
    table += u32(part.type) + u32(0) + u64(content.size()) + u64(part.content.size());
    content += part.content;
  }
  return table + content;
}

std::string narrow_table(const std::vector<Part> &parts) {
  std::string table = u32(static_cast<uint32_t>(parts.size()));
  std::string content;
  for (const Part &part : parts) {
    table += u32(part.type) + u32(static_cast<uint32_t>(content.size())) +
             u32(static_cast<uint32_t>(part.content.size()));
    content += part.content;
  }
  return table + content;
}

void put(std::string &bytes, size_t at, const std::string &value) {
  bytes.replace(at, value.size(), value);
}

std::string header(int generation, const std::string &body, uint32_t model_num = 1) {
  std::string out(256, '\0');
  put(out, 0x00, "IMOD" + u32(256) + u32(generation == 1 ? 0x10000000 : 0x20000000));
  put(out, 0x54, "short");
  put(out, 0x98, u32(2));
  put(out, generation == 1 ? 0x9C : 0xA0, "1.11.z.0");
  if (generation > 1) put(out, 0x9C, u32(model_num));
  if (generation < 3) put(out, 0x4C, u32(static_cast<uint32_t>(body.size())));
  if (generation == 3) put(out, 0xB8, u64(body.size()));
  return out + body;
}

std::string tensor(const std::string &name, const std::vector<int64_t> &dims, uint64_t size,
                   uint32_t format = 2, uint32_t dtype = 0) {
  std::string raw;
  for (const int64_t dim : dims) raw += u64(static_cast<uint64_t>(dim));
  const auto length = static_cast<uint32_t>(raw.size());
  return u64(size) + u32(format) + u32(dtype) + u32(static_cast<uint32_t>(name.size())) +
         u32(length) + u32(length) + u32(0) + name + raw + raw;
}

std::string record(uint32_t type, const std::string &value) {
  return u32(type) + u32(static_cast<uint32_t>(value.size())) + value;
}

const std::string kModelDef =
    field(1, "a name that is longer than thirty-one bytes") +
    field(7,
          field(1, "graph") + field(6, field(1, "x") + field(2, "Data") +
                                           field(33, field(3, field(1, varint(2) + varint(3)))))) +
    attr("soc_version", field(2, "AscendSim")) + attr("stream_num", field(3, 2)) +
    attr("event_num", field(3, 1)) + attr("atc_version", field(2, "7.6")) +
    attr("framework_type", field(2, "Onnx")) + attr("unset", "");
const std::string kTasks = field(11, 4096) + field(14, 0);
const std::string kInout = record(0, u32(1) + tensor("x", {2, 3}, 24)) +
                           record(1, u32(1) + tensor("sm:0:y", {2, 3}, 24, 0x05000003, 1));
const std::string kGears =
    record(2, u32(2) + u64(1) + u64(8)) + record(3, u32(1) + u32(2) + u64(224) + u64(224)) +
    record(5, u32(2) + u32(3) + u32(3) + "0,1" + "0,8") + record(6, u32(1) + u32(1) + "x");
const std::string kOnnx = "not really an ONNX model, but some bytes";

std::string payload(const std::string &onnx) {
  const auto *data = reinterpret_cast<const uint8_t *>(onnx.data());
  return "ACLRTSIM" + u32(1) + u32(om::crc32(data, onnx.size())) + u64(onnx.size()) + onnx;
}

std::string marked(std::string file, const std::string &marker = "aclrt-sim/1") {
  put(file, 0x78, marker);
  return file;
}

std::string with_parts(const std::vector<Part> &parts) {
  return header(3, wide_table(parts));
}

std::string simulated(const std::string &body) {
  return marked(
      with_parts({{8, kInout + kGears}, {0, kModelDef}, {2, kTasks}, {0x4E4F4158, body}}));
}

// ---- reading
// -------------------------------------------------------------------------------------

// The bytes in a block of exactly their size, so that a sanitizer sees one byte too far.
class Exact {
 public:
  explicit Exact(const std::string &text) : data_(new uint8_t[text.size()]), size_(text.size()) {
    if (size_ != 0) std::memcpy(data_.get(), text.data(), size_);
  }
  om::Bytes bytes() const { return {data_.get(), size_}; }

 private:
  std::unique_ptr<uint8_t[]> data_;
  size_t size_;
};

// Reads and asks for JSON as well; the returned model's onnx is not to be followed.
om::Model parse(const std::string &file) {
  const Exact exact(file);
  om::Model model = om::parse(exact.bytes());
  om::to_json(model);
  return model;
}

#define CHECK_REFUSED(file, expected_cause, expected_offset) \
  CHECK_THROWS(FormatError, parse(file),                     \
               error.cause() == (expected_cause) && error.offset() == uint64_t(expected_offset))

// Every whole-file fact that a damaged file must not break: an answer or a FormatError.
enum class Outcome { kRead, kRefused };

Outcome survive(const std::string &file) {
  const Exact exact(file);
  om::family(exact.bytes());
  om::is_simulated(exact.bytes());
  try {
    const om::Model model = om::parse(exact.bytes());
    om::to_json(model);
    for (const om::Partition &partition : model.partitions) {
      CHECK(partition.offset <= file.size() && partition.size <= file.size() - partition.offset);
    }
    return Outcome::kRead;
  } catch (const FormatError &error) {
    CHECK(!error.field().empty() && error.offset() <= file.size());
    return Outcome::kRefused;
  } catch (const std::exception &error) {
    check::report(false, __FILE__, __LINE__, std::string("other error: ") + error.what());
    return Outcome::kRefused;
  }
}

std::string read_file(const std::filesystem::path &path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// ---- checks
// --------------------------------------------------------------------------------------

void check_crc32() {
  const auto crc = [](const std::string &text) {
    return om::crc32(reinterpret_cast<const uint8_t *>(text.data()), text.size());
  };
  CHECK_EQ(0u, crc(""));
  CHECK_EQ(0xCBF43926u, crc("123456789"));
  CHECK_EQ(0x414FA339u, crc("The quick brown fox jumps over the lazy dog"));
}

void check_tables() {
  std::set<int32_t> values;
  std::set<int32_t> protos;
  std::set<std::string> names;
  for (size_t i = 0; i < om::kDtypeCount; ++i) {
    const om::Dtype &dtype = om::kDtypes[i];
    CHECK(values.insert(dtype.value).second && protos.insert(dtype.proto).second);
    CHECK(names.insert(dtype.name).second);
    CHECK(om::find_dtype(dtype.value) == &dtype);
    CHECK(om::find_dtype_by_proto(dtype.proto) == &dtype);
  }
  CHECK_EQ(std::string("int32"), om::find_dtype(3)->name);
  CHECK_EQ(std::string("int8"), om::find_dtype_by_proto(3)->name);
  CHECK_EQ(std::string("float64"), om::find_dtype(11)->name);
  CHECK_EQ(std::string("bool"), om::find_dtype_by_proto(11)->name);
  CHECK(om::find_dtype(5) == nullptr && om::find_dtype_by_proto(0) == nullptr);
  CHECK_EQ(std::string("NCHW"), om::format_name(0));
  CHECK_EQ(std::string("FRACTAL_NZ_C0_8"), om::format_name(54));
  CHECK_EQ(std::string(""), om::format_name(55));
  CHECK_EQ(std::string("MODEL_INOUT_INFO"), om::partition_name(8));
  CHECK_EQ(std::string(""), om::partition_name(13));
}

void check_json() {
  om::JsonWriter json;
  json.begin_object();
  json.field("a\"\\\n", std::string("\xC3\xA4\xFF\xED\xA0\x80\x01"));
  json.key("list").begin_array().value(-1).value(true).null().value(0.5).value(1.0 / 0.0);
  json.begin_object().end_object().end_array();
  json.field("big", UINT64_MAX);
  json.end_object();
  CHECK_EQ(std::string("{\"a\\\"\\\\\\u000a\":\"\xC3\xA4\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"
                       "\xEF\xBF\xBD\\u0001\",\"list\":[-1,true,null,0.5,null,{}],"
                       "\"big\":18446744073709551615}"),
           json.take());
}

void check_whole_file() {
  const std::string file = simulated(payload(kOnnx));
  const Exact exact(file);
  const om::Model model = om::parse(exact.bytes());
  CHECK_EQ(3, model.generation);
  CHECK_EQ(std::string("a name that is longer than thirty-one bytes"), model.name);
  CHECK_EQ(std::string("AscendSim"), model.soc_version);
  CHECK_EQ(std::string("7.6"), model.compiler_version);
  CHECK_EQ(std::string("Onnx"), model.framework);
  CHECK_EQ(uint64_t{2}, model.stream_num);
  CHECK_EQ(uint64_t{1}, model.event_num);
  CHECK_EQ(uint64_t{4096}, model.work_size);
  CHECK_EQ(uint64_t{0}, model.weight_size);
  CHECK(model.simulated && om::is_simulated(exact.bytes()));
  CHECK_EQ(kOnnx, std::string(reinterpret_cast<const char *>(model.onnx.data), model.onnx.size));
  CHECK_EQ(size_t{1}, model.inputs.size());
  CHECK_EQ(std::string("sm:0:y"), model.outputs.at(0).name);
  CHECK_EQ(3, model.outputs.at(0).format);  // sub-format bits are off
  CHECK_EQ(1, model.outputs.at(0).dtype);
  CHECK_EQ(uint64_t{24}, model.outputs.at(0).size);
  CHECK(model.outputs.at(0).dims == (std::vector<int64_t>{2, 3}));
  CHECK_EQ(size_t{4}, model.partitions.size());
  CHECK_EQ(uint64_t{256 + 8 + 4 * 24}, model.partitions.at(0).offset);
  CHECK(om::to_json(model).find("\"io_source\":\"inout_info\"") != std::string::npos);
}

void check_generations() {
  for (const int generation : {1, 2}) {
    std::string file =
        header(generation, narrow_table({{0, kModelDef}, {1, "weights"}, {2, kTasks}}));
    if (generation == 1) put(file, 0xB8, u64(77));  // means something else there
    const om::Model model = parse(file);
    CHECK_EQ(generation, model.generation);
    CHECK_EQ(uint64_t{7}, model.weight_size);
    CHECK_EQ(uint64_t{4096}, model.work_size);
    CHECK(model.inputs.empty() && !model.simulated && model.onnx.data == nullptr);
    CHECK(om::to_json(model).find("\"io_source\":\"none\"") != std::string::npos);
  }
  // Several models: the first is described, the weights of all count, the walk ends at the end.
  const std::string second = wide_table({{0, kModelDef}, {1, "12345"}, {2, kTasks}});
  const std::string body = wide_table({{0, kModelDef}, {1, "123"}, {2, kTasks}}) + second;
  const om::Model model = parse(header(3, body, 2));
  CHECK_EQ(2u, model.model_num);
  CHECK_EQ(uint64_t{8}, model.weight_size);
  CHECK_EQ(uint64_t{0}, model.work_size);
  CHECK_REFUSED(header(3, body, 1), Cause::kPartition, 256 + body.size() - second.size());
  CHECK_REFUSED(header(3, body, 3), Cause::kTable, 256 + body.size());
  CHECK_REFUSED(header(3, body, UINT32_MAX), Cause::kTable, 256 + body.size());
}

void check_families() {
  const auto family_of = [](const std::string &file) {
    const Exact exact(file);
    return om::family(exact.bytes());
  };
  const std::string plain = with_parts({{0, kModelDef}});
  const auto changed = [&](size_t at, const std::string &value) {
    std::string file = plain;
    put(file, at, value);
    return file;
  };
  std::set<std::string> names;
  for (const auto family :
       {om::Family::kAscend, om::Family::kKirin, om::Family::kFlow, om::Family::kBundle,
        om::Family::kLite, om::Family::kEncrypted, om::Family::kOm2, om::Family::kNotOm}) {
    CHECK(names.insert(om::family_name(family)).second);
  }
  CHECK(family_of(plain) == om::Family::kAscend);
  CHECK(family_of("") == om::Family::kNotOm);
  CHECK(family_of("PK\3\4") == om::Family::kOm2);
  CHECK(family_of("IMOD") == om::Family::kNotOm);
  CHECK(family_of(changed(0x52, "\3")) == om::Family::kFlow);
  CHECK(family_of(changed(0x52, "\4")) == om::Family::kLite);
  CHECK(family_of(changed(0x52, "\5")) == om::Family::kBundle);
  CHECK(family_of(changed(0x50, "\1")) == om::Family::kEncrypted);
  std::string phone = changed(0x52, "\3");
  put(phone, 0x08, u32(0x10000000));
  CHECK(family_of(phone) == om::Family::kKirin);
  CHECK_THROWS(FormatError, parse(phone),
               error.cause() == Cause::kFamily &&
                   std::string(error.what()).find("phone (Kirin/HiAI)") != std::string::npos);
  CHECK_REFUSED(changed(0x50, "\1"), Cause::kFamily, 0x50);
  CHECK_REFUSED(changed(0x52, "\1"), Cause::kUnsupported, 0x52);
  CHECK_REFUSED(std::string("PK\3\4") + std::string(300, 'x'), Cause::kFamily, 0);
  CHECK_REFUSED("", Cause::kTooShort, 0);
  CHECK_REFUSED("IMO", Cause::kTooShort, 0);
  CHECK_REFUSED("ELF!", Cause::kBadMagic, 0);
  CHECK_REFUSED(plain.substr(0, 255), Cause::kHeaderCut, 255);
  CHECK_REFUSED(marked(plain, "aclrt-sim/2"), Cause::kUnsupported, 0x78);
}

void check_lengths_and_table() {
  const std::string plain = with_parts({{0, kModelDef}, {2, kTasks}});
  const auto changed = [&](size_t at, const std::string &value) {
    std::string file = plain;
    put(file, at, value);
    return file;
  };
  parse(plain);
  CHECK_REFUSED(plain + "x", Cause::kLength, 0xB8);
  CHECK_REFUSED(plain.substr(0, plain.size() - 1), Cause::kLength, 0xB8);
  CHECK_REFUSED(changed(0xB8, u64(UINT64_MAX)), Cause::kLength, 0xB8);
  for (const uint32_t count : {0u, 9u, UINT32_MAX}) {
    CHECK_REFUSED(changed(0x100, u32(count)), Cause::kPartitionCount, 0x100);
  }
  CHECK_REFUSED(header(3, u32(1) + u32(0) + u64(0) + u64(0)), Cause::kTable, 256);
  CHECK_REFUSED(header(3, "12345678"), Cause::kTable, 256);
  for (const uint64_t size :
       {uint64_t{1} << 31, uint64_t{1} << 32, uint64_t{1} << 63, UINT64_MAX}) {
    CHECK_REFUSED(changed(0x118, u64(size)), Cause::kPartition, 0x118);
  }
  CHECK_REFUSED(changed(0x130, u64(kTasks.size() - 1)), Cause::kPartition, plain.size() - 1);
  CHECK_REFUSED(with_parts({{2, kTasks}, {77, "unknown"}}), Cause::kNoModelDef, 256);
  // The first of a kind counts; padding in the table may hold anything.
  const om::Model twice = parse(with_parts({{0, kModelDef}, {0, "\xFF"}, {2, kTasks}}));
  CHECK_EQ(std::string("AscendSim"), twice.soc_version);
  parse(changed(0x104, u32(0xDEADBEEF)));
  // Aligned partitions: mem_offset tells where they are, unless it leads out of the body.
  std::string aligned = u32(2) + u32(0) + u32(0) + u32(0) + u64(8) + u64(kModelDef.size()) +
                        u32(2) + u32(0) + u64(16 + kModelDef.size()) + u64(kTasks.size());
  aligned += std::string(8, '\0') + kModelDef + std::string(8, '\0') + kTasks;
  CHECK_EQ(uint64_t{4096}, parse(header(3, aligned)).work_size);
  const om::Model walked = parse(changed(0x110, u64(UINT64_MAX)));
  CHECK_EQ(uint64_t{0x138}, walked.partitions.at(0).offset);
}

void check_inout_info() {
  const uint64_t at = 256 + 8 + 2 * 24;
  const auto file = [](const std::string &info) { return with_parts({{8, info}, {0, kModelDef}}); };
  parse(file(""));
  parse(file(kGears));
  CHECK_REFUSED(file(u32(0)), Cause::kInoutInfo, at + 4);
  CHECK_REFUSED(file(record(7, "")), Cause::kInoutInfo, at);
  CHECK_REFUSED(file(record(0, u32(0)) + record(0, u32(0))), Cause::kInoutInfo, at + 12);
  CHECK_REFUSED(file(u32(0) + u32(UINT32_MAX)), Cause::kInoutInfo, at + 8);
  CHECK_REFUSED(file(record(0, "abc")), Cause::kInoutInfo, at + 8);
  CHECK_REFUSED(file(record(0, u32(UINT32_MAX))), Cause::kInoutInfo, at + 8);
  CHECK_REFUSED(file(record(0, u32(0) + "x")), Cause::kInoutInfo, at + 12);
  CHECK_REFUSED(file(record(2, u32(UINT32_MAX) + u64(1))), Cause::kInoutInfo, at + 12);
  CHECK_REFUSED(file(record(3, u32(1) + u32(UINT32_MAX) + u64(1))), Cause::kInoutInfo, at + 16);
  CHECK_REFUSED(file(record(5, u32(1) + u32(2) + "x")), Cause::kInoutInfo, at + 16);
  const auto lengths = [&](uint32_t name, uint32_t dims, uint32_t dims_v2, uint32_t range) {
    return file(record(0, u32(1) + u64(0) + u32(0) + u32(0) + u32(name) + u32(dims) + u32(dims_v2) +
                              u32(range) + std::string(32, '\0')));
  };
  const uint64_t head = at + 12;
  parse(lengths(0, 8, 8, 16));
  parse(lengths(32, 0, 0, 0));
  CHECK_REFUSED(lengths(33, 0, 0, 0), Cause::kInoutInfo, head + 32);
  CHECK_REFUSED(lengths(UINT32_MAX, 0, 0, 0), Cause::kInoutInfo, head + 32);
  CHECK_REFUSED(lengths(0, 9, 0, 0), Cause::kInoutInfo, head + 20);
  CHECK_REFUSED(lengths(0, 0, 4, 0), Cause::kInoutInfo, head + 24);
  CHECK_REFUSED(lengths(0, 0, 0, 8), Cause::kInoutInfo, head + 28);
  CHECK_REFUSED(lengths(0, 129 * 8, 0, 0), Cause::kInoutInfo, head + 20);
  CHECK_REFUSED(lengths(0, 0xFFFFFFF8, 0, 0), Cause::kInoutInfo, head + 20);
  CHECK_REFUSED(lengths(0, 40, 0, 0), Cause::kInoutInfo, head + 32);
}

// AttrDef.list.na.attr[].value.list.na ... : levels of five messages each.
std::string nested(int levels) {
  std::string attr_def = field(3, 1);
  for (int i = 0; i < levels; ++i) {
    attr_def = field(1, field(11, field(2, field(1, "k") + field(2, attr_def))));
  }
  return field(11, field(1, "deep") + field(2, attr_def));
}

void check_protobuf() {
  const uint64_t at = 256 + 8 + 24;
  const auto file = [](const std::string &def) { return with_parts({{0, def}}); };
  parse(file(field(99, 7) + varint(98 << 3 | 1) + u64(0) + varint(97 << 3 | 5) + u32(0)));
  CHECK_REFUSED(file(std::string(1, '\0')), Cause::kModelDef, at);         // field 0
  CHECK_REFUSED(file(varint(1 << 3 | 3)), Cause::kModelDef, at);           // a group
  CHECK_REFUSED(file(varint(1 << 3 | 7)), Cause::kModelDef, at);           // no such wire type
  CHECK_REFUSED(file(varint(2 << 3) + "\xFF"), Cause::kModelDef, at + 1);  // cut
  CHECK_REFUSED(file(varint(2 << 3) + std::string(10, '\xFF') + "\1"), Cause::kModelDef, at + 1);
  CHECK_REFUSED(file(varint(1 << 3 | 2) + varint(5) + "four"), Cause::kModelDef, at);
  CHECK_REFUSED(file(varint(1 << 3 | 2) + varint(UINT64_MAX)), Cause::kModelDef, at);
  CHECK_REFUSED(file(varint(1 << 3 | 1) + "1234567"), Cause::kModelDef, at);
  CHECK_REFUSED(file(varint(1 << 3 | 5) + "123"), Cause::kModelDef, at);
  CHECK_REFUSED(file(varint(uint64_t{1} << 32)), Cause::kModelDef, at);  // field 2^29
  // Inside the graph: a nested length beyond its parent, and packed numbers that are cut.
  CHECK_REFUSED(file(field(7, varint(6 << 3 | 2) + varint(1))), Cause::kModelDef, at + 2);
  const std::string shape = field(33, field(3, field(1, "\x80")));
  CHECK_REFUSED(file(field(7, field(6, shape))), Cause::kModelDef, at + 11);
  const std::string floats = attr("f", field(1, field(4, "123")));
  CHECK_THROWS(FormatError, parse(file(floats)), error.cause() == Cause::kModelDef);
  parse(file(nested(24)));
  CHECK_THROWS(FormatError, parse(file(nested(25))), error.cause() == Cause::kModelDef);
  CHECK_THROWS(FormatError, parse(file(nested(5000))), error.cause() == Cause::kModelDef);
  CHECK_THROWS(FormatError, parse(with_parts({{0, kModelDef}, {2, "\xFF"}})),
               error.cause() == Cause::kTaskInfo);
  // The chip from the command, where there is no attribute for it.
  const om::Model model =
      parse(file(attr("atc_cmdline", field(2, "atc --soc_version=Ascend310P3 --output=x"))));
  CHECK_EQ(std::string("Ascend310P3"), model.soc_version);
}

void check_body() {
  const uint64_t at = simulated("").size();
  const std::string good = payload(kOnnx);
  const auto changed = [&](size_t offset, const std::string &value) {
    std::string body = good;
    put(body, offset, value);
    return simulated(body);
  };
  CHECK_REFUSED(changed(8, u32(2)), Cause::kUnsupported, at + 8);
  CHECK_REFUSED(changed(12, u32(0)), Cause::kBody, at + 12);
  CHECK_REFUSED(changed(16, u64(kOnnx.size() + 1)), Cause::kBody, at + 16);
  CHECK_REFUSED(changed(16, u64(UINT64_MAX)), Cause::kBody, at + 16);
  for (size_t i = 24; i < good.size(); ++i) {
    CHECK_REFUSED(changed(i, std::string(1, static_cast<char>(good[i] ^ 0x10))), Cause::kBody,
                  at + 12);
  }
  CHECK_REFUSED(simulated(good.substr(0, 23)), Cause::kBody, at);
  CHECK_EQ(size_t{0}, parse(simulated(payload(""))).onnx.size);
  // Something else under our number, or our body without the marker: a file without a body.
  CHECK(parse(simulated("something else")).onnx.data == nullptr);
  CHECK(parse(with_parts({{0, kModelDef}, {0x4E4F4158, good}})).onnx.data == nullptr);
}

// ---- damage
// --------------------------------------------------------------------------------------

// Where a part of the file begins or ends.
std::set<size_t> boundaries(const std::string &file) {
  std::set<size_t> found{0, 4, 8, 0x50, 0x54, 0x78, 0xB8, 256, 260, 264, file.size()};
  const Exact exact(file);
  try {
    for (const om::Partition &partition : om::parse(exact.bytes()).partitions) {
      found.insert(partition.offset);
      found.insert(partition.offset + partition.size);
    }
  } catch (const FormatError &) {
  }
  for (size_t entry = 0; entry <= 8; ++entry) {
    found.insert(264 + 24 * entry);
    found.insert(260 + 12 * entry);
  }
  return found;
}

// The length in the header follows, so that the cut is seen by what comes after it.
std::string with_length(std::string file) {
  if (file.size() < 256) return file;
  const uint64_t body = file.size() - 256;
  const bool wide = static_cast<unsigned char>(file[0x0B]) >= 0x20 && file[0x4C] == 0 &&
                    file[0x4D] == 0 && file[0x4E] == 0;
  put(file, wide ? 0xB8 : 0x4C, wide ? u64(body) : u32(static_cast<uint32_t>(body)));
  return file;
}

void cut(const std::string &file) {
  for (const size_t boundary : boundaries(file)) {
    for (const size_t end : {boundary - 1, boundary, boundary + 1}) {
      if (end >= file.size()) continue;  // boundary 0 less one as well
      CHECK(survive(file.substr(0, end)) == Outcome::kRefused);
      survive(with_length(file.substr(0, end)));
    }
  }
  CHECK(survive(file + '\0') == Outcome::kRefused);
}

// Where random damage is likely to matter: the front of a partition, or the header and table.
size_t somewhere(const std::vector<size_t> &starts, size_t size, std::mt19937_64 &random) {
  const auto up_to = [&](size_t limit) { return static_cast<size_t>(random() % limit); };
  switch (up_to(4)) {
    case 0:
      return up_to(size);
    case 1:
      return std::min(size - 1, up_to(420));
    default:
      return std::min(size - 1, starts[up_to(starts.size())] + up_to(600));
  }
}

void mutate(const std::string &file, size_t count, uint64_t seed) {
  if (file.empty()) return;
  std::mt19937_64 random(seed);
  std::vector<size_t> starts;
  for (const size_t boundary : boundaries(file)) starts.push_back(boundary);
  static const uint64_t kNumbers[] = {0,          1,          7,          8,          9,
                                      0x7F,       0x80,       0xFF,       0xFFFF,     0x7FFFFFFF,
                                      0x80000000, 0xFFFFFFFF, 1ull << 32, 1ull << 63, UINT64_MAX};
  size_t refused = 0;
  for (size_t i = 0; i < count; ++i) {
    std::string damaged = file;
    for (uint64_t edits = 1 + random() % 4; edits > 0 && !damaged.empty(); --edits) {
      const size_t at = somewhere(starts, damaged.size(), random);
      const uint64_t number = kNumbers[random() % std::size(kNumbers)];
      switch (random() % 6) {
        case 0:
          damaged[at] = static_cast<char>(random());
          break;
        case 1:
          damaged[at] = static_cast<char>(damaged[at] ^ (1 << random() % 8));
          break;
        case 2:
          put(damaged, at, u32(static_cast<uint32_t>(number)).substr(0, damaged.size() - at));
          break;
        case 3:
          put(damaged, at, u64(number).substr(0, damaged.size() - at));
          break;
        case 4:
          damaged = with_length(damaged.erase(at, 1 + random() % 16));
          break;
        default:
          damaged = with_length(damaged.insert(at, u64(random()).substr(0, 1 + random() % 8)));
      }
    }
    refused += survive(damaged) == Outcome::kRefused;
  }
  std::cout << "damaged " << count << ", refused " << refused << "\n";
}

int print_json(const char *path) {
  const std::string file = read_file(path);
  const Exact exact(file);
  try {
    std::cout << om::to_json(om::parse(exact.bytes())) << "\n";
    return 0;
  } catch (const FormatError &error) {
    std::cout << error.what() << "\n";
    return 1;
  }
}

void check_damage(const std::vector<std::string> &paths, size_t count) {
  for (const std::string &path : paths) {
    const std::string file = read_file(path);
    cut(file);
    mutate(file, count, 1);
  }
}

std::vector<std::string> models_in(const char *folder) {
  std::vector<std::string> paths;
  std::error_code none;
  for (const auto &entry : std::filesystem::directory_iterator(folder, none)) {
    if (entry.path().extension() == ".om") paths.push_back(entry.path().string());
  }
  return paths;
}

}  // namespace

int main(int argc, char **argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() == 2 && arguments[0] == "--json") return print_json(argv[2]);
  if (arguments.size() >= 3 && arguments[0] == "--mutate") {
    check_damage({arguments.begin() + 2, arguments.end()}, std::stoul(arguments[1]));
    return check::result();
  }
  check_crc32();
  check_tables();
  check_json();
  check_whole_file();
  check_generations();
  check_families();
  check_lengths_and_table();
  check_inout_info();
  check_protobuf();
  check_body();
  for (const std::string &file :
       {simulated(payload(kOnnx)), with_parts({{8, kInout}, {0, kModelDef}, {1, "w"}, {2, kTasks}}),
        header(1, narrow_table({{0, kModelDef}, {1, "weights"}, {2, kTasks}})),
        header(3, wide_table({{0, kModelDef}, {2, kTasks}}) + wide_table({{0, kModelDef}}), 2)}) {
    cut(file);
    mutate(file, 3000, 7);
  }
  if (!arguments.empty()) check_damage(models_in(argv[1]), 300);
  return check::result();
}
