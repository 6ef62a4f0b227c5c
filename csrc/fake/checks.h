// SPDX-License-Identifier: Apache-2.0
//
// The misuse checks (checks.def): each has a stable ID, is counted, and says what was done, where
// the object was made and what to do. A failing test of the contract that has an ID is
// `return violation(Check::STR_01, code, "...")` in place of fail(); where the contract returns
// success although the use is wrong it is `notice(Check::MEM_01, "...")`. Thread-safe, no
// exceptions; the object's history goes into the text with origin_text().
#ifndef ACLRT_FAKE_CHECKS_H
#define ACLRT_FAKE_CHECKS_H

#include <cstddef>
#include <cstdint>
#include <string>

#include "acl/abi.h"
#include "fake/ledger.h"
#include "fake/origin.h"

namespace om {
class JsonWriter;
}

namespace aclfake {

enum class Check : uint16_t {
#define CHECK(area, number, severity, code, title, remedy) area##_##number,
#include "fake/checks.def"
  kCount,
};

// Returns code.
aclError violation(Check check, aclError code, const char *format, ...) noexcept
    __attribute__((format(printf, 3, 4)));
// No code goes with it: the function goes on, or has no status.
void notice(Check check, const char *format, ...) noexcept __attribute__((format(printf, 2, 3)));

namespace checks {

enum class Mode { kError, kWarn, kAbort };
Mode set_mode(Mode mode) noexcept;        // gives the one before
void clear() noexcept;                    // counts, texts; the mode is the environment's again
uint64_t count(const char *id) noexcept;  // nullptr: of all checks; unknown id: 0
const char *id(Check check) noexcept;     // "ACLFAKE-STR-01"
void write_counts(om::JsonWriter &json);  // {id: {count, last}} of those that have fired
std::string table_json();                 // every check: id, severity, code, title, remedy

}  // namespace checks
}  // namespace aclfake

#endif
