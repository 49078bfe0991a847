#include "node/cli/spec_parts.hpp"

namespace kith::node {

using enum ArgSpec::Kind;

std::vector<CommandSpec> agent_commands() {
  return {
      {"agent list", "Your devices", "agent-list", Special::none, {}},
      {"agent add",
       "Add a device of yours: makes an invitation for it",
       "agent-add",
       Special::invite,
       {{"--name", "name", "Your name for it"},
        {"--qr", "", "Show a QR code in the terminal", flag},
        {"--qr-svg", "", "Write the QR code to this file, as SVG", file},
        {"--qr-png", "", "Write the QR code to this file, as PNG", file},
        kWait}},
      {"agent accept",
       "On the new device: take the invitation of your other one",
       "agent-accept",
       Special::none,
       {{"URL", "url", "The invitation", text, true}}},
      {"agent status",
       "How far adding a device is, and the code to type into the other one",
       "agent-pairings",
       Special::none,
       {}},
      {"agent code",
       "Type the code that the other device shows",
       "agent-code",
       Special::none,
       {{"NNNNNN", "code", "The code", text, true},
        {"--pairing", "pairing", "Which one, as `kith agent status` shows it"}}},
      {"agent cancel",
       "Call off adding a device",
       "agent-cancel",
       Special::none,
       {{"--pairing", "pairing", "Which one, as `kith agent status` shows it"}}},
      {"agent agree-thaw",
       "Agree that a frozen device of yours acts again",
       "thaw-agree",
       Special::none,
       {{"DEVICE", "device", "Name or key, as `kith agent list` shows it", text, true}},
       "Did you type the passphrase there yourself?"},
      {"agent revoke",
       "Take a device out of your identity, and replace all keys that it had",
       "agent-revoke",
       Special::none,
       {{"DEVICE", "agent", "Name or key, as `kith agent list` shows it", text, true}},
       "Take this device out of your identity? It can not be undone."},
  };
}

}  // namespace kith::node
