# Asio and Beast compiled once (separate compilation). The definitions are PUBLIC so that every
# user of the headers agrees with the compiled code (one-definition rule).
file(WRITE "${CMAKE_BINARY_DIR}/third_party/asio_src.cpp" "#include <boost/asio/impl/src.hpp>\n")
file(WRITE "${CMAKE_BINARY_DIR}/third_party/beast_src.cpp" "#include <boost/beast/src.hpp>\n")
add_library(kith_third_party_src STATIC EXCLUDE_FROM_ALL
  "${CMAKE_BINARY_DIR}/third_party/asio_src.cpp" "${CMAKE_BINARY_DIR}/third_party/beast_src.cpp")
target_compile_definitions(kith_third_party_src PUBLIC
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED)
target_link_libraries(kith_third_party_src PUBLIC Boost::headers Threads::Threads)

# Beast translation units are large: one at a time, and without the slow undefined-behaviour pass.
set_property(GLOBAL PROPERTY JOB_POOLS beast_pool=1)
set_property(TARGET kith_third_party_src PROPERTY JOB_POOL_COMPILE beast_pool)
