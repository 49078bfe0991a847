#include "recovery/owner_setup.hpp"

#include <algorithm>

#include "crypto/dleq.hpp"
#include "ledger/identity.hpp"
#include "ledger/log_store.hpp"
#include "ledger/policy.hpp"
#include "protocol/contact.hpp"
#include "protocol/messenger.hpp"
#include "protocol/own_service.hpp"
#include "protocol/vault.hpp"
#include "recovery/backup_location.hpp"
#include "recovery/heartbeat.hpp"
#include "recovery/messages.hpp"
#include "recovery/wallet_backup.hpp"

namespace kith::recovery {
namespace {

constexpr Duration kRepeatFast{5'000};      // While people are answering right now.
constexpr Duration kRepeatSlow{3'600'000};  // Trustees may be offline for days.
constexpr Duration kAnchorLook{500};
constexpr Duration kBackupLook{60'000};
constexpr Duration kBackupLookTest{2'000};
constexpr Duration kBackupLookMax{3'600'000};

TestMode test_mode(Host& host) {
  return host.test_mode() ? TestMode::on : TestMode::off;
}

Bytes bytes_of(const auto& array) {
  return {array.begin(), array.end()};
}

/// What the owner chose for all trustees alike.
struct Choices {
  std::uint8_t threshold = 0;
  std::vector<Contact> trustees;
  Terms terms;
  std::string text;
};

Result<Choices> read_choices(Host& host, const JsonObject& args) {
  Choices choices;
  TRY(const std::int64_t threshold, crypto::json_int(args, "threshold"));
  TRY(const JsonArray* names, crypto::json_array(args, "trustees"));
  TRY(const auto waiting, crypto::json_optional_string(args, "waiting"));
  TRY(const auto text, crypto::json_optional_string(args, "text"));
  if (names->size() > limits::kPlanChildrenMax) {
    return fail(Errc::limit_exceeded, "at most 32 trustees");
  }
  if (names->size() < 2) return fail(Errc::usage, "choose at least two trustees");
  if (threshold < 1 || threshold > static_cast<std::int64_t>(names->size())) {
    return fail(Errc::usage, "the threshold must lie between 1 and the number of trustees");
  }
  choices.threshold = static_cast<std::uint8_t>(threshold);
  choices.text = text.value_or("");
  if (choices.text.size() > limits::kTextBytesMax) {
    return fail(Errc::limit_exceeded, "the text for your trustees is too long");
  }
  for (const Json& item : *names) {
    if (!item.is_string()) return fail(Errc::malformed, "trustees are names of contacts");
    TRY(Contact contact, protocol::contact_named(host, std::string_view(item.get_string())));
    if (contact.role != ContactRole::person || contact.state != ContactState::connected) {
      return fail(Errc::wrong_state, contact.name + " is not a connected person");
    }
    const bool twice = std::ranges::any_of(
        choices.trustees, [&](const Contact& other) { return other.id == contact.id; });
    if (twice) return fail(Errc::usage, contact.name + " is named twice");
    choices.trustees.push_back(std::move(contact));
  }
  const std::string chosen = waiting.value_or(host.test_mode() ? "test" : "7d");
  TRY(choices.terms.waiting, waiting_from_name(chosen));
  if (is_for_tests(choices.terms.waiting)) choices.terms.contest_days = 0;
  const auto waits = std::chrono::ceil<std::chrono::days>(waiting_period(choices.terms)).count();
  choices.terms.override_days = static_cast<std::uint16_t>(std::max<std::int64_t>(14, 2 * waits));
  return choices;
}

/// The first agreement key of a contact: where its share is sealed to.
Result<PublicKey> agreement_key(Host& host, const Contact& contact) {
  TRY(const Did did, Did::parse(contact.their_did));
  protocol::KnownDids known(host);
  TRY(const DidDocument document, known.resolve(did));
  const auto keys = document.agreement_keys();
  if (keys.empty()) return fail(Errc::unsupported, contact.name + " has no key to seal to");
  return keys.front().key;
}

/// Our authentication key towards a contact: it signs the leaf record.
Result<SealedKey> relationship_key(Host& host, const Contact& contact) {
  TRY(const Did did, Did::parse(contact.my_did));
  protocol::KnownDids known(host);
  protocol::OwnSecrets secrets(host);
  TRY(const DidDocument document, known.resolve(did));
  for (const NamedKey& key : document.authentication_keys()) {
    if (auto sealed = secrets.find(key.kid)) return std::move(*sealed);
  }
  return fail(Errc::not_found, "no key of ours towards " + contact.name);
}

/// Deals the set. `tokens` gets the token of each leaf.
Result<RecoverySet> deal_set(Host& host, const Choices& choices, const SealedKey& vault,
                             std::vector<Token>& tokens) {
  const auto own = ledger::identity(host);
  const auto lock = protocol::vault_lock(host);
  const auto grant = protocol::mediator_grant(host);
  if (!own || !lock) return fail(Errc::wrong_state, "this wallet has no identity with a vault");
  if (!grant) return fail(Errc::wrong_state, "backups need a mediator: kith init --mediator URL");
  TRY(const KeyPair agent, ledger::own_agent_key(host));

  SetInput input;
  std::vector<Holder> holders;
  for (const Contact& contact : choices.trustees) {
    holders.push_back({HolderKind::trustee, contact.id});
  }
  TRY(input.plan, flat_plan(choices.threshold, holders));
  std::vector<SealedKey> owner_keys;
  owner_keys.reserve(choices.trustees.size());
  for (const Contact& contact : choices.trustees) {
    TRY(SealedKey key, relationship_key(host, contact));
    owner_keys.push_back(std::move(key));
    LeafInput leaf;
    TRY(leaf.trustee_key, agreement_key(host, contact));
    leaf.owner_key = &owner_keys.back();
    leaf.terms = choices.terms;
    tokens.push_back(random_id<Token>(host.random()));
    leaf.locations = {{grant->routing_did, tokens.back()}};
    input.leaves.emplace_back(std::move(leaf));
  }
  input.policy_address = own->policy;
  input.ledger_descriptors = {own->ledger};
  input.vault = lock->public_key;
  input.unlocked_vault = &vault;
  input.agent_key = &agent.sealed;
  input.agent = agent.public_key;
  input.mode = test_mode(host);
  input.now = host.now();
  return make_set(input, host.keys(), host.random());
}

/// Hashes of the tokens in use, filled up with random ones and shuffled: a location learns nothing
/// of how many trustees there are.
std::vector<Bytes> hash_tokens(Host& host, const std::vector<Token>& tokens) {
  std::vector<Bytes> hashes;
  for (const Token& token : tokens) hashes.push_back(token_hash(token));
  while (hashes.size() < limits::kBackupTokensPerSet) hashes.push_back(host.random().bytes(32));
  std::ranges::sort(hashes);
  return hashes;
}

OwnerSet new_owner_set(Host& host, const Choices& choices, RecoverySet dealt,
                       const std::vector<Token>& tokens) {
  OwnerSet set;
  set.record = std::move(dealt.record);
  set.sheet = dealt.sheet.encoded();
  set.capsule = std::move(dealt.capsule);
  set.token_hashes = hash_tokens(host, tokens);
  for (TrusteeLeaf& leaf : dealt.trustees) {
    TrusteeProgress trustee;
    trustee.leaf = leaf.leaf;
    trustee.contact_id = choices.trustees[leaf.leaf].id;
    trustee.offer_id = crypto::hex(host.random().bytes(16));
    trustee.change_id = host.random().bytes(16);
    trustee.challenge = host.random().bytes(kHeartbeatChallengeBytes);
    trustee.wire = std::move(leaf.wire);
    const std::string record_id = crypto::hex(set.record.leaves[leaf.leaf].record_id);
    protocol::put_vault_record(host, {"retire-" + record_id,
                                      protocol::VaultUse::retire,
                                      record_id,
                                      {},
                                      std::move(leaf.retire_item),
                                      host.now()});
    set.trustees.push_back(std::move(trustee));
  }
  return set;
}

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
  const ShareChange commit{trustee.change_id, bytes_of(leaf.record_id), leaf.version, {}};
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
  if (!inbound.info.sender || !inbound.info.own_did) return fail(Errc::not_authentic);
  TRY(Contact contact, protocol::contact_of(host, *inbound.info.own_did, *inbound.info.sender));
  auto set = owner_set(host);
  if (!set) return fail(Errc::wrong_state, "no recovery set is being made here");
  for (std::size_t i = 0; i < set->trustees.size(); ++i) {
    if (set->trustees[i].contact_id == contact.id) {
      return Answering{std::move(*set), i, std::move(contact)};
    }
  }
  return fail(Errc::refused, "this contact was not asked to be a trustee");
}

LeafSet acknowledged(const OwnerSet& set) {
  LeafSet leaves;
  for (const TrusteeProgress& trustee : set.trustees) {
    if (trustee.step >= TrusteeStep::prepared) leaves.insert(trustee.leaf);
  }
  return leaves;
}

std::optional<LocationLink> own_location(Host& host) {
  const auto grant = protocol::mediator_grant(host);
  if (!grant) return std::nullopt;
  const auto contact = protocol::find_contact(host, grant->contact_id);
  if (!contact) return std::nullopt;
  return LocationLink{contact->my_did, contact->their_did, {}};
}

/// Seals the parts of the set and starts their upload.
Result<void> start_upload(Host& host, OwnerSet& set, bool whole_set) {
  const auto link = own_location(host);
  if (!link) return fail(Errc::wrong_state, "no backup location");
  TRY(const SecretPoint key, recovery_key_of(set.record));
  const Bytes set_id = bytes_of(set.record.set_id);
  std::vector<PartVersion> parts;
  if (whole_set) {
    parts.push_back({BackupPart::sheet, set_id, 0, {set.sheet}, set.token_hashes});
    parts.push_back({BackupPart::capsule, set_id, 0, {set.capsule}, {}});
  }
  ++set.backup_counter;
  save_set(host, set);  // The snapshot below holds the set with this counter.
  set.stored_digest = content_digest(host);
  TRY(PartVersion backup, seal_part(host, crypto::ContainerFormat::backup, BackupPart::backup,
                                    set_id, key, set.backup_counter, wallet_snapshot(host)));
  TRY(PartVersion log, seal_part(host, crypto::ContainerFormat::log_part, BackupPart::log, set_id,
                                 key, set.backup_counter, own_logs_snapshot(host)));
  parts.push_back(std::move(log));
  parts.push_back(std::move(backup));
  set.job = start_put(host, kOwnerModule, kTimerStored, *link, parts);
  save_set(host, set);
  return {};
}

/// Enough trustees hold their share: store everything, then anchor.
void store_when_enough(Host& host, OwnerSet& set) {
  if (set.step != SetStep::offering || !quorum(set.record.plan, acknowledged(set))) return;
  set.step = SetStep::storing;
  const auto started = start_upload(host, set, true);
  if (!started.has_value()) {
    set.step = SetStep::offering;  // The repeat timer comes back to it.
    host.notify({"alarm", "Your backup could not be stored: " + started.error().detail, {}, {}});
    save_set(host, set);
  }
}

Result<void> anchor_set(Host& host, OwnerSet& set) {
  const std::string text = anchor_text(set.record.anchor);
  CHECK(ledger::update_policy(host, [&](ledger::Policy& policy) { policy.set = text; }));
  set.step = SetStep::anchoring;
  save_set(host, set);
  host.set_timer(kOwnerModule, kTimerAnchor, host.now() + kAnchorLook);
  return {};
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
  host.set_timer(kOwnerModule, kTimerBackup, host.now() + kBackupLookTest);
}

}  // namespace

Result<void> send_to_trustee(Host& host, const std::string& contact_id, std::string_view name,
                             JsonObject body, Duration life) {
  const auto contact = protocol::find_contact(host, contact_id);
  if (!contact) return fail(Errc::unknown_peer, "a trustee is no longer a contact");
  TRY(const Did mine, Did::parse(contact->my_did));
  TRY(const Did theirs, Did::parse(contact->their_did));
  Message message = protocol::new_message(type_uri("trustee", name), host.random(),
                                          protocol::epoch_seconds(host.now()));
  message.from = mine;
  message.to = {theirs};
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
    for (const TrusteeProgress& trustee : old->trustees) {
      const auto& leaf = old->record.leaves[trustee.leaf];
      const ShareChange abort{trustee.change_id, bytes_of(leaf.record_id), leaf.version, {}};
      static_cast<void>(send_to_trustee(host, trustee.contact_id, ShareChange::kAbort,
                                        protocol::encode_body(abort)));
    }
  }
  TRY(const Choices choices, read_choices(host, command.args));
  TRY(const SealedKey vault, protocol::open_vault(host, command.step_up));
  std::vector<Token> tokens;
  TRY(RecoverySet dealt, deal_set(host, choices, vault, tokens));
  OwnerSet set = new_owner_set(host, choices, std::move(dealt), tokens);
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
    send_prepare(host, trustee);
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
  if (prepared.change_id != trustee.change_id || prepared.record_id != bytes_of(leaf.record_id) ||
      prepared.version != leaf.version) {
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

void after_upload(Host& host) {
  auto set = owner_set(host);
  if (!set || set->job.empty()) return;
  const auto result = job_result(host, set->job);
  if (!result.has_value() || result->state == JobState::running) return;
  drop_job(host, set->job);
  set->job.clear();
  if (result->state == JobState::failed) {
    host.notify({"alarm", "Your backup could not be stored: " + result->problem, {}, {}});
    host.audit("backup.failed");
    if (set->step == SetStep::storing) set->step = SetStep::offering;
    save_set(host, *set);
    host.set_timer(kOwnerModule, kTimerRepeat, host.now() + kRepeatFast * 12);
    return;
  }
  set->stored_counter = set->backup_counter;
  set->stored = host.now();
  host.audit("backup.stored", {{"counter", set->stored_counter}});
  save_set(host, *set);
  if (set->step == SetStep::storing) {
    const auto anchored = anchor_set(host, *set);
    if (!anchored.has_value()) {
      host.notify(
          {"alarm", "The recovery set could not be anchored: " + anchored.error().detail, {}, {}});
      host.set_timer(kOwnerModule, kTimerAnchor, host.now() + kRepeatFast);
    }
  }
  host.set_timer(kOwnerModule, kTimerBackup,
                 host.now() + (host.test_mode() ? kBackupLookTest : kBackupLook));
}

void check_anchor(Host& host) {
  auto set = owner_set(host);
  const auto own = ledger::identity(host);
  if (!set || !own) return;
  if (set->step == SetStep::storing && set->job.empty()) {
    const auto anchored = anchor_set(host, *set);
    if (!anchored.has_value()) {
      host.set_timer(kOwnerModule, kTimerAnchor, host.now() + kRepeatFast);
    }
    return;
  }
  if (set->step != SetStep::anchoring) return;
  const auto view = ledger::stored_view(host, own->policy);
  const auto policy = view.has_value() ? ledger::parse_policy(view->current.state)
                                       : Result<ledger::Policy>(view.error());
  if (policy.has_value() && ledger::posted(host, own->policy)) {
    if (policy->set != anchor_text(set->record.anchor)) {
      // Another change came first and ours was dropped: once more on top of it.
      static_cast<void>(anchor_set(host, *set));
      return;
    }
    set->step = SetStep::committing;
    save_set(host, *set);
    for (const TrusteeProgress& trustee : set->trustees) {
      if (trustee.step == TrusteeStep::prepared) send_commit(host, *set, trustee);
    }
    host.set_timer(kOwnerModule, kTimerRepeat, host.now() + kRepeatFast);
    return;
  }
  host.set_timer(kOwnerModule, kTimerAnchor, host.now() + kAnchorLook);
}

void backup_if_changed(Host& host) {
  auto set = owner_set(host);
  if (!set || set->step != SetStep::done) return;
  // A wallet that has not changed for long is looked at ever more rarely.
  const Duration least = host.test_mode() ? kBackupLookTest : kBackupLook;
  const Duration look = std::clamp((host.now() - set->stored) / 4, least, kBackupLookMax);
  host.set_timer(kOwnerModule, kTimerBackup, host.now() + look);
  if (!set->job.empty() || content_digest(host) == set->stored_digest) return;
  const auto started = start_upload(host, *set, false);
  if (!started.has_value()) {
    host.audit("backup.not-started", {{"code", crypto::error_text(started.error().code).code}});
  }
}

}  // namespace kith::recovery
