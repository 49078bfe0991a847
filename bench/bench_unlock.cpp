// What the process of the keys costs: unlocking beside bare Argon2id with the same parameters, and
// an operation with a key beside the same one in this process.
//
//   bench_unlock [--short]

#include <cstdio>
#include <filesystem>
#include <string_view>

#include "bench/timing.hpp"
#include "crypto/limits.hpp"
#include "node/keys/key_host.hpp"
#include "node/storage/home.hpp"

namespace {

using namespace kith;

constexpr std::string_view kWords = "gravel unicorn teapot sideways";

template <class T>
T must(Result<T> result, const char* what) {
  if (!result.has_value()) bench::give_up(what);
  return std::move(*result);
}

struct BenchHome {
  BenchHome() {
    std::string name = (std::filesystem::temp_directory_path() / "kith-bench-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) bench::give_up("no temporary directory");
    path = name;
  }
  ~BenchHome() { std::filesystem::remove_all(path); }
  std::string path;
};

std::unique_ptr<node::KeyHost> start(const std::string& home) {
  node::KeyStart start{home, node::PassphraseFrom::here};
  start.passphrase = SecretBytes::copy_of(crypto::as_bytes(kWords));
  return must(node::start_key_process(std::move(start)), "the key process");
}

void run(bool is_short) {
  BenchHome home;
  crypto::OsRandom random;
  auto parameters = crypto::new_passphrase_parameters(random);
  if (is_short) {
    parameters.memory_bytes = limits::kArgonMemoryBytesMin;
    parameters.ops = limits::kArgonOpsMin;
  }
  const SecretBytes passphrase = SecretBytes::copy_of(crypto::as_bytes(kWords));
  // Of a test wallet, so that its cost is not raised on the way.
  auto made = must(node::Keystore::make(&passphrase, {parameters, true}, random), "a keystore");
  if (!node::Home::write_keystore(home.path, made.keystore).has_value()) {
    bench::give_up("the home");
  }
  const auto bare = [&] {
    must(crypto::derive_from_passphrase(passphrase, parameters), "Argon2id");
  };
  const auto unlock = [&] { static_cast<void>(start(home.path)); };
  const auto unlocked = bench::timed(is_short ? 1 : 15, {bare, 1}, {unlock, 1});
  std::printf("unlocking: %.3f of bare Argon2id, %.0f ms\n", unlocked.ratio,
              unlocked.time_us / 1000);

  const auto host = start(home.path);
  crypto::SoftwareKeys here(made.keys.root, random);
  const KeyPair key = must(here.generate(KeyType::ed25519, KeyPurpose::audit), "a key");
  const Bytes message(256, 1);
  const auto near = [&] { must(here.sign(key.sealed, message), "a signature"); };
  const auto far = [&] { must(host->ops().sign(key.sealed, message), "a signature"); };
  const auto signing = bench::timed(is_short ? 1 : 50, {near, 200}, {far, 200});
  std::printf("signing 256 bytes: %.2f of the same in this process, %.1f us\n", signing.ratio,
              signing.time_us);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view word = argc > 1 ? argv[1] : "";
  if (word == kith::node::kKeyProcessWord) return kith::node::run_key_process();
  run(word == "--short");
}
