#pragma once

/// Module "freeze": stopping this device, and letting it go on (protocol/freeze.hpp).
///
/// Anybody who holds one of the owner's devices may stop any of them; letting go needs the
/// passphrase of the stopped device, given on it, and as many administrators as the policy asks for
/// a change (rule `admin`): this device and others that agree, each with its own passphrase. No
/// message alone lets a device go. Agreement is to one freeze, and counts for a day.
///
/// A stolen device could stop the others again and again, so that it cannot be removed: for an hour
/// after a thaw, freezes by other devices are noted and not obeyed.
///
///   freeze {id, reason}   any own device ---> the one to stop
///   frozen {id}           <--- it has stopped
///   thaw-ask {id}         stopped device ---> all others, when the policy asks for several
///   thaw-agree {id}       <---
///
/// Commands (`!` needs the passphrase):
///   freeze {reason?, device?} -> {frozen, since, reason?, by?} or, with `device`, {asked}.
///       A freeze that stands stays as it is. Errors: not_found, wrong_state (no way to that
///       device), limit_exceeded, malformed.
///   freeze-status {} -> {frozen, since?, reason?, by?, thawing?: {needed, agreed}}
///   thaw! {} -> the same. Errors: wrong_state (not frozen), step_up_required.
///   thaw-agree! {device} -> {device}: another device may let go. Errors: not_found, those of thaw.

#include <string>
#include <vector>

#include "protocol/freeze.hpp"
#include "protocol/module.hpp"

namespace kith::node {

inline constexpr std::string_view kFreezeMessage = "freeze";
inline constexpr std::string_view kFrozenMessage = "frozen";
inline constexpr std::string_view kThawAskMessage = "thaw-ask";
inline constexpr std::string_view kThawAgreeMessage = "thaw-agree";

/// How long an agreement, and the passphrase that it belongs to, count; in test mode.
inline constexpr std::chrono::hours kThawLife{24};
inline constexpr std::chrono::minutes kThawLifeTest{10};
/// How long after a thaw other devices cannot freeze this one; in test mode.
inline constexpr std::chrono::hours kNoFreezeAfterThaw{1};
inline constexpr std::chrono::minutes kNoFreezeAfterThawTest{5};

/// Body of all four messages.
struct FreezeBody {
  Bytes id;            ///< 16 bytes; of the freeze, or random where it has none yet.
  std::string reason;  ///< freeze: the owner's words.
  template <class V>
  void visit(V& v) {
    v("id", id), v("reason", reason);
  }
};

class Freezer final : public Module {
 public:
  std::string_view name() const override { return "freeze"; }
  std::vector<std::string> message_types() const override;
  std::vector<std::string> commands() const override {
    return {"freeze", "freeze-status", "thaw", "thaw-agree"};
  }
  bool only_reads(std::string_view what) const override { return what == "freeze-status"; }
  Result<void> on_message(Host& host, const Inbound& inbound) override;
  Result<JsonObject> on_command(Host& host, const Command& command) override;
};

}  // namespace kith::node
