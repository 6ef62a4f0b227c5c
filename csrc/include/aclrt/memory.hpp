// SPDX-License-Identifier: Apache-2.0
//
// aclrt for C++17: tensors in a device's memory, and in page-locked memory of the host's.
//
//   aclrt::DeviceTensor x(ACLRT_DTYPE_FLOAT32, {1, 3, 224, 224});
//   aclrt::DeviceTensor features(ACLRT_DTYPE_FLOAT32, {1, 2048});
//   x.copy_in(image);
//   first.run_into({{"x", x}}, {{"features", features}});   // stays on the device
//   auto out = second.run({{"features", features}});
//
// Goes wherever a view goes: run, run_into, Binding, Queue. A run holds the memory until the device
// has let go of it. A tensor may be moved, not copied.
#ifndef ACLRT_MEMORY_HPP
#define ACLRT_MEMORY_HPP

#include <memory>
#include <string>
#include <utility>

#include "aclrt/aclrt.hpp"

namespace aclrt {

class DeviceTensor {
 public:
  // Elements are not set. Opens the device.
  DeviceTensor(aclrt_dtype_t dtype, Shape shape, int32_t device_id = 0)
      : DeviceTensor(dtype, std::move(shape), device_id, ACLRT_MEMORY_DEVICE) {}
  // In page-locked memory of the host's, which the device copies fastest: as<T>() may touch it.
  static DeviceTensor pinned(aclrt_dtype_t dtype, Shape shape, int32_t device_id = 0) {
    return DeviceTensor(dtype, std::move(shape), device_id, ACLRT_MEMORY_HOST);
  }

  aclrt_dtype_t dtype() const noexcept { return dtype_; }
  const Shape &shape() const noexcept { return shape_; }
  size_t nbytes() const noexcept { return nbytes_; }
  int32_t device_id() const noexcept { return info_.device_id; }

  // The elements of a pinned tensor. Throws InputError for memory of the device's.
  template <class T>
  span<T> as() {
    detail::require_open(handle_.get(), "the tensor");
    if (info_.kind != ACLRT_MEMORY_HOST) {
      throw_error(ACLRT_ERROR_INPUT, "the host cannot touch memory of the device's",
                  "Use copy_in and copy_out, or DeviceTensor::pinned.");
    }
    require_type(dtype_of<std::remove_cv_t<T>>::value);
    return {static_cast<T *>(info_.data), nbytes_ / sizeof(T)};
  }
  // From and to the host's memory, whole. They do not wait for runs that use the tensor.
  void copy_in(const InputView &from) {
    require_fit(from);
    check(aclrt_memory_copy_in(handle_.get(), 0, from.data(), nbytes_));
  }
  void copy_out(const OutputView &to) const {
    require_fit(to);
    check(aclrt_memory_copy_out(handle_.get(), 0, to.data(), nbytes_));
  }
  // Waits for runs that use it, then frees it. Idempotent; the destructor frees it too, when no run
  // uses it any more.
  void close() {
    if (handle_) check(aclrt_memory_close(handle_.get()));
  }
  aclrt_memory_t *handle() const noexcept { return handle_.get(); }

  operator InputView() const { return view<InputView>(); }
  operator OutputView() { return view<OutputView>(); }

 private:
  DeviceTensor(aclrt_dtype_t dtype, Shape shape, int32_t device_id, aclrt_memory_kind_t kind)
      : dtype_(dtype), shape_(std::move(shape)), nbytes_(byte_count(dtype, shape_)) {
    aclrt_memory_t *handle = nullptr;
    check(aclrt_memory_alloc(device_id, nbytes_, kind, &handle));
    handle_.reset(handle);
    check(aclrt_memory_info(handle, &info_));
  }

  static size_t byte_count(aclrt_dtype_t dtype, const Shape &shape) {
    const size_t a_million = 1'000'000;  // elements of one byte hold so many, of four bits twice
    const size_t elements = element_count(a_million, dtype);
    if (elements == 0) {
      throw_error(ACLRT_ERROR_INPUT, "no such element type: " + dtype_name(dtype));
    }
    size_t bits = 8 * a_million / elements;
    for (const int64_t dim : shape) {
      if (dim < 0 || (dim > 0 && bits > SIZE_MAX / static_cast<size_t>(dim))) {
        throw_error(ACLRT_ERROR_INPUT, "no tensor has the shape " + detail::to_string(shape));
      }
      bits *= static_cast<size_t>(dim);
    }
    return bits / 8 + (bits % 8 != 0);
  }
  template <class View>
  View view() const {
    detail::require_open(handle_.get(), "the tensor");
    return View(info_.data, nbytes_, dtype_, shape_, handle_.get());
  }
  void require_type(aclrt_dtype_t other) const {
    if (other == dtype_) return;
    throw_error(ACLRT_ERROR_INPUT,
                "the tensor is " + dtype_name(dtype_) + ", not " + dtype_name(other));
  }
  template <class View>
  void require_fit(const View &other) const {
    detail::require_open(handle_.get(), "the tensor");
    require_type(other.dtype());
    if (other.nbytes() != nbytes_) {
      throw_error(ACLRT_ERROR_INPUT, "the tensor has " + std::to_string(nbytes_) + " bytes, not " +
                                         std::to_string(other.nbytes()));
    }
  }

  aclrt_dtype_t dtype_;
  Shape shape_;
  size_t nbytes_;
  aclrt_memory_info_t info_{};
  std::unique_ptr<aclrt_memory_t, detail::Releaser<aclrt_memory_release>> handle_;
};

}  // namespace aclrt

#endif
