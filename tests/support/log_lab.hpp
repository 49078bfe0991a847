#pragma once

/// A log under test: a wallet that remembers every key it made, the blobs of a ledger, and a hand
/// on the clock. Faults are planted by changing entries before they are signed or posted.

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/json.hpp"
#include "crypto/random.hpp"
#include "crypto/software_keys.hpp"
#include "ledger/log_reader.hpp"
#include "ledger/log_writer.hpp"
#include "ledger/pair_state.hpp"
#include "ledger/policy.hpp"

namespace kith::test {

using namespace std::chrono_literals;
using ledger::AnchorTime;
using ledger::Entry;
using ledger::Kind;
using ledger::LogContent;
using ledger::LogStatus;
using ledger::LogView;
using ledger::Op;
using ledger::Rule;

inline constexpr auto kDay = std::chrono::hours{24};

template <class T>
T must(Result<T> result) {
  if (!result.has_value()) throw std::runtime_error(result.error().detail);
  return std::move(*result);
}
inline void must(const Result<void>& result) {
  if (!result.has_value()) throw std::runtime_error(result.error().detail);
}

/// A member that must be there, and text.
inline std::string text(const JsonObject& object, std::string_view member) {
  return must(crypto::json_string(object, member));
}

/// The other valid ECDSA signature: s -> order - s.
inline void negate_s(Bytes& signature) {
  const Bytes order =
      *crypto::from_hex("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");
  int borrow = 0;
  for (std::size_t i = 32; i-- > 0;) {
    const int difference = order[i] - signature[32 + i] - borrow;
    borrow = difference < 0 ? 1 : 0;
    signature[32 + i] = static_cast<std::uint8_t>(difference + 256 * borrow);
  }
}

class LogLab {
 public:
  explicit LogLab(Kind log_kind = Kind::did, ledger::LogKeyShape key_shape = {},
                  std::uint64_t seed = 1)
      : kind(log_kind), shape(key_shape), random(seed, "log-lab"), ops(random.secret(32), random) {}

  Kind kind;
  ledger::LogKeyShape shape;
  crypto::SeededRandom random;
  SoftwareKeys ops;
  std::map<std::string, KeyPair> pairs;           ///< By Multikey.
  std::map<std::string, std::string> by_digest;   ///< kd -> Multikey.
  std::map<std::string, ledger::Reveal> reveals;  ///< By rec.d or rec.hi.
  std::vector<KeyPair> agents;                    ///< Of a policy or pair state.
  std::vector<ledger::AnchoredBlob> blobs;
  AnchorTime time = ledger::anchor_time_ms(1'795'000'000'000);
  std::string subject;
  std::string ledger;  ///< On which blobs are posted; empty: nobody says.
  std::vector<ledger::LedgerDescriptor> descriptors;  ///< Told to the reader.

  // Keys
  std::string keep(const KeyPair& pair) {
    const std::string key = crypto::multikey(pair.public_key);
    pairs[key] = pair;
    by_digest[ledger::key_digest(key)] = key;
    return key;
  }
  KeyPair fresh(KeyPurpose purpose, KeyType type = KeyType::ed25519) {
    KeyPair pair = must(ops.generate(type, purpose));
    keep(pair);
    return pair;
  }
  ledger::LogKeys fresh_keys() {
    ledger::LogKeys keys = must(ledger::generate_log_keys(ops, random, shape));
    for (const auto* tier : {&keys.active, &keys.next.pairs, &keys.recovery.pairs}) {
      for (const KeyPair& pair : *tier) keep(pair);
    }
    reveals[keys.recovery.digest] = keys.recovery.reveal;
    return keys;
  }
  ledger::NextKeys fresh_next() {
    const ledger::NextTier tier = must(ledger::generate_next(ops, shape));
    for (const KeyPair& pair : tier.pairs) keep(pair);
    return tier.digests;
  }
  /// A recovery set; its digest may become rec.d or rec.hi.
  ledger::RecoveryTier fresh_recovery() {
    ledger::RecoveryTier tier = must(ledger::generate_recovery(ops, random, shape));
    for (const KeyPair& pair : tier.pairs) keep(pair);
    reveals[tier.digest] = tier.reveal;
    return tier;
  }
  Entry& sign(Entry& entry, const std::vector<std::string>& keys) {
    for (const std::string& key : keys) {
      must(ledger::add_signature(entry, pairs.at(key), ops));
    }
    return entry;
  }
  static std::vector<std::string> first(const std::vector<std::string>& keys, std::size_t count) {
    return {keys.begin(), keys.begin() + static_cast<std::ptrdiff_t>(count)};
  }
  std::vector<std::string> announced(const ledger::NextKeys& next) const {
    std::vector<std::string> keys;
    for (const std::string& digest : next.kd) keys.push_back(by_digest.at(digest));
    return keys;
  }

  // States
  static Json did_state(std::string_view did, std::string_view note) {
    JsonObject document;
    document["id"] = did;
    document["service"] = JsonArray{
        JsonObject{{"id", "#" + std::string(note)}, {"type", "Note"}, {"serviceEndpoint", note}}};
    return document;
  }
  ledger::Policy policy_state(std::vector<ledger::AuthBits> auths) {
    ledger::Policy policy;
    for (std::size_t i = 0; i < auths.size(); ++i) {
      while (agents.size() <= i) agents.push_back(fresh(KeyPurpose::agent));
      policy.agents.push_back({crypto::multikey(agents[i].public_key), auths[i], {}, {}});
    }
    policy.rules = {{"grant", 1}, {"revoke", 1}, {"admin", 1}};
    return policy;
  }
  ledger::PairAgent pair_agent() {
    agents.push_back(fresh(KeyPurpose::authenticate));
    const KeyPair agree = fresh(KeyPurpose::agree, KeyType::x25519);
    return {crypto::multikey(agents.back().public_key), crypto::multikey(agree.public_key)};
  }
  ledger::PairState pair_state(std::size_t count) {
    ledger::PairState state;
    for (std::size_t i = 0; i < count; ++i) state.agents.push_back(pair_agent());
    state.services.push_back({"https://mail.example/a", {"did:key:z6LSrouting"}});
    return state;
  }
  Json first_state() {
    switch (kind) {
      case Kind::policy:
        return ledger::policy_json(policy_state({ledger::auth::kOwnerAll, 1}));
      case Kind::pair:
        return ledger::pair_state_json(pair_state(2));
      case Kind::did:
        break;
    }
    return did_state("did:kith:{SCID}", "first");
  }
  /// Some other valid state that update may set with the keys sign_update uses.
  Json next_state(const LogView& view, std::uint64_t salt) {
    if (kind == Kind::policy) {
      ledger::Policy policy = must(ledger::parse_policy(view.current.state));
      policy.set = "set-" + std::to_string(salt);
      return ledger::policy_json(policy);
    }
    if (kind == Kind::pair) {
      ledger::PairState state = must(ledger::parse_pair_state(view.current.state));
      state.services = {{"https://mail.example/" + std::to_string(salt), {}}};
      return ledger::pair_state_json(state);
    }
    return did_state(subject, "note-" + std::to_string(salt));
  }

  // The log
  std::size_t post_blob(Bytes blob) {
    blobs.push_back({std::move(blob), time, ledger});
    return blobs.size() - 1;
  }
  std::size_t post(const Entry& entry) { return post_blob(ledger::entry_blob(entry)); }
  [[nodiscard]] Result<LogView> try_view(bool test_mode = true) const {
    return ledger::read_log(subject, blobs, {time, test_mode, {}, false, descriptors});
  }
  [[nodiscard]] LogView view() const { return must(try_view()); }

  Entry genesis(LogContent content, bool test = false) {
    Entry entry = must(ledger::make_genesis(kind, content, test, time));
    sign(entry, first(entry.content->keys.k, entry.content->keys.t));
    return entry;
  }
  LogContent first_content() {
    return ledger::make_content(
        fresh_keys(),
        kind == Kind::pair ? std::vector<std::string>{} : std::vector<std::string>{"L1"},
        first_state());
  }
  LogView start(bool test = false) { return start_with(first_content(), test); }
  LogView start_with(const LogContent& content, bool test = false) {
    const Entry entry = genesis(content, test);
    subject = entry.id;
    post(entry);
    return view();
  }
  /// Keys that sign an ordinary update.
  std::vector<std::string> update_signers(const LogView& v) const {
    if (kind == Kind::policy) return {crypto::multikey(agents.front().public_key)};
    return first(v.current.keys.k, v.current.keys.t);
  }
  Entry update(std::uint64_t salt) {
    const LogView v = view();
    Entry entry = must(ledger::make_update(v, next_state(v, salt), time));
    return sign(entry, update_signers(v));
  }
  Entry rotate_unsigned(std::optional<ledger::RecoveryRule> rec = std::nullopt) {
    const LogView v = view();
    std::vector<std::string> keys = announced(v.current.next);
    for (const std::string& key : keys) {
      const auto active = must(ledger::activate_next_keys(ops, {pairs.at(key)}));
      keep(active.front());
    }
    ledger::RotateSpec spec{{v.current.next.t, keys}, fresh_next(), std::move(rec), std::nullopt};
    return must(ledger::make_rotate(v, spec, time));
  }
  Entry rotate(std::optional<ledger::RecoveryRule> rec = std::nullopt) {
    Entry entry = rotate_unsigned(std::move(rec));
    return sign(entry, first(entry.content->keys.k, entry.content->keys.t));
  }
  Entry move(const std::string& from, const std::string& to) {
    const LogView v = view();
    Entry entry = must(ledger::make_move(v, from, {to}, time));
    return sign(entry, first(v.current.keys.k, v.current.keys.t));
  }
  /// A recover that takes the log to another ledger.
  Entry recover_to(std::uint64_t fork_n, const std::string& to) {
    Entry entry = recover_unsigned(fork_n);
    entry.content->ledgers = {to};
    return sign(entry, first(entry.reveal->k, entry.reveal->t));
  }
  Entry recover_unsigned(std::uint64_t fork_n) {
    const LogView v = view();
    return recover_through(v, fork_n, v.history.at(fork_n).entry->content->rec.d);
  }
  Entry recover(std::uint64_t fork_n) {
    Entry entry = recover_unsigned(fork_n);
    return sign(entry, first(entry.reveal->k, entry.reveal->t));
  }
  /// Through rec.hi; the new log has a super-quorum again.
  Entry super_recover(std::uint64_t fork_n) {
    const LogView v = view();
    Entry entry = recover_through(v, fork_n, *v.history.at(fork_n).entry->content->rec.hi);
    entry.content->rec.hi = fresh_recovery().digest;
    return sign(entry, first(entry.reveal->k, entry.reveal->t));
  }
  Entry recover_through(const LogView& v, std::uint64_t fork_n, const std::string& digest) {
    const LogContent& fork = *v.history.at(fork_n).entry->content;
    LogContent content = ledger::make_content(fresh_keys(), fork.ledgers, fork.state);
    content.rec.delay = fork.rec.delay;
    content.rec.contest = fork.rec.contest;
    return must(ledger::make_recover(v, fork_n, reveals.at(digest), content, time));
  }
  Entry veto() {
    const LogView v = view();
    Entry entry = must(ledger::make_veto(v, time));
    const LogContent& fork = v.uncontested_content();
    return sign(entry, first(announced(fork.next), fork.next.t));
  }
  /// By next keys and the ordinary recovery set together.
  Entry double_veto() {
    const LogView v = view();
    const LogContent& fork = v.uncontested_content();
    const ledger::Reveal& reveal = reveals.at(fork.rec.d);
    Entry entry = must(ledger::make_veto(v, time, reveal));
    sign(entry, first(announced(fork.next), fork.next.t));
    return sign(entry, first(reveal.k, reveal.t));
  }
  Entry deactivate() {
    const LogView v = view();
    Entry entry = must(ledger::make_deactivate(v, time));
    return sign(entry, first(v.current.keys.k, v.current.keys.t));
  }
  /// Posts the entry, reads, and takes it off again: which rule made it junk?
  std::optional<Rule> rule_against(const Entry& entry) {
    return rule_against_blob(ledger::entry_blob(entry));
  }
  std::optional<Rule> rule_against_blob(Bytes blob) {
    const std::size_t position = post_blob(std::move(blob));
    const LogView v = view();
    blobs.pop_back();
    return rule_at(v, position);
  }
  static std::optional<Rule> rule_at(const LogView& v, std::size_t position) {
    for (const ledger::JunkEntry& junk : v.junk) {
      if (junk.position == position) return junk.rule;
    }
    return std::nullopt;
  }
};

}  // namespace kith::test
