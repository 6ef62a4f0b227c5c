// SPDX-License-Identifier: Apache-2.0
//
// .om files without a device. They need no library, so they work after a fork and a shutdown too.
#include "om/om.h"

#include "capi/guard.h"
#include "core/loaded_model.h"
#include "core/mapped_file.h"

namespace {

void inspect(om::Bytes bytes, const std::string &label, char **json) {
  try {
    om::Options options;
    options.details = true;
    *json = aclrt::capi::new_string(om::to_json(om::parse(bytes, options)));
  } catch (const om::FormatError &error) {
    aclrt::refuse_format(error, label);
  }
}

}  // namespace

extern "C" {

aclrt_status_t *aclrt_om_inspect(const void *data, size_t data_size, char **json) {
  return aclrt::capi::guard([&] {
    aclrt::capi::require_pointer(json, "json");
    if (data_size > 0) aclrt::capi::require_pointer(data, "data");
    inspect({static_cast<const uint8_t *>(data), data_size}, "the model in memory", json);
  });
}

aclrt_status_t *aclrt_om_inspect_file(const char *path, char **json) {
  return aclrt::capi::guard([&] {
    aclrt::capi::require_pointer(path, "path");
    aclrt::capi::require_pointer(json, "json");
    const aclrt::MappedFile file(path);
    inspect(file.bytes(), path, json);
  });
}

}  // extern "C"
