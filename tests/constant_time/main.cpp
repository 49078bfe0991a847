/// The program that the check of constant time runs under valgrind: `constant_time CASE`, or
/// `constant_time all` for every case that must not leak.

#include <array>
#include <cstdio>
#include <string_view>

#include "tests/constant_time/cases.hpp"
#include "tests/constant_time/marks.hpp"

namespace {

using namespace kith::test;

struct Case {
  std::string_view name;
  void (*run)();
};

constexpr std::array kCases = {
    Case{"compare_secrets", compare_secrets},
    Case{"derive_keys", derive_keys},
    Case{"share_bytes", share_bytes},
    Case{"encrypt_and_decrypt", encrypt_and_decrypt},
    Case{"wrap_and_agree", wrap_and_agree},
    Case{"sign_with_secp256k1", sign_with_secp256k1},
    Case{"deal_and_combine", deal_and_combine},
    Case{"prove_shares", prove_shares},
    Case{"seal_and_open_backup", seal_and_open_backup},
    Case{"use_software_keys", use_software_keys},
    Case{"prove_agent", prove_agent},
};

struct Leak {
  std::string_view name;
  int (*run)();
};

constexpr std::array kLeaks = {
    Leak{"leak_by_branch", leak_by_branch},
    Leak{"leak_by_address", leak_by_address},
    Leak{"leak_by_comparison", leak_by_comparison},
};

volatile int kept = 0;

}  // namespace

int main(int count, char** words) {
  if (count != 2 || RUNNING_ON_VALGRIND == 0) {
    std::fputs("usage: valgrind constant_time all|CASE\n", stderr);
    return 2;
  }
  const std::string_view wanted = words[1];
  kith::crypto::OsRandom start_libsodium;
  int run = 0;
  for (const Case& each : kCases) {
    if (wanted != "all" && wanted != each.name) continue;
    const auto errors = VALGRIND_COUNT_ERRORS;
    each.run();
    ++run;
    std::printf("%s: %u places\n", each.name.data(), VALGRIND_COUNT_ERRORS - errors);
  }
  for (const Leak& leak : kLeaks) {
    if (wanted != leak.name) continue;
    kept = leak.run();
    ++run;
  }
  return run > 0 ? 0 : 2;
}
