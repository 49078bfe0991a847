#pragma once

/// The people whose envelopes lie in the corpora. All of it comes from one seed, so that an
/// envelope that was packed once opens in every run.

#include "tests/support/parties.hpp"

namespace kith::fuzz {

struct Cast {
  Cast();

  test::World world;
  test::Party alice;
  test::Party bob;  ///< The reader.
  Message word;     ///< From Alice to Bob: what every authentic envelope in the corpus holds.
  Message ping;     ///< Likewise, for an agent that answers.
};

[[nodiscard]] Cast& cast();

}  // namespace kith::fuzz
