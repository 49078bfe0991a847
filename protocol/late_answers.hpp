#pragma once

/// Answers whose connection was closed before they could leave: a WebSocket that broke meanwhile,
/// or a request that got another answer first. They go to the asker's endpoint instead, or wait in
/// the outbox of a contact without one. Large answers do not: they belong to requests that only
/// read, and whoever still wants them asks again.

#include <string_view>

#include "protocol/messenger.hpp"
#include "protocol/module.hpp"

namespace kith::protocol {

inline constexpr std::string_view kLateAnswers = "late-answers";

/// For an answer on `options.channel`, from `own` to `peer`. `may_wait`: it may lie in the outbox.
/// Leaves answers alone that have an owner already or may be lost (`transient`).
void note_other_way(SendOptions& options, const Did& own, const Did& peer, bool may_wait);

class LateAnswers final : public Module {
 public:
  std::string_view name() const override { return kLateAnswers; }
  void on_effect(Host& host, const Effect& effect, const Result<Bytes>& outcome) override;
};

}  // namespace kith::protocol
