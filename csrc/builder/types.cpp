// SPDX-License-Identifier: Apache-2.0
#include "builder/ge.h"

namespace ge {

AscendString::AscendString(const char *text) {
  if (text == nullptr) return;
  try {
    text_ = std::make_shared<std::string>(text);
  } catch (const std::bad_alloc &) {
    // Stays empty, as in CANN: a constructor has no other way to tell without throwing.
  }
}

bool AscendString::operator<(const AscendString &other) const {
  if (text_ == nullptr || other.text_ == nullptr) return text_ == nullptr && other.text_ != nullptr;
  return *text_ < *other.text_;
}

Graph::Graph(const char *name) {
  try {
    content_ = std::make_shared<GraphContent>();
    content_->name = name != nullptr ? name : "";
  } catch (const std::bad_alloc &) {
    content_.reset();  // refused by whoever is given it
  }
}

}  // namespace ge
