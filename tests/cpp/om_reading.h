// SPDX-License-Identifier: Apache-2.0
//
// Reads a file made in memory the way every test of the reader needs it: from a block of exactly
// its size, so that a sanitizer sees one byte too far, and with the JSON asked for as well.
#ifndef ACLRT_TESTS_CPP_OM_READING_H
#define ACLRT_TESTS_CPP_OM_READING_H

#include <cstring>
#include <memory>
#include <string>

#include "check.h"
#include "om/om.h"

namespace reading {

inline om::Model parse(const std::string &file, bool graph = true) {
  const std::unique_ptr<uint8_t[]> block(new uint8_t[file.size()]);
  if (!file.empty()) std::memcpy(block.get(), file.data(), file.size());
  om::Options options;
  options.graph = graph;
  options.details = true;
  om::Model model = om::parse({block.get(), file.size()}, options);
  om::to_json(model);
  model.onnx = {};  // it would point into the block
  return model;
}

// Every byte of the file is damaged in turn: a model or a FormatError, nothing else.
inline void damage_every_byte(const std::string &file) {
  static const unsigned char kValues[] = {0x00, 0x01, 0x7F, 0x80, 0xFF};
  size_t refused = 0;
  for (size_t at = 0; at < file.size(); ++at) {
    for (const unsigned char value : kValues) {
      std::string damaged = file;
      damaged[at] = static_cast<char>(value);
      try {
        parse(damaged);
      } catch (const om::FormatError &error) {
        ++refused;
        CHECK(!error.field().empty() && error.offset() <= damaged.size());
      } catch (const std::exception &error) {
        check::report(false, __FILE__, __LINE__, std::string("other error: ") + error.what());
      }
    }
  }
  CHECK(refused > 0);
}

inline bool contains(const std::string &text, const std::string &part) {
  return text.find(part) != std::string::npos;
}

// One of the sentences has that part.
inline bool says(const om::Model &model, const std::string &part) {
  for (const std::string &sentence : model.disagreements) {
    if (contains(sentence, part)) return true;
  }
  return false;
}

}  // namespace reading

#define CHECK_REFUSED(file, expected_cause, expected_text) \
  CHECK_THROWS(                                            \
      om::FormatError, reading::parse(file),               \
      error.cause() == (expected_cause) && reading::contains(error.what(), expected_text))

#define CHECK_CONTAINS(part, text)                                     \
  check::report(reading::contains((text), (part)), __FILE__, __LINE__, \
                "no \"" + std::string(part) + "\" in: " + (text))

#endif
