// Envelopes as multiples of one X25519 operation, and of their composed floor: the same
// cryptographic steps called one after the other, without JSON, sealed keys, DID documents or
// checks. Both are timed in the same run, so that the machine's speed and its other work cancel
// out. Each pair times a block of the reference, then a block of the subject; the median of the
// pairs' ratios is printed. Absolute times are for orientation only.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "crypto/aead.hpp"
#include "crypto/ec_x25519.hpp"
#include "crypto/key_wrap.hpp"
#include "crypto/limits.hpp"
#include "protocol/envelope.hpp"
#include "tests/support/parties.hpp"

namespace {

using kith::Bytes;
using kith::test::Party;
using kith::test::World;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kPairs = 300;
constexpr std::size_t kReferenceRuns = 8;
constexpr std::size_t kSubjectRuns = 2;

double microseconds(std::size_t runs, const std::function<void()>& work) {
  const auto begin = Clock::now();
  for (std::size_t i = 0; i < runs; ++i) work();
  const std::chrono::duration<double, std::micro> taken = Clock::now() - begin;
  return taken.count() / static_cast<double>(runs);
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2),
                   values.end());
  return values[values.size() / 2];
}

using Work = std::function<void()>;

struct Timed {
  double ratio;
  double time;
};

Timed timed(const Work& reference, std::size_t reference_runs, const Work& subject) {
  std::vector<double> ratios, times;
  for (std::size_t i = 0; i < kPairs; ++i) {
    const double unit = microseconds(reference_runs, reference);
    times.push_back(microseconds(kSubjectRuns, subject));
    ratios.push_back(times.back() / unit);
  }
  return {median(ratios), median(times)};
}

void row(const char* name, const Work& unit, const Work& floor, const Work& subject) {
  const Timed in_units = timed(unit, kReferenceRuns, subject);
  const Timed over_floor = timed(floor, kSubjectRuns, subject);
  std::printf("| %-32s | %6.2f X | %5.2f | %8.1f us |\n", name, in_units.ratio, over_floor.ratio,
              in_units.time);
}

[[noreturn]] void give_up(const char* what) {
  std::fprintf(stderr, "bench_envelope: %s\n", what);
  std::exit(1);
}

/// The steps of one envelope with one recipient key. `statics`: how many of the two static-static
/// agreements are computed (one in authcrypt without what is kept, none otherwise).
struct Floor {
  kith::crypto::ContentEncryption enc;
  bool authenticated;
  std::size_t statics;
  const kith::crypto::RawKeyPair& mine;
  const kith::crypto::RawKeyPair& theirs;
  World& world;
  Bytes plaintext = Bytes(1300, 'x');
  Bytes header = Bytes(900, 'h');

  [[nodiscard]] kith::SecretBytes agreed(kith::ByteView private_key) const {
    auto z = kith::crypto::x25519_shared(private_key, theirs.public_key.bytes);
    for (std::size_t i = 0; i < statics; ++i) {
      z = kith::crypto::x25519_shared(mine.private_key.expose(), theirs.public_key.bytes);
    }
    if (!z.has_value()) give_up("X25519 failed");
    return std::move(*z);
  }
  [[nodiscard]] kith::SecretBytes kek(kith::ByteView private_key) const {
    return kith::crypto::concat_kdf(
        agreed(private_key).expose(), "ECDH-1PU+A256KW", header, {},
        authenticated ? kith::ByteView(header).first(32) : kith::ByteView());
  }
  void pack() const {
    const auto ephemeral = kith::crypto::x25519_generate(world.random);
    const auto sizes = kith::crypto::sizes_of(enc);
    const kith::SecretBytes cek = world.random.secret(sizes.key_bytes);
    const Bytes iv = world.random.bytes(sizes.iv_bytes);
    const auto sealed = kith::crypto::aead_encrypt(enc, cek, iv, header, plaintext);
    const auto wrapped = kith::crypto::wrap_key(kek(ephemeral.private_key.expose()), cek);
    if (!wrapped.has_value() || kith::crypto::base64url(sealed.ciphertext).empty()) {
      give_up("the floor failed");
    }
  }
  /// A work that opens what was made once.
  [[nodiscard]] Work unpack() const {
    const auto sizes = kith::crypto::sizes_of(enc);
    const kith::SecretBytes cek = world.random.secret(sizes.key_bytes);
    const Bytes iv = world.random.bytes(sizes.iv_bytes);
    const auto sealed = kith::crypto::aead_encrypt(enc, cek, iv, header, plaintext);
    const Bytes wrapped = kith::crypto::wrap_key(kek(mine.private_key.expose()), cek).value();
    const std::string text = kith::crypto::base64url(sealed.ciphertext);
    return [this, wrapped, iv, text, tag = sealed.tag] {
      const auto opened = kith::crypto::unwrap_key(kek(mine.private_key.expose()), wrapped);
      const auto ciphertext = kith::crypto::from_base64url(text);
      if (!opened.has_value() || !ciphertext.has_value() ||
          !kith::crypto::aead_decrypt(enc, *opened, iv, header, *ciphertext, tag).has_value()) {
        give_up("the floor failed");
      }
    };
  }
};

}  // namespace

int main() {
  using kith::crypto::ContentEncryption;
  World world;
  Party alice = world.make_party();
  Party bob = world.make_party();
  // Otherwise each resolution of a did:peer checks its signing key: about one X of its own.
  world.dids.put(alice.document);
  world.dids.put(bob.document);
  kith::Message message = world.message(alice, bob);
  message.body = {{"content", std::string(1024, 'x')}};

  const auto mine = kith::crypto::x25519_generate(world.random);
  const auto theirs = kith::crypto::x25519_generate(world.random);
  const Work unit = [&] {
    if (!kith::crypto::x25519_shared(mine.private_key.expose(), theirs.public_key.bytes)
             .has_value()) {
      give_up("X25519 failed");
    }
  };
  const auto recipients = bob.recipients();
  const auto auth = [&] {
    return kith::protocol::pack_authcrypt(message, alice.agreement, recipients, {}, world.keys,
                                          world.random);
  };
  const auto anon = [&] {
    return kith::protocol::pack_anoncrypt(message, recipients, {}, world.keys, world.random);
  };
  const auto packed_auth = auth();
  const auto packed_anon = anon();
  if (!packed_auth.has_value() || !packed_anon.has_value()) give_up("packing failed");
  const Work pack_auth = [&] {
    if (!auth().has_value()) give_up("packing failed");
  };
  const Work pack_anon = [&] {
    if (!anon().has_value()) give_up("packing failed");
  };
  const auto open = [&](const std::string& text) {
    if (!world.open(text, bob).has_value()) give_up("unpacking failed");
  };

  constexpr auto kCbc = ContentEncryption::a256cbc_hs512;
  const Floor whole{kCbc, true, 1, mine, theirs, world};
  const Floor kept{kCbc, true, 0, mine, theirs, world};
  const Floor anonymous{kCbc, false, 0, mine, theirs, world};

  std::printf("1 KiB body, one recipient key, DID documents at hand; X = one X25519 operation;\n");
  std::printf("floor = the same cryptographic steps alone; kept = static halves in memory\n\n");
  std::printf("| operation                        |    ratio | floor |        time |\n");
  std::printf("|----------------------------------|----------|-------|-------------|\n");
  row("X25519 (against itself)", unit, unit, unit);
  world.keys.keep_agreements(0);
  row(
      "authcrypt pack", unit, [&] { whole.pack(); }, pack_auth);
  row("authcrypt unpack", unit, whole.unpack(), [&] { open(*packed_auth); });
  world.keys.keep_agreements(kith::limits::kAgreementCacheMax);
  row(
      "authcrypt pack, kept", unit, [&] { kept.pack(); }, pack_auth);
  row("authcrypt unpack, kept", unit, kept.unpack(), [&] { open(*packed_auth); });
  row(
      "anoncrypt pack", unit, [&] { anonymous.pack(); }, pack_anon);
  row("anoncrypt unpack", unit, anonymous.unpack(), [&] { open(*packed_anon); });
  return 0;
}
