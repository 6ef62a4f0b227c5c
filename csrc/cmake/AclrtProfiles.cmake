# SPDX-License-Identifier: Apache-2.0
#
# The boards that the fake device plays: one declaration, csrc/fake/profiles/*.json. It is compiled
# into libascendcl.so, so that the bare library works, and installed beside it for users to copy.
file(GLOB profiles CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/fake/profiles/*.json)
set(ACLRT_PROFILE_ROWS "")
foreach(file IN LISTS profiles)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  get_filename_component(name ${file} NAME_WE)
  file(READ ${file} text)
  string(APPEND ACLRT_PROFILE_ROWS "{\"${name}\", R\"json(${text})json\"},\n")
  configure_file(${file} ${PROJECT_BINARY_DIR}/lib/fake/profiles/${name}.json COPYONLY)
endforeach()
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/generated/fake/profiles.inc
  CONTENT "@ACLRT_PROFILE_ROWS@" @ONLY)
target_include_directories(fake PRIVATE ${PROJECT_BINARY_DIR}/generated)
install(FILES ${profiles} DESTINATION fake/profiles)
