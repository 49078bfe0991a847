#include "crypto/sealed_backup_format.hpp"

#include <sodium.h>

#include <algorithm>
#include <string_view>

#include "crypto/assert.hpp"
#include "crypto/declassify.hpp"
#include "crypto/limits.hpp"

namespace kith::crypto {
namespace {

static_assert(container::kStreamHeaderBytes == crypto_secretstream_xchacha20poly1305_HEADERBYTES);
static_assert(container::kRecordOverheadBytes == crypto_secretstream_xchacha20poly1305_ABYTES);
static_assert(std::size_t{4096} << (2 * (kContainerSizeClasses - 1)) == limits::kBackupBytesMax);

constexpr std::size_t kFirstRecordBytes = kContainerCoreBytes + container::kStreamHeaderBytes;
constexpr std::size_t kLastRecordBytes = container::kSignedBytes + container::kRecordOverheadBytes;

std::uint64_t read_u64_be(ByteView bytes) {
  std::uint64_t value = 0;
  for (const std::uint8_t byte : bytes) value = (value << 8U) | byte;
  return value;
}

}  // namespace

Bytes encode(const ContainerCore& core) {
  Bytes out;
  out.reserve(kContainerCoreBytes);
  out.push_back(static_cast<std::uint8_t>(core.format));
  out.push_back(core.size_class);
  append_u64_be(out, core.counter);
  append_u64_be(out, core.created_s);
  append(out, core.core_salt);
  append(out, core.ephemeral.bytes());
  append(out, core.ycheck);
  ASSERT(out.size() == kContainerCoreBytes);
  return out;
}

Result<ContainerCore> parse_container_core(ByteView bytes) {
  if (bytes.size() != kContainerCoreBytes) {
    return fail(Errc::malformed, "the head of a backup has the wrong size");
  }
  ContainerCore core;
  if (bytes[0] < 1 || bytes[0] > 3) return fail(Errc::malformed, "unknown format of a backup");
  core.format = static_cast<ContainerFormat>(bytes[0]);
  core.size_class = bytes[1];
  if (core.size_class >= kContainerSizeClasses) {
    return fail(Errc::malformed, "unknown size class of a backup");
  }
  if (core.format == ContainerFormat::capsule && core.size_class != 0) {
    return fail(Errc::malformed, "a capsule has one size");
  }
  core.counter = read_u64_be(bytes.subspan(2, 8));
  CHECK(container::check_counter(core.format, core.counter));
  core.created_s = read_u64_be(bytes.subspan(10, 8));
  std::ranges::copy(bytes.subspan(18, 32), core.core_salt.begin());
  TRY(core.ephemeral, Point::parse(bytes.subspan(50, 32)));
  std::ranges::copy(bytes.subspan(82, 32), core.ycheck.begin());
  return core;
}

Digest256 core_digest(const ContainerCore& core) {
  return digest("kith/recovery/v1/core", {encode(core)});
}

Digest256 ycheck(ByteView core_salt, const SecretPoint& recovery_key) {
  return digest("kith/recovery/v1/ycheck", {core_salt, recovery_key.expose()});
}

std::size_t container_bytes(std::uint8_t size_class) {
  ASSERT(size_class < kContainerSizeClasses);
  return std::size_t{4096} << (2U * size_class);
}

std::vector<std::size_t> container_record_bytes(std::uint8_t size_class) {
  std::vector<std::size_t> sizes = {kFirstRecordBytes};
  std::size_t left = container_bytes(size_class) - kFirstRecordBytes - kLastRecordBytes;
  while (left > 0) {
    sizes.push_back(std::min(left, limits::kBackupChunkBytes));
    left -= sizes.back();
  }
  sizes.push_back(kLastRecordBytes);
  return sizes;
}

std::size_t container_capacity(std::uint8_t size_class) {
  const std::size_t chunks = container_record_bytes(size_class).size() - 2;
  return container_bytes(size_class) - kFirstRecordBytes - kLastRecordBytes -
         chunks * container::kRecordOverheadBytes - container::kLengthBytes;
}

namespace container {
namespace {

using SodiumStream = crypto_secretstream_xchacha20poly1305_state;
static_assert(alignof(SodiumStream) == 1);  // so that it may live in SecretBytes

SodiumStream* sodium(SecretBytes& state) {
  return reinterpret_cast<SodiumStream*>(state.expose_mutable().data());
}

}  // namespace

Stream::Stream() : state_(sizeof(SodiumStream)) {}

Stream Stream::sealing(const SecretBytes& key) {
  Stream stream;
  const int rc = crypto_secretstream_xchacha20poly1305_init_push(
      sodium(stream.state_), stream.header_.data(), key.expose().data());
  ASSERT(rc == 0);
  return stream;
}

Stream Stream::opening(const SecretBytes& key, ByteView header) {
  ASSERT(header.size() == kStreamHeaderBytes);
  Stream stream;
  std::ranges::copy(header, stream.header_.begin());
  const int rc = crypto_secretstream_xchacha20poly1305_init_pull(
      sodium(stream.state_), stream.header_.data(), key.expose().data());
  ASSERT(rc == 0);
  return stream;
}

Bytes Stream::seal(ByteView plaintext, Mark mark) {
  const unsigned char tag = mark == Mark::last ? crypto_secretstream_xchacha20poly1305_TAG_FINAL
                                               : crypto_secretstream_xchacha20poly1305_TAG_MESSAGE;
  Bytes record(plaintext.size() + kRecordOverheadBytes);
  const int rc = crypto_secretstream_xchacha20poly1305_push(
      sodium(state_), record.data(), nullptr, plaintext.data(), plaintext.size(), nullptr, 0, tag);
  ASSERT(rc == 0);
  return record;
}

Result<Stream::Mark> Stream::open(ByteView record, std::span<std::uint8_t> plaintext) {
  ASSERT(record.size() == plaintext.size() + kRecordOverheadBytes);
  unsigned char tag = 0;
  const int rc = crypto_secretstream_xchacha20poly1305_pull(
      sodium(state_), plaintext.data(), nullptr, &tag, record.data(), record.size(), nullptr, 0);
  if (declassified(rc) != 0) {
    return fail(Errc::cannot_decrypt, "a record of a backup does not open");
  }
  tag = declassified(tag);
  if (tag == crypto_secretstream_xchacha20poly1305_TAG_MESSAGE) return Mark::more;
  if (tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL) return Mark::last;
  return fail(Errc::malformed, "a record of a backup is marked wrongly");
}

Result<void> check_counter(ContainerFormat format, std::uint64_t counter) {
  if ((format == ContainerFormat::capsule) != (counter == 0)) {
    return fail(Errc::malformed, "a capsule has counter 0, and only a capsule");
  }
  return {};
}

std::size_t signer_key_bytes(KeyType type) {
  if (type == KeyType::ed25519) return 32;
  if (type == KeyType::secp256k1) return 33;
  return 0;
}

SecretBytes stream_key(const ContainerCore& core, const SecretPoint& recovery_key,
                       const SecretPoint& opening) {
  SecretBytes salt(2 * Point::kBytes);
  std::ranges::copy(core.ephemeral.bytes(), salt.expose_mutable().begin());
  std::ranges::copy(recovery_key.expose(), salt.expose_mutable().begin() + Point::kBytes);
  return hkdf_sha256(opening.expose(), salt.expose(), encode(core),
                     crypto_secretstream_xchacha20poly1305_KEYBYTES);
}

Bytes signed_message(const ContainerCore& core, const Digest256& rest) {
  Bytes message;
  append_sized(message, as_bytes("kith/recovery/v1/container"));
  append_sized(message, encode(core));
  append_sized(message, rest);
  return message;
}

}  // namespace container
}  // namespace kith::crypto
