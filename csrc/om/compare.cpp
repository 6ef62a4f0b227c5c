// SPDX-License-Identifier: Apache-2.0
//
// Nothing here is an error: a file that contradicts itself is read, and says so.
#include "om/compare.h"

#include <algorithm>
#include <string>

#include "om/text.h"

namespace om {
namespace {

constexpr int32_t kFractalZ = 4;
constexpr int32_t kHwcn = 16;

std::string type_text(int32_t dtype) {
  const Dtype *type = find_dtype(dtype);
  return type != nullptr ? type->name : "number " + std::to_string(dtype);
}

std::string format_text(int32_t format) {
  const std::string name = format_name(format);
  return name.empty() ? "number " + std::to_string(format) : name;
}

std::string range_text(const std::vector<std::pair<int64_t, int64_t>> &ranges) {
  std::string text;
  for (const auto &[low, high] : ranges) text += to_text({low, high});
  return text.empty() ? "none" : text;
}

bool has_open_dim(const Tensor &tensor) {
  return std::any_of(tensor.dims.begin(), tensor.dims.end(), [](int64_t dim) { return dim < 0; });
}

class Comparison {
 public:
  Comparison(std::string subject, Sentences &sentences)
      : subject_(std::move(subject)), sentences_(sentences) {}

  void differ(const char *field, const std::string &listed, const std::string &graph) {
    sentences_.add(subject_ + ": " + field + " is " + shortened(listed) + " in MODEL_INOUT_INFO, " +
                   shortened(graph) + " in the graph");
  }

 private:
  std::string subject_;
  Sentences &sentences_;
};

bool formats_agree(int32_t listed, int32_t graph) {
  return listed == graph || (listed == kFractalZ && graph == kHwcn);
}

void compare_tensor(const std::string &subject, const Tensor &listed, const GraphTensor &other,
                    Sentences &sentences) {
  const Tensor &graph = other.tensor;
  Comparison says(subject + " \"" + shortened(listed.name) + "\"", sentences);
  if (listed.name != graph.name) says.differ("name", listed.name, graph.name);
  if (listed.dtype != graph.dtype) {
    says.differ("type", type_text(listed.dtype), type_text(graph.dtype));
  }
  if (!formats_agree(listed.format, graph.format)) {
    says.differ("format", format_text(listed.format), format_text(graph.format));
  }
  if (listed.size != graph.size && listed.size != other.listed_size) {
    says.differ("size", std::to_string(listed.size), std::to_string(graph.size));
  }
  if (listed.dims != graph.dims) says.differ("shape", to_text(listed.dims), to_text(graph.dims));
  if (listed.dims_v2 != graph.dims_v2) {
    says.differ("shape in memory", to_text(listed.dims_v2), to_text(graph.dims_v2));
  }
  if (has_open_dim(listed) && listed.range != graph.range) {
    says.differ("range", range_text(listed.range), range_text(graph.range));
  }
}

void compare_tensors(const char *side, const std::vector<Tensor> &listed,
                     const std::vector<GraphTensor> &graph, Sentences &sentences) {
  if (listed.size() != graph.size()) {
    sentences.add("MODEL_INOUT_INFO lists " + count_of(listed.size(), side) + ", the graph has " +
                  std::to_string(graph.size()));
  }
  for (size_t i = 0; i < std::min(listed.size(), graph.size()); ++i) {
    compare_tensor(std::string(side) + " " + std::to_string(i), listed[i], graph[i], sentences);
  }
}

std::string kind_text(Dynamic kind) {
  switch (kind) {
    case Dynamic::kBatch:
      return "batch";
    case Dynamic::kImage:
      return "image size";
    case Dynamic::kDims:
      return "dims";
    default:
      return "none";
  }
}

std::string gears_text(const std::vector<std::vector<int64_t>> &gears) {
  std::string text;
  for (const std::vector<int64_t> &gear : gears) text += to_text(gear);
  return text.empty() ? "none" : text;
}

bool same_shapes(const std::vector<OutputShape> &a, const std::vector<OutputShape> &b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const OutputShape &x, const OutputShape &y) {
                      return x.gear == y.gear && x.output == y.output && x.dims == y.dims;
                    });
}

}  // namespace

void compare(const InoutInfo &listed, const GraphIo &graph, Sentences &sentences) {
  compare_tensors("input", listed.inputs, graph.inputs, sentences);
  compare_tensors("output", listed.outputs, graph.outputs, sentences);
  Comparison gears("gears", sentences);
  if (listed.gears.kind != graph.gears.kind) {
    gears.differ("kind", kind_text(listed.gears.kind), kind_text(graph.gears.kind));
  }
  if (listed.gears.values != graph.gears.values) {
    gears.differ("list", gears_text(listed.gears.values), gears_text(graph.gears.values));
  }
  if (listed.gears.order != graph.gears.order) {
    sentences.add("gears: the order of inputs differs between MODEL_INOUT_INFO and the graph");
  }
  if (!same_shapes(listed.output_shapes, graph.output_shapes)) {
    sentences.add(
        "the dims of outputs under the gears differ between MODEL_INOUT_INFO and the graph");
  }
}

}  // namespace om
