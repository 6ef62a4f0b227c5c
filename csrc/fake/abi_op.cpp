// SPDX-License-Identifier: Apache-2.0
//
// Exported functions: attributes of single operators, as objects that can be made, filled and
// destroyed. Operators themselves are not executed (unsupported.def).
#include <set>
#include <string>

#include "fake/arguments.h"
#include "fake/entry.h"
#include "fake/state.h"

using namespace aclfake;  // the functions themselves are AscendCL's, in the global namespace

namespace {

struct OpAttr {
  static constexpr Kind kKind = Kind::kOpAttr;
  std::set<std::string> names;
};

size_t drop_attributes() {
  return handles<OpAttr>().clear();
}
const bool registered = at_reset(drop_attributes);

aclError set(aclopAttr *handle, const char *name) {
  std::shared_ptr<OpAttr> attr;
  if (const aclError code = need_handle(handle, "operator attributes", &attr)) return code;
  if (const aclError code = need_pointer(name, "attrName")) return code;
  attr->names.insert(name);
  return ACL_SUCCESS;
}

}  // namespace

aclopAttr *aclopCreateAttr(void) {
  return value_entry(Call::aclopCreateAttr, static_cast<aclopAttr *>(nullptr), [] {
    return static_cast<aclopAttr *>(handles<OpAttr>().insert(std::make_shared<OpAttr>()));
  });
}

void aclopDestroyAttr(const aclopAttr *attr) {
  void_entry(Call::aclopDestroyAttr, [&] {
    if (attr != nullptr) destroy_handle<OpAttr>(attr, "operator attributes");
  });
}

aclError aclopSetAttrBool(aclopAttr *attr, const char *attrName, uint8_t) {
  return entry(Call::aclopSetAttrBool, [&] { return set(attr, attrName); });
}

aclError aclopSetAttrFloat(aclopAttr *attr, const char *attrName, float) {
  return entry(Call::aclopSetAttrFloat, [&] { return set(attr, attrName); });
}

aclError aclopSetAttrInt(aclopAttr *attr, const char *attrName, int64_t) {
  return entry(Call::aclopSetAttrInt, [&] { return set(attr, attrName); });
}

aclError aclopSetAttrListInt(aclopAttr *attr, const char *attrName, int numValues,
                             const int64_t *values) {
  return entry(Call::aclopSetAttrListInt, [&]() -> aclError {
    if (numValues < 0) return fail(ACL_ERROR_INVALID_PARAM, "numValues is %d", numValues);
    if (numValues > 0) {
      if (const aclError code = need_pointer(values, "values")) return code;
    }
    return set(attr, attrName);
  });
}

aclError aclopSetAttrString(aclopAttr *attr, const char *attrName, const char *attrValue) {
  return entry(Call::aclopSetAttrString, [&]() -> aclError {
    if (const aclError code = need_pointer(attrValue, "attrValue")) return code;
    return set(attr, attrName);
  });
}
