#pragma once

/// Alice's identity, two ledgers that it may live on, and Bob who looks it up.

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ledger/identity_setup.hpp"
#include "ledger/ledger_effects.hpp"
#include "ledger/log_keys.hpp"
#include "ledger/log_writer.hpp"
#include "ledger/memory_ledger.hpp"
#include "ledger/remote/service.hpp"
#include "ledger/seen_ledgers.hpp"
#include "tests/support/agents.hpp"
#include "tests/support/ledger_kit.hpp"
#include "tests/support/log_lab.hpp"

namespace kith::test {

using ledger::Identity;
using ledger::IdentityModule;
using protocol::Effect;
using protocol::EffectKind;
using protocol::EffectResult;

inline constexpr std::int64_t kContestSeconds = 600;
inline constexpr std::int64_t kDelaySeconds = 60;

/// One of the ledgers: down, or refusing appends, when a test says so.
struct Place {
  Place(std::string at, std::uint64_t seed)
      : url(std::move(at)),
        id(ledger::ledger_id(ledger_descriptor(seed))),
        ledger(ledger_descriptor(seed), true),
        prover(ledger, ledger_signer(seed)),
        service(ledger, ledger_signer(seed)) {}
  std::string url;
  std::string id;
  ledger::MemoryLedger ledger;
  ledger::LedgerProver prover;
  ledger::LedgerService service;
  bool up = true;
  bool full = false;
  std::function<void()> on_append = [] {};
};

/// As log_keys.cpp keeps it in a wallet without vault.
struct UnvaultedRecovery {
  std::vector<std::string> keys;
  Bytes salt;
  template <class V>
  void visit(V& v) {
    v("keys", keys), v("salt", salt);
  }
};

/// Base of the tests of moves.
class MoveLab : public ::testing::Test {
 protected:
  MoveLab() { reset(); }

  void reset() {
    alice_ = nullptr;
    bob_ = nullptr;
    net_ = std::make_unique<Network>();
    old_ = std::make_unique<Place>("https://old.example", 1);
    new_ = std::make_unique<Place>("https://new.example", 2);
    net_->perform = [this](AgentBox& box, const Effect& effect) {
      return std::optional(perform(box, effect));
    };
    alice_ = &net_->add("alice", modules<IdentityModule>(), BoxOptions{true, test_mode_, false});
    bob_ = &net_->add("bob", modules<IdentityModule>(), kNoVaultYet);
  }
  /// As any web client asks, who has the address from a DID document.
  std::optional<EffectResult> fetch_page(Place& place, const Effect& effect) {
    if (effect.kind != EffectKind::fetch) return std::nullopt;
    const auto asked = must(protocol::decode_record<protocol::FetchPayload>(effect.payload));
    if (!asked.page || !asked.url.starts_with(place.url)) return std::nullopt;
    const auto reply = place.service.handle({"GET", asked.url.substr(place.url.size()), {}},
                                            ledger::anchor_time(net_->now()));
    const protocol::FetchedPage page{static_cast<std::uint32_t>(reply.status),
                                     {},
                                     reply.content_type,
                                     crypto::to_bytes(std::string_view(reply.body))};
    return EffectResult{effect.id, protocol::encode_record(page), false};
  }
  EffectResult perform(AgentBox& box, const Effect& effect) {
    for (Place* place : {old_.get(), new_.get()}) {
      if (!place->up || !box.online()) continue;
      if (auto page = fetch_page(*place, effect)) return std::move(*page);
      if (ledger::ledger_of(effect) != place->url) continue;
      if (effect.kind == EffectKind::ledger_append) place->on_append();
      if (place->full && effect.kind == EffectKind::ledger_append) {
        return {effect.id, fail(Errc::limit_exceeded, "no room"), false};
      }
      return ledger::perform_on(place->ledger, effect, ledger::anchor_time(net_->now()),
                                &place->prover);
    }
    return {effect.id, fail(Errc::unreachable), true};
  }

  void create(AgentBox& box, const Place& place) {
    JsonObject args{{"name", "Somebody"}, {"ledger", place.url}, {"no_vault", true}};
    if (test_mode_) {
      args["delay_seconds"] = kDelaySeconds;
      args["contest_seconds"] = kContestSeconds;
    }
    must(box.command("identity-create", std::move(args)));
    ASSERT_TRUE(net_->run_until([&] { return state(box) == "posted"; }));
  }
  static std::string state(AgentBox& box) {
    return text(must(box.command("identity-status")), "state");
  }
  static Identity own(AgentBox& box) {
    return *box.look([](Host& host) { return ledger::identity(host); });
  }
  std::string step() { return text(must(alice_->command("ledger-move-status")), "state"); }
  std::string error() { return text(must(alice_->command("ledger-move-status")), "error"); }
  Result<JsonObject> start() { return alice_->command("ledger-move", {{"ledger", new_->url}}); }
  bool moved() { return own(*alice_).ledger_id == new_->id && state(*alice_) == "posted"; }
  void move() {
    must(start());
    ASSERT_TRUE(net_->run_until([&] { return moved(); }));
  }
  static std::vector<ledger::AnchoredBlob> held(Place& place, const std::string& subject) {
    std::vector<ledger::AnchoredBlob> blobs;
    for (const auto& entry : must(ledger::read_all(place.ledger, subject))) {
      blobs.push_back({entry.blob, entry.time, place.id});
    }
    return blobs;
  }
  /// The log as somebody reads it who has both ledgers before him.
  LogView read_both(const std::string& subject) {
    std::vector<ledger::AnchoredBlob> blobs = held(*old_, subject);
    for (auto& blob : held(*new_, subject)) blobs.push_back(std::move(blob));
    return must(
        ledger::read_log(subject, blobs, {ledger::anchor_time(net_->now()), true, {}, false}));
  }
  Result<void> set_anchor(const std::string& anchor) {
    return alice_->edit([&](Host& host) {
      return ledger::update_policy(host, [&](ledger::Policy& policy) { policy.set = anchor; });
    });
  }
  /// A recover, by whoever holds the recovery authority of that wallet.
  static Entry recover(AgentBox& box, const std::string& subject, const LogView& view,
                       std::uint64_t fork, const std::string& ledger, ledger::AnchorTime now) {
    return box.look([&](Host& host) {
      const ledger::LogKeys fresh = must(ledger::generate_log_keys(host.keys(), host.random()));
      const auto authority = *protocol::load<UnvaultedRecovery>(host, "log-salt", subject);
      const ledger::Reveal reveal{1, authority.keys, crypto::multibase(authority.salt)};
      ledger::LogContent content = *view.history[fork].entry->content;
      content.keys = fresh.keys;
      content.next = fresh.next.digests;
      content.rec.d = fresh.recovery.digest;
      content.ledgers = {ledger};
      Entry entry = must(ledger::make_recover(view, fork, reveal, content, now));
      const PublicKey key = must(ledger::signing_key(authority.keys.front()));
      must(ledger::add_signature(entry, key, host.keys(),
                                 *ledger::log_key(host, authority.keys.front())));
      return entry;
    });
  }
  /// Of that log's first entry, by somebody who has its recovery authority.
  void recover_on_old(const std::string& subject) {
    const auto now = ledger::anchor_time(net_->now());
    const Entry entry = recover(*alice_, subject, read_both(subject), 0, old_->id, now);
    const auto outcome = must(old_->ledger.append({subject, ledger::entry_blob(entry), {}}, now));
    ASSERT_TRUE(std::holds_alternative<ledger::Appended>(outcome));
  }
  /// What Bob finds who asks the ledger at `url`.
  JsonObject look_up(const std::string& url) {
    const std::string id = text(
        must(bob_->command("did-resolve", {{"did", own(*alice_).did}, {"ledger", url}})), "id");
    const auto look = [&] { return must(bob_->command("did-resolve-status", {{"id", id}})); };
    EXPECT_TRUE(net_->run_until([&] { return text(look(), "state") != "waiting"; }));
    return look();
  }
  static std::int64_t n_of(const JsonObject& found) {
    const auto version = text(found.at("didDocumentMetadata").get_object(), "versionId");
    return std::stoll(version.substr(0, version.find('-')));
  }
  void pass(Duration time) { net_->run_for(time); }

  bool test_mode_ = true;  ///< Of Alice; without it windows and pauses are as for people.
  std::unique_ptr<Network> net_;
  std::unique_ptr<Place> old_;
  std::unique_ptr<Place> new_;
  AgentBox* alice_ = nullptr;
  AgentBox* bob_ = nullptr;
};

}  // namespace kith::test
