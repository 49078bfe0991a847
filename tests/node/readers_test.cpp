// What somebody may ask who may only read.

#include <gtest/gtest.h>

#include "node/operations.hpp"
#include "node/reader_role.hpp"
#include "node/wiring.hpp"

namespace kith::node {
namespace {

TEST(Readers, GetWhatTheListSaysAndNothingElse) {
  const auto modules = make_modules({});
  std::size_t given = 0, kept = 0;
  for (const auto& module : modules) {
    for (const std::string& command : module->commands()) {
      if (!reader_may(command)) {
        ++kept;
        continue;
      }
      ++given;
      EXPECT_TRUE(module->only_reads(command)) << command;
      EXPECT_EQ(operation_of_command(command), Operation::look) << command;
    }
  }
  EXPECT_GT(given, 20U);
  EXPECT_GT(kept, 40U);
  // Of the shell, and answered from what it knows.
  EXPECT_EQ(given + 2, reader_commands().size());
  EXPECT_TRUE(reader_may("ledger-host") && reader_may("ledger-replica"));
  // Texts of people, codes that pair or recover, exports.
  for (const char* command : {"messages", "agent-pairings", "recover-status", "recover-hints",
                              "trustee-requests", "did-export", "lock", "", "STATUS"}) {
    EXPECT_FALSE(reader_may(command)) << command;
  }
}

}  // namespace
}  // namespace kith::node
