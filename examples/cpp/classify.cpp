// SPDX-License-Identifier: Apache-2.0
//
// Classifies images with an offline model: classify MODEL.om IMAGES.npy [FIRST [COUNT]]
// The .npy holds float32 images, one a row; each line printed is a row's number, class and score.
#include <aclrt/aclrt.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

// The floats of a .npy file: magic, version, 16- or 32-bit header length, header, data.
static std::vector<float> read_npy(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  if (bytes.compare(0, 6, "\x93NUMPY") != 0 || bytes.size() < 12) {
    throw std::runtime_error(path + ": not an .npy file");
  }
  const auto byte = [&](size_t i) { return static_cast<size_t>(static_cast<uint8_t>(bytes[i])); };
  size_t start = 10 + byte(8) + 256 * byte(9);
  if (bytes[6] > 1) start += 2 + 65536 * byte(10) + 16777216 * byte(11);
  const std::string header = bytes.substr(10, start - 10);
  if (start > bytes.size() || header.find("'<f4'") == std::string::npos ||
      header.find("'fortran_order': False") == std::string::npos) {
    throw std::runtime_error(path + ": expected little-endian float32 in C order");
  }
  std::vector<float> values((bytes.size() - start) / sizeof(float));
  std::copy_n(bytes.data() + start, values.size() * sizeof(float),
              reinterpret_cast<char *>(values.data()));
  return values;
}

int main(int argc, char **argv) try {
  if (argc < 3) {
    std::fprintf(stderr, "usage: %s MODEL.om IMAGES.npy [FIRST [COUNT]]\n", argv[0]);
    return 2;
  }
  aclrt::Model model(argv[1]);
  const std::vector<float> images = read_npy(argv[2]);
  const size_t pixels =
      model.inputs().at(0).nbytes / sizeof(float);  // of one run, one or more rows
  const auto batch = static_cast<size_t>(model.inputs()[0].shape.at(0));
  const size_t row = pixels / batch, rows = images.size() / row;
  const size_t first = argc > 3 ? std::strtoul(argv[3], nullptr, 10) : 0;
  const size_t count = argc > 4 ? std::strtoul(argv[4], nullptr, 10) : rows;

  std::vector<float> input(pixels);
  for (size_t at = first; at < std::min(rows, first + count); at += batch) {
    const size_t n = std::min(batch, std::min(rows, first + count) - at);
    std::copy_n(images.begin() + static_cast<std::ptrdiff_t>(at * row), n * row, input.begin());
    const auto out = model(input);
    const auto scores = out[0].as<float>();
    const size_t classes = scores.size() / batch;
    for (size_t i = 0; i < n; ++i) {
      const float *best = std::max_element(&scores[i * classes], &scores[i * classes] + classes);
      std::printf("%zu %td %.6f\n", at + i, best - &scores[i * classes],
                  static_cast<double>(*best));
    }
  }
  model.close();
} catch (const std::exception &error) {
  std::fprintf(stderr, "classify: %s\n", error.what());
  return 1;
}
