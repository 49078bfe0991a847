#include "sim/sim_modules.hpp"

#include <algorithm>

#include "ledger/connection.hpp"
#include "ledger/identity.hpp"
#include "recovery/backup_client.hpp"
#include "recovery/backup_location.hpp"
#include "recovery/device.hpp"
#include "recovery/owner.hpp"
#include "recovery/trustee.hpp"
#include "recovery/trustee_session.hpp"

namespace kith::sim {
namespace {

using Modules = std::vector<std::unique_ptr<protocol::Module>>;

template <class M>
void add_if_absent(Modules& modules) {
  auto module = std::make_unique<M>();
  const bool wired = std::ranges::any_of(
      modules, [&](const auto& other) { return other->name() == module->name(); });
  if (!wired) modules.push_back(std::move(module));
}

}  // namespace

Modules sim_modules(const node::NodeConfig& config) {
  Modules modules = node::make_modules(config);
  add_if_absent<ledger::Connection>(modules);
  add_if_absent<ledger::IdentityModule>(modules);
  add_if_absent<recovery::BackupClient>(modules);
  add_if_absent<recovery::Owner>(modules);
  add_if_absent<recovery::Trustee>(modules);
  add_if_absent<recovery::TrusteeSessions>(modules);
  add_if_absent<recovery::Device>(modules);
  if (config.mediate) add_if_absent<recovery::BackupLocation>(modules);
  return modules;
}

}  // namespace kith::sim
