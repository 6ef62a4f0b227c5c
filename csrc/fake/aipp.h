// SPDX-License-Identifier: Apache-2.0
//
// aclmdlAIPP: the parameters of dynamic AIPP, kept in the very layout of the block that goes to the
// device (contract 19.2): a head, then one part per image. Not locked: as in AscendCL one object
// belongs to one thread at a time.
#ifndef ACLRT_FAKE_AIPP_H
#define ACLRT_FAKE_AIPP_H

#include <cstddef>
#include <cstdint>
#include <vector>

#include "acl/abi.h"
#include "fake/handles.h"

namespace aclfake {

struct AippHead {
  uint8_t input_format = 0;  // numbered as in the block, see aipp_format
  int8_t csc_switch = 0;
  int8_t rbuv_swap_switch = 0;
  int8_t ax_swap_switch = 0;
  int8_t batch = 0;
  int8_t reserved0[3] = {};
  int32_t src_w = 0;
  int32_t src_h = 0;
  int16_t csc_matrix[9] = {};
  int16_t reserved1[3] = {};
  uint8_t csc_output_bias[3] = {};
  uint8_t csc_input_bias[3] = {};
  uint8_t reserved2[2] = {};
  int8_t reserved3[16] = {};
};
static_assert(sizeof(AippHead) == 64);

struct AippImage {
  int8_t crop_switch = 0;
  int8_t scf_switch = 0;
  int8_t padding_switch = 0;
  int8_t rotate_switch = 0;
  int8_t reserved0[4] = {};
  int32_t crop_x = 0, crop_y = 0, crop_w = 0, crop_h = 0;
  int32_t scf_in_w = 0, scf_in_h = 0, scf_out_w = 0, scf_out_h = 0;
  int32_t padding_top = 0, padding_bottom = 0, padding_left = 0, padding_right = 0;
  int16_t mean[4] = {};
  aclFloat16 min[4] = {};
  aclFloat16 var_reci[4] = {0x3c00, 0x3c00, 0x3c00, 0x3c00};  // 1.0
  int8_t reserved1[16] = {};
};
static_assert(sizeof(AippImage) == 96);

struct Aipp {
  static constexpr Kind kKind = Kind::kAipp;
  explicit Aipp(size_t batch) : images(batch) { head.batch = static_cast<int8_t>(batch); }
  AippHead head;
  std::vector<AippImage> images;
};

// Bytes of the block for so many images.
constexpr size_t aipp_block_bytes(size_t images) noexcept {
  return sizeof(AippHead) + sizeof(AippImage) * images;
}

// The block's number of an aclAippInputFormat, and the other way round; 0 if there is none.
uint8_t aipp_format(aclAippInputFormat format) noexcept;
int64_t aipp_input_format(uint8_t number) noexcept;

}  // namespace aclfake

#endif
