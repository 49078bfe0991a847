#include "sim/town.hpp"

#include "crypto/assert.hpp"
#include "protocol/own_service.hpp"

namespace kith::sim {
namespace {

using crypto::json_text_of;

constexpr std::string_view kMediatorUrl = "https://mediator.sim/";
constexpr const char* kFirstLedgerUrl = "https://ledger.sim";
constexpr const char* kSecondLedgerUrl = "https://other-ledger.sim";
constexpr Duration kAskAgain{1'000};  // A command that died with its node is given again.

}  // namespace

Town::Town(const TownPlan& plan)
    : world(plan.seed),
      crashes(world, plan.faults),
      network(world, plan.faults),
      ledgers(world, plan.faults, {kFirstLedgerUrl, kSecondLedgerUrl}, plan.test_mode),
      plan_(plan) {
  personal_.version = "sim";
  personal_.test_mode = plan_.test_mode;
  personal_.pickup = plan_.pickup;
  personal_modules_ = std::make_shared<const node::ModuleTable>(node::make_modules(personal_));
  NodePlan node;
  node.name = "mediator";
  node.uri = kMediatorUrl;
  node.config.version = "sim";
  node.config.test_mode = plan_.test_mode;
  node.config.mediate = true;
  node.config.public_url = kMediatorUrl;
  mediator_ = std::make_unique<SimNode>(
      Surroundings{world, network, ledgers, crashes, plan_.faults}, std::move(node));
  mediator_->start();
}

SimNode& Town::add(std::string name) {
  NodePlan node;
  node.name = std::move(name);
  node.config = personal_;
  node.modules = personal_modules_;
  nodes_.push_back(std::make_unique<SimNode>(
      Surroundings{world, network, ledgers, crashes, plan_.faults}, std::move(node)));
  nodes_.back()->start();
  return *nodes_.back();
}

Result<JsonObject> Town::ask(SimNode& node, std::string_view name, JsonObject args,
                             bool with_step_up) {
  const std::string id = "town-" + std::to_string(++commands_);
  for (;;) {
    ASSERT(!node.lost());
    auto reply = node.command(id, name, args, with_step_up);
    if (reply) return std::move(*reply);
    world.run_for(kAskAgain);
  }
}

std::string Town::contact_state(SimNode& node, std::string_view contact) {
  const auto reply = ask(node, "contacts");
  if (!reply.has_value()) return {};
  const auto contacts = crypto::json_array(*reply, "contacts");
  if (!contacts.has_value()) return {};
  for (const Json& item : **contacts) {
    if (json_text_of(item.get_object(), "name") == contact)
      return json_text_of(item.get_object(), "state");
  }
  return {};
}

bool Town::mediate(SimNode& node, Duration limit) {
  const auto invitation = ask(*mediator_, "mediator-invitation");
  ASSERT(invitation.has_value());
  const auto accepted =
      ask(node, "accept",
          {{"url", json_text_of(*invitation, "url")}, {"name", "mediator"}, {"role", "mediator"}});
  if (!accepted.has_value()) return false;
  return world.run_until(
      [&] {
        return node.up() &&
               node.look([](Host& host) { return protocol::mediator_grant(host).has_value(); });
      },
      limit);
}

bool Town::connect(SimNode& inviter, SimNode& invitee, Duration limit) {
  const auto invited = ask(inviter, "invite", {{"name", invitee.name()}});
  if (!invited.has_value()) return false;
  const auto accepted =
      ask(invitee, "accept", {{"url", json_text_of(*invited, "url")}, {"name", inviter.name()}});
  if (!accepted.has_value()) return false;
  const Time end = world.now() + limit;
  while (world.now() < end) {
    static_cast<void>(ask(inviter, "nudge"));
    static_cast<void>(ask(invitee, "nudge"));
    world.run_for(std::chrono::seconds{30});
    if (contact_state(inviter, invitee.name()) == "connected" &&
        contact_state(invitee, inviter.name()) == "connected") {
      return true;
    }
  }
  return false;
}

void Town::heal() {
  crashes.stop();
  network.heal();
  ledgers.heal();
}

}  // namespace kith::sim
