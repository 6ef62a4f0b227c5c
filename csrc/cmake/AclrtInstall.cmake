# SPDX-License-Identifier: Apache-2.0
#
# The installed tree. Every path in it is relative to the files themselves, so that it works from
# site-packages, from a checkout and from a copy.
include(CMakePackageConfigHelpers)

install(TARGETS aclrt EXPORT aclrtTargets LIBRARY DESTINATION .)
install(TARGETS ascendcl LIBRARY DESTINATION fake)
install(FILES include/aclrt/aclrt.h include/aclrt/aclrt.hpp include/aclrt/binding.hpp include/aclrt/error.hpp include/aclrt/memory.hpp include/aclrt/queue.hpp
              include/aclrt/tensor.hpp include/aclrt/aclfake.h DESTINATION include/aclrt)

install(EXPORT aclrtTargets NAMESPACE aclrt:: DESTINATION cmake/aclrt)
configure_package_config_file(cmake/aclrtConfig.cmake.in ${PROJECT_BINARY_DIR}/aclrtConfig.cmake
  INSTALL_DESTINATION cmake/aclrt NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/aclrtConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/aclrtConfig.cmake
              ${PROJECT_BINARY_DIR}/aclrtConfigVersion.cmake DESTINATION cmake/aclrt)

configure_file(cmake/aclrt.pc.in aclrt.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/aclrt.pc DESTINATION pkgconfig)
