#pragma once

/// The numbers of a node for Prometheus (text format 0.0.4): how much, never who. No label names a
/// person, a DID, a contact or an address.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/result.hpp"
#include "node/runtime/event_queue.hpp"
#include "node/runtime/listen_address.hpp"
#include "protocol/mediation_policy.hpp"

namespace kith::node {

/// One line of the page.
struct MetricSample {
  std::string labels;  ///< `{outcome="taken"}`, or empty.
  std::uint64_t value = 0;
};

struct Metric {
  std::string_view name;
  std::string_view help;
  bool is_counter = false;  ///< Only grows while the node runs; else a gauge.
  std::vector<MetricSample> samples;
};

/// What the shell knows at one moment.
struct NodeNumbers {
  EventCounts events;
  std::size_t open_effects = 0;
  std::size_t connections = 0;
  std::size_t waiting_answers = 0;
  bool mediates = false;
  protocol::MailUse mail;
  protocol::MediationPolicy policy;
};

[[nodiscard]] std::vector<Metric> metrics_of(const NodeNumbers& numbers);
[[nodiscard]] std::string prometheus_text(const std::vector<Metric>& metrics);

/// "ADDRESS:PORT" of this machine alone. Errors: usage.
[[nodiscard]] Result<ListenAddress> parse_metrics_listen(const std::string& text);

}  // namespace kith::node
