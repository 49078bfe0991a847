#include "ledger/log_rules.hpp"

#include <algorithm>
#include <vector>

#include "crypto/assert.hpp"
#include "ledger/did_kith.hpp"
#include "ledger/pair_state.hpp"
#include "ledger/policy.hpp"
#include "ledger/strict_json.hpp"

namespace kith::ledger {

namespace {

std::size_t count_in(const std::vector<std::string>& signers,
                     const std::vector<std::string>& keys) {
  return static_cast<std::size_t>(
      std::count_if(signers.begin(), signers.end(),
                    [&](const std::string& signer) { return contains(keys, signer); }));
}

/// All signers are among `keys`, and at least `needed` of them signed.
Verdict check_quorum(Rule rule, const Entry& entry, const std::vector<std::string>& keys,
                     std::size_t needed) {
  const std::vector<std::string> signers = signers_of(entry);
  if (count_in(signers, keys) != signers.size()) {
    return refuse(rule, "a signer has no say in this entry");
  }
  if (signers.size() < needed) return refuse(rule, kTooFewSignatures);
  return std::nullopt;
}

/// Rule 10.
Verdict check_state(const Entry& entry) {
  const Json& state = entry.content->state;
  Result<void> result;
  switch (entry.kind) {
    case Kind::did:
      result = check_did_document(entry.id, state);
      break;
    case Kind::policy:
      if (auto policy = parse_policy(state); !policy.has_value()) result = policy.error();
      break;
    case Kind::pair:
      if (auto pair = parse_pair_state(state); !pair.has_value()) result = pair.error();
      break;
  }
  if (!result.has_value()) return refuse(Rule::state, result.error().detail);
  return std::nullopt;
}

/// D and C may be zero, or short, only in logs that say so themselves.
Verdict check_windows(Rule rule, const RecoveryRule& rec, bool test) {
  if (test) return std::nullopt;
  if (rec.delay.count() == 0) return refuse(rule, "rec.delay is zero outside a test log");
  if (rec.contest < 2 * rec.delay + kContestBase) return refuse(rule, "rec.contest is too short");
  return std::nullopt;
}

/// A next key that is already known protects nothing.
Verdict check_next_is_fresh(Rule rule, const LogContent& content) {
  for (const std::string& key : content.keys.k) {
    if (contains(content.next.kd, key_digest(key))) {
      return refuse(rule, "an active key is announced as next key");
    }
  }
  return std::nullopt;
}

/// What genesis, rotate and recover share: they set keys, next, rec and state.
Verdict check_new_authority(Rule rule, const Entry& entry, bool test) {
  if (auto refusal = check_windows(rule, entry.content->rec, test)) return refusal;
  if (auto refusal = check_next_is_fresh(rule, *entry.content)) return refusal;
  return check_state(entry);
}

Verdict check_policy_signers(const LogContent& before, const Entry& entry) {
  const auto old_policy = parse_policy(before.state);
  const auto new_policy = parse_policy(entry.content->state);
  if (!old_policy.has_value() || !new_policy.has_value()) {
    return refuse(Rule::state, "not a policy");
  }
  const auto allowed = check_policy_update(*old_policy, *new_policy, signers_of(entry));
  if (!allowed.has_value()) return refuse(Rule::update, allowed.error().detail);
  return std::nullopt;
}

Verdict check_pair_signers(const LogContent& before, const Entry& entry) {
  const auto old_state = parse_pair_state(before.state);
  const auto new_state = parse_pair_state(entry.content->state);
  if (!old_state.has_value() || !new_state.has_value()) {
    return refuse(Rule::state, "not a pair state");
  }
  std::vector<std::string> allowed = before.keys.k;
  for (const PairAgent& agent : old_state->agents) allowed.push_back(agent.auth);
  const std::vector<std::string> signers = signers_of(entry);
  const bool active_quorum = count_in(signers, before.keys.k) >= before.keys.t;
  const auto agreed = check_pair_update(*old_state, *new_state, signers, active_quorum);
  if (!agreed.has_value()) return refuse(Rule::update, agreed.error().detail);
  return check_quorum(Rule::update, entry, allowed, 1);
}

}  // namespace

Verdict check_genesis(std::string_view subject, const Entry& entry, ByteView blob) {
  if (entry.op != Op::genesis || entry.n != 0) return refuse(Rule::genesis, "not a genesis entry");
  if (crypto::as_text(blob).find(kScidPlaceholder) != std::string_view::npos) {
    return refuse(Rule::genesis, "the placeholder of the identifier was left in");
  }
  if (entry.id != subject || std::string(kDidPrefix) + compute_scid(entry) != subject) {
    return refuse(Rule::genesis, "the identifier is not the hash of this entry");
  }
  if (auto refusal = check_new_authority(Rule::genesis, entry, entry.test)) return refusal;
  return check_quorum(Rule::genesis, entry, entry.content->keys.k, entry.content->keys.t);
}

Verdict check_update(const LogContent& before, const Entry& entry) {
  const LogContent& after = *entry.content;
  if (after.keys != before.keys || after.next != before.next || after.rec != before.rec ||
      after.ledgers != before.ledgers) {
    return refuse(Rule::update, "an update changes the state alone");
  }
  if (auto refusal = check_state(entry)) return refusal;
  switch (entry.kind) {
    case Kind::did:
      return check_quorum(Rule::update, entry, before.keys.k, before.keys.t);
    case Kind::policy:
      return check_policy_signers(before, entry);
    case Kind::pair:
      return check_pair_signers(before, entry);
  }
  UNREACHABLE();
}

Verdict check_rotate(const LogContent& before, const Entry& entry, bool test) {
  const LogContent& after = *entry.content;
  if (after.ledgers != before.ledgers) return refuse(Rule::rotate, "a rotate keeps the ledgers");
  for (const std::string& key : after.keys.k) {
    if (!contains(before.next.kd, key_digest(key))) {
      return refuse(Rule::rotate, "a new key was not announced in next.kd");
    }
  }
  if (auto refusal = check_new_authority(Rule::rotate, entry, test)) return refusal;
  return check_quorum(Rule::rotate, entry, after.keys.k, std::max(before.next.t, after.keys.t));
}

Verdict check_move(const LogContent& before, const Entry& entry) {
  const LogContent& after = *entry.content;
  if (after.keys != before.keys || after.next != before.next || after.rec != before.rec ||
      after.state != before.state) {
    return refuse(Rule::move, "a move changes the ledgers alone");
  }
  if (!contains(before.ledgers, *entry.from)) {
    return refuse(Rule::move, "the log does not live on the ledger that it leaves");
  }
  if (after.ledgers.empty() || contains(after.ledgers, *entry.from)) {
    return refuse(Rule::move, "a move names other ledgers than the one that it leaves");
  }
  return check_quorum(Rule::move, entry, before.keys.k, before.keys.t);
}

bool is_super_quorum(const LogContent& fork, const Entry& recover) {
  return fork.rec.hi.has_value() && recovery_digest(*recover.reveal) == *fork.rec.hi;
}

Verdict check_recover(const LogContent& fork, const Entry& entry, bool test) {
  const Reveal& reveal = *entry.reveal;
  const std::string digest = recovery_digest(reveal);
  if (digest != fork.rec.d && digest != fork.rec.hi) {
    return refuse(Rule::recover, "the revealed set is not a recovery authority");
  }
  if (entry.content->rec.d == digest || entry.content->rec.hi == digest) {
    return refuse(Rule::recover, "the revealed recovery authority must be replaced");
  }
  // Also where the super-quorum recovers: it may be the ordinary set that turned against the owner.
  if (entry.content->rec.d == fork.rec.d) {
    return refuse(Rule::recover, "a recover replaces the ordinary recovery authority");
  }
  if (auto refusal = check_new_authority(Rule::recover, entry, test)) return refusal;
  return check_quorum(Rule::recover, entry, reveal.k, reveal.t);
}

/// A key that is in both sets counts in both: it cannot sign twice.
Verdict check_veto(const LogContent& fork, const Entry& entry, bool of_super_quorum) {
  if (entry.reveal.has_value() != of_super_quorum) {
    return refuse(Rule::veto,
                  "the ordinary recovery set is revealed to veto the super-quorum alone");
  }
  std::vector<std::string> revealed;
  std::size_t revealed_needed = 0;
  if (of_super_quorum) {
    if (recovery_digest(*entry.reveal) != fork.rec.d) {
      return refuse(Rule::veto, "the revealed set is not the ordinary recovery authority");
    }
    revealed = entry.reveal->k;
    revealed_needed = entry.reveal->t;
  }
  std::vector<std::string> next;
  for (const EntrySignature& signature : entry.sigs) {
    const bool is_next = contains(fork.next.kd, key_digest(signature.k));
    if (is_next) next.push_back(signature.k);
    if (!is_next && !contains(revealed, signature.k)) {
      return refuse(Rule::veto,
                    "a signer is no next key of the fork point, nor of the revealed set");
    }
  }
  if (next.size() < fork.next.t) return refuse(Rule::veto, "too few next keys signed");
  if (count_in(signers_of(entry), revealed) < revealed_needed) {
    return refuse(Rule::veto, "too few keys of the revealed set signed");
  }
  return std::nullopt;
}

Verdict check_deactivate(const LogContent& before, const Entry& entry) {
  return check_quorum(Rule::deactivate, entry, before.keys.k, before.keys.t);
}

Verdict check_signatures(const Entry& entry, const EntryDigest& digest) {
  if (!all_distinct(signers_of(entry))) return refuse(Rule::signatures, "one key signed twice");
  const Bytes message = signed_message(digest);
  for (const EntrySignature& signature : entry.sigs) {
    const auto key = signing_key(signature.k);
    if (!key.has_value()) return refuse(Rule::signatures, key.error().detail);
    if (!crypto::verify(*key, message, signature.s, crypto::SValue::low_only).has_value()) {
      return refuse(Rule::signatures, "a signature does not fit");
    }
  }
  return std::nullopt;
}

}  // namespace kith::ledger
