// SPDX-License-Identifier: Apache-2.0
//
// Device memory: one arena per device, backed by one memory file that is mapped twice. Clients get
// addresses of the inaccessible mapping; the fake works through the other one. Allocations carry
// guard zones and poison. Host memory of aclrtMallocHost is ordinary memory that is kept track of.
// Thread-safe. A pinned range stays valid although the client frees it meanwhile.
#ifndef ACLRT_FAKE_MEMORY_H
#define ACLRT_FAKE_MEMORY_H

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "acl/abi.h"
#include "fake/device.h"
#include "fake/origin.h"

namespace aclfake {

struct Block;  // one live allocation of device memory

// A range of device memory, accessible through data() while the pin lives.
class DevicePin {
 public:
  DevicePin() = default;
  DevicePin(std::shared_ptr<Block> block, uint8_t *data) : block_(std::move(block)), data_(data) {}
  explicit operator bool() const noexcept { return data_ != nullptr; }
  uint8_t *data() const noexcept { return data_; }
  Device &device() const noexcept;

 private:
  std::shared_ptr<Block> block_;
  uint8_t *data_ = nullptr;
};

// Empty unless [ptr, ptr + size) lies within one live allocation (its slack included).
DevicePin pin_device(const void *ptr, size_t size);
DevicePin pin_internal(const void *ptr, size_t size);  // the same of the fake's own

enum class Place {
  kForeign,  // the client's own memory, or nothing at all
  kHost,     // from aclrtMallocHost or aclrtHostRegister
  kDevice,   // live device memory
  kDead,     // inside a device's address range, but not the client's
};
struct Location {
  Place place = Place::kForeign;
  std::shared_ptr<Device> device;
  uint64_t room = UINT64_MAX;  // bytes up to the end of its allocation, where that is known
};
Location locate(const void *ptr);
// Addresses around ptr, on the host, that are all the same thing: one allocation that the fake
// knows, or (foreign) what lies between those, and between devices' memory.
struct HostSpan {
  uintptr_t start = 0;
  uintptr_t end = UINTPTR_MAX;
  bool foreign = true;
};
HostSpan host_span(const void *ptr);
// What is known of an address, for reports: "0x... is 64 bytes into 128 bytes of device 0, ...".
std::string memory_text(const void *ptr);
// Keeps memory of aclrtMallocHost from going back to the host; nullptr for any other.
std::shared_ptr<void> hold_host(const void *ptr);

enum class Allocator { kAcl, kDvpp, kInternal };

// size as the client gave it (not 0); padded: round_up(size, 32) + 32, else round_up(size, 32).
// 0, 100000 (overflow) or 207001. kInternal: for the fake's own use (models), not the client's
// object.
aclError allocate_device(Device &device, size_t size, bool padded, Allocator allocator, void **out);
// 0 or 107000 (not the start of a live allocation of this allocator).
aclError free_device(void *ptr, Allocator allocator);
// With the limit of aclfake_set_memory_limit, if there is one.
uint64_t total_bytes(const Device &device);
uint64_t free_bytes(Device &device);
// Frees all allocations of the device; used by the last ResetDevice.
void free_all(Device &device);

aclError allocate_host(size_t size, void **out);  // 0, 100000 or 207001
aclError free_host(void *ptr);                    // 0 or 107000
aclError register_host(void *ptr, uint64_t size);
aclError unregister_host(void *ptr);
// Memory that the client holds (not the fake's own, not what it registered).
struct LiveMemory {
  Kind kind;  // kDeviceMemory or kHostMemory
  const void *address;
  uint64_t size;
  Origin made;
};
std::vector<LiveMemory> live_memory();

void forget_host_memory();  // frees everything; aclfake_reset

}  // namespace aclfake

#endif
