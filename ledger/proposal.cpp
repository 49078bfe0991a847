#include "ledger/proposal.hpp"

#include <algorithm>

#include "crypto/assert.hpp"
#include "ledger/proposal_limits.hpp"
#include "ledger/strict_json.hpp"

namespace kith::ledger {
namespace {

constexpr std::string_view kProposals = "proposal";
constexpr std::string_view kAgents = "policy-agent";
/// Every hash starts like this ("zQm").
constexpr std::size_t kHashPrefix = 3;

struct AgentContact {
  std::string contact_id;
  template <class V>
  void visit(V& v) {
    v("contact_id", contact_id);
  }
};

/// Takes room and a person's attention. What was declined is only remembered.
bool is_open(const Proposal& proposal) {
  return !is_closed(proposal.state) && proposal.state != ProposalState::declined;
}

void forget_oldest_closed(Host& host) {
  std::vector<Proposal> done;
  for (Proposal& proposal : list_proposals(host)) {
    if (!is_open(proposal)) done.push_back(std::move(proposal));
  }
  if (done.size() <= proposal_limits::kClosedKept) return;
  const auto oldest = std::ranges::min_element(done, {}, &Proposal::closed);
  host.erase({std::string(kProposals), oldest->hash});
}

}  // namespace

std::string_view state_name(ProposalState state) {
  switch (state) {
    case ProposalState::waiting:
      return "waiting";
    case ProposalState::open:
      return "open";
    case ProposalState::approved:
      return "approved";
    case ProposalState::declined:
      return "declined";
    case ProposalState::handed_in:
      return "handed-in";
    case ProposalState::posted:
      return "posted";
    case ProposalState::overtaken:
      return "overtaken";
    case ProposalState::expired:
      return "expired";
    case ProposalState::withdrawn:
      return "withdrawn";
    case ProposalState::rejected:
      return "rejected";
    case ProposalState::invalid:
      return "invalid";
  }
  UNREACHABLE();
}

std::string proposal_id(std::string_view hash) {
  if (hash.size() <= kHashPrefix) return std::string(hash);
  return std::string(hash.substr(kHashPrefix, proposal_limits::kIdChars));
}

std::optional<Proposal> find_proposal(Host& host, std::string_view hash) {
  return load<Proposal>(host, kProposals, hash);
}

Result<Proposal> proposal_named(Host& host, std::string_view id_or_hash) {
  std::optional<Proposal> found;
  for (Proposal& proposal : list_proposals(host)) {
    if (proposal.hash == id_or_hash) return std::move(proposal);
    if (proposal_id(proposal.hash) != id_or_hash) continue;
    if (found) return fail(Errc::conflict, "two proposals are called that; give the entry's hash");
    found = std::move(proposal);
  }
  if (!found) return fail(Errc::not_found, "no proposal by that id; see `kith policy proposals`");
  return std::move(*found);
}

std::vector<Proposal> list_proposals(Host& host) {
  std::vector<Proposal> all;
  for (const std::string& hash : host.list(kProposals)) {
    all.push_back(*load<Proposal>(host, kProposals, hash));
  }
  std::ranges::stable_sort(all, [](const Proposal& a, const Proposal& b) {
    if (is_open(a) != is_open(b)) return is_open(a);
    return a.created < b.created;
  });
  return all;
}

void save_proposal(Host& host, const Proposal& proposal) {
  save(host, kProposals, proposal.hash, proposal);
  if (!is_open(proposal)) forget_oldest_closed(host);
}

Result<void> room_for_proposal(Host& host, std::string_view contact_id) {
  std::size_t all = 0;
  std::size_t of_sender = 0;
  for (const Proposal& proposal : list_proposals(host)) {
    if (!is_open(proposal)) continue;
    ++all;
    if (proposal.contact_id == contact_id) ++of_sender;
  }
  if (of_sender >= proposal_limits::kOpenPerSenderMax) {
    return fail(Errc::limit_exceeded, "that device has too many open proposals");
  }
  if (all >= proposal_limits::kOpenMax) {
    return fail(Errc::limit_exceeded, "too many proposals are open");
  }
  return {};
}

std::optional<std::string> contact_of_agent(Host& host, std::string_view agent) {
  const auto known = load<AgentContact>(host, kAgents, agent);
  if (!known) return std::nullopt;
  return known->contact_id;
}

void remember_agent(Host& host, std::string_view agent, std::string_view contact_id,
                    const std::vector<std::string>& present) {
  for (const std::string& key : host.list(kAgents)) {
    if (!contains(present, key)) host.erase({std::string(kAgents), key});
  }
  const auto known = contact_of_agent(host, agent);
  if (known != contact_id) save(host, kAgents, agent, AgentContact{std::string(contact_id)});
}

bool is_approved_here(Host& host, std::string_view hash) {
  const auto proposal = find_proposal(host, hash);
  if (!proposal || proposal->mine || !proposal->signed_here) return false;
  return proposal->state == ProposalState::approved || proposal->state == ProposalState::expired ||
         proposal->state == ProposalState::posted;
}

}  // namespace kith::ledger
