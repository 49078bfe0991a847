// Envelopes as multiples of one X25519 operation, and of their composed floor: the same
// cryptographic steps called one after the other, without JSON, sealed keys, DID documents or
// checks.

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "bench/floor.hpp"
#include "bench/timing.hpp"
#include "crypto/ec_x25519.hpp"
#include "crypto/limits.hpp"
#include "protocol/envelope.hpp"
#include "tests/support/parties.hpp"

namespace {

using kith::bench::Floor;
using kith::bench::give_up;
using kith::bench::microseconds;
using kith::bench::Timed;
using kith::bench::timed;
using kith::bench::Work;
using kith::test::Party;
using kith::test::World;

std::size_t g_pairs = 300;
constexpr std::size_t kReferenceRuns = 8;
constexpr std::size_t kSubjectRuns = 2;

void row(const char* name, const Work& unit, const Work& floor, const Work& own_floor,
         const Work& subject) {
  const Timed in_units = timed(g_pairs, {unit, kReferenceRuns}, {subject, kSubjectRuns});
  const Timed over_floor = timed(g_pairs, {floor, kSubjectRuns}, {subject, kSubjectRuns});
  const Timed over_own = timed(g_pairs, {own_floor, kSubjectRuns}, {subject, kSubjectRuns});
  std::printf("| %-24s | %6.2f X | %5.2f | %9.2f | %8.1f us |\n", name, in_units.ratio,
              over_floor.ratio, over_own.ratio, in_units.time_us);
}

/// The npm package didcomm-node in a process of its own (didcomm_node.mjs). Nothing where Node.js
/// or the package is not there.
class DidcommNode {
 public:
  DidcommNode() {
    const char* prefix = std::getenv("KITH_NPM_PREFIX");
    const char* home = std::getenv("HOME");
    const std::string packages =
        (prefix != nullptr ? std::string(prefix)
                           : std::string(home == nullptr ? "" : home) + "/.cache/kith/npm") +
        "/didcomm-node";
    int to_node[2], from_node[2];
    if (::access((packages + "/node_modules").c_str(), R_OK) != 0) return;
    if (::pipe(to_node) != 0 || ::pipe(from_node) != 0) give_up("no pipe");
    ::setenv("KITH_INTEROP_PACKAGES", packages.c_str(), 1);
    const pid_t pid = ::fork();
    if (pid < 0) give_up("no process");
    if (pid == 0) {
      ::dup2(to_node[0], STDIN_FILENO);
      ::dup2(from_node[1], STDOUT_FILENO);
      for (const int end : {to_node[0], to_node[1], from_node[0], from_node[1]}) ::close(end);
      ::execlp("node", "node", KITH_SOURCE_DIR "/bench/didcomm_node.mjs", nullptr);
      ::_exit(127);
    }
    ::close(to_node[0]);
    ::close(from_node[1]);
    in_ = to_node[1];
    out_ = from_node[0];
    there_ = line() == "ready";
  }
  ~DidcommNode() {
    if (in_ >= 0) ::close(in_);  // It ends with its input.
    if (out_ >= 0) ::close(out_);
  }
  DidcommNode(const DidcommNode&) = delete;
  DidcommNode& operator=(const DidcommNode&) = delete;

  [[nodiscard]] bool there() const { return there_; }
  /// Of one operation, in a block.
  [[nodiscard]] double block_us(const std::string& operation) const {
    const std::string ask = operation + "\n";
    if (::write(in_, ask.data(), ask.size()) != static_cast<ssize_t>(ask.size())) {
      give_up("didcomm-node has ended");
    }
    return std::strtod(line().c_str(), nullptr);
  }

 private:
  [[nodiscard]] std::string line() const {
    std::string text;
    for (char c = 0; ::read(out_, &c, 1) == 1 && c != '\n';) text += c;
    return text;
  }
  int in_ = -1;
  int out_ = -1;
  bool there_ = false;
};

/// Least of blocks that take turns.
void compare(const DidcommNode& peer, const char* operation, const Work& ours) {
  constexpr std::size_t kBlocks = 25;
  constexpr std::size_t kBlock = 10;
  double least_us = 1e18, peer_least_us = 1e18;
  for (std::size_t i = 0; i < std::min(kBlocks, g_pairs); ++i) {
    least_us = std::min(least_us, microseconds(kBlock, ours));
    peer_least_us = std::min(peer_least_us, peer.block_us(operation));
  }
  std::printf("| authcrypt %-6s | %15.0f | %9.0f | %6.1f |\n", operation, peer_least_us, least_us,
              peer_least_us / least_us);
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
  const DidcommNode peer;
  if (!peer.there()) {
    std::printf(
        "\nNo comparison with didcomm-node: Node.js or the package is not there "
        "(scripts/install-deps.sh test).\n");
    return 0;
  }
  world.keys.keep_agreements(0);
  std::printf("\nThe same beside didcomm-node, warmed up, nothing kept\n\n");
  std::printf("| operation        | didcomm-node us |   Kith us |  ratio |\n");
  std::printf("|------------------|-----------------|-----------|--------|\n");
  compare(peer, "pack", pack_auth);
  compare(peer, "unpack", open_auth);
  return 0;
}
