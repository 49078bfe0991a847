#include "ledger/remote/page_json.hpp"

#include "crypto/assert.hpp"
#include "crypto/limits.hpp"
#include "ledger/did_kith.hpp"
#include "ledger/hash_text.hpp"
#include "ledger/strict_json.hpp"

namespace kith::ledger {

namespace {

constexpr auto kPositionLast = static_cast<std::int64_t>(kPositionMax);

/// Deepest: page, entries, entry, words of witnesses, a word.
constexpr std::size_t kDepth = 5;

Result<protocol::LedgerProof> parse_tree(const Json& json) {
  TRY(const JsonObject* object, crypto::as_object(json, "proof of a page"));
  CHECK(only_members(*object, {"anchors", "checkpoint", "consistency", "descriptor"},
                     "the proof of a page"));
  protocol::LedgerProof proof;
  TRY(proof.checkpoint, crypto::json_string(*object, "checkpoint"));
  TRY(proof.consistency, parse_hashes(*object, "consistency"));
  const Json* descriptor = object->if_contains("descriptor");
  if (descriptor == nullptr || !descriptor->is_object()) {
    return fail(Errc::malformed, "a proof without the ledger's descriptor");
  }
  proof.descriptor = crypto::canonical_json(*descriptor);
  if (object->contains("anchors")) {
    TRY(proof.anchors, string_list(*object, "anchors", limits::kLedgerPageEntriesMax));
  }
  return proof;
}

/// Which of the page's anchors the entry is in, and where.
Result<void> parse_anchored(const JsonObject& item, protocol::LedgerProof& proof) {
  if (item.contains("anchor") != item.contains("anchored")) {
    return fail(Errc::malformed, "a ledger entry that is anchored in part");
  }
  if (!item.contains("anchor")) return {};
  protocol::LedgerProof::Anchored anchored;
  TRY(const std::int64_t anchor,
      ranged_int(item, "anchor", 0, static_cast<std::int64_t>(proof.anchors.size()) - 1));
  anchored.anchor = static_cast<std::uint64_t>(anchor);
  TRY(anchored.inclusion, parse_hashes(item, "anchored"));
  proof.anchored.push_back(std::move(anchored));
  return {};
}

Json tree_json(const protocol::LedgerProof& proof) {
  JsonObject object;
  object["checkpoint"] = proof.checkpoint;
  object["consistency"] = hashes_json(proof.consistency);
  const auto descriptor = crypto::parse_json(proof.descriptor);
  ASSERT(descriptor.has_value());  // Our own.
  object["descriptor"] = *descriptor;
  if (!proof.anchors.empty()) object["anchors"] = json_strings(proof.anchors);
  return object;
}

/// Entries come with their proofs where the page has one, and only there.
Result<LedgerEntry> parse_item(const Json& item, ProvenPage& page) {
  TRY(const JsonObject* object, crypto::as_object(item, "ledger entry"));
  CHECK(only_members(
      *object, {"anchor", "anchored", "blob", "position", "proof", "subject", "time", "witnessed"},
      "a ledger entry"));
  if (object->contains("proof") != page.proof.has_value()) {
    return fail(Errc::malformed, "a ledger page that is proven in part");
  }
  if (page.proof) {
    TRY(MerkleProof hashes, parse_hashes(*object, "proof"));
    page.proof->inclusion.push_back(std::move(hashes));
    CHECK(parse_anchored(*object, *page.proof));
  } else if (object->contains("anchor") || object->contains("anchored")) {
    return fail(Errc::malformed, "a ledger entry is anchored without a proof");
  }
  LedgerEntry entry;
  TRY(const std::int64_t position, ranged_int(*object, "position", 0, kPositionLast));
  entry.position = static_cast<std::uint64_t>(position);
  TRY(entry.subject, crypto::json_string(*object, "subject"));
  CHECK(check_did_kith(entry.subject));
  TRY(const std::int64_t time, ranged_int(*object, "time", 0, to_ms(kAnchorTimeMax)));
  entry.time = anchor_time_ms(time);
  TRY(const std::string blob, crypto::json_string(*object, "blob"));
  TRY(entry.blob, crypto::from_base64url(blob));
  if (entry.blob.size() > limits::kEntryBytesMax) {
    return fail(Errc::limit_exceeded, "a ledger entry is too long");
  }
  if (const Json* times = object->if_contains("witnessed")) {
    TRY(entry.witnessed, parse_witness_times(*times));
  }
  return entry;
}

}  // namespace

Json page_json(const ProvenPage& proven) {
  JsonArray entries;
  for (const LedgerEntry& entry : proven.page.entries) {
    JsonObject item;
    item["blob"] = crypto::base64url(entry.blob);
    item["position"] = static_cast<std::int64_t>(entry.position);
    if (proven.proof) item["proof"] = hashes_json(proven.proof->inclusion[entries.size()]);
    if (proven.proof && !proven.proof->anchored.empty()) {
      const auto& anchored = proven.proof->anchored[entries.size()];
      item["anchor"] = static_cast<std::int64_t>(anchored.anchor);
      item["anchored"] = hashes_json(anchored.inclusion);
    }
    item["subject"] = entry.subject;
    item["time"] = to_ms(entry.time);
    if (!entry.witnessed.empty()) item["witnessed"] = witness_times_json(entry.witnessed);
    entries.emplace_back(std::move(item));
  }
  JsonObject object;
  object["complete"] = proven.page.complete;
  object["entries"] = std::move(entries);
  if (proven.proof) object["tree"] = tree_json(*proven.proof);
  return object;
}

Result<ProvenPage> parse_page(std::string_view text) {
  TRY(const Json json, crypto::parse_json(text, {limits::kJsonBytesMax, kDepth, false, false}));
  TRY(const JsonObject* object, crypto::as_object(json, "ledger page"));
  CHECK(only_members(*object, {"complete", "entries", "tree"}, "a ledger page"));
  const Json* complete = object->if_contains("complete");
  if (complete == nullptr || !complete->is_bool()) {
    return fail(Errc::malformed, "a ledger page does not say whether it is complete");
  }
  TRY(const JsonArray* entries, crypto::json_array(*object, "entries"));
  if (entries->size() > limits::kLedgerPageEntriesMax) {
    return fail(Errc::limit_exceeded, "a ledger page has too many entries");
  }
  ProvenPage proven;
  proven.page.complete = complete->get_bool();
  if (const Json* tree = object->if_contains("tree")) {
    TRY(proven.proof, parse_tree(*tree));
  }
  for (const Json& item : *entries) {
    TRY(LedgerEntry entry, parse_item(item, proven));
    proven.page.entries.push_back(std::move(entry));
  }
  if (!proven.page.complete && proven.page.entries.empty()) {
    return fail(Errc::malformed, "an empty page that is not the last");
  }
  return proven;
}

}  // namespace kith::ledger
