#include "recovery/sheet.hpp"

#include <algorithm>
#include <string>

#include "crypto/assert.hpp"
#include "crypto/hash.hpp"
#include "crypto/limits.hpp"

namespace kith::recovery {
namespace {

constexpr std::uint8_t kSheetFormat = 1;
constexpr std::size_t kHeaderBytes = 1 + 16 + 32;
constexpr std::size_t kSlotBytes = 32;
static_assert(kSheetBytes == kHeaderBytes + limits::kSheetSlots * kSlotBytes);

Digest leaf_slot(const Salt& salt, const SheetLeaf& leaf) {
  return crypto::digest(label("leaf"), {salt, leaf.record_id, u64_bytes(leaf.version),
                                        encode_x_path(leaf.x_path), leaf.share_point.bytes()});
}

Digest paper_slot(const Salt& salt, const Point& share_point) {
  return crypto::digest(label("paper"), {salt, share_point.bytes()});
}

Digest node_slot(const Salt& salt, const XPath& x_path, const Point& point) {
  return crypto::digest(label("node"), {salt, encode_x_path(x_path), point.bytes()});
}

}  // namespace

Sheet Sheet::make(const Contents& contents, Random& random) {
  Sheet sheet;
  sheet.set_id_ = contents.set_id;
  sheet.salt_ = random_id<Salt>(random);
  std::vector<Digest> slots;
  for (const SheetLeaf& leaf : contents.leaves) slots.push_back(leaf_slot(sheet.salt_, leaf));
  for (const Point& paper : contents.paper) slots.push_back(paper_slot(sheet.salt_, paper));
  for (const SheetNode& node : contents.nodes) {
    ASSERT(!node.x_path.empty());
    slots.push_back(node_slot(sheet.salt_, node.x_path, node.point));
  }
  ASSERT(slots.size() <= limits::kSheetSlots);
  while (slots.size() < limits::kSheetSlots) slots.push_back(random_id<Digest>(random));
  // Fisher-Yates: every order is equally likely.
  for (std::size_t i = slots.size() - 1; i > 0; --i) {
    std::swap(slots[i], slots[static_cast<std::size_t>(random.below(i + 1))]);
  }
  sheet.encoded_ = {kSheetFormat};
  crypto::append(sheet.encoded_, sheet.set_id_);
  crypto::append(sheet.encoded_, sheet.salt_);
  for (const Digest& slot : slots) crypto::append(sheet.encoded_, slot);
  return sheet;
}

Result<Sheet> Sheet::parse(ByteView bytes) {
  if (bytes.size() != kSheetBytes) return fail(Errc::malformed, "sheet: wrong size");
  if (bytes[0] != kSheetFormat) return fail(Errc::unsupported, "sheet: another format");
  Sheet sheet;
  std::copy_n(bytes.begin() + 1, sheet.set_id_.size(), sheet.set_id_.begin());
  std::copy_n(bytes.begin() + 17, sheet.salt_.size(), sheet.salt_.begin());
  sheet.encoded_ = crypto::to_bytes(bytes);
  return sheet;
}

bool Sheet::has(const Digest& slot) const {
  for (std::size_t at = kHeaderBytes; at < encoded_.size(); at += kSlotBytes) {
    if (std::equal(slot.begin(), slot.end(), encoded_.begin() + static_cast<std::ptrdiff_t>(at))) {
      return true;
    }
  }
  return false;
}

bool Sheet::has_leaf(const SheetLeaf& leaf) const {
  return has(leaf_slot(salt_, leaf));
}

bool Sheet::has_paper(const Point& share_point) const {
  return has(paper_slot(salt_, share_point));
}

bool Sheet::has_node(const XPath& x_path, const Point& point) const {
  return has(node_slot(salt_, x_path, point));
}

Digest Sheet::digest() const {
  return crypto::digest(label("sheet"), {encoded_});
}

Digest capsule_digest(ByteView capsule) {
  return crypto::digest(label("capsule"), {capsule});
}

Digest anchor(const SecretPoint& recovery_key, const SetId& set_id, const Digest& sheet_digest,
              const Digest& capsule_digest) {
  return crypto::digest(label("anchor"),
                        {recovery_key.expose(), set_id, sheet_digest, capsule_digest});
}

std::string anchor_text(const Digest& anchor) {
  return crypto::multibase(anchor);
}

}  // namespace kith::recovery
