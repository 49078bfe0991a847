#pragma once

/// Byte search for secrets that must never be seen outside their nodes: on the wire, and on the
/// disks of mediator and ledger. Each is looked for raw, in hex, and in base64url at all three
/// alignments.

#include <array>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/bytes.hpp"

namespace kith::sim {

class CanarySearch {
 public:
  /// `secret` has at least 12 bytes (asserted): shorter ones appear by chance.
  void add(const std::string& name, ByteView secret);
  /// Names of the secrets found in `bytes`; mostly none.
  [[nodiscard]] std::vector<std::string> find(ByteView bytes) const;

 private:
  struct Pattern {
    std::string name;
    Bytes bytes;
  };
  void add_pattern(const std::string& name, ByteView bytes);

  std::vector<Pattern> patterns_;
  std::map<std::uint16_t, std::vector<std::size_t>> by_start_;  ///< First two bytes.
  using Starts = std::array<bool, 65'536>;
  std::unique_ptr<Starts> starts_ = std::make_unique<Starts>();
};

}  // namespace kith::sim
