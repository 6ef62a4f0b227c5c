// SPDX-License-Identifier: Apache-2.0
//
// Which family of file this is, and the header's fields where it is an Ascend offline model.
#include "om/header.h"

#include <algorithm>
#include <string_view>

#include "om/error.h"

namespace om {
namespace {

constexpr uint32_t kMagic = 0x444F4D49;     // "IMOD"
constexpr uint32_t kZipMagic = 0x04034B50;  // "PK\3\4"
constexpr uint32_t kSecondVersion = 0x20000000;

constexpr size_t kVersionAt = 0x08;
constexpr size_t kLengthAt = 0x4C;
constexpr size_t kEncryptAt = 0x50;
constexpr size_t kModelTypeAt = 0x52;
constexpr size_t kNameAt = 0x54;
constexpr size_t kNameSize = 32;
constexpr size_t kMarkerAt = 0x78;
constexpr size_t kMarkerSize = 32;
constexpr size_t kIrVersionAt = 0x98;
constexpr size_t kPlatformSize = 20;
constexpr size_t kFirstPlatformAt = 0x9C;
constexpr size_t kModelNumAt = 0x9C;
constexpr size_t kPlatformAt = 0xA0;
constexpr size_t kModelLengthAt = 0xB8;
constexpr size_t kHostCheckAt = 0xC0;
constexpr size_t kUnknownShapeAt = 0xC1;

constexpr std::string_view kMarkerPrefix = "aclrt-sim/";
constexpr std::string_view kMarker = "aclrt-sim/1";

// A NUL-padded text of at most size bytes.
std::string_view text_at(const uint8_t *file, size_t offset, size_t size) {
  const auto *begin = reinterpret_cast<const char *>(file + offset);
  return {begin, static_cast<size_t>(std::find(begin, begin + size, '\0') - begin)};
}

std::string_view marker(const uint8_t *file) {
  return text_at(file, kMarkerAt, kMarkerSize);
}

bool has_marker(const uint8_t *file) {
  return marker(file).substr(0, kMarkerPrefix.size()) == kMarkerPrefix;
}

// For a whole header with the right magic.
Family family_of_header(const uint8_t *file) {
  const uint8_t model_type = file[kModelTypeAt];
  if (load_u32(file + kVersionAt) < kSecondVersion && model_type != 0) return Family::kKirin;
  switch (model_type) {
    case 3:
      return Family::kFlow;
    case 4:
      return Family::kLite;
    case 5:
      return Family::kBundle;
    default:
      return file[kEncryptAt] != 0 ? Family::kEncrypted : Family::kAscend;
  }
}

void check_family(View file) {
  if (file.size < sizeof(uint32_t)) {
    fail(Cause::kTooShort, 0, "magic", "an .om file of at least 256 bytes",
         std::to_string(file.size) + " bytes");
  }
  const uint32_t magic = load_u32(file.data);
  if (magic == kZipMagic) {
    fail(Cause::kFamily, 0, "magic", "an Ascend offline model", family_name(Family::kOm2));
  }
  if (magic != kMagic) {
    fail(Cause::kBadMagic, 0, "magic", std::to_string(kMagic) + " (\"IMOD\")", magic);
  }
  if (file.size < kHeaderSize) {
    fail(Cause::kHeaderCut, file.size, "header", "256 bytes", file.size);
  }
  const Family family = family_of_header(file.data);
  if (family != Family::kAscend) {
    const size_t at = family == Family::kEncrypted ? kEncryptAt : kModelTypeAt;
    fail(Cause::kFamily, at, family == Family::kEncrypted ? "is_encrypt" : "modeltype",
         "an Ascend offline model",
         std::string(family_name(family)) + " (" + std::to_string(file.data[at]) + ")");
  }
  if (file.data[kModelTypeAt] != 0) {
    fail(Cause::kUnsupported, kModelTypeAt, "modeltype", "0 (ordinary model)",
         file.data[kModelTypeAt]);
  }
  if (has_marker(file.data) && marker(file.data) != kMarker) {
    fail(Cause::kUnsupported, kMarkerAt, "userdefineinfo",
         std::string(kMarker) + " (this version's simulated files)",
         std::string(marker(file.data)));
  }
}

void check_length(View file, const Header &header) {
  const uint64_t body = file.size - kHeaderSize;
  const size_t at = header.wide_table ? kModelLengthAt : kLengthAt;
  const uint64_t stated = header.wide_table ? load_u64(file.data + at) : load_u32(file.data + at);
  if (stated != body) {
    fail(Cause::kLength, at, header.wide_table ? "model_length" : "length",
         std::to_string(body) + " (the file's size less the header)", stated);
  }
}

}  // namespace

Header read_header(View file) {
  check_family(file);
  Header header;
  const uint8_t *data = file.data;
  header.model_type = data[kModelTypeAt];
  header.name = text_at(data, kNameAt, kNameSize);
  header.om_ir_version = load_u32(data + kIrVersionAt);
  header.simulated = has_marker(data);
  if (load_u32(data + kVersionAt) < kSecondVersion) {
    header.generation = 1;
    header.platform_version = text_at(data, kFirstPlatformAt, kPlatformSize);
  } else {
    header.wide_table = load_u64(data + kModelLengthAt) != 0;
    header.generation = header.wide_table ? 3 : 2;
    header.model_num = std::max(load_u32(data + kModelNumAt), uint32_t{1});
    header.platform_version = text_at(data, kPlatformAt, kPlatformSize);
    header.needs_host_check = data[kHostCheckAt] == 1;
    header.is_unknown_shape = data[kUnknownShapeAt] == 1;
  }
  check_length(file, header);
  return header;
}

Family family(Bytes file) noexcept {
  if (file.size < sizeof(uint32_t)) return Family::kNotOm;
  const uint32_t magic = load_u32(file.data);
  if (magic == kZipMagic) return Family::kOm2;
  if (magic != kMagic || file.size < kHeaderSize) return Family::kNotOm;
  return family_of_header(file.data);
}

const char *family_name(Family family) noexcept {
  switch (family) {
    case Family::kAscend:
      return "Ascend offline model";
    case Family::kKirin:
      return "phone (Kirin/HiAI) model";
    case Family::kFlow:
      return "flow model";
    case Family::kBundle:
      return "bundle of several offline models";
    case Family::kLite:
      return "lite model";
    case Family::kEncrypted:
      return "encrypted model";
    case Family::kOm2:
      return "OM2 archive";
    case Family::kNotOm:
      break;
  }
  return "not an offline model";
}

bool is_simulated(Bytes file) noexcept {
  return family(file) == Family::kAscend && has_marker(file.data);
}

}  // namespace om
