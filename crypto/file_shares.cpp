#include "crypto/file_shares.hpp"

#include <algorithm>
#include <string>

#include "crypto/ec_ed25519.hpp"
#include "crypto/gf256.hpp"
#include "crypto/hash.hpp"
#include "crypto/json.hpp"
#include "crypto/json_writer.hpp"
#include "crypto/key.hpp"

namespace kith::crypto {
namespace {

using namespace share_limits;

constexpr std::string_view kSignatureLabel = "kith/file-share/v1";
constexpr std::string_view kContentLabel = "kith/file-share/v1/content";
constexpr const char* kVersionMember = "kith_share";
constexpr std::int64_t kFormatVersion = 1;
constexpr std::size_t kContentDigestBytes = sizeof(Digest256);

struct FileShare {
  std::string set;  ///< Multikey of the key that signed it.
  PublicKey key;
  std::uint8_t threshold = 0;
  ByteShare share;
  Bytes signature;
};

/// What is signed: everything but the signature.
Digest256 statement(std::string_view set, std::uint8_t threshold, const ByteShare& share) {
  const std::uint8_t place[] = {threshold, share.x};
  return digest(kSignatureLabel, {as_bytes(set), place, share.y.expose()});
}

SecretBytes write_line(const FileShare& share) {
  std::string line;
  line.reserve(base64url_size(share.share.y.size()) + 512);
  JsonWriter writer(line);
  writer.begin_object();
  writer.name(kVersionMember), writer.integer(kFormatVersion);
  writer.name("set"), writer.text(share.set);
  writer.name("threshold"), writer.integer(share.threshold);
  writer.name("share"), writer.integer(share.share.x);
  writer.name("value"), writer.base64url(share.share.y.expose());
  writer.name("signature"), writer.base64url(share.signature);
  writer.end_object();
  SecretBytes secret = SecretBytes::copy_of(as_bytes(line));
  wipe(line);
  return secret;
}

/// Errors: malformed.
Result<std::uint8_t> read_place(ValueView object, const char* member) {
  TRY(const std::int64_t number, json_int(object, member));
  if (number < 1 || number > static_cast<std::int64_t>(kFileSharesMax)) {
    return fail(Errc::malformed, std::string(member) + " must be 1 to 255");
  }
  return static_cast<std::uint8_t>(number);
}

Result<FileShare> read_line(ByteView line) {
  if (line.size() > kFileShareLineBytesMax) return fail(Errc::limit_exceeded, "it is too long");
  TRY(const FlatValue value, read_json(as_text(line)));
  TRY(const ValueView object, as_object(value.root(), "a share"));
  TRY(const std::int64_t version, json_int(object, kVersionMember));
  if (version != kFormatVersion) return fail(Errc::unsupported, "a later Kith made it");
  FileShare share;
  TRY(share.set, json_string(object, "set"));
  TRY(share.key, from_multikey(share.set));
  if (share.key.type != KeyType::ed25519)
    return fail(Errc::malformed, "set must be an Ed25519 key");
  TRY(share.threshold, read_place(object, "threshold"));
  TRY(share.share.x, read_place(object, "share"));
  TRY(const std::string_view text, json_string(object, "value"));
  auto bytes = from_base64url(text);
  if (bytes.has_error()) return bytes.error();
  if (bytes->size() <= kContentDigestBytes) return fail(Errc::malformed, "its value is too short");
  share.share.y = SecretBytes::take(*bytes);
  TRY(const std::string_view signature, json_string(object, "signature"));
  TRY(share.signature, from_base64url(signature));
  return share;
}

bool is_signed(const FileShare& share) {
  return ed25519_verify(share.key.bytes, statement(share.set, share.threshold, share.share),
                        share.signature)
      .has_value();
}

std::string line_name(std::size_t number) {
  return "share " + std::to_string(number);
}

/// The shares of the one set that there is, those that were altered left out.
Result<std::vector<FileShare>> read_set(std::span<const SecretBytes> lines,
                                        std::vector<std::size_t>& altered) {
  std::vector<FileShare> shares;
  for (std::size_t number = 1; number <= lines.size(); ++number) {
    auto share = read_line(lines[number - 1].expose());
    if (share.has_error()) {
      return fail(share.error().code, line_name(number) + ": " + share.error().detail);
    }
    if (!is_signed(*share)) {
      altered.push_back(number);
      continue;
    }
    if (!shares.empty() && share->set != shares.front().set) {
      return fail(Errc::malformed, line_name(number) + " is of another set than those before it");
    }
    const bool twice = std::ranges::any_of(
        shares, [&](const FileShare& other) { return other.share.x == share->share.x; });
    if (!twice) shares.push_back(std::move(*share));
  }
  return shares;
}

Error too_few(const std::vector<FileShare>& shares, const std::vector<std::size_t>& altered) {
  if (!altered.empty())
    return fail(Errc::bad_signature, line_name(altered.front()) + " was altered");
  if (shares.empty()) return fail(Errc::not_enough, "no share was given");
  return fail(Errc::not_enough, std::to_string(shares.front().threshold) +
                                    " shares are needed, and " + std::to_string(shares.size()) +
                                    " given");
}

SecretBytes with_digest(const SecretBytes& content) {
  SecretBytes secret(kContentDigestBytes + content.size());
  Digest256 check = digest(kContentLabel, {content.expose()});
  std::ranges::copy(check, secret.expose_mutable().begin());
  std::ranges::copy(content.expose(), secret.expose_mutable().subspan(kContentDigestBytes).begin());
  wipe(check);
  return secret;
}

}  // namespace

Result<std::vector<SecretBytes>> split_file(const SecretBytes& content, std::size_t threshold,
                                            std::size_t count, Random& random) {
  if (content.empty()) return fail(Errc::malformed, "there is nothing to share out");
  if (content.size() > kFileBytesMax) {
    return fail(Errc::limit_exceeded, "at most 64 KiB can be shared out");
  }
  if (threshold < 2 || threshold > count || count > kFileSharesMax) {
    return fail(Errc::malformed, "of at most 255 shares at least two, and at most all, are needed");
  }
  const SecretBytes secret = with_digest(content);
  const RawKeyPair pair = ed25519_generate(random);
  std::vector<ByteShare> known;
  known.push_back({0, secret.clone()});
  for (std::size_t x = 1; x < threshold; ++x) {
    known.push_back({static_cast<std::uint8_t>(x), random.secret(secret.size())});
  }
  std::vector<SecretBytes> lines;
  for (std::size_t x = 1; x <= count; ++x) {
    FileShare share;
    share.set = multikey(pair.public_key);
    share.threshold = static_cast<std::uint8_t>(threshold);
    share.share.x = static_cast<std::uint8_t>(x);
    TRY(share.share.y, gf256_interpolate(known, share.share.x));
    share.signature =
        ed25519_sign(pair.private_key.expose(), statement(share.set, share.threshold, share.share));
    lines.push_back(write_line(share));
  }
  return lines;
}

Result<CombinedFile> combine_file(std::span<const SecretBytes> lines) {
  if (lines.size() > 2 * kFileSharesMax) return fail(Errc::limit_exceeded, "no set has so many");
  CombinedFile combined;
  TRY(const auto shares, read_set(lines, combined.altered));
  if (shares.empty() || shares.size() < shares.front().threshold) {
    return too_few(shares, combined.altered);
  }
  std::vector<ByteShare> enough;
  for (const FileShare& share : shares) {
    if (enough.size() == shares.front().threshold) break;
    enough.push_back({share.share.x, share.share.y.clone()});
  }
  TRY(const SecretBytes secret, gf256_interpolate(enough, 0));
  combined.content = SecretBytes::copy_of(secret.expose().subspan(kContentDigestBytes));
  Digest256 check = digest(kContentLabel, {combined.content.expose()});
  const bool fits = equal_constant_time(check, secret.expose().first(kContentDigestBytes));
  wipe(check);
  if (!fits) return fail(Errc::malformed, "whoever made these shares made them wrong");
  return combined;
}

}  // namespace kith::crypto
