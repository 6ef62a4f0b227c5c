// SPDX-License-Identifier: Apache-2.0
#include "fake/handle_check.h"

#include <cstdio>

namespace aclfake {
namespace {

struct Row {
  Check stale;
  Check twice;
  Check kind;
  Check unknown;
};

Row row_of(Kind kind) noexcept {
  switch (kind) {
    case Kind::kContext:
      return {Check::CTX_03, Check::CTX_04, Check::CTX_06, Check::CTX_07};
    case Kind::kStream:
      return {Check::STR_01, Check::STR_02, Check::STR_03, Check::STR_04};
    case Kind::kEvent:
      return {Check::EVT_01, Check::EVT_02, Check::EVT_03, Check::EVT_04};
    case Kind::kDataBuffer:
      return {Check::BUF_01, Check::BUF_02, Check::BUF_03, Check::BUF_04};
    case Kind::kTensorDesc:
      return {Check::DSC_01, Check::DSC_02, Check::DSC_03, Check::DSC_04};
    case Kind::kDataset:
      return {Check::SET_01, Check::SET_02, Check::SET_03, Check::SET_04};
    case Kind::kModelDesc:
      return {Check::MDD_01, Check::MDD_02, Check::MDD_03, Check::MDD_04};
    default:
      return {Check::CFG_01, Check::CFG_02, Check::CFG_03, Check::CFG_04};
  }
}

std::string words(Kind kind) {
  std::string name = kind_name(kind);
  for (char &letter : name) {
    if (letter == '_') letter = ' ';
  }
  return name;
}

}  // namespace

Check handle_check(Kind kind, Miss miss, Want want) noexcept {
  const Row row = row_of(kind);
  if (miss == Miss::kWrongKind) return row.kind;
  if (miss == Miss::kUnknown) return row.unknown;
  return want == Want::kDestroy ? row.twice : row.stale;
}

std::string handle_text(Kind kind, const void *handle, Miss miss, const Trace &trace) {
  char value[32];
  std::snprintf(value, sizeof value, "%p", handle);
  std::string text = "the " + words(kind);
  if (miss == Miss::kNull) return text + " is NULL";
  text += std::string(" ") + value + " " + miss_text(miss);
  HandleParts parts{};
  if (miss == Miss::kWrongKind && decode_handle(handle, &parts)) {
    text += " (" + words(parts.kind) + ")";
  }
  if (trace.made) text += "; it was made by " + origin_text(trace.made);
  if (trace.ended) text += " and ended by " + origin_text(trace.ended);
  return text;
}

}  // namespace aclfake
