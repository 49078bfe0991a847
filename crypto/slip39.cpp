#include "crypto/slip39.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <string>

#include "crypto/gf256.hpp"
#include "crypto/hash.hpp"
#include "crypto/pbkdf2.hpp"
#include "crypto/slip39_share.hpp"

namespace kith::crypto {
namespace {

using namespace share_limits;

// --- The passphrase: four rounds of a Feistel network ("Encryption of the master secret").

constexpr std::uint8_t kRounds = 4;
constexpr std::uint32_t kRoundIterations = 2500;

Result<void> check_passphrase(const SecretBytes& passphrase) {
  if (passphrase.size() > kSlip39PassphraseCharsMax) {
    return fail(Errc::malformed, "the passphrase is too long");
  }
  const bool printable = std::ranges::all_of(
      passphrase.expose(), [](std::uint8_t letter) { return letter >= 32 && letter <= 126; });
  if (!printable) {
    return fail(Errc::malformed,
                "the passphrase may have letters without accents, digits and signs of ASCII only");
  }
  return {};
}

/// What the salt starts with: with an extendable set, nothing.
Bytes salt_prefix(const Slip39Share& set) {
  if (set.extendable) return {};
  Bytes prefix = to_bytes("shamir");
  prefix.push_back(static_cast<std::uint8_t>(set.identifier >> 8));
  prefix.push_back(static_cast<std::uint8_t>(set.identifier));
  return prefix;
}

SecretBytes round_key(std::uint8_t round, const SecretBytes& passphrase, const Slip39Share& set,
                      ByteView half) {
  SecretBytes password(1 + passphrase.size());
  password.expose_mutable()[0] = round;
  std::ranges::copy(passphrase.expose(), password.expose_mutable().begin() + 1);
  Bytes salt = salt_prefix(set);
  salt.insert(salt.end(), half.begin(), half.end());
  SecretBytes key =
      pbkdf2_sha256(password.expose(), salt, kRoundIterations << set.exponent, half.size());
  wipe(salt);
  return key;
}

/// Encrypts and decrypts, by the order of the rounds.
SecretBytes feistel(const SecretBytes& input, const SecretBytes& passphrase, const Slip39Share& set,
                    std::array<std::uint8_t, kRounds> rounds) {
  const std::size_t half = input.size() / 2;
  SecretBytes left = SecretBytes::copy_of(input.expose().first(half));
  SecretBytes right = SecretBytes::copy_of(input.expose().subspan(half));
  for (const std::uint8_t round : rounds) {
    const SecretBytes key = round_key(round, passphrase, set, right.expose());
    for (std::size_t i = 0; i < half; ++i) left.expose_mutable()[i] ^= key.expose()[i];
    std::swap(left, right);
  }
  SecretBytes output(input.size());
  std::ranges::copy(right.expose(), output.expose_mutable().begin());
  std::ranges::copy(left.expose(),
                    output.expose_mutable().begin() + static_cast<std::ptrdiff_t>(half));
  return output;
}

SecretBytes encrypt_secret(const SecretBytes& secret, const SecretBytes& passphrase,
                           const Slip39Share& set) {
  return feistel(secret, passphrase, set, {0, 1, 2, 3});
}

SecretBytes decrypt_secret(const SecretBytes& encrypted, const SecretBytes& passphrase,
                           const Slip39Share& set) {
  return feistel(encrypted, passphrase, set, {3, 2, 1, 0});
}

// --- One level of sharing ("Sharing scheme").

constexpr std::uint8_t kDigestAt = 254;
constexpr std::uint8_t kSecretAt = 255;
constexpr std::size_t kDigestBytes = 4;

/// Of the secret, under random bytes that are shared with it.
Digest256 digest_of(ByteView secret, ByteView key) {
  return hmac_sha256(key, secret);
}

std::vector<SecretBytes> split_secret(const SecretBytes& secret, const Slip39Group& group,
                                      Random& random) {
  std::vector<SecretBytes> values;
  if (group.threshold == 1) {
    for (std::size_t i = 0; i < group.count; ++i) values.push_back(secret.clone());
    return values;
  }
  const std::size_t random_count = group.threshold - 2U;
  std::vector<ByteShare> known;
  for (std::size_t i = 0; i < random_count; ++i) {
    known.push_back({static_cast<std::uint8_t>(i), random.secret(secret.size())});
    values.push_back(known.back().y.clone());
  }
  const SecretBytes key = random.secret(secret.size() - kDigestBytes);
  SecretBytes with_digest(secret.size());
  Digest256 digest = digest_of(secret.expose(), key.expose());
  std::ranges::copy(ByteView(digest).first(kDigestBytes), with_digest.expose_mutable().begin());
  std::ranges::copy(key.expose(), with_digest.expose_mutable().begin() + kDigestBytes);
  wipe(digest);
  known.push_back({kDigestAt, std::move(with_digest)});
  known.push_back({kSecretAt, secret.clone()});
  for (std::size_t i = random_count; i < group.count; ++i) {
    values.push_back(*gf256_interpolate(known, static_cast<std::uint8_t>(i)));
  }
  return values;
}

/// `shares` are as many as the threshold.
Result<SecretBytes> recover_secret(std::span<const ByteShare> shares) {
  if (shares.size() == 1) return shares.front().y.clone();
  TRY(SecretBytes secret, gf256_interpolate(shares, kSecretAt));
  TRY(const SecretBytes with_digest, gf256_interpolate(shares, kDigestAt));
  Digest256 digest = digest_of(secret.expose(), with_digest.expose().subspan(kDigestBytes));
  const bool fits = equal_constant_time(ByteView(digest).first(kDigestBytes),
                                        with_digest.expose().first(kDigestBytes));
  wipe(digest);
  if (!fits) return fail(Errc::malformed, "these mnemonics do not belong together");
  return secret;
}

// --- Both levels.

Result<void> check_plan(const SecretBytes& secret, const Slip39Plan& plan) {
  if (secret.size() < kSlip39SecretBytesMin || secret.size() > kSlip39SecretBytesMax ||
      secret.size() % 2 != 0) {
    return fail(Errc::malformed, "the secret must have 16 to 64 bytes, and an even number of them");
  }
  if (plan.exponent > kSlip39ExponentMax) {
    return fail(Errc::limit_exceeded,
                "the exponent is at most " + std::to_string(kSlip39ExponentMax));
  }
  if (plan.groups.empty() || plan.groups.size() > kSlip39GroupsMax) {
    return fail(Errc::malformed, "there are 1 to 16 groups");
  }
  if (plan.group_threshold < 1 || plan.group_threshold > plan.groups.size()) {
    return fail(Errc::malformed, "more groups would be needed than there are");
  }
  for (const Slip39Group& group : plan.groups) {
    if (group.count < 1 || group.count > kSlip39MembersMax) {
      return fail(Errc::malformed, "a group has 1 to 16 mnemonics");
    }
    if (group.threshold < 1 || group.threshold > group.count) {
      return fail(Errc::malformed, "a group would need more mnemonics than it has");
    }
    if (group.threshold == 1 && group.count > 1) {
      return fail(
          Errc::malformed,
          "where one mnemonic of a group is enough, all would be the same: make a group 1/1 "
          "and copy it");
    }
  }
  return {};
}

using Members = std::vector<const Slip39Share*>;

Error in_mnemonic(std::size_t number, const Error& error) {
  return fail(error.code, "mnemonic " + std::to_string(number) + ": " + error.detail);
}

Result<std::vector<Slip39Share>> read_all(std::span<const SecretBytes> mnemonics) {
  if (mnemonics.empty()) return fail(Errc::not_enough, "no mnemonic was given");
  if (mnemonics.size() > kSlip39GroupsMax * kSlip39MembersMax) {
    return fail(Errc::limit_exceeded, "no set has so many mnemonics");
  }
  std::vector<Slip39Share> shares;
  for (const SecretBytes& mnemonic : mnemonics) {
    auto share = read_slip39_mnemonic(mnemonic.expose());
    if (share.has_error()) return in_mnemonic(shares.size() + 1, share.error());
    shares.push_back(std::move(*share));
  }
  return shares;
}

bool same_set(const Slip39Share& a, const Slip39Share& b) {
  return a.identifier == b.identifier && a.extendable == b.extendable && a.exponent == b.exponent &&
         a.group_threshold == b.group_threshold && a.group_count == b.group_count &&
         a.value.size() == b.value.size();
}

std::string counted(std::size_t count, std::string_view what) {
  return std::to_string(count) + " " + std::string(what) + (count == 1 ? "" : "s");
}

/// Neither more nor fewer. Groups count from 1 for people.
Result<void> check_count(std::size_t here, std::size_t needed, std::string_view what,
                         const std::string& whose) {
  if (here < needed) {
    return fail(Errc::not_enough, whose + counted(needed, what) + " are needed, and " +
                                      std::to_string(here) + " given");
  }
  if (here > needed) {
    return fail(Errc::malformed, whose + counted(needed, what) + " are enough, and " +
                                     std::to_string(here) + " given: leave the others out");
  }
  return {};
}

Result<std::map<std::uint8_t, Members>> by_group(const std::vector<Slip39Share>& shares) {
  std::map<std::uint8_t, Members> groups;
  for (const Slip39Share& share : shares) {
    const std::string number = std::to_string(&share - shares.data() + 1);
    if (!same_set(share, shares.front())) {
      return fail(Errc::malformed, "mnemonics 1 and " + number + " are of different sets");
    }
    Members& members = groups[share.group_index];
    for (const Slip39Share* other : members) {
      if (other->member_threshold != share.member_threshold) {
        return fail(Errc::malformed,
                    "mnemonic " + number + " does not fit the others of its group");
      }
      if (other->member_index == share.member_index) {
        return fail(Errc::malformed, "mnemonic " + number + " is there twice");
      }
    }
    members.push_back(&share);
  }
  CHECK(check_count(groups.size(), shares.front().group_threshold, "group", ""));
  for (const auto& [index, members] : groups) {
    CHECK(check_count(members.size(), members.front()->member_threshold, "mnemonic",
                      "group " + std::to_string(index + 1) + ": "));
  }
  return groups;
}

Result<SecretBytes> recover_encrypted(const std::map<std::uint8_t, Members>& groups) {
  std::vector<ByteShare> group_shares;
  for (const auto& [index, members] : groups) {
    std::vector<ByteShare> shares;
    for (const Slip39Share* member : members) {
      shares.push_back({member->member_index, member->value.clone()});
    }
    TRY(SecretBytes value, recover_secret(shares));
    group_shares.push_back({index, std::move(value)});
  }
  return recover_secret(group_shares);
}

}  // namespace

Result<std::vector<std::vector<SecretBytes>>> slip39_split(const SecretBytes& secret,
                                                           const SecretBytes& passphrase,
                                                           const Slip39Plan& plan, Random& random) {
  CHECK(check_plan(secret, plan));
  CHECK(check_passphrase(passphrase));
  Slip39Share share;
  share.identifier = static_cast<std::uint16_t>(random.below(1U << 15));
  share.extendable = plan.extendable;
  share.exponent = plan.exponent;
  share.group_threshold = plan.group_threshold;
  share.group_count = static_cast<std::uint8_t>(plan.groups.size());
  const SecretBytes encrypted = encrypt_secret(secret, passphrase, share);
  const auto group_values =
      split_secret(encrypted, {plan.group_threshold, share.group_count}, random);

  std::vector<std::vector<SecretBytes>> mnemonics;
  for (const Slip39Group& group : plan.groups) {
    share.group_index = static_cast<std::uint8_t>(mnemonics.size());
    share.member_threshold = group.threshold;
    share.member_index = 0;
    std::vector<SecretBytes>& members = mnemonics.emplace_back();
    for (SecretBytes& value : split_secret(group_values[share.group_index], group, random)) {
      share.value = std::move(value);
      members.push_back(write_slip39_mnemonic(share));
      ++share.member_index;
    }
  }
  return mnemonics;
}

Result<SecretBytes> slip39_combine(std::span<const SecretBytes> mnemonics,
                                   const SecretBytes& passphrase, std::uint8_t exponent_max) {
  CHECK(check_passphrase(passphrase));
  TRY(const auto shares, read_all(mnemonics));
  TRY(const auto groups, by_group(shares));
  const Slip39Share& set = shares.front();
  if (set.exponent > exponent_max) {
    return fail(Errc::limit_exceeded, "its passphrase would cost 2^" +
                                          std::to_string(set.exponent) +
                                          " times the work of the least");
  }
  TRY(const SecretBytes encrypted, recover_encrypted(groups));
  return decrypt_secret(encrypted, passphrase, set);
}

}  // namespace kith::crypto
