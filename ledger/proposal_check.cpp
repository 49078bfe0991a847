#include "ledger/proposal_check.hpp"

#include <algorithm>
#include <map>

#include "crypto/limits.hpp"
#include "ledger/log_writer.hpp"
#include "ledger/proposal_limits.hpp"
#include "ledger/strict_json.hpp"

namespace kith::ledger {
namespace {

std::vector<std::string> keys_of(const Policy& policy) {
  std::vector<std::string> keys;
  for (const PolicyAgent& agent : policy.agents) keys.push_back(agent.key);
  return keys;
}

/// Before and after, of an entry of a policy.
struct PolicyStep {
  Policy before;
  Policy after;
  std::vector<PolicyChange> changes;
};
Result<PolicyStep> policy_step(const LogView& view, const Entry& entry) {
  PolicyStep step;
  TRY(step.before, parse_policy(view.current.state));
  if (!entry.content) return fail(Errc::unsupported, "an entry without a state");
  TRY(step.after, parse_policy(entry.content->state));
  TRY(step.changes, policy_changes(step.before, step.after));
  return step;
}

bool counts_for(const PolicyStep& step, const PolicyAgent& agent) {
  return std::ranges::any_of(step.changes, [&](const PolicyChange& change) {
    return change.self == agent.key || (agent.auth & counting_bits(change.action)) != 0;
  });
}

Result<void> check_state_of_log(const LogView& view) {
  if (view.status != LogStatus::normal) {
    return fail(Errc::wrong_state, "the log has ended, or a recovery of it is pending");
  }
  if (!view.key_changes_acceptable()) {
    return fail(Errc::wrong_state, "a move of the log is not confirmed");
  }
  return {};
}

/// Chain, keys, authority and ledgers are as our own writer would have them.
Result<void> check_changes_state_alone(const LogView& view, const Entry& entry) {
  if (entry.op != Op::update || !entry.content) {
    return fail(Errc::unsupported, "only updates can be proposed");
  }
  TRY(Entry ours, make_update(view, entry.content->state, AnchorTime{}));
  ours.time = entry.time;
  ours.sigs = entry.sigs;
  if (ours != entry) return fail(Errc::invalid_entry, "it changes more than the log's state");
  return {};
}

Result<void> check_signatures(const ProposalGround& ground, const Entry& entry) {
  if (!all_distinct(signers_of(entry))) return fail(Errc::invalid_entry, "one key signed twice");
  const auto counting = counting_keys(ground, entry);
  const Bytes message = signed_message(entry);
  for (const EntrySignature& signature : entry.sigs) {
    if (!contains(counting, signature.k)) {
      return fail(Errc::refused, "a signer has no say in this");
    }
    TRY(const PublicKey key, signing_key(signature.k));
    CHECK(crypto::verify(key, message, signature.s, crypto::SValue::low_only));
  }
  return {};
}

/// What the rules ask for can be had at all.
Result<void> check_reachable(const ProposalGround& ground, const Entry& entry) {
  if (entry.kind != Kind::policy) {
    if (entry.content->state == ground.view.current.state) {
      return fail(Errc::refused, "it changes nothing");
    }
    return {};
  }
  TRY(const PolicyStep step, policy_step(ground.view, entry));
  if (step.changes.empty()) return fail(Errc::refused, "it changes nothing");
  return check_policy_update(step.before, step.after, keys_of(step.before));
}

Result<void> check_size(const ProposalGround& ground, const Entry& entry) {
  Entry bare = entry;
  bare.sigs.clear();
  std::size_t bytes = entry_blob(bare).size();
  for (const Need& need : needs_of(ground, bare)) {
    bytes += need.needed * proposal_limits::kSignatureBytes;
  }
  if (bytes > limits::kEntryBytesMax) {
    return fail(Errc::limit_exceeded, "with all signatures the entry would be too long");
  }
  return {};
}

/// The reader says what it would do. Too few signatures is what an update lacks by its rule, and
/// all else that this rule asks for was looked at before.
Result<void> dry_run(const ProposalGround& ground, const Entry& entry) {
  std::vector<AnchoredBlob> blobs(ground.blobs.begin(), ground.blobs.end());
  blobs.push_back({entry_blob(entry), ground.options.now, ground.options.ledger});
  TRY(const LogView after, read_log(entry.id, blobs, ground.options));
  if (after.head().hash == entry_hash(entry)) return {};
  for (const JunkEntry& junk : after.junk) {
    if (junk.position + 1 != blobs.size()) continue;
    if (junk.rule == Rule::update) return {};
    return fail(Errc::invalid_entry, junk.detail);
  }
  return fail(Errc::invalid_entry, "the log would not take it");
}

}  // namespace

Place place_of(const LogView& view, const Entry& entry) {
  if (entry.n <= view.n()) {
    const bool same = view.history[static_cast<std::size_t>(entry.n)].hash == entry_hash(entry);
    return same ? Place::present : Place::passed;
  }
  if (entry.n > view.n() + 1) return Place::ahead;
  return entry.prev == view.head().hash ? Place::next : Place::apart;
}

Result<void> check_proposal(const ProposalGround& ground, const Entry& entry) {
  CHECK(check_state_of_log(ground.view));
  CHECK(check_state_of_log(ground.policy));
  if (place_of(ground.view, entry) != Place::next) {
    return fail(Errc::conflict, "it does not follow the newest entry that this device knows");
  }
  CHECK(check_changes_state_alone(ground.view, entry));
  CHECK(check_reachable(ground, entry));
  CHECK(check_size(ground, entry));
  CHECK(check_signatures(ground, entry));
  return dry_run(ground, entry);
}

Result<void> has_quorum(const ProposalGround& ground, const Entry& entry) {
  CHECK(read_with(entry.id, ground.blobs, entry_blob(entry), ground.options));
  return {};
}

bool can_do_without(const ProposalGround& ground, const Entry& entry,
                    const std::vector<std::string>& agents) {
  if (entry.kind != Kind::policy) return true;  // Whose its active keys are, nobody says.
  const auto step = policy_step(ground.view, entry);
  if (!step.has_value()) return false;
  std::vector<std::string> rest = keys_of(step->before);
  std::erase_if(rest, [&](const std::string& key) { return contains(agents, key); });
  return check_policy_update(step->before, step->after, rest).has_value();
}

std::vector<std::string> counting_keys(const ProposalGround& ground, const Entry& entry) {
  if (entry.kind != Kind::policy) return ground.view.current.keys.k;
  std::vector<std::string> keys;
  const auto step = policy_step(ground.view, entry);
  if (!step.has_value()) return keys;
  for (const PolicyAgent& agent : step->before.agents) {
    if (counts_for(*step, agent)) keys.push_back(agent.key);
  }
  return keys;
}

bool has_say(const ProposalGround& ground, const Entry& entry, std::string_view agent) {
  if (entry.kind == Kind::policy) return contains(counting_keys(ground, entry), agent);
  const auto policy = parse_policy(ground.policy.current.state);
  return policy.has_value() && std::ranges::any_of(policy->agents, [&](const PolicyAgent& one) {
           return one.key == agent && (one.auth & auth::kAdmin) != 0;
         });
}

std::vector<Need> needs_of(const ProposalGround& ground, const Entry& entry) {
  const std::vector<std::string> signers = signers_of(entry);
  if (entry.kind != Kind::policy) {
    return {{"keys", ground.view.current.keys.t, static_cast<std::uint32_t>(signers.size())}};
  }
  const auto step = policy_step(ground.view, entry);
  if (!step.has_value()) return {};
  std::map<PolicyAction, Need> by_action;
  for (const PolicyChange& change : step->changes) {
    if (change.self && contains(signers, *change.self)) continue;
    const std::string rule(action_name(change.action));
    Need need{rule, step->before.rules.at(rule), 0};
    for (const PolicyAgent& agent : step->before.agents) {
      const bool counts = (agent.auth & counting_bits(change.action)) != 0;
      if (counts && contains(signers, agent.key)) ++need.have;
    }
    by_action.insert_or_assign(change.action, need);
  }
  std::vector<Need> needs;
  for (const auto& [action, need] : by_action) {
    static_cast<void>(action);
    needs.push_back(need);
  }
  return needs;
}

}  // namespace kith::ledger
