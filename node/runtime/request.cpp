#include "node/runtime/request.hpp"

#include <algorithm>

namespace kith::node {
namespace {

crypto::JsonLimits control_limits() {
  crypto::JsonLimits limits;
  limits.bytes_max = limits::kControlFrameBytesMax;
  return limits;
}

}  // namespace

ErrorReport report_of(const Error& error) {
  const crypto::ErrorText& text = crypto::error_text(error.code);
  std::string message(text.sentence);
  if (!error.detail.empty()) message += " (" + error.detail + ")";
  return {std::string(text.code), std::move(message), std::string(text.next_step), text.exit_code};
}

JsonObject to_json(const ErrorReport& report) {
  return {{"code", report.code}, {"message", report.message}, {"hint", report.hint}};
}

std::string encode_request(const ControlRequest& request) {
  JsonObject json{{"id", request.id}, {"command", request.command}, {"args", request.args}};
  if (!request.passphrase) return crypto::json_text(json);
  json["passphrase"] = std::string_view(crypto::as_text(request.passphrase->expose()));
  std::string text = crypto::json_text(json);
  auto& copy = json["passphrase"].get_string();
  crypto::wipe({reinterpret_cast<std::uint8_t*>(copy.data()), copy.size()});
  return text;
}

Result<ControlRequest> parse_request(std::string& text) {
  auto parsed = crypto::parse_json(text, control_limits());
  crypto::wipe(text);
  TRY(Json json, std::move(parsed));
  TRY(const JsonObject* object, crypto::as_object(json, "request"));
  ControlRequest request;
  TRY(request.id, crypto::json_string(*object, "id"));
  TRY(request.command, crypto::json_string(*object, "command"));
  TRY(const JsonObject* args, crypto::json_object(*object, "args"));
  request.args = *args;
  if (Json* passphrase = json.get_object().if_contains("passphrase")) {
    if (!passphrase->is_string()) return fail(Errc::malformed, "passphrase is not a text");
    auto& given = passphrase->get_string();
    request.passphrase = SecretBytes::copy_of(crypto::as_bytes({given.data(), given.size()}));
    crypto::wipe({reinterpret_cast<std::uint8_t*>(given.data()), given.size()});
  }
  return request;
}

std::string encode_reply(const Result<JsonObject>& reply) {
  if (reply.has_value()) return crypto::json_text(JsonObject{{"reply", *reply}});
  const ErrorReport report = report_of(reply.error());
  JsonObject error = to_json(report);
  error["exit"] = report.exit_code;
  return crypto::json_text(JsonObject{{"error", std::move(error)}});
}

Result<ControlReply> parse_reply(std::string_view text) {
  TRY(const Json json, crypto::parse_json(text, control_limits()));
  TRY(const JsonObject* object, crypto::as_object(json, "reply"));
  if (object->contains("reply")) {
    TRY(const JsonObject* reply, crypto::json_object(*object, "reply"));
    return ControlReply(*reply);
  }
  TRY(const JsonObject* error, crypto::json_object(*object, "error"));
  ErrorReport report;
  TRY(report.code, crypto::json_string(*error, "code"));
  TRY(report.message, crypto::json_string(*error, "message"));
  TRY(report.hint, crypto::json_string(*error, "hint"));
  TRY(const std::int64_t exit_code, crypto::json_int(*error, "exit"));
  report.exit_code = static_cast<int>(exit_code);
  return ControlReply(std::move(report));
}

}  // namespace kith::node
