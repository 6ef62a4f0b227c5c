// SPDX-License-Identifier: Apache-2.0
//
// Inputs and outputs from the graph in MODEL_DEF, and the dictionary of attributes: graphs made by
// hand, right and wrong. Gears and AIPP are in om_dynamic_test.cpp.
#include <set>
#include <string>
#include <variant>

#include "om_make.h"
#include "om_reading.h"

namespace {

using make::Attrs;
using make::Desc;
using make::Ints;
using om::Cause;
using om::IoSource;
using reading::parse;

constexpr uint32_t kDataAttrs = 10;

Desc of_dims(const Ints &values, int64_t size = 0) {
  Desc desc;
  desc.dims = make::dims(values);
  desc.size = size;
  return desc;
}

// A model with the inputs and outputs of these nodes.
om::Model parse_ops(const std::string &ops, const Attrs &attributes = {}) {
  return parse(make::old_file_of(make::model_def(make::graph(ops), attributes)));
}

void check_inputs_and_outputs() {
  Desc ids;
  ids.proto_type = 7;  // int32: 3 in AscendCL
  ids.dims = make::unpacked(1, {5});
  ids.layout = "ND";
  ids.size = 20;
  Desc flags = of_dims({});
  flags.proto_type = 11;  // bool
  const om::Model model = parse_ops(
      make::data("second", 1, ids) + make::op("c", "Const", "") +
          make::data("first", 0, of_dims({1, 3, 4, 5}, 240)) +
          make::net_output({of_dims({2, 3}), flags, of_dims({0, 7}), of_dims({-1, 7})}),
      {{"attr_model_out_nodes_name", make::of_texts({"a:0:probs", "b", "c:1:empty", "d:0:open"})}});
  CHECK(model.io_source == IoSource::kGraph && model.io_problem.empty());
  CHECK(model.dynamic == om::Dynamic::kNone && model.disagreements.empty());
  CHECK_EQ(size_t{2}, model.inputs.size());
  const om::Tensor &first = model.inputs.at(0);
  CHECK_EQ(std::string("first"), first.name);
  CHECK_EQ(0, first.dtype);
  CHECK_EQ(0, first.format);
  CHECK_EQ(uint64_t{240}, first.size);
  CHECK(first.dims == (Ints{1, 3, 4, 5}) && first.dims_v2 == first.dims && !first.is_internal);
  const om::Tensor &second = model.inputs.at(1);
  CHECK_EQ(3, second.dtype);
  CHECK_EQ(2, second.format);
  CHECK(second.dims == Ints{5});

  CHECK_EQ(size_t{4}, model.outputs.size());
  CHECK_EQ(std::string("a:0:probs"), model.outputs.at(0).name);
  CHECK_EQ(std::string("b:1"), model.outputs.at(1).name);  // no ':': the source's index follows
  CHECK_EQ(uint64_t{24}, model.outputs.at(0).size);        // computed, never the descriptor's
  CHECK_EQ(uint64_t{1}, model.outputs.at(1).size);         // a scalar
  CHECK_EQ(12, model.outputs.at(1).dtype);
  CHECK_EQ(uint64_t{0}, model.outputs.at(2).size);
  CHECK_EQ(uint64_t{0}, model.outputs.at(3).size);
  CHECK(model.outputs.at(3).dims == (Ints{-1, 7}));
}

void check_order() {
  // Files of 2019 and 2020 have no index.
  const om::Model old =
      parse_ops(make::data("b", -1, of_dims({1})) + make::data("a", -1, of_dims({1})) +
                make::net_output({of_dims({1})}));
  CHECK_EQ(std::string("b"), old.inputs.at(0).name);
  CHECK_EQ(std::string("a"), old.inputs.at(1).name);

  const om::Model twice =
      parse_ops(make::data("b", 1, of_dims({1})) + make::data("a", 1, of_dims({1})) +
                make::net_output({of_dims({1})}));
  CHECK(twice.io_source == IoSource::kNone && twice.inputs.empty() && twice.outputs.empty());
  CHECK_CONTAINS("node \"a\".index at offset", twice.io_problem);
  CHECK_CONTAINS("expected each number once, given 1 again", twice.io_problem);
}

void check_output_names() {
  const std::string ops =
      make::data("x", 0, of_dims({1})) + make::net_output({of_dims({1}), of_dims({1})});
  const om::Model other =
      parse_ops(ops, {{"attr_model_out_nodes_name", make::of_texts({"only:0:one"})}});
  CHECK_EQ(std::string("output_0_last_0"), other.outputs.at(0).name);
  CHECK_EQ(std::string("output_1_last_1"), other.outputs.at(1).name);

  // Without the source no name can be made.
  const std::string bare =
      make::op("Node_Output", "NetOutput", make::bytes(33, make::desc(of_dims({1}))));
  const om::Model nameless = parse_ops(make::data("x", 0, of_dims({1})) + bare);
  CHECK(nameless.io_source == IoSource::kNone);
  CHECK_CONTAINS("\"Node_Output\".src_name", nameless.io_problem);
  const om::Model indexless =
      parse_ops(bare, {{"attr_model_out_nodes_name", make::of_texts({"y"})}});
  CHECK_CONTAINS("\"Node_Output\".src_index", indexless.io_problem);
  const om::Model named =
      parse_ops(bare, {{"attr_model_out_nodes_name", make::of_texts({"n:0:y"})}});
  CHECK_EQ(std::string("n:0:y"), named.outputs.at(0).name);

  const std::string long_name(5000, 'n');
  const om::Model model =
      parse_ops(make::data(long_name, 0, of_dims({1})) + make::net_output({of_dims({1})}),
                {{"attr_model_out_nodes_name", make::of_texts({long_name + ":0:" + long_name})}});
  CHECK_EQ(long_name, model.inputs.at(0).name);
  CHECK_EQ(long_name + ":0:" + long_name, model.outputs.at(0).name);
}

void check_descriptors() {
  const auto output = [](const Desc &desc) {
    return parse_ops(make::net_output({desc})).outputs.at(0);
  };
  Desc desc = of_dims({8, 3, 5, 7});
  desc.attributes = {{"format_for_int", make::of_int(4)}};
  const om::Tensor turned = output(desc);  // FRACTAL_Z: k, c, h, w
  CHECK(turned.dims == (Ints{5, 7, 3, 8}) && turned.dims_v2 == turned.dims);
  CHECK_EQ(16, turned.format);
  CHECK_EQ(uint64_t{8 * 3 * 5 * 7 * 4}, turned.size);
  desc.dims = make::dims({8, 3});
  CHECK(output(desc).dims == (Ints{8, 3}) && output(desc).format == 4);

  const auto format_of = [&](const std::string &layout, const Attrs &attributes) {
    Desc one = of_dims({1});
    one.layout = layout;
    one.attributes = attributes;
    return output(one).format;
  };
  CHECK_EQ(3, format_of("NCHW", {{"format_for_int", make::of_int(0x05000003)}}));
  CHECK_EQ(27, format_of("NDHWC", {}));
  CHECK_EQ(-1, format_of("SOMETHING", {}));
  CHECK_EQ(-1, format_of("", {{"format_for_int", make::of_int(40)}}));  // GE's "reserved"

  const auto type_of = [&](int64_t proto, const Attrs &attributes) {
    Desc one = of_dims({1});
    one.proto_type = proto;
    one.attributes = attributes;
    return output(one).dtype;
  };
  CHECK_EQ(-1, type_of(0, {}));
  CHECK_EQ(-1, type_of(999, {}));
  CHECK_EQ(-1, type_of(INT64_MAX, {}));
  CHECK_EQ(11, type_of(12, {}));
  CHECK_EQ(25, type_of(1, {{"__tensor_desc_data_type__", make::of_int(13)}}));
  CHECK_EQ(33, type_of(1, {{"__tensor_desc_data_type__", make::of_int(33)}}));
  CHECK_EQ(-1, type_of(1, {{"__tensor_desc_data_type__", make::of_int(1)}}));

  Desc special = of_dims({2, 2}, 999);
  special.attributes = {{"_special_input_size", make::of_int(64)}};
  CHECK_EQ(uint64_t{64}, output(special).size);
  special.attributes.push_back({"_special_output_size", make::of_int(96)});
  CHECK_EQ(uint64_t{96}, output(special).size);

  Desc input = of_dims({2, 2}, 16);
  input.attributes = {{"size", make::of_int(32)}};  // very old files
  CHECK_EQ(uint64_t{32}, parse_ops(make::data("x", 0, input)).inputs.at(0).size);
  Desc padded = of_dims({2, 2}, 96);
  padded.attributes = {{"_special_input_size", make::of_int(128)}};
  const om::Model model = parse_ops(make::op(
      "x", "Data",
      make::bytes(33, make::desc(of_dims({2, 2}, 16))) + make::bytes(34, make::desc(padded))));
  CHECK_EQ(uint64_t{128}, model.inputs.at(0).size);

  const int64_t huge = int64_t{1} << 40;
  CHECK_EQ(uint64_t{0}, output(of_dims({huge, huge})).size);
  CHECK_EQ(uint64_t{0}, output(of_dims({-2})).size);
  Desc small = of_dims({3});
  small.proto_type = 28;  // int4
  CHECK_EQ(uint64_t{2}, output(small).size);
}

void check_graphs_that_tell_nothing() {
  const auto problem = [](const std::string &ops) { return parse_ops(ops).io_problem; };
  CHECK_CONTAINS("no Data and no NetOutput node", problem(""));
  CHECK_CONTAINS("no Data and no NetOutput node",
                 parse(make::old_file_of(make::model_def(""))).io_problem);
  CHECK_CONTAINS("outputs are unknown", problem(make::data("x", 0, of_dims({1}))));
  CHECK_CONTAINS("\"x\".input_desc at offset", problem(make::op("x", "Data", "")));
  CHECK_CONTAINS("expected at most 128, given 129",
                 problem(make::data("x", 0, of_dims(Ints(129, 1)))));
  const Attrs wide = {{"input_dims", make::of_ints(Ints(200, 1))}};
  CHECK_CONTAINS("given 200", problem(make::data("x", 0, of_dims({1}), wide)));
  CHECK(problem(make::net_output({of_dims(Ints(128, 1))})).empty());

  // With a list the file can be used; only the comparison is missing.
  const std::string listed = make::tensors(0, {{"x", {1}, 4}});
  const om::Model model =
      parse(make::file_of(make::model_def(make::graph(make::op("x", "Data", ""))), listed));
  CHECK(model.io_source == IoSource::kTlv && model.io_problem.empty());
  CHECK(reading::says(model, "cannot be compared with the graph"));
  const om::Model bare = parse(make::file_of(make::model_def(make::graph("")), listed));
  CHECK(bare.io_source == IoSource::kTlv && bare.disagreements.empty());
}

void check_list_alone() {
  const std::string def = make::model_def(
      make::graph(make::data("x", 0, of_dims({1}, 4)) + make::net_output({of_dims({1})})));
  const om::Model old = parse(make::old_file_of(def), false);
  CHECK(old.io_source == IoSource::kNone && old.inputs.empty() && old.outputs.empty());
  CHECK_CONTAINS("MODEL_INOUT_INFO", old.io_problem);
  const om::Model listed = parse(make::file_of(def, make::tensors(0, {{"other", {2}, 8}})), false);
  CHECK(listed.io_source == IoSource::kTlv && listed.disagreements.empty());
  CHECK_EQ(std::string("other"), listed.inputs.at(0).name);
  CHECK(listed.outputs.empty());
}

// ---- malformed protobuf -------------------------------------------------------------------------

void check_malformed() {
  const auto file = [](const std::string &rest) {
    return make::old_file_of(make::model_def(make::graph(make::op("x", "Data", rest))));
  };
  const std::string endless(11, '\x80');
  CHECK_REFUSED(file(make::bytes(33, make::bytes(3, make::bytes(1, endless)))), Cause::kModelDef,
                "a varint of at most 10 bytes");
  CHECK_REFUSED(file(make::bytes(33, make::bytes(3, make::bytes(1, "\x80")))), Cause::kModelDef,
                "a whole varint");
  CHECK_REFUSED(file(make::attrs(kDataAttrs, {{"index", "\x18" + endless}})), Cause::kModelDef,
                "a varint of at most 10 bytes");
  CHECK_REFUSED(file(make::attrs(kDataAttrs, {{"index", "\x1A\x05"}})), Cause::kModelDef,
                "at most 0 bytes");

  // A descriptor with an attribute that is a descriptor, and so on.
  const auto nested = [&](int depth) {
    std::string desc;
    for (int i = 0; i < depth; ++i) desc = make::attrs(5, {{"d", make::bytes(11, desc)}});
    return file(make::bytes(33, desc));
  };
  parse(nested(30));
  CHECK_REFUSED(nested(33), Cause::kModelDef, "nested at most 100 deep");
  CHECK_REFUSED(nested(2000), Cause::kModelDef, "nested at most 100 deep");

  // Values of another type than expected count as absent.
  const om::Model odd =
      parse_ops(make::op("x", "Data",
                         make::attrs(kDataAttrs, {{"index", make::of_text("1")},
                                                  {"input_dims", make::of_texts({"1"})},
                                                  {"_mbatch_origin_input_dims", ""},
                                                  {"unset", ""}}) +
                             make::bytes(33, make::desc(of_dims({4}, 16)))) +
                make::net_output({of_dims({1})}));
  CHECK(odd.inputs.at(0).dims == Ints{4});
  // Names need not be UTF-8.
  const om::Model raw = parse_ops(make::data("\xFF\xFE", 0, of_dims({1})));
  CHECK_EQ(std::string("\xFF\xFE"), raw.inputs.at(0).name);
}

// ---- the dictionary
// -------------------------------------------------------------------------------

std::string key(uint64_t number) {
  std::string out(1, '\0');
  do {
    out += static_cast<char>(number % 127 + 1);
    number /= 127;
  } while (number > 0);
  return out;
}

struct Words {
  make::Texts names{"index", "_data_related_aipp_mode", "_dynamic_output_dims"};
  make::Texts values{"zero", "static_aipp", "0,0,7"};
  Ints flags{0, 1, 1};
  int64_t version = 1;

  Attrs attributes() const {
    return {{"om_compress_version", make::of_int(version)},
            {"attr_name_enum", make::of_texts(names)},
            {"attr_value_enum", make::of_texts(values)},
            {"attrs_use_string_value", make::of_bools(flags)}};
  }
};

std::string compressed(const Attrs &on_data, const Words &words = {}, const Attrs &on_output = {}) {
  return make::old_file_of(make::model_def(make::graph(make::data("first", 0, of_dims({1})) +
                                                       make::data("x", -1, of_dims({1}), on_data) +
                                                       make::net_output({of_dims({1})}, on_output)),
                                           words.attributes()));
}

void check_dictionary() {
  const om::Model model = parse(compressed(
      {{key(0), make::of_int(-1)}, {key(1), make::of_int(1)}, {"plain", make::of_text("p")}}, {},
      {{key(2), make::of_ints({2, 2})}}));
  CHECK_EQ(std::string("x"), model.inputs.at(0).name);  // index -1 is before 0
  CHECK_EQ(size_t{1}, model.aipp.size());
  CHECK_EQ(size_t{2}, model.output_shapes.size());
  CHECK(model.output_shapes.at(0).dims == Ints{7});
  CHECK_EQ(uint64_t{3}, model.details.renamed_attributes);
  parse(compressed({{key(2), make::of_ints({})}}));  // an empty list stays one

  // Numbers of two digits: 00 01 02 is 127.
  Words many;
  many.names.assign(200, "unused");
  many.names[127] = "index";
  many.flags.assign(200, 0);
  CHECK_EQ(std::string("\0\1\2", 3), key(127));
  CHECK_EQ(std::string("x"),
           parse(compressed({{key(127), make::of_int(-5)}}, many)).inputs.at(0).name);

  const std::string name = "MODEL_DEF attribute name";
  const std::string value = "MODEL_DEF attribute value";
  CHECK_REFUSED(compressed({{key(3), make::of_int(0)}}), Cause::kModelDef,
                "a number below 3 (of attr_name_enum), given 3");
  CHECK_REFUSED(compressed({{std::string(1, '\0'), ""}}), Cause::kModelDef, "given none");
  CHECK_REFUSED(compressed({{std::string("\0\x80", 2), ""}}), Cause::kModelDef, name);
  CHECK_REFUSED(compressed({{std::string("\0\1\0", 3), ""}}), Cause::kModelDef, name);
  CHECK_REFUSED(compressed({{std::string("\0", 1) + std::string(20, '\x7F'), ""}}),
                Cause::kModelDef, name);
  CHECK_REFUSED(compressed({{key(1), make::of_int(3)}}), Cause::kModelDef, value);
  CHECK_REFUSED(compressed({{key(1), make::of_int(-1)}}), Cause::kModelDef, value);
  CHECK_REFUSED(compressed({{key(2), make::of_ints({0, 9})}}), Cause::kModelDef, value);
  CHECK_REFUSED(compressed({{key(UINT32_MAX), ""}}), Cause::kModelDef, name);

  // Also where nothing is read: an operator of another type, an output descriptor, a later graph.
  const auto elsewhere = [](const std::string &graphs) {
    return make::old_file_of(make::model_def(graphs, Words().attributes()));
  };
  const Attrs bad = {{key(9), ""}};
  CHECK_REFUSED(elsewhere(make::graph(make::op("c", "Const", make::attrs(kDataAttrs, bad)))),
                Cause::kModelDef, name);
  CHECK_REFUSED(
      elsewhere(make::graph(make::op("c", "Const", make::bytes(34, make::attrs(5, bad))))),
      Cause::kModelDef, name);
  CHECK_REFUSED(elsewhere(make::graph("") +
                          make::graph(make::op("c", "Const", make::attrs(kDataAttrs, bad)))),
                Cause::kModelDef, name);

  Words uneven;
  uneven.flags = {0, 1};
  CHECK_REFUSED(compressed({}, uneven), Cause::kModelDef, "expected 3 flags");
  Words newer;
  newer.version = 2;
  CHECK_REFUSED(compressed({}, newer), Cause::kUnsupported, "om_compress_version");
  // Without the mark such keys are names like others.
  const std::string plain = make::old_file_of(make::model_def(make::graph(
      make::data("x", 0, of_dims({1}), {{key(9), ""}}) + make::net_output({of_dims({1})}))));
  CHECK_EQ(uint64_t{0}, parse(plain).details.renamed_attributes);
}

void check_sub_models() {
  Words words;
  Words nonsense;  // a sub model's own dictionary: encoded names, and flags of another number
  nonsense.names = {std::string("\0\1", 2)};
  nonsense.flags = {1, 1, 1};
  nonsense.version = 7;
  const auto body = [](const Words &own, const std::string &name) {
    const std::string def =
        make::bytes(1, name) +
        make::graph(make::data("b", -1, of_dims({1}), {{key(0), make::of_int(1)}}) +
                    make::data("a", -1, of_dims({1}), {{key(0), make::of_int(0)}}) +
                    make::net_output({of_dims({1})})) +
        make::attrs(11, own.attributes());
    return make::table({{0, def}, {1, "weights"}, {2, make::bytes(10, "") + make::bytes(10, "")}});
  };
  const om::Model model = parse(make::file({body(words, "root"), body(nonsense, "part")}));
  CHECK_EQ(std::string("a"), model.inputs.at(0).name);
  CHECK_EQ(uint64_t{14}, model.weight_size);
  CHECK_EQ(size_t{1}, model.sub_models.size());
  const om::SubModel &sub = model.sub_models.at(0);
  CHECK_EQ(std::string("part"), sub.name);
  CHECK_EQ(std::string("a"), sub.inputs.at(0).name);
  CHECK_EQ(size_t{1}, sub.outputs.size());
  CHECK_EQ(size_t{3}, sub.partitions.size());
  CHECK_EQ(uint64_t{2}, sub.details.renamed_attributes);
  CHECK_EQ(uint64_t{2}, sub.details.tasks);

  const std::string empty = make::table({{1, "weights"}});
  CHECK_REFUSED(make::file({body(words, "root"), empty}), Cause::kNoModelDef, "partition table 1");
  const std::string broken = make::table({{0, "\x0A\x05"}});
  CHECK_REFUSED(make::file({body(words, "root"), broken}), Cause::kModelDef, "MODEL_DEF");
  // Nobody but an inspection asks for the sub models.
  const std::string file = make::file({body(words, "root"), broken});
  CHECK_EQ(std::string("root"),
           om::parse({reinterpret_cast<const uint8_t *>(file.data()), file.size()}).name);
}

// ---- details
// --------------------------------------------------------------------------------------

void check_details() {
  const std::string file = make::old_file_of(make::model_def(
      make::graph(make::data("x", 0, of_dims({1})) + make::op("c", "Conv2D", "") +
                      make::op("d", "Conv2D", "") + make::net_output({of_dims({1})}),
                  "root") +
          make::graph(make::op("e", "Conv2D", ""), "part"),
      {{"memory_size", make::of_int(512)},
       {"zero_copy_memory_size", make::of_int(256)},
       {"target_type", make::of_text("MINI")},
       {"rate", make::of_float(0.5f)},
       {"needCheckTf", make::of_bool(true)},
       {"om_info_list", make::of_ints({1, 2})},
       {"attr_model_out_nodes_name", make::of_texts({"n:0:y"})},
       {"atc_cmdline", make::of_text("atc --model=/secret --soc_version Ascend310P3 --x")},
       {"tasks", make::bytes(7, "binary")}}));
  const om::Model model = parse(file);
  CHECK_EQ(uint64_t{256}, model.zero_copy_size);
  CHECK_EQ(std::string("Ascend310P3"), model.soc_version);
  CHECK_EQ(uint64_t{3}, model.details.operators.at("Conv2D"));
  CHECK_EQ(size_t{3}, model.details.operators.size());
  CHECK_EQ(size_t{2}, model.details.graphs.size());
  CHECK_EQ(uint64_t{4}, model.details.graphs.at(0).operators);
  std::set<std::string> names;
  for (const om::Attribute &attribute : model.details.attributes) names.insert(attribute.name);
  CHECK(names ==
        (std::set<std::string>{"memory_size", "zero_copy_memory_size", "target_type", "rate",
                               "needCheckTf", "om_info_list", "attr_model_out_nodes_name"}));
  CHECK(std::get<Ints>(model.details.attributes.at(5).value) == (Ints{1, 2}));
  CHECK_CONTAINS("\"needCheckTf\":true", om::to_json(model));

  const auto soc = [](const std::string &command) {
    return parse(make::old_file_of(make::model_def("", {{"atc_cmdline", make::of_text(command)}})))
        .soc_version;
  };
  CHECK_EQ(std::string("Ascend310"), soc("atc --soc_version=Ascend310 --model=m"));
  CHECK_EQ(std::string("Ascend310"), soc("atc --soc_version=Ascend310"));
  CHECK_EQ(std::string(""), soc("atc --soc_version"));
  CHECK_EQ(std::string(""), soc("atc --soc_versions=Ascend310"));

  const om::Model brief = om::parse({reinterpret_cast<const uint8_t *>(file.data()), file.size()});
  CHECK(brief.details.operators.empty() && brief.details.attributes.empty());
  CHECK(brief.details.graphs.empty() && brief.sub_models.empty());
  CHECK_EQ(std::string("n:0:y"), brief.outputs.at(0).name);
}

}  // namespace

int main() {
  check_inputs_and_outputs();
  check_order();
  check_output_names();
  check_descriptors();
  check_graphs_that_tell_nothing();
  check_list_alone();
  check_malformed();
  check_dictionary();
  check_sub_models();
  check_details();
  reading::damage_every_byte(compressed({{key(0), make::of_int(-1)}, {key(1), make::of_int(1)}}, {},
                                        {{key(2), make::of_ints({2, 2})}}));
  return check::result();
}
