#include "node/audit_file.hpp"

#include <gtest/gtest.h>

#include "node/node_module.hpp"
#include "node/watch_limits.hpp"
#include "tests/support/agents.hpp"
#include "tests/support/error_code.hpp"

namespace kith::node {
namespace {

using test::AgentBox;

struct Logbook {
  test::Network net;
  AgentBox& alice = net.add("alice", [] {
    test::Modules all;
    all.push_back(std::make_unique<NodeModule>(NodeConfig{}));
    return all;
  });

  explicit Logbook(int entries) { note(entries); }
  void note(int entries) {
    alice.edit([&](Host& host) {
      for (int i = 0; i < entries; ++i) host.audit("test.noted", {{"what", i}, {"who", "x,\"y\""}});
      return true;
    });
  }
  std::vector<JsonObject> rows() {
    std::vector<JsonObject> all;
    std::uint64_t from = 0;
    for (;;) {
      const JsonObject page = *alice.command("audit-page", {{"from", from}});
      for (const Json& row : page.at("entries").as_array()) all.push_back(row.as_object());
      if (!page.contains("next")) return all;
      from = page.at("next").to_number<std::uint64_t>();
    }
  }
  JsonObject checkpoint() { return *alice.command("audit-checkpoint"); }
  std::string file() {
    std::string text;
    for (const JsonObject& row : rows()) text += crypto::json_text(row) + "\n";
    return text + crypto::json_text(JsonObject{{"checkpoint", checkpoint()}}) + "\n";
  }
};

std::vector<std::string> lines_of(std::string file) {
  std::vector<std::string> lines;
  for (std::size_t end = 0; (end = file.find('\n')) != std::string::npos; file.erase(0, end + 1)) {
    lines.push_back(file.substr(0, end));
  }
  return lines;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string file;
  for (const std::string& line : lines) file += line + "\n";
  return file;
}

TEST(AuditFile, HoldsEveryEntryAndProvesItself) {
  const auto many = static_cast<int>(watch_limits::kAuditPageEntries) + 3;
  Logbook book(many);
  EXPECT_EQ(book.rows().size(), static_cast<std::size_t>(many));
  const auto judged = judge_audit_file(book.file());
  ASSERT_TRUE(judged.has_value()) << judged.error().detail;
  EXPECT_EQ(judged->at("entries").to_number<int>(), many);
}

TEST(AuditFile, MayBeginLater) {
  Logbook book(4);
  auto lines = lines_of(book.file());
  lines.erase(lines.begin(), lines.begin() + 2);
  const auto judged = judge_audit_file(joined(lines));
  ASSERT_TRUE(judged.has_value()) << judged.error().detail;
  EXPECT_EQ(judged->at("first").to_number<int>(), 2);
}

TEST(AuditFile, EntriesThatWereChangedMovedOrTakenAwayAreFound) {
  Logbook book(4);
  const auto whole = lines_of(book.file());
  ASSERT_EQ(whole.size(), 5U);
  for (std::size_t i = 1; i < 5; ++i) {  // The last line is the checkpoint.
    auto lines = whole;
    lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_FALSE(judge_audit_file(joined(lines)).has_value()) << "without line " << i;
  }
  for (std::size_t i = 0; i < 4; ++i) {
    auto lines = whole;
    const std::size_t at = lines[i].find("test.noted");
    ASSERT_NE(at, std::string::npos);
    lines[i][at] = 'b';
    EXPECT_EQ(test::code_of(judge_audit_file(joined(lines))), Errc::audit_broken)
        << "changed " << i;
  }
  auto lines = whole;
  std::swap(lines[1], lines[2]);
  EXPECT_EQ(test::code_of(judge_audit_file(joined(lines))), Errc::audit_broken);
  lines = whole;
  lines.push_back(lines[0]);
  EXPECT_EQ(test::code_of(judge_audit_file(joined(lines))), Errc::malformed);
}

TEST(AuditFile, ACheckpointIsSigned) {
  Logbook book(2);
  auto lines = lines_of(book.file());
  const std::size_t at = lines.back().find("\"entries\":2");
  ASSERT_NE(at, std::string::npos) << lines.back();
  lines.back()[at + 10] = '1';
  EXPECT_EQ(test::code_of(judge_audit_file(joined(lines))), Errc::bad_signature);
}

TEST(AuditCheckpoint, ShowsThatWhatItStandsForWasWrittenAnew) {
  Logbook book(3);
  const JsonObject kept = book.checkpoint();
  book.note(2);
  EXPECT_TRUE(book.alice.command("audit-verify", {{"checkpoint", kept}}).has_value());
  // Whoever has the audit key writes another history, which is whole by itself.
  const auto head =
      book.alice.look([](Host& host) { return *load<protocol::AuditHead>(host, "meta", "audit"); });
  book.alice.edit([&](Host& host) {
    protocol::AuditHead rewritten = head;
    rewritten.hash.clear();
    for (std::uint64_t n = 0; n < head.count; ++n) {
      auto entry = *load<protocol::AuditEntry>(host, "audit", protocol::numbered_id(n));
      entry.event = "test.harmless";
      entry.prev = rewritten.hash;
      EXPECT_TRUE(protocol::sign_audit_entry(entry, host.keys(), head.sealed_key).has_value());
      rewritten.hash = protocol::audit_hash(entry);
      save(host, "audit", protocol::numbered_id(n), entry);
    }
    save(host, "meta", "audit", rewritten);
    return true;
  });
  EXPECT_TRUE(book.alice.command("audit-verify").has_value());
  EXPECT_EQ(test::code_of(book.alice.command("audit-verify", {{"checkpoint", kept}})),
            Errc::audit_broken);
}

TEST(AuditCheckpoint, OfAnotherNodeOrOfLaterIsNone) {
  Logbook book(3);
  Logbook other(3);
  other.note(1);
  EXPECT_EQ(test::code_of(book.alice.command("audit-verify", {{"checkpoint", other.checkpoint()}})),
            Errc::audit_broken);
  JsonObject wrong = book.checkpoint();
  wrong["entries"] = 99;
  EXPECT_EQ(test::code_of(book.alice.command("audit-verify", {{"checkpoint", wrong}})),
            Errc::bad_signature);
}

TEST(AuditFile, ALineThatIsTooLongIsRefused) {
  const std::string line(watch_limits::kAuditLineBytesMax + 1, ' ');
  EXPECT_EQ(test::code_of(judge_audit_file(line)), Errc::limit_exceeded);
}

TEST(AuditFile, CsvQuotesWhatItHolds) {
  Logbook book(1);
  EXPECT_EQ(audit_csv_head(), "n,utc,event,details,hash\r\n");
  const std::string row = audit_csv_row(book.rows().at(0));
  EXPECT_TRUE(row.starts_with("0,\"")) << row;
  EXPECT_NE(row.find("\"{\"\"what\"\":0,\"\"who\"\":\"\"x,\\\"\"y\\\"\"\"\"}\""), std::string::npos)
      << row;
  EXPECT_TRUE(row.ends_with("\"\r\n"));
}

}  // namespace
}  // namespace kith::node
