// SPDX-License-Identifier: Apache-2.0
//
// Finding and loading libascendcl: order of the search, refusals, missing functions, and the
// runtime's options. Uses the toy libraries.
#include <sys/stat.h>

#include <tuple>

#include "acl/loader.h"
#include "acl/search.h"
#include "acl/status.h"
#include "core/description.h"
#include "shim_case.h"

namespace {

using aclrt::acl::Backend;
using aclrt::acl::Found;
using aclrt::acl::Request;
using shim::contains;
using shim::toy_path;

void make_folders(const std::string &path) {
  for (size_t at = 1; at != std::string::npos; at = path.find('/', at + 1)) {
    mkdir(path.substr(0, path.find('/', at + 1)).c_str(), 0755);
  }
}

// root/folder/libascendcl.so, a link to the toy of that kind.
std::string install(const std::string &folder, const std::string &kind) {
  make_folders(folder);
  const std::string path = folder + "/libascendcl.so";
  CHECK_EQ(0, symlink(toy_path(kind).c_str(), path.c_str()));
  return path;
}

Request empty_machine(const std::string &folder) {
  Request request;
  request.install_roots = {folder + "/opt"};
  request.fake_path = toy_path("fake");
  return request;
}

aclrt_runtime_options_t options_for(const char *library) {
  aclrt_runtime_options_t options{};
  options.struct_size = sizeof options;
  options.library = library;
  return options;
}

void the_fake_is_the_last_resort() {
  const Request request = empty_machine(shim::temporary_folder());
  const Found found = search(request);
  CHECK_EQ(toy_path("fake"), found.path);
  CHECK(found.is_fake);
  CHECK(found.is_default);
  CHECK(contains(found.trail, "ACLRT_LIBASCENDCL: not set\n"));
  CHECK(contains(found.trail, "/opt/cann: no libascendcl.so\n"));
  CHECK(contains(found.trail, "dynamic loader: no libascendcl.so\n"));
}

void asked_for_the_fake_is_no_default() {
  Request request = empty_machine(shim::temporary_folder());
  request.backend = Backend::kFake;
  const Found found = search(request);
  CHECK(found.is_fake);
  CHECK(!found.is_default);
  CHECK(!contains(found.trail, "/opt"));
}

void npu_never_falls_back() {
  Request request = empty_machine(shim::temporary_folder());
  request.backend = Backend::kNpu;
  const Found found = search(request);
  CHECK(found.path.empty());
  CHECK(contains(found.refusal, "no libascendcl.so of CANN"));
  CHECK(contains(found.hint, "ACLRT_BACKEND=fake"));
}

void places_are_tried_in_order() {
  const std::string folder = shim::temporary_folder();
  Request request = empty_machine(folder);
  request.ask_loader = false;
  const auto chosen = [&] { return search(request).reason; };

  install(folder + "/ld", "npu");
  setenv("LD_LIBRARY_PATH", (folder + "/none:" + folder + "/ld").c_str(), 1);
  CHECK_EQ("found in LD_LIBRARY_PATH", chosen());
  install(folder + "/conda/Ascend/cann/lib64", "npu");
  setenv("CONDA_PREFIX", (folder + "/conda").c_str(), 1);
  CHECK_EQ("found in " + folder + "/conda/Ascend/cann", chosen());
  install(folder + "/site/lib", "npu");
  request.prefixes = folder + "/none:" + folder + "/site";
  CHECK_EQ("found in " + folder + "/site", chosen());
  install(folder + "/opt/nnrt/latest/runtime/lib64", "npu");
  CHECK_EQ("found in " + folder + "/opt/nnrt/latest", chosen());
  install(folder + "/opt/ascend-toolkit/latest/lib64", "npu");
  CHECK_EQ("found in " + folder + "/opt/ascend-toolkit/latest", chosen());
  install(folder + "/opt/cann/lib64", "npu");
  CHECK_EQ("found in " + folder + "/opt/cann", chosen());
  install(folder + "/toolkit/lib64", "npu");
  setenv("ASCEND_TOOLKIT_HOME", (folder + "/toolkit").c_str(), 1);
  CHECK_EQ("found in ASCEND_TOOLKIT_HOME=" + folder + "/toolkit", chosen());
  install(folder + "/home/lib64", "npu");
  setenv("ASCEND_HOME_PATH", (folder + "/home").c_str(), 1);
  CHECK_EQ("found in ASCEND_HOME_PATH=" + folder + "/home", chosen());
  dlopen(toy_path("npu").c_str(), RTLD_NOW | RTLD_LOCAL);
  CHECK_EQ("already loaded by another library of this process", chosen());
  setenv("ACLRT_LIBASCENDCL", toy_path("npu").c_str(), 1);
  CHECK_EQ("named by ACLRT_LIBASCENDCL", chosen());
  request.library = toy_path("npu");
  CHECK_EQ("named by library option", chosen());
}

void stubs_are_skipped() {
  const std::string folder = shim::temporary_folder();
  make_folders(folder + "/stub");
  // A real file: a link would show where it leads.
  std::ifstream from(toy_path("npu"), std::ios::binary);
  std::ofstream(folder + "/stub/libascendcl.so", std::ios::binary) << from.rdbuf();
  setenv("LD_LIBRARY_PATH", (folder + "/stub").c_str(), 1);
  const Found found = search(empty_machine(folder));
  CHECK(found.is_default);
  CHECK(contains(found.trail, "is a link-time stub, skipped"));
}

void a_named_library_must_be_there_and_agree() {
  Request request;
  request.library = "/none/libascendcl.so";
  CHECK(contains(search(request).refusal, "which is no file"));
  request.library = toy_path("npu");
  request.backend = Backend::kFake;
  CHECK(contains(search(request).refusal, "is not the fake device"));
  request.library = toy_path("fake");
  request.backend = Backend::kNpu;
  CHECK(contains(search(request).refusal, "names the fake device"));
}

void fake_and_real_are_not_mixed(const char *mapped, const char *asked, Backend backend) {
  dlopen(toy_path(mapped).c_str(), RTLD_NOW | RTLD_LOCAL);
  Request request;
  request.backend = backend;
  request.fake_path = toy_path("fake");
  CHECK(contains(search(request).refusal, "cannot live side by side"));
  request.backend = Backend::kAuto;
  request.library = toy_path(asked);
  CHECK(contains(search(request).refusal, "cannot live side by side"));
  request.library = toy_path("old");
  CHECK(!search(request).refusal.empty());
  request.library.clear();
  CHECK_EQ(toy_path(mapped), search(request).path);
}

void a_missing_function_is_named() {
  CHECK_THROWS(aclrt::acl::LoadError, aclrt::acl::load(toy_path("lacking")),
               contains(error.what(), "lacks aclrtMalloc") &&
                   contains(error.hint(), "ACL 1.0 (about CANN 20.0)"));
  CHECK_EQ("ACL 1.10 (about CANN 8.0)", aclrt::acl::release_name("1_10"));
}

void an_optional_function_fails_at_its_use() {
  const auto table = aclrt::acl::load(toy_path("old"));
  CHECK(table->aclrtGetMemInfo == nullptr);
  CHECK(table->require(&aclrt::acl::Table::aclrtMalloc) == table->aclrtMalloc);
  CHECK_THROWS(
      aclrt::acl::LoadError, table->require(&aclrt::acl::Table::aclFinalizeReference),
      contains(error.what(), "aclFinalizeReference") && contains(error.hint(), "after ACL 1.10"));
}

void the_split_layout_is_understood() {
  const auto table = aclrt::acl::load(toy_path("split"));
  CHECK(table->aclmdlExecute != nullptr);
  CHECK(!table->is_fake());
}

void a_library_that_cannot_be_loaded_is_an_error() {
  const std::string folder = shim::temporary_folder();
  make_folders(folder + "/lib64");
  std::ofstream(folder + "/lib64/libascendcl.so") << "this is no library";
  setenv("ASCEND_HOME_PATH", folder.c_str(), 1);
  const shim::Status status(aclrt_runtime_init(nullptr));
  CHECK(status.error.kind == ACLRT_ERROR_BACKEND);
  CHECK(contains(status.error.message, "cannot load"));
  CHECK(!std::string(status.error.detail).empty());
  CHECK(contains(status.error.hint, "ACLRT_BACKEND=fake"));
  // Retried when the machine has been put right.
  const std::string path = toy_path("fake");
  const aclrt_runtime_options_t options = options_for(path.c_str());
  CHECK_OK(aclrt_runtime_init(&options));
}

void the_search_alone_loads_nothing() {
  const std::string path = toy_path("npu");
  const aclrt_runtime_options_t options = options_for(path.c_str());
  char *trail = nullptr;
  CHECK_OK(aclrt_runtime_search(&options, &trail));
  CHECK(contains(trail, "library option=" + path + ": chosen"));
  aclrt_string_release(trail);
  CHECK(dlopen(path.c_str(), RTLD_NOW | RTLD_NOLOAD) == nullptr);
}

void options_that_contradict_are_refused() {
  const std::string fake = toy_path("fake"), npu = toy_path("npu");
  aclrt_runtime_options_t options = options_for(fake.c_str());
  options.acl_config = "a.json";
  CHECK_OK(aclrt_runtime_init(&options));
  CHECK_OK(aclrt_runtime_init(&options));
  CHECK_OK(aclrt_runtime_init(nullptr));
  options.acl_config = "b.json";
  CHECK_FAILS(ACLRT_ERROR_BACKEND, aclrt_runtime_init(&options), "with a.json");
  options = options_for(npu.c_str());
  CHECK_FAILS(ACLRT_ERROR_BACKEND, aclrt_runtime_init(&options), "the library in use");
  options = options_for(nullptr);
  options.backend = "npu";
  CHECK_FAILS(ACLRT_ERROR_BACKEND, aclrt_runtime_init(&options), "the backend in use is fake");
  options.backend = "gpu";
  CHECK_FAILS(ACLRT_ERROR_BACKEND, aclrt_runtime_init(&options), "must be auto, npu or fake");
  options = options_for(nullptr);
  options.onnxruntime = "/one/libonnxruntime.so";
  CHECK_OK(aclrt_runtime_init(&options));
  options.onnxruntime = "/two/libonnxruntime.so";
  CHECK_FAILS(ACLRT_ERROR_BACKEND, aclrt_runtime_init(&options), "uses /one");
  options.struct_size = 1;
  CHECK_FAILS(ACLRT_ERROR_INPUT, aclrt_runtime_init(&options), "struct_size");
}

void tables_are_whole() {
  CHECK_EQ(254u, aclrt_code_count());
  for (size_t i = 1; i < aclrt_code_count(); ++i) {
    const aclrt_code_info_t code = aclrt_code_at(i);
    CHECK(code.value >= aclrt_code_at(i - 1).value);
    CHECK(code.meaning[0] != '\0');
    CHECK((code.causes[0] != '\0') == (code.value != 0));
    CHECK((code.hint[0] != '\0') == (code.value != 0));
    CHECK(code.kind != ACLRT_ERROR_INTERNAL);
  }
  CHECK_EQ("", std::string(aclrt_code_at(1000).name));
  CHECK_EQ("ACL_ERROR_RT_CONTEXT_NULL", std::string(aclrt::acl::find_code(107002)->name));
  CHECK(aclrt::acl::find_code(107001)->kind == ACLRT_ERROR_DEVICE);
  CHECK(aclrt::acl::find_code(207001)->kind == ACLRT_ERROR_DEVICE_MEMORY);
  CHECK(aclrt::acl::find_code(1) == nullptr);
  CHECK_EQ("float32", std::string(aclrt_dtype_at(0).name));
  CHECK(aclrt_dtype_at(aclrt_dtype_count() - 1).name[0] != '\0');
  CHECK_EQ("", std::string(aclrt_dtype_at(aclrt_dtype_count()).name));
  CHECK_EQ("", std::string(aclrt_format_name(12345)));
}

void functions_are_found_by_name() {
  CHECK(aclrt_function_count() > 250);
  const aclrt_function_info_t first = aclrt_function_at(0);
  CHECK_EQ("aclFinalize", std::string(first.name));
  CHECK_EQ("aclError", std::string(first.result));
  CHECK_EQ("(void)", std::string(first.parameters));
  CHECK(contains(first.release, "ACL 1.0"));
  CHECK_EQ("", std::string(aclrt_function_at(aclrt_function_count()).name));

  setenv("ACLRT_LIBASCENDCL", toy_path("old").c_str(), 1);
  int32_t is_default = 7;
  CHECK(aclrt_runtime_load(nullptr, &is_default) == nullptr);
  CHECK_EQ(0, is_default);
  void *address = nullptr;
  CHECK(aclrt_function_address("aclrtMalloc", &address) == nullptr);
  CHECK(address == reinterpret_cast<void *>(aclrt::acl::api().aclrtMalloc));
  for (const auto &[name, kind, words] :
       {std::tuple("aclFinalizeReference", ACLRT_ERROR_BACKEND, "aclFinalizeReference"),
        std::tuple("aclrtNoSuch", ACLRT_ERROR_INPUT, "no function aclrtNoSuch")}) {
    aclrt_status_t *status = aclrt_function_address(name, &address);
    CHECK(aclrt_status_error(status).kind == kind);
    CHECK(contains(aclrt_status_error(status).message, words));
    aclrt_status_release(status);
  }
  aclrt_runtime_shutdown();  // a program may still destroy its objects
  CHECK(aclrt_function_address("aclrtFree", &address) == nullptr);
}

void output_names_are_the_frameworks() {
  CHECK_EQ("probs", aclrt::framework_name("Softmax_3:0:probs"));
  CHECK_EQ("a:b", aclrt::framework_name("op:12:a:b"));
  for (const char *name :
       {"probs", "op:probs", "op:x:probs", ":0:probs", "op::probs", "op:0:", ""}) {
    CHECK_EQ(name, aclrt::framework_name(name));
  }
}

}  // namespace

int main() {
#define RUN(test, ...) shim::run_case(#test, [] { test(__VA_ARGS__); })
  RUN(the_fake_is_the_last_resort);
  RUN(asked_for_the_fake_is_no_default);
  RUN(npu_never_falls_back);
  RUN(places_are_tried_in_order);
  RUN(stubs_are_skipped);
  RUN(a_named_library_must_be_there_and_agree);
  RUN(fake_and_real_are_not_mixed, "npu", "fake", Backend::kFake);
  RUN(fake_and_real_are_not_mixed, "fake", "npu", Backend::kNpu);
  RUN(a_missing_function_is_named);
  RUN(an_optional_function_fails_at_its_use);
  RUN(the_split_layout_is_understood);
  RUN(a_library_that_cannot_be_loaded_is_an_error);
  RUN(the_search_alone_loads_nothing);
  RUN(options_that_contradict_are_refused);
  RUN(tables_are_whole);
  RUN(functions_are_found_by_name);
  RUN(output_names_are_the_frameworks);
  return check::result();
}
