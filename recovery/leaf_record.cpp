#include "recovery/leaf_record.hpp"

#include <algorithm>

#include "crypto/hash.hpp"
#include "crypto/limits.hpp"

namespace kith::recovery {
namespace {

constexpr std::uint8_t kLeafFormat = 1;
constexpr std::uint8_t kOverrideAllowed = 1;
constexpr std::uint8_t kClassicAllowed = 2;
constexpr std::size_t kSignatureBytes = 64;
constexpr std::size_t kKeyBytes = 32;
/// Length (u16) and room.
constexpr std::size_t kTextFieldBytes = 2 + kChallengeTextBytesMax;
constexpr std::size_t kLocationFieldBytes = 2 + kLocationBytesMax + 32;
/// Everything but box and signature; what is left of the record is zeros, signed too.
constexpr std::size_t kSignedBytes = limits::kLeafRecordBytes - kShareBoxBytes - kSignatureBytes;
static_assert(1 + 16 + 8 + kXPathBytes + 32 + 32 + limits::kVouchBytes + 1 + 2 + 2 + 1 +
                  2 * kTextFieldBytes + kLocationsMax * kLocationFieldBytes + kKeyBytes <=
              kSignedBytes);

class Writer {
 public:
  explicit Writer(std::size_t reserve) { bytes_.reserve(reserve); }
  void u8(std::uint8_t value) { bytes_.push_back(value); }
  void u16(std::size_t value) {
    u8(static_cast<std::uint8_t>(value >> 8));
    u8(static_cast<std::uint8_t>(value & 0xff));
  }
  void raw(ByteView bytes) { crypto::append(bytes_, bytes); }
  void text(std::string_view text, std::size_t room) {
    u16(text.size());
    raw(crypto::as_bytes(text));
    bytes_.resize(bytes_.size() + room - text.size(), 0);
  }
  Bytes padded(std::size_t size) {
    bytes_.resize(size, 0);
    return std::move(bytes_);
  }

 private:
  Bytes bytes_;
};

/// Reads at fixed places out of bytes whose size was checked once.
class Reader {
 public:
  explicit Reader(ByteView bytes) : rest_(bytes) {}
  ByteView raw(std::size_t size) {
    const ByteView taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }
  std::uint8_t u8() { return raw(1)[0]; }
  std::uint16_t u16() {
    const ByteView two = raw(2);
    return static_cast<std::uint16_t>(two[0] << 8 | two[1]);
  }
  std::uint64_t u64() {
    std::uint64_t value = 0;
    for (const std::uint8_t byte : raw(8)) value = value << 8 | byte;
    return value;
  }
  template <std::size_t N>
  void array(std::array<std::uint8_t, N>& to) {
    const ByteView from = raw(N);
    std::copy(from.begin(), from.end(), to.begin());
  }
  Result<std::string> text(std::size_t room, const char* what) {
    const std::size_t size = u16();
    const ByteView field = raw(room);
    if (size > room || !zeros(field.subspan(std::min(size, room)))) {
      return fail(Errc::malformed, std::string(what) + ": length or padding");
    }
    return std::string(crypto::as_text(field.first(size)));
  }
  bool rest_is_zero() const { return zeros(rest_); }

 private:
  static bool zeros(ByteView bytes) {
    return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
  }
  ByteView rest_;
};

bool plain_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

/// For people, so only well-formed UTF-8 and no control characters.
bool readable(std::string_view text) {
  std::size_t follow = 0;
  std::uint32_t code = 0;
  std::uint32_t least = 0;
  for (const char c : text) {
    const auto byte = static_cast<std::uint8_t>(c);
    if (follow > 0) {
      if ((byte & 0xc0) != 0x80) return false;
      code = code << 6 | (byte & 0x3fU);
      if (--follow == 0 && (code < least || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ||
                            (code >= 0x80 && code < 0xa0))) {
        return false;
      }
    } else if (byte < 0x80) {
      if (byte < 0x20 || byte == 0x7f) return false;
    } else if ((byte & 0xe0) == 0xc0) {
      follow = 1, code = byte & 0x1fU, least = 0x80;
    } else if ((byte & 0xf0) == 0xe0) {
      follow = 2, code = byte & 0x0fU, least = 0x800;
    } else if ((byte & 0xf8) == 0xf0) {
      follow = 3, code = byte & 0x07U, least = 0x10000;
    } else {
      return false;
    }
  }
  return follow == 0;
}

/// The signed part, kSignedBytes; the record has passed check_leaf_fields.
Bytes signed_part(const LeafRecord& record) {
  Writer out(kSignedBytes);
  out.u8(kLeafFormat);
  out.raw(record.record_id);
  out.raw(u64_bytes(record.version));
  out.raw(encode_x_path(record.x_path));
  out.raw(record.share_point.bytes());
  out.raw(record.r);
  out.raw(record.vouch);
  out.u8(static_cast<std::uint8_t>(record.terms.waiting));
  out.u16(record.terms.override_days);
  out.u16(record.terms.contest_days);
  out.u8(static_cast<std::uint8_t>((record.terms.override_allowed ? kOverrideAllowed : 0) |
                                   (record.terms.classic_allowed ? kClassicAllowed : 0)));
  out.text(record.question, kChallengeTextBytesMax);
  out.text(record.hint, kChallengeTextBytesMax);
  for (std::size_t i = 0; i < kLocationsMax; ++i) {
    const Location location = i < record.locations.size() ? record.locations[i] : Location{};
    out.text(location.address, kLocationBytesMax);
    out.raw(location.token);
  }
  out.raw(record.retire_key.bytes);
  return out.padded(kSignedBytes);
}

Result<void> read_locations(Reader& in, LeafRecord& record) {
  bool ended = false;
  for (std::size_t i = 0; i < kLocationsMax; ++i) {
    Location location;
    TRY(location.address, in.text(kLocationBytesMax, "location"));
    in.array(location.token);
    if (location.address.empty()) {
      if (location.token != Token{}) return fail(Errc::malformed, "location: token without one");
      ended = true;
    } else if (ended) {
      return fail(Errc::malformed, "location: after an empty one");
    } else {
      record.locations.push_back(std::move(location));
    }
  }
  return {};
}

}  // namespace

Result<void> check_leaf_fields(const LeafRecord& record) {
  CHECK(check_leaf_path(record.x_path));
  if (record.version == 0 || record.version > kVersionMax) {
    return fail(Errc::malformed, "leaf record: version");
  }
  if (record.vouch.size() != limits::kVouchBytes) {
    return fail(Errc::malformed, "leaf record: vouch size");
  }
  if (!is_valid(record.terms.waiting)) return fail(Errc::malformed, "leaf record: waiting class");
  for (const std::string* text : {&record.question, &record.hint}) {
    if (text->size() > kChallengeTextBytesMax) {
      return fail(Errc::limit_exceeded, "leaf record: question or hint over 256 bytes");
    }
    if (!readable(*text)) return fail(Errc::malformed, "leaf record: question or hint");
  }
  if (record.locations.size() > kLocationsMax) {
    return fail(Errc::limit_exceeded, "leaf record: more than four locations");
  }
  for (const Location& location : record.locations) {
    if (location.address.size() > kLocationBytesMax) {
      return fail(Errc::limit_exceeded, "leaf record: a location is longer than 510 bytes");
    }
    if (location.address.empty() || !plain_ascii(location.address)) {
      return fail(Errc::malformed, "leaf record: location");
    }
  }
  if (record.retire_key.type != KeyType::ed25519) {
    return fail(Errc::malformed, "leaf record: retire key");
  }
  return crypto::check_public_key(record.retire_key);
}

Digest share_box_ad(const LeafRecord& record) {
  return crypto::digest(label("share-box"), {signed_part(record)});
}

Bytes leaf_record_statement(const LeafRecord& record) {
  return labelled("leaf-record", {signed_part(record)});
}

Result<Bytes> encode_leaf_record(const LeafRecord& record) {
  CHECK(check_leaf_fields(record));
  if (record.share_box.size() != kShareBoxBytes || record.signature.size() != kSignatureBytes) {
    return fail(Errc::malformed, "leaf record: share box or signature");
  }
  Bytes wire = signed_part(record);
  crypto::append(wire, record.share_box);
  crypto::append(wire, record.signature);
  return wire;
}

Result<LeafRecord> parse_leaf_record(ByteView wire) {
  if (wire.size() != limits::kLeafRecordBytes) {
    return fail(Errc::malformed, "leaf record: wrong size");
  }
  Reader in(wire.first(kSignedBytes));
  LeafRecord record;
  if (in.u8() != kLeafFormat) return fail(Errc::unsupported, "leaf record: another format");
  in.array(record.record_id);
  record.version = in.u64();
  TRY(record.x_path, parse_x_path(in.raw(kXPathBytes)));
  TRY(record.share_point, Point::parse(in.raw(Point::kBytes)));
  in.array(record.r);
  record.vouch = crypto::to_bytes(in.raw(limits::kVouchBytes));
  record.terms.waiting = static_cast<WaitingClass>(in.u8());
  record.terms.override_days = in.u16();
  record.terms.contest_days = in.u16();
  const std::uint8_t flags = in.u8();
  if ((flags & ~(kOverrideAllowed | kClassicAllowed)) != 0) {
    return fail(Errc::malformed, "leaf record: flags");
  }
  record.terms.override_allowed = (flags & kOverrideAllowed) != 0;
  record.terms.classic_allowed = (flags & kClassicAllowed) != 0;
  TRY(record.question, in.text(kChallengeTextBytesMax, "question"));
  TRY(record.hint, in.text(kChallengeTextBytesMax, "hint"));
  CHECK(read_locations(in, record));
  record.retire_key = {KeyType::ed25519, crypto::to_bytes(in.raw(kKeyBytes))};
  if (!in.rest_is_zero()) return fail(Errc::malformed, "leaf record: padding");
  record.share_box = crypto::to_bytes(wire.subspan(kSignedBytes, kShareBoxBytes));
  record.signature = crypto::to_bytes(wire.last(kSignatureBytes));
  CHECK(check_leaf_fields(record));
  return record;
}

Result<AcceptedLeaf> accept_leaf_record(ByteView wire, const PublicKey& owner,
                                        const SealedKey& recipient, TestMode mode, KeyOps& keys) {
  TRY(LeafRecord record, parse_leaf_record(wire));
  CHECK(check_terms(record.terms, mode));
  CHECK(crypto::verify(owner, leaf_record_statement(record), record.signature));
  const Digest ad = share_box_ad(record);
  TRY(SealedShare share, keys.accept_share(recipient, ad, record.share_box, record.share_point));
  return AcceptedLeaf{std::move(record), std::move(share)};
}

}  // namespace kith::recovery
