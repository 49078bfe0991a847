// A ledger that holds a veto back until the recover has taken effect: the owner's node asks the
// witnesses by itself, and what they say makes the veto count for everybody whom it reaches.

#include <gtest/gtest.h>

#include "ledger/embedded/leveldb_ledger.hpp"
#include "ledger/log_file.hpp"
#include "ledger/own_log.hpp"
#include "ledger/own_words.hpp"
#include "ledger/remote/client.hpp"
#include "ledger/strict_json.hpp"
#include "tests/ledger/move_lab.hpp"
#include "tests/ledger/witness_lab.hpp"
#include "tests/support/temp_directory.hpp"

namespace kith::test {
namespace {

using ledger::HttpQuestion;
using ledger::HttpReply;

constexpr std::string_view kHeldUrl = "https://held.example";

/// Alice on a ledger with three witnesses, of whom two are needed.
class HeldBackTest : public MoveLab {
 protected:
  HeldBackTest() {
    for (int i = 0; i < 3; ++i) {
      boxes_.push_back(std::make_unique<WitnessBox>(*net_, "witness" + std::to_string(i)));
    }
    ledger::LedgerDescriptor descriptor = ledger_descriptor(1);
    for (const auto& box : boxes_) descriptor.witnesses.push_back(box->key);
    descriptor.w = 2;
    std::vector<WitnessBox*> all;
    std::vector<ledger::WitnessAddress> addresses;
    for (const auto& box : boxes_) {
      box->watch(descriptor);
      all.push_back(box.get());
      addresses.push_back(box->address);
    }
    host_ = std::make_unique<CosignedHost>(descriptor, all);
    service_ = std::make_unique<ledger::LedgerService>(host_->store, ledger_signer(), addresses);
    host_->cosign(now());
    net_->perform = [this](AgentBox& box, const Effect& effect) {
      return std::optional(answer(box, effect));
    };
    must(alice_->command("identity-create", {{"name", "Alice"},
                                             {"ledger", kHeldUrl},
                                             {"no_vault", true},
                                             {"delay_seconds", kDelaySeconds},
                                             {"contest_seconds", kContestSeconds}}));
    EXPECT_TRUE(net_->run_until([&] { return state(*alice_) == "posted"; }));
    did_ = own(*alice_).did;
    net_->run_for(std::chrono::minutes{2});  // The ledger says where its witnesses are.
  }
  AnchorTime now() const { return ledger::anchor_time(net_->now()); }

  /// What the way to the host and to the witnesses brings.
  EffectResult answer(AgentBox& box, const Effect& effect) {
    if (!box.online()) return {effect.id, fail(Errc::unreachable), true};
    if (effect.kind == EffectKind::fetch && ledger::ledger_of(effect).empty()) {
      return fetched(effect);
    }
    const auto question = must(ledger::question_of(effect));
    const bool appends = effect.kind == EffectKind::ledger_append;
    if (appends && question.body.find("witnessed") != std::string::npos) ++with_words_;
    if (appends && holds_back_) return {effect.id, fail(Errc::refused), false};
    HttpReply reply = ask(question);
    if (appends) {
      host_->cosign(now());
      reply = ask(question);
    }
    return ledger::result_of(effect, reply);
  }
  HttpReply ask(const HttpQuestion& question) {
    host_->cosign(now(), false);
    return service_->handle(
        {question.method, question.target.substr(kHeldUrl.size()), question.body}, now());
  }
  EffectResult fetched(const Effect& effect) {
    const auto asked = must(protocol::decode_record<protocol::FetchPayload>(effect.payload));
    if (asked.url.starts_with(kHeldUrl)) {
      const HttpReply reply = ask({"GET", asked.url, {}});
      return {effect.id, crypto::to_bytes(std::string_view(reply.body)), false};
    }
    for (std::size_t i = 0; i < boxes_.size(); ++i) {
      const std::string at = "https://witness" + std::to_string(i) + ".test/witness/time/";
      if (!asked.url.starts_with(at) || i >= up_) continue;
      const std::string what = asked.url.substr(at.size());
      const auto word = boxes_[i]->box.command(
          "witness-time",
          {{"subject", what.substr(0, what.find('/'))}, {"hash", what.substr(what.find('/') + 1)}});
      return {effect.id, crypto::to_bytes(crypto::json_text(must(word))), false};
    }
    return {effect.id, fail(Errc::unreachable), true};
  }

  LogView on_ledger() {
    std::vector<ledger::AnchoredBlob> blobs;
    for (const auto& entry : must(ledger::read_all(host_->store, did_))) {
      blobs.push_back({entry.blob, entry.time, {}, true, entry.witnessed});
    }
    ledger::ReaderOptions options{now(), true, ledger_id()};
    options.descriptors = {host_->store.descriptor()};
    return must(ledger::read_log(did_, blobs, options));
  }
  std::string ledger_id() const { return ledger::ledger_id(host_->store.descriptor()); }
  LogView seen() {
    return alice_->look([&](Host& host) { return must(ledger::stored_view(host, did_)); });
  }
  void look_now() {
    alice_->edit([&](Host& host) {
      ledger::refresh_log(host, did_);
      return 0;
    });
    net_->settle();
  }
  /// Somebody who has the recovery authority recovers; Alice's veto is held back past D.
  void veto_in_vain() {
    const Entry entry = recover(*alice_, did_, on_ledger(), 0, ledger_id(), now());
    must(host_->store.append({did_, ledger::entry_blob(entry), {}}, now()));
    host_->cosign(now());
    look_now();
    ASSERT_TRUE(seen().pending.has_value());
    holds_back_ = true;
    const LogView view = seen();
    const Entry veto = alice_->look([&](Host& host) {
      Entry made = must(ledger::make_veto(view, now()));
      for (const std::string& key : host.list("log-key")) {
        if (!ledger::contains(view.history[0].entry->content->next.kd, ledger::key_digest(key))) {
          continue;
        }
        must(ledger::add_signature(made, must(ledger::signing_key(key)), host.keys(),
                                   *ledger::log_key(host, key)));
      }
      return made;
    });
    must(alice_->edit([&](Host& host) { return ledger::post_entry(host, did_, veto); }));
    pass(std::chrono::seconds{3 * kDelaySeconds});
  }
  JsonObject exported() { return must(alice_->command("did-export")); }
  std::int64_t found_by(AgentBox& reader) {
    bob_ = &reader;
    const JsonObject found = look_up(std::string(kHeldUrl));
    EXPECT_EQ(text(found, "state"), "done") << crypto::json_text(found);
    return n_of(found);
  }
  static Result<JsonObject> take(AgentBox& reader, const JsonObject& file) {
    return reader.command("did-take", {{"file", crypto::json_text(file)}});
  }

  std::vector<std::unique_ptr<WitnessBox>> boxes_;
  std::unique_ptr<CosignedHost> host_;
  std::unique_ptr<ledger::LedgerService> service_;
  std::string did_;
  bool holds_back_ = false;
  std::size_t up_ = 3;  ///< Witnesses that answer when they saw something.
  std::size_t with_words_ = 0;
};

TEST_F(HeldBackTest, TheOwnersNodeAsksTheWitnessesAndItsVetoCounts) {
  ASSERT_NO_FATAL_FAILURE(veto_in_vain());
  EXPECT_EQ(on_ledger().n(), 1U) << "by the ledger alone the recover took effect";
  EXPECT_EQ(seen().vetoed.size(), 1U);
  EXPECT_EQ(seen().n(), 0U);
  EXPECT_EQ(alice_->audited("identity.witnessed").size(), 3U);
  pass(std::chrono::hours{3});
  EXPECT_EQ(seen().n(), 0U) << "it stays so, read again and again";
  EXPECT_TRUE(alice_->audited("identity.entry-dropped").empty());
}

TEST_F(HeldBackTest, OneWitnessIsTooFew) {
  up_ = 1;
  ASSERT_NO_FATAL_FAILURE(veto_in_vain());
  pass(std::chrono::minutes{10});
  EXPECT_EQ(seen().n(), 1U);
  EXPECT_EQ(alice_->audited("identity.witnessed").size(), 1U);
  EXPECT_EQ(alice_->audited("identity.entry-dropped").size(), 1U);
}

TEST_F(HeldBackTest, WhoIsHandedTheLogCountsItWhateverTheLedgerShows) {
  ASSERT_NO_FATAL_FAILURE(veto_in_vain());
  AgentBox& bob = *bob_;
  EXPECT_EQ(found_by(bob), 1);
  const JsonObject file = exported();
  const JsonObject judged = must(ledger::judge_log_file(crypto::json_text(file), {now(), true}));
  EXPECT_EQ(judged.at("entries"), Json(1));
  const JsonObject reply = must(take(bob, file));
  EXPECT_EQ(reply.at("taken"), Json(1));
  EXPECT_EQ(found_by(bob), 0);
  EXPECT_EQ(must(take(bob, file)).at("known"), Json(1));

  // Without the words, or with those of others, it is nothing.
  AgentBox& carol = net_->add("carol", modules<IdentityModule>(), kNoVaultYet);
  JsonObject bare = file;
  for (Json& entry : bare["entries"].get_array()) entry.get_object().erase("witnessed");
  EXPECT_EQ(take(carol, bare).error().code, Errc::refused);
  JsonObject elsewhere = file;
  ledger::LedgerDescriptor own = host_->store.descriptor();
  own.w = 1;  // Another id.
  elsewhere["ledgers"] = JsonArray{must(crypto::parse_json(ledger::descriptor_json(own)))};
  EXPECT_EQ(take(carol, elsewhere).error().code, Errc::refused);
  EXPECT_EQ(found_by(carol), 1);
}

TEST_F(HeldBackTest, TheLedgerTakesItLateAndShowsTheWords) {
  ASSERT_NO_FATAL_FAILURE(veto_in_vain());
  EXPECT_EQ(with_words_, 0U) << "a ledger that did not refuse the entry gets it as it is";
  holds_back_ = false;
  ASSERT_TRUE(net_->run_until([&] { return state(*alice_) == "posted"; }, std::chrono::hours{3}));
  EXPECT_GE(with_words_, 1U);
  EXPECT_EQ(on_ledger().n(), 0U);
  EXPECT_EQ(seen().n(), 0U);
  EXPECT_EQ(found_by(*bob_), 0) << "who was handed nothing reads them from the ledger";
  // And another log of that ledger has none.
  const auto entries = must(ledger::read_all(host_->store, own(*alice_).policy));
  for (const auto& entry : entries) EXPECT_TRUE(entry.witnessed.empty());
}

TEST_F(HeldBackTest, TheLedgerOnTheDiskKeepsThem) {
  ASSERT_NO_FATAL_FAILURE(veto_in_vain());
  const JsonObject file = exported();
  const auto parsed = must(ledger::parse_log_file(crypto::json_text(file)));
  const auto& veto = parsed.blobs.back();
  ASSERT_EQ(veto.witnessed.size(), 3U);
  const TempDirectory directory;
  ledger::LevelDbLedgerOptions options;
  options.directory = directory.path("ledger");
  options.descriptor = host_->store.descriptor();
  options.test_mode = true;
  const auto shown = must(ledger::read_all(host_->store, did_));
  {
    const auto disk = must(ledger::LevelDbLedger::open(options));
    for (const auto& entry : shown) {
      must(
          disk->append({did_, entry.blob, must(ledger::parse_entry(entry.blob)).prev}, entry.time));
    }
    EXPECT_EQ(disk->append({did_, veto.blob, {}}, now()).error().code, Errc::invalid_entry);
    std::vector<ledger::WitnessTime> spoiled = veto.witnessed;
    for (auto& word : spoiled) word.signature[3] ^= 1U;
    EXPECT_EQ(disk->append({did_, veto.blob, {}, spoiled}, now()).error().code,
              Errc::invalid_entry);
    must(disk->append({did_, veto.blob, {}, veto.witnessed}, now()));
  }
  const auto again = must(ledger::LevelDbLedger::open(options));
  const auto entries = must(ledger::read_all(*again, did_));
  ASSERT_EQ(entries.size(), shown.size() + 1);
  EXPECT_EQ(entries.back().witnessed, veto.witnessed);
  EXPECT_TRUE(entries.front().witnessed.empty());
}

TEST(WitnessAddresses, HaveOneForm) {
  const ledger::WitnessAddress one{ledger_descriptor(2).key, "https://one.example/witness"};
  JsonObject good = ledger::witness_addresses_json({one});
  const auto read = must(ledger::parse_witness_addresses(crypto::json_text(good)));
  ASSERT_EQ(read.size(), 1U);
  EXPECT_EQ(read[0].key, one.key);
  EXPECT_EQ(read[0].url, one.url);
  const auto refused = [&](std::string_view url) {
    JsonObject bad = good;
    bad["witnesses"].get_array()[0].get_object()["url"] = url;
    return ledger::parse_witness_addresses(crypto::json_text(bad)).error().code;
  };
  EXPECT_EQ(refused("file:///etc/passwd"), Errc::bad_url);
  EXPECT_EQ(refused("https://one.example/?a=b"), Errc::bad_url);
  EXPECT_EQ(refused("https://one example/"), Errc::malformed);
  good["witnesses"] = JsonArray(limits::kLedgerWitnessesMax + 1, good["witnesses"].get_array()[0]);
  EXPECT_EQ(ledger::parse_witness_addresses(crypto::json_text(good)).error().code,
            Errc::limit_exceeded);
}

}  // namespace
}  // namespace kith::test
