#pragma once

/// What an entry would change, in plain sentences: made from the entry and the verified state
/// before it, never from what its proposer says. Texts inside the entry (labels, addresses) are
/// quoted whole and cleared of what a terminal would obey. Pure.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/entry.hpp"
#include "ledger/policy.hpp"

namespace kith::ledger {

struct ProposalWords {
  std::vector<std::string> changes;   ///< Never empty when the states differ.
  std::vector<std::string> warnings;  ///< What follows from it and is easily overlooked.
};

/// Names of agents for people, by key: "this device", or a contact's name.
using AgentNames = std::map<std::string, std::string, std::less<>>;

[[nodiscard]] ProposalWords policy_words(const Policy& before, const Policy& after,
                                         const AgentNames& names);
[[nodiscard]] ProposalWords document_words(const Json& before, const Json& after);
/// By the kind of the log; unreadable states give one sentence that says so.
[[nodiscard]] ProposalWords words_of(Kind kind, const Json& before, const Json& after,
                                     const AgentNames& names);

/// In quotation marks; control characters, what is not seen and what turns the direction of text
/// become "?".
[[nodiscard]] std::string quoted(std::string_view text);
/// The same without quotation marks; what is longer than `max` bytes ends in "...".
[[nodiscard]] std::string shown_text(std::string_view text, std::size_t max);

}  // namespace kith::ledger
