// SPDX-License-Identifier: Apache-2.0
//
// Gears, ranges and AIPP, from the graph and from MODEL_INOUT_INFO, and the sentences where the two
// disagree.
#include <string>

#include "om_make.h"
#include "om_reading.h"

namespace {

using make::Attrs;
using make::Desc;
using make::Ints;
using make::Listed;
using om::Cause;
using om::Dynamic;
using om::IoSource;
using reading::parse;
using reading::says;

Desc of_dims(const Ints &values, int64_t size = 0) {
  Desc desc;
  desc.dims = make::dims(values);
  desc.size = size;
  return desc;
}

Attrs open_dims(const Ints &values) {
  return {{"_mbatch_origin_input_dims", make::of_ints(values)}};
}

std::string gear_input(int64_t index, int64_t values) {
  Desc desc = of_dims({values}, 4 * values);
  desc.proto_type = 7;
  desc.layout = "ND";
  return make::data("ascend_mbatch_shape_data", index, desc,
                    {{"_is_multi_batch_shape_data", make::of_bool(true)}});
}

std::string gear_case(const std::vector<Ints> &gears, int64_t type, Attrs attributes = {}) {
  attributes.push_back({"_batch_num", make::of_int(static_cast<int64_t>(gears.size()))});
  if (type >= 0) attributes.push_back({"mbatch_dynamic_type", make::of_int(type)});
  for (size_t i = 0; i < gears.size(); ++i) {
    attributes.push_back({"_pred_value_" + std::to_string(i), make::of_ints(gears[i])});
  }
  return make::op("ascend_mbatch_shape_case", "Case", make::attrs(10, attributes));
}

// ---- gears
// ----------------------------------------------------------------------------------------

// x [-1,3,2,2], the gear's input, one output [8,3,2,2]; gears 1, 4, 8.
std::string batch_graph() {
  return make::graph(
      make::data("x", 0, of_dims({8, 3, 2, 2}, 384), open_dims({-1, 3, 2, 2})) + gear_input(1, 1) +
      gear_case({{1}, {4}, {8}}, 1, {{"user_designate_shape_order", make::of_texts({"x"})}}) +
      make::net_output({of_dims({8, 3, 2, 2})},
                       {{"_dynamic_output_dims",
                         make::of_texts({"0,0,1,3,2,2", "1,0,4,3,2,2", "2,0,8,3,2,2"})}}));
}

Listed gear_listed() {
  Listed listed{"ascend_mbatch_shape_data", {1}, 4};
  listed.format = 2;
  listed.dtype = 3;
  return listed;
}

// The same as a list.
std::string batch_list() {
  return make::tensors(0, {{"x", {-1, 3, 2, 2}, 384}, gear_listed()}) +
         make::tensors(1, {{"output_0_last_0", {8, 3, 2, 2}, 384}}) +
         make::gears(2, {{1}, {4}, {8}}) +
         make::texts(5, {"0,0,1,3,2,2", "1,0,4,3,2,2", "2,0,8,3,2,2"}) + make::texts(6, {"x"});
}

void check_batch_gears() {
  const std::string def = make::model_def(batch_graph());
  for (const bool with_list : {false, true}) {
    const om::Model model =
        parse(with_list ? make::file_of(def, batch_list()) : make::old_file_of(def));
    CHECK(model.io_source == (with_list ? IoSource::kBoth : IoSource::kGraph));
    CHECK(model.disagreements.empty() && model.dynamic == Dynamic::kBatch);
    CHECK(model.gears == (std::vector<Ints>{{1}, {4}, {8}}));
    CHECK(model.gear_order == make::Texts{"x"});
    CHECK_EQ(size_t{2}, model.inputs.size());
    CHECK(model.inputs.at(0).dims == (Ints{-1, 3, 2, 2}) && !model.inputs.at(0).is_internal);
    CHECK_EQ(uint64_t{384}, model.inputs.at(0).size);
    CHECK(model.inputs.at(1).is_internal);
    CHECK_EQ(size_t{3}, model.output_shapes.size());
    CHECK_EQ(int64_t{1}, model.output_shapes.at(1).gear);
    CHECK(model.output_shapes.at(1).dims == (Ints{4, 3, 2, 2}));
  }
}

om::Model with_gears(const std::vector<Ints> &gears, int64_t type, const Ints &dims,
                     const Attrs &output = {}) {
  return parse(make::old_file_of(make::model_def(
      make::graph(make::data("x", 0, of_dims({1}), open_dims(dims)) + gear_case(gears, type) +
                  make::net_output({of_dims({1})}, output)))));
}

void check_kinds_of_gears() {
  CHECK(with_gears({{224, 224}, {448, 448}}, 2, {1, 3, -1, -1}).dynamic == Dynamic::kImage);
  CHECK(with_gears({{1, 2, 3}, {4, 5, 6}}, 3, {-1, -1, -1}).dynamic == Dynamic::kDims);
  CHECK(with_gears({{16}, {32}}, 3, {1, -1}).dynamic == Dynamic::kDims);
  // Old files do not state the kind.
  CHECK(with_gears({{1}, {2}}, -1, {-1, 3}).dynamic == Dynamic::kBatch);
  CHECK(with_gears({{1, 2}, {3, 4}}, -1, {3, -1, -1}).dynamic == Dynamic::kImage);
  CHECK(with_gears({{1, 2, 3}, {4, 5, 6}}, 0, {-1, -1, -1}).dynamic == Dynamic::kDims);
  // A Case of the user's own.
  const om::Model own = parse(make::old_file_of(make::model_def(make::graph(
      make::data("x", 0, of_dims({1})) +
      make::op("mine", "Case", make::attrs(10, {{"_pred_value_0", make::of_ints({1})}})) +
      make::net_output({of_dims({1})})))));
  CHECK(own.dynamic == Dynamic::kNone && own.gears.empty());
  CHECK(with_gears({}, 1, {3}).dynamic == Dynamic::kNone);

  for (const Ints &dims : {Ints{-1, -1}, Ints{4}}) {
    CHECK(says(with_gears({{1}, {2}}, 3, dims), "gear 0 is [1], but the inputs need"));
  }
  CHECK(
      says(with_gears({{1, 2}, {2, 2}}, 1, {-1}), "gear 0 is [1,2], but the inputs need 1 value"));
}

void check_missing_gears() {
  const auto file = [](const Attrs &attributes) {
    return make::old_file_of(make::model_def(make::graph(
        make::data("x", 0, of_dims({1})) + make::op("c", "Case", make::attrs(10, attributes)) +
        make::net_output({of_dims({1})}))));
  };
  const auto gear = [](const std::string &name) {
    return std::pair<std::string, std::string>{name, make::of_ints({1})};
  };
  const auto count = [](int64_t value) {
    return std::pair<std::string, std::string>{"_batch_num", make::of_int(value)};
  };
  CHECK_REFUSED(file({count(3), gear("_pred_value_0"), gear("_pred_value_1")}), Cause::kModelDef,
                "expected 3 gears (_batch_num), given no _pred_value_2");
  CHECK_REFUSED(file({count(INT64_MAX), gear("_pred_value_0")}), Cause::kModelDef,
                "no _pred_value_1");
  CHECK_REFUSED(file({count(1), gear("_pred_value_x"), gear("_pred_value_")}), Cause::kModelDef,
                "no _pred_value_0");
  CHECK_REFUSED(file({count(1), {"_pred_value_0", make::of_ints({})}}), Cause::kModelDef,
                "no _pred_value_0");
  CHECK(parse(file({count(-1), gear("_pred_value_0")})).gears.empty());
}

void check_output_shapes() {
  const auto shapes = [](const make::Texts &texts) {
    return with_gears({{1}, {2}}, 1, {-1}, {{"_dynamic_output_dims", make::of_texts(texts)}});
  };
  const om::Model model = shapes({"-1,0,5", "0;0:7 8", "1,0"});
  CHECK_EQ(size_t{3}, model.output_shapes.size());
  CHECK_EQ(int64_t{-1}, model.output_shapes.at(0).gear);
  CHECK(model.output_shapes.at(1).dims == (Ints{7, 8}));
  CHECK(model.output_shapes.at(2).dims.empty() && model.disagreements.empty());
  CHECK(says(shapes({"nothing"}), "\"nothing\", which is not gear,output,dims"));
  CHECK(says(shapes({"1-,0,3"}), "\"1-,0,3\""));
  CHECK(says(shapes({"99999999999999999999,0,3"}), "is not gear,output,dims"));
  CHECK(says(shapes({"2,0,3"}), "output 0 under gear 2; there are 1 output and 2 gears"));
  CHECK(says(shapes({"0,1,3"}), "output 1 under gear 0"));
  CHECK(says(shapes({"0,-1,3"}), "output -1"));
  // A hundred sentences, and how many more there were.
  const om::Model many = shapes(make::Texts(250, "nothing"));
  CHECK_EQ(size_t{101}, many.disagreements.size());
  CHECK_EQ(std::string("and 150 more of this kind"), many.disagreements.back());
  CHECK(says(shapes({std::string(100000, 'n')}), "nnn..."));
  CHECK(shapes({std::string(100000, 'n')}).disagreements.at(0).size() < 400);
}

void check_listed_gears() {
  const std::string def = make::model_def("");
  const auto listed = [&](const std::string &records) {
    return parse(make::file_of(def, make::tensors(0, {{"x", {-1, -1}, 0}}) + records));
  };
  CHECK(listed(make::gears(3, {{3, 4}, {5, 6}})).dynamic == Dynamic::kImage);
  const om::Model dims = listed(make::texts(6, {"x"}) + make::gears(4, {{3, 4}, {5, 6}}));
  CHECK(dims.dynamic == Dynamic::kDims && dims.gear_order == make::Texts{"x"});
  CHECK(dims.gears == (std::vector<Ints>{{3, 4}, {5, 6}}) && dims.disagreements.empty());
  CHECK(listed(make::gears(2, {})).dynamic == Dynamic::kRange);  // open dims and no gears
  CHECK(says(listed(make::gears(3, {{3, 4}}) + make::gears(2, {{1}})), "more than one kind"));

  const auto refused = [&](const std::string &record, const char *text) {
    CHECK_REFUSED(make::file_of(def, record), Cause::kInoutInfo, text);
  };
  refused(make::gears(3, {{3, 4}, {5}}), "expected 2 values each, given 1");
  refused(make::gears(4, {{-1}}), "expected numbers below 2^63");
  refused(make::gears(2, {{-1}}), "expected numbers below 2^63");
  refused(make::record(2, make::u32(2) + make::u64(1)), "batch gears.values");
  refused(make::record(2, make::u32(UINT32_MAX)), "batch gears.values");
  refused(make::record(4, make::u32(UINT32_MAX)), "dims gears.lengths");
  refused(make::record(4, make::u32(1) + make::u32(UINT32_MAX)), "dims gears.values");
  refused(make::record(5, make::u32(1) + make::u32(5) + "0,1"), "output shapes.values");
  refused(make::record(6, make::u32(0) + "x"), "gear order.length");
}

// ---- ranges
// ---------------------------------------------------------------------------------------

void check_ranges() {
  Desc desc = of_dims({-1, 3});
  desc.attributes = {{"shape_range", make::of_int_lists({{1, 8}, {3, 3}})}};
  const std::string def =
      make::model_def(make::graph(make::data("x", 0, desc) + make::net_output({of_dims({-1, 3})})));
  const std::string outputs = make::tensors(1, {{"output_0_last_0", {-1, 3}, 0}});
  Listed x{"x", {-1, 3}, 0};
  x.range = {1, 8, 3, 3};
  const std::string list = make::tensors(0, {x}) + outputs;
  for (const std::string &file :
       {make::old_file_of(def), make::file({make::table({{8, list}, {0, def}})}, true)}) {
    const om::Model model = parse(file);
    CHECK(model.dynamic == Dynamic::kRange && model.gears.empty() && model.disagreements.empty());
    CHECK_EQ(size_t{2}, model.inputs.at(0).range.size());
    CHECK_EQ(int64_t{8}, model.inputs.at(0).range.at(0).second);
  }
  x.range.clear();
  const om::Model model = parse(make::file_of(def, make::tensors(0, {x}) + outputs));
  CHECK(says(model, "range is none in MODEL_INOUT_INFO, [1,8][3,3] in the graph"));

  // Of a dynamic file the list has computed sizes, the graph the descriptor's: no difference.
  const std::string fixed = make::model_def(
      make::graph(make::data("x", 0, of_dims({2, 3})) + make::net_output({of_dims({2, 3})})));
  const std::string sizes =
      make::tensors(0, {{"x", {2, 3}, 24}}) + make::tensors(1, {{"output_0_last_0", {2, 3}, 24}});
  const auto table = make::table({{8, sizes}, {0, fixed}});
  CHECK(parse(make::file({table}, true)).disagreements.empty());
  CHECK(says(parse(make::file({table}, false)), "size is 24 in MODEL_INOUT_INFO, 0 in the graph"));
}

// ---- disagreements
// --------------------------------------------------------------------------------

void check_disagreements() {
  const auto against = [](const std::string &list) {
    return parse(make::file_of(make::model_def(batch_graph()), list));
  };
  const auto with_inputs = [&](Listed x) {
    std::string list = batch_list();
    const size_t length = make::tensors(0, {{"x", {-1, 3, 2, 2}, 384}, gear_listed()}).size();
    return against(make::tensors(0, {std::move(x), gear_listed()}) + list.substr(length));
  };
  const Listed x{"x", {-1, 3, 2, 2}, 384};
  CHECK(with_inputs(x).disagreements.empty());
  const auto differing = [&](Listed other, const std::string &sentence) {
    const om::Model model = with_inputs(std::move(other));
    CHECK(says(model, sentence));
    CHECK(model.io_source == IoSource::kBoth);
    return model;
  };
  Listed other = x;
  other.name = "image";
  const om::Model renamed =
      differing(other, "input 0 \"image\": name is image in MODEL_INOUT_INFO, x in the graph");
  CHECK_EQ(std::string("image"), renamed.inputs.at(0).name);  // the list counts
  other = x;
  other.dtype = 1;
  differing(other, "type is float16 in MODEL_INOUT_INFO, float32 in the graph");
  other.dtype = 77;
  differing(other, "type is number 77");
  other = x;
  other.format = 1;
  differing(other, "format is NHWC in MODEL_INOUT_INFO, NCHW in the graph");
  other.format = 99;
  differing(other, "format is number 99");
  other = x;
  other.size = 385;
  differing(other, "size is 385 in MODEL_INOUT_INFO, 384 in the graph");
  other = x;
  other.dims = {-1, 3, 4, 1};
  differing(other, "shape is [-1,3,4,1] in MODEL_INOUT_INFO, [-1,3,2,2] in the graph");
  other.dims = x.dims;
  other.dims_v2 = {8};
  differing(other, "shape in memory is [8]");

  const om::Model few = against(make::tensors(0, {x}));
  CHECK(says(few, "lists 1 input, the graph has 2") && says(few, "lists 0 outputs"));
  CHECK(says(few, "kind is none in MODEL_INOUT_INFO, batch in the graph"));
  CHECK(says(few, "list is none in MODEL_INOUT_INFO, [1][4][8] in the graph"));
  CHECK(says(few, "the order of inputs differs") && says(few, "the dims of outputs"));
  CHECK(few.dynamic == Dynamic::kBatch);  // the graph's, where the list says nothing
  CHECK(says(against(make::tensors(0, {x}) + make::gears(3, {{1, 1}})), "kind is image size"));
  CHECK(says(against(make::tensors(0, {x}) + make::gears(4, {{1}})), "kind is dims"));
}

// ---- AIPP
// -----------------------------------------------------------------------------------------

Attrs yuv_parameters() {
  return {{"aipp_mode", make::of_int(1)},
          {"input_format", make::of_int(1)},
          {"src_image_size_w", make::of_int(1920)},
          {"src_image_size_h", make::of_int(1080)},
          {"crop", make::of_bool(true)},
          {"load_start_pos_w", make::of_int(4)},
          {"load_start_pos_h", make::of_int(8)},
          {"crop_size_w", make::of_int(224)},
          {"crop_size_h", make::of_int(220)},
          {"padding", make::of_bool(true)},
          {"top_padding_size", make::of_int(2)},
          {"bottom_padding_size", make::of_int(2)},
          {"rbuv_swap_switch", make::of_bool(true)},
          {"csc_switch", make::of_bool(true)},
          {"matrix_r0c0", make::of_int(298)},
          {"matrix_r0c1", make::of_int(0)},
          {"matrix_r0c2", make::of_int(409)},
          {"matrix_r1c0", make::of_int(298)},
          {"matrix_r1c1", make::of_int(-100)},
          {"matrix_r1c2", make::of_int(-208)},
          {"matrix_r2c0", make::of_int(298)},
          {"matrix_r2c1", make::of_int(516)},
          {"matrix_r2c2", make::of_int(0)},
          {"input_bias_0", make::of_int(16)},
          {"input_bias_1", make::of_int(128)},
          {"input_bias_2", make::of_int(128)},
          {"mean_chn_0", make::of_int(104)},
          {"mean_chn_1", make::of_int(117)},
          {"mean_chn_2", make::of_int(123)},
          {"min_chn_1", make::of_float(0.5f)},
          {"var_reci_chn_0", make::of_float(0.5f)},
          {"var_reci_chn_1", make::of_float(0.5f)},
          {"var_reci_chn_2", make::of_float(0.5f)},
          {"var_reci_chn_9", make::of_float(7)},
          {"matrix_r3c0", make::of_int(7)},
          {"matrix_r0x0", make::of_int(7)},
          {"unknown", make::of_int(7)}};
}

std::string static_aipp(const Attrs &parameters) {
  Desc image = of_dims({1, 1080, 1920, 3}, 3110400);
  image.proto_type = 4;  // uint8
  image.layout = "NHWC";
  return make::old_file_of(make::model_def(make::graph(
      make::data("image", 0, image,
                 {{"_data_related_aipp_mode", make::of_text("static_aipp")},
                  {"aipp", make::of_named(parameters)},
                  {"input_dims", make::of_ints({1, 1620, 1920, 1})},
                  {"_aipp_inputs", make::of_texts({"NCHW:DT_FLOAT:image:602112:4:1,3,224,224"})},
                  {"_aipp_outputs", make::of_texts({"no:six:parts"})}}) +
      make::net_output({of_dims({1})}))));
}

void check_static_aipp() {
  const om::Model model = parse(static_aipp(yuv_parameters()));
  const om::Tensor &image = model.inputs.at(0);
  CHECK_EQ(4, image.dtype);
  CHECK_EQ(uint64_t{3110400}, image.size);
  CHECK(image.dims == (Ints{1, 1080, 1920, 3}) && image.dims_v2 == (Ints{1, 1620, 1920, 1}));
  CHECK_EQ(size_t{1}, model.aipp.size());
  const om::Aipp &aipp = model.aipp.at(0);
  CHECK(aipp.mode == om::Aipp::Mode::kStatic && aipp.has_parameters && aipp.crop && !aipp.resize);
  CHECK_EQ(int64_t{220}, aipp.crop_h);
  CHECK_EQ(int64_t{-208}, aipp.matrix[5]);
  CHECK(aipp.mean[1] == 117 && aipp.min[1] == 0.5f && aipp.var_reci[3] == 1.0f);
  CHECK_EQ(std::string("image"), aipp.network_input.name);
  CHECK(aipp.network_input.dims == (Ints{1, 3, 224, 224}) && aipp.output.name.empty());
  CHECK_EQ(
      std::string("static AIPP: takes YUV420SP_U8 images of 1920x1080; exchanges U and V; crops "
                  "224x220 from left 4, top 8; converts colours: YUV to RGB (BT.601 narrow); "
                  "normalises: subtracts mean [104, 117, 123], then subtracts min [0, 0.5, 0], "
                  "then multiplies by [0.5, 0.5, 0.5]; pads left 0, right 0, top 2, bottom 2; the "
                  "network behind it has NCHW DT_FLOAT [1,3,224,224]. Feed raw pixels: normalising "
                  "them before would do it twice."),
      om::describe(aipp));
}

void check_words() {
  om::Aipp aipp;
  CHECK_CONTAINS("parameters that the file does not state", om::describe(aipp));
  aipp.has_parameters = true;
  aipp.input_format = 3;
  CHECK_EQ(std::string("static AIPP: takes RGB888_U8 images; does not normalise. Feed raw pixels; "
                       "they reach the network as 0 to 255, nothing is normalised."),
           om::describe(aipp));
  aipp.rbuv_swap = aipp.ax_swap = aipp.crop = aipp.resize = aipp.csc = true;
  aipp.resize_w = 64;
  aipp.resize_h = 32;
  aipp.mean[3] = 9;
  aipp.input_format = 77;
  const std::string text = om::describe(aipp);
  CHECK_CONTAINS("takes format 77 images", text);
  CHECK_CONTAINS("moves the first channel (A or X) behind the others; exchanges R and B", text);
  CHECK_CONTAINS("crops to the network's size from left 0, top 0", text);
  CHECK_CONTAINS("resizes to 64x32", text);
  CHECK_CONTAINS("matrix [0,0,0,0,0,0,0,0,0] / 256, output bias [0,0,0]", text);
  CHECK_CONTAINS("subtracts mean [0, 0, 0, 9]", text);

  const auto conversion = [&](int64_t format, const Ints &matrix, const Ints &bias) {
    aipp.input_format = format;
    for (size_t i = 0; i < 9; ++i) aipp.matrix[i] = matrix[i];
    for (size_t i = 0; i < 3; ++i) aipp.input_bias[i] = aipp.output_bias[i] = bias[i];
    return om::describe(aipp);
  };
  const Ints narrow{16, 128, 128};
  CHECK_CONTAINS("YUV to BGR (BT.709 narrow)",
                 conversion(9, {298, 541, 0, 298, -55, -136, 298, 0, 459}, narrow));
  CHECK_CONTAINS("RGB to YVU (BT.601 narrow)",
                 conversion(3, {66, 129, 25, 112, -94, -18, -38, -74, 112}, narrow));
  CHECK_CONTAINS("RGB to gray", conversion(3, {76, 150, 30, 0, 0, 0, 0, 0, 0}, {0, 0, 0}));
  CHECK_CONTAINS("input bias [16,128,128]", conversion(1, {256, 0, 0, 0, 0, 0, 0, 0, 0}, narrow));
  CHECK_EQ(std::string(""), om::aipp_format_name(0));
  CHECK_EQ(std::string("RGB24_IR"), om::aipp_format_name(20));
  CHECK_EQ(std::string(""), om::aipp_format_name(21));
}

void check_dynamic_aipp() {
  Desc image = of_dims({1, 6220800}, 6220800);
  image.proto_type = 4;
  image.layout = "NHWC";
  Desc block = of_dims({64 + 96 * 2}, 256);
  block.proto_type = 4;
  block.layout = "ND";
  const auto file = [&](const Attrs &on_image, const Attrs &on_block) {
    Attrs data{{"_data_related_aipp_mode", make::of_text("dynamic_aipp")},
               {"_data_aipp_data_name_map", make::of_text("ascend_dynamic_aipp_data")},
               {"_dynamic_aipp_input_dims", make::of_ints({2, -1, -1, -1})}};
    Attrs node{{"index", make::of_int(1)},
               {"_data_related_aipp_mode", make::of_text("dynamic_aipp_conf")},
               {"_data_aipp_data_name_map", make::of_text("image")}};
    data.insert(data.end(), on_image.begin(), on_image.end());
    node.insert(node.end(), on_block.begin(), on_block.end());
    return make::old_file_of(make::model_def(
        make::graph(make::data("image", 0, image, data) +
                    make::op("ascend_dynamic_aipp_data", "AippData",
                             make::attrs(10, node) + make::bytes(33, make::desc(block))) +
                    make::net_output({of_dims({1})}))));
  };
  const Attrs parameters{{"aipp", make::of_named({{"aipp_mode", make::of_int(2)},
                                                  {"support_rotation", make::of_bool(true)},
                                                  {"max_src_image_size", make::of_int(6220800)}})}};
  for (const bool on_image : {true, false}) {
    const om::Model model =
        parse(file(on_image ? parameters : Attrs{}, on_image ? Attrs{} : parameters));
    CHECK(model.dynamic == Dynamic::kNone);  // the open dims are AIPP's affair
    CHECK(model.inputs.at(0).dims == (Ints{2, -1, -1, -1}) && !model.inputs.at(0).is_internal);
    CHECK(model.inputs.at(1).is_internal && model.disagreements.empty());
    CHECK_EQ(uint64_t{256}, model.inputs.at(1).size);
    CHECK_EQ(size_t{1}, model.aipp.size());
    const om::Aipp &aipp = model.aipp.at(0);
    CHECK(aipp.mode == om::Aipp::Mode::kDynamic && aipp.support_rotation);
    CHECK_EQ(int64_t{6220800}, aipp.max_src_image_size);
    CHECK_EQ(std::string("dynamic AIPP: takes images of at most 6220800 bytes; format, crop, "
                         "colours and normalisation are set for each run (input "
                         "ascend_dynamic_aipp_data); may rotate. Normalise in one place only: here "
                         "or in the parameters."),
             om::describe(aipp));
  }
  CHECK_CONTAINS("of a size that the file does not state",
                 om::describe(parse(file({}, {})).aipp.at(0)));
}

void check_odd_aipp() {
  const auto mode = [](const std::string &text) {
    return parse(make::old_file_of(make::model_def(make::graph(
        make::data("x", 0, of_dims({1}), {{"_data_related_aipp_mode", make::of_text(text)}}) +
        make::net_output({of_dims({1})})))));
  };
  CHECK(mode("dynamic_aipp_conf").disagreements.empty() && mode("").disagreements.empty());
  CHECK(says(mode("statik_aipp"), "AIPP mode is \"statik_aipp\"") && mode("x").aipp.empty());
  // Only the graph knows AIPP: an input of another name in the list cannot be told to have it.
  const std::string graph =
      make::graph(make::data("x", 0, of_dims({1}),
                             {{"_data_related_aipp_mode", make::of_text("static_aipp")}}) +
                  make::net_output({of_dims({1})}));
  const auto listed = [&](const std::string &name) {
    return parse(make::file_of(make::model_def(graph),
                               make::tensors(0, {{"other", {1}, 0}, {name, {1}, 0}})));
  };
  CHECK_EQ(size_t{1}, listed("x").aipp.at(0).input);
  CHECK(listed("y").aipp.empty() && says(listed("y"), "AIPP at an input that MODEL_INOUT_INFO"));
  for (const char *text : {"", "a:b", "NCHW:DT:x:9:1:2:3", "NCHW:DT:x:nine:1:2", "NCHW:DT:x:-9:1:2",
                           "NCHW:DT:x:9:1:2-"}) {
    const om::Model model = parse(make::old_file_of(make::model_def(
        make::graph(make::data("x", 0, of_dims({1}),
                               {{"_data_related_aipp_mode", make::of_text("static_aipp")},
                                {"_aipp_inputs", make::of_texts({text})}}) +
                    make::net_output({of_dims({1})})))));
    CHECK(model.aipp.at(0).network_input.name.empty());
  }
}

}  // namespace

int main() {
  check_batch_gears();
  check_kinds_of_gears();
  check_missing_gears();
  check_output_shapes();
  check_listed_gears();
  check_ranges();
  check_disagreements();
  check_static_aipp();
  check_words();
  check_dynamic_aipp();
  check_odd_aipp();
  reading::damage_every_byte(make::file_of(make::model_def(batch_graph()), batch_list()));
  reading::damage_every_byte(static_aipp(yuv_parameters()));
  return check::result();
}
