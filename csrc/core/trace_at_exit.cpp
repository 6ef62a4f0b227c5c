// SPDX-License-Identifier: Apache-2.0
#include "core/trace_at_exit.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "core/error.h"
#include "core/pid_path.h"
#include "core/trace.h"

namespace aclrt {

namespace {

struct Asked {
  std::string path;
  pid_t process;
  Trace trace{0};
};

Asked *g_asked = nullptr;  // never destroyed: calls may come at exit

void write_at_exit() {
  if (g_asked->process != getpid()) return;  // a fork: the trace is its parent's
  try {
    g_asked->trace.stop();
    g_asked->trace.write(g_asked->path.c_str());
  } catch (const std::exception &error) {
    std::fprintf(stderr, "aclrt: ACLRT_TRACE: %s\n", error.what());
  }
}

}  // namespace

void trace_if_asked() {
  const char *pattern = getenv("ACLRT_TRACE");
  if (g_asked != nullptr || pattern == nullptr || *pattern == '\0') return;
  const std::string path = with_pid(pattern);
  // Said now, not when the program has done all its work.
  FILE *file = std::fopen(path.c_str(), "ae");
  if (file == nullptr) throw io_error(errno, "cannot write " + path + " (ACLRT_TRACE)");
  std::fclose(file);
  g_asked = new Asked{path, getpid()};
  g_asked->trace.start();
  // Registered before the runtime's own handler, hence run after it: finalising is in the trace.
  std::atexit(write_at_exit);
}

}  // namespace aclrt
