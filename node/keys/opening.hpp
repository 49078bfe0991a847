#pragma once

/// Opening a home's keystore, or making one: the part of the key process that still sees files and
/// the terminal.

#include <chrono>
#include <optional>

#include "node/keys/key_host.hpp"

namespace kith::node {

struct OpenedKeys {
  Keystore keystore;
  UnlockedKeys keys;
  bool keep_step_up = false;
};

/// Makes or opens the keystore as `start` says. An opened one whose cost is below what this machine
/// can bear is written again with a higher one. Errors: as start_key_process.
[[nodiscard]] Result<OpenedKeys> open_keys(KeyStart start, Random& random);

/// What one derivation costs on this machine, tried out: the default, and more where that is faster
/// than limits::kArgonTimeWanted.
[[nodiscard]] Result<crypto::PassphraseParameters> affordable_parameters(Random& random);
/// Whether parameters under which one derivation took `taken` should be raised, and to what.
[[nodiscard]] std::optional<crypto::PassphraseParameters> raised_parameters(
    const crypto::PassphraseParameters& stored, std::chrono::milliseconds taken);

}  // namespace kith::node
