// SPDX-License-Identifier: Apache-2.0
//
// Runs on bound buffers through binding.hpp, on the fake device.
#include <aclrt/binding.hpp>
#include <vector>

#include "check.h"

static_assert(!std::is_copy_constructible_v<aclrt::Binding> &&
              std::is_nothrow_move_constructible_v<aclrt::Binding>);

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

void a_step_reads_what_the_inputs_hold_then(const std::string &folder) {
  aclrt::Model model(folder + "/add.om");
  std::vector<float> a(6, 1.0f), b(6, 100.0f), sum(6), difference(6);
  aclrt::Binding step(model, {{"b", b}, {"a", a}}, {{"sum", sum}, {"difference", difference}});
  for (const float value : {1.0f, 2.0f}) {
    a.assign(6, value);
    step();
    CHECK_EQ(100.0f + value, sum[5]);
    CHECK_EQ(value - 100.0f, difference[0]);
  }
  CHECK(refuses<aclrt::InputError>(
      [&] { aclrt::Binding(model, {{"a", a}}, {{"sum", sum}, {"difference", difference}}); },
      "'b' is missing"));
  CHECK(refuses<aclrt::InputError>(
      [&] { aclrt::Binding(model, {{"a", a}, {"b", b}}, {{"sum", sum}, {"difference", sum}}); },
      "overlaps"));
  aclrt::Binding moved = std::move(step);
  moved();
  CHECK(refuses<aclrt::ClosedError>([&] { step(); }, "moved from"));
  moved.close();
  moved.close();
  CHECK(refuses<aclrt::ClosedError>([&] { moved(); }, "the binding is closed"));
}

}  // namespace

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  a_step_reads_what_the_inputs_hold_then(argv[1]);
  aclrt::fake::reset();  // refused if anything were still open
  return check::result();
}
