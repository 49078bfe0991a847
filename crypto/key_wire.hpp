#pragma once

/// KeyOps' operations as frames: one request, one answer. The process that holds the keys calls
/// serve_key_call for each request; RemoteKeys (remote_keys.hpp) makes the requests.
///
///   request   number of the operation (u8) || parameters in their order
///   answer    00 || result, or 01 || number of the error (u8) || detail
///
/// Both sides are one program, and nothing of this is stored: the form may change with any version.
/// Pure; no I/O.

#include <cstdint>
#include <span>

#include "crypto/key_ops.hpp"
#include "crypto/wire_buffer.hpp"

namespace kith::crypto {

/// Numbers from kKeyCallsEnd on are free for what the two processes have to say besides.
enum class KeyCall : std::uint8_t {
  generate = 1,
  generate_secret,
  sign,
  sign_hash,
  activate_next,
  wrap_cek,
  unwrap_cek,
  forget_agreements,
  seal_to,
  open_box,
  create_vault,
  seal_to_vault,
  unlock_vault,
  lock_vault,
  open_vault_item,
  seal_capsule,
  open_capsule,
  deal,
  seal_share_to,
  accept_share,
  partial,
  prove_share,
  hand_over_vault,
  take_over_vault,
};
inline constexpr std::uint8_t kKeyCallsEnd = 100;

/// Answers one request. Whatever the bytes are, there is an answer: malformed for those that are no
/// request. `answer` is cleared first; the caller clears both when it is done with them.
void serve_key_call(KeyOps& keys, ByteView request, WireBuffer& answer);

/// An answer that is an error, and the answer that is read: Result<void>, and the reader behind its
/// first byte. Errors: the one that was put; malformed.
void put_key_error(WireBuffer& answer, const Error& error);
[[nodiscard]] Result<void> take_key_status(WireReader& answer);

}  // namespace kith::crypto
