#pragma once

/// Module "automation": what this node does by the clock (automations.hpp), and what of it its
/// owner turned off. That outlives restarts, and stands in the audit log.
///
/// Commands (arguments -> reply):
///   auto-list    {} -> {automations: [{name, what, next?, waiting, may_be_off, off_since?,
///   reason?,
///                risk?, forbidden?, frozen?}]}
///                `waiting`: so many timers of this kind are set, `next` is the first of them
///   auto-disable {name, reason?} -> the same of one. Errors: not_found, refused (it protects the
///                owner or others), wrong_state (it is off)
///   auto-enable  {name} -> the same of one. What is due runs at once. Errors: not_found,
///                wrong_state (it is on)

#include <string>
#include <vector>

#include "protocol/module.hpp"

namespace kith::node {

class AutomationModule final : public Module {
 public:
  std::string_view name() const override { return "automation"; }
  std::vector<std::string> commands() const override {
    return {"auto-list", "auto-disable", "auto-enable"};
  }
  bool only_reads(std::string_view what) const override { return what == "auto-list"; }
  Result<JsonObject> on_command(Host& host, const Command& command) override;
};

}  // namespace kith::node
