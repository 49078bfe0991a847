#include "crypto/sealed_backup.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "crypto/ec_ed25519.hpp"
#include "crypto/ec_secp256k1.hpp"
#include "crypto/limits.hpp"
#include "crypto/random.hpp"
#include "crypto/raw_key_pair.hpp"
#include "crypto/sealed_backup_format.hpp"

namespace kith::crypto {
namespace {

/// A recovery key with its secret, and an agent that signs.
struct Owner {
  explicit Owner(std::uint64_t seed)
      : random(seed, "owner"), guard(random), agent(ed25519_generate(random)) {
    secret = Scalar::random_nonzero(random);
    key = Point::base_times(secret).value();
  }

  [[nodiscard]] SecretPoint recovery_key() const { return SecretPoint(key); }
  /// e*Y = s*E
  [[nodiscard]] SecretPoint opening(ByteView first_record) const {
    const auto core = parse_container_core(first_record.first(kContainerCoreBytes)).value();
    return SecretPoint(core.ephemeral.times(secret).value());
  }
  [[nodiscard]] ContainerSign signer() const {
    return [this](ByteView message) -> Result<Bytes> {
      return ed25519_sign(agent.private_key.expose(), message);
    };
  }
  [[nodiscard]] ContainerParams params() const {
    return {ContainerFormat::backup, 1, 1700000000, agent.public_key};
  }
  std::vector<Bytes> seal(ByteView content) {
    return seal_container(recovery_key(), params(), SecretBytes::copy_of(content), signer(), random)
        .value();
  }
  [[nodiscard]] Result<OpenedContainer> open(std::span<const Bytes> records) const {
    return open_container(records, recovery_key(), opening(records.front()));
  }

  SeededRandom random;
  SodiumRandomGuard guard;
  RawKeyPair agent;
  Scalar secret;
  Point key;
};

Bytes pattern(std::size_t size) {
  Bytes content(size);
  for (std::size_t i = 0; i < size; ++i) content[i] = static_cast<std::uint8_t>(i * 131 + i / 256);
  return content;
}

std::size_t total_bytes(const std::vector<Bytes>& records) {
  std::size_t total = 0;
  for (const Bytes& record : records) total += record.size();
  return total;
}

TEST(SealedBackup, ComesBackWholeAtTheBordersOfEachSize) {
  Owner owner(1);
  for (std::uint8_t size_class = 0; size_class < 4; ++size_class) {
    const std::size_t capacity = container_capacity(size_class);
    for (const std::size_t size : {capacity - 1, capacity, capacity + 1}) {
      const Bytes content = pattern(size);
      const auto records = owner.seal(content);
      const std::uint8_t expected_class =
          size > capacity ? static_cast<std::uint8_t>(size_class + 1) : size_class;
      EXPECT_EQ(total_bytes(records), container_bytes(expected_class)) << size;
      const auto opened = owner.open(records);
      ASSERT_TRUE(opened.has_value()) << size;
      EXPECT_TRUE(equal(opened->content.expose(), content)) << size;
      EXPECT_EQ(opened->core.size_class, expected_class);
      EXPECT_EQ(opened->signer, owner.agent.public_key);
    }
  }
  EXPECT_EQ(owner.open(owner.seal({}))->content.size(), 0U);
}

TEST(SealedBackup, ComesBackWholeAcrossChunks) {
  Owner owner(2);
  const Bytes content = pattern(2 * limits::kBackupChunkBytes + 12345);
  const auto records = owner.seal(content);
  EXPECT_EQ(records.size(), 2U + 4U);
  EXPECT_EQ(total_bytes(records), std::size_t{1} << 20);
  for (const Bytes& record : records) EXPECT_LE(record.size(), limits::kBackupChunkBytes);
  EXPECT_TRUE(equal(owner.open(records)->content.expose(), content));
}

TEST(SealedBackup, HasSizesThatFollowFromItsClassAlone) {
  for (std::uint8_t size_class = 0; size_class < kContainerSizeClasses; ++size_class) {
    std::size_t total = 0;
    for (const std::size_t size : container_record_bytes(size_class)) {
      EXPECT_LE(size, limits::kBackupChunkBytes);
      total += size;
    }
    EXPECT_EQ(total, container_bytes(size_class));
    EXPECT_EQ(total, std::size_t{4096} << (2 * size_class));
  }
  EXPECT_EQ(container_bytes(kContainerSizeClasses - 1), limits::kBackupBytesMax);
}

TEST(SealedBackup, RefusesEveryAlteredByte) {
  Owner owner(3);
  const auto records = owner.seal(pattern(1000));
  ASSERT_TRUE(owner.open(records).has_value());
  const SecretPoint opening = owner.opening(records.front());
  for (std::size_t r = 0; r < records.size(); ++r) {
    for (std::size_t i = 0; i < records[r].size(); ++i) {
      auto altered = records;
      altered[r][i] ^= 0x10;
      EXPECT_FALSE(open_container(altered, owner.recovery_key(), opening).has_value())
          << "record " << r << " byte " << i;
    }
  }
}

TEST(SealedBackup, RefusesMissingReorderedRepeatedAndForeignRecords) {
  Owner owner(4);
  const auto records = owner.seal(pattern(2 * limits::kBackupChunkBytes));
  ASSERT_EQ(records.size(), 6U);
  for (std::size_t kept = 0; kept < records.size(); ++kept) {
    const std::vector<Bytes> cut(records.begin(), records.begin() + static_cast<long>(kept));
    EXPECT_EQ(open_container(cut, owner.recovery_key(), owner.opening(records.front())).error(),
              Errc::malformed)
        << kept;
  }
  for (std::size_t gone = 1; gone < records.size(); ++gone) {
    auto fewer = records;
    fewer.erase(fewer.begin() + static_cast<long>(gone));
    EXPECT_FALSE(owner.open(fewer).has_value()) << gone;
  }
  auto swapped = records;
  std::swap(swapped[1], swapped[2]);
  EXPECT_EQ(owner.open(swapped).error(), Errc::cannot_decrypt);
  auto repeated = records;
  repeated[2] = repeated[1];
  EXPECT_EQ(owner.open(repeated).error(), Errc::cannot_decrypt);
  auto longer = records;
  longer.push_back(records.back());
  EXPECT_EQ(owner.open(longer).error(), Errc::malformed);
  const auto other = owner.seal(pattern(2 * limits::kBackupChunkBytes));
  for (std::size_t r = 0; r < records.size(); ++r) {
    auto mixed = records;
    mixed[r] = other[r];
    EXPECT_FALSE(
        open_container(mixed, owner.recovery_key(), owner.opening(mixed.front())).has_value())
        << r;
  }
}

TEST(SealedBackup, OpensOnlyWithItsOwnRecoveryKey) {
  Owner owner(5);
  const auto records = owner.seal(pattern(100));
  const SecretPoint opening = owner.opening(records.front());
  const SecretPoint stranger(Point::base());
  EXPECT_EQ(open_container(records, stranger, opening).error(), Errc::bad_key);
  EXPECT_EQ(open_container(records, owner.recovery_key(), stranger).error(), Errc::cannot_decrypt);
}

TEST(SealedBackup, GivesNothingBeforeItsEnd) {
  Owner owner(6);
  const auto records = owner.seal(pattern(100));
  const auto start = [&] {
    return ContainerOpener::start(records[0], owner.recovery_key(), owner.opening(records[0]))
        .value();
  };
  auto cut = start();
  ASSERT_TRUE(cut.add(records[1]).has_value());
  EXPECT_EQ(cut.finish().error(), Errc::malformed);
  EXPECT_EQ(cut.finish().error(), Errc::wrong_state);

  auto spoilt = start();
  EXPECT_FALSE(spoilt.add(records[2]).has_value());
  EXPECT_EQ(spoilt.add(records[1]).error(), Errc::wrong_state);
  EXPECT_EQ(spoilt.finish().error(), Errc::wrong_state);

  auto whole = start();
  ASSERT_TRUE(whole.add(records[1]).has_value());
  ASSERT_TRUE(whole.add(records[2]).has_value());
  EXPECT_TRUE(whole.finish().has_value());
  EXPECT_EQ(whole.finish().error(), Errc::wrong_state);
}

TEST(SealedBackup, IsNotSealedWithASignatureThatDoesNotFit) {
  Owner owner(7);
  const RawKeyPair other = ed25519_generate(owner.random);
  const auto seal_with = [&](const PublicKey& key, ContainerSign sign) {
    auto params = owner.params();
    params.signer = key;
    return seal_container(owner.recovery_key(), params, SecretBytes(10), std::move(sign),
                          owner.random);
  };
  EXPECT_TRUE(seal_with(owner.agent.public_key, owner.signer()).has_value());
  EXPECT_EQ(seal_with(other.public_key, owner.signer()).error(), Errc::bad_signature);
  const auto refuses = [](ByteView) -> Result<Bytes> { return fail(Errc::key_misuse); };
  EXPECT_EQ(seal_with(owner.agent.public_key, refuses).error(), Errc::key_misuse);
  const auto short_one = [](ByteView) -> Result<Bytes> { return Bytes(63); };
  EXPECT_FALSE(seal_with(owner.agent.public_key, short_one).has_value());
  EXPECT_EQ(seal_with({KeyType::x25519, Bytes(32, 9)}, owner.signer()).error(), Errc::bad_key);
  EXPECT_EQ(seal_with({KeyType::ed25519, Bytes(31, 9)}, owner.signer()).error(), Errc::bad_key);
}

/// What someone who holds Y may seal: right keys and marks, any insides.
struct Forgery {
  Bytes chunk;   ///< length || content || padding
  Bytes signer;  ///< type, length, key, signature; the signature is made when left empty.
  container::Stream::Mark first = container::Stream::Mark::more;
  container::Stream::Mark last = container::Stream::Mark::last;
};

std::vector<Bytes> forge(Owner& owner, const Forgery& forgery) {
  ContainerCore core =
      parse_container_core(ByteView(owner.seal(pattern(9))[0]).first(kContainerCoreBytes)).value();
  auto stream = container::Stream::sealing(
      container::stream_key(core, owner.recovery_key(), owner.opening(encode(core))));
  std::vector<Bytes> records = {encode(core)};
  append(records[0], stream.header());
  const std::size_t size = container_record_bytes(0)[1] - container::kRecordOverheadBytes;
  Bytes chunk = forgery.chunk;
  chunk.resize(size);
  records.push_back(stream.seal(chunk, forgery.first));
  Bytes rest = to_bytes(stream.header());
  append(rest, records[1]);
  Bytes last = forgery.signer;
  last.resize(container::kSignedBytes);
  const Bytes signature =
      ed25519_sign(owner.agent.private_key.expose(), container::signed_message(core, sha256(rest)));
  std::copy(signature.begin(), signature.end(),
            last.end() - static_cast<long>(container::kSignatureBytes));
  records.push_back(stream.seal(last, forgery.last));
  return records;
}

TEST(SealedBackup, RefusesWhatAHolderOfTheKeySealedWrongly) {
  Owner owner(20);
  Forgery good;
  append_u64_be(good.chunk, 3);
  append(good.chunk, as_bytes("abc"));
  good.signer = {static_cast<std::uint8_t>(KeyType::ed25519), 32};
  append(good.signer, owner.agent.public_key.bytes);
  EXPECT_TRUE(equal(owner.open(forge(owner, good))->content.expose(), as_bytes("abc")));

  const auto refused = [&](const Forgery& forgery) {
    const auto opened = owner.open(forge(owner, forgery));
    return opened.has_value() ? Errc::usage : opened.error().code;
  };
  Forgery bad = good;
  bad.chunk[7] = 2;  // the third byte becomes padding
  EXPECT_EQ(refused(bad), Errc::malformed);
  bad = good;
  bad.chunk.resize(container_record_bytes(0)[1] - container::kRecordOverheadBytes);
  bad.chunk.back() = 1;
  EXPECT_EQ(refused(bad), Errc::malformed) << "a channel in the padding";
  bad = good;
  bad.chunk[0] = 0x80;
  EXPECT_EQ(refused(bad), Errc::malformed) << "a length of 2^63";
  bad = good;
  bad.first = container::Stream::Mark::last;
  EXPECT_EQ(refused(bad), Errc::malformed);
  bad = good;
  bad.last = container::Stream::Mark::more;
  EXPECT_EQ(refused(bad), Errc::malformed);

  bad = good;
  const RawKeyPair other = ed25519_generate(owner.random);
  std::copy(other.public_key.bytes.begin(), other.public_key.bytes.end(), bad.signer.begin() + 2);
  EXPECT_EQ(refused(bad), Errc::bad_signature) << "another agent's name";
  for (std::uint8_t type = 0; type < 5; ++type) {
    if (type == 1) continue;  // ed25519 itself
    bad = good;
    bad.signer[0] = type;
    EXPECT_EQ(refused(bad), Errc::malformed) << int{type};
  }
  bad = good;
  bad.signer[1] = 31;
  EXPECT_EQ(refused(bad), Errc::malformed);
  bad = good;
  bad.signer.push_back(1);
  EXPECT_EQ(refused(bad), Errc::malformed) << "bytes behind the key";
}

TEST(SealedBackup, TakesBothKindsOfSigningKeys) {
  Owner owner(8);
  const RawKeyPair agent = secp256k1_generate(owner.random);
  auto params = owner.params();
  params.signer = agent.public_key;
  const auto sign = [&](ByteView message) -> Result<Bytes> {
    return secp256k1_sign(agent.private_key.expose(), message);
  };
  const auto records = seal_container(owner.recovery_key(), params,
                                      SecretBytes::copy_of(pattern(50)), sign, owner.random)
                           .value();
  EXPECT_EQ(owner.open(records)->signer, agent.public_key);
}

TEST(SealedBackup, SignsTheCoreAndEveryChunk) {
  Owner owner(9);
  std::vector<Bytes> messages;
  const auto sign = [&](ByteView message) -> Result<Bytes> {
    messages.push_back(to_bytes(message));
    return ed25519_sign(owner.agent.private_key.expose(), message);
  };
  const auto records = seal_container(owner.recovery_key(), owner.params(),
                                      SecretBytes::copy_of(pattern(50)), sign, owner.random)
                           .value();
  Bytes expected;
  const auto add = [&](ByteView part) {
    append_u32_be(expected, static_cast<std::uint32_t>(part.size()));
    append(expected, part);
  };
  Bytes rest(records[0].begin() + kContainerCoreBytes, records[0].end());
  append(rest, records[1]);
  add(as_bytes("kith/recovery/v1/container"));
  add(ByteView(records[0]).first(kContainerCoreBytes));
  add(sha256(rest));
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0], expected);
}

TEST(SealedBackup, RefusesContentThatDoesNotFit) {
  Owner owner(10);
  auto params = owner.params();
  params.format = ContainerFormat::capsule;
  params.counter = 0;
  const auto seal = [&](std::size_t size) {
    return seal_container(owner.recovery_key(), params, SecretBytes(size), owner.signer(),
                          owner.random);
  };
  EXPECT_TRUE(seal(container_capacity(0)).has_value());
  EXPECT_EQ(seal(container_capacity(0) + 1).error(), Errc::limit_exceeded);
  params = owner.params();
  EXPECT_EQ(seal(container_capacity(kContainerSizeClasses - 1) + 1).error(), Errc::limit_exceeded);
}

TEST(SealedBackup, KeepsTheCapsulesCounterApart) {
  Owner owner(11);
  for (const auto& [format, counter] :
       std::vector<std::pair<ContainerFormat, std::uint64_t>>{{ContainerFormat::capsule, 1},
                                                              {ContainerFormat::backup, 0},
                                                              {ContainerFormat::log_part, 0}}) {
    auto params = owner.params();
    params.format = format;
    params.counter = counter;
    EXPECT_EQ(
        seal_container(owner.recovery_key(), params, SecretBytes(10), owner.signer(), owner.random)
            .error(),
        Errc::malformed);
  }
}

TEST(SealedBackup, HasOneEncodingOfItsCore) {
  Owner owner(12);
  const auto records = owner.seal(pattern(10));
  const ByteView bytes = ByteView(records[0]).first(kContainerCoreBytes);
  const ContainerCore core = parse_container_core(bytes).value();
  EXPECT_EQ(core.counter, 1U);
  EXPECT_EQ(core.created_s, 1700000000U);
  EXPECT_EQ(core.ycheck, ycheck(core.core_salt, owner.recovery_key()));
  EXPECT_TRUE(equal(encode(core), bytes));
  EXPECT_EQ(core_digest(core), digest("kith/recovery/v1/core", {bytes}));
  const auto refused = [&](std::size_t at, std::uint8_t value) {
    Bytes altered = to_bytes(bytes);
    altered[at] = value;
    const auto parsed = parse_container_core(altered);
    return !parsed.has_value() && parsed.error() == Errc::malformed;
  };
  EXPECT_TRUE(refused(0, 0));
  EXPECT_TRUE(refused(0, 4));
  EXPECT_TRUE(refused(0, 2)) << "a capsule with a counter";
  EXPECT_TRUE(refused(1, kContainerSizeClasses));
  EXPECT_TRUE(refused(9, 0)) << "a backup without a counter";
  EXPECT_TRUE(refused(50, static_cast<std::uint8_t>(bytes[50] ^ 1U))) << "E is not a point";
  for (const std::size_t size : {0U, 113U, 115U}) {
    EXPECT_EQ(parse_container_core(Bytes(size, 1)).error(), Errc::malformed);
  }
}

TEST(SealedBackup, SharesNothingWithAnotherButWhatItsFormatSays) {
  Owner owner(13);
  const Bytes content = pattern(3000);
  const auto join = [](const std::vector<Bytes>& records) {
    Bytes all;
    for (const Bytes& record : records) append(all, record);
    return all;
  };
  const Bytes first = join(owner.seal(content));
  const Bytes second = join(owner.seal(content));
  constexpr std::size_t kPublicBytes = 18;  // format, class, counter, time: equal here
  constexpr std::size_t kWindow = 6;        // by chance 4096^2 / 2^48: below 1e-7
  EXPECT_TRUE(std::equal(first.begin(), first.begin() + kPublicBytes, second.begin()));
  std::set<std::string> windows;
  for (std::size_t i = kPublicBytes; i + kWindow <= first.size(); ++i) {
    windows.insert(std::string(as_text(ByteView(first).subspan(i, kWindow))));
  }
  EXPECT_EQ(windows.size(), first.size() - kPublicBytes - kWindow + 1) << "repeats within one";
  for (std::size_t i = kPublicBytes; i + kWindow <= second.size(); ++i) {
    EXPECT_FALSE(windows.contains(std::string(as_text(ByteView(second).subspan(i, kWindow))))) << i;
  }
  // The counter-example: a copy with one new core is found.
  EXPECT_TRUE(windows.contains(std::string(as_text(ByteView(first).subspan(200, kWindow)))));
}

TEST(SealedBackup, TiesYcheckToItsSaltAndKey) {
  const SecretPoint key(Point::base());
  const SecretPoint other(Point::base_times(Scalar::from_u64(2)).value());
  const Bytes salt(32, 1);
  EXPECT_EQ(ycheck(salt, key), ycheck(salt, key.clone()));
  EXPECT_NE(ycheck(salt, key), ycheck(salt, other));
  EXPECT_NE(ycheck(salt, key), ycheck(Bytes(32, 2), key));
}

}  // namespace
}  // namespace kith::crypto
