#pragma once

/// The table of commands. Most are one command of the agent with its arguments; the rest name a
/// special of their own (special.hpp). docs/cli.md says the same, held by a test; the manual pages
/// and the shells' completion are made from it when Kith is built (table_main.cpp).

#include <string_view>
#include <vector>

namespace kith::node {

struct ArgSpec {
  enum class Kind {
    text,
    number,
    list,
    flag,
    pairs,  ///< NAME=TEXT, any number of times; the agent gets an object.
    texts,  ///< Any number of times; for specials alone, which get them as lines.
    file,
    directory,
  };
  std::string_view name;  ///< "CONTACT" for a positional, "--name" for an option.
  std::string_view key;   ///< Member of the agent command's args; empty: for the special alone.
  std::string_view help;
  Kind kind = Kind::text;
  bool required = false;
};

enum class Special {
  none,
  init,
  run,
  lock,
  unlock,
  passphrase,
  doctor,
  version,
  status,
  invite,
  accept,
  features_ask,
  mailbox,
  message_pack,
  message_unpack,
  ping,
  did_resolve,
  did_lint,
  did_verify,
  recovery_setup,
  recovery_plan,
  ledger_serve,
  ledger_deploy,
  ledger_status,
  ledger_file,
  did_take,
  ledger_verify,
  ledger_witness,
  ledger_move,
  algorithms,
  key_types,
  audit_anchor,
  audit_verify,
  slip39_split,
  slip39_combine,
  shamir_split,
  shamir_combine,
  keys_list,
  portable_export,
  portable_import,
  home_erase,
  home_keep,
  policy_explain,
  policy_reload,
  ceremony_run,
  ceremony_verify,
  thaw,
  audit_export,
  alerts_test,
};

struct CommandSpec {
  std::string_view path;  ///< "contacts rename"
  std::string_view help;
  std::string_view agent_command;
  Special special = Special::none;
  std::vector<ArgSpec> args = {};
  std::string_view question = {};  ///< Destructive: asked first, unless --yes.
};

/// What Kith is, in a line.
inline constexpr std::string_view kAbout = "friends give each other their keys back";

[[nodiscard]] const std::vector<CommandSpec>& command_specs();
/// What every command takes.
[[nodiscard]] const std::vector<ArgSpec>& global_args();
/// How help names a value of this kind: "NUMBER". Empty for a flag.
[[nodiscard]] std::string_view value_name(ArgSpec::Kind kind);
/// Help of the groups: "contacts", "did", ...
[[nodiscard]] std::string_view group_help(std::string_view group);
/// A path ("freeze", "recovery drill") that is planned and not in this version; asking for it says
/// so.
[[nodiscard]] bool is_planned(std::string_view path);

}  // namespace kith::node
