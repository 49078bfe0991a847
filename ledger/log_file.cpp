#include "ledger/log_file.hpp"

#include <algorithm>
#include <map>

#include "ledger/descriptor.hpp"
#include "ledger/did_kith.hpp"
#include "ledger/identity.hpp"
#include "ledger/log_limits.hpp"
#include "ledger/log_store.hpp"
#include "ledger/own_log.hpp"
#include "ledger/strict_json.hpp"

namespace kith::ledger {
namespace {

constexpr std::string_view kLogFileVersion = "kith-log/1";
constexpr std::size_t kFileDepthMax = 5;

Result<std::string> wanted_subject(Host& host, const JsonObject& args) {
  CHECK(only_members(args, {"did", "policy"}, "did-export"));
  TRY(const auto did, crypto::json_optional_string(args, "did"));
  const bool policy = args.contains("policy");
  if (did && policy) return fail(Errc::usage, "a DID or --policy, not both");
  if (did) return check_did_kith(*did);
  TRY(const Identity own, needed_identity(host));
  return policy ? own.policy : own.did;
}

Result<AnchoredBlob> read_file_entry(const Json& json) {
  TRY(const JsonObject* entry, crypto::as_object(json, "entry of the file"));
  CHECK(only_members(*entry, {"blob", "time", "seen", "ledger", "witnessed"}, "entry of the file"));
  AnchoredBlob read;
  TRY(const std::string blob, crypto::json_string(*entry, "blob"));
  read.blob = crypto::to_bytes(std::string_view(blob));
  read.anchored = !entry->contains("seen");
  if (!read.anchored && entry->contains("time")) {
    return fail(Errc::malformed, "an entry was anchored or merely seen, not both");
  }
  TRY(const std::int64_t time,
      ranged_int(*entry, read.anchored ? "time" : "seen", 0, to_ms(kAnchorTimeMax)));
  read.time = anchor_time_ms(time);
  TRY(const auto ledger, crypto::json_optional_string(*entry, "ledger"));
  if (ledger && !is_ledger_id(*ledger)) return fail(Errc::malformed, "not the id of a ledger");
  read.ledger = ledger.value_or(std::string());
  if (!entry->contains("witnessed")) return read;
  TRY(read.witnessed, parse_witness_times(entry->at("witnessed")));
  return read;
}

Result<std::vector<LedgerDescriptor>> read_descriptors(const JsonObject& file) {
  std::vector<LedgerDescriptor> descriptors;
  if (!file.contains("ledgers")) return descriptors;
  TRY(const JsonArray* ledgers, crypto::json_array(file, "ledgers"));
  if (ledgers->size() > log_limits::kStagesMax) {
    return fail(Errc::limit_exceeded, "more ledgers than a log is followed through");
  }
  for (const Json& item : *ledgers) {
    TRY(LedgerDescriptor one, parse_descriptor(crypto::json_text(item)));
    descriptors.push_back(std::move(one));
  }
  return descriptors;
}

/// What of it a reader of that time had before it. Times of one ledger that run back are read as
/// the one before.
std::vector<AnchoredBlob> until(std::vector<AnchoredBlob> blobs, AnchorTime now) {
  std::map<std::string, AnchorTime> clocks;
  std::erase_if(blobs, [&](const AnchoredBlob& blob) {
    if (!blob.anchored) return blob.time > now;
    AnchorTime& clock = clocks.try_emplace(blob.ledger, blob.time).first->second;
    clock = std::max(clock, blob.time);
    return clock > now;
  });
  return blobs;
}

/// One entry with all that a reader needs. `home`: where it comes from, if it does not say.
JsonObject file_entry(const AnchoredBlob& blob, const std::string& home) {
  JsonObject entry{{"blob", crypto::as_text(blob.blob)}};
  entry[blob.anchored ? "time" : "seen"] = to_ms(blob.time);
  const std::string& ledger = blob.ledger.empty() ? home : blob.ledger;
  if (!ledger.empty()) entry["ledger"] = ledger;
  if (!blob.witnessed.empty()) entry["witnessed"] = witness_times_json(blob.witnessed);
  return entry;
}

}  // namespace

Result<LogFile> parse_log_file(std::string_view text) {
  TRY(const Json json, crypto::parse_json(text, {kLogFileBytesMax, kFileDepthMax, false, false}));
  TRY(const JsonObject* object, crypto::as_object(json, "file of a log"));
  CHECK(only_members(*object, {"v", "subject", "entries", "ledgers"}, "file of a log"));
  TRY(const std::string version, crypto::json_string(*object, "v"));
  if (version != kLogFileVersion)
    return fail(Errc::unsupported, "not the file of a log: " + version);
  LogFile file;
  TRY(const std::string subject, crypto::json_string(*object, "subject"));
  TRY(file.subject, check_did_kith(subject));
  TRY(const JsonArray* entries, crypto::json_array(*object, "entries"));
  file.blobs.reserve(entries->size());
  for (const Json& entry : *entries) {
    TRY(AnchoredBlob blob, read_file_entry(entry));
    file.blobs.push_back(std::move(blob));
  }
  TRY(file.descriptors, read_descriptors(*object));
  return file;
}

Result<JsonObject> export_log(Host& host, const JsonObject& args) {
  TRY(const std::string subject, wanted_subject(host, args));
  const std::vector<AnchoredBlob> blobs = stored_blobs(host, subject);
  if (blobs.empty()) return fail(Errc::not_found, "that log is not kept here");
  // With words of witnesses it matters which ledger it is, and who they are.
  ReaderOptions needed;
  const auto own = identity(host);
  const bool is_own = own && (subject == own->did || subject == own->policy);
  if (is_own) needed.ledger = ledger_of(*own, blobs);
  add_descriptors(host, needed, blobs);
  const std::string home = needed.descriptors.empty() ? std::string() : needed.ledger;
  JsonArray entries;
  for (const AnchoredBlob& blob : blobs) {
    if (!parse_entry(blob.blob).has_value()) continue;  // Counts nowhere, and need not be text.
    entries.push_back(file_entry(blob, home));
  }
  JsonObject file{{"v", kLogFileVersion}, {"subject", subject}, {"entries", std::move(entries)}};
  if (needed.descriptors.empty()) return file;
  JsonArray ledgers;
  for (const LedgerDescriptor& one : needed.descriptors) {
    TRY(Json json, crypto::parse_json(descriptor_json(one)));
    ledgers.push_back(std::move(json));
  }
  file["ledgers"] = std::move(ledgers);
  return file;
}

Result<JsonObject> judge_log_file(std::string_view file, ReaderOptions options) {
  TRY(LogFile log, parse_log_file(file));
  options.descriptors = std::move(log.descriptors);
  const auto blobs = until(std::move(log.blobs), options.now);
  if (blobs.empty()) return fail(Errc::not_found, "the log had no entry at that time");
  TRY(const LogView view, read_log(log.subject, blobs, options));
  JsonObject reply{{"what", "log"},
                   {"kind", kind_name(view.kind)},
                   {"subject", view.subject},
                   {"status", status_name(view.status)},
                   {"at", utc_text(options.now)},
                   {"entries", static_cast<std::int64_t>(view.history.size())},
                   {"junk", static_cast<std::int64_t>(view.junk_count)},
                   {"duplicity", static_cast<std::int64_t>(view.duplicity_count)}};
  if (view.kind == Kind::policy) {
    reply["policy"] = view.uncontested_content().state;
    return reply;
  }
  TRY(Resolution resolved, resolve_did_kith(view));
  reply["didDocument"] = std::move(resolved.document);
  reply["didDocumentMetadata"] = std::move(resolved.metadata);
  return reply;
}

}  // namespace kith::ledger
