# `cmake --install BUILD --component kith-library`: crypto and protocol with their headers, and what
# find_package(kith) reads (docs/using-the-library.md). msgpack is not part of it: one source file
# includes it, no header.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

# Headers are included from the root of the tree, so that root gets a folder of its own.
set(kith_headers "${CMAKE_INSTALL_INCLUDEDIR}/kith")
set(kith_package "${CMAKE_INSTALL_LIBDIR}/cmake/kith")

foreach(library crypto protocol)
  add_library(kith::${library} ALIAS kith_${library})
  set_target_properties(kith_${library} PROPERTIES EXPORT_NAME ${library})
  target_compile_features(kith_${library} PUBLIC cxx_std_20)
  install(DIRECTORY "${CMAKE_SOURCE_DIR}/${library}" DESTINATION "${kith_headers}"
          COMPONENT kith-library FILES_MATCHING PATTERN "*.hpp" PATTERN "*.def")
endforeach()
set_target_properties(kith_deps_crypto PROPERTIES EXPORT_NAME third_party)

install(TARGETS kith_crypto kith_protocol kith_deps_crypto EXPORT kith-targets
        ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT kith-library
        INCLUDES DESTINATION "${kith_headers}")
install(EXPORT kith-targets NAMESPACE kith:: DESTINATION "${kith_package}" COMPONENT kith-library)

configure_package_config_file(
  "${CMAKE_SOURCE_DIR}/cmake/kithConfig.cmake.in" "${CMAKE_BINARY_DIR}/kithConfig.cmake"
  INSTALL_DESTINATION "${kith_package}" NO_SET_AND_CHECK_MACRO)
# Before 1.0 every minor version may change what a program sees.
write_basic_package_version_file("${CMAKE_BINARY_DIR}/kithConfigVersion.cmake"
                                 COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_BINARY_DIR}/kithConfig.cmake" "${CMAKE_BINARY_DIR}/kithConfigVersion.cmake"
        DESTINATION "${kith_package}" COMPONENT kith-library)
