#include "ledger/remote/page_json.hpp"

#include "crypto/limits.hpp"
#include "ledger/did_kith.hpp"
#include "ledger/strict_json.hpp"

namespace kith::ledger {

namespace {

constexpr auto kPositionLast = static_cast<std::int64_t>(kPositionMax);

Result<LedgerEntry> parse_item(const Json& item) {
  TRY(const JsonObject* object, crypto::as_object(item, "ledger entry"));
  CHECK(only_members(*object, {"blob", "position", "subject", "time"}, "a ledger entry"));
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
  return entry;
}

}  // namespace

Json page_json(const LedgerPage& page) {
  JsonArray entries;
  for (const LedgerEntry& entry : page.entries) {
    JsonObject item;
    item["blob"] = crypto::base64url(entry.blob);
    item["position"] = static_cast<std::int64_t>(entry.position);
    item["subject"] = entry.subject;
    item["time"] = to_ms(entry.time);
    entries.emplace_back(std::move(item));
  }
  JsonObject object;
  object["complete"] = page.complete;
  object["entries"] = std::move(entries);
  return object;
}

Result<LedgerPage> parse_page(std::string_view text) {
  TRY(const Json json, crypto::parse_json(text, {limits::kJsonBytesMax, 4, false, false}));
  TRY(const JsonObject* object, crypto::as_object(json, "ledger page"));
  CHECK(only_members(*object, {"complete", "entries"}, "a ledger page"));
  const Json* complete = object->if_contains("complete");
  if (complete == nullptr || !complete->is_bool()) {
    return fail(Errc::malformed, "a ledger page does not say whether it is complete");
  }
  TRY(const JsonArray* entries, crypto::json_array(*object, "entries"));
  if (entries->size() > limits::kLedgerPageEntriesMax) {
    return fail(Errc::limit_exceeded, "a ledger page has too many entries");
  }
  LedgerPage page;
  page.complete = complete->get_bool();
  for (const Json& item : *entries) {
    TRY(LedgerEntry entry, parse_item(item));
    page.entries.push_back(std::move(entry));
  }
  if (!page.complete && page.entries.empty()) {
    return fail(Errc::malformed, "an empty page that is not the last");
  }
  return page;
}

}  // namespace kith::ledger
