#pragma once

/// What a node does by itself, by the clock: one row for each kind of timer, in people's words, and
/// whether its owner may turn it off. Turned off, a timer is put off until it is turned on again.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/host.hpp"

namespace kith::node {

struct Automation {
  enum class Off : std::uint8_t {
    freely,
    at_a_risk,  ///< `risk` is told.
    never,      ///< It protects the owner or others, or keeps this home within its bounds.
  };
  std::string_view name;  ///< "keys|look"; a whole module: "look-up".
  std::string_view help;
  Off off = Off::freely;
  std::string_view risk = {};
};

[[nodiscard]] const std::vector<Automation>& automations();
/// The row of a timer: its own, else its module's. nullptr: none.
[[nodiscard]] const Automation* automation_of(std::string_view module, std::string_view name);
/// By exactly this name. nullptr: none.
[[nodiscard]] const Automation* automation_called(std::string_view name);

/// Collection `auto-off`, by the automation's name. Belongs to one device: no backup holds it.
struct AutomationOff {
  Time since{};
  std::string reason;
  template <class V>
  void visit(V& v) {
    v("since", since), v("reason", reason);
  }
};
inline constexpr std::string_view kAutomationsOff = "auto-off";

[[nodiscard]] std::optional<AutomationOff> find_automation_off(Host& host, std::string_view name);
/// Whether the owner turned this timer's automation off.
[[nodiscard]] bool is_turned_off(Host& host, std::string_view module, std::string_view timer);

}  // namespace kith::node
