#pragma once

/// Freezing: the owner's brake, for the moment when something may be wrong. A frozen node goes on
/// hearing, warning and objecting, and does nothing that matters in its owner's name.
///
/// One pure table says what stops (allowed_while_frozen). Commands, messages and timers are looked
/// up where they are dispatched (node/operations.hpp); handlers that do several things ask
/// `stopped` right before the one that matters. What has left already is not called back: a backup
/// half stored, an entry that a ledger is just taking.
///
/// The record meta/freeze belongs to one device: no backup holds it. Survives restarts.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "protocol/host.hpp"

namespace kith::protocol {

enum class Operation : std::uint8_t {
  // Go on while frozen
  look,    ///< Reads, and leaves nothing.
  keep,    ///< Notes of this device alone: names, notices, what is watched.
  talk,    ///< Relationships, mail, texts; asking others.
  serve,   ///< Mail and backups of others.
  object,  ///< Vetoes, refusals, calling off.
  warn,    ///< Freezing, alarms, incidents.
  thaw,    ///< Asks for the passphrase by itself.
  // Stop
  rotate,         ///< New keys, a move to another ledger, taking an identity back.
  change_policy,  ///< Who may act for the owner, and in which relationships.
  add_device,
  use_share,  ///< Answers of a trustee: parts of a key, proofs of holding one, taking a new one.
  open_vault,
  back_up,
  export_data,
  vouch,  ///< Signing for others' ledgers.
};

[[nodiscard]] constexpr bool allowed_while_frozen(Operation operation) {
  return operation <= Operation::thaw;
}

/// Who has pulled the brake, and how far letting go of it is.
struct Freeze {
  bool frozen = false;
  Bytes id;  ///< 16 random bytes, new with each freeze: consent is to this one.
  Time since{};
  std::string reason;               ///< The owner's words.
  std::string by;                   ///< Name of the device that asked; empty: this one.
  std::optional<Time> asked;        ///< The passphrase was given here, and others are asked.
  std::vector<std::string> agreed;  ///< Other devices that agree, by their key in the policy.
  Time thawed{};                    ///< When it ended last.
  template <class V>
  void visit(V& v) {
    v("frozen", frozen), v("id", id), v("since", since), v("reason", reason), v("by", by);
    v("asked", asked), v("agreed", agreed), v("thawed", thawed);
  }
};

inline constexpr std::string_view kFreezeRecord = "freeze";

/// The present or the last one.
[[nodiscard]] inline std::optional<Freeze> find_freeze(Host& host) {
  return load<Freeze>(host, "meta", kFreezeRecord);
}
inline void save_freeze(Host& host, const Freeze& freeze) {
  save(host, "meta", kFreezeRecord, freeze);
}
[[nodiscard]] inline bool is_frozen(Host& host) {
  const auto freeze = find_freeze(host);
  return freeze && freeze->frozen;
}
/// Whether this may not be done now.
[[nodiscard]] inline bool stopped(Host& host, Operation operation) {
  return !allowed_while_frozen(operation) && is_frozen(host);
}
/// What is said then.
[[nodiscard]] inline Error frozen_error() {
  return fail(Errc::refused, "this device is frozen; its owner lets it act again with `kith thaw`");
}

}  // namespace kith::protocol
