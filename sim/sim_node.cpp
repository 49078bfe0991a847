#include "sim/sim_node.hpp"

#include "crypto/assert.hpp"
#include "sim/chance.hpp"
#include "sim/phases.hpp"

namespace kith::sim {
namespace {

crypto::SecretBytes key_of(const World& world, const std::string& stream) {
  crypto::SeededRandom random = world.stream(stream);
  return random.secret(32);
}

/// What of an event goes into the trace.
struct Traced {
  std::string_view kind;
  Bytes what;
};

Traced traced(const node::Event& event) {
  if (const auto* envelope = std::get_if<node::EnvelopeArrived>(&event)) {
    return {"envelope", envelope->envelope};
  }
  if (const auto* command = std::get_if<node::CommandGiven>(&event)) {
    return {"command", crypto::to_bytes(command->command.name + " " +
                                        crypto::json_text(command->command.args))};
  }
  if (const auto* result = std::get_if<protocol::EffectResult>(&event)) {
    Bytes what = crypto::to_bytes(result->id + (result->outcome.has_value() ? " ok" : " failed"));
    return {"result", std::move(what)};
  }
  return {"wakeup", {}};
}

}  // namespace

SimNode::SimNode(const Surroundings& around, NodePlan plan)
    : around_(around),
      plan_(std::move(plan)),
      random_(around.world.stream("node " + plan_.name)),
      look_random_(around.world.stream("look " + plan_.name)),
      root_(key_of(around.world, "root " + plan_.name)),
      passphrase_key_(key_of(around.world, "passphrase " + plan_.name)) {
  if (plan_.modules == nullptr) {
    plan_.modules = std::make_shared<const node::ModuleTable>(node::make_modules(plan_.config));
  }
  store_.commit_fate = [this](const protocol::Batch& batch) {
    phase_ = phase_of(batch);
    if (around_.crashes.on_commit) around_.crashes.on_commit(plan_.name, batch);
    return around_.crashes.at_commit(plan_.name, phase_);
  };
  store_.read_fails = [this] { return feeding_ && around_.crashes.at_read(); };
  if (!plan_.uri.empty()) around_.network.attach(plan_.uri, *this);
}

SimNode::~SimNode() = default;

node::ClockReading SimNode::clock() const {
  return {around_.world.now(), around_.world.now() - born_};
}

void SimNode::start() {
  if (lost_ || up()) return;
  ++life_;
  born_ = around_.world.now();
  armed_ = Time::max();
  const crypto::SodiumRandomGuard guard(random_);
  keys_ = std::make_unique<crypto::SoftwareKeys>(root_, random_);
  step_up_ = keys_->hold_step_up(passphrase_key_.clone());
  agent_ = std::make_unique<node::Agent>(
      node::AgentSeams{store_, *keys_, random_, plan_.config.test_mode}, plan_.modules);
  around_.world.trace(name(), "start");
  feeding_ = true;
  auto outcome = agent_->start(clock());
  feeding_ = false;
  if (!outcome.has_value()) return crash();
  take(std::move(outcome->effects));
  arm();
}

std::optional<node::Outcome> SimNode::feed(const node::Event& event) {
  if (!up()) return std::nullopt;
  ASSERT(!feeding_);
  phase_ = {};
  const Traced line = traced(event);
  around_.world.trace(name(), line.kind, line.what);
  const crypto::SodiumRandomGuard guard(random_);
  feeding_ = true;
  auto outcome = agent_->handle(event, clock());
  feeding_ = false;
  if (!outcome.has_value()) {
    crash();
    return std::nullopt;
  }
  const std::uint64_t life = life_;
  take(std::move(outcome->effects));
  if (!up() || life_ != life) return std::nullopt;
  arm();
  return std::move(*outcome);
}

std::optional<Result<JsonObject>> SimNode::command(const std::string& id, std::string_view name,
                                                   JsonObject args, bool with_step_up) {
  Command command;
  command.id = id;
  command.name = name;
  command.args = std::move(args);
  if (with_step_up) command.step_up = step_up_;
  auto outcome = feed(node::CommandGiven{std::move(command)});
  if (!outcome) return std::nullopt;
  ASSERT(outcome->reply.has_value());
  return std::move(*outcome->reply);
}

void SimNode::take(std::vector<protocol::Effect> effects) {
  const std::string_view phase = phase_;
  for (const protocol::Effect& effect : effects) {
    if (around_.crashes.at_effect(name(), phase, CrashSite::effect_before)) return crash();
    perform(effect);
    if (around_.crashes.at_effect(name(), phase, CrashSite::effect_after)) return crash();
  }
}

void SimNode::perform(const protocol::Effect& effect) {
  around_.world.trace(name(), "effect", effect.payload);
  if (effect.kind == protocol::EffectKind::send) {
    around_.network.send(*this, effect);
  } else {
    around_.ledgers.perform(*this, effect);
  }
}

/// Asks the world for the next wakeup, unless it knows of an earlier one.
void SimNode::arm() {
  if (!up()) return;  // An effect of the start crashed it again.
  const Time next = agent_->next_wakeup();
  if (next >= armed_) return;
  armed_ = next;
  around_.world.at(next, [this, life = life_, next] {
    if (!up() || life_ != life || armed_ != next) return;
    armed_ = Time::max();
    if (agent_->next_wakeup() > around_.world.now()) return arm();
    static_cast<void>(feed(node::WokenUp{}));
  });
}

void SimNode::die() {
  agent_.reset();
  keys_.reset();
  armed_ = Time::max();
}

void SimNode::crash() {
  around_.world.trace(name(), "crash");
  around_.world.mark("node.crashed");
  die();
  crypto::SeededRandom random =
      around_.world.stream("downtime " + name() + " " + std::to_string(life_));
  const Duration down = exponential(random, around_.faults.down_mean);
  around_.world.after(down, [this, life = life_] {
    if (life_ == life) start();
  });
}

void SimNode::lose_everything() {
  around_.world.trace(name(), "lost");
  die();
  store_.wipe();
  lost_ = true;
}

}  // namespace kith::sim
