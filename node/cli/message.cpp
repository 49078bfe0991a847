#include <iostream>

#include "node/cli/commands.hpp"
#include "node/cli/envelope_tool.hpp"
#include "node/cli/read_input.hpp"
#include "node/runtime/system_clock.hpp"

namespace kith::node {
namespace {

Result<std::string> run(const Invocation& invocation, Random& random) {
  TRY(const std::string secrets, read_file(invocation.value("--secrets")));
  std::string documents;
  if (invocation.has("--did-docs")) {
    TRY(documents, read_file(invocation.value("--did-docs")));
  }
  TRY(const auto tool, EnvelopeTool::make(secrets, documents, random));
  TRY(const std::string input, read_input(invocation.value("FILE")));
  if (invocation.spec->special == Special::message_pack) {
    PackRequest request;
    request.to = invocation.value("--to");
    request.from = invocation.value("--from");
    request.sign_by = invocation.value("--sign-by");
    request.protect_sender = invocation.has("--protect-sender");
    request.enc = invocation.value("--enc");
    return tool->pack(input, request);
  }
  TRY(const JsonObject opened, tool->unpack(input, read_clocks().wall_ms / 1000));
  return crypto::json_text(opened);
}

}  // namespace

/// Both print one JSON document, with and without --json: it is what other programs read.
int run_message(const Invocation& invocation, const Output& output) {
  crypto::OsRandom random;
  const auto result = run(invocation, random);
  if (!result.has_value()) return output.error(result.error());
  std::cout << *result << std::endl;
  return 0;
}

}  // namespace kith::node
