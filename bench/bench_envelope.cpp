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

#include "bench/floor.hpp"
#include "crypto/ec_x25519.hpp"
#include "crypto/limits.hpp"
#include "protocol/envelope.hpp"
#include "tests/support/parties.hpp"

namespace {

using kith::bench::Floor;
using kith::bench::give_up;
using kith::bench::Work;
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

}  // namespace

int main(int argc, char** argv) {
  const kith::crypto::OsRandom system_random;  // Lets libsodium choose its code for this processor.
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
    const Floor floor(Floor::Wraps::openssl, packed, plaintext, statics, world.random, mine,
                      theirs);
    const Floor own(Floor::Wraps::kith, packed, plaintext, statics, world.random, mine, theirs);
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
