#include "ledger/log_file.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "ledger/did_kith.hpp"
#include "ledger/log_store.hpp"
#include "protocol/unit_of_work.hpp"
#include "tests/support/ledger_kit.hpp"
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

/// A host holds a veto back until the recover has taken effect; its witnesses saw it.
class WitnessedFile : public ::testing::Test {
 protected:
  WitnessedFile() {
    ledger_ = ledger_descriptor();
    ledger_.witnesses = {lab_.fresh(KeyPurpose::witness).public_key};
    ledger_.w = 1;
    lab_.ledger = ledger::ledger_id(ledger_);
    LogContent content = lab_.first_content();
    content.ledgers = {lab_.ledger};
    lab_.start_with(content);
    lab_.post(lab_.recover(0));
    const Bytes veto = ledger::entry_blob(lab_.veto());
    const ledger::CosignatureTime seen{
        std::chrono::floor<std::chrono::seconds>(lab_.time.time_since_epoch()) + 1h};
    const std::string key = crypto::multikey(ledger_.witnesses.front());
    const std::string said = ledger::witness_time_text(lab_.subject, ledger::blob_hash(veto), seen);
    witnessed_ = {ledger_.witnesses.front(), seen,
                  must(lab_.ops.sign(lab_.pairs.at(key).sealed, crypto::as_bytes(said)))};
    lab_.time += 80h;
    lab_.post_blob(veto);
  }
  /// `when`: "time" or "seen".
  JsonObject file(std::string_view when, bool with_witness, bool with_descriptor = true) const {
    JsonArray entries;
    for (const auto& blob : lab_.blobs) {
      const bool last = &blob == &lab_.blobs.back();
      JsonObject entry{{"blob", crypto::as_text(blob.blob)}, {"ledger", blob.ledger}};
      entry[last ? when : "time"] = ledger::to_ms(blob.time);
      if (last && with_witness) {
        entry["witnessed"] = JsonArray{ledger::witness_time_json(witnessed_)};
      }
      entries.push_back(std::move(entry));
    }
    JsonObject made{{"v", "kith-log/1"}, {"subject", lab_.subject}, {"entries", entries}};
    if (with_descriptor) {
      made["ledgers"] = JsonArray{must(crypto::parse_json(ledger::descriptor_json(ledger_)))};
    }
    return made;
  }
  Result<JsonObject> judge(const JsonObject& file) const { return judge(file, lab_.time); }
  static Result<JsonObject> judge(const JsonObject& file, AnchorTime now) {
    return ledger::judge_log_file(crypto::json_text(file), {now, false});
  }
  std::int64_t entries_of(const JsonObject& file) const {
    return must(judge(file)).at("entries").get_int64();
  }

  LogLab lab_;
  ledger::LedgerDescriptor ledger_;
  ledger::WitnessTime witnessed_;
};

TEST_F(WitnessedFile, AVetoThatWasHeldBackCountsByItsWitnesses) {
  EXPECT_EQ(entries_of(file("time", false)), 2) << "the recover took effect";
  EXPECT_EQ(entries_of(file("time", true)), 1) << "it was vetoed";
  EXPECT_EQ(entries_of(file("seen", true)), 1) << "though no ledger shows the veto";
  EXPECT_EQ(entries_of(file("seen", false)), 2);
  EXPECT_EQ(entries_of(file("time", true, false)), 2) << "nobody says who the witnesses are";
  EXPECT_EQ(must(judge(file("seen", true), lab_.time - 1h)).at("entries"), Json(2))
      << "a reader of that time had not seen it";
}

TEST_F(WitnessedFile, HasOneForm) {
  const auto with = [&](auto change) {
    JsonObject changed = file("time", true);
    change(changed, changed["entries"].get_array().back().get_object());
    return judge(changed).error().code;
  };
  EXPECT_EQ(with([](JsonObject&, JsonObject& entry) { entry["seen"] = 1; }), Errc::malformed);
  EXPECT_EQ(with([](JsonObject&, JsonObject& entry) { entry.erase("time"); }), Errc::malformed);
  EXPECT_EQ(with([](JsonObject&, JsonObject& entry) { entry["witnessed"] = 1; }), Errc::malformed);
  EXPECT_EQ(with([](JsonObject&, JsonObject& entry) { entry["witnessed"] = JsonArray{1}; }),
            Errc::malformed);
  EXPECT_EQ(with([](JsonObject&, JsonObject& entry) {
              entry["witnessed"] = JsonArray(limits::kLedgerWitnessesMax + 1, Json(1));
            }),
            Errc::limit_exceeded);
  EXPECT_EQ(with([](JsonObject& file, JsonObject&) { file["ledgers"] = JsonArray{1}; }),
            Errc::malformed);
  EXPECT_EQ(with([](JsonObject& file, JsonObject&) {
              file["ledgers"] = JsonArray(33, file["ledgers"].get_array()[0]);
            }),
            Errc::limit_exceeded);
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
