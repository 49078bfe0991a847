#pragma once

/// State of a pairwise microledger (kind pair): the agents of one party with their keys, where they
/// are reached, and how many agents it takes to remove one (log-protocol section 4).
///
/// JSON: {"agents":[{"agree":"z6LS..","auth":"z6Mk.."}], "revoke":m,
///        "service":[{"routing_keys":["did:.."],"uri":"https://.."}], "status":"active"}

#include <cstdint>
#include <string>
#include <vector>

#include "crypto/json.hpp"
#include "crypto/result.hpp"

namespace kith::ledger {

struct PairAgent {
  std::string auth;   ///< Multikey: Ed25519 or secp256k1; signs messages and its own replacement.
  std::string agree;  ///< Multikey: X25519.
  friend bool operator==(const PairAgent&, const PairAgent&) = default;
};

struct PairService {
  std::string uri;
  std::vector<std::string> routing_keys;  ///< DIDs or DID URLs, at most kRoutingKeysMax.
  friend bool operator==(const PairService&, const PairService&) = default;
};

/// `decry`: the owner says that this relationship's keys were taken over.
enum class PairStatus : std::uint8_t { active = 1, disabled = 2, decry = 3 };

inline constexpr std::size_t kPairServicesMax = 8;

struct PairState {
  std::vector<PairAgent> agents;      ///< 1 to kRecipientsMax; every key occurs once.
  std::vector<PairService> services;  ///< In order of preference; may be empty.
  std::uint32_t revoke = 1;           ///< 1 <= revoke <= agents.size()
  PairStatus status = PairStatus::active;
  friend bool operator==(const PairState&, const PairState&) = default;
};

/// Errors: malformed, bad_key, limit_exceeded.
[[nodiscard]] Result<PairState> parse_pair_state(const Json& json);
[[nodiscard]] Json pair_state_json(const PairState& state);
/// The same checks on a state made here. Errors as above.
[[nodiscard]] Result<void> check_pair_state(const PairState& state);

/// Who must sign the update from `before` to `after`? Judged by the signers (Multikeys, distinct,
/// their signatures verified): an agent may replace its own keys, in its own place of the list, or
/// leave, with its one signature, but not the one while another does the other; removing another
/// takes `before.revoke` agents, replacing its keys the active keys as well; everything else,
/// additions too, takes the log's active keys (`active_quorum`: t of them signed). Errors: refused.
[[nodiscard]] Result<void> check_pair_update(const PairState& before, const PairState& after,
                                             const std::vector<std::string>& signers,
                                             bool active_quorum);

}  // namespace kith::ledger
