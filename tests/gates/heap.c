// SPDX-License-Identifier: Apache-2.0
//
// To preload: counts what the process asks of the heap, and remembers from where, so that it can
// be told for each library. operator new is here too, or all of C++ would count as libstdc++.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

enum { kRemembered = 1 << 16 };
static void *g_callers[kRemembered];
static unsigned long g_calls;

// How many there were until now.
unsigned long heap_calls(void) {
  return __atomic_load_n(&g_calls, __ATOMIC_RELAXED);
}

// How many of those after the first `since` came from a file with this in its name. Too many to
// remember are an end of the process: a test that asks so late is wrong.
unsigned long heap_calls_from(unsigned long since, const char *library) {
  const unsigned long until = heap_calls();
  unsigned long found = 0;
  if (until - since > kRemembered) abort();
  for (unsigned long i = since; i < until; ++i) {
    Dl_info info;
    if (dladdr(g_callers[i % kRemembered], &info) != 0 && info.dli_fname != NULL) {
      found += strstr(info.dli_fname, library) != NULL;
    }
  }
  return found;
}

static void count(void *caller) {
  g_callers[__atomic_fetch_add(&g_calls, 1, __ATOMIC_RELAXED) % kRemembered] = caller;
}

void *malloc(size_t size) {
  count(__builtin_return_address(0));
  return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
  count(__builtin_return_address(0));
  return __libc_calloc(number, size);
}

void *realloc(void *memory, size_t size) {
  count(__builtin_return_address(0));
  return __libc_realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
  count(__builtin_return_address(0));
  return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
  count(__builtin_return_address(0));
  *memory = __libc_memalign(alignment, size);
  return *memory == NULL ? ENOMEM : 0;
}

// operator new(size_t), and its nothrow form. Out of memory is not what is tested.
void *_Znwm(size_t size) {
  count(__builtin_return_address(0));
  void *memory = __libc_malloc(size);
  if (memory == NULL) abort();
  return memory;
}

void *_ZnwmRKSt9nothrow_t(size_t size, const void *tag) {
  (void)tag;
  count(__builtin_return_address(0));
  return __libc_malloc(size);
}
