#include "recovery/trustee_share.hpp"

#include <algorithm>

#include "protocol/messenger.hpp"
#include "recovery/backup_location.hpp"
#include "recovery/heartbeat.hpp"
#include "recovery/vouch.hpp"

namespace kith::recovery {
namespace {

constexpr std::string_view kTrusteeships = "trusteeship";
constexpr std::string_view kShares = "share";
constexpr std::size_t kChangeIdBytes = 16;
/// A jump of the clock makes contest days pass by no more than this.
constexpr std::chrono::hours kAgeStepMax{48};

struct StoredShare {
  SealedShare share;
  template <class V>
  void visit(V& v) {
    v("share", share);
  }
};

protocol::RecordKey share_key(std::string_view contact_id, const LeafRecord& record) {
  return {std::string(kShares), std::string(contact_id) + "/" + crypto::hex(record.record_id) +
                                    "/" + std::to_string(record.version)};
}

bool same_id(const RecordId& id, ByteView bytes) {
  return crypto::equal(id, bytes);
}

void forget_share(Host& host, const Trusteeship& trusteeship, const HeldVersion& version) {
  host.erase(share_key(trusteeship.contact_id, version.record));
}

/// The stricter of both in every respect.
Terms strictest(const Terms& a, const Terms& b) {
  Terms terms;
  terms.waiting = waiting_period(a) >= waiting_period(b) ? a.waiting : b.waiting;
  terms.override_days = std::max(a.override_days, b.override_days);
  terms.contest_days = std::max(a.contest_days, b.contest_days);
  terms.override_allowed = a.override_allowed && b.override_allowed;
  terms.classic_allowed = a.classic_allowed && b.classic_allowed;
  return terms;
}

HeldVersionRef ref_of(const HeldVersion& version) {
  return {crypto::to_bytes(version.record.record_id), version.record.version,
          crypto::to_bytes(version.record.share_point.bytes()),
          std::string(held_state_name(version.state))};
}

/// Is what the owner believes to be committed what is committed?
bool base_fits(const Trusteeship& trusteeship, const HeldVersionRef& base) {
  bool any = false;
  for (const HeldVersion& held : trusteeship.versions) {
    if (held.state != HeldState::committed) continue;
    any = true;
    const HeldVersionRef ref = ref_of(held);
    if (ref.record_id == base.record_id && ref.version == base.version &&
        ref.share_point == base.share_point) {
      return true;
    }
  }
  return !any && base.record_id.empty();
}

/// Checks the record against every key that the owner signs with, and opens its box with every key
/// of ours that it may be sealed to.
Result<AcceptedLeaf> accept_from(Host& host, const Contact& owner, ByteView wire) {
  protocol::KnownDids known(host);
  protocol::OwnSecrets secrets(host);
  TRY(const Did mine, Did::parse(owner.my_did));
  TRY(const Did theirs, Did::parse(owner.their_did));
  TRY(const DidDocument own_document, known.resolve(mine));
  TRY(const DidDocument owner_document, known.resolve(theirs));
  const TestMode mode = host.test_mode() ? TestMode::on : TestMode::off;
  Error last = fail(Errc::bad_signature, "the owner has no key that signs");
  for (const NamedKey& signer : owner_document.authentication_keys()) {
    for (const NamedKey& recipient : own_document.agreement_keys(KeyType::x25519)) {
      const auto sealed = secrets.find(recipient.kid);
      if (!sealed) continue;
      auto leaf = accept_leaf_record(wire, signer.key, *sealed, mode, host.keys());
      if (leaf.has_value()) return leaf;
      // With several keys the reason to show is the one that came furthest.
      if (leaf.error().code != Errc::bad_signature || last == Errc::bad_signature) {
        last = leaf.error();
      }
    }
  }
  return last;
}

Result<PrepareAnswer> acknowledge(Host& host, const Contact& owner, const HeldVersion& version,
                                  const SharePrepare& prepare) {
  TRY(const AcceptedLeaf leaf, held_leaf(host, owner.id, version));
  const Bytes statement = heartbeat_statement(version.record.record_id, version.record.version,
                                              prepare.challenge, owner.their_did, owner.my_did);
  SharePrepared prepared;
  prepared.change_id = prepare.change_id;
  prepared.record_id = crypto::to_bytes(version.record.record_id);
  prepared.version = version.record.version;
  TRY(prepared.proof, host.keys().prove_share(leaf.share, statement));
  return PrepareAnswer{SharePrepared::kName, protocol::encode_body(prepared)};
}

/// What may already answer a PREPARE: another change under way, a wrong base, a version that does
/// not go up.
std::optional<PrepareAnswer> obstacle(Host& host, const Trusteeship& trusteeship,
                                      const SharePrepare& prepare, const LeafRecord& record) {
  for (const HeldVersion& held : trusteeship.versions) {
    if (held.state != HeldState::prepared || held.change_id == prepare.change_id) continue;
    const auto age = std::chrono::duration_cast<std::chrono::seconds>(host.now() - held.since);
    const ShareBusy busy{held.change_id, std::max<std::int64_t>(0, age.count())};
    return PrepareAnswer{ShareBusy::kName, protocol::encode_body(busy)};
  }
  bool fits = !prepare.base || base_fits(trusteeship, *prepare.base);
  for (const HeldVersion& held : trusteeship.versions) {
    if (held.record.record_id != record.record_id) continue;
    if (record.version <= held.record.version) fits = false;
  }
  if (fits) return std::nullopt;
  return PrepareAnswer{ShareHeld::kName, protocol::encode_body(held_by(host, trusteeship.contact_id,
                                                                       prepare.change_id))};
}

Result<Trusteeship> accepted_trusteeship(Host& host, const Contact& owner) {
  auto trusteeship = find_trusteeship(host, owner.id);
  if (!trusteeship || !trusteeship->accepted_share()) {
    return fail(Errc::refused, "this trustee has not agreed to hold a share for you");
  }
  return std::move(*trusteeship);
}

void drop_version(Host& host, Trusteeship& trusteeship, const HeldVersion& version) {
  forget_share(host, trusteeship, version);
  const RecordId id = version.record.record_id;
  const std::uint64_t number = version.record.version;
  std::erase_if(trusteeship.versions, [&](const HeldVersion& held) {
    return held.record.record_id == id && held.record.version == number;
  });
}

void retain(Host& host, HeldVersion& version) {
  version.state = HeldState::retained;
  version.since = host.now();
  version.kept = Duration{0};
}

}  // namespace

std::string_view held_state_name(HeldState state) {
  switch (state) {
    case HeldState::prepared:
      return "prepared";
    case HeldState::committed:
      return "committed";
    case HeldState::retained:
      return "retained";
  }
  return "";
}

HeldVersion* Trusteeship::find(ByteView record_id, std::uint64_t version) {
  for (HeldVersion& held : versions) {
    if (same_id(held.record.record_id, record_id) && held.record.version == version) return &held;
  }
  return nullptr;
}

bool Trusteeship::accepted_share() const {
  return std::ranges::find(capabilities, "RECOVERY_SHARE") != capabilities.end();
}

std::optional<Trusteeship> find_trusteeship(Host& host, std::string_view contact_id) {
  return load<Trusteeship>(host, kTrusteeships, contact_id);
}

void save_trusteeship(Host& host, const Trusteeship& trusteeship) {
  save(host, kTrusteeships, trusteeship.contact_id, trusteeship);
}

Result<AcceptedLeaf> held_leaf(Host& host, std::string_view contact_id,
                               const HeldVersion& version) {
  const auto key = share_key(contact_id, version.record);
  auto stored = load<StoredShare>(host, key.collection, key.id);
  if (!stored) return fail(Errc::not_found, "the share is not on this device any more");
  return AcceptedLeaf{version.record, std::move(stored->share)};
}

Terms terms_in_force(const Trusteeship& trusteeship, const HeldVersion& version) {
  Terms terms = version.record.terms;
  for (const HeldVersion& held : trusteeship.versions) {
    const bool earlier = held.order < version.order && held.change_id != version.change_id;
    if (earlier && held.state != HeldState::prepared) terms = strictest(terms, held.record.terms);
  }
  for (const TermsFloor& floor : trusteeship.floors) {
    if (floor.order < version.order) terms = strictest(terms, floor.terms);
  }
  return terms;
}

Result<PrepareAnswer> prepare_share(Host& host, const Contact& owner, const SharePrepare& prepare) {
  TRY(Trusteeship trusteeship, accepted_trusteeship(host, owner));
  if (prepare.change_id.size() != kChangeIdBytes) return fail(Errc::malformed, "change id");
  if (prepare.challenge.size() != kHeartbeatChallengeBytes) {
    return fail(Errc::malformed, "the challenge has 32 bytes");
  }
  TRY(const LeafRecord record, parse_leaf_record(prepare.record));
  if (const HeldVersion* held = trusteeship.find(record.record_id, record.version)) {
    const bool same = held->change_id == prepare.change_id && held->state != HeldState::retained &&
                      held->record.signature == record.signature;
    if (same) return acknowledge(host, owner, *held, prepare);
    if (held->state == HeldState::prepared && held->change_id == prepare.change_id) {
      return fail(Errc::conflict, "this version was prepared with other contents");
    }
  }
  if (auto answer = obstacle(host, trusteeship, prepare, record)) return std::move(*answer);
  if (trusteeship.versions.size() >= kHeldVersionsMax) {
    return fail(Errc::limit_exceeded, "too many versions are held until their contest days end");
  }

  TRY(AcceptedLeaf leaf, accept_from(host, owner, prepare.record));
  HeldVersion version;
  version.record = std::move(leaf.record);
  version.record.share_box.clear();  // Kept sealed for this device alone, outside of backups.
  version.change_id = prepare.change_id;
  version.order = trusteeship.next_order++;
  version.since = host.now();
  const auto key = share_key(owner.id, version.record);
  save(host, key.collection, key.id, StoredShare{std::move(leaf.share)});
  trusteeship.versions.push_back(version);
  save_trusteeship(host, trusteeship);
  host.audit("trustee.share-prepared", {{"contact", owner.id}});
  return acknowledge(host, owner, version, prepare);
}

Result<void> commit_share(Host& host, const Contact& owner, const ShareChange& change) {
  TRY(Trusteeship trusteeship, accepted_trusteeship(host, owner));
  HeldVersion* version = trusteeship.find(change.record_id, change.version);
  if (version == nullptr || version->change_id != change.change_id) {
    return fail(Errc::wrong_state, "nothing was prepared under that change");
  }
  if (version->state == HeldState::committed) return {};
  if (version->state == HeldState::retained) {
    return fail(Errc::wrong_state, "a later change has replaced that version");
  }
  version->state = HeldState::committed;
  version->since = host.now();
  for (HeldVersion& other : trusteeship.versions) {
    const bool replaced =
        other.change_id != change.change_id || (same_id(other.record.record_id, change.record_id) &&
                                                other.record.version < change.version);
    if (replaced && other.state == HeldState::committed) retain(host, other);
  }
  save_trusteeship(host, trusteeship);
  host.audit("trustee.share-committed", {{"contact", owner.id}});
  return {};
}

Result<void> abort_share(Host& host, const Contact& owner, const ShareChange& change) {
  auto trusteeship = find_trusteeship(host, owner.id);
  if (!trusteeship) return {};
  const auto aborted = [&](const HeldVersion& held) {
    return held.state == HeldState::prepared && held.change_id == change.change_id;
  };
  for (const HeldVersion& held : trusteeship->versions) {
    if (aborted(held)) forget_share(host, *trusteeship, held);
  }
  if (std::erase_if(trusteeship->versions, aborted) == 0) return {};
  save_trusteeship(host, *trusteeship);
  host.audit("trustee.share-aborted", {{"contact", owner.id}});
  return {};
}

Result<void> retire_share(Host& host, const Contact& owner, const ShareChange& change) {
  auto trusteeship = find_trusteeship(host, owner.id);
  HeldVersion* version =
      trusteeship ? trusteeship->find(change.record_id, change.version) : nullptr;
  if (version == nullptr) return {};  // Gone already.
  if (change.signature.empty()) {
    if (version->state != HeldState::committed) return {};
    retain(host, *version);
    save_trusteeship(host, *trusteeship);
    host.audit("trustee.share-retained", {{"contact", owner.id}});
    return {};
  }
  CHECK(crypto::verify(version->record.retire_key, retire_statement(change), change.signature));
  if (version->state != HeldState::retained) {
    return fail(Errc::wrong_state, "that version is still in use: replace it first");
  }
  trusteeship->floors.push_back(
      {terms_in_force(*trusteeship, *version), version->order, host.now(), version->kept});
  drop_version(host, *trusteeship, *version);
  save_trusteeship(host, *trusteeship);
  host.audit("trustee.share-dropped", {{"contact", owner.id}});
  return {};
}

ShareHeld held_by(Host& host, std::string_view contact_id, ByteView change_id) {
  ShareHeld held;
  held.change_id = crypto::to_bytes(change_id);
  const auto trusteeship = find_trusteeship(host, contact_id);
  if (!trusteeship) return held;
  for (const HeldVersion& version : trusteeship->versions) held.versions.push_back(ref_of(version));
  return held;
}

Bytes retire_statement(const ShareChange& change) {
  return labelled("retire", {change.change_id, change.record_id, u64_bytes(change.version)});
}

Result<HeartbeatResponse> answer_heartbeat(Host& host, const Contact& owner,
                                           const HeartbeatRequest& request) {
  if (request.challenge.size() != kHeartbeatChallengeBytes) {
    return fail(Errc::malformed, "the challenge has 32 bytes");
  }
  if (!request.head.empty() && request.head.size() != kHeadBytes) {
    return fail(Errc::malformed, "the head has another size");
  }
  TRY(Trusteeship trusteeship, accepted_trusteeship(host, owner));
  HeldVersion* version = nullptr;
  for (HeldVersion& held : trusteeship.versions) {
    const bool committed = held.state == HeldState::committed;
    if (committed && same_id(held.record.record_id, request.record_id)) version = &held;
  }
  if (version == nullptr) return fail(Errc::not_found, "no share is committed by that record id");
  TRY(const AcceptedLeaf leaf, held_leaf(host, owner.id, *version));
  if (!request.head.empty()) version->head = request.head;
  trusteeship.last_heartbeat = host.now();

  HeartbeatResponse response;
  response.record_id = request.record_id;
  response.version = version->record.version;
  const Bytes statement = heartbeat_statement(version->record.record_id, response.version,
                                              request.challenge, owner.their_did, owner.my_did);
  TRY(response.proof, host.keys().prove_share(leaf.share, statement));
  response.time_ms = protocol::epoch_ms(host.now());
  TRY(const Did mine, Did::parse(owner.my_did));
  TRY(response.signature,
      protocol::sign_as(host, mine, time_statement(request.challenge, response.time_ms)));
  save_trusteeship(host, trusteeship);
  return response;
}

bool age_trusteeship(Host& host, Trusteeship& trusteeship, bool hold) {
  const auto passed = [&](Time since) {
    const Duration seen = host.now() - std::max(since, trusteeship.last_tick);
    return std::clamp(seen, Duration{0}, Duration{kAgeStepMax});
  };
  std::vector<HeldVersion> over;
  for (HeldVersion& held : trusteeship.versions) {
    if (held.state != HeldState::retained) continue;
    held.kept += passed(held.since);
    const Terms terms = terms_in_force(trusteeship, held);
    if (!hold && held.kept >= contest_period(terms)) over.push_back(held);
  }
  for (TermsFloor& floor : trusteeship.floors) floor.kept += passed(floor.since);
  const std::size_t floors = std::erase_if(trusteeship.floors, [](const TermsFloor& floor) {
    return floor.kept >= contest_period(floor.terms);
  });
  for (const HeldVersion& held : over) {
    drop_version(host, trusteeship, held);
    host.audit("trustee.share-dropped", {{"contact", trusteeship.contact_id}});
  }
  trusteeship.last_tick = host.now();
  return !over.empty() || floors > 0;
}

}  // namespace kith::recovery
