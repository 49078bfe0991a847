#include "node/node_module.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "crypto/hash.hpp"
#include "node/runtime/program_digest.hpp"
#include "tests/support/agents.hpp"

namespace kith::node {
namespace {

using test::AgentBox;

/// Details of the audit log's entries of this kind.
std::vector<JsonObject> audited(AgentBox& box, std::string_view event) {
  const auto shown = box.command("audit-show");
  EXPECT_TRUE(shown.has_value());
  std::vector<JsonObject> found;
  for (const Json& entry : shown->at("entries").as_array()) {
    if (entry.at("event") == Json(event)) found.push_back(entry.at("details").as_object());
  }
  return found;
}

TEST(NodeModule, NotesEachStartWithAnotherProgram) {
  NodeConfig config;
  test::Network net;
  AgentBox& alice = net.add("alice", [&config] {
    test::Modules all;
    all.push_back(std::make_unique<NodeModule>(config));
    return all;
  });
  EXPECT_TRUE(audited(alice, "program.changed").empty());  // Nobody said which program it is.
  const auto start = [&](const char* version, const char* digest) {
    config.version = version;
    config.program_digest = digest;
    alice.restart();
    return audited(alice, "program.changed");
  };
  auto entries = start("1.0", "aa");
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0], (JsonObject{{"version", "1.0"}, {"sha256", "aa"}}));
  EXPECT_EQ(start("1.0", "aa").size(), 1U);
  EXPECT_EQ(start("1.0", "").size(), 1U);  // A command on a home whose node rests.
  entries = start("1.0", "bb");            // Of the same version, and yet another.
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[1], (JsonObject{{"version", "1.0"},
                                    {"sha256", "bb"},
                                    {"version_before", "1.0"},
                                    {"sha256_before", "aa"}}));
  EXPECT_EQ(start("1.1", "aa").size(), 3U);
  EXPECT_TRUE(alice.command("audit-verify").has_value());
}

TEST(NodeModule, NotesAStartWithAnotherKeystore) {
  NodeConfig config;
  test::Network net;
  AgentBox& alice = net.add("alice", [&config] {
    test::Modules all;
    all.push_back(std::make_unique<NodeModule>(config));
    return all;
  });
  const auto entries_after = [&](const char* mark) {
    config.keystore_mark = mark;
    alice.restart();
    return audited(alice, "keystore.changed").size();
  };
  EXPECT_EQ(entries_after("aa"), 0U) << "the first one is no change";
  EXPECT_EQ(entries_after("aa"), 0U);
  EXPECT_EQ(entries_after("bb"), 1U);
  EXPECT_EQ(entries_after(""), 1U);
  EXPECT_EQ(entries_after("bb"), 1U);
  EXPECT_EQ(entries_after("aa"), 2U);
}

TEST(ProgramDigest, IsOfTheRunningFile) {
  std::ifstream file(std::filesystem::read_symlink("/proc/self/exe"), std::ios::binary);
  const std::string content{std::istreambuf_iterator<char>(file), {}};
  const auto digest = program_digest();
  ASSERT_TRUE(digest.has_value());
  EXPECT_EQ(*digest, crypto::hex(crypto::sha256(crypto::as_bytes(content))));
}

}  // namespace
}  // namespace kith::node
