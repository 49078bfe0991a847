// Envelopes as multiples of one X25519 operation, and of their composed floor: the same
// cryptographic steps called one after the other, without JSON, sealed keys, DID documents or
// checks. Both are timed in the same run, so that the machine's speed and its other work cancel
// out. Each pair times a block of the reference, then a block of the subject; the median of the
// pairs' ratios is printed. Absolute times are for orientation only.

#include <openssl/evp.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "crypto/aead.hpp"
#include "crypto/ec_x25519.hpp"
#include "crypto/jwe.hpp"
#include "crypto/key_wrap.hpp"
#include "crypto/limits.hpp"
#include "protocol/envelope.hpp"
#include "tests/support/parties.hpp"

namespace {

using kith::Bytes;
using kith::crypto::as_bytes;
using kith::test::Party;
using kith::test::World;
using Clock = std::chrono::steady_clock;

std::size_t g_pairs = 300;
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
  for (std::size_t i = 0; i < g_pairs; ++i) {
    const double unit = microseconds(reference_runs, reference);
    times.push_back(microseconds(kSubjectRuns, subject));
    ratios.push_back(times.back() / unit);
  }
  return {median(ratios), median(times)};
}

void row(const char* name, const Work& unit, const Work& floor, const Work& own_floor,
         const Work& subject) {
  const Timed in_units = timed(unit, kReferenceRuns, subject);
  const Timed over_floor = timed(floor, kSubjectRuns, subject);
  const Timed over_own = timed(own_floor, kSubjectRuns, subject);
  std::printf("| %-24s | %6.2f X | %5.2f | %9.2f | %8.1f us |\n", name, in_units.ratio,
              over_floor.ratio, over_own.ratio, in_units.time);
}

[[noreturn]] void give_up(const char* what) {
  std::fprintf(stderr, "bench_envelope: %s\n", what);
  std::exit(1);
}

Bytes openssl_wrap(const kith::SecretBytes& kek, kith::ByteView in, bool wrapping) {
  static EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-WRAP", nullptr);
  const std::unique_ptr<EVP_CIPHER_CTX, void (*)(EVP_CIPHER_CTX*)> context(EVP_CIPHER_CTX_new(),
                                                                           EVP_CIPHER_CTX_free);
  EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  Bytes out(in.size() + 16);
  int length = 0;
  if (EVP_CipherInit_ex2(context.get(), cipher, kek.expose().data(), nullptr, wrapping ? 1 : 0,
                         nullptr) != 1 ||
      EVP_CipherUpdate(context.get(), out.data(), &length, in.data(),
                       static_cast<int>(in.size())) != 1) {
    give_up("OpenSSL's key wrap failed");
  }
  out.resize(static_cast<std::size_t>(length));
  return out;
}

/// The cryptographic steps of one envelope that was really packed: the same plaintext, headers and
/// keys. `wraps`: by OpenSSL's own key wrap, as an application would, or by Kith's. `statics`: how
/// many of the two static-static agreements are computed (one in authcrypt without what is kept,
/// none otherwise).
class Floor {
 public:
  enum class Wraps { openssl, kith };
  Floor(Wraps wraps, const std::string& packed, std::string plaintext, std::size_t statics,
        World& world, const kith::crypto::RawKeyPair& mine, const kith::crypto::RawKeyPair& theirs)
      : wraps_(wraps),
        statics_(statics),
        world_(world),
        mine_(mine),
        theirs_(theirs),
        text_(std::move(plaintext)) {
    auto parsed = kith::crypto::parse_jwe(packed);
    if (!parsed.has_value()) give_up("an envelope cannot be read");
    jwe_ = std::move(*parsed);
    header_ = kith::crypto::from_base64url(jwe_.protected_text).value();
  }

  [[nodiscard]] Work pack() const {
    return [this] {
      const auto ephemeral = kith::crypto::x25519_generate(world_.random);
      const auto sizes = kith::crypto::sizes_of(jwe_.enc);
      const kith::SecretBytes cek = world_.random.secret(sizes.key_bytes);
      const Bytes iv = world_.random.bytes(sizes.iv_bytes);
      const std::string header = kith::crypto::base64url(header_);
      const auto sealed =
          kith::crypto::aead_encrypt(jwe_.enc, cek, iv, as_bytes(header), as_bytes(text_));
      const auto wrapped = wrap(kek(ephemeral.private_key.expose()), cek);
      if (!wrapped.has_value() || kith::crypto::base64url(sealed.ciphertext).empty()) {
        give_up("the floor failed");
      }
    };
  }

  /// Opens what was made once.
  [[nodiscard]] Work unpack() const {
    const kith::SecretBytes cek = world_.random.secret(kith::crypto::sizes_of(jwe_.enc).key_bytes);
    const auto sealed = kith::crypto::aead_encrypt(jwe_.enc, cek, jwe_.iv,
                                                   as_bytes(jwe_.protected_text), as_bytes(text_));
    const Bytes wrapped = kith::crypto::wrap_key(kek(mine_.private_key.expose()), cek).value();
    const std::string text = kith::crypto::base64url(sealed.ciphertext);
    return [this, wrapped, text, tag = sealed.tag] {
      const auto opened = unwrap(kek(mine_.private_key.expose()), wrapped);
      const auto header = kith::crypto::from_base64url(jwe_.protected_text);
      const auto ciphertext = kith::crypto::from_base64url(text);
      if (!opened.has_value() || !header.has_value() || !ciphertext.has_value() ||
          !kith::crypto::aead_decrypt(jwe_.enc, *opened, jwe_.iv, as_bytes(jwe_.protected_text),
                                      *ciphertext, tag)
               .has_value()) {
        give_up("the floor failed");
      }
    };
  }

 private:
  [[nodiscard]] kith::crypto::Result<Bytes> wrap(const kith::SecretBytes& kek,
                                                 const kith::SecretBytes& key) const {
    if (wraps_ == Wraps::kith) return kith::crypto::wrap_key(kek, key);
    return openssl_wrap(kek, key.expose(), true);
  }
  [[nodiscard]] kith::crypto::Result<kith::SecretBytes> unwrap(const kith::SecretBytes& kek,
                                                               const Bytes& wrapped) const {
    if (wraps_ == Wraps::kith) return kith::crypto::unwrap_key(kek, wrapped);
    return kith::SecretBytes::copy_of(openssl_wrap(kek, wrapped, false));
  }
  [[nodiscard]] kith::SecretBytes agreed(kith::ByteView private_key) const {
    auto z = kith::crypto::x25519_shared(private_key, theirs_.public_key.bytes);
    for (std::size_t i = 0; i < statics_; ++i) {
      z = kith::crypto::x25519_shared(mine_.private_key.expose(), theirs_.public_key.bytes);
    }
    if (!z.has_value()) give_up("X25519 failed");
    return std::move(*z);
  }
  [[nodiscard]] kith::SecretBytes kek(kith::ByteView private_key) const {
    const bool authenticated = jwe_.agreement == kith::crypto::KeyAgreement::ecdh_1pu;
    return kith::crypto::concat_kdf(agreed(private_key).expose(), alg_name(jwe_.agreement),
                                    jwe_.apu, jwe_.apv,
                                    authenticated ? kith::ByteView(jwe_.tag) : kith::ByteView());
  }

  Wraps wraps_;
  std::size_t statics_;
  World& world_;
  const kith::crypto::RawKeyPair& mine_;
  const kith::crypto::RawKeyPair& theirs_;
  std::string text_;
  Bytes header_;
  kith::crypto::ParsedJwe jwe_;
};

}  // namespace

int main(int argc, char** argv) {
  using kith::protocol::pack_anoncrypt;
  using kith::protocol::pack_authcrypt;
  if (argc > 1 && std::string_view(argv[1]) == "--short") g_pairs = 5;
  World world;
  Party alice = world.make_party();
  Party bob = world.make_party();
  kith::Message message = world.message(alice, bob);
  message.body = {{"content", std::string(1024, 'x')}};
  kith::protocol::PackOptions options;
  options.pad = false;  // As to peers that are not Kith.

  const auto mine = kith::crypto::x25519_generate(world.random);
  const auto theirs = kith::crypto::x25519_generate(world.random);
  const Work unit = [&] {
    if (!kith::crypto::x25519_shared(mine.private_key.expose(), theirs.public_key.bytes)
             .has_value()) {
      give_up("X25519 failed");
    }
  };
  const auto packed_by = [&](bool authenticated) {
    const auto recipient = world.dids.resolve(bob.did);
    auto packed = authenticated
                      ? pack_authcrypt(message, alice.agreement, recipient->agreement_keys(),
                                       options, world.keys, world.random)
                      : pack_anoncrypt(message, recipient->agreement_keys(), options, world.keys,
                                       world.random);
    if (!packed.has_value()) give_up("packing failed");
    return std::move(*packed);
  };
  const auto opened = [&](const std::string& text) {
    auto unpacked = world.open(text, bob);
    if (!unpacked.has_value()) give_up("unpacking failed");
    return std::move(*unpacked);
  };
  const std::string auth = packed_by(true);
  const std::string anon = packed_by(false);
  const std::string plaintext = opened(auth).plaintext;
  const Work pack_auth = [&] { static_cast<void>(packed_by(true)); };
  const Work pack_anon = [&] { static_cast<void>(packed_by(false)); };
  const Work open_auth = [&] { static_cast<void>(opened(auth)); };
  const Work open_anon = [&] { static_cast<void>(opened(anon)); };
  std::printf(
      "1 KiB body, one recipient key, DIDs resolved for each message; kept: static halves of\n");
  std::printf(
      "authcrypt in memory. X: one X25519 operation; floor: the same cryptographic steps\n");
  std::printf(
      "alone, by the calls of libsodium and OpenSSL; own floor: with Kith's AES key wrap\n\n");
  std::printf("| operation                |    ratio | floor | own floor |        time |\n");
  std::printf("|--------------------------|----------|-------|-----------|-------------|\n");
  row("X25519 (against itself)", unit, unit, unit, unit);
  const auto rows = [&](const char* pack_name, const char* open_name, const std::string& packed,
                        std::size_t statics, const Work& pack, const Work& open) {
    const Floor floor(Floor::Wraps::openssl, packed, plaintext, statics, world, mine, theirs);
    const Floor own(Floor::Wraps::kith, packed, plaintext, statics, world, mine, theirs);
    row(pack_name, unit, floor.pack(), own.pack(), pack);
    row(open_name, unit, floor.unpack(), own.unpack(), open);
  };
  world.keys.keep_agreements(0);
  rows("authcrypt pack", "authcrypt unpack", auth, 1, pack_auth, open_auth);
  world.keys.keep_agreements(kith::limits::kAgreementCacheMax);
  rows("authcrypt pack, kept", "authcrypt unpack, kept", auth, 0, pack_auth, open_auth);
  rows("anoncrypt pack", "anoncrypt unpack", anon, 0, pack_anon, open_anon);
  return 0;
}
