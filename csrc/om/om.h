// SPDX-License-Identifier: Apache-2.0
//
// Reader of the .om container: bytes in, struct out. It uses nothing but the standard library and
// copies nothing large: partitions and the ONNX body point into the caller's bytes, which must
// outlive the Model. Every number from the file is checked before it is used to read or allocate.
// Used by the shim and by the fake, each with its own copy of this code.
#ifndef ACLRT_OM_OM_H
#define ACLRT_OM_OM_H

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace om {

struct Bytes {
  const uint8_t *data = nullptr;
  size_t size = 0;
};

// What kind of file it is, decided from the first 256 bytes.
enum class Family { kAscend, kKirin, kFlow, kBundle, kLite, kEncrypted, kOm2, kNotOm };

// Why a file was refused; the fake maps these to the codes that the real loader gives.
enum class Cause {
  kTooShort,   // fewer bytes than the magic
  kHeaderCut,  // fewer bytes than the header
  kBadMagic,
  kLength,          // header's length and file size disagree
  kTable,           // partition table cut, or reaches the end of the body
  kPartitionCount,  // not 1..8
  kPartition,       // a partition lies outside the body
  kNoModelDef,
  kModelDef,     // protobuf broken
  kTaskInfo,     // protobuf broken
  kInoutInfo,    // TLV broken
  kBody,         // our ONNX payload broken
  kFamily,       // well formed, but not an Ascend offline model
  kUnsupported,  // an Ascend offline model that this version cannot read
};

class FormatError : public std::runtime_error {
 public:
  // offset: of the field, from the start of the file. what() names field, offset and both values.
  FormatError(Cause cause, uint64_t offset, std::string field, const std::string &message);
  Cause cause() const noexcept { return cause_; }
  uint64_t offset() const noexcept { return offset_; }
  const std::string &field() const noexcept { return field_; }

 private:
  Cause cause_;
  uint64_t offset_;
  std::string field_;
};

struct Partition {
  uint32_t type = 0;
  uint64_t offset = 0;  // from the start of the file
  uint64_t size = 0;
};

struct Tensor {
  std::string name;
  int32_t dtype = -1;   // aclDataType
  int32_t format = -1;  // aclFormat, sub-format bits masked off
  uint64_t size = 0;    // bytes
  std::vector<int64_t> dims;
  std::vector<int64_t> dims_v2;
  std::vector<std::pair<int64_t, int64_t>> range;
};

struct Model {
  int generation = 0;  // 1, 2, 3
  std::string name;
  std::string platform_version;
  uint32_t om_ir_version = 0;
  uint32_t model_num = 1;
  bool is_unknown_shape = false;
  bool simulated = false;  // carries this project's marker
  std::vector<Partition> partitions;
  std::vector<Tensor> inputs;
  std::vector<Tensor> outputs;
  std::string soc_version;  // "" where the file does not say
  std::string compiler_version;
  std::string opp_version;
  std::string command_line;
  std::string framework;
  uint64_t work_size = 0;
  uint64_t weight_size = 0;
  uint64_t stream_num = 0;
  uint64_t event_num = 0;
  Bytes onnx;  // the body of a simulated file, inside the caller's bytes

  const Partition *find(uint32_t type) const;  // first of that type, nullptr if none
};

// Reads the whole file. Throws FormatError.
Model parse(Bytes file);

// Header test alone; never throws.
Family family(Bytes file) noexcept;
const char *family_name(Family family) noexcept;  // "phone (Kirin/HiAI) model", ...

// True if the header carries this project's marker; never throws.
bool is_simulated(Bytes file) noexcept;

// The model as a JSON object (docs/om.md).
std::string to_json(const Model &model);

// Element types and formats (dtypes.def, formats.def).
struct Dtype {
  int32_t value;  // aclDataType = GE DataType
  int32_t proto;  // ModelDef's number
  int32_t bits;   // per element
  const char *name;
};
extern const Dtype kDtypes[];
extern const size_t kDtypeCount;
const Dtype *find_dtype(int32_t value) noexcept;  // nullptr if unknown
const Dtype *find_dtype_by_proto(int32_t proto) noexcept;
const char *format_name(int32_t format) noexcept;  // "" if unknown

}  // namespace om

#endif
