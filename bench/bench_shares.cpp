// Shares on paper and of files. SLIP-0039 beside OpenSSL's PBKDF2 with the same number of hashes,
// which is nearly all of its work; shares of files beside as many bytes of SHA-256.
//
//   bench_shares [--short]

#include <openssl/evp.h>

#include <cstdio>
#include <string_view>

#include "bench/timing.hpp"
#include "crypto/file_shares.hpp"
#include "crypto/hash.hpp"
#include "crypto/slip39.hpp"

namespace {

using namespace kith;

template <class T>
T must(Result<T> result, const char* what) {
  if (!result.has_value()) bench::give_up(what);
  return std::move(*result);
}

/// Four rounds of so many, as the standard has them.
void openssl_rounds(std::uint8_t exponent) {
  const Bytes password(8, 'p');
  const Bytes salt(16, 's');
  Bytes key(16);
  for (int round = 0; round < 4; ++round) {
    PKCS5_PBKDF2_HMAC(reinterpret_cast<const char*>(password.data()),
                      static_cast<int>(password.size()), salt.data(), static_cast<int>(salt.size()),
                      2500 << exponent, EVP_sha256(), static_cast<int>(key.size()), key.data());
  }
}

void run_slip39(std::size_t pairs, std::uint8_t exponent) {
  crypto::OsRandom random;
  const SecretBytes secret = random.secret(32);
  const crypto::Slip39Plan plan{1, {{3, 5}}, exponent, true};
  auto made = must(crypto::slip39_split(secret, {}, plan, random), "splitting");
  std::vector<SecretBytes> enough;
  for (std::size_t i = 0; i < 3; ++i) enough.push_back(std::move(made[0][i]));
  const bench::Work reference = [&] { openssl_rounds(exponent); };
  const bench::Work split = [&] {
    static_cast<void>(must(crypto::slip39_split(secret, {}, plan, random), "splitting"));
  };
  const bench::Work combine = [&] {
    static_cast<void>(must(crypto::slip39_combine(enough, {}), "combining"));
  };
  for (const auto& [name, work] : {std::pair{"split", &split}, std::pair{"combine", &combine}}) {
    const auto timed = bench::timed(pairs, {reference, 1}, {*work, 1});
    std::printf("slip39 3-of-5, 32 bytes, e=%d  %-8s %6.2f of OpenSSL's PBKDF2  (%.0f us)\n",
                exponent, name, timed.ratio, timed.time_us);
  }
}

void run_files(std::size_t pairs) {
  crypto::OsRandom random;
  const SecretBytes content = random.secret(crypto::share_limits::kFileBytesMax);
  auto lines = must(crypto::split_file(content, 3, 5, random), "splitting");
  const bench::Work reference = [&] { static_cast<void>(crypto::sha256(content.expose())); };
  const bench::Work split = [&] {
    static_cast<void>(must(crypto::split_file(content, 3, 5, random), "splitting"));
  };
  const bench::Work combine = [&] {
    static_cast<void>(must(crypto::combine_file(lines), "combining"));
  };
  for (const auto& [name, work] : {std::pair{"split", &split}, std::pair{"combine", &combine}}) {
    const auto timed = bench::timed(pairs, {reference, 8}, {*work, 1});
    std::printf("file 3-of-5, 64 KiB           %-8s %6.2f of its SHA-256  (%.0f us)\n", name,
                timed.ratio, timed.time_us);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const bool is_short = argc > 1 && std::string_view(argv[1]) == "--short";
  const std::size_t pairs = is_short ? 3 : 51;
  run_slip39(pairs, 0);
  run_slip39(pairs, 1);
  run_files(pairs);
}
