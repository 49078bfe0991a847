#include "crypto/secret_bytes.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

namespace kith::crypto {
namespace {

bool all_zero(ByteView bytes) {
  return std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; });
}

static_assert(!std::is_copy_constructible_v<SecretBytes>);
static_assert(!std::is_copy_assignable_v<SecretBytes>);

TEST(SecretBytes, StartsZeroedAtEverySizeAlsoInReusedMemory) {
  for (const std::size_t size : {1u, 31u, 32u, 33u, 64u, 65u, 1000u, 4096u, 4097u, 100000u}) {
    for (int round = 0; round < 3; ++round) {
      SecretBytes secret(size);
      ASSERT_EQ(secret.size(), size);
      EXPECT_TRUE(all_zero(secret.expose()));
      std::ranges::fill(secret.expose_mutable(), std::uint8_t{0xa5});
    }
  }
}

TEST(SecretBytes, GivesEveryLivingSecretMemoryOfItsOwn) {
  std::vector<SecretBytes> secrets;
  for (std::size_t i = 0; i < 5000; ++i) {
    secrets.emplace_back(1 + i % 200);
    std::ranges::fill(secrets.back().expose_mutable(), static_cast<std::uint8_t>(i));
  }
  for (std::size_t i = 0; i < secrets.size(); ++i) {
    const auto content = secrets[i].expose();
    EXPECT_TRUE(std::ranges::all_of(
        content, [&](std::uint8_t byte) { return byte == static_cast<std::uint8_t>(i); }));
  }
}

TEST(SecretBytes, MovesWithoutCopyingAndWipesWhatItReplaces) {
  SecretBytes first(48);
  const auto* const old_place = first.expose().data();
  std::ranges::fill(first.expose_mutable(), std::uint8_t{1});
  SecretBytes second(48);
  std::ranges::fill(second.expose_mutable(), std::uint8_t{2});
  const auto* const moved_place = second.expose().data();
  first = std::move(second);
  EXPECT_EQ(first.expose().data(), moved_place);
  EXPECT_EQ(first.expose()[0], 2);
  // The replaced block is free again: the next secret of that size takes it, and finds zeros.
  const SecretBytes third(48);
  EXPECT_EQ(third.expose().data(), old_place);
  EXPECT_TRUE(all_zero(third.expose()));
}

TEST(SecretBytes, TakeWipesTheSourceAndCopyOfDoesNot) {
  Bytes source{1, 2, 3};
  const SecretBytes copy = SecretBytes::copy_of(source);
  EXPECT_EQ(source, (Bytes{1, 2, 3}));
  const auto* const place = source.data();
  const SecretBytes taken = SecretBytes::take(source);
  EXPECT_TRUE(source.empty());
  EXPECT_TRUE(all_zero({place, 3}));
  EXPECT_TRUE(equal_constant_time(taken.expose(), copy.expose()));
  EXPECT_TRUE(equal_constant_time(taken.clone().expose(), copy.expose()));
}

TEST(SecretBytes, EmptyIsAllowed) {
  const SecretBytes empty;
  EXPECT_TRUE(empty.empty());
  EXPECT_TRUE(SecretBytes(0).clone().empty());
  EXPECT_TRUE(equal_constant_time(empty.expose(), {}));
}

TEST(SecretBytes, ComparesByContentAndLength) {
  const Bytes a{1, 2, 3};
  const Bytes b{1, 2, 4};
  EXPECT_TRUE(equal_constant_time(a, a));
  EXPECT_FALSE(equal_constant_time(a, b));
  EXPECT_FALSE(equal_constant_time(a, ByteView(a).first(2)));
}

// The address sanitizer turns mlock into a call that does nothing.
#ifdef __SANITIZE_ADDRESS__
constexpr bool kCanLock = false;
#else
constexpr bool kCanLock = true;
#endif

TEST(SecretBytes, LiesOnPagesKeptFromSwapAndCoreDumps) {
  const SecretBytes secret(32);
  const SecretBytes large(10000);
  for (const SecretBytes* each : {&secret, &large}) {
    const auto place = reinterpret_cast<std::uintptr_t>(each->expose().data());
    std::ifstream maps("/proc/self/smaps");
    std::string line;
    bool inside = false;
    std::string flags;
    while (std::getline(maps, line)) {
      unsigned long from = 0;
      unsigned long to = 0;
      if (std::sscanf(line.c_str(), "%lx-%lx ", &from, &to) == 2) {
        inside = place >= from && place < to;
      } else if (inside && line.starts_with("VmFlags:")) {
        flags = line + " ";
      }
    }
    ASSERT_FALSE(flags.empty());
    EXPECT_NE(flags.find(" dd "), std::string::npos) << flags;
    if (kCanLock && secret_memory_locked()) {
      EXPECT_NE(flags.find(" lo "), std::string::npos) << flags;
    }
  }
}

TEST(SecretBytes, ServesSeveralThreads) {
  std::vector<std::thread> threads;
  std::array<bool, 4> intact{};
  for (std::size_t t = 0; t < intact.size(); ++t) {
    threads.emplace_back([t, &intact] {
      bool good = true;
      for (std::size_t i = 0; i < 2000; ++i) {
        SecretBytes secret(1 + (i * 37) % 600);
        good = good && all_zero(secret.expose());
        std::ranges::fill(secret.expose_mutable(), static_cast<std::uint8_t>(t + 1));
        const SecretBytes kept = secret.clone();
        good = good && std::ranges::all_of(kept.expose(), [t](std::uint8_t byte) {
                 return byte == static_cast<std::uint8_t>(t + 1);
               });
      }
      intact[t] = good;
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const bool good : intact) EXPECT_TRUE(good);
}

}  // namespace
}  // namespace kith::crypto
