// SPDX-License-Identifier: Apache-2.0
//
// Initialise, parse, build, save, finalise. Building is the fake's converter; what only tells how a
// card computes is taken and has no effect, what would change the result is refused by name.
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>

#include "aclrt/aclfake.h"
#include "builder/ge.h"

namespace ge {
namespace {

constexpr const char *kInputShape = "input_shape";

// How a card computes, or what its compiler does meanwhile (docs/fake.md).
constexpr const char *kWithoutEffect[] = {
    "ge.aicoreNum",
    "ge.autoTuneMode",
    "ge.bufferOptimize",
    "ge.debugDir",
    "ge.deterministic",
    "ge.engineType",
    "ge.exec.disableReuseMemory",
    "ge.exec.exclude_engines",
    "ge.exec.precision_mode",
    "ge.exec.precision_mode_v2",
    "ge.fusionSwitchFile",
    "ge.jit_compile",
    "ge.mdl_bank_path",
    "ge.opDebugLevel",
    "ge.opSelectImplmode",
    "ge.op_bank_path",
    "ge.op_compiler_cache_dir",
    "ge.op_compiler_cache_mode",
    "ge.optypelistForImplmode",
    "ge.performance_mode",
    "ge.socVersion",
    "ge.virtual_type",
    "log",
    "log_level",
};

std::atomic<bool> initialised{false};

graphStatus fail(const std::string &text) {
  aclfake_add_message(text.c_str());
  return kFailed;
}

// The body, and no exception out of it.
template <class Body>
graphStatus guarded(const char *function, Body body) noexcept {
  try {
    return body();
  } catch (const std::exception &error) {
    aclfake_add_message(function);
    aclfake_add_message(error.what());
    return kFailed;
  }
}

graphStatus check_options(const char *function, const Options &options, bool with_shape) {
  for (const auto &[key, value] : options) {
    const std::string name = key.text();
    if (with_shape && name == kInputShape) continue;
    const auto known = [&](const char *other) { return name == other; };
    if (std::any_of(std::begin(kWithoutEffect), std::end(kWithoutEffect), known)) continue;
    return fail(std::string(function) + ": the option \"" + name + "\" (\"" + value.text() +
                "\") is not supported by the fake device" +
                (with_shape ? "; input_shape is, gears and AIPP are `aclrt convert`'s" : ""));
  }
  return kSuccess;
}

// Readers see the whole file or none.
graphStatus write_file(const std::string &path, const uint8_t *data, size_t size) {
  std::string temporary = path + ".XXXXXX";
  const int file = mkstemp(temporary.data());
  const auto refuse = [&] {
    return fail("aclgrphSaveModel: \"" + path + "\" cannot be written: " + std::strerror(errno));
  };
  if (file < 0) return refuse();
  size_t done = 0;
  bool good = fchmod(file, 0644) == 0;
  while (good && done < size) {
    const ssize_t count = write(file, data + done, size - done);
    if (count < 0 && errno == EINTR) continue;
    good = count > 0;
    if (good) done += static_cast<size_t>(count);
  }
  good = close(file) == 0 && good;
  if (good && std::rename(temporary.c_str(), path.c_str()) == 0) return kSuccess;
  const graphStatus status = refuse();
  unlink(temporary.c_str());
  return status;
}

}  // namespace

graphStatus aclgrphBuildInitialize(Options &options) {
  return guarded("aclgrphBuildInitialize", [&] {
    const graphStatus status = check_options("aclgrphBuildInitialize", options, false);
    if (status == kSuccess) initialised.store(true);
    return status;
  });
}

void aclgrphBuildFinalize() {
  initialised.store(false);
}

graphStatus aclgrphParseONNXFromMem(const char *buffer, size_t size, const Options &params,
                                    Graph &graph) {
  return guarded("aclgrphParseONNXFromMem", [&] {
    if (buffer == nullptr || size == 0 || graph.content() == nullptr) {
      return fail("aclgrphParseONNXFromMem: expected the bytes of an ONNX model and a graph");
    }
    if (!params.empty()) {
      return fail(std::string("aclgrphParseONNXFromMem: the option \"") +
                  params.begin()->first.text() + "\" is not supported by the fake device");
    }
    const char *name = graph.content()->name.c_str();
    if (aclfake_convert(buffer, size, name, nullptr, nullptr, nullptr) != 0) return kFailed;
    auto content = std::make_shared<GraphContent>(*graph.content());
    content->onnx.assign(buffer, size);
    graph.set(std::move(content));
    return kSuccess;
  });
}

graphStatus aclgrphBuildModel(const Graph &graph, const Options &options, ModelBufferData &model) {
  return guarded("aclgrphBuildModel", [&] {
    if (!initialised.load()) {
      return fail("aclgrphBuildModel: aclgrphBuildInitialize must be called first");
    }
    const GraphContent *content = graph.content();
    if (content == nullptr || content->onnx.empty()) {
      return fail("aclgrphBuildModel: the graph is empty; aclgrphParseONNXFromMem fills it");
    }
    if (const graphStatus status = check_options("aclgrphBuildModel", options, true)) return status;
    const auto shape = options.find(AscendString(kInputShape));
    void *om = nullptr;
    size_t size = 0;
    const int32_t code =
        aclfake_convert(content->onnx.data(), content->onnx.size(), content->name.c_str(),
                        shape != options.end() ? shape->second.text() : nullptr, &om, &size);
    if (code != 0) return kFailed;  // with a message already
    model.data = std::shared_ptr<uint8_t>(static_cast<uint8_t *>(om), aclfake_free);
    model.length = size;
    return kSuccess;
  });
}

graphStatus aclgrphSaveModel(const char *output_file, const ModelBufferData &model) {
  return guarded("aclgrphSaveModel", [&] {
    if (output_file == nullptr || *output_file == '\0') {
      return fail("aclgrphSaveModel: expected the path of a file, without .om, given none");
    }
    if (model.data == nullptr || model.length == 0) {
      return fail("aclgrphSaveModel: the model is empty; aclgrphBuildModel fills it");
    }
    return write_file(std::string(output_file) + ".om", model.data.get(),
                      static_cast<size_t>(model.length));
  });
}

}  // namespace ge
