#pragma once

/// What a running node does with new entries of its audit log: hands each to the journal, and
/// raises alerts as kith.toml says. Commands that the shell answers:
///
///   alerts-test    {} -> as alerts-status: sends a test to every place that is configured
///   alerts-status  {} -> {places: [{place, state: waiting|ok|failed, problem?}], waiting}, of the
///                  last test. Errors of both: wrong_state (nothing is configured).

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "node/runtime/alert_sinks.hpp"
#include "node/runtime/audit_watch.hpp"
#include "node/runtime/command_desk.hpp"

namespace kith::node {

class AlertDesk {
 public:
  /// `store` outlives it. Errors: those of check_outlets, of the store.
  [[nodiscard]] static Result<std::unique_ptr<AlertDesk>> open(boost::asio::io_context& io,
                                                               protocol::Store& store,
                                                               const AuditOutlets& outlets,
                                                               AlertSinks::Notice notice);
  AlertDesk(const AlertDesk&) = delete;
  AlertDesk& operator=(const AlertDesk&) = delete;

  /// Answers alerts-test and alerts-status; `desk` is asked nothing once this has ended.
  void add_to(CommandDesk& desk);
  [[nodiscard]] Result<JsonObject> test();
  [[nodiscard]] Result<JsonObject> status() const;

 private:
  struct Delivery {
    std::string place;
    std::string state;
    std::string problem;
  };
  AlertDesk(boost::asio::io_context& io, const AuditOutlets& outlets, AlertSinks::Notice notice);
  void on_entry(const protocol::AuditEntry& entry);

  AuditOutlets outlets_;
  AlertRules rules_;
  std::vector<Delivery> deliveries_;  ///< Of the last test.
  std::uint64_t tests_ = 0;
  AlertSinks sinks_;
  std::unique_ptr<AuditWatch> watch_;
};

}  // namespace kith::node
