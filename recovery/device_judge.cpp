/// Is the identity genuine: what the logs and the trustees' vouches say, put before
/// judge_genuine().

#include <algorithm>
#include <set>

#include "ledger/identity.hpp"
#include "ledger/policy.hpp"
#include "recovery/device_open.hpp"

namespace kith::recovery {
namespace {

std::optional<ledger::Policy> policy_at(const ledger::LogRecord& record) {
  if (!record.entry->content) return std::nullopt;
  auto policy = ledger::parse_policy(record.entry->content->state);
  if (!policy.has_value()) return std::nullopt;
  return std::move(*policy);
}

bool names(const ledger::Policy& policy, const std::string& key) {
  return ledger::find_agent(policy, key) != nullptr;
}

/// The log with the entries that the backup's device had signed and stored before posting.
bool named_in_planned(const ledger::LogView& view, std::vector<ledger::AnchoredBlob> blobs,
                      const OpeningSummary& summary, ledger::ReaderOptions options) {
  if (ledger::is_marked(blobs)) options.ledger = view.current.ledgers.front();
  const std::string signer = crypto::multikey(*summary.signer);
  for (const Bytes& entry : summary.planned) {
    const auto after = ledger::read_with(view.subject, blobs, entry, options);
    if (!after.has_value()) return false;
    blobs.push_back({entry, options.now});
    const auto& content =
        after->pending ? after->pending->record.entry->content : after->head().entry->content;
    const auto policy = content ? ledger::parse_policy(content->state)
                                : Result<ledger::Policy>(fail(Errc::malformed));
    if (policy.has_value() && names(*policy, signer)) return true;
  }
  return false;
}

/// What a policy log says about the set and the backup's signer.
LogView view_of(Host& host, const std::string& address, const OpeningSummary& summary) {
  LogView seen;
  seen.policy_address = address;
  const auto read = log_read(host, address);
  if (!read || !summary.signer) return seen;
  const auto blobs = known_log(*read);
  const ledger::ReaderOptions options{ledger::anchor_time(host.now()), host.test_mode()};
  const auto view = ledger::read_log(address, blobs, options);
  if (!view.has_value() || view->kind != ledger::Kind::policy) return seen;
  seen.read = true;
  seen.contest = std::chrono::duration_cast<Duration>(view->contest_in_force);
  const std::string signer = crypto::multikey(*summary.signer);
  for (std::size_t i = 0; i < view->history.size(); ++i) {
    const auto policy = policy_at(view->history[i]);
    if (!policy) continue;
    const bool has_anchor = policy->set == summary.anchor;
    if (has_anchor) {
      seen.anchor = LogView::Anchor::at_head;
    } else if (seen.anchor == LogView::Anchor::at_head) {
      seen.anchor = LogView::Anchor::replaced;
      seen.replaced_ago =
          std::max(Duration{0},
                   std::chrono::duration_cast<Duration>(options.now - view->history[i].anchored));
    }
    if (seen.anchor != LogView::Anchor::absent && names(*policy, signer)) {
      seen.signer_authorized = true;
    }
  }
  if (view->pending) {
    const auto policy = policy_at(view->pending->record);
    seen.signer_pending = policy && names(*policy, signer);
  }
  if (!seen.signer_authorized && !seen.signer_pending) {
    seen.signer_pending = named_in_planned(*view, blobs, summary, options);
  }
  return seen;
}

/// Sessions as people: those with a record in common are one.
std::vector<TrusteeView> trustee_views(Host& host, const OpeningSummary& summary) {
  std::vector<TrusteeView> views;
  std::vector<std::set<std::string>> records;
  for (const DeviceSession& session : device_sessions(host)) {
    TrusteeView view;
    const std::string id = crypto::hex(session.id);
    const auto vouches = std::ranges::find(summary.vouches, id, &SessionVouches::session);
    if (vouches == summary.vouches.end()) {
      if (session.step == DeviceStep::refused) view.state = TrusteeView::State::refused;
      views.push_back(std::move(view));
      records.emplace_back();
      continue;
    }
    const auto same_person = std::ranges::find_if(records, [&](const auto& others) {
      return std::ranges::any_of(vouches->records,
                                 [&](const std::string& one) { return others.contains(one); });
    });
    if (same_person != records.end()) {
      auto& other = views[static_cast<std::size_t>(same_person - records.begin())];
      other.vouches.insert(other.vouches.end(), vouches->policies.begin(), vouches->policies.end());
      continue;
    }
    view.state = TrusteeView::State::answered;
    view.vouches = vouches->policies;
    views.push_back(std::move(view));
    records.emplace_back(vouches->records.begin(), vouches->records.end());
  }
  return views;
}

}  // namespace

GenuineDecision judge(Host& host, const UserChoice& choice) {
  const OpeningSummary summary = opening_summary(host);
  GenuineInput input;
  input.trustees = trustee_views(host, summary);
  std::set<std::string> addresses;
  for (const SessionVouches& vouches : summary.vouches) {
    addresses.insert(vouches.policies.begin(), vouches.policies.end());
  }
  for (const std::string& address : addresses) {
    input.logs.push_back(view_of(host, address, summary));
  }
  const auto sessions = device_sessions(host);
  if (!sessions.empty()) {
    input.since_first_contact = std::max(Duration{0}, host.now() - sessions.front().started);
  }
  input.mode = host.test_mode() ? TestMode::on : TestMode::off;
  input.user_accepts_few = choice.accepts_few;
  input.chosen = choice.chosen;
  input.shown = choice.shown;
  return judge_genuine(input);
}

}  // namespace kith::recovery
