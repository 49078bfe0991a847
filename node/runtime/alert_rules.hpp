#pragma once

/// Which entries of the audit log raise an alert, and where it goes. Pure: no clock, no sockets;
/// time is that of the entries. What is done with an alert is alert_sinks.hpp's business.
///
/// An alert is made of words of this file, the name of the event, its number and its time: nothing
/// that an entry, a peer or a person wrote gets into it.

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "node/node_module.hpp"
#include "protocol/audit_log.hpp"
#include "protocol/host.hpp"

namespace kith::node {

/// Table `alerts` of kith.toml. Each list of a rule holds "notice", "command" or "webhook".
struct AlertOptions {
  std::vector<std::string> failed_unlocks;
  std::vector<std::string> recovery_request;
  std::vector<std::string> new_agent;
  std::vector<std::string> heartbeat_loss;
  std::vector<std::string> checkpoint_conflict;
  std::vector<std::string> command;  ///< Program and its arguments; no shell.
  std::string webhook;               ///< http://127.0.0.1:PORT/PATH
  std::int64_t unlock_tries = 3;     ///< Wrong passphrases within ten minutes.
  std::int64_t per_hour = 20;        ///< Of each rule.
};

/// Unknown words, a destination that is not set, a program without its whole path, a webhook that
/// is not on this machine. Errors: usage.
[[nodiscard]] Result<void> check_alert_options(const AlertOptions& options);
[[nodiscard]] bool any_alert(const AlertOptions& options);
/// The places that at least one rule names, each once.
[[nodiscard]] std::vector<std::string> alert_places(const AlertOptions& options);

struct Alert {
  std::string kind;  ///< "failed-unlocks"
  std::string text;  ///< A sentence for people.
  std::string event;
  std::uint64_t entry = 0;  ///< Of the audit log.
  Time time{};
  std::uint64_t left_out = 0;  ///< Of its kind before it: more than the hour allows.
  std::vector<std::string> to;
};
[[nodiscard]] JsonObject alert_json(const Alert& alert);
/// Its text, and how many like it were left out.
[[nodiscard]] std::string alert_words(const Alert& alert);

/// Where new entries of the audit log go.
struct AuditOutlets {
  AlertOptions alerts;
  std::string journal;  ///< Path of the socket of the system's journal; empty: not there.
};
/// Errors: usage.
[[nodiscard]] Result<void> check_outlets(const AuditOutlets& outlets);

class AlertRules {
 public:
  explicit AlertRules(AlertOptions options) : options_(std::move(options)) {}
  /// Entries in their order. A kind that is over its hour keeps no other from being raised.
  [[nodiscard]] std::optional<Alert> judge(const protocol::AuditEntry& entry);

 private:
  [[nodiscard]] bool too_many_tries(const protocol::AuditEntry& entry);

  struct Raised {
    std::deque<Time> times;  ///< Of the last hour.
    std::uint64_t left_out = 0;
  };
  AlertOptions options_;
  std::deque<Time> tries_;  ///< Wrong passphrases of the last minutes.
  std::map<std::string_view, Raised> raised_;
};

}  // namespace kith::node
