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
// Shapes     Where a model's shapes vary, the shape of what is fed selects the gear: {data, {4,
// 3}}.
//            It may be left out where one dim alone varies. Outputs have their real shapes.
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
#include "aclrt/tensor.hpp"

namespace aclrt {

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

// ---- what run() gives ---------------------------------------------------------------------------

// One output: its bytes, owned, with the real shape of this run.
class Tensor {
 public:
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
  // Takes the memory over.
  Tensor(const TensorSpec &spec, const aclrt_buffer_t &memory, const aclrt_shape_t &shape)
      : name_(spec.name),
        dtype_(spec.dtype),
        shape_(shape.dims, shape.dims + shape.rank),
        nbytes_(memory.nbytes),
        data_(static_cast<std::byte *>(memory.data)) {}

  std::string name_;
  aclrt_dtype_t dtype_;
  Shape shape_;
  size_t nbytes_;
  std::unique_ptr<std::byte, detail::Releaser<aclrt_data_release>> data_;
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
  std::string onnx = {};   // fake device only: the ONNX to run in place of a really compiled .om
  uint32_t instances = 1;  // how many runs there can be at a time, up to 64; weights are shared
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
  // Empty for fixed shapes and for shape ranges.
  const std::vector<Gear> &gears() const noexcept { return gears_; }
  // Bytes that the model holds now: of all instances, or of one, counted from 0.
  aclrt_memory_stats_t memory_stats(int32_t instance = -1) const {
    detail::require_open(handle_.get(), "the model");
    aclrt_memory_stats_t stats{};
    check(aclrt_model_memory_stats(handle_.get(), instance, &stats));
    return stats;
  }
  // Runs each instance with zeros in its largest shapes, so that no caller waits for a first run.
  void warm_up(uint32_t runs = 1) {
    detail::require_open(handle_.get(), "the model");
    check(aclrt_model_warm_up(handle_.get(), runs));
  }
  aclrt_model_info_t info() const {
    detail::require_open(handle_.get(), "the model");
    aclrt_model_info_t info{};
    check(aclrt_model_info(handle_.get(), &info));
    return info;
  }

  // Every input by name, in any order: model.run({{"x", x}, {"mask", mask}}). Where shapes vary:
  // model.run({{"x", {x, {4, 3}}}}).
  Outputs run(std::initializer_list<Input> inputs) { return run({inputs.begin(), inputs.size()}); }
  Outputs run(span<const Input> inputs) { return execute(in_order(inputs, inputs_, "input")); }
  // Every input by position: model(x, mask).
  template <class... T>
  Outputs operator()(const T &...inputs) {
    return call({InputView(inputs)...});
  }
  // Into the caller's buffers, one for every output, as large as it is in this run. shapes, where
  // wanted, receives the real ones.
  void run_into(std::initializer_list<Input> inputs, std::initializer_list<Output> outputs,
                std::vector<Shape> *shapes = nullptr) {
    run_into(span<const Input>(inputs.begin(), inputs.size()),
             span<const Output>(outputs.begin(), outputs.size()), shapes);
  }
  void run_into(span<const Input> inputs, span<const Output> outputs,
                std::vector<Shape> *shapes = nullptr) {
    detail::require_open(handle_.get(), "the model");
    const auto in = in_order(inputs, inputs_, "input");
    auto out = in_order(outputs, *outputs_, "output");
    for (aclrt_buffer_t &buffer : out.buffers) {
      // Without memory the library would allocate it.
      if (buffer.data == nullptr) buffer.data = &nothing_;
    }
    const auto real = execute(in, out.buffers);
    if (shapes == nullptr) return;
    shapes->clear();
    for (const aclrt_shape_t &shape : span<const aclrt_shape_t>(real.get(), outputs_->size())) {
      shapes->emplace_back(shape.dims, shape.dims + shape.rank);
    }
  }

  // Waits for a run in progress and gives everything back. Idempotent; the destructor does it too,
  // but cannot tell what went wrong.
  void close() {
    if (handle_) check(aclrt_model_close(handle_.get()));
  }
  aclrt_model_t *handle() const noexcept { return handle_.get(); }

 private:
  friend class Binding;  // binding.hpp
  friend class Queue;    // queue.hpp
  // Positional, each with its shape.
  struct Buffers {
    explicit Buffers(size_t count) : buffers(count), shapes(count) {}
    std::vector<aclrt_buffer_t> buffers;
    std::vector<Shape> shapes;
  };

  void load(const char *path, const void *data, size_t size, const ModelOptions &options) {
    aclrt_model_options_t raw{};
    raw.struct_size = sizeof raw;
    raw.path = path;
    raw.data = data;
    raw.data_size = size;
    raw.device_id = options.device_id;
    raw.onnx = options.onnx.empty() ? nullptr : options.onnx.c_str();
    raw.instances = options.instances;
    aclrt_model_t *handle = nullptr;
    check(aclrt_model_load(&raw, &handle));
    handle_.reset(handle);
    const aclrt_model_info_t known = info();
    inputs_ = specs(known.inputs, known.input_count);
    outputs_ =
        std::make_shared<const std::vector<TensorSpec>>(specs(known.outputs, known.output_count));
    for (const aclrt_gear_t &gear : span<const aclrt_gear_t>(known.gears, known.gear_count)) {
      gears_.push_back({Shape(gear.values, gear.values + gear.value_count),
                        shapes(gear.inputs, known.input_count),
                        shapes(gear.outputs, known.output_count)});
    }
  }

  static std::vector<Shape> shapes(const aclrt_dims_t *dims, size_t count) {
    std::vector<Shape> all;
    for (const aclrt_dims_t &d : span<const aclrt_dims_t>(dims, count)) {
      all.emplace_back(d.dims, d.dims + d.rank);
    }
    return all;
  }

  static std::vector<TensorSpec> specs(const aclrt_tensor_info_t *infos, size_t count) {
    std::vector<TensorSpec> all;
    all.reserve(count);
    for (const aclrt_tensor_info_t &t : span<const aclrt_tensor_info_t>(infos, count)) {
      all.push_back({t.name,
                     t.acl_name,
                     static_cast<aclrt_dtype_t>(t.dtype),
                     t.format,
                     Shape(t.dims, t.dims + t.rank),
                     t.nbytes,
                     {}});
      for (size_t axis = 0; t.range != nullptr && axis < t.rank; ++axis) {
        all.back().range.emplace_back(t.range[2 * axis], t.range[2 * axis + 1]);
      }
    }
    return all;
  }

  template <class Byte>
  static void require_fit(const basic_view<Byte> &view, const TensorSpec &spec, const char *what) {
    const auto same = [](int64_t given, int64_t wanted) { return wanted < 0 || given == wanted; };
    const Shape *shape = view.shape();
    if (view.dtype() == spec.dtype && (spec.is_dynamic() || view.nbytes() == spec.nbytes) &&
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

  // The shape of a view: the caller's, the tensor's, or the one that the size leaves.
  template <class Byte>
  static Shape shape_of(const basic_view<Byte> &view, const TensorSpec &spec, const char *what) {
    if (view.shape() != nullptr) return *view.shape();
    if (!spec.is_dynamic()) return spec.shape;
    const size_t count = element_count(view.nbytes(), view.dtype());
    size_t others = 1;
    for (int64_t dim : spec.shape) others *= dim < 0 ? 1 : static_cast<size_t>(dim);
    const bool one = std::count(spec.shape.begin(), spec.shape.end(), -1) == 1;
    if (!one || others == 0 || count % others != 0) {
      throw_error(ACLRT_ERROR_INPUT,
                  std::string(what) + " '" + spec.name + "' of " + std::to_string(count) +
                      " elements: its shape " + detail::to_string(spec.shape) +
                      " cannot be told from them",
                  "Give it with the data: {data, {4, 3}}.");
    }
    Shape shape = spec.shape;
    *std::find(shape.begin(), shape.end(), -1) = static_cast<int64_t>(count / others);
    return shape;
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
      buffers.buffers[index] = to_buffer(one.view);
      if constexpr (std::is_same_v<Named, Input>) {
        buffers.shapes[index] = shape_of(one.view, specs[index], what);
      }
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
    // Inputs are only read.
    return {const_cast<std::byte *>(view.data()), view.nbytes(), view.memory()};
  }

  Outputs call(std::initializer_list<InputView> views) {
    detail::require_open(handle_.get(), "the model");
    if (views.size() != inputs_.size()) {
      throw_error(ACLRT_ERROR_INPUT, "expected " + std::to_string(inputs_.size()) +
                                         " inputs; got " + std::to_string(views.size()));
    }
    Buffers buffers(views.size());
    size_t index = 0;
    for (const InputView &view : views) {
      require_fit(view, inputs_[index], "input");
      buffers.buffers[index] = to_buffer(view);
      buffers.shapes[index] = shape_of(view, inputs_[index], "input");
      ++index;
    }
    return execute(buffers);
  }

  Outputs execute(const Buffers &in) {
    Outputs outputs;
    outputs.specs_ = outputs_;
    outputs.tensors_.reserve(outputs_->size());
    std::vector<aclrt_buffer_t> out(outputs_->size());  // no memory: the library allocates it
    const auto shapes = execute(in, out);
    for (size_t i = 0; i < out.size(); ++i) {
      outputs.tensors_.push_back(Tensor((*outputs_)[i], out[i], shapes[i]));
    }
    return outputs;
  }

  std::unique_ptr<aclrt_shape_t[]> execute(const Buffers &in, std::vector<aclrt_buffer_t> &out) {
    std::unique_ptr<aclrt_shape_t[]> shapes(new aclrt_shape_t[out.size()]);
    std::vector<aclrt_dims_t> dims;
    dims.reserve(in.shapes.size());
    for (const Shape &shape : in.shapes) dims.push_back({shape.data(), shape.size()});
    check(aclrt_model_run_shaped(handle_.get(), in.buffers.data(), dims.data(), dims.size(),
                                 out.data(), out.size(), shapes.get()));
    return shapes;
  }

  std::byte nothing_{};
  std::unique_ptr<aclrt_model_t, detail::Releaser<aclrt_model_release>> handle_;
  std::vector<TensorSpec> inputs_;
  std::shared_ptr<const std::vector<TensorSpec>> outputs_;
  std::vector<Gear> gears_;
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
