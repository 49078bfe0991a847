#pragma once

/// The one place where the modules of a node are put together; the simulator uses it too.

#include <memory>
#include <string>
#include <vector>

#include "protocol/mediation_policy.hpp"
#include "protocol/module.hpp"
#include "protocol/pickup.hpp"

namespace kith::node {

struct NodeConfig {
  std::string version;  ///< For `version` and `status`.
  /// SHA-256 of the running program, in hex. A start with another than the last one is noted in the
  /// audit log; empty: this start is not compared.
  std::string program_digest;
  /// Home::keystore_mark; as program_digest.
  std::string keystore_mark;
  bool test_mode = false;
  bool private_network = false;  ///< For `status`: addresses of this network may be contacted.
  bool has_passphrase = true;    ///< For `status`.
  /// Serve others as mediator (and as place of their backups). Needs `public_url`.
  bool mediate = false;
  protocol::MediationPolicy mediation;  ///< Whom it serves as mediator, and how far.
  /// Where this node's listener is reached from outside; empty: as it was set before, or nowhere.
  std::string public_url;
  std::string witness_url;  ///< Where checkpoints are cosigned; empty: this node is no witness.
  protocol::PickupPace pickup;
};

[[nodiscard]] std::vector<std::unique_ptr<protocol::Module>> make_modules(const NodeConfig& config);

}  // namespace kith::node
