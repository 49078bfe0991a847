// libFuzzer's door to one target: compiled once for each, with KITH_FUZZ_TARGET as its name.

#include <cstddef>
#include <cstdint>

#include "fuzz/target.hpp"

// An exception that leaves it ends the program, as libFuzzer expects of a find.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static_cast<void>(kith::fuzz::KITH_FUZZ_TARGET({data, size}));
  return 0;
}
