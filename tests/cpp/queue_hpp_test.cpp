// SPDX-License-Identifier: Apache-2.0
//
// Runs in flight through queue.hpp, on the fake device.
#include <aclrt/queue.hpp>
#include <vector>

#include "check.h"

namespace {

void runs_come_back_with_their_tags(const std::string &folder) {
  aclrt::Model model(folder + "/add.om");
  aclrt::Queue queue(model, 2);
  const std::vector<float> a(6, 1.0f), b(6, 100.0f);
  std::vector<std::vector<float>> sums(20, std::vector<float>(6)), differences = sums;
  size_t submitted = 0, done = 0;
  while (done < sums.size()) {
    while (submitted < sums.size() &&
           queue.submit({{"a", a}, {"b", b}},
                        {{"sum", sums[submitted]}, {"difference", differences[submitted]}},
                        submitted)) {
      ++submitted;
    }
    for (const aclrt::Completion &completion : queue.take()) {
      completion.check();
      CHECK_EQ(done++, completion.tag());
      CHECK(completion.is_final() && completion.outcome() == ACLRT_OUTCOME_DONE);
      CHECK_EQ(101.0f, sums[completion.tag()][5]);
    }
  }
  CHECK_EQ(2u, queue.info().depth);
  CHECK(queue.take(std::chrono::milliseconds(0)).empty());
  CHECK(queue.drain());
  CHECK(!queue.cancel(7));
  bool is_refused = false;
  try {
    queue.submit({{"a", a}}, {{"sum", sums[0]}});
  } catch (const aclrt::InputError &error) {
    is_refused = std::string(error.what()).find("'b' is missing") != std::string::npos;
  }
  CHECK(is_refused);
  aclrt::Queue moved = std::move(queue);
  moved.close();
  moved.close();
  bool is_closed = false;
  try {
    moved.submit({{"a", a}, {"b", b}}, {{"sum", sums[0]}, {"difference", differences[0]}});
  } catch (const aclrt::ClosedError &) {
    is_closed = true;
  }
  CHECK(is_closed);
}

}  // namespace

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  runs_come_back_with_their_tags(argv[1]);
  aclrt::fake::reset();  // refused if anything were still open
  return check::result();
}
