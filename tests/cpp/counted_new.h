// SPDX-License-Identifier: Apache-2.0
//
// Counts what a program takes from the heap by operator new, which it replaces: for one source file
// of a program.
#ifndef ACLRT_TESTS_CPP_COUNTED_NEW_H
#define ACLRT_TESTS_CPP_COUNTED_NEW_H

#include <atomic>
#include <cstdlib>
#include <new>

namespace {
std::atomic<size_t> g_allocations{0};
}  // namespace

void *operator new(size_t size) {
  ++g_allocations;
  if (void *memory = malloc(size)) return memory;
  throw std::bad_alloc();
}
void *operator new(size_t size, const std::nothrow_t &) noexcept {  // std::stable_sort's
  ++g_allocations;
  return malloc(size);
}
void operator delete(void *memory) noexcept {
  free(memory);
}
void operator delete(void *memory, size_t) noexcept {
  free(memory);
}

#endif
