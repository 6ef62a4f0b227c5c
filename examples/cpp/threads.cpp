// SPDX-License-Identifier: Apache-2.0
//
// Four threads, a model each, share the records: threads MODEL.om INPUT.bin OUTPUT.bin
#include <aclrt/aclrt.hpp>
#include <atomic>
#include <fstream>
#include <future>
#include <iterator>

int main(int, char **argv) {
  std::ifstream file(argv[2], std::ios::binary);
  const std::vector<char> input{std::istreambuf_iterator<char>(file), {}};
  std::vector<float> output(input.size());
  std::atomic<size_t> next{0}, written{0};
  std::vector<std::future<void>> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.push_back(std::async(std::launch::async, [&] {
      aclrt::Model model(argv[1]);
      const size_t from = model.inputs()[0].nbytes / 4, to = model.outputs()[0].nbytes / 4;
      const auto *records = reinterpret_cast<const float *>(input.data());
      for (size_t i; (i = next++) < input.size() / (4 * from); written += 4 * to)
        model.run_into({{"x", {records + i * from, from}}}, {{"probs", {&output[i * to], to}}});
    }));
  }
  for (auto &thread : threads) thread.get();  // throws what the thread has thrown
  std::ofstream(argv[3]).write(reinterpret_cast<char *>(output.data()), std::streamsize(written));
}
