#pragma once

/// This device in the logs of the owner's relationships. A device that got a contact from another
/// one makes keys of its own for it; the device that holds the log's active keys puts them into the
/// log, and the contact learns them as any other change.

#include <string>
#include <string_view>
#include <vector>

#include "protocol/contact.hpp"
#include "protocol/host.hpp"

namespace kith::recovery {

/// Which keys a device of the owner has, or wants to have, in one of our DIDs. Collection
/// `agent-keys`, by agent_keys_id; shared by all devices.
struct AgentKeys {
  std::string did;
  std::string agent;  ///< The device's key in the policy.
  std::string auth;
  std::string agree;
  template <class V>
  void visit(V& v) {
    v("did", did), v("agent", agent), v("auth", auth), v("agree", agree);
  }
};
inline constexpr std::string_view kAgentKeys = "agent-keys";
[[nodiscard]] std::string agent_keys_id(std::string_view did, std::string_view agent);

/// The relationship's log names this device.
[[nodiscard]] bool knows_this_device(Host& host, const Contact& contact);
/// Makes the keys that are missing, and puts those of other devices into the logs that this one can
/// change. Returns how many relationships do not know this device yet.
std::size_t tend_relationships(Host& host);

/// Which of `agents` belong to devices that stay: those whose keys are known to be of an agent in
/// `staying`.
struct DeviceKeys {
  std::string auth;
  std::string agree;
};
[[nodiscard]] std::vector<DeviceKeys> keys_of_devices(Host& host, std::string_view did,
                                                      const std::vector<std::string>& staying);

}  // namespace kith::recovery
