#pragma once

/// What can be said of a key for people and programs: its row, what is wrong with it, what hangs on
/// it. Reads records, changes none.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/json.hpp"
#include "node/key_info.hpp"

namespace kith::node {

struct NamedKeyInfo {
  std::string id;
  KeyInfo info;
  KeyUses uses;
};

/// Of what is held, or (`gone`) was held. By id.
[[nodiscard]] std::vector<NamedKeyInfo> list_keys(Host& host, bool gone = false);
/// Errors: not_found, conflict, usage (too short).
[[nodiscard]] Result<NamedKeyInfo> key_named(Host& host, std::string_view text);

/// When it is to be replaced; nullopt: an event ends it, or it is not active.
[[nodiscard]] std::optional<Time> due_time(const KeyInfo& info);
/// Why it is at risk; empty: it is not.
[[nodiscard]] std::vector<std::string> risks(const NamedKeyInfo& key, Time now);
[[nodiscard]] bool is_overdue(const NamedKeyInfo& key, Time now);

/// Whose a key is, in words: "your identity", "your policy", a contact's name, "this device".
class KeyOwners {
 public:
  explicit KeyOwners(Host& host);
  [[nodiscard]] std::string text(const KeyInfo& info) const;

 private:
  std::map<std::string, std::string> names_;  ///< By DID, log or contact.
};

[[nodiscard]] JsonObject key_row(const KeyOwners& owners, const NamedKeyInfo& key);
[[nodiscard]] JsonObject key_details(const KeyOwners& owners, const NamedKeyInfo& key);

/// Something that is affected when the key is lost or in wrong hands.
struct KeyEffect {
  std::string what;  ///< "relationship", "identity", "policy", "vault", "backups", ...
  std::string id;
  std::string name;
};
struct KeyImpact {
  std::vector<KeyEffect> affects;
  std::vector<std::string> grants;  ///< What still rests on it: it cannot be destroyed before.
  std::vector<std::string> steps;   ///< How it is replaced, as commands.
};
[[nodiscard]] KeyImpact impact_of(Host& host, const NamedKeyInfo& key);
[[nodiscard]] JsonObject impact_json(const NamedKeyInfo& key, const KeyImpact& impact);

}  // namespace kith::node
