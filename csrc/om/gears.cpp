// SPDX-License-Identifier: Apache-2.0
//
// The kind of gears is stated by newer compilers only; before, the number of values told it.
#include "om/gears.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "om/error.h"
#include "om/text.h"

namespace om {
namespace {

constexpr std::string_view kValuePrefix = "_pred_value_";

Dynamic kind_of(int64_t stated, const std::vector<std::vector<int64_t>> &values) {
  switch (stated) {
    case 1:
      return Dynamic::kBatch;
    case 2:
      return Dynamic::kImage;
    case 3:
      return Dynamic::kDims;
    default:
      break;
  }
  const size_t size = values.front().size();
  return size == 1 ? Dynamic::kBatch : size == 2 ? Dynamic::kImage : Dynamic::kDims;
}

size_t open_dims(const Tensor &tensor) {
  return static_cast<size_t>(
      std::count_if(tensor.dims.begin(), tensor.dims.end(), [](int64_t dim) { return dim < 0; }));
}

// How many values a gear has by the kind and the inputs.
size_t values_needed(const Model &model) {
  if (model.dynamic == Dynamic::kBatch) return 1;
  if (model.dynamic == Dynamic::kImage) return 2;
  size_t count = 0;
  for (const Tensor &tensor : model.inputs) {
    if (!tensor.is_internal) count += open_dims(tensor);
  }
  return count;
}

}  // namespace

Gears read_gears(View op, const Dictionary &dictionary) {
  Gears gears;
  std::optional<int64_t> count;
  int64_t stated_kind = 0;
  std::map<int64_t, std::vector<int64_t>> values;
  for_each_attr(op, 10, dictionary, [&](const Attr &attr) {
    if (attr.name == "_batch_num") count = attr.as_int();
    if (attr.name == "mbatch_dynamic_type") stated_kind = attr.as_int().value_or(0);
    if (attr.name == "user_designate_shape_order") {
      gears.order = strings(or_empty(attr.as_texts()));
    }
    if (attr.name.substr(0, kValuePrefix.size()) != kValuePrefix) return;
    const auto index = parse_int(attr.name.substr(kValuePrefix.size()));
    auto numbers = attr.as_ints();
    if (index && numbers) values[*index] = std::move(*numbers);
  });
  if (!count) return {};
  for (int64_t i = 0; i < *count; ++i) {
    const auto found = values.find(i);
    if (found == values.end() || found->second.empty()) {
      fail(Cause::kModelDef, op.offset, "MODEL_DEF Case node",
           std::to_string(*count) + " gears (_batch_num)",
           "no " + std::string(kValuePrefix) + std::to_string(i));
    }
    gears.values.push_back(std::move(found->second));
  }
  if (!gears.values.empty()) gears.kind = kind_of(stated_kind, gears.values);
  return gears;
}

std::vector<OutputShape> parse_output_shapes(const std::vector<View> &texts, Sentences &sentences) {
  std::vector<OutputShape> shapes;
  for (const View text : texts) {
    const auto numbers = find_ints(text_of(text));
    if (!numbers || numbers->size() < 2) {
      sentences.add("the dims of an output under a gear are given as \"" +
                    shortened(text_of(text)) + "\", which is not gear,output,dims");
      continue;
    }
    shapes.push_back({(*numbers)[0], (*numbers)[1], {numbers->begin() + 2, numbers->end()}});
  }
  return shapes;
}

void check_gears(const Model &model, Sentences &sentences) {
  const size_t needed = model.gears.empty() ? 0 : values_needed(model);
  for (size_t i = 0; i < model.gears.size(); ++i) {
    if (model.gears[i].size() == needed) continue;
    sentences.add("gear " + std::to_string(i) + " is " + shortened(to_text(model.gears[i])) +
                  ", but the inputs need " + count_of(needed, "value"));
  }
  for (const OutputShape &shape : model.output_shapes) {
    const bool has_gear =
        shape.gear == -1 ||
        (shape.gear >= 0 && static_cast<uint64_t>(shape.gear) < model.gears.size());
    const bool has_output =
        shape.output >= 0 && static_cast<uint64_t>(shape.output) < model.outputs.size();
    if (has_gear && has_output) continue;
    sentences.add("dims are given for output " + std::to_string(shape.output) + " under gear " +
                  std::to_string(shape.gear) + "; there are " +
                  count_of(model.outputs.size(), "output") + " and " +
                  count_of(model.gears.size(), "gear"));
  }
}

}  // namespace om
