#pragma once

/// The receiver's side of rewrapping (routing 2.0, "Rewrapping"): a mediator may hand mail over in
/// a forward to the receiver itself. What is inside is then opened as if it had come alone.

#include <string_view>

#include "protocol/forward.hpp"
#include "protocol/module.hpp"

namespace kith::protocol {

/// If `next` is a DID of ours: hands all envelopes in, and is true. What was decided about
/// `inbound`, which brought the forward, counts for them too.
bool take_rewrapped(Host& host, const Inbound& inbound, const Forward& forward);

/// For agents that relay nothing: takes what was rewrapped for them and refuses all other forwards.
/// (A mediator's module does both.)
class Rewrapped final : public Module {
 public:
  std::string_view name() const override { return "rewrapped"; }
  std::vector<std::string> message_types() const override { return {std::string(kForwardType)}; }
  /// Errors: malformed, limit_exceeded, unsupported, unknown_peer (not for us).
  Result<void> on_message(Host& host, const Inbound& inbound) override;
};

}  // namespace kith::protocol
