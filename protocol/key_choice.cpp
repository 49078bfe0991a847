#include "protocol/key_choice.hpp"

#include <algorithm>

namespace kith::protocol {

std::vector<std::vector<NamedKey>> by_curve(const std::vector<NamedKey>& keys) {
  std::vector<std::vector<NamedKey>> groups;
  for (const KeyType curve : kCurvesByPreference) {
    std::vector<NamedKey> group;
    for (const NamedKey& key : keys) {
      if (key.key.type == curve) group.push_back(key);
    }
    if (!group.empty()) groups.push_back(std::move(group));
  }
  return groups;
}

Result<std::vector<NamedKey>> keys_on_curve(const std::vector<NamedKey>& recipients,
                                            KeyType curve) {
  for (auto& group : by_curve(recipients)) {
    if (group.front().key.type == curve) return std::move(group);
  }
  return fail(Errc::unsupported, "the recipient has no key on the curve of the sender's key");
}

Result<std::vector<NamedKey>> preferred_keys(const std::vector<NamedKey>& recipients) {
  auto groups = by_curve(recipients);
  if (groups.empty()) {
    return fail(Errc::unsupported, "the recipient has no key that Kith can encrypt to");
  }
  return std::move(groups.front());
}

Result<SenderKey> choose_sender(const DidDocument& own, Secrets& secrets,
                                const std::vector<NamedKey>& recipients) {
  bool any_held = false;
  for (const std::vector<NamedKey>& group : by_curve(own.agreement_keys())) {
    const KeyType curve = group.front().key.type;
    const bool shared = std::ranges::any_of(
        recipients, [curve](const NamedKey& key) { return key.key.type == curve; });
    for (const NamedKey& key : group) {
      auto sealed = secrets.find(key.kid);
      if (!sealed) continue;
      any_held = true;
      if (shared) return SenderKey{key.kid, std::move(*sealed), curve};
    }
  }
  if (!any_held) return fail(Errc::not_found, "no key of ours for " + own.id.text());
  return fail(Errc::unsupported, "sender and recipient have no curve in common");
}

}  // namespace kith::protocol
