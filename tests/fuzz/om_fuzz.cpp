// SPDX-License-Identifier: Apache-2.0
//
// Any bytes given to the .om reader: a model or a FormatError whose offset is inside the file (or
// at its end); never anything else.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "om/om.h"

namespace {

void read(const om::Bytes &bytes, const om::Options &options) {
  try {
    const om::Model model = om::parse(bytes, options);
    if (om::to_json(model).empty()) std::abort();
    for (const om::Aipp &aipp : model.aipp) {
      if (om::describe(aipp).empty()) std::abort();
    }
  } catch (const om::FormatError &error) {
    if (error.offset() > bytes.size) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const om::Bytes bytes{data, size};
  om::family_name(om::family(bytes));
  om::is_simulated(bytes);
  om::Options options;
  options.details = true;
  read(bytes, options);
  options.graph = false;
  read(bytes, options);
  return 0;
}
