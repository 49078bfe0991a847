#include "tests/support/agents.hpp"

#include <algorithm>

#include "crypto/assert.hpp"
#include "protocol/audit_log.hpp"
#include "protocol/messenger.hpp"
#include "protocol/own_service.hpp"
#include "protocol/vault.hpp"

namespace kith::test {
namespace {

constexpr std::size_t kStepsMax = 100'000;  // More means that two agents answer each other forever.

crypto::SecretBytes key_of(std::uint64_t seed, std::string_view stream) {
  crypto::SeededRandom random(seed, stream);
  return random.secret(32);
}

}  // namespace

// --- AgentBox

AgentBox::AgentBox(Network& network, std::string name, MakeModules make_modules, BoxOptions options)
    : network_(network),
      name_(std::move(name)),
      make_modules_(std::move(make_modules)),
      options_(options),
      random_(network.seed(), "agent " + name_),
      key_random_(network.seed(), "keys " + name_),
      keys_(key_of(network.seed(), "root " + name_), key_random_),
      step_up_(keys_.hold_step_up(key_of(network.seed(), "passphrase " + name_))),
      born_(network.now()) {
  protocol::UnitOfWork unit(context());
  if (options_.has_address) save(unit, "meta", "public-url", protocol::PublicUrl{url()});
  if (options_.has_vault) {
    const auto made = protocol::create_vault(unit, step_up_);
    ASSERT(made.has_value());
  }
  commit_or_die(unit);
  make_agent();
}

protocol::UnitContext AgentBox::context() {
  return {store_, keys_, random_, network_.now(), network_.now() - born_, options_.test_mode};
}

node::ClockReading AgentBox::clock() const {
  return {network_.now(), network_.now() - started_};
}

void AgentBox::commit_or_die(protocol::UnitOfWork& unit) {
  const auto committed = unit.commit();
  ASSERT(committed.has_value());
}

void AgentBox::make_agent() {
  started_ = network_.now();
  for (;;) {
    agent_ = std::make_unique<node::Agent>(
        node::AgentSeams{store_, keys_, random_, options_.test_mode}, make_modules_());
    auto outcome = agent_->start(clock());
    if (outcome.has_value()) {
      network_.take(*this, std::move(outcome->effects));
      return;
    }
    ++crashes_;
  }
}

void AgentBox::restart() {
  agent_.reset();
  network_.break_links(*this);
  make_agent();
}

void AgentBox::set_online(bool online) {
  online_ = online;
  if (!online) network_.break_links(*this);
}

node::Outcome AgentBox::feed(const node::Event& event) {
  auto outcome = agent_->handle(event, clock());
  if (!outcome.has_value()) {
    ++crashes_;
    restart();
    return {};
  }
  network_.take(*this, std::move(outcome->effects));
  return std::move(*outcome);
}

Result<JsonObject> AgentBox::command(std::string_view name, JsonObject args, bool with_step_up) {
  Command command;
  command.id = name_ + "-" + std::to_string(++commands_);
  command.name = name;
  command.args = std::move(args);
  if (with_step_up) command.step_up = step_up_;
  for (;;) {
    const std::size_t before = crashes_;
    auto outcome = feed(node::CommandGiven{command});
    if (outcome.reply) return std::move(*outcome.reply);
    ASSERT(crashes_ > before);
  }
}

std::vector<std::string> AgentBox::notices(std::string_view kind) {
  std::vector<std::string> texts;
  for (const protocol::Notice& notice : all<protocol::Notice>("notice")) {
    if (notice.kind == kind) texts.push_back(notice.text);
  }
  return texts;
}

std::vector<std::string> AgentBox::audited(std::string_view event) {
  std::vector<std::string> codes;
  for (const protocol::AuditEntry& entry : all<protocol::AuditEntry>("audit")) {
    if (entry.event != event) continue;
    const auto* code = entry.details.if_contains("code");
    codes.emplace_back(code != nullptr && code->is_string() ? std::string(code->get_string()) : "");
  }
  return codes;
}

// --- Network

Network::Network(std::uint64_t seed)
    : seed_(seed), now_(protocol::from_epoch_seconds(1'795'309'200)) {}

AgentBox& Network::add(std::string name, MakeModules make_modules, BoxOptions options) {
  boxes_.push_back(
      std::make_unique<AgentBox>(*this, std::move(name), std::move(make_modules), options));
  return *boxes_.back();
}

AgentBox* Network::box_at(const std::string& uri) {
  if (const auto other = more_addresses_.find(uri); other != more_addresses_.end()) {
    return other->second;
  }
  for (const auto& box : boxes_) {
    const bool there = box->url() == uri || box->live_url() == uri;
    if (there && box->options().has_address) return box.get();
  }
  return nullptr;
}

void Network::open_link(AgentBox& from, const protocol::Effect& effect) {
  const auto payload = protocol::decode_record<protocol::LivePayload>(effect.payload);
  ASSERT(payload.has_value());
  AgentBox* to = box_at(payload->uri);
  std::optional<Error> failure;
  if (to == nullptr || !to->online() || !from.online()) failure = fail(Errc::unreachable);
  if (!failure && refuse_link) failure = refuse_link(from, *to);
  if (failure) {
    // As a packet, so that it comes back later and not from inside the unit.
    waiting_.push_back({&from, nullptr, effect.id, {}, now_, {}});
    return;
  }
  links_["link-" + std::to_string(++next_channel_)] = {&from, to, effect.id};
}

void Network::break_links(AgentBox& box) {
  for (auto link = links_.begin(); link != links_.end();) {
    if (link->second.from != &box && link->second.to != &box) {
      ++link;
      continue;
    }
    waiting_.push_back({link->second.from, nullptr, link->second.effect_id, {}, now_, {}});
    link = links_.erase(link);
  }
}

/// Where a packet goes, and over which lasting connection if any.
void Network::route(Packet& packet) {
  const std::string& channel = packet.payload.channel;
  if (const auto link = links_.find(channel); link != links_.end()) {
    packet.link = channel;
    packet.to = link->second.from == packet.from ? link->second.to : link->second.from;
    return;
  }
  if (!channel.empty()) {
    const auto open = channels_.find(channel);
    if (open != channels_.end()) packet.to = open->second;
    return;
  }
  packet.to = box_at(packet.payload.uri);
  if (!packet.payload.uri.starts_with("wss:")) return;
  for (const auto& [name, link] : links_) {
    if (link.from == packet.from && link.to == packet.to) packet.link = name;
  }
}

void Network::take(AgentBox& from, std::vector<protocol::Effect> effects) {
  for (const protocol::Effect& effect : effects) {
    if (effect.kind == protocol::EffectKind::live) {
      open_link(from, effect);
      continue;
    }
    if (effect.kind != protocol::EffectKind::send) {
      auto result = perform ? perform(from, effect) : std::nullopt;
      if (result) from.feed(*result);
      continue;
    }
    auto payload = protocol::decode_record<protocol::SendPayload>(effect.payload);
    ASSERT(payload.has_value());
    protocol::choose_way(*payload, effect.attempts);
    Packet packet{&from, nullptr, effect.id, std::move(*payload), now_, {}};
    route(packet);
    waiting_.push_back(std::move(packet));
  }
}

std::optional<Error> Network::hand_over(const Packet& packet) {
  if (packet.to == nullptr || !packet.to->online() || !packet.from->online()) {
    return fail(Errc::unreachable);
  }
  if (!packet.link.empty() && !links_.contains(packet.link)) return fail(Errc::unreachable);
  if (on_arrival) on_arrival(packet);
  std::string channel = packet.link;
  if (channel.empty() && packet.payload.wants_reply) {
    channel = "connection-" + std::to_string(++next_channel_);
    channels_[channel] = packet.from;
  }
  const std::size_t crashes = packet.to->crashes();
  const auto outcome =
      packet.to->feed(node::EnvelopeArrived{packet.payload.packed, channel, !packet.link.empty()});
  if (packet.to->crashes() > crashes) return fail(Errc::timeout, "it crashed");
  return outcome.refused;
}

void Network::deliver(const Packet& packet) {
  const Fate chosen = fate ? fate(packet) : Fate::arrives;
  std::optional<Error> failure;
  if (chosen == Fate::fails) failure = fail(Errc::unreachable);
  if (chosen == Fate::arrives || chosen == Fate::twice) failure = hand_over(packet);
  if (chosen == Fate::twice) static_cast<void>(hand_over(packet));
  protocol::EffectResult result;
  result.id = packet.effect_id;
  if (failure) {
    // What a refused envelope lacks may come later: the sender of this packet, a registration,
    // room.
    result.retry = *failure == Errc::unreachable || *failure == Errc::timeout ||
                   *failure == Errc::unknown_peer || *failure == Errc::wrong_state;
    result.outcome = *failure;
  }
  packet.from->feed(result);
}

void Network::settle() {
  for (std::size_t steps = 0; !waiting_.empty(); ++steps) {
    ASSERT(steps < kStepsMax);
    const std::size_t index = next ? next(waiting_) : 0;
    ASSERT(index < waiting_.size());
    const Packet packet = std::move(waiting_[index]);
    waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(index));
    deliver(packet);
  }
}

/// One move of the clock to the next wakeup; false when none is due by `limit`.
bool Network::step(Time limit) {
  settle();
  Time due = Time::max();
  for (const auto& box : boxes_) {
    if (box->online()) due = std::min(due, box->next_wakeup());
  }
  if (due > limit) return false;
  now_ = std::max(now_, due);
  for (const auto& box : boxes_) {
    if (box->online() && box->next_wakeup() <= now_) box->feed(node::WokenUp{});
  }
  settle();
  return true;
}

void Network::run_for(Duration duration) {
  const Time end = now_ + duration;
  for (std::size_t steps = 0; step(end); ++steps) ASSERT(steps < kStepsMax);
  now_ = end;
}

bool Network::run_until(const std::function<bool()>& done, Duration limit) {
  const Time end = now_ + limit;
  settle();
  for (std::size_t steps = 0; !done(); ++steps) {
    ASSERT(steps < kStepsMax);
    if (!step(end)) return done();
  }
  return true;
}

std::optional<Error> Network::inject(AgentBox& to, Bytes envelope) {
  return to.feed(node::EnvelopeArrived{std::move(envelope), {}}).refused;
}

}  // namespace kith::test
