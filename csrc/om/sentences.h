// SPDX-License-Identifier: Apache-2.0
//
// Collects sentences for people about a file. A damaged file can earn any number of them: the first
// hundred are kept, and how many more there were.
#ifndef ACLRT_OM_SENTENCES_H
#define ACLRT_OM_SENTENCES_H

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace om {

class Sentences {
 public:
  void add(std::string sentence) {
    if (kept_.size() < kLimit) {
      kept_.push_back(std::move(sentence));
    } else {
      ++dropped_;
    }
  }

  std::vector<std::string> take() {
    if (dropped_ > 0) kept_.push_back("and " + std::to_string(dropped_) + " more of this kind");
    dropped_ = 0;
    return std::exchange(kept_, {});
  }

 private:
  static constexpr size_t kLimit = 100;
  std::vector<std::string> kept_;
  uint64_t dropped_ = 0;
};

}  // namespace om

#endif
