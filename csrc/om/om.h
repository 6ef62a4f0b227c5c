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
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
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
  uint64_t size = 0;    // bytes; 0 where they depend on a dim that is open
  std::vector<int64_t> dims;
  std::vector<int64_t> dims_v2;
  std::vector<std::pair<int64_t, int64_t>> range;
  bool is_internal = false;  // an input that AscendCL fills: the gear, parameters of dynamic AIPP
};

// Where inputs and outputs were found: the records of MODEL_INOUT_INFO (which then count), the
// graph in MODEL_DEF, or both.
enum class IoSource { kNone, kTlv, kGraph, kBoth };

// What varies from run to run.
enum class Dynamic {
  kNone,
  kBatch,  // gears of one value, the first dim
  kImage,  // gears of height and width
  kDims,   // gears with a value for every open dim, input after input in the order of gear_order
  kRange,  // no gears: any dims inside Tensor::range
};

// One line of the table of output dims: those of one output under one gear.
struct OutputShape {
  int64_t gear = 0;  // -1: every gear
  int64_t output = 0;
  std::vector<int64_t> dims;
};

// A tensor on the other side of AIPP, as its attributes tell it.
struct AippTensor {
  std::string name;
  std::string format;  // "NCHW"
  std::string dtype;   // "DT_FLOAT"
  uint64_t size = 0;
  std::vector<int64_t> dims;
};

// The image preprocessing in front of one input. Numbers are as ATC's configuration file has them.
struct Aipp {
  enum class Mode { kStatic, kDynamic };
  Mode mode = Mode::kStatic;
  size_t input = 0;             // index into Model::inputs
  std::string parameter_input;  // dynamic: the input that takes the parameters of a run
  bool has_parameters = false;  // false: the file says no more than the mode

  // Dynamic.
  int64_t max_src_image_size = 0;
  bool support_rotation = false;

  // Static; what is switched off has its defaults.
  int64_t input_format = 0;  // 1 YUV420SP_U8, 2 XRGB8888_U8, ... (aipp_format_name)
  int64_t src_image_w = 0;   // 0: the network's own
  int64_t src_image_h = 0;
  bool crop = false;
  int64_t crop_start_w = 0;
  int64_t crop_start_h = 0;
  int64_t crop_w = 0;
  int64_t crop_h = 0;
  bool resize = false;
  int64_t resize_w = 0;
  int64_t resize_h = 0;
  bool padding = false;
  int64_t padding_left = 0;
  int64_t padding_right = 0;
  int64_t padding_top = 0;
  int64_t padding_bottom = 0;
  float padding_value = 0;   // of the pixels around the image
  float cpadding_value = 0;  // of further channels
  bool csc = false;
  bool rbuv_swap = false;
  bool ax_swap = false;
  bool single_line = false;
  int64_t matrix[9] = {};  // row after row; 256 is 1.0
  int64_t output_bias[3] = {};
  int64_t input_bias[3] = {};
  int64_t mean[4] = {};
  float min[4] = {};
  float var_reci[4] = {1, 1, 1, 1};

  AippTensor network_input;  // before AIPP was put in front; name "" where not stated
  AippTensor output;         // of AIPP itself
};

// An attribute of the model as a whole.
struct Attribute {
  std::string name;
  std::variant<int64_t, double, bool, std::string, std::vector<int64_t>, std::vector<std::string>>
      value;
};

struct Graph {
  std::string name;
  uint64_t operators = 0;
};

// What is only read when asked for.
struct Details {
  std::vector<Graph> graphs;                  // the root first
  std::map<std::string, uint64_t> operators;  // how many of each type, in all graphs
  std::vector<Attribute> attributes;          // numbers and texts; without the command line
  uint64_t renamed_attributes = 0;            // names of attributes that stood in the dictionary
  uint64_t tasks = 0;
};

// A compiled part of a dynamic model, behind the first model in the file.
struct SubModel {
  std::string name;
  std::vector<Partition> partitions;
  std::vector<Tensor> inputs;
  std::vector<Tensor> outputs;
  std::string io_problem;
  Details details;
};

struct Model {
  int generation = 0;  // 1, 2, 3
  std::string name;
  std::string platform_version;
  uint32_t om_ir_version = 0;
  uint32_t model_num = 1;
  bool is_unknown_shape = false;
  bool needs_host_check = false;  // carries host libraries: bound to an operating system and CPU
  bool simulated = false;         // carries this project's marker
  std::vector<Partition> partitions;

  IoSource io_source = IoSource::kNone;
  std::string io_problem;  // why inputs or outputs are not known; "" where they are
  std::vector<Tensor> inputs;
  std::vector<Tensor> outputs;
  Dynamic dynamic = Dynamic::kNone;
  std::vector<std::vector<int64_t>> gears;  // as AscendCL counts them
  std::vector<std::string> gear_order;      // inputs in the order of the gears' values
  std::vector<OutputShape> output_shapes;
  std::vector<Aipp> aipp;                  // by input
  std::vector<std::string> disagreements;  // sentences for people

  std::string soc_version;  // "" where the file does not say
  std::string compiler_version;
  std::string opp_version;
  std::string command_line;  // has paths of the person who compiled it
  std::string framework;
  uint64_t work_size = 0;  // with the area of inputs and outputs (zero_copy_size)
  uint64_t weight_size = 0;
  uint64_t zero_copy_size = 0;
  uint64_t stream_num = 0;
  uint64_t event_num = 0;
  Bytes onnx;          // the body of a simulated file, inside the caller's bytes
  Bytes onnx_weights;  // its external tensors, likewise; offsets in the body count from here
  uint32_t onnx_weights_crc = 0;  // as stated, not checked

  Details details;                   // empty unless asked for
  std::vector<SubModel> sub_models;  // likewise

  const Partition *find(uint32_t type) const;  // first of that type, nullptr if none
};

struct Options {
  bool graph = true;     // false: inputs and outputs from MODEL_INOUT_INFO alone
  bool details = false;  // Model::details and sub_models too
};

// Reads the whole file. Throws FormatError.
Model parse(Bytes file, const Options &options = {});

// Header test alone; never throws.
Family family(Bytes file) noexcept;
const char *family_name(Family family) noexcept;  // "phone (Kirin/HiAI) model", ...

// True if the header carries this project's marker; never throws.
bool is_simulated(Bytes file) noexcept;

// The model as a JSON object (docs/om.md).
std::string to_json(const Model &model);

// What AIPP does to what is fed, for people.
std::string describe(const Aipp &aipp);
const char *aipp_format_name(int64_t input_format) noexcept;  // "" if unknown

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
const char *format_name(int32_t format) noexcept;       // "" if unknown
int32_t find_format(const std::string &name) noexcept;  // -1 if unknown

}  // namespace om

#endif
