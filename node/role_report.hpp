#pragma once

/// Who holds which role for this owner, and who holds too many: the half of the reports that only
/// reads. A person is a contact, or the owner with all their devices; that two contacts are one
/// person is not known here, and said in the report's page.

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/json.hpp"
#include "protocol/host.hpp"

namespace kith::node {

enum class Role : std::uint8_t {
  administrator,  ///< May change who acts for the owner.
  granter,
  revoker,
  prover,
  policy_signer,  ///< A trustee whose word counts for the policy.
  trustee,        ///< Holds a part of the recovery key.
  last_resort,    ///< Holds a key of the super-quorum.
  mediator,       ///< Keeps mail, and backups.
  own_device,
  client,  ///< Whose mail and backups this node keeps.
  ward,    ///< Of whose recovery key this device holds a part.
};
[[nodiscard]] std::string_view role_name(Role role);
/// What it lets its holder do, in a sentence.
[[nodiscard]] std::string_view role_power(Role role);

struct RoleHolder {
  std::string id;      ///< Of the contact; of a device of the owner: its key in the policy.
  std::string name;    ///< "This device", or how the owner calls it.
  std::string person;  ///< The same for all that belongs to one person.
  std::set<Role> roles;
};

/// In the order of the contacts' names, the owner's devices first.
[[nodiscard]] std::vector<RoleHolder> role_holders(Host& host);

struct RoleFlag {
  std::string person;
  std::set<Role> roles;
  std::string why;
};
/// Roles that should be apart and are with one person, and power that one holder has alone.
/// `administrators_needed`: of the policy's rule; 0: there is no policy.
[[nodiscard]] std::vector<RoleFlag> role_flags(const std::vector<RoleHolder>& holders,
                                               std::uint32_t administrators_needed);
/// The policy's rule `admin`; 0: there is no policy.
[[nodiscard]] std::uint32_t administrators_needed(Host& host);

}  // namespace kith::node
