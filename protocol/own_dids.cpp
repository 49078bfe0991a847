#include <algorithm>

#include "protocol/pickup_parts.hpp"

/// Own DIDs that receive mail: registered at the mediator, repeated until it confirms.

namespace kith::protocol {
namespace {

constexpr std::string_view kOwnDids = "own-did";

/// Stored: never renumber.
enum class DidWish : std::uint8_t { add = 1, registered = 2, remove = 3, refused = 4 };
constexpr bool is_valid(DidWish wish) {
  return wish >= DidWish::add && wish <= DidWish::refused;
}

/// Nothing is to be asked of the mediator.
constexpr bool settled(DidWish wish) {
  return wish == DidWish::registered || wish == DidWish::refused;
}

struct OwnDid {
  DidWish wish = DidWish::add;
  template <class V>
  void visit(V& v) {
    v("wish", wish);
  }
};

}  // namespace

namespace pickup {

void send_registrations(Host& host) {
  auto state = state_of(host);
  if (!state || !mediator_grant(host)) return;
  JsonArray updates;
  for (const std::string& did : host.list(kOwnDids)) {
    const DidWish wish = load<OwnDid>(host, kOwnDids, did)->wish;
    if (settled(wish)) continue;
    if (updates.size() == limits::kRecipientUpdatesMax / 2) break;  // DIDs may be long.
    updates.push_back(
        JsonObject{{"recipient_did", did}, {"action", wish == DidWish::add ? "add" : "remove"}});
  }
  if (updates.empty()) return;
  static_cast<void>(ask(host, *state, kRecipientUpdate, {{"updates", std::move(updates)}}));
  host.set_timer(kModule, kRegister, host.now() + repeat_delay(state->tries));
  ++state->tries;
  save_state(host, *state);
}

Result<void> on_registered(Host& host, const Inbound& inbound, PickupState state) {
  TRY(const JsonArray* updated, crypto::json_array(inbound.message.body, "updated"));
  for (const Json& item : *updated) {
    TRY(const JsonObject* update, crypto::as_object(item, "updated"));
    TRY(const std::string did, crypto::json_string(*update, "recipient_did"));
    TRY(const std::string action, crypto::json_string(*update, "action"));
    TRY(const std::string result, crypto::json_string(*update, "result"));
    const auto own = load<OwnDid>(host, kOwnDids, did);
    if (!own) continue;
    if (result != "success" && result != "no_change") {
      save(host, kOwnDids, did, OwnDid{DidWish::refused});  // Asking again would not change it.
      host.notify(
          {"alarm",
           "Your mediator refuses to take mail for one of your contacts. Messages from them "
           "may not reach you; try `kith doctor`.",
           did,
           {}});
      continue;
    }
    if (action == "add" && own->wish == DidWish::add) {
      save(host, kOwnDids, did, OwnDid{DidWish::registered});
    } else if (action == "remove" && own->wish == DidWish::remove) {
      host.erase({std::string(kOwnDids), did});
    }
  }
  state.tries = 0;
  save_state(host, state);
  host.cancel_timer(kModule, kRegister);
  if (!all_registered(host)) send_registrations(host);
  return {};
}

}  // namespace pickup

using pickup::kModule;
using pickup::kRegister;

void register_own_did(Host& host, std::string_view did) {
  if (const auto own = load<OwnDid>(host, kOwnDids, did); own && own->wish == DidWish::registered) {
    return;
  }
  save(host, kOwnDids, did, OwnDid{DidWish::add});
  if (mediator_grant(host)) host.set_timer(kModule, kRegister, host.now());
}

void unregister_own_did(Host& host, std::string_view did) {
  if (!load<OwnDid>(host, kOwnDids, did)) return;
  save(host, kOwnDids, did, OwnDid{DidWish::remove});
  if (mediator_grant(host)) host.set_timer(kModule, kRegister, host.now());
}

bool all_registered(Host& host) {
  const auto dids = host.list(kOwnDids);
  return std::ranges::all_of(dids, [&](const std::string& did) {
    return settled(load<OwnDid>(host, kOwnDids, did)->wish);
  });
}

void register_all_again(Host& host) {
  for (const std::string& did : host.list(kOwnDids)) {
    if (settled(load<OwnDid>(host, kOwnDids, did)->wish)) {
      save(host, kOwnDids, did, OwnDid{DidWish::add});
    }
  }
  if (mediator_grant(host)) host.set_timer(kModule, kRegister, host.now());
}

}  // namespace kith::protocol
