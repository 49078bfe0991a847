#include "node/automation_module.hpp"

#include <algorithm>
#include <map>

#include "node/automations.hpp"
#include "node/rule_gate.hpp"
#include "node/rule_limits.hpp"
#include "protocol/unit_of_work.hpp"

namespace kith::node {
namespace {

using Off = Automation::Off;

struct SetTimer {
  std::string module;
  std::string name;
  Time at{};
};

/// All timers that are set, by their automation.
std::map<std::string_view, std::vector<SetTimer>> timers_set(Host& host) {
  std::map<std::string_view, std::vector<SetTimer>> all;
  for (const std::string& id : host.list("timer")) {
    const std::size_t bar = id.find('|');
    const std::string module = id.substr(0, bar), name = id.substr(bar + 1);
    const Automation* const row = automation_of(module, name);
    if (row == nullptr) continue;
    all[row->name].push_back({module, name, load<protocol::StoredTimer>(host, "timer", id)->at});
  }
  return all;
}

JsonObject describe_automation(Host& host, const Automation& row,
                               const std::vector<SetTimer>& timers, const RuleBook& book) {
  JsonObject json{{"name", std::string(row.name)},
                  {"what", std::string(row.help)},
                  {"waiting", timers.size()},
                  {"may_be_off", row.off != Off::never}};
  if (!timers.empty()) {
    json["next"] = protocol::utc_text(std::ranges::min(timers, {}, &SetTimer::at).at);
  }
  const auto off = find_automation_off(host, row.name);
  if (off) {
    json["off_since"] = protocol::utc_text(off->since);
    if (!off->reason.empty()) json["reason"] = off->reason;
  }
  if (off && row.off == Off::at_a_risk) json["risk"] = std::string(row.risk);
  const auto is_forbidden = [&](const SetTimer& timer) {
    return forbids_timer(book, timer.module, timer.name);
  };
  if (std::ranges::any_of(timers, is_forbidden)) json["forbidden"] = true;
  const auto is_frozen = [&](const SetTimer& timer) {
    return is_stopped(host, operation_of_timer(timer.module, timer.name));
  };
  if (std::ranges::any_of(timers, is_frozen)) json["frozen"] = true;
  return json;
}

JsonObject list_automations(Host& host) {
  const auto timers = timers_set(host);
  const RuleBook book = rule_book(host);
  JsonArray rows;
  for (const Automation& row : automations()) {
    const auto own = timers.find(row.name);
    rows.push_back(describe_automation(
        host, row, own == timers.end() ? std::vector<SetTimer>() : own->second, book));
  }
  return {{"automations", std::move(rows)}};
}

/// Errors: not_found, malformed.
Result<const Automation*> wanted_automation(const JsonObject& args) {
  TRY(const std::string name, crypto::json_string(args, "name"));
  const Automation* const row = automation_called(name);
  if (row == nullptr) {
    return fail(Errc::not_found,
                "nothing that happens by itself is called `" + name + "`; see `kith auto list`");
  }
  return row;
}

JsonObject describe_one(Host& host, const Automation& row) {
  auto timers = timers_set(host);
  return describe_automation(host, row, timers[row.name], rule_book(host));
}

Result<JsonObject> disable(Host& host, const JsonObject& args) {
  TRY(const Automation* const row, wanted_automation(args));
  TRY(const auto reason, crypto::json_optional_string(args, "reason"));
  const std::string words = reason.value_or("");
  if (words.size() > rule_limits::kTextBytesMax) return fail(Errc::limit_exceeded, "reason");
  if (row->off == Off::never) {
    return fail(Errc::refused,
                "it protects you or others; `kith freeze` stops all that may be stopped");
  }
  if (find_automation_off(host, row->name)) return fail(Errc::wrong_state, "it is off");
  save(host, kAutomationsOff, row->name, AutomationOff{host.now(), words});
  host.audit("automation.off", {{"name", std::string(row->name)}});
  return describe_one(host, *row);
}

Result<JsonObject> enable(Host& host, const JsonObject& args) {
  TRY(const Automation* const row, wanted_automation(args));
  if (!find_automation_off(host, row->name)) return fail(Errc::wrong_state, "it is on");
  host.erase({std::string(kAutomationsOff), std::string(row->name)});
  auto timers = timers_set(host);
  for (const SetTimer& timer : timers[row->name]) {
    host.set_timer(timer.module, timer.name, host.now());
  }
  host.audit("automation.on", {{"name", std::string(row->name)}});
  return describe_one(host, *row);
}

}  // namespace

Result<JsonObject> AutomationModule::on_command(Host& host, const Command& command) {
  if (command.name == "auto-disable") return disable(host, command.args);
  if (command.name == "auto-enable") return enable(host, command.args);
  return list_automations(host);
}

}  // namespace kith::node
