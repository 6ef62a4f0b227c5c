// SPDX-License-Identifier: Apache-2.0
//
// The .om reader against well-formed and malformed files made here byte by byte: what it reads, and
// which fault it names at which offset. Meant to run under ASan and UBSan as well.
#include <set>

#include "om/json_writer.h"
#include "om/numbers.h"
#include "om/proto.h"
#include "om_case.h"

namespace {

using namespace om_case;
using om::Cause;
using om::FormatError;

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
  CHECK(om::to_json(model).find("\"io_source\":\"both\"") != std::string::npos);
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
    CHECK_EQ(size_t{1}, model.inputs.size());
    CHECK(model.outputs.empty() && !model.simulated && model.onnx.data == nullptr);
    CHECK(om::to_json(model).find("\"io_source\":\"graph\"") != std::string::npos);
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
  CHECK_REFUSED(changed(8, u32(3)), Cause::kUnsupported, at + 8);
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

}  // namespace

int main() {
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
  return check::result();
}
