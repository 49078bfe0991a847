#pragma once

/// What the files of the pickup module share: its record, and asking the mediator.

#include <optional>
#include <string>
#include <string_view>

#include "protocol/mediator.hpp"
#include "protocol/messenger.hpp"
#include "protocol/own_service.hpp"
#include "protocol/pickup.hpp"
#include "protocol/pickup_dialect.hpp"

namespace kith::protocol::pickup {

inline constexpr std::string_view kModule = "pickup";

// Timers and contexts of effects.
inline constexpr std::string_view kPoll = "poll";
inline constexpr std::string_view kRegister = "register";
inline constexpr std::string_view kMediate = "mediate";
inline constexpr std::string_view kLive = "live";
inline constexpr std::string_view kCheck = "check";

/// Record meta/pickup.
struct PickupState {
  std::string mediator;  ///< Contact id.
  Duration interval{0};
  std::uint32_t tries = 0;     ///< Of the open mediation or registration request.
  bool refused = false;        ///< The mediator did not take our last request.
  std::string registration;    ///< Message id of the last registration request.
  std::uint32_t failures = 0;  ///< Polls that failed since one succeeded.
  bool newer = false;          ///< The mediator says that it speaks message-pickup 4.0.
  std::string question;        ///< Id of the feature query about that, while it is open.
  Time asked{};                ///< When that was.
  // Live mode, of this life of the node.
  std::string live_effect;  ///< Keeps the connection open; empty: there is none.
  std::string live_uri;
  bool live = false;      ///< The mediator has confirmed it.
  bool emptying = false;  ///< There may be mail from before.
  std::uint32_t live_failures = 0;
  template <class V>
  void visit(V& v) {
    v("mediator", mediator), v("interval", interval), v("tries", tries), v("refused", refused),
        v("registration", registration), v("failures", failures), v("newer", newer),
        v("question", question), v("asked", asked), v("live_effect", live_effect),
        v("live_uri", live_uri), v("live", live), v("emptying", emptying),
        v("live_failures", live_failures);
  }
};

[[nodiscard]] std::optional<PickupState> state_of(Host& host);
void save_state(Host& host, const PickupState& state);

[[nodiscard]] inline const PickupDialect& dialect_of(const PickupState& state) {
  return state.newer ? kPickup4 : kPickup3;
}

struct AskOptions {
  bool over_live = false;     ///< Over the lasting connection, also before it is confirmed.
  bool expects_reply = true;  ///< On the connection that the request goes over.
  std::string id;             ///< Of the message; empty: a new one.
};
/// Sends a request to the mediator; its answer arrives as a message of its own. In live mode all
/// goes over the one connection. Errors: wrong_state, those of send.
[[nodiscard]] Result<void> ask(Host& host, const PickupState& state, std::string_view type,
                               JsonObject body, AskOptions options = {});

/// Until an unanswered request is sent again.
[[nodiscard]] Duration repeat_delay(std::uint32_t tries);
/// Doubles with each failure up to `longest`, and half of it is random: the clients of a mediator
/// that comes back do not all knock at once.
[[nodiscard]] Duration backoff(Duration first, Duration longest, std::uint32_t failures,
                               crypto::Random& random);

// own_dids.cpp
void send_registrations(Host& host, const DidHistory* history);
[[nodiscard]] Result<void> on_registered(Host& host, const Inbound& inbound, PickupState state,
                                         const DidHistory* history);
/// DIDs that the mediator does not know as proven are to be registered again: versions of it or of
/// us may have known no proofs.
void prove_unproven(Host& host);
/// Something is to be registered or removed.
void ask_soon(Host& host);

// lost_dids.cpp
/// Asks the mediator which DIDs it has registered for us.
void check_own_dids(Host& host);
[[nodiscard]] Result<void> on_recipients(Host& host, const Inbound& inbound,
                                         const PickupState& state);
/// The mediator gives the mail of a DID that we had registered to another client.
void on_lost(Host& host, const std::string& did);
/// The mediator is asked when that time is over, also if the node starts again meanwhile.
void plan_check(Host& host, Duration delay);
/// Whether that was ever planned.
[[nodiscard]] bool checks_own_dids(Host& host);

// pickup_live.cpp
/// Opens the connection and asks for live mode on it.
void go_live(Host& host);
/// Mail from before live mode is asked for until there is none.
[[nodiscard]] Result<void> on_status(Host& host, const Inbound& inbound, PickupState state,
                                     const PickupPace& pace);
/// An answer in live mode: whether there was mail.
void on_emptied(Host& host, PickupState state, bool more, const PickupPace& pace);

}  // namespace kith::protocol::pickup
