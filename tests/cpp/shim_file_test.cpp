// SPDX-License-Identifier: Apache-2.0
//
// Files through aclrt.h: what is refused before any library is loaded, what AscendCL refuses, and
// what a fake device needs to run one. argv[1] is the folder that make_models.py wrote.
#include <sys/stat.h>

#include <cerrno>

#include "shim_case.h"

namespace {

using shim::contains;
using shim::Feed;
using shim::kSimulated;
using shim::load;
using shim::onnx_body;
using shim::open_model;
using shim::options_for;
using shim::Status;
using shim::Toy;

void malformed_files_are_refused_before_the_runtime() {
  setenv("ACLRT_LIBASCENDCL", "/none", 1);
  aclrt_model_t *model = nullptr;
  CHECK_FAILS(ACLRT_ERROR_MODEL_FORMAT, load(&model, "no model"), "the model in memory");
  CHECK_FAILS(ACLRT_ERROR_MODEL_FORMAT, load(&model, kSimulated + "x"), "length");
  char *json = nullptr;
  CHECK_FAILS(ACLRT_ERROR_MODEL_FORMAT, aclrt_om_inspect("", 0, &json), "magic");
  const std::string path = shim::temporary_folder() + "/m.om";
  aclrt_model_options_t options{};
  options.struct_size = sizeof options;
  options.path = path.c_str();
  CHECK_FAILS(ACLRT_ERROR_IO, aclrt_model_load(&options, &model), "cannot open");
  std::ofstream(path, std::ios::binary) << kSimulated.substr(0, 100);
  CHECK_FAILS(ACLRT_ERROR_MODEL_FORMAT, aclrt_model_load(&options, &model), path);
  std::ofstream(path, std::ios::binary | std::ios::trunc) << "";
  CHECK_FAILS(ACLRT_ERROR_MODEL_FORMAT, aclrt_model_load(&options, &model), path);
  options.path = shim::temporary_folder().c_str();
  {
    const Status status(aclrt_model_load(&options, &model));
    CHECK(status.error.kind == ACLRT_ERROR_IO);
    CHECK_EQ(EISDIR, status.error.code);
    CHECK_EQ("EISDIR", std::string(status.error.name));
  }
  options.data = kSimulated.data();
  CHECK_FAILS(ACLRT_ERROR_INPUT, aclrt_model_load(&options, &model), "not both");
  options.path = nullptr;
  options.data_size = kSimulated.size();
  CHECK_FAILS(ACLRT_ERROR_BACKEND, aclrt_model_load(&options, &model), "which is no file");
  std::ofstream(path, std::ios::binary | std::ios::trunc) << kSimulated;
  CHECK_OK(aclrt_om_inspect_file(path.c_str(), &json));
  CHECK(contains(json, "\"simulated\""));
  aclrt_string_release(json);
}

void a_simulated_model_needs_a_body() {
  setenv("ACLRT_LIBASCENDCL", shim::toy_path("fake").c_str(), 1);
  const Toy toy("fake");
  const std::string none = shim::om_bytes(true, ""), empty = shim::om_bytes(true, onnx_body("")),
                    other = shim::om_bytes(true, "something else");
  aclrt_model_t *model = nullptr;
  CHECK_FAILS(ACLRT_ERROR_MODEL_FORMAT, load(&model, none), "no partition 0x4E4F4158");
  for (const std::string &bytes : {empty, other}) {
    CHECK_FAILS(ACLRT_ERROR_MODEL_FORMAT, load(&model, bytes),
                "partition 0x4E4F4158 at offset 287");
  }
  CHECK_EQ(0, toy.calls("aclInit"));
  const std::string onnx = shim::temporary_folder() + "/m.onnx";
  std::ofstream(onnx) << "x";
  aclrt_model_options_t options = options_for(other);
  options.onnx = onnx.c_str();
  CHECK_OK(aclrt_model_load(&options, &model));
  aclrt_model_release(model);
  setenv("ACLRT_FAKE_ONNX", onnx.c_str(), 1);
  CHECK_OK(load(&model, none));
  aclrt_model_release(model);
  setenv("ACLRT_FAKE_ONNX", "", 1);
  CHECK_FAILS(ACLRT_ERROR_MODEL_FORMAT, load(&model, none), "simulated");
  setenv("ACLRT_FAKE_ENGINE", "synthetic", 1);
  CHECK_OK(load(&model, none));
  aclrt_model_release(model);
  setenv("ACLRT_FAKE_ENGINE", "onnxruntime", 1);
  CHECK_FAILS(ACLRT_ERROR_MODEL_FORMAT, load(&model, none), "simulated");
  char *json = nullptr;
  CHECK_OK(aclrt_om_inspect(none.data(), none.size(), &json));
  aclrt_string_release(json);
}

void a_special_file_is_no_model() {
  aclrt_model_options_t options{};
  options.struct_size = sizeof options;
  aclrt_model_t *model = nullptr;
  char *json = nullptr;
  const std::string pipe = shim::temporary_folder() + "/pipe";
  CHECK_EQ(0, mkfifo(pipe.c_str(), 0600));
  for (const std::string &path : {std::string("/dev/null"), pipe}) {
    options.path = path.c_str();
    for (aclrt_status_t *failed :
         {aclrt_model_load(&options, &model), aclrt_om_inspect_file(path.c_str(), &json)}) {
      const Status status(failed);
      CHECK_EQ(path + " is no regular file", std::string(status.error.message));
      CHECK(status.error.kind == ACLRT_ERROR_IO);
      CHECK_EQ(EINVAL, status.error.code);
      CHECK_EQ("EINVAL", std::string(status.error.name));
    }
  }
}

void a_simulated_model_needs_the_fake() {
  setenv("ACLRT_LIBASCENDCL", shim::toy_path("npu").c_str(), 1);
  const Toy toy("npu");
  aclrt_model_t *model = nullptr;
  CHECK_FAILS(ACLRT_ERROR_MODEL_LOAD, load(&model), "simulated model");
  CHECK_EQ(0, toy.calls("aclInit") + toy.calls("aclrtSetDevice"));
  CHECK_OK(load(&model, shim::om_bytes(false)));
  Feed feed;
  CHECK_OK(feed.run(model));
  aclrt_model_release(model);
  CHECK(toy.is_clean());
  char *json = nullptr;
  CHECK_FAILS(ACLRT_ERROR_BACKEND, aclrt_fake_ledger(&json), "not the fake device");
}

void loads_that_fail_say_why() {
  const Toy toy("fake");
  aclrt_model_t *model = nullptr;
  toy.fail("aclmdlLoadFromMem", 1, 145000);
  CHECK_FAILS(ACLRT_ERROR_MODEL_LOAD, load(&model), "cannot load the model in memory");
  CHECK(toy.is_clean());
  setenv("TOY_INPUT_NAME", "ascend_mbatch_shape_data", 1);
  CHECK_FAILS(ACLRT_ERROR_MODEL_LOAD, load(&model), "AscendCL knows of no gears");
  unsetenv("TOY_INPUT_NAME");
  CHECK(toy.is_clean());
  setenv("TOY_SAME_OUTPUT_NAMES", "1", 1);
  model = open_model();
  aclrt_model_info_t info{};
  CHECK_OK(aclrt_model_info(model, &info));
  CHECK_EQ("Op_2:0:y", std::string(info.outputs[1].name));
  aclrt_model_release(model);
}

void an_onnx_stands_in_on_the_fake() {
  const Toy toy("fake");
  const std::string onnx = shim::temporary_folder() + "/m.onnx";
  aclrt_model_options_t options = options_for(kSimulated);
  options.onnx = onnx.c_str();
  aclrt_model_t *model = nullptr;
  CHECK_FAILS(ACLRT_ERROR_IO, aclrt_model_load(&options, &model), onnx);
  std::ofstream(onnx) << "x";
  CHECK_OK(aclrt_model_load(&options, &model));
  CHECK_EQ(onnx, std::string(toy.onnx()));
  aclrt_model_release(model);
}

void the_real_fake_needs_a_body(const std::string &folder) {
  setenv("ACLRT_LIBASCENDCL", FAKE_LIBRARY, 1);
  aclrt_model_t *model = nullptr;
  CHECK_FAILS(ACLRT_ERROR_NEEDS_NPU, load(&model, shim::om_bytes(false)), "has no ONNX body");
  std::ifstream file(folder + "/add.om", std::ios::binary);
  std::string bytes(std::istreambuf_iterator<char>(file), {});
  bytes.replace(0x78, 32, std::string(32, '\0'));  // no longer marked as simulated
  const Status status(load(&model, bytes));
  CHECK(status.error.kind == ACLRT_ERROR_NEEDS_NPU);
  CHECK(contains(status.error.message, "has no ONNX body"));
  CHECK(contains(status.error.hint, "ACLRT_FAKE_ENGINE=synthetic"));
}

}  // namespace

int main(int argc, char **argv) {
  shim::run_case("malformed_files", malformed_files_are_refused_before_the_runtime);
  shim::run_case("a_special_file_is_no_model", a_special_file_is_no_model);
  shim::run_case("a_simulated_model_needs_a_body", a_simulated_model_needs_a_body);
  shim::run_case("a_simulated_model_needs_the_fake", a_simulated_model_needs_the_fake);
  RUN_ON_TOY(loads_that_fail_say_why);
  RUN_ON_TOY(an_onnx_stands_in_on_the_fake);
  if (argc > 1) {
    shim::run_case("the_real_fake_needs_a_body", [&] { the_real_fake_needs_a_body(argv[1]); });
  }
  return check::result();
}
