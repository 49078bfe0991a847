#include "sim/sim_ledger.hpp"

#include "crypto/assert.hpp"
#include "crypto/ec_ed25519.hpp"
#include "ledger/ledger_effects.hpp"
#include "sim/chance.hpp"
#include "sim/sim_node.hpp"

namespace kith::sim {
namespace {

ledger::LedgerDescriptor describe(const std::string& url, crypto::Random& random) {
  crypto::SoftwareKeys keys(random.secret(32), random);
  const auto pair = keys.generate(KeyType::ed25519, KeyPurpose::authenticate);
  ASSERT(pair.has_value());
  ledger::LedgerDescriptor descriptor;
  descriptor.kind = "memory";
  descriptor.origin = "ledger.sim";
  descriptor.key = pair->public_key;
  descriptor.urls = {url};
  return descriptor;
}

ledger::LedgerDescriptor descriptor_of(const World& world, const std::string& url) {
  crypto::SeededRandom random = world.stream("ledger key");
  const crypto::SodiumRandomGuard guard(random);
  return describe(url, random);
}

}  // namespace

SimLedger::SimLedger(World& world, const Faults& faults, std::string url, bool test_mode)
    : world_(world),
      faults_(faults),
      url_(std::move(url)),
      random_(world.stream("ledger")),
      ledger_(descriptor_of(world, url_), test_mode) {
  plan_outage();
}

void SimLedger::heal() {
  faults_.ledger_unknown = 0;
  faults_.ledger_up_mean = Duration{0};
  out_ = false;
}

void SimLedger::plan_outage() {
  if (faults_.ledger_up_mean == Duration{0}) return;
  world_.after(exponential(random_, faults_.ledger_up_mean), [this] {
    if (faults_.ledger_up_mean == Duration{0}) return;
    out_ = true;
    world_.mark("ledger.outage");
    world_.after(exponential(random_, faults_.ledger_out_mean), [this] {
      out_ = false;
      plan_outage();
    });
  });
}

void SimLedger::perform(SimNode& from, const protocol::Effect& effect) {
  if (ledger::ledger_of(effect) != url_) {
    protocol::EffectResult result;
    result.id = effect.id;
    result.outcome = fail(Errc::unreachable, "nobody serves that");
    world_.after(exponential(random_, faults_.delay_mean),
                 [this, &from, life = from.life(), result] { answer(from, life, result); });
    return;
  }
  world_.after(exponential(random_, faults_.delay_mean),
               [this, &from, life = from.life(), effect] { arrive(from, life, effect); });
}

void SimLedger::arrive(SimNode& from, std::uint64_t life, const protocol::Effect& effect) {
  protocol::EffectResult result;
  result.id = effect.id;
  Duration delay = exponential(random_, faults_.delay_mean);
  if (out_) {
    world_.mark("ledger.unreachable");
    result.outcome = fail(Errc::unreachable, "the ledger is out");
    result.retry = true;
  } else {
    const auto now = ledger::anchor_time_ms(protocol::epoch_ms(world_.now()));
    result = ledger::perform_on(ledger_, effect, now);
    if (per_mille(random_, faults_.ledger_unknown)) {
      world_.mark("ledger.unknown");
      result.outcome = fail(Errc::timeout, "no answer");
      result.retry = true;
      delay += faults_.timeout;
    }
  }
  world_.after(delay, [this, &from, life, result] { answer(from, life, result); });
}

void SimLedger::answer(SimNode& from, std::uint64_t life, const protocol::EffectResult& result) {
  if (from.up() && from.life() == life) static_cast<void>(from.feed(result));
}

}  // namespace kith::sim
