# Every third-party library enters here, grouped by the folder that may use it.
find_package(PkgConfig REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json)
find_package(OpenSSL 3.0 REQUIRED)
pkg_check_modules(sodium REQUIRED IMPORTED_TARGET libsodium>=1.0.18)
pkg_check_modules(secp256k1 REQUIRED IMPORTED_TARGET libsecp256k1)

add_library(kith_deps_crypto INTERFACE)
target_link_libraries(kith_deps_crypto INTERFACE
  Boost::headers Boost::json PkgConfig::sodium PkgConfig::secp256k1 OpenSSL::Crypto)

# Debian 12's libmsgpack-cxx-dev conflicts with Boost 1.81's headers, so the installer unpacks that
# one package below this prefix; elsewhere the header is found in the system's own place.
set(KITH_DEPS_PREFIX "$ENV{HOME}/.cache/kith/deps" CACHE PATH "Prefix of unpacked packages")
find_path(MSGPACK_INCLUDE_DIR msgpack.hpp PATHS "${KITH_DEPS_PREFIX}/usr/include" REQUIRED)
add_library(kith_deps_msgpack INTERFACE)
target_include_directories(kith_deps_msgpack SYSTEM INTERFACE "${MSGPACK_INCLUDE_DIR}")
target_compile_definitions(kith_deps_msgpack INTERFACE MSGPACK_NO_BOOST)

# Forms of Unicode text, for names that look alike (protocol).
pkg_check_modules(utf8proc REQUIRED IMPORTED_TARGET libutf8proc)

if(KITH_ONLY_LIBRARY)
  return()
endif()
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json url)
find_path(LEVELDB_INCLUDE_DIR leveldb/db.h REQUIRED)
find_library(LEVELDB_LIBRARY leveldb REQUIRED)
add_library(kith_deps_leveldb INTERFACE)
target_include_directories(kith_deps_leveldb SYSTEM INTERFACE "${LEVELDB_INCLUDE_DIR}")
target_link_libraries(kith_deps_leveldb INTERFACE "${LEVELDB_LIBRARY}")

# QR codes of invitations.
pkg_check_modules(qrencode REQUIRED IMPORTED_TARGET libqrencode)
pkg_check_modules(png REQUIRED IMPORTED_TARGET libpng)

# Key tokens. Headers alone: node/keys/pkcs11.cpp opens the library where a wallet has a token.
pkg_check_modules(p11_kit REQUIRED p11-kit-1)

# Header-only here; node/runtime/toml_reader.hpp alone includes it.
find_path(TOMLPLUSPLUS_INCLUDE_DIR toml++/toml.h REQUIRED)

# kith_third_party_src is defined in third_party_src.cmake.
add_library(kith_deps_shell INTERFACE)
target_link_libraries(kith_deps_shell INTERFACE
  kith_third_party_src kith_deps_leveldb Boost::url OpenSSL::SSL Threads::Threads
  PkgConfig::qrencode PkgConfig::png)
target_include_directories(kith_deps_shell SYSTEM INTERFACE ${p11_kit_INCLUDE_DIRS})
