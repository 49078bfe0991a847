#include "crypto/random_health.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace kith::crypto {
namespace {

constexpr std::size_t kSamples = 4096;
/// Repetition count test (4.4.1): with 8 bits a sample, 1 + 56/8 equal ones in a row come once in
/// 2^56 samples, and 2^44 starts.
constexpr std::size_t kRepetitionsCutoff = 8;
/// Adaptive proportion test (4.4.2): a window's first sample comes so often in one of 2^50 windows.
constexpr std::size_t kWindow = 512;
constexpr std::size_t kProportionCutoff = 22;

}  // namespace

Result<void> check_random(Random& random) {
  const SecretBytes drawn = random.secret(kSamples);
  const ByteView samples = drawn.expose();
  std::size_t alike = 1;
  for (std::size_t i = 1; i < samples.size(); ++i) {
    alike = samples[i] == samples[i - 1] ? alike + 1 : 1;
    if (alike >= kRepetitionsCutoff) return fail(Errc::random_broken, "the same again and again");
  }
  for (std::size_t at = 0; at < samples.size(); at += kWindow) {
    const ByteView window = samples.subspan(at, kWindow);
    if (std::ranges::count(window, window[0]) >= static_cast<std::ptrdiff_t>(kProportionCutoff)) {
      return fail(Errc::random_broken, "one value comes far too often");
    }
  }
  const SecretBytes next = random.secret(kSamples);
  if (equal_constant_time(drawn.expose(), next.expose())) {
    return fail(Errc::random_broken, "two draws were alike");
  }
  return {};
}

}  // namespace kith::crypto
