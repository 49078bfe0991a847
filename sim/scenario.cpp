#include "sim/scenario.hpp"

#include <algorithm>
#include <set>

#include "recovery/trustee_session.hpp"

namespace kith::sim {
namespace {

constexpr std::chrono::hours kSetUpLimit{24 * 20};
constexpr std::chrono::hours kQuietLife{6};
constexpr int kQuietLivesMax = 20;  // How often it is prolonged until all texts have arrived.
constexpr std::chrono::hours kMoveLimit{24 * 5};
constexpr std::chrono::hours kFaultyRecovery{24 * 5};
constexpr std::chrono::hours kHealedRecovery{24 * 10};
constexpr std::chrono::hours kWaiting{24};  // The "1d" of CrowdPlan.

/// Watches a run as it goes.
class Watch {
 public:
  explicit Watch(Town& town) : town_(town) {
    town.network.on_wire = [this](std::string_view from, ByteView bytes) {
      for (const std::string& name : canaries.find(bytes)) {
        findings.push_back(name + " was sent by " + std::string(from));
      }
    };
    town.crashes.on_commit = [this](std::string_view node, const protocol::Batch& batch) {
      for (const protocol::Write& write : batch) note_release(node, write);
    };
  }

  CanarySearch canaries;
  Findings findings;
  std::vector<Release> releases;

 private:
  void note_release(std::string_view node, const protocol::Write& write) {
    if (write.key.collection != "session" || !write.value) return;
    const auto session = protocol::decode_record<recovery::Session>(*write.value);
    if (!session.has_value() || session->state != recovery::SessionState::released) return;
    if (seen_.insert(std::string(node) + write.key.id).second) {
      releases.push_back({std::string(node), write.key.id, town_.world.now()});
    }
  }

  Town& town_;
  std::set<std::string> seen_;
};

void add(Findings& to, const Findings& more) {
  to.insert(to.end(), more.begin(), more.end());
}

/// Everything that only their nodes may see.
void plant_canaries(Watch& watch, const Crowd& crowd) {
  for (const Person& person : crowd.people()) {
    watch.canaries.add("the root key of " + person.name, person.node->root_key());
    watch.canaries.add("the passphrase key of " + person.name, person.node->passphrase_key());
    watch.canaries.add("a text of " + person.name,
                       crypto::as_bytes(" from " + person.name + ", which only they shall read"));
  }
}

/// Nobody can read mail that waits for a lost machine: it is sealed to keys that only that machine
/// had. So texts arrive first, and the wallet with them is backed up.
void live_until_texts_arrive(Town& town, const Crowd& crowd) {
  for (int i = 0; i < kQuietLivesMax; ++i) {
    town.world.run_for(kQuietLife);
    if (check_texts(crowd).empty()) break;
  }
  town.world.run_for(kQuietLife);
}

void run(Town& town, Crowd& crowd, Watch& watch) {
  crowd.start();
  plant_canaries(watch, crowd);
  if (!town.world.run_until([&] { return crowd.all_set_up(); }, kSetUpLimit)) {
    watch.findings.push_back("not everybody could set recovery up:\n" + crowd.describe());
    return;
  }
  live_until_texts_arrive(town, crowd);
  add(watch.findings, check_holders(crowd.people(), crowd.plan().threshold));
  town.world.run_until([&] { return crowd.all_moved(); }, kMoveLimit);
  crowd.lose();
  const auto done = [&] { return crowd.all_recovered(); };
  bool recovered = town.world.run_until(done, kFaultyRecovery);
  town.heal();
  if (!recovered) recovered = town.world.run_until(done, kHealedRecovery);
  town.world.run_for(std::chrono::hours{24});
  if (!recovered) watch.findings.push_back(crowd.describe());
}

}  // namespace

RunReport run_setup_and_recover(const RunPlan& plan) {
  TownPlan town_plan;
  town_plan.seed = plan.seed;
  if (plan.faults) {
    crypto::SeededRandom random(plan.seed, "faults");
    town_plan.faults = draw_faults(random);
  }
  Town town(town_plan);
  town.world.on_trace = plan.on_trace;
  Watch watch(town);
  CrowdPlan crowd_plan;
  crowd_plan.people = plan.people;
  crowd_plan.trustees = plan.trustees;
  crowd_plan.threshold = plan.threshold;
  crowd_plan.every = std::min<std::size_t>(crowd_plan.every, plan.people);  // At least one loses.
  crowd_plan.movers = 400;
  Crowd crowd(town, crowd_plan, town_plan.faults);
  run(town, crowd, watch);

  RunReport report;
  report.seed = plan.seed;
  report.trace_hash = town.world.trace_hash();
  report.events = town.world.events();
  report.lasted = town.world.now() - town.world.start();
  report.findings = watch.findings;
  if (crowd.all_set_up()) {
    add(report.findings, check_recovered(crowd.people()));
    add(report.findings, check_texts(crowd));
    add(report.findings, check_policies(town, crowd.people()));
    add(report.findings, check_moves(town, crowd.people()));
    add(report.findings, check_releases(watch.releases, crowd.approvals(), kWaiting));
  }
  add(report.findings, check_disk(town.mediator().store(), "the mediator", watch.canaries));
  for (const auto& one : town.ledgers.all()) {
    add(report.findings, check_ledger(one->ledger(), watch.canaries));
  }
  report.marks = town.world.marks();
  report.marks["releases"] = watch.releases.size();
  return report;
}

Findings missing_coverage(const World::Marks& marks) {
  Findings missing;
  for (const char* name : {"network.lost", "network.answer-lost", "network.duplicated",
                           "network.reordered", "crash.setup", "crash.commit", "crash.move",
                           "crash.approval", "crash.release", "crash.finish"}) {
    const auto found = marks.find(name);
    if (found == marks.end() || found->second == 0) {
      missing.push_back(std::string(name) + " never happened");
    }
  }
  return missing;
}

}  // namespace kith::sim
