#include "tests/support/vectors.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

namespace kith::test {
namespace {

constexpr std::size_t kFileBytesMax = 16 * 1024 * 1024;

}  // namespace

Vectors load_vectors(std::string_view path) {
  const std::filesystem::path directory(KITH_VECTORS_DIR);
  Vectors vectors;
  if (!std::filesystem::is_directory(directory)) {
    vectors.state = VectorState::directory_absent;
    vectors.message =
        "no test vectors at " + directory.string() + "; configure with -DKITH_VECTORS=<directory>";
    return vectors;
  }
  const std::filesystem::path file = directory / path;
  std::ifstream stream(file, std::ios::binary);
  if (!stream) {
    vectors.message = "cannot read " + file.string();
    return vectors;
  }
  const std::string text{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  crypto::JsonLimits limits;
  limits.bytes_max = kFileBytesMax;
  auto json = crypto::parse_json(text, limits);
  if (!json.has_value()) {
    vectors.message = file.string() + ": " + json.error().detail;
    return vectors;
  }
  vectors.state = VectorState::loaded;
  vectors.json = std::move(*json);
  return vectors;
}

std::string text_of(const JsonObject& object, std::string_view member) {
  auto text = crypto::json_string(object, member);
  if (text.has_value()) return std::move(*text);
  ADD_FAILURE() << text.error().detail;
  return {};
}

Bytes hex_of(const JsonObject& object, std::string_view member) {
  auto bytes = crypto::from_hex(text_of(object, member));
  if (bytes.has_value()) return std::move(*bytes);
  ADD_FAILURE() << member << " is not hex";
  return {};
}

Bytes unhex(std::string_view text) {
  auto bytes = crypto::from_hex(text);
  if (bytes.has_value()) return std::move(*bytes);
  ADD_FAILURE() << "'" << text << "' is not hex";
  return {};
}

std::int64_t int_of(const JsonObject& object, std::string_view member) {
  const auto value = crypto::json_int(object, member);
  if (value.has_value()) return *value;
  ADD_FAILURE() << value.error().detail;
  return 0;
}

bool has_flag(const JsonObject& test, std::string_view flag) {
  const auto flags = crypto::json_array(test, "flags");
  if (!flags.has_value()) return false;
  for (const Json& each : **flags) {
    if (each.is_string() && std::string_view(each.as_string()) == flag) return true;
  }
  return false;
}

void for_each_case(
    const Json& file,
    const std::function<void(const JsonObject& group, const JsonObject& test)>& check) {
  const JsonObject& root = file.as_object();
  std::int64_t ran = 0;
  for (const Json& group : root.at("testGroups").as_array()) {
    for (const Json& test : group.at("tests").as_array()) {
      const JsonObject& one = test.as_object();
      SCOPED_TRACE("tcId " + std::to_string(int_of(one, "tcId")) + ": " + text_of(one, "comment"));
      check(group.as_object(), one);
      ++ran;
    }
  }
  EXPECT_EQ(ran, int_of(root, "numberOfTests"));
  EXPECT_GT(ran, 0);
}

}  // namespace kith::test
