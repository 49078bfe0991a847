# Asio and Beast compiled once (separate compilation). The definitions are PUBLIC so that every
# user of the headers agrees with the compiled code (one-definition rule).
file(WRITE "${CMAKE_BINARY_DIR}/third_party/asio_src.cpp" "#include <boost/asio/impl/src.hpp>\n")
file(WRITE "${CMAKE_BINARY_DIR}/third_party/beast_src.cpp" "#include <boost/beast/src.hpp>\n")
add_library(kith_third_party_src STATIC EXCLUDE_FROM_ALL
  "${CMAKE_BINARY_DIR}/third_party/asio_src.cpp" "${CMAKE_BINARY_DIR}/third_party/beast_src.cpp")
target_compile_definitions(kith_third_party_src PUBLIC
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED)
target_link_libraries(kith_third_party_src PUBLIC Boost::headers Threads::Threads)

# Beast translation units cost most: over two minutes and a gigabyte and a half each with both
# sanitizers. They compile one at a time, and with the address sanitizer alone.
set_property(GLOBAL PROPERTY JOB_POOLS beast_pool=1)
function(kith_beast_target target)
  set_property(TARGET ${target} PROPERTY JOB_POOL_COMPILE beast_pool)
  if("undefined" IN_LIST KITH_SANITIZE)
    target_compile_options(${target} PRIVATE -fno-sanitize=undefined)
  endif()
endfunction()
kith_beast_target(kith_third_party_src)
