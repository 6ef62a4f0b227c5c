# SPDX-License-Identifier: Apache-2.0
"""Declares the extension aclrt._native (cffi, API mode).

setup.py runs this at build time, after CMake; nothing imports it at run time. What stands between
the cffi marks of two headers is the whole binding, so there is no second declaration to go stale:
``csrc/include/aclrt/aclrt.h``, the boundary, and of ``csrc/acl/abi.h`` AscendCL's types (no
function), which ``aclrt.compat.acl`` needs for calls through pointers.
"""

from __future__ import annotations

from pathlib import Path

from cffi import FFI

CSRC = Path(__file__).resolve().parent.parent / "csrc"
BOUNDARY = CSRC / "include" / "aclrt" / "aclrt.h"
FOREIGN_TYPES = CSRC / "acl" / "abi.h"

# Python functions that AscendCL's threads may call (aclrt/compat/acl/_callbacks.py).
CALLBACKS = """
extern "Python" void aclrt_python_callback(void *user_data);
extern "Python" void aclrt_python_exception_info(aclrtExceptionInfo *info);
"""


def declarations(header: str) -> str:
    """The parts of a header that cffi parses."""
    parts = [part.split("// cffi: end\n")[0] for part in header.split("// cffi: begin\n")[1:]]
    return "".join(parts)


# A run of the NumPy arrays of a tuple, by its id(). By NumPy's ABI an array begins with the pointer
# to its data, which is dear to read in Python: a buffer export describes the elements first.
#   first     how far into a tuple its items are
#   pointers  room for count of them
# The status comes as a number, because 0 is an object that Python has already.
RUN_ARRAYS = """
static uintptr_t aclrt_run_arrays(aclrt_model_t *model, uintptr_t tuple, size_t first,
                                  void **pointers, size_t count) {
  const char *const *arrays = (const char *const *)(tuple + first);
  for (size_t i = 0; i < count; ++i) {
    pointers[i] = *(void *const *)(arrays[i] + sizeof(PyObject));
  }
  return (uintptr_t)aclrt_model_run_pointers(model, pointers, count);
}
"""

ffibuilder = FFI()
ffibuilder.cdef(declarations(BOUNDARY.read_text(encoding="utf-8")).replace("ACLRT_API ", ""))
types = declarations(FOREIGN_TYPES.read_text(encoding="utf-8"))
ffibuilder.cdef(types.replace("typedef ACL_ENUM(", "typedef enum ").replace("){", " {"))
ffibuilder.cdef(CALLBACKS)
ffibuilder.cdef("uintptr_t aclrt_run_arrays(aclrt_model_t *, uintptr_t, size_t, void **, size_t);")
ffibuilder.set_source(
    "aclrt._native",
    "#include <aclrt/aclrt.h>\n#include <acl/abi.h>\n" + RUN_ARRAYS,
    include_dirs=[str(CSRC)],
    libraries=["aclrt"],
    extra_compile_args=["-g0"],
    extra_link_args=["-Wl,--enable-new-dtags", "-Wl,-rpath,$ORIGIN/_lib"],
)
