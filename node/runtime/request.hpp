#pragma once

/// What travels over the control socket, and between the command line and a runtime of its own.
///
///   request  {"id","command","args":{..},"passphrase"?}
///   reply    {"reply":{..}} or {"error":{"code","message","hint","exit"}}

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "crypto/json.hpp"
#include "crypto/secret_bytes.hpp"

namespace kith::node {

/// An error as programs and people see it.
struct ErrorReport {
  std::string code;
  std::string message;  ///< The catalogue's sentence, with what was wrong in brackets.
  std::string hint;
  int exit_code = 1;
};
[[nodiscard]] ErrorReport report_of(const Error& error);
[[nodiscard]] JsonObject to_json(const ErrorReport& report);  ///< {"code","message","hint"}

struct ControlRequest {
  std::string id;
  std::string command;
  JsonObject args;
  std::optional<SecretBytes> passphrase;
};
/// Holds the passphrase if there is one: wipe it after use (crypto::wipe).
[[nodiscard]] std::string encode_request(const ControlRequest& request);
/// Wipes the passphrase in `text`. Errors: malformed, limit_exceeded.
[[nodiscard]] Result<ControlRequest> parse_request(std::string& text);

using ControlReply = std::variant<JsonObject, ErrorReport>;
[[nodiscard]] std::string encode_reply(const Result<JsonObject>& reply);
/// Errors: malformed, limit_exceeded.
[[nodiscard]] Result<ControlReply> parse_reply(std::string_view text);

}  // namespace kith::node
