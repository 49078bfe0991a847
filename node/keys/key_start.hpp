#pragma once

/// What the two processes say to each other besides KeyOps' operations (crypto/key_wire.hpp). For
/// the sources of node/keys alone.
///
///   at the start, on the second socket   KeyStart; then KeysReady or an error
///   later, on the second socket          a passphrase; then the number of a step-up, or an error
///   later, on the first socket           operations, and KeyAside

#include "crypto/record_keys.hpp"
#include "crypto/wire_buffer.hpp"
#include "node/keys/key_host.hpp"

namespace kith::node {

inline constexpr int kOperationsFd = 3;
inline constexpr int kPassphraseFd = 4;

/// Requests beside the operations; each has a number (u64) and an empty answer.
enum class KeyAside : std::uint8_t {
  drop_step_up = 100,
  keep_agreements = 101,
};

struct KeysReady {
  bool has_passphrase = false;
  std::optional<StepUp> standing;
  SecretBytes record_keys;
};

void put_start(crypto::WireBuffer& out, const KeyStart& start);
[[nodiscard]] Result<KeyStart> take_start(ByteView frame);
void put_ready(crypto::WireBuffer& out, const KeysReady& ready);
/// Errors: the one that was put instead; malformed.
[[nodiscard]] Result<KeysReady> take_ready(ByteView frame);

}  // namespace kith::node
