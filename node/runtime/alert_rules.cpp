#include "node/runtime/alert_rules.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "node/net/url_policy.hpp"
#include "node/watch_limits.hpp"
#include "protocol/time.hpp"

namespace kith::node {
namespace {

using protocol::AuditEntry;
using Places = std::vector<std::string>;

struct AlertRule {
  std::string_view kind;
  std::string_view event;
  Places AlertOptions::*places;
  std::string_view text;
};

constexpr std::string_view kSessionStep = "trustee.session";

const std::array<AlertRule, 7>& alert_table() {
  static const std::array<AlertRule, 7> rules = {{
      {"failed-unlocks", kWrongPassphraseEvent, &AlertOptions::failed_unlocks,
       "Wrong passphrases were typed on this device, one after the other."},
      {"recovery-request", "recovery.noticed", &AlertOptions::recovery_request,
       "Somebody asks to recover your identity. If that is not you: kith recovery veto"},
      {"recovery-request", kSessionStep, &AlertOptions::recovery_request,
       "A device asks for your help with a recovery: kith trustee requests"},
      {"new-agent", "agent.added", &AlertOptions::new_agent,
       "This device has added another one to your identity."},
      {"new-agent", "agent.unknown", &AlertOptions::new_agent,
       "Your identity has a device that this one did not add: kith agent list"},
      {"heartbeat-loss", "recovery.heartbeat-lost", &AlertOptions::heartbeat_loss,
       "A trustee gives no sign of life any more: kith recovery status"},
      {"checkpoint-conflict", "identity.ledger-conflict", &AlertOptions::checkpoint_conflict,
       "A ledger shows a past that does not fit what it showed before: kith ledger status"},
  }};
  return rules;
}

bool is_loopback_url(const std::string& text) {
  const auto url = parse_http_url(text, UrlPolicy{true});
  if (!url.has_value() || url->secure || !url->is_address) return false;
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(url->host, error);
  return !error && address.is_loopback();
}

void forget_before(std::deque<Time>& times, Time oldest) {
  while (!times.empty() && times.front() <= oldest) times.pop_front();
}

}  // namespace

Result<void> check_alert_options(const AlertOptions& options) {
  for (const AlertRule& rule : alert_table()) {
    for (const std::string& place : options.*rule.places) {
      if (place != "notice" && place != "command" && place != "webhook") {
        return fail(Errc::usage, "[alerts]: \"" + place + "\" is not notice, command or webhook");
      }
      if (place == "command" && options.command.empty()) {
        return fail(Errc::usage, "[alerts]: alerts.command names no program");
      }
      if (place == "webhook" && options.webhook.empty()) {
        return fail(Errc::usage, "[alerts]: alerts.webhook names no address");
      }
    }
  }
  if (!options.command.empty() && !options.command.front().starts_with('/')) {
    return fail(Errc::usage, "[alerts]: alerts.command begins with the whole path of a program");
  }
  if (!options.webhook.empty() && !is_loopback_url(options.webhook)) {
    return fail(Errc::usage,
                "[alerts]: alerts.webhook is on this machine alone: http://127.0.0.1:PORT/PATH");
  }
  return {};
}

Result<void> check_outlets(const AuditOutlets& outlets) {
  if (!outlets.journal.empty() && !outlets.journal.starts_with('/')) {
    return fail(Errc::usage, "[audit]: audit.journal is the whole path of a socket");
  }
  return check_alert_options(outlets.alerts);
}

std::vector<std::string> alert_places(const AlertOptions& options) {
  std::vector<std::string> all;
  for (const AlertRule& rule : alert_table()) {
    for (const std::string& place : options.*rule.places) {
      if (std::ranges::find(all, place) == all.end()) all.push_back(place);
    }
  }
  return all;
}

bool any_alert(const AlertOptions& options) {
  return !alert_places(options).empty();
}

JsonObject alert_json(const Alert& alert) {
  JsonObject json{{"alert", alert.kind},
                  {"text", alert.text},
                  {"event", alert.event},
                  {"entry", alert.entry},
                  {"time", protocol::utc_text(alert.time)}};
  if (alert.left_out > 0) json["left_out"] = alert.left_out;
  return json;
}

std::string alert_words(const Alert& alert) {
  if (alert.left_out == 0) return alert.text;
  return alert.text + " Left out before it, of the same kind: " + std::to_string(alert.left_out) +
         ".";
}

bool AlertRules::too_many_tries(const AuditEntry& entry) {
  forget_before(tries_, entry.time - Duration{watch_limits::kTriesWindow});
  const Json* given = entry.details.if_contains("tries");
  const std::int64_t more = given != nullptr && given->is_int64() ? given->get_int64() : 1;
  const auto wanted = static_cast<std::size_t>(options_.unlock_tries);
  for (std::int64_t i = 0; i < more && tries_.size() < wanted; ++i) tries_.push_back(entry.time);
  if (tries_.size() < wanted) return false;
  tries_.clear();
  return true;
}

std::optional<Alert> AlertRules::judge(const AuditEntry& entry) {
  const auto& rules = alert_table();
  const auto rule = std::ranges::find(rules, entry.event, &AlertRule::event);
  if (rule == rules.end() || (options_.*rule->places).empty()) return std::nullopt;
  const bool request = crypto::json_text_of(entry.details, "event") == "request";
  if (entry.event == kSessionStep && !request) return std::nullopt;
  if (entry.event == kWrongPassphraseEvent && !too_many_tries(entry)) return std::nullopt;
  Raised& raised = raised_[rule->kind];
  forget_before(raised.times, entry.time - Duration{std::chrono::hours{1}});
  if (raised.times.size() >= static_cast<std::size_t>(options_.per_hour)) {
    ++raised.left_out;
    return std::nullopt;
  }
  raised.times.push_back(entry.time);
  return Alert{
      std::string(rule->kind),           std::string(rule->text), entry.event, entry.n, entry.time,
      std::exchange(raised.left_out, 0), options_.*rule->places};
}

}  // namespace kith::node
