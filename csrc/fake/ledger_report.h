// SPDX-License-Identifier: Apache-2.0
//
// The ledger put into words: JSON for programs, a table for people, and the file or table that
// $ACLRT_FAKE_LEDGER asks for at exit. Schema: docs/fake.md.
#ifndef ACLRT_FAKE_LEDGER_REPORT_H
#define ACLRT_FAKE_LEDGER_REPORT_H

#include <string>

namespace aclfake::ledger {

std::string json();
std::string text();

}  // namespace aclfake::ledger

#endif
