#pragma once

/// Authorization policy (kind policy): which agents may do what, and how many must agree
/// (log-protocol section 2).
///
/// JSON: {"agents":[{"auth":127,"commitment":"z..","key":"z6Mk..","label":".."}],
///        "rules":{"admin":1,"grant":1,"revoke":1}, "set":".."}

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/json.hpp"
#include "crypto/result.hpp"

namespace kith::ledger {

/// A set of authorizations. Bits without a name here are carried and shown, never granted: they
/// count for nothing, and no update may add them to an agent.
using AuthBits = std::uint64_t;

namespace auth {
inline constexpr AuthBits kProve = 1;            ///< May prove membership; may hold a commitment.
inline constexpr AuthBits kProveGrant = 2;       ///< Counts for the rule `grant`.
inline constexpr AuthBits kProveRevoke = 4;      ///< Counts for the rule `revoke`.
inline constexpr AuthBits kAdmin = 8;            ///< Counts for the rule `admin`.
inline constexpr AuthBits kRevokeAuthz = 16;     ///< A trustee that counts for `revoke`.
inline constexpr AuthBits kProvisionAuthz = 32;  ///< A trustee that counts for `grant`.
inline constexpr AuthBits kAdminAuthz = 64;      ///< A trustee that counts for `admin`.
inline constexpr AuthBits kKnown = 127;
inline constexpr AuthBits kOwnerAll = 15;  ///< The first agent of a policy.
}  // namespace auth

struct AuthName {
  AuthBits bit;
  std::string_view name;  ///< "PROVE", ...
};
/// The bit table, lowest first.
[[nodiscard]] const std::vector<AuthName>& auth_names();

struct PolicyAgent {
  std::string key;  ///< Multikey: Ed25519 or secp256k1.
  AuthBits auth = 0;
  std::optional<std::string> label;       ///< Random unless the owner asks otherwise.
  std::optional<std::string> commitment;  ///< Multibase 'z' of 32 bytes; only with PROVE.
  friend bool operator==(const PolicyAgent&, const PolicyAgent&) = default;
};

struct Policy {
  std::vector<PolicyAgent> agents;  ///< Distinct keys, distinct commitments.
  std::map<std::string, std::uint32_t>
      rules;                       ///< "grant", "revoke", "admin" always; others carried.
  std::optional<std::string> set;  ///< Anchor of the recovery set.
  friend bool operator==(const Policy&, const Policy&) = default;
};

/// nullptr: no agent of `policy` has that key.
[[nodiscard]] const PolicyAgent* find_agent(const Policy& policy, std::string_view key);
/// The keys of `policy` that `other` names too, in their order.
[[nodiscard]] std::vector<std::string> shared_order(const Policy& policy, const Policy& other);

/// What a change asks for: the rule and the bits of those who count for it.
enum class PolicyAction : std::uint8_t { grant = 1, revoke = 2, admin = 3 };
[[nodiscard]] std::string_view action_name(PolicyAction action);
[[nodiscard]] AuthBits counting_bits(PolicyAction action);

/// Shape, distinct keys and commitments, rules >= 1, and an ADMIN quorum: at least rules["admin"]
/// agents hold ADMIN itself (trustees' ADMIN_AUTHZ does not count). Errors: malformed, bad_key,
/// limit_exceeded, refused (no ADMIN quorum, duplicate commitment).
[[nodiscard]] Result<Policy> parse_policy(const Json& json);
[[nodiscard]] Json policy_json(const Policy& policy);
/// The same checks on a policy made here.
[[nodiscard]] Result<void> check_policy(const Policy& policy);

/// One changed member of a policy and what it asks for.
struct PolicyChange {
  PolicyAction action;
  /// The agent that may make this change alone, of itself (it gives something up).
  std::optional<std::string> self;
  std::string what;  ///< For people: "agent z6Mk..: gains PROVE".
};

/// Everything that differs. PROVE and commitments: `grant` when gained, `revoke` when lost; every
/// other bit, labels, rules, set and the order of agents: `admin`. An agent that is new or gone
/// gains or loses what it has; the agent itself, with label but without bits, asks for `admin`.
/// Errors: refused (an unknown bit would be granted).
[[nodiscard]] Result<std::vector<PolicyChange>> policy_changes(const Policy& before,
                                                               const Policy& after);

/// m-of-n: each change needs rules[action] of the agents of `before` that hold a counting bit, or
/// the one agent that gives up something of its own. Signers are Multikeys, distinct, signatures
/// verified; each must be an agent of `before`. Errors: refused, naming the change.
[[nodiscard]] Result<void> check_policy_update(const Policy& before, const Policy& after,
                                               const std::vector<std::string>& signers);

}  // namespace kith::ledger
