#pragma once

/// Ceremonies: critical steps done in order before witnesses, with a transcript that anybody can
/// check later without this wallet. A transcript holds what was said and done, and of results only
/// digests: it can be handed out.
///
///   {"format":"kith-ceremony/1","name","script","witnesses":[],"began","ended","outcome",
///    "steps":[{"n","kind":"say|command","text","at","result"?,"error"?,"chain"}],
///    "agent","signature"}
///
/// `script` and `result` are SHA-256 in hex: of the script's file, of the reply as canonical JSON.
/// Each `chain` is the SHA-256 of the one before (of nothing at first) and the step's canonical
/// JSON without it. `outcome` is "done", or "failed" with an `error` in the last step. The
/// signature is of the device's key in the policy, in base64url, over "kith-ceremony-v1\n" and the
/// canonical JSON of all but itself.
///
/// Module "ceremony":
///   ceremony-sign! {transcript} -> {transcript}: with `agent` and `signature`; the audit log gets
///                  ceremony.signed {digest, steps, outcome}. Errors: malformed, limit_exceeded,
///                  wrong_state (no identity), step_up_required

#include <string>
#include <string_view>
#include <vector>

#include "protocol/module.hpp"

namespace kith::node {

using crypto::Json;
using crypto::JsonArray;
using crypto::JsonObject;

/// Commands that a script may give: they show, or do what a ceremony is for, and neither arguments
/// nor errors hold a secret.
[[nodiscard]] bool ceremony_may(std::string_view command);

/// Puts the next step on the transcript, with its chain.
void add_ceremony_step(JsonObject& transcript, JsonObject step);
/// Form, limits, numbers and chain. Errors: malformed, limit_exceeded.
[[nodiscard]] Result<void> check_ceremony_steps(const JsonObject& transcript);
/// All of that, and the signature. Errors: those, bad_key, bad_signature.
[[nodiscard]] Result<void> verify_ceremony(const JsonObject& transcript);
/// Of a reply.
[[nodiscard]] std::string ceremony_digest(const JsonObject& reply);

class CeremonyModule final : public Module {
 public:
  std::string_view name() const override { return "ceremony"; }
  std::vector<std::string> commands() const override { return {"ceremony-sign"}; }
  Result<JsonObject> on_command(Host& host, const Command& command) override;
};

}  // namespace kith::node
