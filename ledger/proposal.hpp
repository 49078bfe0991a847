#pragma once

/// Proposals: entries of an own log (policy or DID) that need the signatures of several agents of
/// one owner, and how their signatures are collected (docs/policy-protocol.md). Here: the records.
///
///   proposer:  open -> handed-in -> posted | overtaken        others:  waiting -> open -> approved
///              open -> overtaken | expired | withdrawn |               open -> declined
///                      rejected                                        any -> posted | overtaken |
///                                                                             expired | withdrawn
///                                                                             | rejected | invalid

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/entry.hpp"
#include "protocol/host.hpp"

namespace kith::ledger {

/// Stored: never renumber.
enum class ProposalState : std::uint8_t {
  waiting = 1,    ///< It continues an entry that this device has not read from the ledger yet.
  open = 2,       ///< Ours: answers come in. Another's: the owner is to decide.
  approved = 3,   ///< This device has signed it.
  declined = 4,   ///< This device's owner said no.
  handed_in = 5,  ///< Ours: enough have signed; on its way to the ledger.
  // Closed
  posted = 6,     ///< It is in the log.
  overtaken = 7,  ///< Another entry came first.
  expired = 8,    ///< Too few answered in time.
  withdrawn = 9,  ///< Its proposer took it back.
  rejected = 10,  ///< So many said no that the rest is not enough.
  invalid = 11,   ///< It does not follow the rules; the proposer was told.
};
constexpr bool is_valid(ProposalState state) {
  return state >= ProposalState::waiting && state <= ProposalState::invalid;
}
constexpr bool is_closed(ProposalState state) {
  return state >= ProposalState::posted;
}
[[nodiscard]] std::string_view state_name(ProposalState state);

/// Whom this device asked.
struct ProposalAsked {
  std::string contact_id;
  std::string thread;   ///< Id of the message.
  std::string problem;  ///< What went wrong there; empty: nothing that is known.
  template <class V>
  void visit(V& v) {
    v("contact_id", contact_id), v("thread", thread), v("problem", problem);
  }
};

struct ProposalAnswer {
  std::string agent;  ///< Its key in the policy.
  std::string contact_id;
  bool approved = false;
  std::string reason;
  template <class V>
  void visit(V& v) {
    v("agent", agent), v("contact_id", contact_id), v("approved", approved), v("reason", reason);
  }
};

/// Collection `proposal`, by the hash of the entry.
struct Proposal {
  std::string hash;
  std::string subject;
  std::uint64_t n = 0;
  Bytes blob;  ///< The entry with the signatures that are known here.
  bool mine = false;
  ProposalState state = ProposalState::open;
  std::string contact_id;  ///< Of its proposer; empty when it is ours.
  std::string agent;       ///< The proposer's key in the policy.
  std::string reason;
  std::string thread;        ///< Of the message that brought it; ours: empty.
  bool signed_here = false;  ///< This device's signature is out.
  std::string why;           ///< More about the state.
  std::uint32_t looks = 0;   ///< How often the ledger was asked while it waits.
  Time created{};
  Time expires{};
  Time closed{};
  std::vector<ProposalAsked> asked;
  std::vector<ProposalAnswer> answers;
  template <class V>
  void visit(V& v) {
    v("hash", hash), v("subject", subject), v("n", n), v("blob", blob), v("mine", mine);
    v("state", state), v("contact_id", contact_id), v("agent", agent), v("reason", reason);
    v("thread", thread), v("signed_here", signed_here), v("why", why), v("looks", looks);
    v("created", created), v("expires", expires), v("closed", closed), v("asked", asked);
    v("answers", answers);
  }
};

/// The name of a proposal for people: the same on all devices, for it comes from the entry.
[[nodiscard]] std::string proposal_id(std::string_view hash);

[[nodiscard]] std::optional<Proposal> find_proposal(Host& host, std::string_view hash);
/// By id, or by the entry's hash. Errors: not_found, conflict (two are called that).
[[nodiscard]] Result<Proposal> proposal_named(Host& host, std::string_view id_or_hash);
/// Open ones first, then by time.
[[nodiscard]] std::vector<Proposal> list_proposals(Host& host);
/// Closed ones beyond limits are forgotten, the longest closed first.
void save_proposal(Host& host, const Proposal& proposal);
/// Room for one more of this sender (empty: this device)? Errors: limit_exceeded.
[[nodiscard]] Result<void> room_for_proposal(Host& host, std::string_view contact_id);

/// The contact that has proven to be this agent of ours (collection `policy-agent`, by key).
[[nodiscard]] std::optional<std::string> contact_of_agent(Host& host, std::string_view agent);
/// `present`: the keys in the policy; what is known of others is forgotten.
void remember_agent(Host& host, std::string_view agent, std::string_view contact_id,
                    const std::vector<std::string>& present);

/// This device signed that entry for another agent, which has not taken it back: it is no surprise
/// when the ledger shows it.
[[nodiscard]] bool is_approved_here(Host& host, std::string_view hash);

}  // namespace kith::ledger
