#pragma once

/// Names that people would take for one another. A contact's name is how its owner knows it, so a
/// stranger who takes nearly the same one could pass for that contact.
///
/// The test is small and bounded: compatibility forms (NFKC), case, marks and invisible characters
/// are set aside, and letters of the Greek and Cyrillic alphabets that look like Latin ones count
/// as those (a part of Unicode Technical Standard 39, section 4). It warns too often rather than
/// too seldom, and it never forbids.

#include <string>
#include <string_view>
#include <vector>

#include "protocol/contact.hpp"

namespace kith::protocol {

/// Whether `a` and `b` are the same name but for spelling, or look the same. A number that tells
/// equal names apart does not count: "Bob" and "Bob (2)" are alike.
[[nodiscard]] bool look_alike(std::string_view a, std::string_view b);

/// Names of the contacts, `own` left out, that look like `name`.
[[nodiscard]] std::vector<std::string> lookalikes(Host& host, std::string_view name,
                                                  std::string_view own_id);
/// A sentence for the user; empty when there are none.
[[nodiscard]] std::string lookalike_warning(Host& host, const Contact& contact);

}  // namespace kith::protocol
