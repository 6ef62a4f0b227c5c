// SPDX-License-Identifier: Apache-2.0
//
// Keeps records in flight, copies beside executions: pipeline MODEL.om INPUT.bin OUTPUT.bin
#include <aclrt/aclrt.hpp>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <vector>

int main(int, char **argv) try {
  aclrt::Model model(argv[1]);
  std::ifstream file(argv[2], std::ios::binary);
  std::vector<char> input{std::istreambuf_iterator<char>(file), {}};
  const size_t from = model.inputs().at(0).nbytes, to = model.outputs().at(0).nbytes;
  const size_t count = input.size() / from;
  std::vector<char> output(count * to);
  std::vector<aclrt_buffer_t> in(count), out(count);
  aclrt_queue_t *queue = nullptr;
  aclrt::check(aclrt_queue_create(model.handle(), nullptr, &queue));
  for (size_t submitted = 0, taken = 0; taken < count;) {
    for (size_t room = 1; room == 1 && submitted < count; submitted += room) {
      in[submitted] = {&input[submitted * from], from, nullptr};
      out[submitted] = {&output[submitted * to], to, nullptr};
      aclrt_submission_t run{};
      run.inputs = &in[submitted], run.outputs = &out[submitted];
      run.input_count = run.output_count = 1;
      run.timeout_ms = -1;
      aclrt::check(aclrt_queue_submit(queue, &run, 1, &room));
    }
    aclrt_completion_t done[8];
    size_t finished = 0;
    aclrt::check(aclrt_queue_take(queue, done, 8, -1, &finished));
    for (size_t i = 0; i < finished; ++i) aclrt::check(done[i].status);
    taken += finished;
  }
  aclrt_queue_release(queue);
  std::ofstream(argv[3], std::ios::binary).write(output.data(), std::streamsize(output.size()));
} catch (const aclrt::Error &error) {
  std::fprintf(stderr, "pipeline: %s\n", error.what());
  return 1;
}
