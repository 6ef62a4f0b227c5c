// SPDX-License-Identifier: Apache-2.0
#include "fake/handles.h"

namespace aclfake {

const char *miss_text(Miss miss) noexcept {
  switch (miss) {
    case Miss::kNone:
      return "is valid";
    case Miss::kNull:
      return "is NULL";
    case Miss::kUnknown:
      return "was never given out";
    case Miss::kWrongKind:
      return "is a handle of another kind";
    case Miss::kStale:
      return "was destroyed already";
  }
  return "";
}

}  // namespace aclfake
