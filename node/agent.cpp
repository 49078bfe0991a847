#include "node/agent.hpp"

#include <algorithm>
#include <utility>

#include "crypto/assert.hpp"
#include "crypto/hash.hpp"
#include "node/automations.hpp"
#include "node/inbox.hpp"
#include "node/key_guard.hpp"
#include "node/key_inventory.hpp"
#include "node/operations.hpp"
#include "node/rule_gate.hpp"
#include "protocol/messenger.hpp"

namespace kith::node {
namespace {

using protocol::Effect;
using protocol::EffectResult;
using protocol::StoreFailure;

constexpr std::string_view kAgent = "agent";  // Owner name of the agent's own timers.
constexpr std::chrono::hours kSweepEvery{24};
constexpr std::chrono::minutes kPauseWhenFull{1};
constexpr std::chrono::minutes kPauseWhileFrozen{5};
constexpr std::chrono::hours kPauseWhileOff{1};

struct Uptime {
  Duration total{};
  template <class V>
  void visit(V& v) {
    v("total", total);
  }
};

/// What is still needed of an effect when it ends. The bytes of an answer on a waiting connection
/// are not: it is not tried again, and no module is told.
Effect for_its_end(const Effect& effect) {
  if (!effect.transient || !effect.owner.empty()) return effect;
  Effect rest;
  rest.id = effect.id;
  rest.transient = true;
  return rest;
}

/// Exponential back-off with jitter: a quarter either way, so that peers do not come in step.
Duration retry_delay(std::uint32_t attempts, crypto::Random& random) {
  const std::uint32_t doublings = std::min<std::uint32_t>(attempts, 12);
  const Duration base = std::min<Duration>(Duration{limits::kRetryFirst} * (1 << doublings),
                                           Duration{limits::kRetryMax});
  const auto spread = static_cast<std::uint64_t>(base.count() / 2);
  return base - base / 4 + Duration{static_cast<std::int64_t>(random.below(spread + 1))};
}

/// Whether it may not leave before the thaw. Effects that are transient have no record to wait in,
/// and none of them matters.
bool is_kept_back(protocol::UnitOfWork& unit, const Effect& effect) {
  return !effect.transient && protocol::stopped(unit, operation_of_effect(effect));
}

/// A timer's part of what WokenUp did.
void note_run(const std::string& timer, Outcome own, Outcome& outcome) {
  Ran ran{timer, {}, std::move(own.due)};
  for (Effect& effect : own.effects) {
    ran.effects.push_back(effect.id);
    outcome.effects.push_back(std::move(effect));
  }
  outcome.ran.push_back(std::move(ran));
}

struct TimerParts {
  std::string module;
  std::string name;
};
TimerParts parts_of_timer(const std::string& id) {
  const std::size_t bar = id.find('|');
  ASSERT(bar != std::string::npos);
  return {id.substr(0, bar), id.substr(bar + 1)};
}

}  // namespace

Agent::Agent(const AgentSeams& seams, std::vector<std::unique_ptr<protocol::Module>> modules)
    : Agent(seams, std::make_shared<const ModuleTable>(std::move(modules))) {}

Agent::Agent(const AgentSeams& seams, std::shared_ptr<const ModuleTable> modules)
    : seams_(seams),
      rules_(std::make_unique<RuleBook>()),
      guard_(std::make_unique<KeyGuard>(seams.keys, *rules_)),
      modules_(std::move(modules)) {}

Agent::~Agent() = default;

protocol::UnitContext Agent::context(const ClockReading& clock) {
  return {seams_.store,     seams_.keys, seams_.random, clock.now, uptime_before_ + clock.steady,
          seams_.test_mode, guard_.get()};
}

Time Agent::next_wakeup() const {
  Time next = Time::max();
  if (!due_.empty()) next = std::min(next, due_.begin()->first);
  if (!retries_.empty()) next = std::min(next, retries_.begin()->first);
  return next;
}

Error Agent::no_room() {
  return fail(Errc::wrong_state,
              "too much is waiting to be sent: try again when the connection is back");
}

bool Agent::overfills(const Unit& unit) const {
  const auto begun = static_cast<std::size_t>(std::ranges::count_if(
      unit.started(), [](const Effect& effect) { return !effect.transient; }));
  const auto ended = static_cast<std::size_t>(std::ranges::count_if(
      unit.cancelled(), [this](const std::string& id) { return open_.contains(id); }));
  return begun > 0 && open_.size() + begun > limits::kOpenEffectsMax + ended;
}

/// Commits, then brings the indices up to date and gives out the unit's effects.
Result<void> Agent::finish(Unit& unit, const ClockReading& clock, Outcome& outcome) {
  follow_keys(unit);
  guard_->settle(unit);
  if (unit.changed()) save(unit, "meta", "uptime", Uptime{uptime_before_ + clock.steady});
  std::set<std::string> kept_back;
  for (const Effect& effect : unit.started()) {
    if (is_kept_back(unit, effect)) kept_back.insert(effect.id);
  }
  const bool new_rules = std::ranges::count(unit.changed("meta"), kRuleDocuments) > 0;
  CHECK(unit.commit());
  if (new_rules) {
    Unit after(context(clock));
    read_rules(after);
  }
  for (const auto& mark : std::exchange(dropped_marks_, {})) marks_.remove(mark.id, mark.time);
  for (const auto& mark : std::exchange(new_marks_, {})) marks_.add(mark.id, mark.time);
  for (const auto& [id, at] : unit.timers()) {
    if (const auto old = timers_.find(id); old != timers_.end()) {
      due_.erase({old->second, id});
      timers_.erase(old);
    }
    if (at) {
      timers_[id] = *at;
      due_.insert({*at, id});
      if (*at <= clock.now) outcome.due.push_back(id);
    }
  }
  for (const std::string& id : unit.cancelled()) {
    in_flight_.erase(id);
    open_.erase(id);
    std::erase_if(retries_, [&id](const auto& retry) { return retry.second == id; });
  }
  arrivals_.insert(arrivals_.end(), unit.arrivals().begin(), unit.arrivals().end());
  for (Effect& effect : unit.take_started()) {
    if (!effect.transient) open_.insert(effect.id);
    if (kept_back.contains(effect.id)) {
      retries_.insert({clock.now + kPauseWhileFrozen, effect.id});
      continue;
    }
    in_flight_[effect.id] = for_its_end(effect);
    outcome.effects.push_back(std::move(effect));
  }
  return {};
}

Result<Outcome> Agent::start(const ClockReading& clock) {
  Outcome outcome;
  try {
    Unit unit(context(clock));
    uptime_before_ = load<Uptime>(unit, "meta", "uptime").value_or(Uptime{}).total;
    read_rules(unit);
    for (const std::string& id : unit.list("timer")) {
      const Time at = load<protocol::StoredTimer>(unit, "timer", id)->at;
      timers_[id] = at;
      due_.insert({at, id});
    }
    arrivals_ = unit.list("arrived");
    for (const std::string& id : unit.list(kInbox)) {
      marks_.add(id, is_anonymous_mark(id) ? load<InboxMark>(unit, kInbox, id)->time : Time{});
    }
    for (const std::string& id : unit.list("effect")) {
      const Effect effect = *load<Effect>(unit, "effect", id);
      open_.insert(id);
      if (is_kept_back(unit, effect)) {
        retries_.insert({clock.now + kPauseWhileFrozen, id});
        continue;
      }
      in_flight_[id] = effect;
      outcome.effects.push_back(effect);
    }
    if (!timers_.contains(std::string(kAgent) + "|sweep")) {
      unit.set_timer(kAgent, "sweep", clock.now + kSweepEvery);
    }
    CHECK(finish(unit, clock, outcome));
    for (const auto& module : modules_->all()) {
      Unit start_unit(context(clock));
      module->on_start(start_unit);
      CHECK(finish(start_unit, clock, outcome));
    }
    CHECK(drain_arrivals(clock, outcome));
  } catch (const StoreFailure& failure) {
    return failure.error;
  }
  return outcome;
}

/// Of a unit that was not committed.
void Agent::forget_mark_changes() {
  new_marks_.clear();
  dropped_marks_.clear();
}

Result<Outcome> Agent::handle(const Event& event, const ClockReading& clock) {
  forget_mark_changes();
  Outcome outcome;
  try {
    CHECK(std::visit([&](const auto& e) { return on(e, clock, outcome); }, event));
    CHECK(drain_arrivals(clock, outcome));
  } catch (const StoreFailure& failure) {
    return failure.error;
  }
  return outcome;
}

// --- Commands

Result<void> Agent::on(const CommandGiven& event, const ClockReading& clock, Outcome& outcome) {
  const Command& command = event.command;
  Unit unit(context(clock));
  protocol::Module* const owner = modules_->for_command(command.name);
  if (owner == nullptr) {
    outcome.reply = fail(Errc::usage, "no such command: " + command.name);
    return {};
  }
  if (is_stopped(unit, operation_of_command(command.name))) {
    // Hosts ask for cosignatures on their own: nobody from outside fills the log.
    if (operation_of_command(command.name) != Operation::vouch) {
      unit.audit("freeze.command-refused", {{"command", command.name}});
    }
    outcome.reply = protocol::frozen_error();
    return finish(unit, clock, outcome);
  }
  if (const auto ruled = check_rules(unit, *rules_, command); !ruled.has_value()) {
    outcome.reply = ruled.error();
    return finish(unit, clock, outcome);
  }
  if (owner->only_reads(command.name)) {
    outcome.reply = owner->on_command(unit, command);
    return finish(unit, clock, outcome);
  }
  if (const auto done = load<StoredReply>(unit, kCommands, command.id)) {
    outcome.reply = done->reply;
    return {};
  }
  const auto before = unit.savepoint();
  Result<JsonObject> reply = owner->on_command(unit, command);
  if (reply.has_value() && overfills(unit)) reply = no_room();
  if (reply.has_value()) {
    save(unit, kCommands, command.id, StoredReply{clock.now, *reply});
  } else {
    unit.roll_back(before);  // A failed command may be tried again under the same id.
  }
  CHECK(finish(unit, clock, outcome));
  outcome.reply = std::move(reply);
  return {};
}

// --- Effects

Result<void> Agent::on(const EffectResult& event, const ClockReading& clock, Outcome& outcome) {
  const auto found = in_flight_.find(event.id);
  if (found == in_flight_.end()) return {};  // Cancelled, or reported twice.
  Unit unit(context(clock));
  const auto waiting = retry_or_end(unit, std::move(found->second), event);
  in_flight_.erase(found);
  CHECK(finish(unit, clock, outcome));
  if (waiting) {
    retries_.insert({*waiting, event.id});
  } else {
    open_.erase(event.id);
  }
  return {};
}

/// The time of the next try, or nullopt when the effect has ended.
std::optional<Time> Agent::retry_or_end(Unit& unit, Effect effect, const EffectResult& result) {
  const bool failed = !result.outcome.has_value();
  if (failed && result.retry && !effect.transient && unit.now() < effect.expires) {
    effect.next_try = unit.now() + retry_delay(effect.attempts, seams_.random);
    ++effect.attempts;
    save(unit, "effect", effect.id, effect);
    return effect.next_try;
  }
  if (!effect.transient) unit.erase({"effect", effect.id});
  if (protocol::Module* const owner = modules_->named(effect.owner); owner != nullptr) {
    owner->on_effect(unit, effect, result.outcome);
  }
  return std::nullopt;
}

// --- Time

Result<void> Agent::on(const WokenUp&, const ClockReading& clock, Outcome& outcome) {
  // Only what is due now: a timer that sets itself to the present runs at the next call.
  std::vector<std::string> timers;
  for (const auto& [at, id] : due_) {
    if (at > clock.now) break;
    timers.push_back(id);
  }
  for (const std::string& id : timers) {
    Unit unit(context(clock));
    if (!load<protocol::StoredTimer>(unit, "timer", id)) continue;  // An earlier one cancelled it.
    const auto pause = put_off(unit, id);
    if (!pause) run_timer(unit, id);
    if (!pause && !overfills(unit)) {
      Outcome own;
      CHECK(finish(unit, clock, own));
      note_run(id, std::move(own), outcome);
      continue;
    }
    Unit later(context(clock));
    const auto [module, name] = parts_of_timer(id);
    later.set_timer(module, name, clock.now + pause.value_or(kPauseWhenFull));
    CHECK(finish(later, clock, outcome));
  }
  while (!retries_.empty() && retries_.begin()->first <= clock.now) {
    const std::string id = retries_.begin()->second;
    retries_.erase(retries_.begin());
    Unit unit(context(clock));
    const auto effect = load<Effect>(unit, "effect", id);
    if (!effect) continue;
    if (is_kept_back(unit, *effect)) {
      retries_.insert({clock.now + kPauseWhileFrozen, id});
      continue;
    }
    in_flight_[id] = *effect;
    outcome.effects.push_back(*effect);
  }
  return {};
}

std::optional<Duration> Agent::put_off(Unit& unit, const std::string& id) const {
  const auto [module, name] = parts_of_timer(id);
  if (module == kAgent) return std::nullopt;
  if (is_stopped(unit, operation_of_timer(module, name))) return kPauseWhileFrozen;
  if (is_turned_off(unit, module, name)) return kPauseWhileOff;
  if (forbids_timer(*rules_, module, name)) return kPauseWhileOff;
  return std::nullopt;
}

void Agent::read_rules(Unit& unit) {
  *rules_ = rule_book(unit);
}

void Agent::run_timer(Unit& unit, const std::string& id) {
  const auto [module, name] = parts_of_timer(id);
  unit.cancel_timer(module, name);
  if (module == kAgent) {
    sweep(unit);
  } else if (protocol::Module* const owner = modules_->named(module); owner != nullptr) {
    owner->on_timer(unit, name);
  }
}

/// Drops inbox marks and command replies that nothing can repeat any more.
void Agent::sweep(Unit& unit) {
  for (const std::string& id : unit.list(kInbox)) {
    const auto mark = load<InboxMark>(unit, kInbox, id);
    if (!mark || mark->time + limits::kInboxMarkLife >= unit.now()) continue;
    unit.erase({kInbox, id});
    dropped_marks_.push_back({id, mark->time});
  }
  for (const std::string& id : unit.list(kCommands)) {
    const auto done = load<StoredReply>(unit, kCommands, id);
    if (done && done->time + kSweepEvery < unit.now()) unit.erase({kCommands, id});
  }
  unit.set_timer(kAgent, "sweep", unit.now() + kSweepEvery);
}

}  // namespace kith::node
