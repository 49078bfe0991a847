// The audit log as a file: `audit export`, and what `audit verify` does with such files.

#include <iostream>

#include "node/audit_file.hpp"
#include "node/cli/commands.hpp"
#include "node/cli/read_input.hpp"
#include "node/watch_limits.hpp"
#include "protocol/time.hpp"

namespace kith::node {
namespace {

struct AuditWish {
  bool csv = false;
  std::optional<Time> since;
};

Result<AuditWish> audit_wish(const Invocation& invocation) {
  AuditWish wish;
  const std::string format = invocation.has("--format") ? invocation.value("--format") : "json";
  if (format != "json" && format != "csv") return fail(Errc::usage, "--format is json or csv");
  wish.csv = format == "csv";
  if (invocation.has("--since")) {
    const auto since = protocol::from_utc_text(invocation.value("--since"));
    if (!since.has_value()) return fail(Errc::usage, "--since: " + since.error().detail);
    wish.since = *since;
  }
  return wish;
}

std::uint64_t number_of(const JsonObject& object, std::string_view member) {
  const Json* value = object.if_contains(member);
  return value != nullptr && value->is_number() ? value->to_number<std::uint64_t>() : 0;
}

/// Once an entry is printed all later ones are, so that the chain has no gap.
void print_rows(const JsonObject& page, const AuditWish& wish, std::uint64_t end, bool& begun) {
  const Json* entries = page.if_contains("entries");
  if (entries == nullptr || !entries->is_array()) return;
  for (const Json& item : entries->get_array()) {
    const JsonObject& row = item.get_object();
    if (number_of(row, "n") >= end) return;
    if (!begun && wish.since) {
      const auto time = protocol::from_utc_text(crypto::json_text_of(row, "utc"));
      if (!time.has_value() || *time < *wish.since) continue;
    }
    begun = true;
    std::cout << (wish.csv ? audit_csv_row(row) : crypto::json_text(row) + "\n");
  }
}

}  // namespace

int do_audit_export(Session& session, const Invocation& invocation, const Output& output) {
  const auto wish = audit_wish(invocation);
  if (!wish.has_value()) return output.error(wish.error());
  const auto checkpoint = session.command("audit-checkpoint");
  if (const auto* error = std::get_if<ErrorReport>(&checkpoint)) return output.error(*error);
  const std::uint64_t end = number_of(std::get<JsonObject>(checkpoint), "entries");
  if (wish->csv) std::cout << audit_csv_head();
  bool begun = false;
  for (std::uint64_t from = 0; from < end;) {
    const auto page = session.command("audit-page", {{"from", from}});
    if (const auto* error = std::get_if<ErrorReport>(&page)) return output.error(*error);
    print_rows(std::get<JsonObject>(page), *wish, end, begun);
    const std::uint64_t next = number_of(std::get<JsonObject>(page), "next");
    if (next <= from) break;
    from = next;
  }
  if (!wish->csv) {
    std::cout << crypto::json_text(JsonObject{{"checkpoint", std::get<JsonObject>(checkpoint)}})
              << "\n";
  }
  std::cout << std::flush;
  return 0;
}

int run_audit_verify(const Invocation& invocation, const Output& output) {
  const auto file = read_input(invocation.value("FILE"), watch_limits::kAuditFileBytesMax);
  if (!file.has_value()) return output.error(file.error());
  const auto judged = judge_audit_file(*file);
  if (!judged.has_value()) return output.error(judged.error());
  output.print(*judged);
  return 0;
}

Result<JsonObject> audit_verify_arguments(const Invocation& invocation) {
  JsonObject args;
  if (!invocation.has("--checkpoint")) return args;
  TRY(const std::string file,
      read_input(invocation.value("--checkpoint"), watch_limits::kAuditFileBytesMax));
  TRY(const AuditCheckpoint checkpoint, checkpoint_in(file));
  args["checkpoint"] = protocol::encode_body(checkpoint);
  return args;
}

}  // namespace kith::node
