#include "sim/sim_ledger.hpp"

#include "crypto/assert.hpp"
#include "crypto/ec_ed25519.hpp"
#include "ledger/ledger_effects.hpp"
#include "sim/chance.hpp"
#include "sim/sim_node.hpp"

namespace kith::sim {
namespace {

void answer(SimNode& from, std::uint64_t life, const protocol::EffectResult& result) {
  if (from.up() && from.life() == life) static_cast<void>(from.feed(result));
}

ledger::LedgerDescriptor describe(const std::string& url, const PublicKey& key) {
  ledger::LedgerDescriptor descriptor;
  descriptor.kind = "memory";
  descriptor.origin = url.substr(url.rfind('/') + 1);
  descriptor.key = key;
  descriptor.urls = {url};
  return descriptor;
}

KeyPair checkpoint_key(crypto::SoftwareKeys& keys, crypto::SeededRandom& random) {
  const crypto::SodiumRandomGuard guard(random);
  const auto pair = keys.generate(KeyType::ed25519, KeyPurpose::ledger);
  ASSERT(pair.has_value());
  return *pair;
}

}  // namespace

SimLedger::Signer::Signer(const World& world, const std::string& url)
    : random(world.stream("key of " + url)),
      keys(random.secret(32), random),
      pair(checkpoint_key(keys, random)) {}

SimLedger::SimLedger(World& world, const Faults& faults, std::string url, bool test_mode)
    : world_(world),
      faults_(faults),
      url_(std::move(url)),
      random_(world.stream(url_)),
      signer_(world, url_),
      ledger_(describe(url_, signer_.pair.public_key), test_mode),
      prover_(ledger_,
              [this](ByteView text) { return signer_.keys.sign(signer_.pair.sealed, text); }) {
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
    result = ledger::perform_on(ledger_, effect, now, &prover_);
    if (per_mille(random_, faults_.ledger_unknown)) {
      world_.mark("ledger.unknown");
      result.outcome = fail(Errc::timeout, "no answer");
      result.retry = true;
      delay += faults_.timeout;
    }
  }
  world_.after(delay, [&from, life, result] { answer(from, life, result); });
}

SimLedgers::SimLedgers(World& world, const Faults& faults, const std::vector<std::string>& urls,
                       bool test_mode)
    : world_(world), delay_mean_(faults.delay_mean), random_(world.stream("no ledger")) {
  for (const std::string& url : urls) {
    all_.push_back(std::make_unique<SimLedger>(world, faults, url, test_mode));
  }
}

void SimLedgers::perform(SimNode& from, const protocol::Effect& effect) {
  const std::string asked = ledger::ledger_of(effect);
  for (const auto& one : all_) {
    if (one->url() == asked) return one->perform(from, effect);
  }
  protocol::EffectResult result;
  result.id = effect.id;
  result.outcome = fail(Errc::unreachable, "nobody serves that");
  world_.after(exponential(random_, delay_mean_),
               [&from, life = from.life(), result] { answer(from, life, result); });
}

void SimLedgers::heal() {
  for (const auto& one : all_) one->heal();
}

}  // namespace kith::sim
