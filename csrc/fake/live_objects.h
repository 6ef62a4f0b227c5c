// SPDX-License-Identifier: Apache-2.0
//
// Every live object of the client, of all kinds, with where it was made. Handle tables enter
// themselves when they are made; memory and models are asked by name.
#ifndef ACLRT_FAKE_LIVE_OBJECTS_H
#define ACLRT_FAKE_LIVE_OBJECTS_H

#include <cstdint>
#include <vector>

#include "fake/ledger.h"
#include "fake/origin.h"

namespace aclfake {

struct LiveEntry {
  Kind kind;
  Origin made;
  uint64_t bytes;
};

using LiveLister = void (*)(std::vector<LiveEntry> &entries);
bool add_lister(LiveLister lister);

std::vector<LiveEntry> live_entries();  // in the order of kinds

}  // namespace aclfake

#endif
