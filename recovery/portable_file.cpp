#include "recovery/portable_file.hpp"

#include <algorithm>

#include "crypto/assert.hpp"
#include "crypto/hash.hpp"
#include "recovery/portable_limits.hpp"

namespace kith::recovery {
namespace {

constexpr std::string_view kMagic = "kith-portable-v1";
constexpr std::string_view kMagicOfAny = "kith-portable-v";
constexpr std::uint8_t kFlagMoved = 1;
constexpr std::uint8_t kCapsuleClass = 0;
constexpr std::uint8_t kLargestClass = crypto::kContainerSizeClasses - 1;
constexpr std::size_t kSaltAt = 30;
constexpr std::size_t kZerosAt = 46;
constexpr std::int64_t kContentFormat = 1;

std::uint64_t big_endian(ByteView bytes) {
  std::uint64_t value = 0;
  for (const std::uint8_t byte : bytes) value = value << 8 | byte;
  return value;
}

Error not_whole() {
  return fail(Errc::malformed, "this exported wallet is cut off, or something was added to it");
}

}  // namespace

Bytes encode(const PortableHeader& header) {
  Bytes out = crypto::to_bytes(kMagic);
  const bool has_cost = header.lock == PortableLock::passphrase;
  out.push_back(static_cast<std::uint8_t>(header.lock));
  out.push_back(header.moved ? kFlagMoved : std::uint8_t{0});
  crypto::append_u32_be(out, has_cost ? header.cost.ops : 0);
  crypto::append_u64_be(out, has_cost ? header.cost.memory_bytes : 0);
  crypto::append(out, header.cost.salt);
  out.resize(kPortableHeaderBytes);
  return out;
}

Result<PortableHeader> parse_portable_header(ByteView file) {
  const std::string_view text = crypto::as_text(file.first(std::min(file.size(), kMagic.size())));
  if (!text.starts_with(kMagicOfAny)) {
    return fail(Errc::malformed, "this file is no exported wallet");
  }
  if (file.size() < kPortableHeaderBytes) return not_whole();
  if (text != kMagic) {
    return fail(Errc::home_newer, "this exported wallet has a format that this Kith does not know");
  }
  PortableHeader header;
  const std::uint8_t lock = file[16];
  if (lock != 1 && lock != 2) return fail(Errc::malformed, "an exported wallet with another lock");
  header.lock = static_cast<PortableLock>(lock);
  header.moved = file[17] == kFlagMoved;
  header.cost.ops = static_cast<std::uint32_t>(big_endian(file.subspan(18, 4)));
  header.cost.memory_bytes = big_endian(file.subspan(22, 8));
  std::ranges::copy(file.subspan(kSaltAt, header.cost.salt.size()), header.cost.salt.begin());
  const ByteView zeros = file.subspan(kZerosAt, kPortableHeaderBytes - kZerosAt);
  const bool has_cost = header.cost.ops != 0 || header.cost.memory_bytes != 0;
  if (file[17] > kFlagMoved || std::ranges::any_of(zeros, [](auto byte) { return byte != 0; }) ||
      (header.lock == PortableLock::key_file && has_cost)) {
    return fail(Errc::malformed, "the beginning of this exported wallet was altered");
  }
  if (header.lock == PortableLock::passphrase) {
    CHECK(crypto::check_passphrase_parameters(header.cost));
  }
  return header;
}

SetId portable_set_id(ByteView header) {
  const auto hash = crypto::digest("kith/portable/v1/header", {header});
  SetId id{};
  std::copy_n(hash.begin(), id.size(), id.begin());
  return id;
}

std::size_t portable_bytes_max() {
  return kPortableHeaderBytes + crypto::container_bytes(kCapsuleClass) +
         crypto::container_bytes(kLargestClass);
}

Result<PortableParts> split_portable(ByteView file) {
  PortableParts parts;
  TRY(parts.header, parse_portable_header(file));
  parts.header_bytes = crypto::to_bytes(file.first(kPortableHeaderBytes));
  ByteView rest = file.subspan(kPortableHeaderBytes);
  const std::size_t capsule_bytes = crypto::container_bytes(kCapsuleClass);
  if (rest.size() < capsule_bytes + crypto::kContainerCoreBytes) return not_whole();
  parts.capsule = crypto::to_bytes(rest.first(capsule_bytes));
  rest = rest.subspan(capsule_bytes);
  TRY(const crypto::ContainerCore core,
      crypto::parse_container_core(rest.first(crypto::kContainerCoreBytes)));
  if (core.format != crypto::ContainerFormat::backup) {
    return fail(Errc::malformed, "this exported wallet holds something else");
  }
  if (rest.size() != crypto::container_bytes(core.size_class)) return not_whole();
  for (const std::size_t size : crypto::container_record_bytes(core.size_class)) {
    parts.backup.push_back(crypto::to_bytes(rest.first(size)));
    rest = rest.subspan(size);
  }
  return parts;
}

Bytes join(const PortableParts& parts) {
  Bytes file = parts.header_bytes;
  crypto::append(file, parts.capsule);
  for (const Bytes& record : parts.backup) crypto::append(file, record);
  return file;
}

Result<SecretBytes> encode_content(const JsonObject& manifest, ByteView wallet) {
  const std::string text = crypto::canonical_json(manifest);
  if (text.size() > portable_limits::kManifestBytesMax) {
    return fail(Errc::limit_exceeded, "the list of what is in this wallet is too long");
  }
  Bytes out;
  crypto::append_u32_be(out, static_cast<std::uint32_t>(text.size()));
  crypto::append(out, crypto::as_bytes(text));
  crypto::append(out, wallet);
  return SecretBytes::take(out);
}

Result<PortableContent> parse_content(ByteView content) {
  const auto refused = [] {
    return fail(Errc::malformed, "what this exported wallet holds cannot be read");
  };
  if (content.size() < 4) return refused();
  const std::size_t size = big_endian(content.first(4));
  if (size > portable_limits::kManifestBytesMax || size > content.size() - 4) return refused();
  crypto::JsonLimits limits;
  limits.floats_allowed = limits.nulls_allowed = false;
  TRY(const Json json, crypto::parse_json(crypto::as_text(content.subspan(4, size)), limits));
  TRY(const JsonObject* object, crypto::as_object(json, "manifest"));
  TRY(const std::int64_t format, crypto::json_int(*object, "format"));
  if (format > kContentFormat) {
    return fail(Errc::home_newer, "this wallet was exported by a newer Kith");
  }
  if (format != kContentFormat) return refused();
  return PortableContent{*object, SecretBytes::copy_of(content.subspan(4 + size))};
}

std::string capsule_mark(ByteView capsule) {
  return crypto::hex(crypto::sha256(capsule));
}

Result<OpenedPortable> open_portable(const PortableParts& parts, const crypto::PortableKey& key) {
  ASSERT(!parts.backup.empty());
  TRY(const crypto::ContainerCore core,
      crypto::parse_container_core(
          ByteView(parts.backup.front()).first(crypto::kContainerCoreBytes)));
  const SecretPoint point = key.point();
  if (!crypto::equal_constant_time(crypto::ycheck(core.core_salt, point), core.ycheck)) {
    return fail(Errc::wrong_passphrase, "of the exported wallet");
  }
  auto opened = crypto::open_container(parts.backup, point, key.opening(core.ephemeral));
  if (!opened.has_value()) {
    return fail(opened.error().code, "this exported wallet was altered or damaged");
  }
  TRY(PortableContent content, parse_content(opened->content.expose()));
  TRY(const std::string mark, crypto::json_string(content.manifest, "capsule"));
  if (mark != capsule_mark(parts.capsule)) {
    return fail(Errc::cannot_decrypt, "this exported wallet was altered or damaged");
  }
  return OpenedPortable{std::move(content), opened->core, opened->signer};
}

std::string key_file_text(ByteView key) {
  return crypto::hex(key) + "\n";
}

Result<SecretBytes> parse_key_file(std::string_view text) {
  while (text.ends_with('\n') || text.ends_with('\r') || text.ends_with(' ')) text.remove_suffix(1);
  auto bytes = crypto::from_hex(text);
  if (!bytes.has_value() || bytes->size() != crypto::PortableKey::kStretchedBytes) {
    return fail(Errc::malformed, "a key file holds 64 hexadecimal digits and nothing else");
  }
  return SecretBytes::take(*bytes);
}

}  // namespace kith::recovery
