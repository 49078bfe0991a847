#include <algorithm>

#include "protocol/own_did.hpp"
#include "protocol/pickup_parts.hpp"
#include "protocol/recipient_proof.hpp"

/// Own DIDs that receive mail: registered at the mediator with a proof that they are ours, repeated
/// until it confirms.

namespace kith::protocol {
namespace {

using crypto::json_true;

using namespace pickup;

/// Both ends of what is asked of the mediator. Errors: not_found, malformed.
Result<ProofEnds> ends_of(Host& host, const PickupState& state) {
  const auto mediator = find_contact(host, state.mediator);
  if (!mediator) return fail(Errc::not_found, "there is no mediator");
  TRY(Did theirs, Did::parse(mediator->their_did));
  TRY(Did mine, Did::parse(mediator->my_did));
  return ProofEnds{std::move(theirs), std::move(mine)};
}

/// The proof for one of our DIDs, if one can be made and the mediator did not refuse it.
std::optional<RecipientProof> proof_for(Host& host, const DidHistory* history,
                                        const ProofEnds& ends, const std::string& text,
                                        const OwnDid& own) {
  const auto did = Did::parse(text);
  if (own.wish != DidWish::add || own.bare || !did.has_value()) return std::nullopt;
  if (own.missed && !own.yields) return std::nullopt;
  auto proof = prove_recipient(host, history, *did, ends);
  if (!proof.has_value()) return std::nullopt;
  return std::move(*proof);
}

/// The mediator did not take a DID that its list lacks. One that knows proofs tells whether
/// another's stands in the way; with others there is no telling.
bool is_lost(const OwnDid& own, const JsonObject& answer) {
  return own.missed &&
         (own.yields ? json_true(answer, kTakenMember) : !json_true(answer, kProofWantedMember));
}

/// The mediator did not take a DID. Without its proof it may.
void on_not_taken(Host& host, const std::string& did, OwnDid own, const JsonObject& answer) {
  if (is_lost(own, answer)) return on_lost(host, did);
  if (own.missed && !own.yields) {
    own.yields = true;
    own.bare = false;
    return save(host, kOwnDids, did, own);
  }
  if (!own.missed && own.wish == DidWish::add && own.shown) {
    own.shown = false;
    own.bare = true;
    return save(host, kOwnDids, did, own);
  }
  save(host, kOwnDids, did, OwnDid{DidWish::refused});  // Asking again would not change it.
  host.notify({"alarm",
               "Your mediator refuses to take mail for one of your contacts. Messages from them "
               "may not reach you; try `kith doctor`.",
               did,
               {}});
}

/// Items of the next registration message, with proofs where they can be made. What does not fit
/// is for the message after it.
JsonArray wanted_updates(Host& host, const DidHistory* history, const ProofEnds& ends) {
  JsonArray updates;
  std::size_t history_bytes = 0;
  for (const std::string& did : host.list(kOwnDids)) {
    OwnDid own = *load<OwnDid>(host, kOwnDids, did);
    if (settled(own.wish)) continue;
    if (updates.size() == limits::kRecipientUpdatesMax / 2) break;  // DIDs may be long.
    const bool adds = own.wish == DidWish::add;
    JsonObject update{{"recipient_did", did}, {"action", adds ? "add" : "remove"}};
    const auto proof = proof_for(host, history, ends, did, own);
    if (proof) {
      history_bytes += proof->history_bytes();
      if (history_bytes > kProofHistoryBytesMax) break;
      update[kProofMember] = encode_body(*proof);
      if (own.yields) update[kYieldMember] = true;
    }
    if (adds && (own.shown != proof.has_value() || own.bare == proof.has_value())) {
      own.shown = proof.has_value();
      own.bare = !own.shown;
      save(host, kOwnDids, did, own);
    }
    updates.push_back(std::move(update));
  }
  return updates;
}

/// True: a DID was registered that was not before. `late`: the answer is to an earlier message than
/// the last one, so that its refusals say nothing.
Result<bool> note_results(Host& host, const JsonArray& updated, bool late) {
  bool taken = false;
  for (const Json& item : updated) {
    TRY(const JsonObject* update, crypto::as_object(item, "updated"));
    TRY(const std::string did, crypto::json_string(*update, "recipient_did"));
    TRY(const std::string action, crypto::json_string(*update, "action"));
    TRY(const std::string result, crypto::json_string(*update, "result"));
    auto own = load<OwnDid>(host, kOwnDids, did);
    if (!own) continue;
    if (result != "success" && result != "no_change") {
      if (!late && !settled(own->wish)) on_not_taken(host, did, *own, *update);
      continue;
    }
    if (action == "add" && own->wish == DidWish::add && own->missed && !own->yields) {
      save(host, kOwnDids, did, OwnDid{});  // It had forgotten it; now with proof.
      taken = taken || result == "success";
    } else if (action == "add" && own->wish == DidWish::add) {
      own->wish = DidWish::registered;
      own->proven = json_true(*update, kProvenMember);
      own->missed = own->yields = false;
      save(host, kOwnDids, did, *own);
      taken = taken || result == "success";
    } else if (action == "remove" && own->wish == DidWish::remove) {
      host.erase({std::string(kOwnDids), did});
    }
  }
  return taken;
}

}  // namespace

namespace pickup {

void ask_soon(Host& host) {
  if (mediator_grant(host)) host.set_timer(kModule, kRegister, host.now());
}

void send_registrations(Host& host, const DidHistory* history) {
  auto state = state_of(host);
  if (!state || !mediator_grant(host)) return;
  const auto ends = ends_of(host, *state);
  if (!ends.has_value()) return;
  JsonArray updates = wanted_updates(host, history, *ends);
  if (updates.empty()) return;
  AskOptions options;
  options.id = new_message_id(host.random());
  state->registration = options.id;
  static_cast<void>(
      ask(host, *state, kRecipientUpdate, {{"updates", std::move(updates)}}, options));
  host.set_timer(kModule, kRegister, host.now() + repeat_delay(state->tries));
  ++state->tries;
  save_state(host, *state);
}

Result<void> on_registered(Host& host, const Inbound& inbound, PickupState state,
                           const DidHistory* history) {
  TRY(const JsonArray* updated, crypto::json_array(inbound.message.body, "updated"));
  const bool late = inbound.message.thid && *inbound.message.thid != state.registration;
  TRY(const bool taken, note_results(host, *updated, late));
  // What is still open is asked for by the last message, whose answer is to come. To ask once more
  // for each late answer would go on for ever.
  if (late && !all_registered(host)) return {};
  state.tries = 0;
  save_state(host, state);
  host.cancel_timer(kModule, kRegister);
  // Mail may have come with a DID that was somebody else's; a live connection is not told of it.
  if (taken && state.live) host.set_timer(kModule, kPoll, host.now());
  if (!all_registered(host)) send_registrations(host, history);
  return {};
}

void prove_unproven(Host& host) {
  for (const std::string& did : host.list(kOwnDids)) {
    const OwnDid own = *load<OwnDid>(host, kOwnDids, did);
    if (own.wish == DidWish::registered && !own.proven && !own.bare) {
      save(host, kOwnDids, did, OwnDid{DidWish::add});
    }
  }
}

}  // namespace pickup

void register_own_did(Host& host, std::string_view did) {
  if (const auto own = load<OwnDid>(host, kOwnDids, did); own && own->wish == DidWish::registered) {
    return;
  }
  save(host, kOwnDids, did, OwnDid{DidWish::add});
  ask_soon(host);
}

void unregister_own_did(Host& host, std::string_view did) {
  if (!load<OwnDid>(host, kOwnDids, did)) return;
  save(host, kOwnDids, did, OwnDid{DidWish::remove});
  ask_soon(host);
}

void prove_own_did_again(Host& host, std::string_view did) {
  const auto own = load<OwnDid>(host, kOwnDids, did);
  if (!own || own->wish == DidWish::remove) return;
  save(host, kOwnDids, did, OwnDid{DidWish::add});
  ask_soon(host);
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
  ask_soon(host);
}

}  // namespace kith::protocol
