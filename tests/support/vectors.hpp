#pragma once

/// Published test vectors, read in place from KITH_VECTORS_DIR (a CMake setting). Without the
/// directory a test skips and says so, or fails when the build demands vectors
/// (KITH_REQUIRE_VECTORS). A file that is missing or unreadable in a present directory always
/// fails.

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <string_view>

#include "crypto/bytes.hpp"
#include "crypto/json.hpp"

namespace kith::test {

enum class VectorState { loaded, directory_absent, broken };

struct Vectors {
  VectorState state = VectorState::broken;
  std::string message;  ///< Why not, with what to do.
  Json json;
};

/// `path` below the directory, for example "wycheproof/x25519_test.json".
[[nodiscard]] Vectors load_vectors(std::string_view path);

/// A member that the file's format promises; fails the test and gives an empty value otherwise.
[[nodiscard]] std::string text_of(const JsonObject& object, std::string_view member);
[[nodiscard]] Bytes unhex(std::string_view text);
[[nodiscard]] Bytes hex_of(const JsonObject& object, std::string_view member);
[[nodiscard]] std::int64_t int_of(const JsonObject& object, std::string_view member);
[[nodiscard]] bool has_flag(const JsonObject& test, std::string_view flag);

/// Calls `check` for every test of a Wycheproof file, traced with its number and comment. Fails
/// unless as many ran as the file announces.
void for_each_case(
    const Json& file,
    const std::function<void(const JsonObject& group, const JsonObject& test)>& check);

}  // namespace kith::test

/// Declares `name` (a Json) or leaves the test: skipped or failed as told above.
#define LOAD_VECTORS(name, path)                                                          \
  const ::kith::test::Vectors name##_file = ::kith::test::load_vectors(path);             \
  if (name##_file.state == ::kith::test::VectorState::directory_absent &&                 \
      KITH_REQUIRE_VECTORS == 0) {                                                        \
    GTEST_SKIP() << name##_file.message;                                                  \
  }                                                                                       \
  ASSERT_EQ(name##_file.state, ::kith::test::VectorState::loaded) << name##_file.message; \
  const ::kith::Json& name = name##_file.json
