#include "ledger/identity.hpp"

#include <gtest/gtest.h>

#include "ledger/ledger_effects.hpp"
#include "ledger/log_store.hpp"
#include "ledger/log_writer.hpp"
#include "ledger/memory_ledger.hpp"
#include "ledger/microledger.hpp"
#include "protocol/kept_document.hpp"
#include "protocol/messenger.hpp"
#include "protocol/vault.hpp"
#include "tests/support/agents.hpp"
#include "tests/support/ledger_kit.hpp"
#include "tests/support/log_lab.hpp"

namespace kith::test {
namespace {

using ledger::Identity;
using ledger::IdentityModule;
using ledger::MemoryLedger;
using ledger::Policy;
using protocol::Effect;
using protocol::EffectKind;
using protocol::EffectResult;
using protocol::VaultUse;
using Crash = MemoryStore::Crash;

/// Rotates both logs at once, as a wallet without backups does.
class Rotation final : public Module {
 public:
  std::string_view name() const override { return "rotation"; }
  std::vector<std::string> commands() const override { return {"did-rotate"}; }
  Result<JsonObject> on_command(Host& host, const Command& command) override {
    std::optional<SealedKey> vault;
    if (protocol::vault_lock(host)) {
      TRY(vault, protocol::open_vault(host, command.step_up));
    }
    for (const std::string& subject :
         {ledger::identity(host)->did, ledger::identity(host)->policy}) {
      TRY(const Entry entry, ledger::prepare_rotate(host, subject, vault));
      CHECK(ledger::post_prepared(host, subject, entry));
    }
    return JsonObject{};
  }
};

/// Agents whose ledger is a MemoryLedger at "https://ledger.example".
class IdentityTest : public ::testing::Test {
 protected:
  static constexpr std::string_view kUrl = "https://ledger.example";

  IdentityTest() { reset(); }

  void reset() {
    alice_ = nullptr;
    net_ = std::make_unique<Network>();
    renew_ledger();
    change_result_ = nullptr;
    reachable_ = true;
    net_->perform = [this](AgentBox& box, const Effect& effect) {
      return std::optional(perform(box, effect));
    };
    alice_ = &net_->add("alice", modules<IdentityModule, Rotation>(), kNoVaultYet);
  }
  /// An empty one with the same name and key.
  void renew_ledger() {
    auto next = std::make_unique<MemoryLedger>(ledger_descriptor(), true);
    prover_ = std::make_unique<ledger::LedgerProver>(*next, ledger_signer());
    ledger_ = std::move(next);
  }
  EffectResult perform(AgentBox& box, const Effect& effect) {
    if (!reachable_ || !box.online() || ledger::ledger_of(effect) != url_) {
      return {effect.id, fail(Errc::unreachable), true};
    }
    EffectResult result =
        ledger::perform_on(*ledger_, effect, ledger::anchor_time(net_->now()), prover_.get());
    if (change_result_) change_result_(effect, result);
    return result;
  }

  JsonObject create_args() const { return {{"name", "Alice"}, {"ledger", url_}}; }
  Result<JsonObject> create() { return alice_->command("identity-create", create_args(), true); }
  std::string state() { return text(must(alice_->command("identity-status")), "state"); }
  bool all_posted() { return state() == "posted"; }
  void create_posted() {
    must(create());
    ASSERT_TRUE(net_->run_until([&] { return all_posted(); }));
  }
  Identity own() {
    return *alice_->look([](Host& host) { return ledger::identity(host); });
  }
  Policy policy() {
    return alice_->look([&](Host& host) {
      const auto view = must(ledger::stored_view(host, ledger::identity(host)->policy));
      return must(ledger::parse_policy(view.current.state));
    });
  }
  void set_anchor(const std::string& anchor) {
    must(alice_->edit([&](Host& host) {
      return ledger::update_policy(host, [&](Policy& policy) { policy.set = anchor; });
    }));
  }
  /// The policy changed by somebody else who holds alice's agent key.
  void change_behind_her_back(const std::function<void(Policy&)>& change) {
    const Identity identity = own();
    const auto blobs = ledger_blobs(identity.policy);
    const ledger::AnchorTime now = ledger::anchor_time(net_->now());
    const LogView view = must(ledger::read_log(identity.policy, blobs, {now, true}));
    Policy changed = must(ledger::parse_policy(view.current.state));
    change(changed);
    Entry entry = must(ledger::make_update(view, ledger::policy_json(changed), now));
    const KeyPair key = alice_->look([](Host& host) { return must(ledger::own_agent_key(host)); });
    must(ledger::add_signature(entry, key, alice_->keys()));
    const auto outcome =
        must(ledger_->append({identity.policy, ledger::entry_blob(entry), entry.prev}, now));
    ASSERT_TRUE(std::holds_alternative<ledger::Appended>(outcome));
  }
  std::vector<ledger::AnchoredBlob> ledger_blobs(const std::string& subject) {
    std::vector<ledger::AnchoredBlob> blobs;
    for (const auto& entry : must(ledger::read_all(*ledger_, subject))) {
      blobs.push_back({entry.blob, entry.time});
    }
    return blobs;
  }
  std::size_t vault_items(VaultUse use) {
    std::size_t count = 0;
    for (const auto& item : alice_->look([](Host& host) { return protocol::list_vault(host); })) {
      if (item.use == use) ++count;
    }
    return count;
  }
  std::size_t records(std::string_view collection) {
    return alice_->look([&](Host& host) { return host.list(collection).size(); });
  }

  std::unique_ptr<Network> net_;
  std::unique_ptr<MemoryLedger> ledger_;
  std::unique_ptr<ledger::LedgerProver> prover_;
  std::string url_{kUrl};
  AgentBox* alice_ = nullptr;
  bool reachable_ = true;
  std::function<void(const Effect&, EffectResult&)> change_result_;
};

TEST_F(IdentityTest, TakesTheKeysOfEarlierRelationshipsIntoItsVault) {
  const std::string did =
      alice_->edit([](Host& host) { return must(ledger::new_pair_log(host, {})).did; });
  EXPECT_EQ(records("log-key"), 3U);  // Active, next and recovery key: there is no vault yet.
  create_posted();
  EXPECT_EQ(vault_items(VaultUse::log_next), 3U);
  EXPECT_EQ(vault_items(VaultUse::log_recovery), 3U);
  EXPECT_EQ(records("log-key"), 3U);  // The active ones of three logs.
  EXPECT_EQ(records("log-salt"), 0U);
  must(alice_->edit([&](Host& host) -> Result<void> {
    TRY(const SealedKey vault, protocol::open_vault(host, alice_->step_up()));
    TRY(const ledger::PairState state, ledger::pair_state_of(host, did));
    return ledger::rotate_pair_keys(host, did, vault, state);
  }));
}

TEST_F(IdentityTest, IsMadePostedAndReadBack) {
  EXPECT_EQ(state(), "none");
  create_posted();
  const Identity identity = own();
  EXPECT_EQ(identity.ledger_id, ledger::ledger_id(ledger_descriptor()));
  EXPECT_EQ(ledger_->size(), 2U);
  for (const std::string& subject : {identity.did, identity.policy}) {
    const auto now = ledger::anchor_time(net_->now());
    const LogView view = must(ledger::read_log(subject, ledger_blobs(subject), {now, true}));
    EXPECT_EQ(view.current.ledgers, std::vector<std::string>{identity.ledger_id});
    EXPECT_TRUE(alice_->look([&](Host& host) { return ledger::posted(host, subject); }));
  }
  ASSERT_EQ(policy().agents.size(), 1U);
  EXPECT_EQ(policy().agents[0].key, crypto::multikey(identity.agent_key));
  EXPECT_EQ(policy().agents[0].auth, ledger::auth::kOwnerAll);
  EXPECT_TRUE(alice_->notices("alarm").empty());
  EXPECT_EQ(create().error(), Errc::wrong_state);
}

TEST_F(IdentityTest, KeepsEveryKeyWhereItBelongs) {
  create_posted();
  EXPECT_EQ(vault_items(VaultUse::log_next), 2U);
  EXPECT_EQ(vault_items(VaultUse::log_recovery), 2U);
  EXPECT_EQ(vault_items(VaultUse::link_secret), 1U);
  EXPECT_EQ(records("log-key"), 2U);  // The active keys alone.
  const Did did = must(Did::parse(own().did));
  alice_->look([&](Host& host) {
    const auto document = must(protocol::KnownDids(host).resolve(did));
    EXPECT_EQ(document.agreement_keys().size(), 1U);
    EXPECT_EQ(document.authentication_keys().size(), 1U);
    for (const auto& key : {document.agreement_keys()[0], document.authentication_keys()[0]}) {
      EXPECT_TRUE(protocol::OwnSecrets(host).find(key.kid).has_value());
    }
    return 0;
  });
}

TEST_F(IdentityTest, NeedsThePassphraseUnlessThereIsNoVault) {
  EXPECT_EQ(alice_->command("identity-create", create_args()).error(), Errc::step_up_required);
  EXPECT_EQ(state(), "none");
  JsonObject args = create_args();
  args["no_vault"] = true;
  must(alice_->command("identity-create", args));
  ASSERT_TRUE(net_->run_until([&] { return all_posted(); }));
  EXPECT_EQ(records("vault-item"), 0U);
  EXPECT_EQ(records("log-key"), 6U);
  must(alice_->command("did-rotate"));
  EXPECT_TRUE(net_->run_until([&] { return all_posted(); }));
  EXPECT_EQ(ledger_->size(), 4U);
}

TEST_F(IdentityTest, SurvivesACrashAtEveryCommit) {
  for (const Crash crash : {Crash::before_commit, Crash::after_commit}) {
    for (std::uint64_t at = 1;; ++at) {
      reset();
      alice_->store().crash_at(at, crash);
      create_posted();
      must(alice_->command("did-rotate", {}, true));
      ASSERT_TRUE(net_->run_until([&] { return all_posted(); }));
      if (alice_->store().crash_is_due()) break;
      ASSERT_EQ(alice_->crashes(), 1U);
      EXPECT_EQ(ledger_->size(), 4U) << "crash at " << at;
      EXPECT_EQ(vault_items(VaultUse::log_next), 4U);
      EXPECT_EQ(records("log-key"), 2U);
      EXPECT_TRUE(alice_->notices("alarm").empty());
      ASSERT_LT(at, 100U);
    }
  }
}

TEST_F(IdentityTest, WaitsForALedgerThatIsAwayForAWhile) {
  reachable_ = false;
  must(create());
  net_->run_for(std::chrono::minutes{10});
  EXPECT_EQ(state(), "waiting-for-ledger");
  reachable_ = true;
  ASSERT_TRUE(net_->run_until([&] { return all_posted(); }));
  reachable_ = false;
  set_anchor("one");
  net_->run_for(std::chrono::hours{1});
  EXPECT_EQ(state(), "posting");
  EXPECT_EQ(policy().set, "one");
  reachable_ = true;
  EXPECT_TRUE(net_->run_until([&] { return all_posted(); }, std::chrono::hours{3}));
  EXPECT_EQ(ledger_->size(), 3U);
  EXPECT_TRUE(alice_->notices("alarm").empty());
}

TEST_F(IdentityTest, AnAppendWhoseAnswerIsLostIsNotMadeTwice) {
  int lost = 0;
  change_result_ = [&](const Effect& effect, EffectResult& result) {
    if (effect.kind != EffectKind::ledger_append || lost >= 4) return;
    ++lost;
    result.outcome = fail(Errc::timeout);
    result.retry = true;
  };
  create_posted();
  EXPECT_EQ(lost, 4);
  EXPECT_EQ(ledger_->size(), 2U);
}

TEST_F(IdentityTest, ADescriptorThatIsNoneIsAskedForAgain) {
  bool bad = true;
  change_result_ = [&](const Effect& effect, EffectResult& result) {
    if (effect.kind == EffectKind::fetch && bad) result.outcome = crypto::to_bytes("{}");
  };
  must(create());
  const JsonObject status = must(alice_->command("identity-status"));
  EXPECT_EQ(text(status, "state"), "waiting-for-ledger");
  EXPECT_FALSE(text(status, "error").empty());
  bad = false;
  EXPECT_TRUE(net_->run_until([&] { return all_posted(); }));
}

TEST_F(IdentityTest, ALedgerThatAnswersOtherwiseCanBeReplaced) {
  must(alice_->command("identity-create", {{"name", "Alice"}, {"ledger", "https://typo.example"}},
                       true));
  net_->run_for(std::chrono::minutes{1});
  EXPECT_EQ(state(), "waiting-for-ledger");
  create_posted();
  EXPECT_EQ(vault_items(VaultUse::link_secret), 1U);
  EXPECT_EQ(own().ledger_url, kUrl);
}

TEST_F(IdentityTest, RotatesBothLogsAndForgetsTheOldKeys) {
  create_posted();
  EXPECT_EQ(alice_->command("did-rotate").error(), Errc::step_up_required);
  for (std::size_t turn = 1; turn <= 2; ++turn) {
    must(alice_->command("did-rotate", {}, true));
    ASSERT_TRUE(net_->run_until([&] { return all_posted(); }));
    EXPECT_EQ(ledger_->size(), 2U + 2U * turn);
    EXPECT_EQ(records("log-key"), 2U);
    EXPECT_EQ(vault_items(VaultUse::log_next), 2U + 2U * turn);
  }
  const JsonObject shown = must(alice_->command("did-show"));
  EXPECT_TRUE(text(shown, "version").starts_with("2-"));
  EXPECT_TRUE(alice_->notices("alarm").empty());
}

TEST_F(IdentityTest, APreparedRotateFollowsChangesThatCameBeforeIt) {
  create_posted();
  const std::string subject = own().policy;
  const Entry rotate = alice_->edit([&](Host& host) {
    const SealedKey vault = must(protocol::open_vault(host, alice_->step_up()));
    return must(ledger::prepare_rotate(host, subject, vault));
  });
  net_->run_for(std::chrono::minutes{1});
  EXPECT_EQ(ledger_->size(), 2U);  // Signed is not posted.
  set_anchor("before");
  must(alice_->edit([&](Host& host) { return ledger::post_prepared(host, subject, rotate); }));
  ASSERT_TRUE(net_->run_until([&] { return all_posted(); }));
  EXPECT_EQ(policy().set, "before");
  EXPECT_EQ(ledger_->size(), 4U);
  // A rotate whose keys are no longer announced has no place any more.
  EXPECT_EQ(alice_->edit([&](Host& host) { return ledger::post_prepared(host, subject, rotate); })
                .error(),
            Errc::refused);
}

TEST_F(IdentityTest, RaisesTheAlarmAtAnEntrySignedWithAStolenKey) {
  create_posted();
  net_->run_for(std::chrono::minutes{5});
  EXPECT_TRUE(alice_->notices("alarm").empty());
  change_behind_her_back([](Policy& policy) { policy.set = "thief"; });
  net_->run_for(std::chrono::minutes{5});
  EXPECT_EQ(alice_->notices("alarm").size(), 1U);  // Once, not at every reading.
  EXPECT_EQ(alice_->audited("identity.foreign-entry").size(), 1U);
  EXPECT_EQ(policy().set, "thief");
}

TEST_F(IdentityTest, JunkThatALedgerShowsIsNeitherKeptNorAlarming) {
  url_ = "leveldb:here";
  create_posted();
  LogLab stranger(Kind::policy, {}, 9);
  stranger.start(true);
  Entry forged;
  alice_->look([&](Host& host) {
    const LogView view = must(ledger::stored_view(host, own().policy));
    Policy changed = must(ledger::parse_policy(view.current.state));
    changed.set = "forged";
    forged = must(ledger::make_update(view, ledger::policy_json(changed), stranger.time));
    return 0;
  });
  must(ledger::add_signature(forged, stranger.agents.front(), stranger.ops));
  const Bytes forged_blob = ledger::entry_blob(forged);
  // An honest ledger does not take it.
  EXPECT_EQ(ledger_->append({own().policy, forged_blob, forged.prev}, stranger.time).error(),
            Errc::invalid_entry);
  // A careless one does. Here it needs to prove nothing.
  change_result_ = [&](const Effect& effect, EffectResult& result) {
    if (effect.kind != EffectKind::ledger_read || !result.outcome.has_value()) return;
    auto page = must(protocol::decode_record<protocol::LedgerEntries>(*result.outcome));
    std::uint64_t position = 1000;
    for (const Bytes& junk : {forged_blob, stranger.blobs[0].blob, crypto::to_bytes("junk")}) {
      page.entries.push_back({position++, net_->now(), junk});
    }
    result.outcome = protocol::encode_record(page);
  };
  net_->run_for(std::chrono::minutes{5});
  EXPECT_TRUE(alice_->notices("alarm").empty());
  EXPECT_FALSE(policy().set.has_value());
  alice_->look([&](Host& host) {
    EXPECT_EQ(ledger::stored_blobs(host, own().policy).size(), 1U);
    return 0;
  });
  set_anchor("mine");
  EXPECT_TRUE(net_->run_until([&] { return all_posted(); }));
  EXPECT_EQ(policy().set, "mine");
}

TEST_F(IdentityTest, ALateChangeIsMadeAnewOnTopOfAnother) {
  create_posted();
  const auto other = must(alice_->keys().generate(KeyType::ed25519, KeyPurpose::agent));
  reachable_ = false;
  set_anchor("mine");
  change_behind_her_back([&](Policy& policy) {
    policy.agents.push_back(
        {crypto::multikey(other.public_key), ledger::auth::kProve, std::nullopt, std::nullopt});
  });
  reachable_ = true;
  ASSERT_TRUE(net_->run_until([&] { return all_posted(); }));
  EXPECT_EQ(policy().set, "mine");
  EXPECT_EQ(policy().agents.size(), 2U);
  EXPECT_EQ(ledger_->size(), 4U);
  EXPECT_EQ(alice_->audited("identity.entry-dropped").size(), 0U);
}

TEST_F(IdentityTest, ALateRotateIsMadeAnewToo) {
  create_posted();
  reachable_ = false;
  must(alice_->command("did-rotate", {}, true));
  change_behind_her_back([&](Policy& policy) { policy.set = "other-device"; });
  reachable_ = true;
  ASSERT_TRUE(net_->run_until([&] { return all_posted(); }));
  EXPECT_EQ(policy().set, "other-device");
  EXPECT_EQ(ledger_->size(), 5U);
  // The keys that it rotated to work.
  must(alice_->command("did-rotate", {}, true));
  EXPECT_TRUE(net_->run_until([&] { return all_posted(); }));
  EXPECT_EQ(ledger_->size(), 7U);
}

TEST_F(IdentityTest, TwoChangesOfTheSameThingAreNotMixed) {
  create_posted();
  reachable_ = false;
  set_anchor("mine");
  change_behind_her_back([](Policy& policy) { policy.set = "theirs"; });
  reachable_ = true;
  ASSERT_TRUE(net_->run_until([&] { return all_posted(); }));
  EXPECT_EQ(policy().set, "theirs");
  EXPECT_EQ(alice_->audited("identity.entry-dropped").size(), 1U);
  EXPECT_EQ(ledger_->size(), 3U);
}

TEST_F(IdentityTest, ALedgerThatForgetsIsNotFollowed) {
  create_posted();
  set_anchor("kept");
  ASSERT_TRUE(net_->run_until([&] { return all_posted(); }));
  renew_ledger();
  net_->run_for(std::chrono::minutes{5});
  EXPECT_EQ(alice_->notices("alarm").size(), 1U);
  EXPECT_EQ(alice_->audited("ledger.rollback").size(), 1U);
  EXPECT_EQ(policy().set, "kept");
}

TEST_F(IdentityTest, NorIsOneOfThisHome) {
  url_ = "leveldb:here";
  create_posted();
  set_anchor("kept");
  ASSERT_TRUE(net_->run_until([&] { return all_posted(); }));
  renew_ledger();
  net_->run_for(std::chrono::minutes{5});
  EXPECT_EQ(alice_->notices("alarm").size(), 2U);  // One for each log.
  EXPECT_EQ(alice_->audited("identity.ledger-conflict").size(), 2U);
  EXPECT_EQ(policy().set, "kept");
}

TEST_F(IdentityTest, AMoveBehindHerBackRaisesTheAlarmAndStopsChanges) {
  create_posted();
  const Identity identity = own();
  const LogView view =
      alice_->look([&](Host& host) { return must(ledger::stored_view(host, identity.policy)); });
  const ledger::AnchorTime now = ledger::anchor_time(net_->now());
  Entry move = must(ledger::make_move(view, identity.ledger_id, {"ledger:of-a-thief"}, now));
  alice_->look([&](Host& host) { must(ledger::sign_with_active(host, move, view)); });
  const auto outcome =
      must(ledger_->append({identity.policy, ledger::entry_blob(move), move.prev}, now));
  ASSERT_TRUE(std::holds_alternative<ledger::Appended>(outcome));
  ASSERT_TRUE(net_->run_until([&] { return !alice_->notices("alarm").empty(); }));
  EXPECT_EQ(alice_->audited("identity.foreign-entry").size(), 1U);
  const auto changed = alice_->edit([&](Host& host) {
    return ledger::update_policy(host, [](Policy& policy) { policy.set = "late"; });
  });
  ASSERT_FALSE(changed.has_value());
  EXPECT_NE(changed.error().detail.find("another ledger"), std::string::npos);
  EXPECT_TRUE(all_posted());
}

TEST_F(IdentityTest, AChangeBeyondThisAgentsRightsIsRefused) {
  create_posted();
  const auto refused = alice_->look([&](Host& host) {
    return ledger::update_policy(host, [](Policy& policy) { policy.agents.clear(); });
  });
  EXPECT_FALSE(refused.has_value());
  const auto no_change = alice_->look([&](Host& host) {
    return ledger::update_policy(host, [](Policy& policy) { policy.rules["admin"] = 2; });
  });
  EXPECT_EQ(no_change.error(), Errc::refused);
}

TEST_F(IdentityTest, OthersResolveTheDidFromTheLedger) {
  create_posted();
  AgentBox& bob = net_->add("bob", modules<IdentityModule, Rotation>(), kNoVaultYet);
  const auto resolve = [&](const std::string& did) {
    const JsonObject started = must(bob.command("did-resolve", {{"did", did}, {"ledger", kUrl}}));
    net_->run_for(std::chrono::seconds{10});
    return must(bob.command("did-resolve-status", {{"id", text(started, "id")}}));
  };
  const JsonObject done = resolve(own().did);
  EXPECT_EQ(text(done, "state"), "done");
  EXPECT_EQ(text(*must(crypto::json_object(done, "didDocument")), "id"), own().did);
  const auto* metadata = must(crypto::json_object(done, "didDocumentMetadata"));
  EXPECT_TRUE(text(*metadata, "versionId").starts_with("0-"));

  const auto kept = [&] {
    return bob.look([&](Host& host) {
      return protocol::kept_document(host, *Did::parse(own().did)).has_value();
    });
  };
  EXPECT_TRUE(kept());
  net_->run_for(limits::kDidWebDocumentLife);
  EXPECT_FALSE(kept());

  const auto why = [&](const std::string& did) {
    const JsonObject failed = resolve(did);
    EXPECT_EQ(text(failed, "state"), "failed");
    return text(*must(crypto::json_object(failed, "didResolutionMetadata")), "error");
  };
  EXPECT_EQ(why("did:kith:" + ledger::blob_hash({})), "notFound");
  EXPECT_EQ(why(own().policy), "methodNotSupported");
  EXPECT_EQ(why("did:kith:short"), "invalidDid");
  EXPECT_EQ(why("did:example:bob"), "methodNotSupported");
  EXPECT_EQ(text(resolve("did:key:" + crypto::multikey(own().agent_key)), "state"), "done");

  // The same version by its id and by its time; no other exists.
  const std::string version = text(*metadata, "versionId");
  EXPECT_EQ(resolve(own().did + "?versionId=" + version).at("content"), done.at("didDocument"));
  const std::string created = text(*metadata, "created");
  EXPECT_EQ(text(resolve(own().did + "?versionTime=" + created), "state"), "done");
  EXPECT_FALSE(kept()) << "an earlier version is no word on the present";
  EXPECT_EQ(why(own().did + "?versionId=1-" + version.substr(2)), "notFound");
  EXPECT_EQ(why(own().did + "?versionTime=2001-01-01T00:00:00Z"), "notFound");
  EXPECT_EQ(why(own().did + "?versionTime=yesterday"), "invalidDidUrl");
}

TEST_F(IdentityTest, ShowsThePolicyAndItsHistory) {
  create_posted();
  reachable_ = false;
  set_anchor("one");
  const JsonObject shown = must(alice_->command("policy-show"));
  EXPECT_EQ(text(shown, "set"), "one");
  EXPECT_FALSE(shown.at("posted").get_bool());
  const JsonObject history = must(alice_->command("policy-history"));
  const JsonArray& entries = history.at("entries").get_array();
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_TRUE(entries[0].get_object().at("posted").get_bool());
  EXPECT_FALSE(entries[1].get_object().at("posted").get_bool());
  EXPECT_EQ(text(must(alice_->command("identity-show")), "did"), own().did);
}

}  // namespace
}  // namespace kith::test
