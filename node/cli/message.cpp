#include <fstream>
#include <iostream>

#include "crypto/limits.hpp"
#include "node/cli/commands.hpp"
#include "node/cli/envelope_tool.hpp"
#include "node/runtime/system_clock.hpp"

namespace kith::node {
namespace {

/// All of it, up to the largest envelope.
Result<std::string> read_all(std::istream& in, const std::string& name) {
  std::string text;
  std::string piece(64 * 1024, '\0');
  while (in.read(piece.data(), static_cast<std::streamsize>(piece.size())), in.gcount() > 0) {
    text.append(piece, 0, static_cast<std::size_t>(in.gcount()));
    if (text.size() > limits::kEnvelopeBytesMax) return fail(Errc::limit_exceeded, name);
  }
  if (in.bad()) return fail(Errc::io, name);
  return text;
}

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(Errc::io, path);
  return read_all(file, path);
}

Result<std::string> read_input(const Invocation& invocation) {
  const std::string path = invocation.value("FILE");
  return path.empty() || path == "-" ? read_all(std::cin, "the input") : read_file(path);
}

Result<std::string> run(const Invocation& invocation, Random& random) {
  TRY(const std::string secrets, read_file(invocation.value("--secrets")));
  std::string documents;
  if (invocation.has("--did-docs")) {
    TRY(documents, read_file(invocation.value("--did-docs")));
  }
  TRY(const auto tool, EnvelopeTool::make(secrets, documents, random));
  TRY(const std::string input, read_input(invocation));
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
