#pragma once

/// The static half of authcrypt's key agreement (Zs of ECDH-1PU): the same for every message
/// between two keys, so it can be kept instead of computed again.
///
/// What is kept is as secret as the private keys it came from: it lies in locked memory
/// (SecretBytes), is bounded, and is wiped when it is pushed out, forgotten or cleared. The pair
/// that was not used for longest goes first. Thread-safety: none, as KeyOps.

#include <cstddef>
#include <list>
#include <map>

#include "crypto/bytes.hpp"
#include "crypto/secret_bytes.hpp"

namespace kith::crypto {

class AgreementCache {
 public:
  /// `pairs_max` 0 keeps nothing: every agreement is computed.
  explicit AgreementCache(std::size_t pairs_max) : pairs_max_(pairs_max) {}

  /// Null when the pair is not kept. The pointer holds until the next call.
  [[nodiscard]] const SecretBytes* find(ByteView own_public, ByteView peer_public);
  void keep(ByteView own_public, ByteView peer_public, const SecretBytes& zs);
  /// Every pair of which `public_key` is one half.
  void forget(ByteView public_key);
  void clear();
  /// Pushes out what is too much.
  void resize(std::size_t pairs_max);
  [[nodiscard]] std::size_t size() const { return pairs_.size(); }

 private:
  struct Pair {
    Bytes own;
    Bytes peer;
    friend auto operator<=>(const Pair&, const Pair&) = default;
  };
  struct Kept {
    SecretBytes zs;
    std::list<Pair>::iterator use;
  };
  void drop(std::map<Pair, Kept>::iterator entry);

  std::size_t pairs_max_;
  std::list<Pair> uses_;  ///< The latest first.
  std::map<Pair, Kept> pairs_;
};

}  // namespace kith::crypto
