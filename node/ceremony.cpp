#include "node/ceremony.hpp"

#include <algorithm>

#include "crypto/hash.hpp"
#include "ledger/identity.hpp"
#include "node/reader_role.hpp"
#include "node/rule_limits.hpp"

namespace kith::node {
namespace {

constexpr std::string_view kCeremonyFormat = "kith-ceremony/1";
constexpr std::string_view kCeremonyLabel = "kith-ceremony-v1\n";

std::string chained(std::string_view before, JsonObject step) {
  step.erase("chain");
  return crypto::hex(crypto::sha256(
      crypto::as_bytes(std::string(before) + crypto::canonical_json(Json(std::move(step))))));
}

Bytes ceremony_statement(JsonObject transcript) {
  transcript.erase("signature");
  return crypto::to_bytes(crypto::as_bytes(std::string(kCeremonyLabel) +
                                           crypto::canonical_json(Json(std::move(transcript)))));
}

bool only_members(const JsonObject& object, std::initializer_list<std::string_view> names) {
  return std::ranges::all_of(object, [&](const auto& member) {
    return std::ranges::find(names, std::string_view(member.key())) != names.end();
  });
}

/// Errors: malformed, limit_exceeded.
Result<void> check_step(const JsonObject& step, std::size_t n, std::string_view before) {
  if (!only_members(step, {"n", "kind", "text", "at", "result", "error", "chain"})) {
    return fail(Errc::malformed, "a step has a member that nobody knows");
  }
  TRY(const std::int64_t number, crypto::json_int(step, "n"));
  TRY(const std::string kind, crypto::json_string(step, "kind"));
  TRY(const std::string text, crypto::json_string(step, "text"));
  TRY(const std::string at, crypto::json_string(step, "at"));
  TRY(const std::string chain, crypto::json_string(step, "chain"));
  if (number != static_cast<std::int64_t>(n)) return fail(Errc::malformed, "a step is missing");
  if (kind != "say" && kind != "command") return fail(Errc::malformed, "an unknown kind of step");
  if (text.size() > rule_limits::kTextBytesMax) return fail(Errc::limit_exceeded, "a step's text");
  CHECK(protocol::from_utc_text(at));
  if (chain != chained(before, step)) return fail(Errc::malformed, "the chain of steps is broken");
  return {};
}

Result<JsonObject> sign_ceremony(Host& host, const Command& command) {
  TRY(const JsonObject* given, crypto::json_object(command.args, "transcript"));
  JsonObject transcript = *given;
  transcript.erase("signature");
  CHECK(check_ceremony_steps(transcript));
  if (!command.step_up) return fail(Errc::step_up_required);
  TRY(const KeyPair key, ledger::own_agent_key(host));
  transcript["agent"] = crypto::multikey(key.public_key);
  TRY(const Bytes signature, host.keys().sign(key.sealed, ceremony_statement(transcript)));
  host.audit("ceremony.signed", {{"digest", ceremony_digest(transcript)},
                                 {"steps", transcript.at("steps").as_array().size()},
                                 {"outcome", transcript.at("outcome")}});
  transcript["signature"] = crypto::base64url(signature);
  return JsonObject{{"transcript", std::move(transcript)}};
}

}  // namespace

bool ceremony_may(std::string_view command) {
  static constexpr auto kActs = std::to_array<std::string_view>(
      {"did-rotate", "keys-rotate", "recovery-setup", "policy-propose", "policy-approve",
       "agent-revoke", "audit-anchor", "report-review", "freeze"});
  return reader_may(command) || std::ranges::find(kActs, command) != kActs.end();
}

std::string ceremony_digest(const JsonObject& reply) {
  return crypto::hex(crypto::sha256(crypto::as_bytes(crypto::canonical_json(Json(reply)))));
}

void add_ceremony_step(JsonObject& transcript, JsonObject step) {
  JsonArray& steps = transcript["steps"].get_array();
  const std::string before =
      steps.empty() ? std::string() : crypto::json_text_of(steps.back().get_object(), "chain");
  step["n"] = static_cast<std::int64_t>(steps.size() + 1);
  step["chain"] = chained(before, step);
  steps.push_back(std::move(step));
}

Result<void> check_ceremony_steps(const JsonObject& transcript) {
  if (!only_members(transcript, {"format", "name", "script", "witnesses", "began", "ended",
                                 "outcome", "steps", "agent", "signature"})) {
    return fail(Errc::malformed, "the transcript has a member that nobody knows");
  }
  TRY(const std::string format, crypto::json_string(transcript, "format"));
  if (format != kCeremonyFormat) return fail(Errc::unsupported, "another format of transcripts");
  for (const char* member : {"name", "script"}) {
    TRY(const std::string text, crypto::json_string(transcript, member));
    if (text.size() > rule_limits::kTextBytesMax) return fail(Errc::limit_exceeded, member);
  }
  for (const char* member : {"began", "ended"}) {
    TRY(const std::string text, crypto::json_string(transcript, member));
    CHECK(protocol::from_utc_text(text));
  }
  TRY(const JsonArray* witnesses, crypto::json_array(transcript, "witnesses"));
  TRY(const JsonArray* steps, crypto::json_array(transcript, "steps"));
  if (std::max(witnesses->size(), steps->size()) > rule_limits::kItemsMax) {
    return fail(Errc::limit_exceeded, "more than 200 steps or witnesses");
  }
  std::string before;
  bool failed = false;
  for (std::size_t n = 0; n < steps->size(); ++n) {
    TRY(const JsonObject* step, crypto::as_object((*steps)[n], "step"));
    if (failed) return fail(Errc::malformed, "steps follow one that failed");
    CHECK(check_step(*step, n + 1, before));
    before = crypto::json_text_of(*step, "chain");
    failed = step->contains("error");
  }
  TRY(const std::string outcome, crypto::json_string(transcript, "outcome"));
  if (outcome != (failed ? "failed" : "done")) {
    return fail(Errc::malformed, "the outcome is not that of its steps");
  }
  return {};
}

Result<void> verify_ceremony(const JsonObject& transcript) {
  CHECK(check_ceremony_steps(transcript));
  TRY(const std::string agent, crypto::json_string(transcript, "agent"));
  TRY(const std::string text, crypto::json_string(transcript, "signature"));
  TRY(const PublicKey key, crypto::from_multikey(agent));
  TRY(const Bytes signature, crypto::from_base64url(text));
  return crypto::verify(key, ceremony_statement(transcript), signature);
}

Result<JsonObject> CeremonyModule::on_command(Host& host, const Command& command) {
  return sign_ceremony(host, command);
}

}  // namespace kith::node
