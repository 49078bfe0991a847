// Exported wallets: the file as it comes from anywhere, and what a file holds that opens. The first
// byte says which: 0 a file, else the content.

#include "fuzz/target.hpp"
#include "recovery/capsule.hpp"
#include "recovery/portable_file.hpp"

namespace kith::fuzz {
namespace {

Bytes handed_on(ByteView bytes) {
  return must(crypto::from_hex(written(crypto::hex(bytes))), "hexadecimal");
}

Verdict portable_content(ByteView input) {
  const auto content = recovery::parse_content(input);
  if (!content.has_value()) return Verdict::refused;
  hold_bounded(content->wallet.size(), input.size());
  const SecretBytes again =
      must(recovery::encode_content(content->manifest, content->wallet.expose()),
           "what was read can be written");
  const auto read = must(recovery::parse_content(handed_on(again.expose())),
                         "what was written can be read again");
  hold(read.manifest == content->manifest, "the manifest stays the same");
  hold(crypto::equal_constant_time(read.wallet.expose(), content->wallet.expose()),
       "the wallet stays the same");
  return Verdict::accepted;
}

}  // namespace

Verdict portable(ByteView input) {
  if (input.empty()) return Verdict::refused;
  const ByteView file = input.subspan(1);
  if (input[0] != 0) return portable_content(file);
  const auto parts = recovery::split_portable(file);
  if (!parts.has_value()) return Verdict::refused;
  hold(handed_on(recovery::join(*parts)) == crypto::to_bytes(file), "a file has one reading");
  hold(recovery::encode(parts->header) == parts->header_bytes, "a header has one encoding");
  static_cast<void>(recovery::capsule_core(parts->capsule));
  return Verdict::accepted;
}

}  // namespace kith::fuzz
