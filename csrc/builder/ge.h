// SPDX-License-Identifier: Apache-2.0
//
// The part of GE's C++ ABI that clients which build models in the process ask for: eight symbols
// and the layout of four types. C++ types cross here, so both sides must use libstdc++ with its
// new strings. No exception leaves; 0xFFFFFFFF is failure, and aclGetRecentErrMsg has the reason.
#ifndef ACLRT_BUILDER_GE_H
#define ACLRT_BUILDER_GE_H

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#define ACLRT_GE_EXPORT __attribute__((visibility("default")))

namespace ge {

using graphStatus = uint32_t;
inline constexpr graphStatus kSuccess = 0;
inline constexpr graphStatus kFailed = 0xFFFFFFFF;

class ACLRT_GE_EXPORT AscendString {
 public:
  explicit AscendString(const char *text);
  bool operator<(const AscendString &other) const;

  __attribute__((visibility("hidden"))) const char *text() const {
    return text_ != nullptr ? text_->c_str() : "";
  }

 private:
  std::shared_ptr<std::string> text_;  // nullptr of a null pointer, which is less than any text
};

// Clients copy and destroy graphs themselves, through the shared pointer alone.
struct GraphContent {
  std::string name;
  std::string onnx;  // empty until something was parsed
};

class ACLRT_GE_EXPORT Graph {
 public:
  explicit Graph(const char *name);

  __attribute__((visibility("hidden"))) const GraphContent *content() const {
    return content_.get();
  }
  __attribute__((visibility("hidden"))) void set(std::shared_ptr<GraphContent> content) {
    content_ = std::move(content);
  }

 private:
  std::shared_ptr<GraphContent> content_;
};

struct ModelBufferData {
  std::shared_ptr<uint8_t> data;
  uint64_t length;
};

using Options = std::map<AscendString, AscendString>;

static_assert(sizeof(AscendString) == 16 && sizeof(Graph) == 16 && sizeof(ModelBufferData) == 24,
              "clients were compiled for these sizes");

ACLRT_GE_EXPORT graphStatus aclgrphBuildInitialize(Options &options);
ACLRT_GE_EXPORT void aclgrphBuildFinalize();
ACLRT_GE_EXPORT graphStatus aclgrphParseONNXFromMem(const char *buffer, size_t size,
                                                    const Options &params, Graph &graph);
ACLRT_GE_EXPORT graphStatus aclgrphBuildModel(const Graph &graph, const Options &options,
                                              ModelBufferData &model);
ACLRT_GE_EXPORT graphStatus aclgrphSaveModel(const char *output_file, const ModelBufferData &model);

}  // namespace ge

#endif
