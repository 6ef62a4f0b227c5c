# SPDX-License-Identifier: Apache-2.0
#
# Compiler and linker flags of every target here, and the two functions that make the libraries.
# Warnings are errors; whoever builds with a newer compiler than we know passes
# -DCMAKE_COMPILE_WARNING_AS_ERROR=OFF (by CMAKE_ARGS through pip).
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
set(CMAKE_C_STANDARD 99)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
if(NOT DEFINED CMAKE_COMPILE_WARNING_AS_ERROR)
  set(CMAKE_COMPILE_WARNING_AS_ERROR ON)
endif()

# No path of the building machine gets into the binaries.
cmake_path(GET CMAKE_CURRENT_SOURCE_DIR PARENT_PATH ACLRT_ROOT)
add_compile_options(-Wall -Wextra -ffile-prefix-map=${ACLRT_ROOT}/=)

# The standard library goes in statically where no C++ type crosses a boundary; sanitizers need the
# shared one, because they interpose on it.
set(ACLRT_LINK_OPTIONS -Wl,-Bsymbolic -Wl,--exclude-libs,ALL -Wl,--no-undefined -Wl,--as-needed)
if(ACLRT_SANITIZE)
  add_compile_options(-fsanitize=${ACLRT_SANITIZE} -fno-sanitize-recover=all
                      -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${ACLRT_SANITIZE})
else()
  list(APPEND ACLRT_LINK_OPTIONS -static-libstdc++ -static-libgcc)
endif()
if(ACLRT_COVERAGE)
  add_compile_options(--coverage -fprofile-update=atomic)
  add_link_options(--coverage)
endif()

# aclrt_layer(<name> SOURCES <file>... [USES <layer>...])
function(aclrt_layer name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;USES")
  if(NOT arg_SOURCES)
    file(WRITE ${PROJECT_BINARY_DIR}/empty.cpp "")
    set(arg_SOURCES ${PROJECT_BINARY_DIR}/empty.cpp)
  endif()
  add_library(${name} OBJECT ${arg_SOURCES})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/include)
  target_compile_definitions(${name} PRIVATE ACLRT_VERSION="${PROJECT_VERSION}")
  target_link_libraries(${name} PUBLIC Threads::Threads ${CMAKE_DL_LIBS})
endfunction()

# aclrt_shared_library(<name> LAYERS <layer>... EXPORTS <pattern>... [OUTPUT_DIRECTORY <folder>])
# The build tree has the layout of the installed one, so that the shim finds the fake in both.
function(aclrt_shared_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "OUTPUT_DIRECTORY" "LAYERS;EXPORTS")
  aclrt_write_version_script(${PROJECT_BINARY_DIR}/${name}.map ${arg_EXPORTS})
  add_library(${name} SHARED)
  target_link_libraries(${name} PRIVATE ${arg_LAYERS})
  target_link_options(${name} PRIVATE
    -Wl,--version-script=${PROJECT_BINARY_DIR}/${name}.map ${ACLRT_LINK_OPTIONS})
  set_target_properties(${name} PROPERTIES
    LINKER_LANGUAGE CXX
    LINK_DEPENDS ${PROJECT_BINARY_DIR}/${name}.map
    LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib/${arg_OUTPUT_DIRECTORY}
    BUILD_WITH_INSTALL_RPATH ON)
endfunction()
