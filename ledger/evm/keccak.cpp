#include "ledger/evm/keccak.hpp"

#include <array>
#include <bit>
#include <utility>

namespace kith::ledger::evm {

namespace {

constexpr std::size_t kRateBytes = 136;  // 200 of the state less twice the hash.
constexpr std::size_t kRounds = 24;

using State = std::array<std::uint64_t, 25>;  // Lane (x, y) at x + 5 * y.

/// FIPS 202, algorithm 5: one bit of a shift register for each of the places 0, 1, 3, 7 ... 63.
constexpr std::array<std::uint64_t, kRounds> round_constants() {
  std::array<std::uint64_t, kRounds> constants{};
  std::uint8_t bits = 1;
  for (std::uint64_t& constant : constants) {
    for (unsigned j = 0; j < 7; ++j) {
      if ((bits & 1U) != 0) constant |= std::uint64_t{1} << ((1U << j) - 1);
      const bool carry = (bits & 0x80U) != 0;
      bits = static_cast<std::uint8_t>((unsigned{bits} << 1U) ^ (carry ? 0x71U : 0U));
    }
  }
  return constants;
}

void mix_columns(State& state) {
  std::array<std::uint64_t, 5> parity{};
  for (std::size_t i = 0; i < state.size(); ++i) parity[i % 5] ^= state[i];
  for (std::size_t i = 0; i < state.size(); ++i) {
    state[i] ^= parity[(i + 4) % 5] ^ std::rotl(parity[(i + 1) % 5], 1);
  }
}

/// rho and pi in one walk over all lanes but (0, 0).
void rotate_and_move(State& state) {
  std::size_t x = 1;
  std::size_t y = 0;
  std::uint64_t carried = state[1];
  for (unsigned t = 0; t < 24; ++t) {
    const std::size_t next_y = (2 * x + 3 * y) % 5;
    x = y;
    y = next_y;
    const auto by = static_cast<int>(((t + 1) * (t + 2) / 2) % 64);
    std::swap(carried, state[x + 5 * y]);
    state[x + 5 * y] = std::rotl(state[x + 5 * y], by);
  }
}

void mix_rows(State& state) {
  for (std::size_t y = 0; y < 25; y += 5) {
    std::array<std::uint64_t, 5> row{};
    for (std::size_t x = 0; x < 5; ++x) row[x] = state[y + x];
    for (std::size_t x = 0; x < 5; ++x) {
      state[y + x] = row[x] ^ (~row[(x + 1) % 5] & row[(x + 2) % 5]);
    }
  }
}

void permute(State& state) {
  static constexpr auto kConstants = round_constants();
  for (const std::uint64_t constant : kConstants) {
    mix_columns(state);
    rotate_and_move(state);
    mix_rows(state);
    state[0] ^= constant;
  }
}

void absorb(State& state, ByteView block) {
  for (std::size_t i = 0; i < block.size(); ++i) {
    state[i / 8] ^= std::uint64_t{block[i]} << (8 * (i % 8));
  }
}

}  // namespace

Hash keccak256_padded(ByteView data, std::uint8_t first_pad) {
  State state{};
  while (data.size() >= kRateBytes) {
    absorb(state, data.first(kRateBytes));
    permute(state);
    data = data.subspan(kRateBytes);
  }
  std::array<std::uint8_t, kRateBytes> last{};
  for (std::size_t i = 0; i < data.size(); ++i) last[i] = data[i];
  last[data.size()] ^= first_pad;
  last.back() ^= 0x80;
  absorb(state, last);
  permute(state);
  Hash hash{};
  for (std::size_t i = 0; i < hash.size(); ++i) {
    hash[i] = static_cast<std::uint8_t>(state[i / 8] >> (8 * (i % 8)));
  }
  return hash;
}

Hash keccak256(ByteView data) {
  return keccak256_padded(data, 0x01);
}

}  // namespace kith::ledger::evm
