#include "recovery/vouch.hpp"

#include <algorithm>

#include "crypto/aead.hpp"
#include "crypto/hash.hpp"
#include "crypto/limits.hpp"

namespace kith::recovery {
namespace {

constexpr std::size_t kVouchNonceBytes = 24;
constexpr std::size_t kTagBytes = 16;
constexpr std::size_t kVouchContentBytes = limits::kVouchBytes - kVouchNonceBytes - kTagBytes;
constexpr std::size_t kHeadContentBytes = 1 + 8 + 32;
static_assert(kHeadBytes == kVouchNonceBytes + kHeadContentBytes + kTagBytes);
constexpr std::uint8_t kVouchFormat = 1;

SecretBytes key_for(std::string_view name, const SecretPoint& recovery_key, const Salt& r) {
  const std::string info = label(name);
  return crypto::hkdf_sha256(recovery_key.expose(), r, crypto::as_bytes(info), 32);
}

Bytes seal(std::string_view name, const SecretPoint& recovery_key, const Salt& r,
           const RecordId& record_id, ByteView content, Random& random) {
  const SecretBytes key = key_for(name, recovery_key, r);
  Bytes sealed = random.bytes(kVouchNonceBytes);
  const Bytes body = crypto::xc20p_seal(key.expose(), sealed, labelled(name, {record_id}), content);
  crypto::append(sealed, body);
  return sealed;
}

Result<Bytes> open(std::string_view name, const SecretPoint& recovery_key, const Salt& r,
                   const RecordId& record_id, std::size_t size, ByteView sealed) {
  if (sealed.size() != size) {
    return fail(Errc::cannot_decrypt, std::string(name) + ": wrong size");
  }
  const SecretBytes key = key_for(name, recovery_key, r);
  return crypto::xc20p_open(key.expose(), sealed.first(kVouchNonceBytes),
                            labelled(name, {record_id}), sealed.subspan(kVouchNonceBytes));
}

void append_text(Bytes& to, std::string_view text) {
  to.push_back(static_cast<std::uint8_t>(text.size() >> 8));
  to.push_back(static_cast<std::uint8_t>(text.size() & 0xff));
  crypto::append(to, crypto::as_bytes(text));
}

Result<std::string> take_text(ByteView& from) {
  if (from.size() < 2) return fail(Errc::malformed, "vouch: cut short");
  const std::size_t size = std::size_t{from[0]} << 8 | from[1];
  from = from.subspan(2);
  if (from.size() < size) return fail(Errc::malformed, "vouch: cut short");
  std::string text(crypto::as_text(from.first(size)));
  from = from.subspan(size);
  return text;
}

}  // namespace

Result<Bytes> seal_vouch(const SecretPoint& recovery_key, const Salt& r, const RecordId& record_id,
                         const VouchContents& contents, Random& random) {
  if (contents.policy_address.empty()) return fail(Errc::malformed, "vouch: no policy address");
  if (contents.ledger_descriptors.size() > kLedgerDescriptorsMax) {
    return fail(Errc::limit_exceeded, "vouch: too many ledgers");
  }
  std::size_t size = 1 + contents.set_id.size() + 2 + contents.policy_address.size() + 1;
  for (const std::string& ledger : contents.ledger_descriptors) size += 2 + ledger.size();
  if (size > kVouchContentBytes) {
    return fail(Errc::limit_exceeded, "vouch: policy address and ledger descriptors take " +
                                          std::to_string(size) + " of " +
                                          std::to_string(kVouchContentBytes) + " bytes");
  }
  Bytes content{kVouchFormat};
  crypto::append(content, contents.set_id);
  append_text(content, contents.policy_address);
  content.push_back(static_cast<std::uint8_t>(contents.ledger_descriptors.size()));
  for (const std::string& ledger : contents.ledger_descriptors) append_text(content, ledger);
  content.resize(kVouchContentBytes, 0);
  return seal("vouch", recovery_key, r, record_id, content, random);
}

Result<VouchContents> open_vouch(const SecretPoint& recovery_key, const Salt& r,
                                 const RecordId& record_id, ByteView vouch) {
  TRY(const Bytes content, open("vouch", recovery_key, r, record_id, limits::kVouchBytes, vouch));
  VouchContents contents;
  if (content[0] != kVouchFormat) return fail(Errc::unsupported, "vouch: another format");
  std::copy_n(content.begin() + 1, contents.set_id.size(), contents.set_id.begin());
  ByteView rest = ByteView(content).subspan(1 + contents.set_id.size());
  TRY(contents.policy_address, take_text(rest));
  if (contents.policy_address.empty()) return fail(Errc::malformed, "vouch: no policy address");
  if (rest.empty() || rest[0] > kLedgerDescriptorsMax) {
    return fail(Errc::malformed, "vouch: number of ledgers");
  }
  const std::size_t count = rest[0];
  rest = rest.subspan(1);
  for (std::size_t i = 0; i < count; ++i) {
    TRY(std::string ledger, take_text(rest));
    contents.ledger_descriptors.push_back(std::move(ledger));
  }
  for (const std::uint8_t byte : rest) {
    if (byte != 0) return fail(Errc::malformed, "vouch: padding");
  }
  return contents;
}

Bytes seal_head(const SecretPoint& recovery_key, const Salt& r, const RecordId& record_id,
                const HeadContents& contents, Random& random) {
  Bytes content{kVouchFormat};
  crypto::append_u64_be(content, contents.counter);
  crypto::append(content, contents.core_digest);
  return seal("head", recovery_key, r, record_id, content, random);
}

Result<HeadContents> open_head(const SecretPoint& recovery_key, const Salt& r,
                               const RecordId& record_id, ByteView head) {
  TRY(const Bytes content, open("head", recovery_key, r, record_id, kHeadBytes, head));
  if (content[0] != kVouchFormat) return fail(Errc::unsupported, "head: another format");
  HeadContents contents;
  for (std::size_t i = 1; i <= 8; ++i) contents.counter = contents.counter << 8 | content[i];
  std::copy(content.begin() + 9, content.end(), contents.core_digest.begin());
  return contents;
}

}  // namespace kith::recovery
