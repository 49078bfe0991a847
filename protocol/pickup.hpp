#pragma once

/// The mediator's client: asks for mediation, registers own DIDs, fetches mail.
///
/// A personal agent has no listener; all it receives comes from here. Requests to the mediator are
/// answered on the connection they came on. They are transient: what counts is repeated by timers
/// until confirmed, so a crash loses nothing.
///
/// Live mode: one WebSocket to the mediator stays open and mail comes over it at once; polling then
/// rests. When it breaks, or cannot be had, mail is polled for over HTTP, and the connection is
/// tried again with growing, random pauses. Every delivery is confirmed (messages-received), so
/// what a broken connection lost comes again, and what came twice is known by its inbox mark.
///
/// It speaks messagepickup 3.0, and message-pickup 4.0 once the mediator has said that it knows it
/// (discover-features).
///
/// A poll that fails is repeated after pauses that double, from `busy` to `idle_max`, each up to a
/// half shorter at random; one that succeeds ends them.
///
/// Once a day, and when the mediator's own log tells a new address, mediation is asked for again. A
/// mediator that has moved grants another routing DID then, and contacts are told of it. One that
/// denies what it granted before changes nothing: some do so instead of granting twice.
///
/// With each own DID goes a proof that it is ours (recipient_proof.hpp), anew whenever its log
/// grows. What the mediator does not take with its proof is asked for once more without. Whoever
/// has the keys of a DID of ours may take it from us there: that raises an alarm (lost_dids.cpp).
///
/// Commands: `nudge` {} -> {}: look for mail now and often for a while.

#include <memory>
#include <string_view>

#include "protocol/contact.hpp"
#include "protocol/module.hpp"
#include "protocol/pickup_dialect.hpp"
#include "protocol/recipient_proof.hpp"

namespace kith::protocol {

/// How often mail is looked for: at once while something is going on, rarely when nothing is.
struct PickupPace {
  Duration busy{200};
  Duration idle_max{10'000};
  int growth_percent = 160;  ///< Of the pause, each time nothing was there.
  /// Keep a WebSocket open for live mode. Off for a node that runs for one command only.
  bool live = false;
  Duration reconnect_first{1'000};
  Duration reconnect_max{300'000};
  /// Mail is looked for this often in live mode too: a mediator may have forgotten us.
  Duration live_check{300'000};
  /// The mediator's list of our DIDs is compared with ours this often, and its grant asked for.
  Duration did_check{std::chrono::hours{24}};
};

class Pickup final : public Module {
 public:
  /// `history`: shows the logs of own DIDs; without it only DIDs that name their keys are proven.
  explicit Pickup(const PickupPace& pace, std::shared_ptr<const DidHistory> history = nullptr)
      : pace_(pace), history_(std::move(history)) {}

  std::string_view name() const override { return "pickup"; }
  std::vector<std::string> message_types() const override;
  std::vector<std::string> commands() const override { return {"nudge"}; }
  Result<void> on_message(Host& host, const Inbound& inbound) override;
  Result<JsonObject> on_command(Host& host, const Command& command) override;
  void on_timer(Host& host, std::string_view timer) override;
  void on_effect(Host& host, const Effect& effect, const Result<Bytes>& outcome) override;
  void on_problem(Host& host, const Inbound& inbound, const ProblemReport& report) override;
  void on_start(Host& host) override;

 private:
  void on_poll_ended(Host& host, const Result<Bytes>& outcome) const;
  void on_live_ended(Host& host, const Effect& effect, const Result<Bytes>& outcome) const;
  PickupPace pace_;
  std::shared_ptr<const DidHistory> history_;
};

/// The contact (role mediator) is connected: ask it for mediation, then keep fetching.
void start_mediation(Host& host, const Contact& mediator);
/// `did` receives mail: registered at the mediator as soon as there is one, repeated until
/// confirmed. Without a mediator this only notes it.
void register_own_did(Host& host, std::string_view did);
void unregister_own_did(Host& host, std::string_view did);
/// The log of `did` has grown: if it receives mail, the mediator is shown the new proof.
void prove_own_did_again(Host& host, std::string_view did);
/// Whether the mediator has answered for all own DIDs; a refusal raised an alarm.
[[nodiscard]] bool all_registered(Host& host);
/// The version in which the mediator is asked.
[[nodiscard]] const PickupDialect& spoken_dialect(Host& host);
/// Whether mail comes over a lasting connection at present.
[[nodiscard]] bool receives_live(Host& host);
/// Our mediator's address may have changed: what it grants is asked for again.
void ask_for_grant_again(Host& host);
/// After a recovery: all registrations are sent again.
void register_all_again(Host& host);

}  // namespace kith::protocol
