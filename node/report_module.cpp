#include "node/report_module.hpp"

#include <algorithm>

#include "crypto/hash.hpp"
#include "ledger/identity.hpp"
#include "node/operations.hpp"
#include "node/role_report.hpp"

namespace kith::node {
namespace {

constexpr std::string_view kReports = "reports";
constexpr std::string_view kAccessTimer = "review";
constexpr std::string_view kAccessReview = "access-review";
constexpr std::string_view kAccessLabel = "kith-access-review-v1\n";

Duration days(std::int64_t count) {
  return std::chrono::hours{24 * count};
}

JsonArray role_names(const std::set<Role>& roles) {
  JsonArray names;
  for (const Role role : roles) names.emplace_back(std::string(role_name(role)));
  return names;
}

JsonObject report_roles(Host& host) {
  const auto holders = role_holders(host);
  JsonArray people, flags;
  for (const RoleHolder& holder : holders) {
    people.push_back(JsonObject{{"id", holder.id},
                                {"name", holder.name},
                                {"person", holder.person},
                                {"roles", role_names(holder.roles)}});
  }
  for (const RoleFlag& flag : role_flags(holders, administrators_needed(host))) {
    flags.push_back(
        JsonObject{{"person", flag.person}, {"roles", role_names(flag.roles)}, {"why", flag.why}});
  }
  return {{"people", std::move(people)}, {"flags", std::move(flags)}};
}

JsonArray access_rows(Host& host) {
  JsonArray rows;
  for (const RoleHolder& holder : role_holders(host)) {
    for (const Role role : holder.roles) {
      rows.push_back(JsonObject{{"id", holder.id},
                                {"name", holder.name},
                                {"role", std::string(role_name(role))},
                                {"may", std::string(role_power(role))}});
    }
  }
  return rows;
}

/// Names are left out: who is called otherwise tomorrow has the same rights.
std::string access_digest(const JsonArray& rows) {
  JsonArray nameless;
  for (const Json& row : rows) {
    nameless.push_back(
        JsonObject{{"id", row.as_object().at("id")}, {"role", row.as_object().at("role")}});
  }
  return crypto::hex(crypto::sha256(crypto::as_bytes(crypto::canonical_json(nameless))));
}

Bytes review_statement(const AccessReview& review) {
  const JsonObject json{{"agent", review.agent},
                        {"at", protocol::utc_text(review.at)},
                        {"digest", review.digest},
                        {"due", protocol::utc_text(review.due)}};
  return crypto::to_bytes(
      crypto::as_bytes(std::string(kAccessLabel) + crypto::canonical_json(json)));
}

JsonObject report_access(Host& host) {
  JsonArray rows = access_rows(host);
  const std::string digest = access_digest(rows);
  JsonObject reply{{"access", std::move(rows)}, {"digest", digest}};
  if (const auto review = access_review(host)) {
    JsonObject about{{"at", protocol::utc_text(review->at)},
                     {"due", protocol::utc_text(review->due)},
                     {"overdue", review->due <= host.now()},
                     {"unchanged", review->digest == digest},
                     {"signed", check_review(*review).has_value()}};
    if (!review->agent.empty()) about["by"] = review->agent;
    reply["review"] = std::move(about);
  }
  return reply;
}

/// A home without an identity has no key that others know: its review stands in the audit log
/// alone.
Result<void> sign_review(Host& host, AccessReview& review) {
  const auto key = ledger::own_agent_key(host);
  if (!key.has_value()) return {};
  review.agent = crypto::multikey(key->public_key);
  TRY(review.signature, host.keys().sign(key->sealed, review_statement(review)));
  return {};
}

Result<JsonObject> review_access(Host& host, const Command& command) {
  TRY(const auto wanted, crypto::json_optional_int(command.args, "days"));
  const std::int64_t count = wanted.value_or(kReviewDays);
  if (count < 1 || count > kReviewDaysMax) {
    return fail(Errc::usage,
                "the next review is 1 to " + std::to_string(kReviewDaysMax) + " days away");
  }
  if (!command.step_up) return fail(Errc::step_up_required);
  AccessReview review;
  review.digest = access_digest(access_rows(host));
  // As it is written in the statement: to the second.
  review.at = protocol::from_epoch_ms(protocol::epoch_seconds(host.now()) * 1000);
  review.due = review.at + days(count);
  CHECK(sign_review(host, review));
  save(host, "meta", kAccessReview, review);
  host.audit("report.reviewed", {{"digest", review.digest},
                                 {"due", protocol::utc_text(review.due)},
                                 {"agent", review.agent}});
  host.set_timer(kReports, kAccessTimer, review.due);
  return report_access(host);
}

/// Record meta/reader-refused: when it was noted last. One for all: a reader must not make this
/// node write without end.
struct ReaderRefused {
  Time day{};
  std::vector<std::string> commands;
  template <class V>
  void visit(V& v) {
    v("day", day), v("commands", commands);
  }
};
constexpr std::size_t kRefusedNamesMax = 64;

Result<JsonObject> note_reader(Host& host, const JsonObject& args) {
  TRY(std::string command, crypto::json_string(args, "command"));
  if (!operation_of_command(command)) command = "unknown";
  auto noted = load<ReaderRefused>(host, "meta", "reader-refused").value_or(ReaderRefused{});
  if (noted.day + days(1) <= host.now()) noted = {host.now(), {}};
  const bool is_new = std::ranges::find(noted.commands, command) == noted.commands.end();
  if (!is_new || noted.commands.size() >= kRefusedNamesMax) return JsonObject{};
  noted.commands.push_back(command);
  save(host, "meta", "reader-refused", noted);
  host.audit("reader.refused", {{"command", command}});
  return JsonObject{};
}

}  // namespace

std::optional<AccessReview> access_review(Host& host) {
  return load<AccessReview>(host, "meta", kAccessReview);
}

Result<void> check_review(const AccessReview& review) {
  if (review.agent.empty()) return fail(Errc::wrong_state, "nobody signed it");
  TRY(const PublicKey key, crypto::from_multikey(review.agent));
  return crypto::verify(key, review_statement(review), review.signature);
}

Result<JsonObject> ReportModule::on_command(Host& host, const Command& command) {
  if (command.name == "report-roles") return report_roles(host);
  if (command.name == "report-review") return review_access(host, command);
  if (command.name == "reader-refused") return note_reader(host, command.args);
  return report_access(host);
}

void ReportModule::on_start(Host& host) {
  if (host.get({"timer", std::string(kReports) + "|" + std::string(kAccessTimer)})) return;
  host.set_timer(kReports, kAccessTimer, host.now() + days(kFirstReviewDays));
}

void ReportModule::on_timer(Host& host, std::string_view) {
  const auto review = access_review(host);
  host.notify({"review",
               (review ? "Your review of who may do what is due."
                       : "You have never looked at who may do what for you.") +
                   std::string(" See `kith report roles` and `kith report access`, then `kith "
                               "report review`."),
               "",
               {}});
  host.set_timer(kReports, kAccessTimer, host.now() + days(kRemindDays));
}

}  // namespace kith::node
