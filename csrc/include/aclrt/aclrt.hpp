// SPDX-License-Identifier: Apache-2.0
//
// aclrt for C++17: load an Ascend offline model and run it, by name and type-checked.
//
//   aclrt::Model model("digits.om");                      // opens device 0, loads, prepares
//   std::vector<float> image(64);
//   auto out = model.run({{"image", image}});             // or model(image): one unnamed input
//   for (float p : out["probs"].as<float>()) ...          // a view with .shape()
//   model.run_into({{"image", image}}, {{"probs", probs}});  // into your own buffers
//
// Errors     Every failure throws aclrt::Error or the class of its kind (InputError, ...), with the
//            fields of aclrt_error_t. Destructors never throw.
// Ownership  Model and Device own a handle and can only be moved. Outputs own their memory; the
//            views taken from them (as<T>()) and the views given to run() own nothing.
// Feeding    Strict: names, element types, shapes (where a view has one) and sizes must fit; all
// are
//            checked before AscendCL is called. Nothing is converted, cut or padded.
// Threads    One Model may be used from many threads; its runs are serialised.
//
// Header-only over aclrt.h: no C++ type crosses the library's boundary, any compiler may be used.
#ifndef ACLRT_ACLRT_HPP
#define ACLRT_ACLRT_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <memory>
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

// A model's input or output.
struct TensorSpec {
  std::string name;
  std::string acl_name;
  aclrt_dtype_t dtype;
  int32_t format;
  Shape shape;  // -1 where dynamic
  size_t nbytes;
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
  basic_view(Void *data, size_t nbytes, aclrt_dtype_t dtype)
      : data_(static_cast<Byte *>(data)), nbytes_(nbytes), dtype_(dtype) {}

  Byte *data() const noexcept { return data_; }
  size_t nbytes() const noexcept { return nbytes_; }
  aclrt_dtype_t dtype() const noexcept { return dtype_; }
  const Shape *shape() const noexcept { return has_shape_ ? &shape_ : nullptr; }

 private:
  Byte *data_;
  size_t nbytes_;
  aclrt_dtype_t dtype_;
  Shape shape_;
  bool has_shape_ = false;
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

// ---- what run() gives ---------------------------------------------------------------------------

// One output: its bytes, owned, with the real shape of this run.
class Tensor {
 public:
  explicit Tensor(const TensorSpec &spec)
      : name_(spec.name),
        dtype_(spec.dtype),
        shape_(spec.shape),
        nbytes_(spec.nbytes),
        data_(new std::byte[spec.nbytes]) {}

  const std::string &name() const noexcept { return name_; }
  aclrt_dtype_t dtype() const noexcept { return dtype_; }
  const Shape &shape() const noexcept { return shape_; }
  span<std::byte> bytes() noexcept { return {data_.get(), nbytes_}; }
  span<const std::byte> bytes() const noexcept { return {data_.get(), nbytes_}; }

  // Throws InputError unless T is the element type. The view lives as long as the tensor.
  template <class T>
  tensor_span<const T> as() const & {
    if (dtype_of<T>::value != dtype_) {
      throw_error(ACLRT_ERROR_INPUT, "output '" + name_ + "' is " + dtype_name(dtype_) + ", not " +
                                         dtype_name(dtype_of<T>::value));
    }
    size_t count = 1;
    for (int64_t dim : shape_) count *= static_cast<size_t>(dim);
    return {reinterpret_cast<const T *>(data_.get()), std::min(count, nbytes_ / sizeof(T)), shape_};
  }
  template <class T>
  tensor_span<const T> as() && = delete;  // the tensor would be gone

 private:
  friend class Model;
  std::string name_;
  aclrt_dtype_t dtype_;
  Shape shape_;
  size_t nbytes_;
  std::unique_ptr<std::byte[]> data_;
};

// All outputs of one run, by position and by name.
class Outputs {
 public:
  size_t size() const noexcept { return tensors_.size(); }
  auto begin() const noexcept { return tensors_.begin(); }
  auto end() const noexcept { return tensors_.end(); }

  const Tensor &operator[](size_t index) const & {
    if (index < tensors_.size()) return tensors_[index];
    throw_error(ACLRT_ERROR_INPUT, "no output " + std::to_string(index) + ": there are " +
                                       std::to_string(tensors_.size()));
  }
  const Tensor &operator[](std::string_view name) const & {
    return tensors_[detail::find(name, *specs_, "output")];
  }
  // Views into a temporary would dangle: keep the result in a variable.
  const Tensor &operator[](size_t index) && = delete;
  const Tensor &operator[](std::string_view name) && = delete;

 private:
  friend class Model;
  std::shared_ptr<const std::vector<TensorSpec>> specs_;
  std::vector<Tensor> tensors_;
};

// ---- device and model ---------------------------------------------------------------------------

namespace detail {
template <auto Release>
struct Releaser {
  template <class T>
  void operator()(T *handle) const noexcept {
    Release(handle);
  }
};
using String = std::unique_ptr<char, Releaser<aclrt_string_release>>;

inline void require_open(const void *handle, const char *what) {
  if (handle == nullptr) throw_error(ACLRT_ERROR_CLOSED, std::string(what) + " was moved from");
}
}  // namespace detail

struct DeviceInfo {
  int32_t id;
  bool separate_memory;  // a card on PCIe; false: the program runs on the device itself
  uint64_t memory_free, memory_total;  // bytes
  std::string soc_name;
};

// Keeps one device open; models open theirs by themselves.
class Device {
 public:
  explicit Device(int32_t device_id = 0) {
    aclrt_device_t *handle = nullptr;
    check(aclrt_device_open(device_id, &handle));
    handle_.reset(handle);
  }
  DeviceInfo info() const {
    detail::require_open(handle_.get(), "the device");
    aclrt_device_info_t info{};
    check(aclrt_device_info(handle_.get(), &info));
    return {info.id, info.run_mode != 0, info.memory_free, info.memory_total, info.soc_name};
  }
  // Idempotent. The destructor does it too, but cannot tell what went wrong.
  void close() {
    if (handle_) check(aclrt_device_close(handle_.get()));
  }
  aclrt_device_t *handle() const noexcept { return handle_.get(); }

 private:
  std::unique_ptr<aclrt_device_t, detail::Releaser<aclrt_device_release>> handle_;
};

struct ModelOptions {
  int32_t device_id = 0;
  std::string onnx = {};  // fake device only: the ONNX to run in place of a really compiled .om
};

class Model {
 public:
  explicit Model(const std::string &path, const ModelOptions &options = {}) {
    load(path.c_str(), nullptr, 0, options);
  }
  // The bytes of an .om; free to go after the call.
  explicit Model(span<const std::byte> bytes, const ModelOptions &options = {}) {
    load(nullptr, bytes.data(), bytes.size(), options);
  }

  const std::vector<TensorSpec> &inputs() const noexcept { return inputs_; }
  const std::vector<TensorSpec> &outputs() const noexcept { return *outputs_; }
  aclrt_model_info_t info() const {
    detail::require_open(handle_.get(), "the model");
    aclrt_model_info_t info{};
    check(aclrt_model_info(handle_.get(), &info));
    return info;
  }

  // Every input by name, in any order: model.run({{"x", x}, {"mask", mask}}).
  Outputs run(std::initializer_list<Input> inputs) { return run({inputs.begin(), inputs.size()}); }
  Outputs run(span<const Input> inputs) { return execute(in_order(inputs, inputs_, "input")); }
  // Every input by position: model(x, mask).
  template <class... T>
  Outputs operator()(const T &...inputs) {
    return call({InputView(inputs)...});
  }
  // Into the caller's buffers, one for every output. shapes, where wanted, receives the real ones.
  void run_into(std::initializer_list<Input> inputs, std::initializer_list<Output> outputs,
                std::vector<Shape> *shapes = nullptr) {
    run_into(span<const Input>(inputs.begin(), inputs.size()),
             span<const Output>(outputs.begin(), outputs.size()), shapes);
  }
  void run_into(span<const Input> inputs, span<const Output> outputs,
                std::vector<Shape> *shapes = nullptr) {
    detail::require_open(handle_.get(), "the model");
    const auto in = in_order(inputs, inputs_, "input");
    const auto out = in_order(outputs, *outputs_, "output");
    std::vector<Shape> real = execute(in, out);
    if (shapes != nullptr) *shapes = std::move(real);
  }

  // Waits for a run in progress and gives everything back. Idempotent; the destructor does it too,
  // but cannot tell what went wrong.
  void close() {
    if (handle_) check(aclrt_model_close(handle_.get()));
  }
  aclrt_model_t *handle() const noexcept { return handle_.get(); }

 private:
  using Buffers = std::vector<aclrt_buffer_t>;

  void load(const char *path, const void *data, size_t size, const ModelOptions &options) {
    aclrt_model_options_t raw{};
    raw.struct_size = sizeof raw;
    raw.path = path;
    raw.data = data;
    raw.data_size = size;
    raw.device_id = options.device_id;
    raw.onnx = options.onnx.empty() ? nullptr : options.onnx.c_str();
    aclrt_model_t *handle = nullptr;
    check(aclrt_model_load(&raw, &handle));
    handle_.reset(handle);
    const aclrt_model_info_t known = info();
    inputs_ = specs(known.inputs, known.input_count);
    outputs_ =
        std::make_shared<const std::vector<TensorSpec>>(specs(known.outputs, known.output_count));
  }

  static std::vector<TensorSpec> specs(const aclrt_tensor_info_t *infos, size_t count) {
    std::vector<TensorSpec> all;
    all.reserve(count);
    for (const aclrt_tensor_info_t &t : span<const aclrt_tensor_info_t>(infos, count)) {
      all.push_back({t.name, t.acl_name, static_cast<aclrt_dtype_t>(t.dtype), t.format,
                     Shape(t.dims, t.dims + t.rank), t.nbytes});
    }
    return all;
  }

  template <class Byte>
  static void require_fit(const basic_view<Byte> &view, const TensorSpec &spec, const char *what) {
    const bool dynamic = std::count_if(spec.shape.begin(), spec.shape.end(),
                                       [](int64_t dim) { return dim < 0; }) > 0;
    const auto same = [](int64_t given, int64_t wanted) { return wanted < 0 || given == wanted; };
    const Shape *shape = view.shape();
    if (view.dtype() == spec.dtype && (dynamic || view.nbytes() == spec.nbytes) &&
        (shape == nullptr ||
         std::equal(shape->begin(), shape->end(), spec.shape.begin(), spec.shape.end(), same))) {
      return;
    }
    throw_error(ACLRT_ERROR_INPUT,
                std::string(what) + " '" + spec.name + "': expected " + dtype_name(spec.dtype) +
                    " " + detail::to_string(spec.shape) + ", " + std::to_string(spec.nbytes) +
                    " bytes; got " + dtype_name(view.dtype()) +
                    (shape ? " " + detail::to_string(*shape) : std::string()) + ", " +
                    std::to_string(view.nbytes()) + " bytes");
  }

  // The named views as positional buffers, each checked; none may be missing or given twice.
  template <class Named>
  static Buffers in_order(span<const Named> named, const std::vector<TensorSpec> &specs,
                          const char *what) {
    Buffers buffers(specs.size());
    std::vector<char> given(specs.size());
    for (const Named &one : named) {
      const size_t index = detail::find(one.name, specs, what);
      if (given[index]) {
        throw_error(ACLRT_ERROR_INPUT,
                    std::string(what) + " '" + std::string(one.name) + "' is given twice");
      }
      require_fit(one.view, specs[index], what);
      given[index] = 1;
      buffers[index] = to_buffer(one.view);
    }
    const auto missing = std::find(given.begin(), given.end(), char{0});
    if (missing != given.end()) {
      const auto index = static_cast<size_t>(missing - given.begin());
      throw_error(ACLRT_ERROR_INPUT, std::string(what) + " '" + specs[index].name + "' is missing");
    }
    return buffers;
  }

  template <class Byte>
  static aclrt_buffer_t to_buffer(const basic_view<Byte> &view) noexcept {
    return {const_cast<std::byte *>(view.data()), view.nbytes()};  // inputs are only read
  }

  Outputs call(std::initializer_list<InputView> views) {
    detail::require_open(handle_.get(), "the model");
    if (views.size() != inputs_.size()) {
      throw_error(ACLRT_ERROR_INPUT, "expected " + std::to_string(inputs_.size()) +
                                         " inputs; got " + std::to_string(views.size()));
    }
    Buffers buffers;
    buffers.reserve(views.size());
    for (const InputView &view : views) {
      require_fit(view, inputs_[buffers.size()], "input");
      buffers.push_back(to_buffer(view));
    }
    return execute(buffers);
  }

  Outputs execute(const Buffers &in) {
    Outputs outputs;
    outputs.specs_ = outputs_;
    Buffers out;
    for (const TensorSpec &spec : *outputs_) {
      Tensor &tensor = outputs.tensors_.emplace_back(spec);
      out.push_back({tensor.data_.get(), tensor.nbytes_});
    }
    std::vector<Shape> shapes = execute(in, out);
    for (size_t i = 0; i < shapes.size(); ++i) outputs.tensors_[i].shape_ = std::move(shapes[i]);
    return outputs;
  }

  std::vector<Shape> execute(const Buffers &in, const Buffers &out) {
    const std::unique_ptr<aclrt_shape_t[]> raw(new aclrt_shape_t[out.size()]);
    check(aclrt_model_run(handle_.get(), in.data(), in.size(), out.data(), out.size(), raw.get()));
    std::vector<Shape> shapes;
    for (const aclrt_shape_t &shape : span<const aclrt_shape_t>(raw.get(), out.size())) {
      shapes.emplace_back(shape.dims, shape.dims + shape.rank);
    }
    return shapes;
  }

  std::unique_ptr<aclrt_model_t, detail::Releaser<aclrt_model_release>> handle_;
  std::vector<TensorSpec> inputs_;
  std::shared_ptr<const std::vector<TensorSpec>> outputs_;
};

// ---- runtime, files, fake
// -------------------------------------------------------------------------

inline std::string version() {
  return aclrt_version();
}

namespace runtime {
// Chooses the library explicitly; without it the first model or device does it by the default rule.
inline void init(aclrt_runtime_options_t options = {}) {
  options.struct_size = sizeof options;
  check(aclrt_runtime_init(&options));
}
// Which libascendcl is in use and why; initialises if needed.
inline aclrt_runtime_info_t info() {
  aclrt_runtime_info_t info{};
  check(aclrt_runtime_info(&info));
  return info;
}
// Every place looked at, one a line; loads nothing.
inline std::string search(aclrt_runtime_options_t options = {}) {
  options.struct_size = sizeof options;
  char *trail = nullptr;
  check(aclrt_runtime_search(&options, &trail));
  return detail::String(trail).get();
}
// Before main() returns, where AscendCL must be finalised; nothing works afterwards.
inline void shutdown() noexcept {
  aclrt_runtime_shutdown();
}
}  // namespace runtime

// What is in an .om file, as JSON (docs/om.md); needs no device.
inline std::string inspect(const std::string &path) {
  char *json = nullptr;
  check(aclrt_om_inspect_file(path.c_str(), &json));
  return detail::String(json).get();
}

namespace fake {
// The fake device's live objects and counters, as JSON (docs/fake.md).
inline std::string ledger() {
  char *json = nullptr;
  check(aclrt_fake_ledger(&json));
  return detail::String(json).get();
}
// The board that it plays, and what its deterministic scheduler has done, as JSON too.
inline std::string profile() {
  char *json = nullptr;
  check(aclrt_fake_profile(&json));
  return detail::String(json).get();
}
inline std::string trace() {
  char *json = nullptr;
  check(aclrt_fake_trace(&json));
  return detail::String(json).get();
}
// Refused while models or devices are open.
inline void reset() {
  check(aclrt_fake_reset());
}
}  // namespace fake

}  // namespace aclrt

#endif
