// What goes on while a node is frozen, command by command and message by message. Whatever is added
// has to say here what it does.

#include "node/operations.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "node/cli/specs.hpp"
#include "node/wiring.hpp"

namespace kith::node {
namespace {

using Names = std::set<std::string>;

/// All modules there are: those of a mediator and those of a personal node.
std::vector<std::unique_ptr<protocol::Module>> all_modules() {
  NodeConfig config;
  auto all = make_modules(config);
  config.mediate = true;
  config.public_url = "https://mediator.test/";
  for (auto& module : make_modules(config)) all.push_back(std::move(module));
  return all;
}

Names commands_of_modules() {
  Names names;
  for (const auto& module : all_modules()) {
    for (const std::string& name : module->commands()) names.insert(name);
  }
  return names;
}

Names types_of_modules() {
  Names names;
  for (const auto& module : all_modules()) {
    for (const std::string& type : module->message_types()) names.insert(type);
  }
  return names;
}

bool goes_on(std::optional<Operation> row) {
  return row && protocol::allowed_while_frozen(*row);
}

TEST(Operations, EveryCommandSaysWhatItDoes) {
  for (const std::string& name : commands_of_modules()) {
    EXPECT_TRUE(operation_of_command(name)) << name;
  }
  for (const CommandSpec& spec : command_specs()) {
    const bool of_agent = !spec.agent_command.empty();
    const auto row =
        of_agent ? operation_of_command(spec.agent_command) : operation_of_program(spec.path);
    EXPECT_TRUE(row) << spec.path;
  }
}

TEST(Operations, EveryMessageAndTimerSaysWhatItDoes) {
  for (const std::string& type : types_of_modules())
    EXPECT_TRUE(operation_of_message(type)) << type;
  for (const auto& module : all_modules()) {
    EXPECT_TRUE(operation_of_timer(module->name(), "any")) << module->name();
  }
}

TEST(Operations, TheseCommandsStopWhileFrozenAndNoOthers) {
  Names stopped;
  for (const std::string& name : commands_of_modules()) {
    if (!goes_on(operation_of_command(name))) stopped.insert(name);
  }
  const Names expected{"audit-anchor",
                       "ceremony-sign",
                       "policy-load",
                       "agent-accept",
                       "agent-add",
                       "agent-code",
                       "agent-revoke",
                       "did-export",
                       "did-rotate",
                       "did-withdraw-address",
                       "export-begin",
                       "export-part",
                       "import-open",
                       "import-part",
                       "identity-check",
                       "identity-create",
                       "keys-compromised",
                       "keys-destroy",
                       "keys-renew",
                       "keys-rotate",
                       "ledger-move",
                       "policy-approve",
                       "policy-propose",
                       "recover-answer",
                       "recover-code",
                       "recover-finish",
                       "recover-start",
                       "recovery-setup",
                       "trustee-accept",
                       "trustee-approve",
                       "trustee-confirm",
                       "trustee-invite",
                       "witness-cosign",
                       "witness-time",
                       "witness-watch",
                       "recover-add-trustee",
                       "recovery-super-setup",
                       "recovery-super-confirm",
                       "recovery-super-start"};
  EXPECT_EQ(stopped, expected);
}

TEST(Operations, TheseMessagesAreRefusedWhileFrozenAndNoOthers) {
  Names refused;
  for (const std::string& type : types_of_modules()) {
    if (!goes_on(operation_of_message(type))) {
      refused.insert(type.substr(std::string_view("https://w3id.org/kith/").size()));
    }
  }
  const Names expected{"agent/1.0/hello",
                       "agent/1.0/nonce",
                       "agent/1.0/reveal",
                       "agent/1.0/welcome",
                       "agent/1.0/joined",
                       "agent/1.0/admitted",
                       "agent/1.0/failed",
                       "trustee/1.0/share-prepare",
                       "trustee/1.0/heartbeat-request",
                       "recovery/1.0/super-signature"};
  EXPECT_EQ(refused, expected);
}

TEST(Operations, WorkUnderWayWaits) {
  for (const auto& [module, timer] : {std::pair<const char*, const char*>{"rotation", "look"},
                                      {"identity", "move"},
                                      {"recovery", "backup"},
                                      {"recovery", "anchor"},
                                      {"own-agents", "pairing 12"},
                                      {"recover", "finish"}}) {
    EXPECT_FALSE(goes_on(operation_of_timer(module, timer))) << module << " " << timer;
  }
  for (const auto& [module, timer] : {std::pair<const char*, const char*>{"identity", "watch"},
                                      {"identity", "foreign"},
                                      {"own-agents", "tend"},
                                      {"trustee-sessions", "look"},
                                      {"pickup", "poll"}}) {
    EXPECT_TRUE(goes_on(operation_of_timer(module, timer))) << module << " " << timer;
  }
}

TEST(Operations, WhatHasNoRowIsStopped) {
  EXPECT_FALSE(operation_of_command("added-tomorrow"));
  EXPECT_FALSE(operation_of_message("https://example.org/tomorrow/1.0/x"));
  EXPECT_FALSE(operation_of_message("https://w3id.org/kith/tomorrow/1.0/x"));
  EXPECT_FALSE(operation_of_timer("tomorrow", "x"));
}

}  // namespace
}  // namespace kith::node
