#include "ledger/ledger_report.hpp"
#include "node/cli/commands.hpp"
#include "node/cli/read_input.hpp"
#include "node/runtime/system_clock.hpp"

namespace kith::node {
namespace {

Result<JsonObject> run(const Invocation& invocation) {
  std::string descriptor;
  if (invocation.has("--descriptor")) {
    TRY(descriptor, read_file(invocation.value("--descriptor")));
  }
  TRY(const std::string file, read_input(invocation.value("FILE")));
  return ledger::judge_file(file, descriptor, ledger::anchor_time_ms(read_clocks().wall_ms));
}

}  // namespace

int run_ledger_verify(const Invocation& invocation, const Output& output) {
  const auto judged = run(invocation);
  if (!judged.has_value()) return output.error(judged.error());
  output.print(*judged);
  return 0;
}

}  // namespace kith::node
