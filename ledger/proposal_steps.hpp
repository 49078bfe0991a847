#pragma once

/// The life of proposals: what messages, the owner and the logs make of them. Everything that
/// happens ends in settle_proposal(), which looks at the log as it is now; so what is asked twice,
/// or comes late, or was lost in a crash, changes nothing that it should not.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/identity.hpp"
#include "ledger/proposal.hpp"
#include "ledger/proposal_check.hpp"
#include "protocol/contact.hpp"
#include "protocol/module.hpp"

namespace kith::ledger {

inline constexpr std::string_view kProposalsModule = "policy";

/// One own log and the policy, as this device has verified them.
struct OwnGround {
  Identity own;
  LogView view;
  LogView policy_view;
  Policy policy;
  std::vector<AnchoredBlob> blobs;
  ReaderOptions options;
  [[nodiscard]] ProposalGround ground() const { return {view, policy_view, blobs, options}; }
};
/// Errors: wrong_state (no identity), refused (not a log of ours), those of read_log.
[[nodiscard]] Result<OwnGround> own_ground(Host& host, std::string_view subject);

// --- The proposer

struct ProposalDraft {
  Entry entry;  ///< Unsigned.
  std::string reason;
  Duration life{};
  std::vector<Contact> to;  ///< Other agents of the owner.
};
/// Signs, and hands the entry in if that is enough; else asks `to`, or all agents that are known if
/// it is empty. For an update of the policy or of the DID document alike.
/// Errors: those of check_proposal, refused (this device has no say), conflict (another proposal of
/// ours for that log is open, or we approved one), limit_exceeded, wrong_state (nobody to ask),
/// those of send.
[[nodiscard]] Result<Proposal> propose(Host& host, ProposalDraft draft);
/// Changes the policy as update_policy() does, or, where others must sign too, proposes that to the
/// agents that are known. Returns the hash of the proposed entry; empty: nobody had to be asked.
/// Errors: those of update_policy and propose.
[[nodiscard]] Result<std::string> change_policy(Host& host,
                                                const std::function<void(Policy&)>& change,
                                                std::string reason);
/// Errors: wrong_state (over, or on its way to the ledger).
[[nodiscard]] Result<Proposal> withdraw_proposal(Host& host, Proposal proposal);
[[nodiscard]] Result<void> take_approve(Host& host, const Inbound& inbound);
[[nodiscard]] Result<void> take_reject(Host& host, const Inbound& inbound);
/// A peer could do nothing with our proposal.
void take_proposal_problem(Host& host, const Inbound& inbound, const std::string& code);

// --- The others

[[nodiscard]] Result<void> take_propose(Host& host, const Inbound& inbound);
[[nodiscard]] Result<void> take_outcome(Host& host, const Inbound& inbound);
/// Checks again, signs, and answers. Errors: wrong_state, expired, conflict (this device signed
/// another entry for the same place, which is still open), refused (no say), those of
/// check_proposal and send.
[[nodiscard]] Result<Proposal> approve_proposal(Host& host, Proposal proposal);
/// Errors: wrong_state, those of send.
[[nodiscard]] Result<Proposal> decline_proposal(Host& host, Proposal proposal,
                                                const std::string& reason);

// --- All

/// Brings it up to the log and the time, and keeps it.
void settle_proposal(Host& host, const OwnGround& ground, Proposal& proposal);
/// All of them; after a log was read.
void look_at_proposals(Host& host);
/// Its end has come, or the ledger may show by now what it continues.
void proposal_timer(Host& host, std::string_view hash);

/// For the files of this header.
void settle_own(Host& host, const OwnGround& ground, Proposal& proposal);
void settle_others(Host& host, const OwnGround& ground, Proposal& proposal);
void close_proposal(Host& host, Proposal& proposal, ProposalState state, std::string why);
/// What this device can sign: its agent key in a policy, the active keys that it holds of a DID
/// log. Returns how many signatures were added.
[[nodiscard]] Result<std::size_t> add_own_signatures(Host& host, const OwnGround& ground,
                                                     Entry& entry);
/// Another open proposal for the same place in the log bears our signature.
[[nodiscard]] Result<void> check_signed_once(Host& host, const Proposal& proposal);
void await_end(Host& host, const Proposal& proposal);
/// For people: "Your policy's change KZB1..." and the like.
[[nodiscard]] std::string proposal_name(const Proposal& proposal);

}  // namespace kith::ledger
