#include "recovery/owner_setup.hpp"

#include <algorithm>

#include "crypto/dleq.hpp"
#include "protocol/contact.hpp"
#include "protocol/freeze.hpp"
#include "protocol/messenger.hpp"
#include "protocol/sender.hpp"
#include "protocol/vault.hpp"
#include "recovery/heartbeat.hpp"
#include "recovery/messages.hpp"
#include "recovery/owner_deal.hpp"
#include "recovery/owner_upload.hpp"

namespace kith::recovery {
namespace {

constexpr Duration kRepeatFast{5'000};      // While people are answering right now.
constexpr Duration kRepeatSlow{3'600'000};  // Trustees may be offline for days.
constexpr Duration kFirstBackupLook{2'000};

void send_offer(Host& host, const TrusteeProgress& trustee, const std::string& text) {
  const CapabilityOffer offer{trustee.offer_id, {"RECOVERY_SHARE"}, text};
  static_cast<void>(send_to_trustee(host, trustee.contact_id, CapabilityOffer::kName,
                                    protocol::encode_body(offer)));
}

void send_prepare(Host& host, const TrusteeProgress& trustee) {
  const SharePrepare prepare{trustee.change_id, trustee.wire, trustee.challenge};
  static_cast<void>(send_to_trustee(host, trustee.contact_id, SharePrepare::kName,
                                    protocol::encode_body(prepare)));
}

void send_commit(Host& host, const OwnerSet& set, const TrusteeProgress& trustee) {
  const auto& leaf = set.record.leaves[trustee.leaf];
  const ShareChange commit{trustee.change_id, crypto::to_bytes(leaf.record_id), leaf.version, {}};
  static_cast<void>(send_to_trustee(host, trustee.contact_id, ShareChange::kCommit,
                                    protocol::encode_body(commit)));
}

/// The set, and the place in it of the contact that sent `inbound`.
struct Answering {
  OwnerSet set;
  std::size_t trustee = 0;
  Contact contact;
};
Result<Answering> answering(Host& host, const Inbound& inbound) {
  TRY(Contact contact, protocol::sender_of(host, inbound));
  auto set = owner_set(host);
  if (!set) return fail(Errc::wrong_state, "no recovery set is being made here");
  for (std::size_t i = 0; i < set->trustees.size(); ++i) {
    if (set->trustees[i].contact_id == contact.id) {
      return Answering{std::move(*set), i, std::move(contact)};
    }
  }
  return fail(Errc::refused, "this contact was not asked to be a trustee");
}

void finish_when_committed(Host& host, OwnerSet& set) {
  LeafSet committed;
  for (const TrusteeProgress& trustee : set.trustees) {
    if (trustee.step == TrusteeStep::committed) committed.insert(trustee.leaf);
  }
  if (set.step != SetStep::committing || !quorum(set.record.plan, committed)) return;
  set.step = SetStep::done;
  save_set(host, set);
  host.audit("recovery.set-done");
  host.notify(
      {"recovery", "Your trustees can now help you back. See `kith recovery status`.", {}, {}});
  host.set_timer(kOwnerModule, kTimerHeartbeat, host.now());
  host.set_timer(kOwnerModule, kTimerBackup, host.now() + kFirstBackupLook);
}

}  // namespace

Result<void> send_to_trustee(Host& host, const std::string& contact_id, std::string_view name,
                             JsonObject body, Duration life) {
  const auto contact = protocol::find_contact(host, contact_id);
  if (!contact) return fail(Errc::unknown_peer, "a trustee is no longer a contact");
  TRY(Message message, protocol::message_to(host, *contact, type_uri("trustee", name)));
  message.body = std::move(body);
  protocol::SendOptions options;
  options.life = life;
  TRY(const std::string id, protocol::send(host, std::move(message), options));
  return {};
}

Result<JsonObject> begin_setup(Host& host, const Command& command) {
  if (const auto old = owner_set(host)) {
    if (old->step != SetStep::offering) {
      return fail(Errc::wrong_state, "there is a recovery set already");
    }
    abort_shares(host, *old);
  }
  TRY(const Choices choices, read_choices(host, command.args));
  TRY(const SealedKey vault, protocol::open_vault(host, command.step_up));
  TRY(OwnerSet set, deal_owner_set(host, choices, vault));
  save_set(host, set);
  for (const TrusteeProgress& trustee : set.trustees) send_offer(host, trustee, choices.text);
  host.set_timer(kOwnerModule, kTimerRepeat, host.now() + kRepeatSlow);
  host.audit("recovery.set-dealt", {{"trustees", set.trustees.size()}});
  return JsonObject{{"set", crypto::hex(set.record.set_id)}, {"state", "setting-up"}};
}

Result<void> on_capability_answer(Host& host, const Inbound& inbound) {
  TRY(Answering at, answering(host, inbound));
  TrusteeProgress& trustee = at.set.trustees[at.trustee];
  const bool declined = inbound.message.type == type_uri("trustee", CapabilityDecline::kName);
  if (declined) {
    TRY(const auto decline, protocol::decode_body<CapabilityDecline>(inbound.message.body));
    if (decline.offer_id != trustee.offer_id) return fail(Errc::expired, "an older offer");
    if (trustee.step != TrusteeStep::offered) return {};
    trustee.step = TrusteeStep::declined;
    host.notify({"recovery",
                 at.contact.name + " declined to be your trustee. Choose somebody else with "
                                   "`kith recovery setup`.",
                 at.contact.id,
                 {}});
  } else {
    TRY(const auto request, protocol::decode_body<CapabilityRequest>(inbound.message.body));
    if (request.offer_id != trustee.offer_id) return fail(Errc::expired, "an older offer");
    const bool takes_share =
        std::ranges::find(request.capabilities, "RECOVERY_SHARE") != request.capabilities.end();
    if (!takes_share) return fail(Errc::unsupported, "only RECOVERY_SHARE was offered");
    if (trustee.step != TrusteeStep::offered) return {};
    trustee.step = TrusteeStep::preparing;
    const bool frozen = protocol::stopped(host, protocol::Operation::change_policy);
    if (!frozen) send_prepare(host, trustee);  // Else the timer does it, after the thaw.
    host.set_timer(kOwnerModule, kTimerRepeat, host.now() + kRepeatFast);
  }
  save_set(host, at.set);
  return {};
}

Result<void> on_share_prepared(Host& host, const Inbound& inbound) {
  TRY(Answering at, answering(host, inbound));
  TRY(const auto prepared, protocol::decode_body<SharePrepared>(inbound.message.body));
  TrusteeProgress& trustee = at.set.trustees[at.trustee];
  auto& leaf = at.set.record.leaves[trustee.leaf];
  if (prepared.change_id != trustee.change_id ||
      prepared.record_id != crypto::to_bytes(leaf.record_id) || prepared.version != leaf.version) {
    return fail(Errc::wrong_state, "that acknowledges another change");
  }
  if (trustee.step == TrusteeStep::declined || trustee.step >= TrusteeStep::prepared) return {};
  const Bytes statement = heartbeat_statement(leaf.record_id, leaf.version, trustee.challenge,
                                              at.contact.my_did, at.contact.their_did);
  CHECK(crypto::verify_schnorr(leaf.share_point, statement, prepared.proof));
  trustee.step = TrusteeStep::prepared;
  trustee.last_proof = host.now();
  leaf.acknowledged = true;
  save_set(host, at.set);
  if (protocol::stopped(host, protocol::Operation::change_policy)) {
    host.set_timer(kOwnerModule, kTimerRepeat, host.now() + kRepeatFast);  // After the thaw.
    return {};
  }
  if (at.set.step == SetStep::committing || at.set.step == SetStep::done) {
    send_commit(host, at.set, trustee);  // A straggler of a set that is in force.
  }
  store_when_enough(host, at.set);
  return {};
}

Result<void> on_share_committed(Host& host, const Inbound& inbound) {
  TRY(Answering at, answering(host, inbound));
  TRY(const auto committed, protocol::decode_body<ShareChange>(inbound.message.body));
  TrusteeProgress& trustee = at.set.trustees[at.trustee];
  if (committed.change_id != trustee.change_id) return fail(Errc::wrong_state, "another change");
  if (trustee.step != TrusteeStep::prepared) return {};
  trustee.step = TrusteeStep::committed;
  trustee.wire.clear();
  save_set(host, at.set);
  finish_when_committed(host, at.set);
  return {};
}

void repeat_unanswered(Host& host) {
  auto set = owner_set(host);
  if (!set) return;
  bool waiting_for_program = false;
  bool waiting_for_people = false;
  for (const TrusteeProgress& trustee : set->trustees) {
    if (trustee.step == TrusteeStep::preparing) {
      send_prepare(host, trustee);
      waiting_for_program = true;
    } else if (trustee.step == TrusteeStep::prepared &&
               (set->step == SetStep::committing || set->step == SetStep::done)) {
      send_commit(host, *set, trustee);
      waiting_for_program = true;
    } else if (trustee.step == TrusteeStep::offered) {
      waiting_for_people = true;  // Their offer is kept by their mediator for its whole life.
    }
  }
  store_when_enough(host, *set);
  if (!waiting_for_program && !waiting_for_people) return;
  // Ever more rarely, so that the mailbox of a trustee who is away for weeks does not fill up.
  const Duration pause =
      std::clamp((host.now() - set->record.created) / 4, kRepeatFast * 12, kRepeatSlow * 6);
  host.set_timer(kOwnerModule, kTimerRepeat,
                 host.now() + (waiting_for_program ? pause : kRepeatSlow * 6));
}

void abort_shares(Host& host, const OwnerSet& set) {
  for (const TrusteeProgress& trustee : set.trustees) {
    const auto& leaf = set.record.leaves[trustee.leaf];
    const ShareChange abort{trustee.change_id, crypto::to_bytes(leaf.record_id), leaf.version, {}};
    static_cast<void>(send_to_trustee(host, trustee.contact_id, ShareChange::kAbort,
                                      protocol::encode_body(abort)));
  }
}

void commit_shares(Host& host, const OwnerSet& set) {
  for (const TrusteeProgress& trustee : set.trustees) {
    if (trustee.step == TrusteeStep::prepared) send_commit(host, set, trustee);
  }
  host.set_timer(kOwnerModule, kTimerRepeat, host.now() + kRepeatFast);
}

}  // namespace kith::recovery
