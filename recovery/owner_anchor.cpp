#include "recovery/owner_anchor.hpp"

#include <algorithm>

#include "ledger/identity.hpp"
#include "ledger/log_store.hpp"
#include "ledger/policy.hpp"
#include "ledger/proposal_steps.hpp"
#include "recovery/backup_client.hpp"
#include "recovery/owner_setup.hpp"

namespace kith::recovery {
namespace {

constexpr Duration kAnchorLook{500};
/// While other devices are asked: ever more rarely, for their owner may take days.
constexpr Duration kAnchorLookMax{60'000};
constexpr Duration kAnchorAgain{5'000};

/// Hands the anchor in, or asks the other devices to sign it.
Result<void> anchor_set(Host& host, OwnerSet& set) {
  const std::string text = anchor_text(set.record.anchor);
  TRY(set.proposal, ledger::change_policy(
                        host, [&](ledger::Policy& policy) { policy.set = text; },
                        "Recovery by trustees: their new set comes into force"));
  set.step = SetStep::anchoring;
  save_set(host, set);
  host.set_timer(kOwnerModule, kTimerAnchor, host.now() + kAnchorLook);
  if (set.proposal.empty()) return {};
  host.notify({"recovery",
               "Your trustees hold their shares. Other devices of yours have to agree before they "
               "count: say `kith policy approve " +
                   ledger::proposal_id(set.proposal) + "` there.",
               ledger::proposal_id(set.proposal),
               {}});
  return {};
}

void anchor_again(Host& host, OwnerSet& set) {
  if (anchor_set(host, set).has_value()) return;
  host.set_timer(kOwnerModule, kTimerAnchor, host.now() + kAnchorAgain);
}

/// Why it will not come about; empty: it may, or was overtaken and can be proposed anew.
std::string refusal_of(const ledger::Proposal& proposal) {
  switch (proposal.state) {
    case ledger::ProposalState::expired:
      return "too few of your devices approved it in time";
    case ledger::ProposalState::rejected:
      return "too many of your devices rejected it";
    case ledger::ProposalState::withdrawn:
      return "the change was withdrawn";
    default:
      return {};
  }
}

void give_up(Host& host, const OwnerSet& set, const std::string& why) {
  abort_shares(host, set);
  if (!set.job.empty()) drop_job(host, set.job);
  for (const std::string_view timer : {kTimerRepeat, kTimerBackup}) {
    host.cancel_timer(kOwnerModule, timer);
  }
  erase_set(host);
  host.audit("recovery.set-given-up", {{"entry", set.proposal}});
  host.notify({"alarm",
               "Recovery by your trustees was not set up: " + why + " (" +
                   ledger::proposal_id(set.proposal) +
                   "). Your trustees are told to drop their shares, and what your policy named "
                   "before stays in force. Talk it over, and say `kith recovery setup` again.",
               ledger::proposal_id(set.proposal),
               {}});
}

/// The log does not name the set.
void go_on_without_anchor(Host& host, OwnerSet& set, bool log_is_posted) {
  const auto proposal = ledger::find_proposal(host, set.proposal);
  if (proposal) {
    if (const std::string why = refusal_of(*proposal); !why.empty()) return give_up(host, set, why);
  }
  const bool waits = proposal && !ledger::is_closed(proposal->state);
  // Another change came first and ours was dropped: once more on top of it.
  if (log_is_posted && !waits) return anchor_again(host, set);
  const Duration so_far = waits ? host.now() - proposal->created : Duration{};
  host.set_timer(kOwnerModule, kTimerAnchor,
                 host.now() + std::clamp(so_far / 8, kAnchorLook, kAnchorLookMax));
}

}  // namespace

void begin_anchoring(Host& host, OwnerSet& set) {
  const auto anchored = anchor_set(host, set);
  if (anchored.has_value()) return;
  host.notify(
      {"alarm", "The recovery set could not be anchored: " + anchored.error().detail, {}, {}});
  host.set_timer(kOwnerModule, kTimerAnchor, host.now() + kAnchorAgain);
}

void check_anchor(Host& host) {
  auto set = owner_set(host);
  const auto own = ledger::identity(host);
  if (!set || !own) return;
  if (set->step == SetStep::storing && set->job.empty()) return anchor_again(host, *set);
  if (set->step != SetStep::anchoring) return;
  const auto view = ledger::stored_view(host, own->policy);
  const auto policy = view.has_value() ? ledger::parse_policy(view->current.state)
                                       : Result<ledger::Policy>(view.error());
  const bool is_posted = policy.has_value() && ledger::posted(host, own->policy);
  const bool is_named = policy.has_value() && policy->set == anchor_text(set->record.anchor);
  if (policy.has_value() && !is_named) return go_on_without_anchor(host, *set, is_posted);
  if (!is_posted) {
    host.set_timer(kOwnerModule, kTimerAnchor, host.now() + kAnchorLook);
    return;
  }
  set->step = SetStep::committing;
  set->proposal.clear();
  save_set(host, *set);
  commit_shares(host, *set);
}

std::string waiting_proposal(Host& host, const OwnerSet& set) {
  if (set.step != SetStep::anchoring) return {};
  const auto proposal = ledger::find_proposal(host, set.proposal);
  if (!proposal || proposal->state != ledger::ProposalState::open) return {};
  return ledger::proposal_id(set.proposal);
}

}  // namespace kith::recovery
