#include "node/audit_file.hpp"

#include <algorithm>

#include "node/watch_limits.hpp"
#include "protocol/audit_check.hpp"
#include "protocol/time.hpp"

namespace kith::node {
namespace {

using protocol::AuditEntry;
using protocol::AuditHead;

Bytes checkpoint_statement(const AuditCheckpoint& checkpoint) {
  return crypto::to_bytes("kith-audit-checkpoint-v1\n" + std::to_string(checkpoint.entries) + "\n" +
                          checkpoint.hash + "\n" + checkpoint.utc + "\n");
}

Error broken_at(std::uint64_t n, const char* why) {
  return fail(Errc::audit_broken, "entry " + std::to_string(n) + " " + why);
}

/// Takes the next line, without its end, off the front.
std::string_view next_line(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return line;
}

Result<JsonObject> parse_line(std::string_view line) {
  if (line.size() > watch_limits::kAuditLineBytesMax) {
    return fail(Errc::limit_exceeded, "a line of the file is too long");
  }
  TRY(const Json json, crypto::parse_json(line));
  TRY(const JsonObject* object, crypto::as_object(json, "a line"));
  return *object;
}

Result<AuditCheckpoint> checkpoint_of(const JsonObject& line) {
  const Json* value = line.if_contains("checkpoint");
  if (value == nullptr || !value->is_object()) {
    return fail(Errc::malformed, "the file does not end with a checkpoint");
  }
  TRY(AuditCheckpoint checkpoint, protocol::decode_body<AuditCheckpoint>(value->get_object()));
  TRY(const PublicKey key, crypto::from_multikey(checkpoint.key));
  CHECK(crypto::verify(key, checkpoint_statement(checkpoint), checkpoint.signature));
  return checkpoint;
}

/// The chain of a file, line after line.
struct Chain {
  std::optional<std::uint64_t> first;
  std::uint64_t next = 0;
  Bytes hash;
  std::string key;

  Result<void> take(const JsonObject& line) {
    TRY(const auto entry, protocol::decode_body<AuditEntry>(line));
    if (!first) {
      first = entry.n;
      key = crypto::multikey(entry.key);
    } else {
      if (entry.n != next) return broken_at(next, "is missing");
      if (entry.prev != hash) return broken_at(entry.n, "does not follow the one before");
      if (crypto::multikey(entry.key) != key) return broken_at(entry.n, "names another key");
    }
    hash = protocol::audit_hash(entry);
    if (!protocol::check_audit_signature(entry).has_value()) {
      return broken_at(entry.n, "has a signature that does not fit");
    }
    next = entry.n + 1;
    return {};
  }
};

std::string csv_field(const std::string& text) {
  std::string field = "\"";
  for (const char c : text) field += c == '"' ? std::string("\"\"") : std::string(1, c);
  return field + '"';
}

}  // namespace

JsonObject audit_row(const AuditEntry& entry) {
  JsonObject row = protocol::encode_body(entry);
  row["utc"] = protocol::utc_text(entry.time);
  row["hash"] = crypto::base64url(protocol::audit_hash(entry));
  return row;
}

JsonObject audit_page(Host& host, std::uint64_t from) {
  JsonArray entries;
  std::uint64_t n = from;
  for (; n < from + watch_limits::kAuditPageEntries; ++n) {
    const auto entry = load<AuditEntry>(host, "audit", protocol::numbered_id(n));
    if (!entry) break;
    entries.push_back(audit_row(*entry));
  }
  const bool full = entries.size() == watch_limits::kAuditPageEntries;
  JsonObject page{{"entries", std::move(entries)}};
  if (full) page["next"] = n;
  return page;
}

Result<AuditCheckpoint> make_audit_checkpoint(Host& host) {
  const auto head = load<AuditHead>(host, "meta", "audit");
  if (!head) return fail(Errc::not_found, "nothing was noted yet");
  AuditCheckpoint checkpoint{head->count,
                             crypto::base64url(head->hash),
                             protocol::utc_text(host.now()),
                             crypto::multikey(head->key),
                             {}};
  TRY(checkpoint.signature, host.keys().sign(head->sealed_key, checkpoint_statement(checkpoint)));
  return checkpoint;
}

Result<void> check_audit_checkpoint(Host& host, const AuditCheckpoint& checkpoint) {
  TRY(const PublicKey key, crypto::from_multikey(checkpoint.key));
  CHECK(crypto::verify(key, checkpoint_statement(checkpoint), checkpoint.signature));
  const auto head = load<AuditHead>(host, "meta", "audit");
  if (!head || crypto::multikey(head->key) != checkpoint.key) {
    return fail(Errc::audit_broken, "the checkpoint was signed with another key");
  }
  if (head->count < checkpoint.entries) {
    return fail(Errc::audit_broken, "entries that the checkpoint stands for are gone");
  }
  if (checkpoint.entries == 0) return {};
  const auto last = load<AuditEntry>(host, "audit", protocol::numbered_id(checkpoint.entries - 1));
  if (!last || crypto::base64url(protocol::audit_hash(*last)) != checkpoint.hash) {
    return fail(Errc::audit_broken, "the entries are not those that the checkpoint stands for");
  }
  return {};
}

Result<AuditCheckpoint> checkpoint_in(std::string_view file) {
  std::string_view last;
  while (!file.empty()) {
    if (const std::string_view line = next_line(file); !line.empty()) last = line;
  }
  TRY(const JsonObject line, parse_line(last));
  return checkpoint_of(line);
}

Result<JsonObject> judge_audit_file(std::string_view file) {
  Chain chain;
  std::optional<AuditCheckpoint> checkpoint;
  while (!file.empty()) {
    const std::string_view text = next_line(file);
    if (text.empty()) continue;
    if (checkpoint) return fail(Errc::malformed, "there is something after the checkpoint");
    TRY(const JsonObject line, parse_line(text));
    if (line.contains("checkpoint")) {
      TRY(checkpoint, checkpoint_of(line));
    } else {
      CHECK(chain.take(line));
    }
  }
  if (!checkpoint) return fail(Errc::malformed, "the file does not end with a checkpoint");
  if (chain.first) {
    const bool whole = checkpoint->entries == chain.next && checkpoint->key == chain.key &&
                       checkpoint->hash == crypto::base64url(chain.hash);
    if (!whole) return fail(Errc::audit_broken, "the last entry is not that of the checkpoint");
  }
  JsonObject judged{{"entries", chain.first ? chain.next - *chain.first : 0},
                    {"checkpoint", checkpoint->entries},
                    {"time", checkpoint->utc},
                    {"key", checkpoint->key}};
  if (chain.first) judged["first"] = *chain.first;
  return judged;
}

std::string audit_csv_head() {
  return "n,utc,event,details,hash\r\n";
}

std::string audit_csv_row(const JsonObject& row) {
  const auto text = [&row](std::string_view member) {
    return csv_field(crypto::json_text_of(row, member));
  };
  const Json* number = row.if_contains("n");
  return (number == nullptr ? "" : crypto::json_text(*number)) + "," + text("utc") + "," +
         text("event") + "," + text("details") + "," + text("hash") + "\r\n";
}

}  // namespace kith::node
