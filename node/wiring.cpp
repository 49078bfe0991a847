#include "node/wiring.hpp"

#include "ledger/connection.hpp"
#include "ledger/identity.hpp"
#include "ledger/log_history.hpp"
#include "ledger/proposal_module.hpp"
#include "ledger/witness_module.hpp"
#include "node/automation_module.hpp"
#include "node/ceremony.hpp"
#include "node/freezer.hpp"
#include "node/incidents.hpp"
#include "node/key_module.hpp"
#include "node/node_module.hpp"
#include "node/report_module.hpp"
#include "node/rules_module.hpp"
#include "protocol/basic_message.hpp"
#include "protocol/discover_features.hpp"
#include "protocol/late_answers.hpp"
#include "protocol/look_up.hpp"
#include "protocol/mailbox_view.hpp"
#include "protocol/mediator.hpp"
#include "protocol/out_of_band.hpp"
#include "protocol/outbox.hpp"
#include "protocol/rewrapped.hpp"
#include "protocol/trust_ping.hpp"
#include "recovery/backup_client.hpp"
#include "recovery/backup_location.hpp"
#include "recovery/device.hpp"
#include "recovery/own_agents.hpp"
#include "recovery/owner.hpp"
#include "recovery/portable_module.hpp"
#include "recovery/rotation.hpp"
#include "recovery/super_module.hpp"
#include "recovery/trustee.hpp"
#include "recovery/trustee_session.hpp"

namespace kith::node {

namespace {

std::vector<std::string> types_of(const std::vector<std::unique_ptr<protocol::Module>>& modules) {
  std::vector<std::string> all;
  for (const auto& module : modules) {
    for (std::string& type : module->message_types()) all.push_back(std::move(type));
  }
  return all;
}

}  // namespace

std::vector<std::unique_ptr<protocol::Module>> make_modules(const NodeConfig& config) {
  std::vector<std::unique_ptr<protocol::Module>> modules;
  const auto history = std::make_shared<const ledger::LogHistory>();
  modules.push_back(std::make_unique<NodeModule>(config));
  modules.push_back(std::make_unique<KeyModule>());
  modules.push_back(std::make_unique<ledger::Connection>());
  modules.push_back(std::make_unique<ledger::IdentityModule>());
  modules.push_back(std::make_unique<ledger::Proposals>());
  modules.push_back(std::make_unique<ledger::WitnessModule>(config.witness_url));
  modules.push_back(std::make_unique<protocol::LookUps>());
  modules.push_back(std::make_unique<protocol::LateAnswers>());
  modules.push_back(std::make_unique<protocol::TrustPing>());
  modules.push_back(std::make_unique<protocol::BasicMessage>());
  modules.push_back(std::make_unique<protocol::Pickup>(config.pickup, history));
  modules.push_back(std::make_unique<recovery::BackupClient>());
  modules.push_back(std::make_unique<recovery::Owner>());
  modules.push_back(std::make_unique<recovery::Rotation>());
  modules.push_back(std::make_unique<recovery::OwnAgents>());
  modules.push_back(std::make_unique<Freezer>());
  modules.push_back(std::make_unique<Incidents>());
  modules.push_back(std::make_unique<recovery::Trustee>());
  modules.push_back(std::make_unique<recovery::TrusteeSessions>());
  modules.push_back(std::make_unique<recovery::Device>());
  modules.push_back(std::make_unique<recovery::SuperQuorumModule>());
  modules.push_back(std::make_unique<recovery::Portable>());
  modules.push_back(std::make_unique<protocol::MailboxView>());
  modules.push_back(
      std::make_unique<protocol::OutOfBand>(config.mediate ? config.public_url : std::string()));
  if (config.mediate) {
    modules.push_back(
        std::make_unique<protocol::Mediator>(config.public_url, config.mediation, history));
    modules.push_back(std::make_unique<recovery::BackupLocation>());
  } else {
    modules.push_back(std::make_unique<protocol::Rewrapped>());
    modules.push_back(std::make_unique<protocol::Outbox>());
  }
  modules.push_back(std::make_unique<AutomationModule>());
  modules.push_back(std::make_unique<ReportModule>());
  modules.push_back(std::make_unique<CeremonyModule>());
  modules.push_back(std::make_unique<RulesModule>(types_of(modules)));
  // Last: it tells what all the others do.
  modules.push_back(std::make_unique<protocol::DiscoverFeatures>(protocol::features_of(modules)));
  return modules;
}

}  // namespace kith::node
