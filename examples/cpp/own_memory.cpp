// SPDX-License-Identifier: Apache-2.0
//
// The model's bytes and all tensors are the caller's: own_memory MODEL.om INPUT.bin OUTPUT.bin
#include <aclrt/aclrt.hpp>
#include <cstring>
#include <fstream>
#include <iterator>

int main(int, char **argv) {
  std::ifstream file(argv[1], std::ios::binary), input(argv[2], std::ios::binary);
  const std::vector<char> text{std::istreambuf_iterator<char>(file), {}};
  std::vector<std::byte> bytes(text.size());
  std::memcpy(bytes.data(), text.data(), text.size());
  aclrt::Model model{aclrt::span<const std::byte>(bytes)};
  std::vector<float> x(model.inputs()[0].nbytes / 4), probs(model.outputs()[0].nbytes / 4);
  std::ofstream output(argv[3], std::ios::binary);
  while (input.read(reinterpret_cast<char *>(x.data()), std::streamsize(4 * x.size()))) {
    model.run_into({{"x", x}}, {{"probs", probs}});
    output.write(reinterpret_cast<char *>(probs.data()), std::streamsize(4 * probs.size()));
  }
}
