// SPDX-License-Identifier: Apache-2.0
//
// The .om reader against damaged files: it answers or throws FormatError, nothing else. Meant to
// run under ASan and UBSan as well.
//
//   om_damage_test [FOLDER]               files made here, and the .om files of FOLDER
//   om_damage_test --json FILE            what the reader makes of one file; exit code 1 if refused
//   om_damage_test --mutate N FILE...     N damaged versions of each file
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <set>

#include "om_case.h"

namespace {

using namespace om_case;
using om::FormatError;

// Every whole-file fact that a damaged file must not break: an answer or a FormatError.
enum class Outcome { kRead, kRefused };

Outcome survive(const std::string &file) {
  const Exact exact(file);
  om::family(exact.bytes());
  om::is_simulated(exact.bytes());
  try {
    const om::Model model = om::parse(exact.bytes());
    om::to_json(model);
    for (const om::Partition &partition : model.partitions) {
      CHECK(partition.offset <= file.size() && partition.size <= file.size() - partition.offset);
    }
    return Outcome::kRead;
  } catch (const FormatError &error) {
    CHECK(!error.field().empty() && error.offset() <= file.size());
    return Outcome::kRefused;
  } catch (const std::exception &error) {
    check::report(false, __FILE__, __LINE__, std::string("other error: ") + error.what());
    return Outcome::kRefused;
  }
}

std::string read_file(const std::filesystem::path &path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Where a part of the file begins or ends.
std::set<size_t> boundaries(const std::string &file) {
  std::set<size_t> found{0, 4, 8, 0x50, 0x54, 0x78, 0xB8, 256, 260, 264, file.size()};
  const Exact exact(file);
  try {
    for (const om::Partition &partition : om::parse(exact.bytes()).partitions) {
      found.insert(partition.offset);
      found.insert(partition.offset + partition.size);
    }
  } catch (const FormatError &) {
  }
  for (size_t entry = 0; entry <= 8; ++entry) {
    found.insert(264 + 24 * entry);
    found.insert(260 + 12 * entry);
  }
  return found;
}

// The length in the header follows, so that the cut is seen by what comes after it.
std::string with_length(std::string file) {
  if (file.size() < 256) return file;
  const uint64_t body = file.size() - 256;
  const bool wide = static_cast<unsigned char>(file[0x0B]) >= 0x20 && file[0x4C] == 0 &&
                    file[0x4D] == 0 && file[0x4E] == 0;
  put(file, wide ? 0xB8 : 0x4C, wide ? u64(body) : u32(static_cast<uint32_t>(body)));
  return file;
}

void cut(const std::string &file) {
  for (const size_t boundary : boundaries(file)) {
    for (const size_t end : {boundary - 1, boundary, boundary + 1}) {
      if (end >= file.size()) continue;  // boundary 0 less one as well
      CHECK(survive(file.substr(0, end)) == Outcome::kRefused);
      survive(with_length(file.substr(0, end)));
    }
  }
  CHECK(survive(file + '\0') == Outcome::kRefused);
}

// Where random damage is likely to matter: the front of a partition, or the header and table.
size_t somewhere(const std::vector<size_t> &starts, size_t size, std::mt19937_64 &random) {
  const auto up_to = [&](size_t limit) { return static_cast<size_t>(random() % limit); };
  switch (up_to(4)) {
    case 0:
      return up_to(size);
    case 1:
      return std::min(size - 1, up_to(420));
    default:
      return std::min(size - 1, starts[up_to(starts.size())] + up_to(600));
  }
}

void mutate(const std::string &file, size_t count, uint64_t seed) {
  if (file.empty()) return;
  std::mt19937_64 random(seed);
  std::vector<size_t> starts;
  for (const size_t boundary : boundaries(file)) starts.push_back(boundary);
  static const uint64_t kNumbers[] = {0,          1,          7,          8,          9,
                                      0x7F,       0x80,       0xFF,       0xFFFF,     0x7FFFFFFF,
                                      0x80000000, 0xFFFFFFFF, 1ull << 32, 1ull << 63, UINT64_MAX};
  size_t refused = 0;
  for (size_t i = 0; i < count; ++i) {
    std::string damaged = file;
    for (uint64_t edits = 1 + random() % 4; edits > 0 && !damaged.empty(); --edits) {
      const size_t at = somewhere(starts, damaged.size(), random);
      const uint64_t number = kNumbers[random() % std::size(kNumbers)];
      switch (random() % 6) {
        case 0:
          damaged[at] = static_cast<char>(random());
          break;
        case 1:
          damaged[at] = static_cast<char>(damaged[at] ^ (1 << random() % 8));
          break;
        case 2:
          put(damaged, at, u32(static_cast<uint32_t>(number)).substr(0, damaged.size() - at));
          break;
        case 3:
          put(damaged, at, u64(number).substr(0, damaged.size() - at));
          break;
        case 4:
          damaged = with_length(damaged.erase(at, 1 + random() % 16));
          break;
        default:
          damaged = with_length(damaged.insert(at, u64(random()).substr(0, 1 + random() % 8)));
      }
    }
    refused += survive(damaged) == Outcome::kRefused;
  }
  std::cout << "damaged " << count << ", refused " << refused << "\n";
}

int print_json(const char *path) {
  const std::string file = read_file(path);
  const Exact exact(file);
  try {
    std::cout << om::to_json(om::parse(exact.bytes())) << "\n";
    return 0;
  } catch (const FormatError &error) {
    std::cout << error.what() << "\n";
    return 1;
  }
}

void check_damage(const std::vector<std::string> &paths, size_t count) {
  for (const std::string &path : paths) {
    const std::string file = read_file(path);
    cut(file);
    mutate(file, count, 1);
  }
}

std::vector<std::string> models_in(const char *folder) {
  std::vector<std::string> paths;
  std::error_code none;
  for (const auto &entry : std::filesystem::directory_iterator(folder, none)) {
    if (entry.path().extension() == ".om") paths.push_back(entry.path().string());
  }
  return paths;
}

}  // namespace

int main(int argc, char **argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() == 2 && arguments[0] == "--json") return print_json(argv[2]);
  if (arguments.size() >= 3 && arguments[0] == "--mutate") {
    check_damage({arguments.begin() + 2, arguments.end()}, std::stoul(arguments[1]));
    return check::result();
  }
  for (const std::string &file :
       {simulated(payload(kOnnx)), with_parts({{8, kInout}, {0, kModelDef}, {1, "w"}, {2, kTasks}}),
        header(1, narrow_table({{0, kModelDef}, {1, "weights"}, {2, kTasks}})),
        header(3, wide_table({{0, kModelDef}, {2, kTasks}}) + wide_table({{0, kModelDef}}), 2)}) {
    cut(file);
    mutate(file, 3000, 7);
  }
  if (!arguments.empty()) check_damage(models_in(argv[1]), 300);
  return check::result();
}
