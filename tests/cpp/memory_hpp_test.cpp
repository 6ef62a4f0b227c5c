// SPDX-License-Identifier: Apache-2.0
//
// Tensors on the device through memory.hpp, wherever views go.
#include <aclrt/binding.hpp>
#include <aclrt/memory.hpp>
#include <aclrt/queue.hpp>
#include <vector>

#include "check.h"

using aclrt::DeviceTensor;

static_assert(!std::is_copy_constructible_v<DeviceTensor> &&
              std::is_nothrow_move_constructible_v<DeviceTensor>);

namespace {

template <class Kind, class Body>
bool refuses(Body &&body, const std::string &part) {
  try {
    body();
  } catch (const Kind &error) {
    return std::string(error.what()).find(part) != std::string::npos;
  }
  return false;
}

DeviceTensor six() {
  return DeviceTensor(ACLRT_DTYPE_FLOAT32, {2, 3});
}

void runs_follow_one_another_on_the_device(const std::string &folder) {
  aclrt::Model model(folder + "/add.om");
  const std::vector<float> ones(6, 1.0f), tens(6, 10.0f);
  DeviceTensor a = six(), b = six(), sum = six(), difference = six();
  a.copy_in(ones);
  b.copy_in(tens);
  model.run_into({{"a", a}, {"b", b}}, {{"sum", sum}, {"difference", difference}});
  auto out = model.run({{"a", sum}, {"b", difference}});
  CHECK_EQ(2.0f, out["sum"].as<float>()[0]);
  std::vector<float> host(6);
  sum.copy_out(host);
  CHECK_EQ(11.0f, host[5]);

  aclrt::Binding step(model, {{"a", a}, {"b", sum}}, {{"sum", difference}, {"difference", b}});
  step();
  difference.copy_out(host);
  CHECK_EQ(12.0f, host[0]);
  step.close();

  DeviceTensor page = DeviceTensor::pinned(ACLRT_DTYPE_FLOAT32, {2, 3});
  page.as<float>()[0] = 5.0f;
  DeviceTensor moved = std::move(page);
  CHECK_EQ(5.0f, moved.as<float>()[0]);
  CHECK(refuses<aclrt::ClosedError>([&] { page.copy_in(ones); }, "moved from"));
  out = model.run({{"a", moved}, {"b", tens}});
  CHECK_EQ(15.0f, out["sum"].as<float>()[0]);

  CHECK(refuses<aclrt::InputError>([&] { a.as<float>(); }, "memory of the device"));
  CHECK(refuses<aclrt::InputError>([&] { moved.as<int32_t>(); }, "float32, not int32"));
  CHECK(refuses<aclrt::InputError>([&] { a.copy_in(std::vector<float>(5)); }, "24 bytes, not 20"));
  CHECK(refuses<aclrt::InputError>([&] { DeviceTensor(ACLRT_DTYPE_INT8, {-1}); }, "(-1,)"));
  CHECK(refuses<aclrt::InputError>(
      [&] { model.run({{"a", DeviceTensor(ACLRT_DTYPE_FLOAT32, {3, 2})}, {"b", tens}}); },
      "expected float32 (2, 3)"));
  CHECK_EQ(24u, a.nbytes());
  CHECK_EQ(0, a.device_id());
  CHECK_EQ(3u, DeviceTensor(ACLRT_DTYPE_INT4, {5}).nbytes());
  CHECK(a.dtype() == ACLRT_DTYPE_FLOAT32 && a.shape() == aclrt::Shape({2, 3}) && a.handle());
  a.close();
  a.close();
  CHECK(refuses<aclrt::ClosedError>([&] { a.copy_in(ones); }, "closed"));
  CHECK(refuses<aclrt::ClosedError>([&] { model.run({{"a", a}, {"b", tens}}); }, "closed"));
}

}  // namespace

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  runs_follow_one_another_on_the_device(argv[1]);
  aclrt::fake::reset();  // refused if anything were still open
  return check::result();
}
