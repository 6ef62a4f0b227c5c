// SPDX-License-Identifier: Apache-2.0
//
// ge.proto as a table: message, field number, what its bytes hold. Fields not listed are scalars,
// strings or unknown, and only need to fit.
#include "om/schema.h"

#include <string>

#include "om/error.h"
#include "om/proto.h"

namespace om {
namespace {

enum class Kind {
  kNone,
  kPackedVarints,
  kPackedFloats,
  kModelDef,
  kGraphDef,
  kOpDef,
  kTensorDescriptor,
  kShapeDef,
  kTensorDef,
  kNamedAttrs,
  kAttrEntry,
  kAttrDef,
  kListValue,
  kListListInt,
  kListListFloat,
  kListInt,
  kListFloat,
};

struct Field {
  Kind message;
  uint32_t number;
  Kind content;
};

constexpr Field kFields[] = {
    {Kind::kModelDef, 7, Kind::kGraphDef},
    {Kind::kModelDef, 11, Kind::kAttrEntry},
    {Kind::kGraphDef, 6, Kind::kOpDef},
    {Kind::kGraphDef, 11, Kind::kAttrEntry},
    {Kind::kOpDef, 10, Kind::kAttrEntry},
    {Kind::kOpDef, 25, Kind::kPackedVarints},
    {Kind::kOpDef, 27, Kind::kPackedVarints},
    {Kind::kOpDef, 28, Kind::kPackedVarints},
    {Kind::kOpDef, 29, Kind::kPackedVarints},
    {Kind::kOpDef, 30, Kind::kPackedVarints},
    {Kind::kOpDef, 31, Kind::kPackedVarints},
    {Kind::kOpDef, 32, Kind::kPackedVarints},
    {Kind::kOpDef, 33, Kind::kTensorDescriptor},
    {Kind::kOpDef, 34, Kind::kTensorDescriptor},
    {Kind::kTensorDescriptor, 3, Kind::kShapeDef},
    {Kind::kTensorDescriptor, 5, Kind::kAttrEntry},
    {Kind::kShapeDef, 1, Kind::kPackedVarints},
    {Kind::kTensorDef, 1, Kind::kTensorDescriptor},
    {Kind::kNamedAttrs, 2, Kind::kAttrEntry},
    {Kind::kAttrEntry, 2, Kind::kAttrDef},
    {Kind::kAttrDef, 1, Kind::kListValue},
    {Kind::kAttrDef, 10, Kind::kNamedAttrs},
    {Kind::kAttrDef, 11, Kind::kTensorDescriptor},
    {Kind::kAttrDef, 12, Kind::kTensorDef},
    {Kind::kAttrDef, 13, Kind::kGraphDef},
    {Kind::kAttrDef, 14, Kind::kListListInt},
    {Kind::kAttrDef, 16, Kind::kListListFloat},
    {Kind::kListValue, 3, Kind::kPackedVarints},
    {Kind::kListValue, 4, Kind::kPackedFloats},
    {Kind::kListValue, 5, Kind::kPackedVarints},
    {Kind::kListValue, 8, Kind::kTensorDescriptor},
    {Kind::kListValue, 9, Kind::kTensorDef},
    {Kind::kListValue, 10, Kind::kGraphDef},
    {Kind::kListValue, 11, Kind::kNamedAttrs},
    {Kind::kListValue, 12, Kind::kPackedVarints},
    {Kind::kListListInt, 1, Kind::kListInt},
    {Kind::kListListFloat, 1, Kind::kListFloat},
    {Kind::kListInt, 1, Kind::kPackedVarints},
    {Kind::kListFloat, 1, Kind::kPackedFloats},
};

constexpr const char *kName = "MODEL_DEF";

Kind content_of(Kind message, uint32_t number) {
  for (const Field &field : kFields) {
    if (field.message == message && field.number == number) return field.content;
  }
  return Kind::kNone;
}

void check_message(View bytes, Kind kind, int depth) {
  if (depth > kMaxProtoDepth) {
    fail(Cause::kModelDef, bytes.offset, kName, "messages nested at most 100 deep", "deeper ones");
  }
  ProtoReader reader(bytes, Cause::kModelDef, kName);
  while (reader.next()) {
    if (reader.wire() != Wire::kBytes) continue;
    const Kind content = content_of(kind, reader.number());
    switch (content) {
      case Kind::kNone:
        break;
      case Kind::kPackedVarints: {
        PackedReader numbers(reader.bytes(), Cause::kModelDef, kName);
        while (numbers.next()) continue;
        break;
      }
      case Kind::kPackedFloats:
        if (reader.bytes().size % 4 != 0) {
          fail(Cause::kModelDef, reader.bytes().offset, kName, "packed floats of 4 bytes each",
               std::to_string(reader.bytes().size) + " bytes");
        }
        break;
      default:
        check_message(reader.bytes(), content, depth + 1);
    }
  }
}

}  // namespace

void check_model_def(View message) {
  check_message(message, Kind::kModelDef, 1);
}

}  // namespace om
