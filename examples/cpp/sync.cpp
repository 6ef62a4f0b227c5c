// SPDX-License-Identifier: Apache-2.0
//
// Runs the records of a file one by one: sync MODEL.om INPUT.bin OUTPUT.bin
#include <aclrt/aclrt.hpp>
#include <cstdio>
#include <fstream>
#include <vector>

int main(int, char **argv) try {
  aclrt::Model model(argv[1]);
  std::ifstream input(argv[2], std::ios::binary);
  std::ofstream output(argv[3], std::ios::binary);
  std::vector<float> record(model.inputs().at(0).nbytes / sizeof(float));
  while (input.read(reinterpret_cast<char *>(record.data()),
                    static_cast<std::streamsize>(record.size() * sizeof(float)))) {
    const auto results = model(record);
    const auto bytes = results[0].bytes();
    output.write(reinterpret_cast<const char *>(bytes.data()),
                 static_cast<std::streamsize>(bytes.size()));
  }
} catch (const aclrt::Error &error) {
  std::fprintf(stderr, "sync: %s\n", error.what());
  return 1;
}
