# SPDX-License-Identifier: Apache-2.0
#
# The rest of the drop-in directory: beside fake/libascendcl.so the other library names that
# AscendCL programs link, and the headers that they include. Regular files throughout, because
# wheels hold no links.

# drop_in_filter(<name> [<family of functions.def>...]): lib<name>.so, a filter of libascendcl.so.
# Programs may link it alone; a name without families is only there to be found.
function(drop_in_filter name)
  add_library(${name} SHARED fake/filter.c)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  foreach(family IN LISTS ARGN)
    target_compile_definitions(${name} PRIVATE ACLRT_FILTER_${family})
  endforeach()
  # Nothing in it runs: sanitizers, coverage and the C library have no business there.
  target_compile_options(${name} PRIVATE -fno-builtin -fno-sanitize=all)
  target_link_options(${name} PRIVATE -nostdlib -Wl,--filter=libascendcl.so)
  set_target_properties(${name} PROPERTIES
    C_VISIBILITY_PRESET hidden
    LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib/fake
    BUILD_WITH_INSTALL_RPATH ON
    INSTALL_RPATH $ORIGIN)
  install(TARGETS ${name} LIBRARY DESTINATION fake)
endfunction()

drop_in_filter(acl_rt rt)
drop_in_filter(acl_mdl mdl)
drop_in_filter(acl_dvpp dvpp)
drop_in_filter(acl_dvpp_mpi)
drop_in_filter(acl_cblas)
drop_in_filter(acl_op_compiler op)
drop_in_filter(acl_op_executor op)
drop_in_filter(acl_prof prof)
drop_in_filter(acl_retr)
drop_in_filter(acl_tdt_channel)
drop_in_filter(acl_tdt_queue)
drop_in_filter(msprofiler prof)

# The graph builder's entry points. C++ types cross here, so it is the client's C++ library that it
# uses, dynamically, and the symbols are C++'s. On machines with other C++ ABIs nobody asks for it.
aclrt_write_version_script(${PROJECT_BINARY_DIR}/ge.map
  _ZN2ge12AscendStringC1EPKc
  _ZNK2ge12AscendStringltERKS0_
  _ZN2ge5GraphC1EPKc
  "_ZN2ge22aclgrphBuildInitializeE*"
  _ZN2ge20aclgrphBuildFinalizeEv
  "_ZN2ge23aclgrphParseONNXFromMemE*"
  "_ZN2ge17aclgrphBuildModelE*"
  "_ZN2ge16aclgrphSaveModelE*")
add_library(fmk_onnx_parser SHARED ${BUILDER_SOURCES})
target_include_directories(fmk_onnx_parser PRIVATE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/include)
target_compile_definitions(fmk_onnx_parser PRIVATE _GLIBCXX_USE_CXX11_ABI=1)
target_link_libraries(fmk_onnx_parser PRIVATE ascendcl)
target_link_options(fmk_onnx_parser PRIVATE
  -Wl,--version-script=${PROJECT_BINARY_DIR}/ge.map -Wl,-Bsymbolic -Wl,--no-undefined)
set_target_properties(fmk_onnx_parser PROPERTIES
  LINK_DEPENDS ${PROJECT_BINARY_DIR}/ge.map
  LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib/fake
  BUILD_WITH_INSTALL_RPATH ON
  INSTALL_RPATH $ORIGIN)
install(TARGETS fmk_onnx_parser LIBRARY DESTINATION fake)

# The names that AscendCL programs include; all of them give the whole of abi.h. Beside the
# libraries, not in aclrt's own include directory, so that they never hide CANN's headers.
set(DROP_IN_INCLUDE ${PROJECT_BINARY_DIR}/lib/fake/include/acl)
foreach(name abi.h functions.def codes.def)
  configure_file(acl/${name} ${DROP_IN_INCLUDE}/${name} COPYONLY)
endforeach()
foreach(name acl acl_base acl_base_mdl acl_base_rt acl_mdl acl_op acl_op_compiler acl_prof acl_rt)
  file(CONFIGURE OUTPUT ${DROP_IN_INCLUDE}/${name}.h @ONLY CONTENT
    "// SPDX-License-Identifier: Apache-2.0\n#include \"abi.h\"\n")
endforeach()
file(CONFIGURE OUTPUT ${DROP_IN_INCLUDE}/ops/acl_dvpp.h @ONLY CONTENT
  "// SPDX-License-Identifier: Apache-2.0\n#include \"../abi.h\"\n")
install(DIRECTORY ${DROP_IN_INCLUDE} DESTINATION fake/include)
