/// The proposer's side: asks, collects, hands in, and tells what became of it.

#include <algorithm>

#include "crypto/limits.hpp"
#include "ledger/log_store.hpp"
#include "ledger/log_writer.hpp"
#include "ledger/own_log.hpp"
#include "ledger/proposal_limits.hpp"
#include "ledger/proposal_messages.hpp"
#include "ledger/proposal_steps.hpp"
#include "ledger/proposal_words.hpp"
#include "ledger/strict_json.hpp"
#include "protocol/freeze.hpp"
#include "protocol/sender.hpp"

namespace kith::ledger {
namespace {

/// The devices that proved to be agents of the present policy.
std::vector<Contact> known_agents(Host& host, const OwnGround& ground) {
  std::vector<Contact> contacts;
  for (const PolicyAgent& agent : ground.policy.agents) {
    const auto id = contact_of_agent(host, agent.key);
    auto contact = id ? protocol::find_contact(host, *id) : std::nullopt;
    if (!contact || contact->state != ContactState::connected) continue;
    const bool listed = std::ranges::find(contacts, contact->id, &Contact::id) != contacts.end();
    if (!listed) contacts.push_back(std::move(*contact));
  }
  return contacts;
}

Result<void> ask(Host& host, const OwnGround& ground, std::vector<Contact> to, Proposal& proposal) {
  if (to.empty()) to = known_agents(host, ground);
  if (to.empty()) {
    return fail(Errc::wrong_state,
                "this device does not know your other devices; name them with --to");
  }
  if (to.size() > limits::kEntryKeysMax) return fail(Errc::limit_exceeded, "too many are asked");
  for (const Contact& contact : to) {
    if (contact.state != ContactState::connected) {
      return fail(Errc::wrong_state, contact.name + " is not connected");
    }
    const bool asked_already =
        std::ranges::find(proposal.asked, contact.id, &ProposalAsked::contact_id) !=
        proposal.asked.end();
    if (asked_already) continue;
    ProposeBody body{proposal.blob, proposal.reason, {}, {}};
    TRY(std::string thread, send_propose(host, {contact, {}, proposal.expires}, std::move(body)));
    proposal.asked.push_back({contact.id, std::move(thread), {}});
  }
  return {};
}

void tell_all(Host& host, Proposal& proposal) {
  for (ProposalAsked& asked : proposal.asked) {
    const auto contact = protocol::find_contact(host, asked.contact_id);
    if (!contact || contact->state != ContactState::connected) continue;
    OutcomeBody body{proposal.hash, std::string(state_name(proposal.state)), {}, {}};
    const auto sent =
        send_outcome(host, {*contact, asked.thread, proposal.expires}, std::move(body));
    if (!sent.has_value()) asked.problem = crypto::error_text(sent.error().code).code;
  }
}

void close_own(Host& host, Proposal& proposal, ProposalState state, std::string why) {
  close_proposal(host, proposal, state, std::move(why));
  tell_all(host, proposal);
  save_proposal(host, proposal);
}

/// Its answer does not prove what it says: said once, and to the owner alone.
void name_offender(Host& host, Proposal& proposal, ProposalAsked& asked, const Contact& contact,
                   const Error& error) {
  host.audit("policy.bad-answer", {{"contact", contact.id},
                                   {"entry", proposal.hash},
                                   {"code", crypto::error_text(error.code).code}});
  if (!asked.problem.empty()) return;
  asked.problem = crypto::error_text(error.code).code;
  host.notify({"alarm",
               contact.name + " answered " + proposal_id(proposal.hash) +
                   " with something that does not prove what it says (" + error.detail +
                   "). Its answer does not count. Look at that device.",
               contact.id,
               {}});
}

/// An answer to an open proposal of ours.
struct Answered {
  Contact contact;
  Proposal proposal;
  OwnGround ground;
  std::size_t asked = 0;  ///< Index.
  [[nodiscard]] ProposalAsked& place() { return proposal.asked[asked]; }
};

/// nullopt: it comes too late. Errors: not_found, those of sender_of.
Result<std::optional<Answered>> answered(Host& host, const Inbound& inbound,
                                         const std::string& hash) {
  TRY(Contact contact, protocol::sender_of(host, inbound));
  auto proposal = find_proposal(host, hash);
  if (!proposal || !proposal->mine) return fail(Errc::not_found, "no such proposal");
  const auto at = std::ranges::find(proposal->asked, contact.id, &ProposalAsked::contact_id);
  if (at == proposal->asked.end()) return fail(Errc::not_found, "no such proposal");
  const auto index = static_cast<std::size_t>(at - proposal->asked.begin());
  TRY(OwnGround ground, own_ground(host, proposal->subject));
  settle_own(host, ground, *proposal);
  if (proposal->state != ProposalState::open) return std::optional<Answered>();
  return std::optional(
      Answered{std::move(contact), std::move(*proposal), std::move(ground), index});
}

void note_answer(Answered& in, ProposalAnswer answer) {
  auto& answers = in.proposal.answers;
  const auto known = std::ranges::find(answers, answer.agent, &ProposalAnswer::agent);
  if (known == answers.end()) {
    answers.push_back(std::move(answer));
  } else if (!known->approved) {
    *known = std::move(answer);  // A signature that was given stays given.
  }
}

void trust_agent(Host& host, const Answered& in, const std::string& agent) {
  std::vector<std::string> present;
  for (const PolicyAgent& one : in.ground.policy.agents) present.push_back(one.key);
  remember_agent(host, agent, in.contact.id, present);
}

/// Adds what verifies; names the sender of what does not.
void take_signatures(Host& host, Answered& in, const ApproveBody& body) {
  auto entry = parse_entry(in.proposal.blob);
  if (!entry.has_value()) return;  // Our own writing.
  const auto counting = counting_keys(in.ground.ground(), *entry);
  bool counts = false;
  for (const SignatureBody& signature : body.signatures) {
    Result<void> added;
    if (contains(counting, signature.k)) {
      added = attach_signature(*entry, {signature.k, signature.s});
      if (!added.has_value() && added.error() == Errc::conflict) continue;
    } else {
      added = fail(Errc::refused, "a signer has no say in this");
    }
    if (!added.has_value()) {
      name_offender(host, in.proposal, in.place(), in.contact, added.error());
      continue;
    }
    counts = true;
  }
  if (!counts) return;
  in.proposal.blob = entry_blob(*entry);
  note_answer(in, {body.agent, in.contact.id, true, {}});
}

}  // namespace

void settle_own(Host& host, const OwnGround& ground, Proposal& proposal) {
  if (is_closed(proposal.state)) return;
  const auto entry = parse_entry(proposal.blob);
  if (!entry.has_value()) return;  // Our own writing.
  const Place place = place_of(ground.view, *entry);
  if (place == Place::present) {
    const auto pending = log_post(host, proposal.subject).pending;
    const bool waits =
        std::ranges::find(pending, proposal.hash, &PendingEntry::hash) != pending.end();
    if (!waits) return close_own(host, proposal, ProposalState::posted, {});
    return;
  }
  if (place != Place::next) return close_own(host, proposal, ProposalState::overtaken, {});
  if (proposal.state == ProposalState::handed_in) {
    return close_own(host, proposal, ProposalState::overtaken, {});
  }
  if (proposal.expires <= host.now()) {
    return close_own(host, proposal, ProposalState::expired, {});
  }
  if (has_quorum(ground.ground(), *entry).has_value()) {
    if (protocol::stopped(host, protocol::Operation::change_policy)) {
      proposal.why = protocol::frozen_error().detail;
      return save_proposal(host, proposal);
    }
    const auto posting = post_entry(host, proposal.subject, *entry);
    if (posting.has_value()) {
      proposal.state = ProposalState::handed_in;
      host.cancel_timer(kProposalsModule, proposal.hash);
      host.audit("policy.proposal-handed-in", {{"entry", proposal.hash}});
    } else {
      proposal.why = posting.error().detail;
    }
    return save_proposal(host, proposal);
  }
  std::vector<std::string> against;
  for (const ProposalAnswer& answer : proposal.answers) {
    if (!answer.approved) against.push_back(answer.agent);
  }
  const bool all_against = !against.empty() && against.size() >= proposal.asked.size();
  if (all_against || !can_do_without(ground.ground(), *entry, against)) {
    close_own(host, proposal, ProposalState::rejected, {});
  }
}

Result<Proposal> propose(Host& host, ProposalDraft draft) {
  CHECK(check_reason(draft.reason));
  if (draft.life <= Duration{} || draft.life > Duration{proposal_limits::kLifeMax}) {
    return fail(Errc::usage, "a proposal is open for at most 14 days");
  }
  TRY(const OwnGround ground, own_ground(host, draft.entry.id));
  CHECK(check_proposal(ground.ground(), draft.entry));
  TRY(const KeyPair agent, own_agent_key(host));
  if (!has_say(ground.ground(), draft.entry, crypto::multikey(agent.public_key))) {
    return fail(Errc::refused, "this device has no say in this");
  }
  TRY(const std::size_t added, add_own_signatures(host, ground, draft.entry));
  Proposal proposal;
  proposal.hash = entry_hash(draft.entry);
  proposal.subject = draft.entry.id;
  proposal.n = draft.entry.n;
  proposal.blob = entry_blob(draft.entry);
  proposal.mine = true;
  proposal.agent = crypto::multikey(agent.public_key);
  proposal.reason = std::move(draft.reason);
  proposal.signed_here = added > 0;
  proposal.created = host.now();
  proposal.expires = host.now() + draft.life;
  if (find_proposal(host, proposal.hash)) {
    return fail(Errc::conflict, "this was proposed already");
  }
  CHECK(check_signed_once(host, proposal));
  CHECK(room_for_proposal(host, ""));
  if (!has_quorum(ground.ground(), draft.entry).has_value()) {
    CHECK(ask(host, ground, std::move(draft.to), proposal));
  }
  host.audit("policy.proposed", {{"entry", proposal.hash}});
  save_proposal(host, proposal);
  await_end(host, proposal);
  settle_own(host, ground, proposal);
  return proposal;
}

Result<std::string> change_policy(Host& host, const std::function<void(Policy&)>& change,
                                  std::string reason) {
  const auto alone = update_policy(host, change);
  if (alone.has_value()) return std::string();
  if (alone.error() != Errc::refused) return alone.error();
  TRY(const Identity own, needed_identity(host));
  TRY(const LogView view, stored_view(host, own.policy));
  TRY(Policy after, parse_policy(view.current.state));
  change(after);
  ProposalDraft draft;
  TRY(draft.entry, make_update(view, policy_json(after), anchor_time(host.now())));
  draft.reason = std::move(reason);
  draft.life = proposal_limits::kLifeDefault;
  TRY(const Proposal proposal, propose(host, std::move(draft)));
  return proposal.hash;
}

Result<Proposal> withdraw_proposal(Host& host, Proposal proposal) {
  if (proposal.state != ProposalState::open) {
    return fail(Errc::wrong_state,
                proposal_name(proposal) + " is " + std::string(state_name(proposal.state)));
  }
  close_own(host, proposal, ProposalState::withdrawn, {});
  return proposal;
}

Result<void> take_approve(Host& host, const Inbound& inbound) {
  TRY(const auto body, protocol::decode_body<ApproveBody>(inbound.message.body));
  if (body.signatures.size() > limits::kEntryKeysMax) {
    return fail(Errc::limit_exceeded, "too many signatures");
  }
  TRY(auto in, answered(host, inbound, body.entry));
  if (!in) return {};
  if (const auto proven = check_proof(in->ground.policy, inbound, body); proven.has_value()) {
    trust_agent(host, *in, body.agent);
    take_signatures(host, *in, body);
  } else {
    name_offender(host, in->proposal, in->place(), in->contact, proven.error());
  }
  save_proposal(host, in->proposal);
  settle_own(host, in->ground, in->proposal);
  return {};
}

Result<void> take_reject(Host& host, const Inbound& inbound) {
  TRY(const auto body, protocol::decode_body<RejectBody>(inbound.message.body));
  CHECK(check_reason(body.reason));
  TRY(auto in, answered(host, inbound, body.entry));
  if (!in) return {};
  if (const auto proven = check_proof(in->ground.policy, inbound, body); !proven.has_value()) {
    name_offender(host, in->proposal, in->place(), in->contact, proven.error());
    save_proposal(host, in->proposal);
    return {};
  }
  trust_agent(host, *in, body.agent);
  if (in->place().problem.empty()) in->place().problem = shown_text(body.code, 64);
  note_answer(*in, {body.agent, in->contact.id, false, body.reason});
  host.notify({"policy-answer",
               in->contact.name + " rejects " + proposal_id(in->proposal.hash) +
                   (body.reason.empty() ? std::string(".") : ": " + quoted(body.reason)),
               proposal_id(in->proposal.hash),
               {}});
  save_proposal(host, in->proposal);
  settle_own(host, in->ground, in->proposal);
  return {};
}

void take_proposal_problem(Host& host, const Inbound& inbound, const std::string& code) {
  const auto contact = protocol::sender_of(host, inbound);
  if (!contact.has_value() || !inbound.message.pthid) return;
  for (Proposal& proposal : list_proposals(host)) {
    if (!proposal.mine || is_closed(proposal.state)) continue;
    for (ProposalAsked& asked : proposal.asked) {
      const bool this_one =
          asked.contact_id == contact->id && asked.thread == *inbound.message.pthid;
      if (!this_one || !asked.problem.empty()) continue;
      asked.problem = shown_text(code, 64);
      save_proposal(host, proposal);
    }
  }
}

}  // namespace kith::ledger
