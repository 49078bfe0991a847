#include "ledger/log_writer.hpp"

#include <algorithm>

#include "crypto/limits.hpp"
#include "ledger/strict_json.hpp"

namespace kith::ledger {

namespace {

Result<void> check_tier(std::uint32_t t, std::uint32_t n) {
  if (t < 1 || t > n || n > limits::kEntryKeysMax) {
    return fail(Errc::usage, "thresholds are between 1 and the number of keys, at most 64");
  }
  return {};
}

Result<std::vector<KeyPair>> generate_pairs(KeyOps& ops, KeyType type, KeyPurpose purpose,
                                            std::uint32_t count) {
  std::vector<KeyPair> pairs;
  for (std::uint32_t i = 0; i < count; ++i) {
    TRY(KeyPair pair, ops.generate(type, purpose));
    pairs.push_back(std::move(pair));
  }
  return pairs;
}

/// An entry after `prev`, without content.
Entry follow(const LogView& view, Op op, const LogRecord& prev, AnchorTime now) {
  Entry entry;
  entry.kind = view.kind;
  entry.op = op;
  entry.id = view.subject;
  entry.n = prev.entry->n + 1;
  entry.prev = prev.hash;
  entry.time = utc_text(now);
  return entry;
}

Result<Entry> follow_head(const LogView& view, Op op, AnchorTime now) {
  if (view.head().entry->op == Op::deactivate) {
    return fail(Errc::wrong_state, "the log is deactivated");
  }
  return follow(view, op, view.head(), now);
}

}  // namespace

std::vector<std::string> multikeys(const std::vector<KeyPair>& pairs) {
  std::vector<std::string> keys;
  for (const KeyPair& pair : pairs) keys.push_back(crypto::multikey(pair.public_key));
  return keys;
}

Result<NextTier> generate_next(KeyOps& ops, const LogKeyShape& shape) {
  CHECK(check_tier(shape.next_t, shape.next_n));
  NextTier tier;
  TRY(tier.pairs, generate_pairs(ops, shape.type, KeyPurpose::log_next, shape.next_n));
  tier.digests.t = shape.next_t;
  for (const std::string& key : multikeys(tier.pairs)) tier.digests.kd.push_back(key_digest(key));
  return tier;
}

Result<RecoveryTier> generate_recovery(KeyOps& ops, Random& random, const LogKeyShape& shape) {
  CHECK(check_tier(shape.recovery_t, shape.recovery_n));
  RecoveryTier tier;
  TRY(tier.pairs, generate_pairs(ops, shape.type, KeyPurpose::log_recovery, shape.recovery_n));
  tier.reveal.t = shape.recovery_t;
  tier.reveal.k = multikeys(tier.pairs);
  tier.reveal.salt = crypto::multibase(random.bytes(kSaltBytes));
  tier.digest = recovery_digest(tier.reveal);
  return tier;
}

Result<LogKeys> generate_log_keys(KeyOps& ops, Random& random, const LogKeyShape& shape) {
  CHECK(check_tier(shape.active_t, shape.active_n));
  LogKeys keys;
  TRY(keys.active, generate_pairs(ops, shape.type, KeyPurpose::log_active, shape.active_n));
  keys.keys = KeySet{shape.active_t, multikeys(keys.active)};
  TRY(keys.next, generate_next(ops, shape));
  TRY(keys.recovery, generate_recovery(ops, random, shape));
  return keys;
}

Result<std::vector<KeyPair>> activate_next_keys(KeyOps& ops, const std::vector<KeyPair>& next) {
  std::vector<KeyPair> active;
  for (const KeyPair& pair : next) {
    TRY(SealedKey sealed, ops.activate_next(pair.sealed));
    active.push_back(KeyPair{pair.public_key, std::move(sealed)});
  }
  return active;
}

LogContent make_content(const LogKeys& keys, std::vector<std::string> ledgers, Json state) {
  LogContent content;
  content.keys = keys.keys;
  content.next = keys.next.digests;
  content.rec.d = keys.recovery.digest;
  content.ledgers = std::move(ledgers);
  content.state = std::move(state);
  return content;
}

Result<Entry> make_genesis(Kind kind, const LogContent& content, bool test, AnchorTime now) {
  Entry draft;
  draft.kind = kind;
  draft.op = Op::genesis;
  draft.id = std::string(kDidPrefix) + std::string(kScidPlaceholder);
  draft.time = utc_text(now);
  draft.test = test;
  draft.content = content;
  return fill_scid(draft);
}

Result<Entry> make_update(const LogView& view, Json state, AnchorTime now) {
  TRY(Entry entry, follow_head(view, Op::update, now));
  entry.content = view.current;
  entry.content->state = std::move(state);
  return entry;
}

Result<Entry> make_rotate(const LogView& view, RotateSpec spec, AnchorTime now) {
  TRY(Entry entry, follow_head(view, Op::rotate, now));
  for (const std::string& key : spec.keys.k) {
    if (!contains(view.current.next.kd, key_digest(key))) {
      return fail(Errc::refused, "a new key was not announced as next key");
    }
  }
  entry.content = view.current;
  entry.content->keys = std::move(spec.keys);
  entry.content->next = std::move(spec.next);
  if (spec.rec.has_value()) entry.content->rec = *std::move(spec.rec);
  if (spec.state.has_value()) entry.content->state = *std::move(spec.state);
  return entry;
}

Result<Entry> make_move(const LogView& view, std::string from, std::vector<std::string> ledgers,
                        AnchorTime now) {
  TRY(Entry entry, follow_head(view, Op::move, now));
  if (!contains(view.current.ledgers, from)) {
    return fail(Errc::refused, "the log does not live on that ledger");
  }
  if (ledgers.empty() || contains(ledgers, from)) {
    return fail(Errc::refused, "the log lives on that ledger already");
  }
  entry.content = view.current;
  entry.content->ledgers = std::move(ledgers);
  entry.from = std::move(from);
  return entry;
}

Result<Entry> make_recover(const LogView& view, std::uint64_t fork_n, const Reveal& reveal,
                           const LogContent& content, AnchorTime now) {
  if (fork_n >= view.history.size()) return fail(Errc::not_found, "no such entry in the log");
  const LogRecord& fork = view.history[static_cast<std::size_t>(fork_n)];
  if (!fork.entry->content.has_value()) {
    return fail(Errc::not_found, "the log ends there; choose an entry before it");
  }
  const std::string digest = recovery_digest(reveal);
  const RecoveryRule& rule = fork.entry->content->rec;
  if (digest != rule.d && digest != rule.hi) {
    return fail(Errc::refused, "these keys are not a recovery authority of that entry");
  }
  if (content.rec.d == rule.d || content.rec.d == digest || content.rec.hi == digest) {
    return fail(Errc::refused, "a recover needs a new recovery authority");
  }
  Entry entry = follow(view, Op::recover, fork, now);
  entry.content = content;
  entry.reveal = reveal;
  return entry;
}

Result<Entry> make_veto(const LogView& view, AnchorTime now, const std::optional<Reveal>& reveal) {
  if (!view.pending.has_value()) return fail(Errc::wrong_state, "no recover is pending");
  if (reveal.has_value() != view.pending->record.super_quorum) {
    return fail(Errc::refused,
                reveal.has_value()
                    ? "an ordinary recover is vetoed with next keys alone"
                    : "the super-quorum's recover is vetoed together with the recovery set");
  }
  if (reveal.has_value() && recovery_digest(*reveal) != view.uncontested_content().rec.d) {
    return fail(Errc::refused, "these keys are not the recovery authority of the fork point");
  }
  Entry entry = follow(view, Op::veto, view.pending->record, now);
  entry.ref = view.pending->record.hash;
  entry.reveal = reveal;
  return entry;
}

Result<Entry> make_deactivate(const LogView& view, AnchorTime now) {
  return follow_head(view, Op::deactivate, now);
}

Result<void> attach_signature(Entry& entry, const EntrySignature& signature) {
  if (entry.sigs.size() >= limits::kEntryKeysMax) {
    return fail(Errc::limit_exceeded, "too many signatures");
  }
  const bool signed_already =
      std::any_of(entry.sigs.begin(), entry.sigs.end(),
                  [&](const EntrySignature& other) { return other.k == signature.k; });
  if (signed_already) return fail(Errc::conflict, "this key signed already");
  TRY(const PublicKey key, signing_key(signature.k));
  CHECK(crypto::verify(key, signed_message(entry), signature.s, crypto::SValue::low_only));
  entry.sigs.push_back(signature);
  return {};
}

Result<void> add_signature(Entry& entry, const PublicKey& key, KeyOps& ops,
                           const SealedKey& sealed) {
  TRY(Bytes signature, ops.sign(sealed, signed_message(entry)));
  return attach_signature(entry, EntrySignature{crypto::multikey(key), std::move(signature)});
}

Result<void> add_signature(Entry& entry, const KeyPair& pair, KeyOps& ops) {
  return add_signature(entry, pair.public_key, ops, pair.sealed);
}

Result<void> add_signatures(Entry& entry, const std::vector<KeyPair>& pairs, std::size_t count,
                            KeyOps& ops) {
  if (count > pairs.size()) return fail(Errc::usage, "more signatures than keys");
  for (std::size_t i = 0; i < count; ++i) CHECK(add_signature(entry, pairs[i], ops));
  return {};
}

}  // namespace kith::ledger
