/// The other agents' side: judge, show, answer.

#include <algorithm>

#include "crypto/limits.hpp"
#include "ledger/log_writer.hpp"
#include "ledger/proposal_limits.hpp"
#include "ledger/proposal_messages.hpp"
#include "ledger/proposal_steps.hpp"
#include "protocol/sender.hpp"

namespace kith::ledger {
namespace {

Result<Time> end_of(Host& host, const Inbound& inbound) {
  if (!inbound.message.expires_time) return fail(Errc::malformed, "a proposal has an end");
  const Time end = protocol::from_epoch_seconds(*inbound.message.expires_time);
  if (end <= host.now()) return fail(Errc::expired, "the proposal has expired");
  if (end > host.now() + Duration{proposal_limits::kLifeMax} + Duration{limits::kClockSkew}) {
    return fail(Errc::limit_exceeded, "a proposal is open for at most 14 days");
  }
  return end;
}

bool may_do_anything(const Policy& policy, std::string_view key) {
  return std::ranges::any_of(policy.agents, [key](const PolicyAgent& agent) {
    return agent.key == key && (agent.auth & auth::kKnown & ~auth::kProve) != 0;
  });
}

/// Everything that is asked of an entry and its proposer, once it follows our head.
Result<void> judge(const OwnGround& ground, const Entry& entry, const std::string& proposer) {
  CHECK(check_proposal(ground.ground(), entry));
  if (!has_say(ground.ground(), entry, proposer)) {
    return fail(Errc::refused, "the sender has no say in this");
  }
  return {};
}

/// Errors: conflict, those of judge, refused.
Result<ProposalState> state_for(const OwnGround& ground, const Entry& entry,
                                const std::string& proposer) {
  switch (place_of(ground.view, entry)) {
    case Place::next:
      CHECK(judge(ground, entry, proposer));
      return ProposalState::open;
    case Place::ahead:
      if (!may_do_anything(ground.policy, proposer)) {
        return fail(Errc::refused, "the sender may change nothing");
      }
      return ProposalState::waiting;
    case Place::present:
      return fail(Errc::conflict, "that entry is in the log");
    case Place::passed:
    case Place::apart:
      break;
  }
  return fail(Errc::conflict, "it does not follow the newest entry that this device knows");
}

void announce(Host& host, const Proposal& proposal) {
  const auto contact = protocol::find_contact(host, proposal.contact_id);
  const std::string id = proposal_id(proposal.hash);
  host.notify({"policy-proposal",
               (contact ? contact->name : std::string("Another device of yours")) +
                   " asks this device to approve a change of who may act for you. What it is: "
                   "`kith policy proposals`; then `kith policy approve " +
                   id + "` or `kith policy reject " + id + "`.",
               id,
               {}});
}

Result<ProposalMail> mail_to_proposer(Host& host, const Proposal& proposal) {
  const auto contact = protocol::find_contact(host, proposal.contact_id);
  if (!contact) return fail(Errc::unknown_peer, "its proposer is no contact any more");
  return ProposalMail{*contact, proposal.thread, proposal.expires};
}

/// It turns out only now that it cannot be.
void refuse(Host& host, Proposal& proposal, const Error& error) {
  const std::string code(crypto::error_text(error.code).code);
  if (const auto mail = mail_to_proposer(host, proposal); mail.has_value()) {
    const auto sent = send_reject(host, *mail, {proposal.hash, {}, code, {}, {}});
    if (!sent.has_value()) host.audit("policy.answer-not-sent", {{"entry", proposal.hash}});
  }
  close_proposal(host, proposal, ProposalState::invalid, error.detail);
}

Result<void> must_be_open(const Proposal& proposal) {
  if (proposal.mine) return fail(Errc::wrong_state, "this device proposed it itself");
  if (proposal.state == ProposalState::waiting) {
    return fail(Errc::wrong_state, "this device has not read from the ledger yet what it follows");
  }
  if (proposal.state != ProposalState::open) {
    return fail(Errc::wrong_state,
                proposal_name(proposal) + " is " + std::string(state_name(proposal.state)));
  }
  return {};
}

std::optional<ProposalState> told_state(std::string_view outcome) {
  for (const auto state : {ProposalState::overtaken, ProposalState::expired,
                           ProposalState::withdrawn, ProposalState::rejected}) {
    if (state_name(state) == outcome) return state;
  }
  return std::nullopt;
}

}  // namespace

void settle_others(Host& host, const OwnGround& ground, Proposal& proposal) {
  const auto entry = parse_entry(proposal.blob);
  if (!entry.has_value()) return;  // It was read before.
  const Place place = place_of(ground.view, *entry);
  if (place == Place::present) {
    if (proposal.state != ProposalState::posted) {
      close_proposal(host, proposal, ProposalState::posted, {});
    }
    return;
  }
  if (is_closed(proposal.state)) return;
  const bool waits = proposal.state == ProposalState::waiting;
  if (place != Place::next && !(waits && place == Place::ahead)) {
    return close_proposal(host, proposal, ProposalState::overtaken, {});
  }
  if (proposal.expires <= host.now()) {
    return close_proposal(host, proposal, ProposalState::expired, {});
  }
  if (!waits || place != Place::next) return;
  if (const auto good = judge(ground, *entry, proposal.agent); !good.has_value()) {
    return refuse(host, proposal, good.error());
  }
  proposal.state = ProposalState::open;
  await_end(host, proposal);
  save_proposal(host, proposal);
  announce(host, proposal);
}

Result<void> take_propose(Host& host, const Inbound& inbound) {
  TRY(const Contact contact, protocol::sender_of(host, inbound));
  TRY(const auto body, protocol::decode_body<ProposeBody>(inbound.message.body));
  CHECK(check_reason(body.reason));
  TRY(const Time end, end_of(host, inbound));
  TRY(const Entry entry, parse_entry(body.entry));
  TRY(const OwnGround ground, own_ground(host, entry.id));
  CHECK(check_proof(ground.policy, inbound, body));
  const std::string hash = entry_hash(entry);
  if (const auto known = find_proposal(host, hash)) {
    if (known->contact_id == contact.id) return {};  // Asked again.
    return fail(Errc::conflict, "another device proposed this before");
  }
  TRY(const ProposalState state, state_for(ground, entry, body.agent));
  CHECK(room_for_proposal(host, contact.id));
  Proposal proposal;
  proposal.hash = hash;
  proposal.subject = entry.id;
  proposal.n = entry.n;
  proposal.blob = body.entry;
  proposal.state = state;
  proposal.contact_id = contact.id;
  proposal.agent = body.agent;
  proposal.reason = body.reason;
  proposal.thread = inbound.message.thread();
  proposal.created = host.now();
  proposal.expires = end;
  save_proposal(host, proposal);
  await_end(host, proposal);
  std::vector<std::string> present;
  for (const PolicyAgent& agent : ground.policy.agents) present.push_back(agent.key);
  remember_agent(host, body.agent, contact.id, present);
  host.audit("policy.proposal-received", {{"contact", contact.id}, {"entry", hash}});
  if (state == ProposalState::open) {
    announce(host, proposal);
  } else {
    refresh_log(host, proposal.subject);
  }
  return {};
}

Result<Proposal> approve_proposal(Host& host, Proposal proposal) {
  CHECK(must_be_open(proposal));
  if (proposal.expires <= host.now()) return fail(Errc::expired, "the proposal has expired");
  TRY(const OwnGround ground, own_ground(host, proposal.subject));
  TRY(Entry entry, parse_entry(proposal.blob));
  CHECK(judge(ground, entry, proposal.agent));
  CHECK(check_signed_once(host, proposal));
  const std::size_t had = entry.sigs.size();
  TRY(const std::size_t added, add_own_signatures(host, ground, entry));
  if (added == 0) return fail(Errc::refused, "this device has no say in this");
  ApproveBody body{proposal.hash, {}, {}, {}};
  for (std::size_t i = had; i < entry.sigs.size(); ++i) {
    body.signatures.push_back({entry.sigs[i].k, entry.sigs[i].s});
  }
  TRY(const ProposalMail mail, mail_to_proposer(host, proposal));
  TRY(const std::string sent, send_approve(host, mail, std::move(body)));
  proposal.blob = entry_blob(entry);
  proposal.signed_here = true;
  proposal.state = ProposalState::approved;
  save_proposal(host, proposal);
  host.audit("policy.proposal-approved", {{"entry", proposal.hash}});
  return proposal;
}

Result<Proposal> decline_proposal(Host& host, Proposal proposal, const std::string& reason) {
  if (proposal.state != ProposalState::waiting) CHECK(must_be_open(proposal));
  CHECK(check_reason(reason));
  TRY(const ProposalMail mail, mail_to_proposer(host, proposal));
  TRY(const std::string sent, send_reject(host, mail, {proposal.hash, reason, {}, {}, {}}));
  proposal.state = ProposalState::declined;
  proposal.closed = host.now();
  save_proposal(host, proposal);
  host.audit("policy.proposal-declined", {{"entry", proposal.hash}});
  return proposal;
}

Result<void> take_outcome(Host& host, const Inbound& inbound) {
  TRY(const Contact contact, protocol::sender_of(host, inbound));
  TRY(const auto body, protocol::decode_body<OutcomeBody>(inbound.message.body));
  auto proposal = find_proposal(host, body.entry);
  if (!proposal || proposal->mine || proposal->contact_id != contact.id) {
    return fail(Errc::not_found, "no such proposal");
  }
  if (is_closed(proposal->state)) return {};
  TRY(const OwnGround ground, own_ground(host, proposal->subject));
  // By the key that proposed it, which may be no agent's any more.
  if (body.agent != proposal->agent) return fail(Errc::refused, "another agent proposed it");
  Policy proposer;
  proposer.agents.push_back({proposal->agent, 0, std::nullopt, std::nullopt});
  CHECK(check_proof(proposer, inbound, body));
  settle_others(host, ground, *proposal);
  if (is_closed(proposal->state)) return {};
  // That it is in the log, or that another entry is, this device believes when it has read it.
  refresh_log(host, proposal->subject);
  const auto told = told_state(body.outcome);
  if (told && *told != ProposalState::overtaken) close_proposal(host, *proposal, *told, {});
  return {};
}

}  // namespace kith::ledger
