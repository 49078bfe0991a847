// Envelopes as multiples of one X25519 operation timed in the same run, so that the machine's speed
// and its other work cancel out. Each pair times a block of the reference, then a block of the
// subject; the median of the pairs' ratios is printed. Absolute times are for orientation only.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "crypto/ec_x25519.hpp"
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

void row(const char* name, const std::function<void()>& reference,
         const std::function<void()>& subject) {
  std::vector<double> ratios, times;
  for (std::size_t i = 0; i < kPairs; ++i) {
    const double unit = microseconds(kReferenceRuns, reference);
    times.push_back(microseconds(kSubjectRuns, subject));
    ratios.push_back(times.back() / unit);
  }
  std::printf("| %-34s | %6.2f X | %8.1f us |\n", name, median(ratios), median(times));
}

[[noreturn]] void give_up(const char* what) {
  std::fprintf(stderr, "bench_envelope: %s\n", what);
  std::exit(1);
}

}  // namespace

int main() {
  World world;
  Party alice = world.make_party();
  Party bob = world.make_party();
  kith::Message message = world.message(alice, bob);
  message.body = {{"content", std::string(1024, 'x')}};

  const auto mine = kith::crypto::x25519_generate(world.random);
  const auto theirs = kith::crypto::x25519_generate(world.random);
  const auto reference = [&] {
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
  const auto open = [&](const std::string& text) {
    if (!world.open(text, bob).has_value()) give_up("unpacking failed");
  };

  std::printf("1 KiB body, one recipient key, DID documents at hand; X = one X25519 operation\n\n");
  std::printf("| operation                          |    ratio |        time |\n");
  std::printf("|------------------------------------|----------|-------------|\n");
  row("X25519 (reference against itself)", reference, reference);
  row("authcrypt pack", reference, [&] {
    if (!auth().has_value()) give_up("packing failed");
  });
  row("authcrypt unpack, all checks", reference, [&] { open(*packed_auth); });
  row("anoncrypt pack", reference, [&] {
    if (!anon().has_value()) give_up("packing failed");
  });
  row("anoncrypt unpack, all checks", reference, [&] { open(*packed_anon); });
  return 0;
}
