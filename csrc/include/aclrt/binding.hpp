// SPDX-License-Identifier: Apache-2.0
//
// aclrt for C++17: runs on buffers that stay the same.
//
//   aclrt::Binding step(model, {{"image", image}}, {{"probs", probs}});
//   for (...) { fill(image); step(); use(probs); }
//
// All is checked when it is made; a run allocates nothing. What is bound stays the caller's and
// must live, where it is, until the binding is closed. A binding keeps its model; it may be used
// from many threads, whose runs take turns.
#ifndef ACLRT_BINDING_HPP
#define ACLRT_BINDING_HPP

#include <memory>
#include <vector>

#include "aclrt/aclrt.hpp"

namespace aclrt {

class Binding {
 public:
  // Every input and every output by name, in any order. Where shapes vary, those of the inputs
  // select the gear of all runs.
  Binding(Model &model, std::initializer_list<Input> inputs,
          std::initializer_list<Output> outputs) {
    detail::require_open(model.handle(), "the model");
    const auto in =
        Model::in_order(span<const Input>(inputs.begin(), inputs.size()), model.inputs(), "input");
    const auto out = Model::in_order(span<const Output>(outputs.begin(), outputs.size()),
                                     model.outputs(), "output");
    std::vector<aclrt_dims_t> dims;
    for (const Shape &shape : in.shapes) dims.push_back({shape.data(), shape.size()});
    aclrt_binding_t *handle = nullptr;
    aclrt::check(aclrt_binding_create(model.handle(), in.buffers.data(), dims.data(), dims.size(),
                                      out.buffers.data(), out.buffers.size(), &handle));
    handle_.reset(handle);
  }

  // Runs the model on what the inputs hold now.
  void operator()() {
    detail::require_open(handle_.get(), "the binding");
    aclrt::check(aclrt_binding_run(handle_.get()));
  }
  // Waits for a run in progress and lets go of the buffers. Idempotent; the destructor does it too,
  // but cannot tell what went wrong.
  void close() {
    if (handle_) aclrt::check(aclrt_binding_close(handle_.get()));
  }
  aclrt_binding_t *handle() const noexcept { return handle_.get(); }

 private:
  std::unique_ptr<aclrt_binding_t, detail::Releaser<aclrt_binding_release>> handle_;
};

}  // namespace aclrt

#endif
