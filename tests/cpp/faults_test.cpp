// SPDX-License-Identifier: Apache-2.0
//
// Faults as an embedder arms them: what a run reports, what the ledger tells, and that everything
// works again afterwards. argv[1]: the folder that make_models.py wrote.
#include <aclrt/aclrt.hpp>
#include <string>

#include "check.h"

namespace {

aclrt_fake_fault_t fault_of(const char *function, int32_t code) {
  aclrt_fake_fault_t fault{};
  fault.struct_size = sizeof fault;
  fault.function = function;
  fault.code = code;
  return fault;
}

std::string text_of(aclrt_status_t *(*write)(char **)) {
  char *raw = nullptr;
  CHECK(write(&raw) == nullptr);
  const std::string text = raw != nullptr ? raw : "";
  aclrt_string_release(raw);
  return text;
}

// The fields of a failure that has to be one; "" in call where there was none.
struct Failure {
  int kind = ACLRT_ERROR_NONE;
  int code = 0;
  std::string call;
};

Failure failure_of(aclrt_status_t *status) {
  const aclrt_error_t error = aclrt_status_error(status);
  const Failure failure{static_cast<int>(error.kind), error.code, error.call};
  aclrt_status_release(status);
  return failure;
}

Failure load(const std::string &path) {
  aclrt_model_options_t options{};
  options.struct_size = sizeof options;
  options.path = path.c_str();
  aclrt_model_t *model = nullptr;
  const Failure failure = failure_of(aclrt_model_load(&options, &model));
  if (model != nullptr) aclrt_model_release(model);
  return failure;
}

void a_call_fails_and_the_ledger_tells(const std::string &path) {
  const aclrt_fake_fault_t fault = fault_of("aclrtMalloc", 207001);
  uint64_t number = 0;
  CHECK(aclrt_fake_fault_arm(&fault, &number) == nullptr);
  CHECK(number != 0);
  const Failure failure = load(path);
  CHECK_EQ(static_cast<int>(ACLRT_ERROR_DEVICE_MEMORY), failure.kind);
  CHECK_EQ(207001, failure.code);
  CHECK_EQ("aclrtMalloc", failure.call);
  CHECK(text_of(aclrt_fake_ledger).find("\"fired_total\":1") != std::string::npos);
  CHECK(text_of(aclrt_fake_ledger_text).find("fail before aclrtMalloc") != std::string::npos);
  CHECK_EQ("", load(path).call);
}

void what_is_disarmed_does_not_fail(const std::string &path) {
  aclrt_fake_fault_t fault = fault_of("aclmdlUnload", 507899);
  fault.persistent = 1;
  uint64_t number = 0;
  CHECK(aclrt_fake_fault_arm(&fault, &number) == nullptr);
  CHECK(aclrt_fake_fault_disarm(number) == nullptr);
  CHECK_EQ("", load(path).call);
  CHECK(aclrt_fake_faults_clear() == nullptr);
  CHECK(text_of(aclrt_fake_ledger).find("\"fired_total\":0") != std::string::npos);
}

void a_device_is_lost_and_comes_back(const std::string &path) {
  CHECK(aclrt_fake_lose_device(0, 507901) == nullptr);
  const Failure failure = load(path);
  CHECK_EQ(static_cast<int>(ACLRT_ERROR_DEVICE_LOST), failure.kind);
  CHECK_EQ(507901, failure.code);
  CHECK_EQ("", load(path).call);
  CHECK_EQ(static_cast<int>(ACLRT_ERROR_DEVICE), failure_of(aclrt_fake_lose_device(99, 0)).kind);
}

void memory_is_limited(const std::string &path) {
  CHECK(aclrt_fake_set_memory_limit(-1, 64) == nullptr);
  CHECK_EQ(static_cast<int>(ACLRT_ERROR_DEVICE_MEMORY), load(path).kind);
  CHECK(aclrt_fake_set_memory_limit(-1, 0) == nullptr);
  CHECK_EQ("", load(path).call);
}

void nonsense_is_refused() {
  uint64_t number = 0;
  const aclrt_fake_fault_t unknown = fault_of("aclNoSuchFunction", 1);
  CHECK_EQ(static_cast<int>(ACLRT_ERROR_INPUT),
           failure_of(aclrt_fake_fault_arm(&unknown, &number)).kind);
  aclrt_fake_fault_t old = fault_of("aclrtMalloc", 1);
  old.struct_size = 8;
  CHECK_EQ(static_cast<int>(ACLRT_ERROR_INPUT),
           failure_of(aclrt_fake_fault_arm(&old, &number)).kind);
  CHECK_EQ(static_cast<int>(ACLRT_ERROR_INPUT),
           failure_of(aclrt_fake_fault_arm(nullptr, &number)).kind);
}

}  // namespace

int main(int argc, char **argv) {
  const std::string path = std::string(argc > 1 ? argv[1] : ".") + "/digits.om";
  a_call_fails_and_the_ledger_tells(path);
  what_is_disarmed_does_not_fail(path);
  a_device_is_lost_and_comes_back(path);
  memory_is_limited(path);
  nonsense_is_refused();
  CHECK(aclrt_fake_reset() == nullptr);
  return check::result();
}
