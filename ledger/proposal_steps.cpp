#include "ledger/proposal_steps.hpp"

#include <algorithm>
#include <map>

#include "ledger/log_store.hpp"
#include "ledger/log_writer.hpp"
#include "ledger/own_log.hpp"
#include "ledger/proposal_limits.hpp"
#include "ledger/strict_json.hpp"

namespace kith::ledger {
namespace {

std::string closing_text(const Proposal& proposal) {
  const std::string name = proposal_name(proposal);
  switch (proposal.state) {
    case ProposalState::posted:
      return name + " is in force.";
    case ProposalState::overtaken:
      return name + " is void: another change came first. Propose it again if it is still wanted.";
    case ProposalState::expired:
      return name + " has expired: too few of your devices approved it in time.";
    case ProposalState::withdrawn:
      return name + " was withdrawn.";
    case ProposalState::rejected:
      return name + " is void: too many of your devices rejected it.";
    default:
      return name + " does not follow the rules and was refused: " + proposal.why;
  }
}

}  // namespace

std::string proposal_name(const Proposal& proposal) {
  return "The proposed change " + proposal_id(proposal.hash);
}

Result<OwnGround> own_ground(Host& host, std::string_view subject) {
  TRY(Identity own, needed_identity(host));
  if (subject != own.policy && subject != own.did) {
    return fail(Errc::refused, "that is no log of this wallet's owner");
  }
  const auto options_for = [&](const std::vector<AnchoredBlob>& blobs) {
    ReaderOptions made{anchor_time(host.now()), host.test_mode(), ledger_of(own, blobs)};
    add_descriptors(host, made, blobs);
    return made;
  };
  std::vector<AnchoredBlob> blobs = stored_blobs(host, subject);
  ReaderOptions options = options_for(blobs);
  TRY(LogView view, read_log(subject, blobs, options));
  const std::vector<AnchoredBlob> policy_blobs = stored_blobs(host, own.policy);
  TRY(LogView policy_view, read_log(own.policy, policy_blobs, options_for(policy_blobs)));
  TRY(Policy policy, parse_policy(policy_view.current.state));
  return OwnGround{std::move(own),    std::move(view),  std::move(policy_view),
                   std::move(policy), std::move(blobs), std::move(options)};
}

Result<std::size_t> add_own_signatures(Host& host, const OwnGround& ground, Entry& entry) {
  const auto counting = counting_keys(ground.ground(), entry);
  std::size_t added = 0;
  if (entry.kind == Kind::policy) {
    TRY(const KeyPair agent, own_agent_key(host));
    if (!contains(counting, crypto::multikey(agent.public_key))) return added;
    CHECK(add_signature(entry, agent, host.keys()));
    return added + 1;
  }
  for (const std::string& key : counting) {
    const auto sealed = log_key(host, key);
    const bool signed_already =
        std::ranges::find(entry.sigs, key, &EntrySignature::k) != entry.sigs.end();
    if (!sealed || signed_already) continue;
    TRY(const PublicKey public_key, signing_key(key));
    CHECK(add_signature(entry, public_key, host.keys(), *sealed));
    ++added;
  }
  return added;
}

Result<void> check_signed_once(Host& host, const Proposal& proposal) {
  for (const Proposal& other : list_proposals(host)) {
    if (is_closed(other.state) || !other.signed_here || other.hash == proposal.hash) continue;
    if (other.subject != proposal.subject || other.n != proposal.n) continue;
    return fail(Errc::conflict, "this device has signed " + proposal_id(other.hash) +
                                    ", which is still open: only one of them can come next");
  }
  return {};
}

void await_end(Host& host, const Proposal& proposal) {
  Time at = proposal.expires;
  if (proposal.state == ProposalState::waiting) {
    const Duration pause = std::min<Duration>(
        Duration{proposal_limits::kLookFirst} * (1 << std::min(proposal.looks, 10U)),
        proposal_limits::kLookMax);
    at = std::min(at, host.now() + pause);
  }
  host.set_timer(kProposalsModule, proposal.hash, at);
}

void close_proposal(Host& host, Proposal& proposal, ProposalState state, std::string why) {
  const bool was_closed = is_closed(proposal.state);
  const bool was_declined = proposal.state == ProposalState::declined;
  proposal.state = state;
  if (proposal.closed == Time{}) proposal.closed = host.now();
  proposal.why = std::move(why);
  host.cancel_timer(kProposalsModule, proposal.hash);
  save_proposal(host, proposal);
  host.audit("policy.proposal-closed",
             {{"entry", proposal.hash}, {"state", state_name(proposal.state)}});
  // Of what its owner said no to, one wants to hear only that it came about all the same.
  const bool is_news = state == ProposalState::posted || (!was_closed && !was_declined);
  if (!is_news) return;
  host.notify({"policy-outcome", closing_text(proposal), proposal_id(proposal.hash), {}});
}

void settle_proposal(Host& host, const OwnGround& ground, Proposal& proposal) {
  if (proposal.mine) return settle_own(host, ground, proposal);
  settle_others(host, ground, proposal);
}

void look_at_proposals(Host& host) {
  std::map<std::string, Result<OwnGround>> grounds;
  for (Proposal& proposal : list_proposals(host)) {
    const bool may_come_late = proposal.signed_here && proposal.state != ProposalState::posted &&
                               proposal.state != ProposalState::overtaken;
    if (is_closed(proposal.state) && !may_come_late) continue;
    auto ground = grounds.find(proposal.subject);
    if (ground == grounds.end()) {
      ground = grounds.emplace(proposal.subject, own_ground(host, proposal.subject)).first;
    }
    if (ground->second.has_value()) settle_proposal(host, *ground->second, proposal);
  }
}

void proposal_timer(Host& host, std::string_view hash) {
  auto proposal = find_proposal(host, hash);
  if (!proposal || is_closed(proposal->state)) return;
  const auto ground = own_ground(host, proposal->subject);
  if (!ground.has_value()) return;
  settle_proposal(host, *ground, *proposal);
  if (proposal->state != ProposalState::waiting) return;
  ++proposal->looks;
  refresh_log(host, proposal->subject);
  await_end(host, *proposal);
  save_proposal(host, *proposal);
}

}  // namespace kith::ledger
