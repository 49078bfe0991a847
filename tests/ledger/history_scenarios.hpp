#pragma once

/// Histories of logs, valid and not, that every reader of did:kith must judge alike. Each is told
/// here and lies as a data file in histories/, for readers in other languages (README.md there).
/// What must come out is written by hand beside each, not taken from our reader.

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/log_lab.hpp"

namespace kith::test {

struct Expected {
  std::string
      status;  ///< "normal", "pending", ..., or why there is no log: "not_found", "refused".
  std::uint64_t n = 0;                     ///< Of the newest entry that counts.
  std::vector<std::size_t> junk = {};      ///< Positions, as all that follow.
  std::vector<std::size_t> replaced = {};  ///< By a recover.
  std::vector<std::size_t> vetoed = {};
  std::vector<std::size_t> evidence = {};  ///< Second entries of one number; junk as well.
};

struct Scenario {
  std::string name;  ///< Of the file, too.
  std::string says;  ///< One sentence for whoever's reader disagrees.
  Expected expected;
  std::function<void(LogLab&)> tell;  ///< Posts the blobs and leaves the clock at "now".
  Kind kind = Kind::did;
  ledger::LogKeyShape shape = {};
  bool test_mode = false;
};

[[nodiscard]] std::vector<Scenario> ordinary_scenarios();
[[nodiscard]] std::vector<Scenario> form_scenarios();
[[nodiscard]] std::vector<Scenario> recovery_scenarios();
[[nodiscard]] std::vector<Scenario> move_scenarios();
[[nodiscard]] std::vector<Scenario> witnessed_scenarios();
[[nodiscard]] std::vector<Scenario> agent_scenarios();
[[nodiscard]] std::vector<Scenario> policy_scenarios();

/// `entry` changed and signed again by `signers`.
template <class Change>
Entry resigned(LogLab& lab, Entry entry, const std::vector<std::string>& signers, Change change) {
  change(entry);
  entry.sigs.clear();
  lab.sign(entry, signers);
  return entry;
}

}  // namespace kith::test
