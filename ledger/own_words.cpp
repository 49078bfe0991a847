#include "ledger/own_words.hpp"

#include <algorithm>

#include "crypto/limits.hpp"
#include "ledger/remote/cosigning.hpp"
#include "ledger/seen_ledgers.hpp"
#include "ledger/strict_json.hpp"
#include "ledger/witness_limits.hpp"

namespace kith::ledger {
namespace {

using protocol::Effect;

constexpr std::string_view kAddresses = "witness-address";
constexpr std::string_view kWitnessesPath = "/ledger/witnesses";
constexpr std::chrono::hours kAddressesFresh{24};
constexpr std::chrono::minutes kAddressLife{10};
constexpr std::size_t kWordAnswerBytesMax = 512;
constexpr std::size_t kWordAnswerDepth = 1;

struct KnownWitness {
  std::string key;  ///< Multikey.
  std::string url;
  template <class V>
  void visit(V& v) {
    v("key", key), v("url", url);
  }
};

struct KnownWitnesses {
  std::vector<KnownWitness> witnesses;
  Time told{};
  Time asked{};
  template <class V>
  void visit(V& v) {
    v("witnesses", witnesses), v("told", told), v("asked", asked);
  }
};

void fetch(Host& host, std::string url, std::string context, std::size_t bytes, Duration life) {
  protocol::FetchPayload payload;
  payload.url = std::move(url);
  payload.bytes_max = bytes;
  Effect effect;
  effect.kind = protocol::EffectKind::fetch;
  effect.owner = kLogModule;
  effect.context = std::move(context);
  effect.payload = protocol::encode_record(payload);
  effect.expires = host.now() + life;
  host.start(std::move(effect));
}

void look_at(Host& host, const std::string& url, const std::string& id) {
  const bool is_http = url.starts_with("http://") || url.starts_with("https://");
  const auto descriptor = known_descriptor(host, id);
  if (!is_http || !descriptor || descriptor->w == 0) return;
  auto known = load<KnownWitnesses>(host, kAddresses, id).value_or(KnownWitnesses{});
  if (host.now() < known.told + kAddressesFresh || host.now() < known.asked + kAddressLife) return;
  known.asked = host.now();
  save(host, kAddresses, id, known);
  std::string target = url;
  while (target.ends_with('/')) target.pop_back();
  fetch(host, target.append(kWitnessesPath), std::string(kAddressContext) + id, kAddressesBytesMax,
        kAddressLife);
}

bool needs_words(const PendingEntry& pending) {
  const auto entry = parse_entry(pending.blob);
  return entry.has_value() && (entry->op == Op::recover || entry->op == Op::veto);
}

struct About {
  std::string subject;
  std::string hash;
  std::string witness;
};

About read_about(std::string_view text) {
  const std::size_t first = text.find(' ');
  const std::size_t second = text.find(' ', first + 1);
  if (second == std::string_view::npos) return {};
  return {std::string(text.substr(0, first)),
          std::string(text.substr(first + 1, second - first - 1)),
          std::string(text.substr(second + 1))};
}

Result<WitnessTime> read_word(const Result<Bytes>& outcome) {
  if (!outcome.has_value()) return outcome.error();
  TRY(const Json json, crypto::parse_json(crypto::as_text(*outcome),
                                          {kWordAnswerBytesMax, kWordAnswerDepth, false, false}));
  return parse_witness_time(json);
}

/// The blob of that hash, in the kept log.
std::optional<Bytes> kept_blob(Host& host, const About& about) {
  for (AnchoredBlob& blob : stored_blobs(host, about.subject)) {
    if (blob_hash(blob.blob) == about.hash) return std::move(blob.blob);
  }
  return std::nullopt;
}

PendingEntry* pending_of(LogPost& post, const std::string& hash) {
  const auto found = std::ranges::find_if(
      post.pending, [&](const PendingEntry& one) { return blob_hash(one.blob) == hash; });
  return found == post.pending.end() ? nullptr : &*found;
}

/// One word more is kept; when they are enough, a ledger that refused the entry is asked again.
void keep_word(Host& host, const Identity& identity, const About& about, const Bytes& blob,
               const LedgerDescriptor& ledger, const WitnessTime& word) {
  if (!add_words(host, about.subject, blob, {word})) return;
  host.audit("identity.witnessed",
             {{"log", about.subject}, {"entry", entry_hash_in(blob)}, {"witness", about.witness}});
  for (const AnchoredBlob& kept : stored_blobs(host, about.subject)) {
    if (kept.blob != blob || !witnessed_time(ledger, about.subject, blob, kept.witnessed)) continue;
    hurry(host, identity, about.subject, entry_hash_in(blob));
  }
}

}  // namespace

const std::string& ledger_of(const Identity& identity, const PendingEntry& entry) {
  return entry.ledger.empty() ? identity.ledger_id : entry.ledger;
}

void look_for_witnesses(Host& host, const Identity& identity) {
  look_at(host, identity.ledger_url, identity.ledger_id);
  for (const FormerLedger& former : identity.former) look_at(host, former.url, former.id);
}

void take_witness_addresses(Host& host, std::string_view ledger, const Result<Bytes>& outcome) {
  auto known = load<KnownWitnesses>(host, kAddresses, ledger);
  if (!known || !outcome.has_value()) return;
  const auto told = parse_witness_addresses(crypto::as_text(*outcome));
  if (!told.has_value()) return;
  for (const WitnessAddress& one : *told) {
    const std::string key = crypto::multikey(one.key);
    std::erase_if(known->witnesses, [&](const KnownWitness& old) { return old.key == key; });
    known->witnesses.push_back({key, one.url});
  }
  // What it does not name any more may be what it wants to hide; but there is an end.
  if (known->witnesses.size() > 2 * limits::kLedgerWitnessesMax) {
    known->witnesses.erase(known->witnesses.begin(),
                           known->witnesses.end() - limits::kLedgerWitnessesMax);
  }
  known->told = host.now();
  save(host, kAddresses, ledger, *known);
}

bool ask_for_words(Host& host, const Identity& identity, std::string_view subject, LogPost& post) {
  bool any = false;
  for (PendingEntry& pending : post.pending) {
    if (!needs_words(pending)) continue;
    look_for_witnesses(host, identity);
    const std::string& ledger = ledger_of(identity, pending);
    const auto descriptor = known_descriptor(host, ledger);
    const auto known = load<KnownWitnesses>(host, kAddresses, ledger);
    if (!descriptor || descriptor->w == 0 || !known) continue;
    const std::string hash = blob_hash(pending.blob);
    for (const PublicKey& witness : descriptor->witnesses) {
      const std::string key = crypto::multikey(witness);
      const auto at = std::ranges::find(known->witnesses, key, &KnownWitness::key);
      if (at == known->witnesses.end() || contains(pending.asked, key)) continue;
      pending.asked.push_back(key);
      any = true;
      const std::string about = std::string(subject) + " " + hash + " " + key;
      fetch(host, at->url + "/time/" + std::string(subject) + "/" + hash,
            std::string(kWordContext) + about, kWordAnswerBytesMax,
            witness_limits::kWitnessedLagMax);
    }
  }
  return any;
}

void take_word(Host& host, const Identity& identity, std::string_view about_text,
               const Result<Bytes>& outcome) {
  const About about = read_about(about_text);
  const auto blob = kept_blob(host, about);
  if (!blob) return;
  LogPost post = log_post(host, about.subject);
  const PendingEntry* pending = pending_of(post, about.hash);
  std::vector<std::string> ledgers{identity.ledger_id};
  for (const FormerLedger& former : identity.former) ledgers.push_back(former.id);
  const auto word = read_word(outcome);
  for (const std::string& id : ledgers) {
    const auto ledger = known_descriptor(host, id);
    if (!word.has_value() || !ledger) continue;
    const std::vector<WitnessTime> said{*word};
    if (good_times(*ledger, about.subject, *blob, said).empty()) continue;
    return keep_word(host, identity, about, *blob, *ledger, *word);
  }
  if (pending == nullptr) return;
  // No word from there: asked again with the next look at the log.
  std::erase(pending_of(post, about.hash)->asked, about.witness);
  save_log_post(host, about.subject, post);
}

}  // namespace kith::ledger
