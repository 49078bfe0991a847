#pragma once

/// The slots sheet and the anchor of a set (recovery-protocol section 3). The sheet lets a device
/// tell right answers from wrong ones without showing how many trustees there are or how many are
/// needed; the anchor lets it be found from the policy log, by holders of Y only.

#include <vector>

#include "crypto/random.hpp"
#include "crypto/secret_point.hpp"
#include "recovery/ids.hpp"

namespace kith::recovery {

/// 01 || set id (16) || salt (32) || limits::kSheetSlots slots of 32 bytes.
inline constexpr std::size_t kSheetBytes = 1 + 16 + 32 + 256 * 32;

/// Leaf as the sheet knows it.
struct SheetLeaf {
  RecordId record_id{};
  std::uint64_t version = 0;
  XPath x_path;
  Point share_point;
};
struct SheetNode {
  XPath x_path;  ///< Not the root's.
  Point point;
};

class Sheet {
 public:
  /// What goes onto a sheet; everything else on it is random filler.
  struct Contents {
    SetId set_id{};
    std::vector<SheetLeaf> leaves;
    std::vector<Point> paper;      ///< S_i of paper leaves.
    std::vector<SheetNode> nodes;  ///< Inner nodes but the root.
  };
  /// Draws salt, fillers and order. Asserts that the contents fit, as every plan's do.
  [[nodiscard]] static Sheet make(const Contents& contents, Random& random);
  /// Errors: malformed.
  [[nodiscard]] static Result<Sheet> parse(ByteView bytes);

  [[nodiscard]] const Bytes& encoded() const { return encoded_; }  ///< kSheetBytes.
  [[nodiscard]] const SetId& set_id() const { return set_id_; }
  [[nodiscard]] bool has_leaf(const SheetLeaf& leaf) const;
  [[nodiscard]] bool has_paper(const Point& share_point) const;
  [[nodiscard]] bool has_node(const XPath& x_path, const Point& point) const;
  /// H("sheet", encoded).
  [[nodiscard]] Digest digest() const;

 private:
  Sheet() = default;
  [[nodiscard]] bool has(const Digest& slot) const;

  SetId set_id_{};
  Salt salt_{};
  Bytes encoded_;
};

/// H("capsule", bytes).
[[nodiscard]] Digest capsule_digest(ByteView capsule);

/// H("anchor", Y, set id, digest(sheet), digest(capsule)): the policy log's `state.set`.
[[nodiscard]] Digest anchor(const SecretPoint& recovery_key, const SetId& set_id,
                            const Digest& sheet_digest, const Digest& capsule_digest);
/// As the policy log holds it: multibase ('z', base58btc).
[[nodiscard]] std::string anchor_text(const Digest& anchor);

}  // namespace kith::recovery
