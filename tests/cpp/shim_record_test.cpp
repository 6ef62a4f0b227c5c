// SPDX-License-Identifier: Apache-2.0
//
// Records: AscendCL's own functions are called where nobody records, and what a record holds.
#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>

#include "acl/loader.h"
#include "aclrt/aclrt.h"
#include "shim_case.h"

namespace {

using shim::Feed;
using shim::open_model;
using shim::Toy;

std::string text_of(const std::string &path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

void a_record_is_of_its_time(const std::string &folder) {
  const Toy toy("fake");
  aclrt_model_t *model = open_model();
  CHECK(&aclrt::acl::api() == aclrt::acl::direct());
  const std::string path = folder + "/toy.aclrec";
  aclrt_record_t *record = nullptr;
  CHECK_OK(aclrt_record_start(path.c_str(), 8, &record));
  CHECK(&aclrt::acl::api() != aclrt::acl::direct());
  Feed feed;
  CHECK_OK(feed.run(model));
  aclrt_record_release(record);
  CHECK(&aclrt::acl::api() == aclrt::acl::direct());
  CHECK_OK(feed.run(model));
  const std::string text = text_of(path);
  CHECK(text.rfind("{\"schema\":\"aclrec/2\"", 0) == 0);
  const std::string execute = "\"function\":\"aclmdlExecute\"";
  const size_t first = text.find(execute);
  CHECK(first != std::string::npos);
  CHECK(text.find(execute, first + 1) == std::string::npos);
  CHECK_EQ(16u, text_of(path + ".data").size());  // eight bytes of each of the two copies
  aclrt_model_release(model);
  aclrt_record_release(nullptr);
  CHECK_FAILS(ACLRT_ERROR_IO, aclrt_record_start((folder + "/no/such").c_str(), 0, &record),
              "no/such");
  CHECK_FAILS(ACLRT_ERROR_INPUT, aclrt_record_start(nullptr, 0, &record), "path");
}

}  // namespace

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  shim::run_case("a_record_is_of_its_time", [&] { a_record_is_of_its_time(argv[1]); });
  return check::result();
}
