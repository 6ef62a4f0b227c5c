// SPDX-License-Identifier: Apache-2.0
//
// Any bytes given to the .om reader: a model or a FormatError whose offset is inside the file (or
// at its end); never anything else.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "om/om.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const om::Bytes bytes{data, size};
  om::family(bytes);
  om::is_simulated(bytes);
  try {
    const om::Model model = om::parse(bytes);
    if (om::to_json(model).empty()) std::abort();
  } catch (const om::FormatError &error) {
    if (error.offset() > size) std::abort();
  }
  return 0;
}
