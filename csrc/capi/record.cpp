// SPDX-License-Identifier: Apache-2.0
//
// Records that a program starts and ends itself.
#include "core/record.h"

#include <memory>

#include "capi/guard.h"

struct aclrt_record {
  explicit aclrt_record(std::unique_ptr<aclrt::Record> made) : record(std::move(made)) {
    aclrt::acl::observe(record.get());
  }
  ~aclrt_record() { aclrt::acl::unobserve(record.get()); }
  aclrt_record(const aclrt_record &) = delete;
  aclrt_record &operator=(const aclrt_record &) = delete;

  std::unique_ptr<aclrt::Record> record;
};

extern "C" {

aclrt_status_t *aclrt_record_start(const char *path, uint64_t data_nbytes,
                                   aclrt_record_t **record) {
  return aclrt::capi::guard_session([&] {
    aclrt::capi::require_pointer(path, "path");
    aclrt::capi::require_pointer(record, "record");
    aclrt::Runtime &runtime = aclrt::Runtime::instance();
    runtime.init(nullptr);
    const aclrt::RuntimeInfo &info = runtime.info();
    aclrt::Record::Options options;
    options.path = path;
    options.data_nbytes = data_nbytes;
    auto made = std::make_unique<aclrt::Record>(options, *aclrt::acl::direct(), info.soc_name,
                                                info.device_count);
    *record = new aclrt_record(std::move(made));
  });
}

void aclrt_record_release(aclrt_record_t *record) {
  // In a child of fork the parent's threads, which may be inside the observer, are not there.
  if (!aclrt::Runtime::is_forked()) delete record;
}

}  // extern "C"
