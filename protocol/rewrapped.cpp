#include "protocol/rewrapped.hpp"

#include <algorithm>

#include "protocol/messenger.hpp"

namespace kith::protocol {
namespace {

/// Ours is what we can open.
bool is_ours(Host& host, const std::string& next) {
  const auto url = DidUrl::parse(next);
  if (!url.has_value()) return false;
  KnownDids known(host);
  const auto document = known.resolve(url->did());
  if (!document.has_value()) return false;
  OwnSecrets secrets(host);
  const auto keys = document->agreement_keys();
  return std::ranges::any_of(
      keys, [&](const NamedKey& key) { return secrets.find(key.kid).has_value(); });
}

}  // namespace

bool take_rewrapped(Host& host, const Inbound& inbound, const Forward& forward) {
  if (!is_ours(host, forward.next)) return false;
  for (const std::string& envelope : forward.envelopes) {
    host.arrived(crypto::to_bytes(envelope), {.no_new_clients = inbound.no_new_clients});
  }
  return true;
}

Result<void> Rewrapped::on_message(Host& host, const Inbound& inbound) {
  TRY(const Forward forward, parse_forward(inbound.message));
  if (take_rewrapped(host, inbound, forward)) return {};
  return fail(Errc::unknown_peer, "this agent relays no mail");
}

}  // namespace kith::protocol
