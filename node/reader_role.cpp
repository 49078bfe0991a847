#include "node/reader_role.hpp"

#include <algorithm>

namespace kith::node {

const std::vector<std::string_view>& reader_commands() {
  static const std::vector<std::string_view> all = {
      "status",           "version",          "audit-show",       "audit-verify",
      "audit-page",       "audit-checkpoint", "keys-list",        "keys-show",
      "keys-at-risk",     "keys-impact",      "policy-show",      "policy-history",
      "policy-proposals", "policy-explain",   "policy-documents", "policy-operations",
      "auto-list",        "report-roles",     "report-access",    "incident-list",
      "incident-show",    "freeze-status",    "agent-list",       "recovery-status",
      "trustee-list",     "identity-status",  "did-show",         "did-rotate-status",
      "ledger-seen",      "ledger-host",      "ledger-replica",   "witness-show",
  };
  return all;
}

bool reader_may(std::string_view command) {
  return std::ranges::find(reader_commands(), command) != reader_commands().end();
}

}  // namespace kith::node
