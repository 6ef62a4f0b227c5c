// SPDX-License-Identifier: Apache-2.0
//
// Runs a fuzz target without a fuzzer: TARGET RUNS FILE... replays each file, then RUNS mutations
// of them (bytes, words, cuts, repeats) from a fixed seed. A crash leaves the input in crash.bin.
#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)());
extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

namespace {

std::string mutate(std::string bytes, std::mt19937_64 &random) {
  static const uint64_t kEdges[] = {0,          1,          0x7f,           0xff,
                                    0x7fffffff, 0xffffffff, UINT64_MAX / 2, UINT64_MAX};
  for (uint64_t left = 1 + random() % 4; left > 0 && !bytes.empty(); --left) {
    // Half of the changes hit the head, where the lengths and offsets are.
    const size_t span = random() % 2 ? bytes.size() : std::min<size_t>(bytes.size(), 512);
    const size_t at = random() % span;
    const size_t width = std::min<size_t>(size_t{1} << random() % 4, bytes.size() - at);
    switch (random() % 5) {
      case 0:
        bytes[at] = static_cast<char>(random());
        break;
      case 1:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << random() % 8));
        break;
      case 2:
        std::memcpy(&bytes[at], &kEdges[random() % std::size(kEdges)], width);
        break;
      case 3:
        bytes.resize(at);
        break;
      default:
        bytes.insert(at, bytes.substr(random() % span, width));
    }
  }
  return bytes;
}

const std::string *current = nullptr;

void save() {
  std::ofstream("crash.bin", std::ios::binary) << *current;
}

void run(const std::string &bytes) {
  current = &bytes;
  // A copy of the exact size, so that the sanitizer sees a read of one byte too many.
  const std::vector<uint8_t> input(bytes.begin(), bytes.end());
  LLVMFuzzerTestOneInput(input.data(), input.size());
}

}  // namespace

int main(int argc, char **argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: %s RUNS FILE...\n", argv[0]);
    return 2;
  }
  if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(save);
  std::signal(SIGABRT, [](int) { save(); });
  std::vector<std::string> corpus;
  for (int i = 2; i < argc; ++i) {
    std::ifstream file(argv[i], std::ios::binary);
    corpus.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    run(corpus.back());
  }
  std::mt19937_64 random(1);
  const long runs = std::atol(argv[1]);
  for (long i = 0; i < runs; ++i) {
    run(mutate(corpus[random() % corpus.size()], random));
  }
  std::printf("%zu files, %ld mutations\n", corpus.size(), runs);
}
