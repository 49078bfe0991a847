#include "node/cli/spec_parts.hpp"

namespace kith::node {

using enum ArgSpec::Kind;

std::vector<CommandSpec> report_commands() {
  return {
      {"report roles",
       "Who holds which role for you, and which person holds several that should be apart",
       "report-roles",
       Special::none,
       {}},
      {"report access",
       "Who may do what, when that was reviewed, and when it is due again",
       "report-access",
       Special::none,
       {}},
      {"report review",
       "Sign that you have looked at `report access`, and will again",
       "report-review",
       Special::none,
       {{"--days", "days", "Again within so many days (90, at most 400)", number}},
       "Have you looked at `kith report roles` and `kith report access`, and is all of it as it "
       "should be?"},
  };
}

}  // namespace kith::node
