#include "node/keys/key_start.hpp"

#include "crypto/key_wire.hpp"

namespace kith::node {

void put_start(crypto::WireBuffer& out, const KeyStart& start) {
  out.sized(crypto::as_bytes(start.home));
  out.u8(static_cast<std::uint8_t>(start.from));
  out.sized(crypto::as_bytes(start.passphrase_file));
  out.sized(start.passphrase.expose());
  for (const bool flag :
       {start.keep_step_up, start.make, start.test, start.change, start.no_token}) {
    out.u8(flag ? 1 : 0);
  }
  out.sized(crypto::as_bytes(start.new_passphrase_file));
  out.sized(crypto::as_bytes(start.token_uri));
}

Result<KeyStart> take_start(ByteView frame) {
  crypto::WireReader in(frame);
  KeyStart start;
  TRY(const ByteView home, in.sized());
  start.home = crypto::as_text(home);
  TRY(const std::uint8_t from, in.u8());
  if (from > static_cast<std::uint8_t>(PassphraseFrom::here)) return fail(Errc::malformed);
  start.from = PassphraseFrom{from};
  TRY(const ByteView file, in.sized());
  start.passphrase_file = crypto::as_text(file);
  TRY(const ByteView passphrase, in.sized());
  start.passphrase = SecretBytes::copy_of(passphrase);
  for (bool* flag :
       {&start.keep_step_up, &start.make, &start.test, &start.change, &start.no_token}) {
    TRY(const std::uint8_t value, in.u8());
    *flag = value != 0;
  }
  TRY(const ByteView new_file, in.sized());
  start.new_passphrase_file = crypto::as_text(new_file);
  TRY(const ByteView token_uri, in.sized());
  start.token_uri = crypto::as_text(token_uri);
  if (!in.done()) return fail(Errc::malformed);
  return start;
}

void put_ready(crypto::WireBuffer& out, const KeysReady& ready) {
  out.u8(0);
  out.u8(ready.has_passphrase ? 1 : 0);
  out.u64(ready.standing ? static_cast<std::uint64_t>(*ready.standing) : 0);
  out.raw(ready.record_keys.expose());
}

Result<KeysReady> take_ready(ByteView frame) {
  crypto::WireReader in(frame);
  CHECK(crypto::take_key_status(in));
  KeysReady ready;
  TRY(const std::uint8_t has_passphrase, in.u8());
  ready.has_passphrase = has_passphrase != 0;
  TRY(const std::uint64_t standing, in.u64());
  if (standing != 0) ready.standing = StepUp{standing};
  TRY(const ByteView keys, in.raw(crypto::RecordKeys::kBytes));
  ready.record_keys = SecretBytes::copy_of(keys);
  if (!in.done()) return fail(Errc::malformed);
  return ready;
}

}  // namespace kith::node
