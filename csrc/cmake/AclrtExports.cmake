# SPDX-License-Identifier: Apache-2.0
#
# Which symbols the libraries export: names from functions.def, written as linker version scripts.
# The scripts have no version node: CANN's libraries have unversioned symbols, and so has the fake.

# acl_function_names(<functions.def> <variable>): every AscendCL name declared, in file order.
function(acl_function_names file variable)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  file(READ ${file} text)
  # Brackets and semicolons mean something in CMake lists.
  string(REGEX REPLACE "[][;]" " " text "${text}")
  string(REGEX MATCHALL "\nACL_FUNCTION\\([^,(]+, acl[A-Za-z0-9_]+, \\(|\nACL_UNDOCUMENTED\\(acl[A-Za-z0-9_]+,"
         rows "${text}")
  list(TRANSFORM rows REPLACE ".*[ (](acl[A-Za-z0-9_]+),.*" "\\1")
  string(REGEX MATCHALL "\nACL_[A-Z]+\\(" all "${text}")
  list(LENGTH rows count)
  list(LENGTH all expected)
  if(NOT count EQUAL expected)
    message(FATAL_ERROR "${file}: ${expected} rows, but ${count} names read; one row is one line")
  endif()
  set(${variable} ${rows} PARENT_SCOPE)
endfunction()

# aclrt_write_version_script(<file> <pattern>...)
function(aclrt_write_version_script file)
  list(JOIN ARGN ";\n    " names)
  file(CONFIGURE OUTPUT ${file} CONTENT "{\n  global:\n    @names@;\n  local:\n    *;\n};\n" @ONLY)
endfunction()
