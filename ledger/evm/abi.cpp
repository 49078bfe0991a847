#include "ledger/evm/abi.hpp"

#include <algorithm>
#include <array>

#include "crypto/hash.hpp"
#include "crypto/limits.hpp"
#include "ledger/did_kith.hpp"

namespace kith::ledger::evm {

namespace {

constexpr std::string_view kDidPrefix = "did:kith:";
constexpr std::array<std::uint8_t, 2> kSha256Multihash{0x12, 0x20};
constexpr std::size_t kWord = 32;
/// Of a dynamic argument: where its data begins.
constexpr std::uint64_t kDataOffset = 2 * kWord;
constexpr std::uint64_t kEventDataOffset = kWord;

Hash hash_of(std::string_view signature) {
  return keccak256(crypto::as_bytes(signature));
}

void append_word(Bytes& to, std::uint64_t number) {
  to.resize(to.size() + kWord - sizeof number);
  crypto::append_u64_be(to, number);
}

/// Of the word at `begin`; nullopt: it is larger than any place here.
std::optional<std::uint64_t> small_word(ByteView words, std::size_t begin) {
  const ByteView word = words.subspan(begin, kWord);
  if (std::ranges::any_of(word.first(kWord - 4), [](std::uint8_t byte) { return byte != 0; })) {
    return std::nullopt;
  }
  std::uint64_t number = 0;
  for (const std::uint8_t byte : word.last(4)) number = number << 8U | byte;
  return number;
}

constexpr std::size_t padded(std::size_t size) {
  return (size + kWord - 1) / kWord * kWord;
}

}  // namespace

Result<Hash> subject_topic(std::string_view did) {
  CHECK(check_did_kith(did));
  TRY(const Bytes multihash, crypto::from_multibase(did.substr(kDidPrefix.size())));
  Hash topic{};
  if (multihash.size() != kSha256Multihash.size() + topic.size()) {
    return fail(Errc::malformed, "a did:kith of another hash");
  }
  std::copy(multihash.begin() + kSha256Multihash.size(), multihash.end(), topic.begin());
  return topic;
}

std::string subject_of(const Hash& topic) {
  Bytes multihash(kSha256Multihash.begin(), kSha256Multihash.end());
  crypto::append(multihash, topic);
  return std::string(kDidPrefix) + crypto::multibase(multihash);
}

const Hash& posted_topic() {
  static const Hash topic = hash_of("Posted(bytes32,bytes)");
  return topic;
}

Bytes post_input(const Hash& subject, ByteView data) {
  const Hash selector = hash_of("post(bytes32,bytes)");
  Bytes input(selector.begin(), selector.begin() + 4);
  crypto::append(input, subject);
  append_word(input, kDataOffset);
  append_word(input, data.size());
  crypto::append(input, data);
  input.resize(input.size() + padded(data.size()) - data.size());
  return input;
}

Result<Bytes> posted_data(ByteView encoded) {
  if (encoded.size() < 2 * kWord) return fail(Errc::malformed, "evm: an event without data");
  const auto offset = small_word(encoded, 0);
  const auto size = small_word(encoded, kWord);
  if (!size || *size > limits::kEntryBytesMax) {
    return fail(Errc::limit_exceeded, "evm: more than an entry may have");
  }
  // One spelling: what the compiler makes of the contract.
  if (offset != kEventDataOffset || encoded.size() != 2 * kWord + padded(*size)) {
    return fail(Errc::malformed, "evm: an event of another form");
  }
  const ByteView data = encoded.subspan(2 * kWord, *size);
  const ByteView rest = encoded.subspan(2 * kWord + *size);
  if (std::ranges::any_of(rest, [](std::uint8_t byte) { return byte != 0; })) {
    return fail(Errc::malformed, "evm: an event of another form");
  }
  return crypto::to_bytes(data);
}

}  // namespace kith::ledger::evm
