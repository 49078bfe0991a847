#include "recovery/genuine.hpp"

#include <algorithm>
#include <set>

#include "recovery/recognition_words.hpp"

namespace kith::recovery {
namespace {

/// What the policy log says about a candidate; `none` when all checks hold.
WaitReason log_fault(const std::vector<LogView>& logs, const std::string& address) {
  const auto log = std::find_if(logs.begin(), logs.end(), [&](const LogView& view) {
    return view.policy_address == address;
  });
  if (log == logs.end() || !log->read) return WaitReason::log_not_read;
  const bool anchored =
      log->anchor == LogView::Anchor::at_head ||
      (log->anchor == LogView::Anchor::replaced && log->replaced_ago < log->contest);
  if (!anchored) return WaitReason::anchor_not_found;
  if (!log->signer_authorized && !log->signer_pending) return WaitReason::signer_unknown;
  return WaitReason::none;
}

Candidate count(const std::vector<TrusteeView>& trustees, const std::string& address) {
  Candidate candidate{address, recognition_words(address), 0, 0};
  for (const TrusteeView& trustee : trustees) {
    if (trustee.state != TrusteeView::State::answered) continue;
    const bool vouches =
        std::find(trustee.vouches.begin(), trustee.vouches.end(), address) != trustee.vouches.end();
    ++(vouches ? candidate.vouching : candidate.contradicting);
  }
  return candidate;
}

/// Whether nothing more is to be expected for a candidate with few vouchers.
bool waited_enough(const GenuineInput& input) {
  const bool all_spoke = std::none_of(
      input.trustees.begin(), input.trustees.end(),
      [](const TrusteeView& trustee) { return trustee.state == TrusteeView::State::silent; });
  const Duration wait = input.mode == TestMode::on ? Duration::zero() : Duration{kFewVouchersWait};
  return all_spoke || input.since_first_contact >= wait || input.user_accepts_few;
}

GenuineDecision decide_for(const Candidate& candidate, const GenuineInput& input) {
  if (candidate.vouching < kVouchersEnough && !waited_enough(input)) {
    return {GenuineStep::wait, WaitReason::few_vouchers, {candidate}};
  }
  const bool shown = input.shown == candidate.policy_address;
  return {shown ? GenuineStep::finish : GenuineStep::show, WaitReason::none, {candidate}};
}

}  // namespace

std::string_view wait_text(WaitReason reason) {
  switch (reason) {
    case WaitReason::none:
      return "Nothing is left to wait for.";
    case WaitReason::no_vouch:
      return "No trustee has vouched for an identity yet. Ask another trustee.";
    case WaitReason::log_not_read:
      return "The identity's policy log could not be read yet. Check the connection and try again.";
    case WaitReason::anchor_not_found:
      return "The policy log does not hold this recovery set. Try another backup location.";
    case WaitReason::signer_unknown:
      return "The policy log does not know the device that made this backup. Try another backup.";
    case WaitReason::outvoted:
      return "At least as many trustees contradict this identity as vouch for it. Ask more "
             "trustees.";
    case WaitReason::few_vouchers:
      return "Fewer than three trustees vouch so far. Wait for the others, or confirm to go on.";
  }
  return "";
}

GenuineDecision judge_genuine(const GenuineInput& input) {
  std::set<std::string> addresses;
  for (const TrusteeView& trustee : input.trustees) {
    if (trustee.state != TrusteeView::State::answered) continue;
    addresses.insert(trustee.vouches.begin(), trustee.vouches.end());
  }
  if (addresses.empty()) return {GenuineStep::wait, WaitReason::no_vouch, {}};

  std::vector<Candidate> standing;
  std::vector<Candidate> unread;  // Enough vouchers, but the log was not reached.
  std::vector<Candidate> fallen;
  // The fault of the candidate that comes closest is the one to tell.
  auto closest = WaitReason::log_not_read;
  bool first_fault = true;
  for (const std::string& address : addresses) {
    const Candidate candidate = count(input.trustees, address);
    WaitReason fault = log_fault(input.logs, address);
    if (fault == WaitReason::none && candidate.vouching <= candidate.contradicting) {
      fault = WaitReason::outvoted;
    }
    if (fault == WaitReason::none) {
      standing.push_back(candidate);
      continue;
    }
    if (fault == WaitReason::log_not_read && candidate.vouching > candidate.contradicting) {
      unread.push_back(candidate);
    }
    fallen.push_back(candidate);
    if (first_fault || fault > closest) closest = fault;
    first_fault = false;
  }
  if (standing.empty()) return {GenuineStep::wait, closest, std::move(fallen)};
  for (const Candidate& candidate : standing) {
    if (input.chosen == candidate.policy_address) return decide_for(candidate, input);
  }
  for (const Candidate& candidate : unread) {
    if (input.chosen == candidate.policy_address) {
      return {GenuineStep::wait, WaitReason::log_not_read, {candidate}};
    }
  }
  if (standing.size() == 1 && unread.empty()) return decide_for(standing.front(), input);
  // Whoever keeps one log from being read must not thereby decide for the other.
  standing.insert(standing.end(), unread.begin(), unread.end());
  return {GenuineStep::ask_user, WaitReason::none, std::move(standing)};
}

}  // namespace kith::recovery
