// SPDX-License-Identifier: Apache-2.0
//
// Part of aclrt.hpp, which includes it: what a tensor is, and views of the caller's memory for one.
// Views own nothing.
#ifndef ACLRT_TENSOR_HPP
#define ACLRT_TENSOR_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "aclrt/error.hpp"

namespace aclrt {

// ---- views and element types --------------------------------------------------------------------

using Shape = std::vector<int64_t>;

// A pointer and a count, as std::span is in C++20.
template <class T>
class span {
 public:
  using value_type = std::remove_cv_t<T>;
  using iterator = T *;
  constexpr span() noexcept = default;
  constexpr span(T *data, size_t size) noexcept : data_(data), size_(size) {}
  template <class C, class = std::enable_if_t<
                         std::is_convertible_v<decltype(std::data(std::declval<C &>())), T *>>>
  constexpr span(C &container) noexcept
      : data_(std::data(container)), size_(std::size(container)) {}
  constexpr T *data() const noexcept { return data_; }
  constexpr size_t size() const noexcept { return size_; }
  constexpr bool empty() const noexcept { return size_ == 0; }
  constexpr T *begin() const noexcept { return data_; }
  constexpr T *end() const noexcept { return data_ + size_; }
  constexpr T &operator[](size_t index) const noexcept { return data_[index]; }

 private:
  T *data_ = nullptr;
  size_t size_ = 0;
};

// The elements of a tensor in row-major order, with its shape.
template <class T>
class tensor_span : public span<T> {
 public:
  tensor_span(T *data, size_t size, span<const int64_t> shape) noexcept
      : span<T>(data, size), shape_(shape) {}
  span<const int64_t> shape() const noexcept { return shape_; }

 private:
  span<const int64_t> shape_;
};

// 16-bit floats by their bits; C++17 has no type for them.
struct half {
  uint16_t bits;
};
struct bfloat16 {
  uint16_t bits;
};

namespace detail {
template <class T>
constexpr aclrt_dtype_t dtype_number() {
  if constexpr (std::is_same_v<T, float>) return ACLRT_DTYPE_FLOAT32;
  if constexpr (std::is_same_v<T, double>) return ACLRT_DTYPE_FLOAT64;
  if constexpr (std::is_same_v<T, half>) return ACLRT_DTYPE_FLOAT16;
  if constexpr (std::is_same_v<T, bfloat16>) return ACLRT_DTYPE_BFLOAT16;
  if constexpr (std::is_same_v<T, bool>) return ACLRT_DTYPE_BOOL;
  if constexpr (std::is_same_v<T, int8_t>) return ACLRT_DTYPE_INT8;
  if constexpr (std::is_same_v<T, uint8_t>) return ACLRT_DTYPE_UINT8;
  if constexpr (std::is_same_v<T, int16_t>) return ACLRT_DTYPE_INT16;
  if constexpr (std::is_same_v<T, uint16_t>) return ACLRT_DTYPE_UINT16;
  if constexpr (std::is_same_v<T, int32_t>) return ACLRT_DTYPE_INT32;
  if constexpr (std::is_same_v<T, uint32_t>) return ACLRT_DTYPE_UINT32;
  if constexpr (std::is_same_v<T, int64_t>) return ACLRT_DTYPE_INT64;
  if constexpr (std::is_same_v<T, uint64_t>) return ACLRT_DTYPE_UINT64;
  return ACLRT_DTYPE_UNDEFINED;
}
}  // namespace detail

// dtype_of<T>::value is AscendCL's element type for T. Specialise it for your own half type.
template <class T>
struct dtype_of : std::integral_constant<aclrt_dtype_t, detail::dtype_number<T>()> {
  static_assert(detail::dtype_number<T>() != ACLRT_DTYPE_UNDEFINED,
                "aclrt: no AscendCL element type for this C++ type");
};

// "float32"; "dtype <number>" for one that this library does not know.
inline std::string dtype_name(int32_t dtype) {
  for (size_t i = 0; i < aclrt_dtype_count(); ++i) {
    const aclrt_dtype_info_t row = aclrt_dtype_at(i);
    if (row.value == dtype) return row.name;
  }
  return "dtype " + std::to_string(dtype);
}

// Elements in so many bytes; 0 for a type that this library does not know.
inline size_t element_count(size_t nbytes, int32_t dtype) {
  for (size_t i = 0; i < aclrt_dtype_count(); ++i) {
    const aclrt_dtype_info_t row = aclrt_dtype_at(i);
    if (row.value == dtype && row.bits > 0) return nbytes * 8 / static_cast<size_t>(row.bits);
  }
  return 0;
}

// A model's input or output.
struct TensorSpec {
  std::string name;
  std::string acl_name;
  aclrt_dtype_t dtype;
  int32_t format;
  Shape shape;                                     // -1 where dynamic
  size_t nbytes;                                   // of the largest shape; 0 where there is none
  std::vector<std::pair<int64_t, int64_t>> range;  // least and greatest (-1: no limit) of each dim

  bool is_dynamic() const noexcept {
    return std::any_of(shape.begin(), shape.end(), [](int64_t dim) { return dim < 0; });
  }
};

// One of the shapes that the model was compiled for.
struct Gear {
  Shape values;  // what ATC was given: {batch}, {height, width}, or one for each -1
  std::vector<Shape> inputs;
  std::vector<Shape> outputs;
};

namespace detail {

inline std::string to_string(span<const int64_t> shape) {
  std::string text = "(";
  for (size_t i = 0; i < shape.size(); ++i) {
    text += (i ? ", " : "") + std::to_string(shape[i]);
  }
  return text + (shape.size() == 1 ? ",)" : ")");
}

inline size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

// "did you mean 'probs'?", or all the names there are.
inline std::string suggestion(std::string_view name, const std::vector<TensorSpec> &specs) {
  const TensorSpec *best = nullptr;
  size_t distance = std::max<size_t>(2, name.size() / 3) + 1;
  std::string all;
  for (const TensorSpec &spec : specs) {
    const size_t d = edit_distance(name, spec.name);
    if (d < distance) {
      distance = d;
      best = &spec;
    }
    all += (all.empty() ? "" : ", ") + spec.name;
  }
  if (best != nullptr) return "did you mean '" + best->name + "'?";
  return specs.empty() ? "there are none" : "there are: " + all;
}

// The position of the tensor of that name, the framework's or AscendCL's.
inline size_t find(std::string_view name, const std::vector<TensorSpec> &specs, const char *what) {
  for (size_t i = 0; i < specs.size(); ++i) {
    if (specs[i].name == name) return i;
  }
  for (size_t i = 0; i < specs.size(); ++i) {
    if (specs[i].acl_name == name) return i;
  }
  throw_error(ACLRT_ERROR_INPUT, std::string("no ") + what + " '" + std::string(name) + "'",
              suggestion(name, specs));
}

template <class C>
using element_of =
    std::remove_pointer_t<decltype(std::size(std::declval<C &>()), std::data(std::declval<C &>()))>;

}  // namespace detail

// ---- what run() takes ---------------------------------------------------------------------------

// Somebody's contiguous elements (Byte: std::byte, or const std::byte where they are only read),
// their type and, where the caller states it, their shape.
template <class Byte>
class basic_view {
  using Void = std::conditional_t<std::is_const_v<Byte>, const void, void>;
  template <class T>
  static constexpr bool kFits = std::is_const_v<Byte> || !std::is_const_v<T>;

 public:
  // From std::vector<T>, std::array, std::span, T[n], aclrt::tensor_span, ...; not vector<bool>.
  template <class C, class T = detail::element_of<C>,
            class = std::enable_if_t<std::is_object_v<T> && kFits<T>>>
  basic_view(C &&container) : basic_view(std::data(container), std::size(container)) {}
  template <class C, class T = detail::element_of<C>>
  basic_view(C &&container, Shape shape) : basic_view(container) {
    shape_ = std::move(shape);
    has_shape_ = true;
  }
  template <class T>
  basic_view(T *data, size_t count)
      : basic_view(data, count * sizeof(T), dtype_of<std::remove_cv_t<T>>::value) {}
  // Untyped bytes, for element types that C++ lacks.
  basic_view(Void *data, size_t nbytes, aclrt_dtype_t dtype, Shape shape)
      : basic_view(data, nbytes, dtype) {
    shape_ = std::move(shape);
    has_shape_ = true;
  }
  // In memory of aclrt_memory_alloc; DeviceTensor (memory.hpp) makes these.
  basic_view(Void *data, size_t nbytes, aclrt_dtype_t dtype, Shape shape,
             const aclrt_memory_t *memory)
      : basic_view(data, nbytes, dtype, std::move(shape)) {
    memory_ = memory;
  }
  basic_view(Void *data, size_t nbytes, aclrt_dtype_t dtype)
      : data_(static_cast<Byte *>(data)), nbytes_(nbytes), dtype_(dtype) {}

  Byte *data() const noexcept { return data_; }
  size_t nbytes() const noexcept { return nbytes_; }
  aclrt_dtype_t dtype() const noexcept { return dtype_; }
  const Shape *shape() const noexcept { return has_shape_ ? &shape_ : nullptr; }
  const aclrt_memory_t *memory() const noexcept { return memory_; }

 private:
  Byte *data_;
  size_t nbytes_;
  aclrt_dtype_t dtype_;
  Shape shape_;
  bool has_shape_ = false;
  const aclrt_memory_t *memory_ = nullptr;
};
using InputView = basic_view<const std::byte>;
using OutputView = basic_view<std::byte>;

struct Input {
  std::string_view name;
  InputView view;
};
struct Output {
  std::string_view name;
  OutputView view;
};

}  // namespace aclrt

#endif
