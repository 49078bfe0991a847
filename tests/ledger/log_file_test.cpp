#include "ledger/log_file.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "ledger/did_kith.hpp"
#include "ledger/log_store.hpp"
#include "protocol/unit_of_work.hpp"
#include "tests/support/log_lab.hpp"
#include "tests/support/memory_store.hpp"

namespace kith::test {
namespace {

using ledger::ReaderOptions;

/// The file of a lab's log, as an agent that keeps it exports it.
class LogFileTest : public ::testing::Test {
 protected:
  void keep(const LogLab& lab) {
    for (const ledger::AnchoredBlob& blob : lab.blobs) {
      must(ledger::append_checked(unit_, lab.subject, blob.blob,
                                  protocol::from_epoch_seconds(ledger::to_ms(blob.time) / 1000)));
    }
  }
  JsonObject exported(const std::string& subject) {
    return must(ledger::export_log(unit_, {{"did", subject}}));
  }
  static Result<JsonObject> judge(const JsonObject& file, AnchorTime now, bool test_mode = false) {
    return ledger::judge_log_file(crypto::json_text(file), {now, test_mode});
  }

  MemoryStore store_;
  crypto::SeededRandom random_{1, "log-file"};
  SoftwareKeys keys_{random_.secret(32), random_};
  protocol::UnitOfWork unit_{
      {store_, keys_, random_, protocol::from_epoch_seconds(1'797'000'000), {}, false}};
};

TEST_F(LogFileTest, IsJudgedAsAReaderOfThatTimeWouldHave) {
  LogLab lab;
  const AnchorTime born = lab.time;
  lab.start();
  lab.time += 1h;
  lab.post(lab.update(1));
  lab.time += 1h;
  lab.post(lab.recover(0));
  keep(lab);
  const JsonObject file = exported(lab.subject);

  const JsonObject first = must(judge(file, born));
  EXPECT_EQ(first.at("entries"), Json(1));
  EXPECT_EQ(first.at("status"), "normal");
  const JsonObject second = must(judge(file, born + 1h));
  EXPECT_EQ(second.at("entries"), Json(2));
  EXPECT_NE(second.at("didDocument"), first.at("didDocument"));
  const JsonObject contested = must(judge(file, born + 2h));
  EXPECT_EQ(contested.at("status"), "contested");
  EXPECT_EQ(contested.at("didDocument"), first.at("didDocument"));
  const JsonObject recovered = must(judge(file, born + 2h + 72h));
  EXPECT_EQ(recovered.at("status"), "normal");
  lab.time = born + 74h;
  EXPECT_EQ(recovered.at("didDocumentMetadata"),
            must(ledger::resolve_did_kith(lab.view())).metadata);
  EXPECT_EQ(judge(file, born - 1h).error().code, Errc::not_found);
}

TEST_F(LogFileTest, OfAPolicyShowsThePolicy) {
  LogLab lab(Kind::policy);
  lab.start();
  keep(lab);
  const JsonObject judged = must(judge(exported(lab.subject), lab.time));
  EXPECT_EQ(judged.at("policy"), lab.view().current.state);
  EXPECT_FALSE(judged.contains("didDocument"));
}

TEST_F(LogFileTest, NoticesEveryChangeOfAnEntry) {
  LogLab lab;
  lab.start();
  lab.post(lab.update(1));
  keep(lab);
  const JsonObject file = exported(lab.subject);
  const JsonObject honest = must(judge(file, lab.time));
  JsonObject forged = file;
  Json& blob = forged["entries"].get_array()[1].get_object()["blob"];
  std::string text(blob.get_string());
  text.replace(text.find("note-1"), 6, "note-2");
  blob = text;
  const JsonObject judged = must(judge(forged, lab.time));
  EXPECT_EQ(judged.at("entries"), Json(1));
  EXPECT_EQ(judged.at("junk"), Json(1));
  EXPECT_EQ(honest.at("junk"), Json(0));
  forged["entries"].get_array().erase(forged["entries"].get_array().begin());
  EXPECT_EQ(judge(forged, lab.time).error().code, Errc::not_found);
}

TEST_F(LogFileTest, RefusesWhatIsNoSuchFile) {
  LogLab lab;
  lab.start();
  keep(lab);
  const JsonObject good = exported(lab.subject);
  const auto with = [&](std::string_view member, Json value) {
    JsonObject bad = good;
    bad[member] = std::move(value);
    return judge(bad, lab.time).error().code;
  };
  EXPECT_EQ(with("v", "kith-log/2"), Errc::unsupported);
  EXPECT_EQ(with("subject", "did:web:example.com"), Errc::malformed);
  EXPECT_EQ(with("more", 1), Errc::malformed);
  EXPECT_EQ(with("entries", JsonArray{}), Errc::not_found);
  EXPECT_EQ(with("entries", JsonArray{JsonObject{{"blob", ""}, {"time", -1}}}), Errc::malformed);
  // White space around it is JSON, up to the limit.
  std::string long_file = crypto::json_text(good);
  long_file.resize(ledger::kLogFileBytesMax, ' ');
  EXPECT_TRUE(ledger::judge_log_file(long_file, {lab.time, false}).has_value());
  long_file += ' ';
  EXPECT_EQ(ledger::judge_log_file(long_file, {lab.time, false}).error().code,
            Errc::limit_exceeded);
  EXPECT_EQ(ledger::judge_log_file("[]", {lab.time, false}).error().code, Errc::malformed);
  EXPECT_EQ(ledger::export_log(unit_, {{"did", "did:web:a.example"}}).error().code,
            Errc::malformed);
  EXPECT_EQ(ledger::export_log(unit_, {}).error().code, Errc::wrong_state);
  EXPECT_EQ(
      ledger::export_log(unit_, {{"did", LogLab(Kind::did, {}, 2).start().subject}}).error().code,
      Errc::not_found);
}

/// The example of the method's specification is a log that this reader takes.
TEST(DidKithMethod, GivesAnExampleThatHolds) {
  std::ifstream in(std::string(KITH_SOURCE_DIR) + "/docs/did-kith-method.md");
  std::stringstream text;
  text << in.rdbuf();
  const std::string page = text.str();
  const std::string opening = "```json\n";
  const std::size_t found = page.find(opening + "{\"id\":");
  ASSERT_NE(found, std::string::npos);
  const std::size_t begins = found + opening.size();
  const std::size_t ends = page.find('\n', begins);
  ASSERT_EQ(page.compare(ends, 4, "\n```"), 0);
  const std::string blob = page.substr(begins, ends - begins);
  const auto entry = must(ledger::parse_entry(crypto::as_bytes(blob)));
  EXPECT_EQ(entry.id, "did:kith:" + ledger::compute_scid(entry));
  const ByteView bytes = crypto::as_bytes(blob);
  const AnchorTime now = ledger::anchor_time_ms(1'795'000'000'000);
  const std::vector<ledger::AnchoredBlob> blobs = {{Bytes(bytes.begin(), bytes.end()), now}};
  const LogView view = must(ledger::read_log(entry.id, blobs, {now, false}));
  const Json metadata = must(ledger::resolve_did_kith(view)).metadata;
  // The page says what its version is called.
  EXPECT_NE(page.find("\"versionId\": \"" + std::string(metadata.at("versionId").as_string())),
            std::string::npos)
      << crypto::json_text(metadata);
}

}  // namespace
}  // namespace kith::test
