#include "ledger/seen_ledgers.hpp"

#include <algorithm>

#include "crypto/hash.hpp"
#include "crypto/limits.hpp"
#include "ledger/identity.hpp"
#include "ledger/log_store.hpp"
#include "ledger/receipt.hpp"
#include "ledger/time_receipts.hpp"

namespace kith::ledger {
namespace {

using protocol::LedgerEntries;
using protocol::LedgerProof;

constexpr std::string_view kSeen = "ledger-seen";
constexpr std::string_view kPins = "ledger-pin";
constexpr std::string_view kEvidence = "ledger-evidence";
constexpr std::string_view kReceipts = "ledger-receipt";
constexpr std::size_t kEvidenceIdBytes = 8;

struct LedgerPin {
  std::string descriptor;  ///< Canonical JSON.
  Time used{};
  template <class V>
  void visit(V& v) {
    v("descriptor", descriptor), v("used", used);
  }
};

bool is_remote(std::string_view url) {
  return url.starts_with("http://") || url.starts_with("https://");
}

std::string without_slash(std::string_view url) {
  while (url.ends_with('/')) url.remove_suffix(1);
  return std::string(url);
}

std::string id_of(std::string_view descriptor) {
  return std::string(kLedgerIdPrefix) + crypto::multihash_sha256(crypto::as_bytes(descriptor));
}

/// Descriptor of the own identity's ledger, if that one is, or was, at `url`.
std::optional<std::string> own_ledger(Host& host, std::string_view url) {
  const auto own = identity(host);
  if (!own) return std::nullopt;
  const std::string asked = without_slash(url);
  if (without_slash(own->ledger_url) == asked) return own->ledger;
  for (auto former = own->former.rbegin(); former != own->former.rend(); ++former) {
    if (without_slash(former->url) == asked) return former->descriptor;
  }
  return std::nullopt;
}

/// What is known of the ledger at `url` before it answers.
std::optional<std::string> pinned(Host& host, std::string_view url) {
  if (auto own = own_ledger(host, url)) return own;
  const auto pin = load<LedgerPin>(host, kPins, without_slash(url));
  if (!pin) return std::nullopt;
  return pin->descriptor;
}

void make_room_for_pin(Host& host) {
  const auto urls = host.list(kPins);
  if (urls.size() < limits::kLedgersPinned) return;
  const auto used = [&](const std::string& url) { return load<LedgerPin>(host, kPins, url)->used; };
  const auto oldest = std::ranges::min_element(urls, {}, used);
  // Another address may lead to the same ledger; what was seen of it is then learned anew.
  host.erase({std::string(kSeen), id_of(load<LedgerPin>(host, kPins, *oldest)->descriptor)});
  host.erase({std::string(kPins), *oldest});
}

void pin(Host& host, std::string_view url, const std::string& descriptor) {
  if (own_ledger(host, url)) return;
  const std::string id = without_slash(url);
  if (!host.get({std::string(kPins), id})) {
    make_room_for_pin(host);
    host.audit("ledger.pinned", {{"ledger", id_of(descriptor)}});
  }
  save(host, kPins, id, LedgerPin{descriptor, host.now()});
}

/// The descriptor that an answer is held to: the pinned one, or at first its own.
Result<std::string> descriptor_for(Host& host, std::string_view url, const LedgerProof& proof) {
  if (auto known = pinned(host, url)) return std::move(*known);
  TRY(const LedgerDescriptor stated, parse_descriptor(proof.descriptor));
  return descriptor_json(stated);
}

SeenLedger seen_of(Host& host, const std::string& descriptor) {
  auto seen = load<SeenLedger>(host, kSeen, id_of(descriptor));
  return seen ? std::move(*seen) : SeenLedger{descriptor, {}, {}};
}

/// One piece for each checkpoint that a ledger broke with, in each way.
std::string evidence_id(const LedgerEvidence& evidence, Errc how) {
  const std::string what = evidence.descriptor + "\n" + std::string(crypto::error_text(how).code) +
                           "\n" + evidence.first;
  return crypto::hex(ByteView(crypto::sha256(crypto::as_bytes(what))).first(kEvidenceIdBytes));
}

void accuse(Host& host, std::string_view url, const SeenLedger& seen, const LedgerProof& proof,
            const Error& error) {
  const LedgerEvidence evidence{seen.descriptor, seen.checkpoint, proof.checkpoint,
                                proof.consistency, host.now()};
  if (!keep_evidence(host, evidence, error.code)) return;
  const bool back = error.code == Errc::ledger_rollback;
  host.notify({"alarm",
               "The ledger at " + std::string(url) +
                   (back ? " shows an older state than it did before."
                         : " shows another history than it did before.") +
                   " Nothing was taken over. `kith ledger status` shows the evidence: ask the "
                   "ledger's operator, and warn your contacts not to rely on it.",
               id_of(seen.descriptor),
               {}});
}

std::vector<LedgerEntry> entries_of(const LedgerEntries& page, const std::string& subject) {
  std::vector<LedgerEntry> entries;
  for (const protocol::AnchoredBlob& entry : page.entries) {
    entries.push_back({entry.position, subject, entry.blob, anchor_time(entry.time)});
  }
  return entries;
}

/// True: take it; false: ask again. The entries get their anchor times.
Result<bool> check_entries(Host& host, const protocol::LedgerReadPayload& asked,
                           LedgerEntries& page, std::string_view wanted) {
  if (!page.proof) return fail(Errc::ledger_unproven, "the ledger gave no proof");
  TRY(const std::string descriptor, descriptor_for(host, asked.ledger, *page.proof));
  if (!wanted.empty() && id_of(descriptor) != wanted) {
    return fail(Errc::refused, "another ledger is at that address");
  }
  SeenLedger seen = seen_of(host, descriptor);
  const AnchorTime now = anchor_time(host.now());
  const auto judged = judge_checkpoint(seen, *page.proof, asked.seen, now);
  if (!judged.has_value()) {
    const Errc code = judged.error().code;
    if (code == Errc::ledger_rollback || code == Errc::ledger_fork) {
      accuse(host, asked.ledger, seen, *page.proof, judged.error());
    }
    return judged.error();
  }
  if (judged->ask_again) return false;
  std::vector<LedgerEntry> entries = entries_of(page, asked.subject);
  CHECK(check_included(entries, page.proof->inclusion, judged->checkpoint));
  TRY(const LedgerDescriptor ledger, parse_descriptor(descriptor));
  const auto own = identity(host);
  std::vector<HistoryReceipt> receipts;
  if (own && own->did == asked.subject) receipts = receipts_in(entries, *page.proof, descriptor);
  CHECK(set_anchor_times(entries, *page.proof, ledger, now));
  keep_time_receipts(host, asked.subject, receipts);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    page.entries[i].time = protocol::from_epoch_ms(to_ms(entries[i].time));
  }
  if (judged->advances) {
    seen.checkpoint = page.proof->checkpoint;
    seen.advanced = host.now();
    save(host, kSeen, id_of(descriptor), seen);
  }
  pin(host, asked.ledger, descriptor);
  return true;
}

Result<Receipt> checked_receipt(Host& host, const protocol::LedgerAppendPayload& asked,
                                const protocol::LedgerAppended& appended) {
  const auto descriptor = pinned(host, asked.ledger);
  if (!descriptor) return fail(Errc::wrong_state, "the ledger is not known");
  TRY(const LedgerDescriptor ledger, parse_descriptor(*descriptor));
  TRY(const Entry entry, parse_entry(asked.blob));
  TRY(Receipt receipt, parse_receipt(appended.receipt));
  if (receipt.position != appended.position) return fail(Errc::malformed, "of another entry");
  receipt.leaf = leaf_text({asked.subject, asked.blob, anchor_time(appended.time), entry.kind});
  TRY(const OpenedReceipt opened, open_receipt(receipt, ledger));
  CHECK(check_witnesses(opened.trusted, ledger, anchor_time(host.now())));
  return receipt;
}

}  // namespace

std::optional<std::string> keep_evidence(Host& host, const LedgerEvidence& evidence, Errc how) {
  std::string id = evidence_id(evidence, how);
  if (host.get({std::string(kEvidence), id})) return std::nullopt;
  if (host.list(kEvidence).size() >= limits::kLedgerEvidenceKept) return std::nullopt;
  save(host, kEvidence, id, evidence);
  host.audit(crypto::error_text(how).code,
             {{"ledger", id_of(evidence.descriptor)}, {"evidence", id}});
  return id;
}

std::uint64_t seen_at(Host& host, std::string_view ledger_url) {
  const auto descriptor = pinned(host, ledger_url);
  if (!descriptor) return 0;
  const auto size = seen_size(seen_of(host, *descriptor));
  if (!size.has_value()) throw protocol::StoreFailure{size.error()};
  return *size;
}

Result<std::optional<LedgerEntries>> proven_entries(Host& host, const protocol::Effect& effect,
                                                    const Result<Bytes>& outcome,
                                                    std::string_view wanted) {
  if (!outcome.has_value()) return outcome.error();
  TRY(LedgerEntries page, protocol::decode_record<LedgerEntries>(*outcome));
  TRY(const auto asked, protocol::decode_record<protocol::LedgerReadPayload>(effect.payload));
  return proven_page(host, asked, std::move(page), wanted);
}

Result<std::optional<LedgerEntries>> proven_page(Host& host,
                                                 const protocol::LedgerReadPayload& asked,
                                                 LedgerEntries page, std::string_view wanted) {
  // The times of a ledger of this home are its witnesses', if it has any.
  const bool is_anchored = page.proof && !page.proof->anchored.empty();
  if (is_remote(asked.ledger) || is_anchored) {
    TRY(const bool taken, check_entries(host, asked, page, wanted));
    if (!taken) return std::optional<LedgerEntries>();
  }
  return std::optional<LedgerEntries>(std::move(page));
}

void keep_receipt(Host& host, const protocol::Effect& effect, ByteView outcome) {
  const auto asked = protocol::decode_record<protocol::LedgerAppendPayload>(effect.payload);
  const auto appended = protocol::decode_record<protocol::LedgerAppended>(outcome);
  if (!asked.has_value() || !appended.has_value() || appended->stale) return;
  if (!is_remote(asked->ledger) && appended->receipt.empty()) return;
  const auto receipt = checked_receipt(host, *asked, *appended);
  if (receipt.has_value()) {
    host.put({std::string(kReceipts), asked->subject}, crypto::to_bytes(receipt_text(*receipt)));
  } else {
    host.audit("ledger.receipt-refused",
               {{"log", asked->subject}, {"code", crypto::error_text(receipt.error().code).code}});
  }
}

void pin_ledger(Host& host, std::string_view ledger_url, const std::string& descriptor) {
  pin(host, ledger_url, descriptor);
}

std::string known_ledger_id(Host& host, std::string_view ledger_url) {
  const auto descriptor = pinned(host, ledger_url);
  return descriptor ? id_of(*descriptor) : std::string();
}

std::optional<std::string> known_ledger_url(Host& host, std::string_view id) {
  if (const auto own = identity(host)) {
    if (own->ledger_id == id) return own->ledger_url;
    const auto former = std::ranges::find(own->former, id, &FormerLedger::id);
    if (former != own->former.end()) return former->url;
  }
  for (const std::string& url : host.list(kPins)) {
    if (known_ledger_id(host, url) == id) return url;
  }
  return std::nullopt;
}

std::optional<LedgerDescriptor> known_descriptor(Host& host, std::string_view id) {
  std::optional<std::string> text;
  if (const auto own = identity(host)) {
    if (own->ledger_id == id) text = own->ledger;
    const auto former = std::ranges::find(own->former, id, &FormerLedger::id);
    if (former != own->former.end()) text = former->descriptor;
  }
  if (!text) {
    const auto seen = load<SeenLedger>(host, kSeen, id);
    if (!seen) return std::nullopt;
    text = seen->descriptor;
  }
  auto descriptor = parse_descriptor(*text);
  if (!descriptor.has_value()) return std::nullopt;
  return std::move(*descriptor);
}

std::vector<std::string> other_ledgers(Host& host) {
  std::vector<std::string> urls = host.list(kPins);
  std::erase_if(urls, [&](const std::string& url) { return own_ledger(host, url).has_value(); });
  return urls;
}

std::optional<SeenLedger> seen_ledger(Host& host, std::string_view ledger_url) {
  const auto descriptor = pinned(host, ledger_url);
  if (!descriptor) return std::nullopt;
  return seen_of(host, *descriptor);
}

std::optional<LedgerEvidence> ledger_evidence(Host& host, std::string_view id) {
  return load<LedgerEvidence>(host, kEvidence, id);
}

std::vector<std::string> all_evidence(Host& host) {
  return host.list(kEvidence);
}

std::vector<std::string> evidence_against(Host& host, const SeenLedger& seen) {
  std::vector<std::string> ids;
  for (const std::string& id : host.list(kEvidence)) {
    const auto evidence = ledger_evidence(host, id);
    if (evidence && evidence->descriptor == seen.descriptor) ids.push_back(id);
  }
  return ids;
}

std::optional<std::string> kept_receipt(Host& host, std::string_view subject) {
  const auto receipt = host.get({std::string(kReceipts), std::string(subject)});
  if (!receipt) return std::nullopt;
  return std::string(crypto::as_text(*receipt));
}

}  // namespace kith::ledger
