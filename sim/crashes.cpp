#include "sim/crashes.hpp"

#include "sim/phases.hpp"

namespace kith::sim {
namespace {

constexpr std::uint64_t kPlannedSitesMax = 24;  // A planned crash hits one of the first so many.

}  // namespace

std::string_view site_name(CrashSite site) {
  switch (site) {
    case CrashSite::commit_lost:
      return "commit-lost";
    case CrashSite::commit_kept:
      return "commit-kept";
    case CrashSite::effect_before:
      return "effect-before";
    case CrashSite::effect_after:
      return "effect-after";
  }
  return "";
}

Crashes::Crashes(World& world, const Faults& faults)
    : world_(world), faults_(faults), random_(world.stream("crashes")) {
  if (!faults_.crash_phases) return;
  for (const std::string_view phase : phases()) {
    const auto site = static_cast<CrashSite>(random_.below(kCrashSites));
    const std::uint64_t countdown = 1 + random_.below(kPlannedSitesMax);
    planned_.push_back({std::string(phase), site, countdown});
  }
}

bool Crashes::planned(std::string_view phase, CrashSite site) {
  for (Planned& plan : planned_) {
    if (plan.phase == phase && plan.site == site && plan.countdown > 0) {
      return --plan.countdown == 0;
    }
  }
  return false;
}

void Crashes::count(std::string_view phase, CrashSite site) {
  const std::string_view where = phase.empty() ? std::string_view("elsewhere") : phase;
  world_.mark("crash." + std::string(where) + "." + std::string(site_name(site)));
  world_.mark("crash." + std::string(where));
}

CommitFate Crashes::at_commit(std::string_view node, std::string_view phase) {
  const auto known = commits_.find(node);
  if (known == commits_.end()) {
    commits_.emplace(node, 1);
  } else {
    ++known->second;
  }
  CommitFate fate = CommitFate::done;
  if (asked(node, CrashSite::commit_lost)) fate = CommitFate::lost;
  if (asked(node, CrashSite::commit_kept)) fate = CommitFate::kept;
  if (!stopped_ && fate == CommitFate::done) {
    // Both draws always happen, so that the stream does not depend on what was planned.
    const bool by_rate = random_.below(10'000) < faults_.crash_commit;
    const bool keeps = random_.below(2) == 0;
    const bool loses_planned = planned(phase, CrashSite::commit_lost);
    const bool keeps_planned = planned(phase, CrashSite::commit_kept);
    if (by_rate) fate = keeps ? CommitFate::kept : CommitFate::lost;
    if (loses_planned) fate = CommitFate::lost;
    if (keeps_planned) fate = CommitFate::kept;
  }
  if (fate == CommitFate::lost) count(phase, CrashSite::commit_lost);
  if (fate == CommitFate::kept) count(phase, CrashSite::commit_kept);
  return fate;
}

bool Crashes::at_effect(std::string_view node, std::string_view phase, CrashSite site) {
  if (asked(node, site)) {
    count(phase, site);
    return true;
  }
  if (stopped_) return false;
  const bool by_rate = random_.below(10'000) < faults_.crash_effect;
  const bool by_plan = planned(phase, site);
  if (by_rate || by_plan) count(phase, site);
  return by_rate || by_plan;
}

bool Crashes::at_read() {
  if (stopped_ || faults_.read_error == 0) return false;
  const bool fails = random_.below(100'000) < faults_.read_error;
  if (fails) world_.mark("store.read-error");
  return fails;
}

void Crashes::crash_commit(std::string_view node, std::uint64_t n, CommitFate fate) {
  asked_[std::string(node)] = {
      n, fate == CommitFate::lost ? CrashSite::commit_lost : CrashSite::commit_kept};
}

void Crashes::crash_effect(std::string_view node, std::uint64_t n, CrashSite site) {
  asked_[std::string(node)] = {n, site};
}

bool Crashes::asked(std::string_view node, CrashSite site) {
  const auto found = asked_.find(node);
  if (found == asked_.end() || found->second.site != site) return false;
  if (--found->second.countdown > 0) return false;
  asked_.erase(found);
  return true;
}

bool Crashes::crash_is_due(std::string_view node) const {
  return asked_.find(node) != asked_.end();
}

std::uint64_t Crashes::commits_of(std::string_view node) const {
  const auto found = commits_.find(node);
  return found == commits_.end() ? 0 : found->second;
}

}  // namespace kith::sim
