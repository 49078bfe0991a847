#pragma once

/// What is done when something has gone wrong, by kind of incident. The steps are those of
/// docs/incident-response.md, word for word: a test compares them.

#include <optional>
#include <string_view>
#include <vector>

namespace kith::node {

struct Playbook {
  std::string_view kind;     ///< "stolen-device"
  std::string_view section;  ///< Heading of the page.
  std::vector<std::string_view> steps;
  /// What a contact is told who gets a notice of it; after the owner's name.
  std::string_view told;
  std::string_view worse = {};  ///< The kind that it may turn out to be.
};

[[nodiscard]] const std::vector<Playbook>& playbooks();
/// nullptr: no such kind.
[[nodiscard]] const Playbook* playbook_of(std::string_view kind);

}  // namespace kith::node
