#pragma once

/// May this entry be signed? What an agent makes sure of before it asks its owner, and again before
/// it signs, from the entry and its own verified copies of the logs alone. Pure.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/log_reader.hpp"
#include "ledger/policy.hpp"

namespace kith::ledger {

/// Where an entry stands to a log.
enum class Place {
  next,     ///< It continues the head.
  ahead,    ///< It continues an entry that was not read yet.
  present,  ///< It is in the log.
  passed,   ///< Another entry has its place.
  apart,    ///< It would be the next, and continues another head.
};
[[nodiscard]] Place place_of(const LogView& view, const Entry& entry);

/// What entries are judged by.
struct ProposalGround {
  const LogView& view;    ///< Of the entry's log.
  const LogView& policy;  ///< The same for an entry of the policy.
  std::span<const AnchoredBlob> blobs;
  ReaderOptions options;
};

/// Would the log take it, once enough have signed? The reader itself is asked; lack of signatures
/// is all it may find. The entry must be what our own writer makes of its state, so nothing but the
/// state can differ; its signatures are right and of those who count.
/// Errors: wrong_state (the log has ended, or a recovery or move is not over), unsupported (not an
/// update), conflict (not after our head), invalid_entry, bad_signature, refused (no ADMIN quorum
/// would be left, a bit without meaning, nothing changes, nobody could sign it).
[[nodiscard]] Result<void> check_proposal(const ProposalGround& ground, const Entry& entry);

/// The reader takes it as it is. Errors: those of read_with.
[[nodiscard]] Result<void> has_quorum(const ProposalGround& ground, const Entry& entry);
/// Whether it could have a quorum without these agents.
[[nodiscard]] bool can_do_without(const ProposalGround& ground, const Entry& entry,
                                  const std::vector<std::string>& agents);

/// The keys whose signatures count for the entry: of a policy, its agents with a say in one of the
/// changes; of a DID log, its active keys.
[[nodiscard]] std::vector<std::string> counting_keys(const ProposalGround& ground,
                                                     const Entry& entry);
/// Whether this agent may propose it, and decide about it: as counting_keys, and for a DID log
/// whoever holds ADMIN.
[[nodiscard]] bool has_say(const ProposalGround& ground, const Entry& entry,
                           std::string_view agent);

/// How far it is: one for each rule that its changes ask for.
struct Need {
  std::string rule;  ///< "admin", ...; "keys" for a DID log.
  std::uint32_t needed = 0;
  std::uint32_t have = 0;
};
[[nodiscard]] std::vector<Need> needs_of(const ProposalGround& ground, const Entry& entry);

}  // namespace kith::ledger
