#include "ledger/log_sync.hpp"

#include <algorithm>

#include "ledger/connection.hpp"
#include "ledger/handshake.hpp"
#include "ledger/identity.hpp"
#include "ledger/log_store.hpp"
#include "protocol/basic_message.hpp"
#include "protocol/forward.hpp"
#include "protocol/mediation.hpp"
#include "protocol/own_service.hpp"
#include "protocol/pickup.hpp"
#include "protocol/relationship.hpp"
#include "protocol/sender.hpp"

namespace kith::ledger {
namespace {

using protocol::KnownDids;
using protocol::Route;
using protocol::SendOptions;

constexpr std::string_view kSyncs = "log-sync";
/// After so many syncs without an answer the peer may lack older entries: all are sent again.
constexpr std::uint32_t kTriesBeforeAll = 3;
/// Mail to replaced keys may still be under way when the peer has confirmed the change.
constexpr std::chrono::hours kKeepReplacedKeys{24};

struct SyncBody {
  std::string subject;
  std::vector<Bytes> log;
  template <class V>
  void visit(V& v) {
    v("subject", subject), v("log", log);
  }
};

struct AckBody {
  std::string subject;
  std::string head;
  template <class V>
  void visit(V& v) {
    v("subject", subject), v("head", head);
  }
};

SyncState sync_state(Host& host, std::string_view contact_id) {
  return load<SyncState>(host, kSyncs, contact_id).value_or(SyncState{});
}

/// Anoncrypt: whatever keys of ours the peer knows, it can read what changed. A peer without an
/// address finds it when it asks for its mail.
Result<void> send_anonymously(Host& host, const Contact& contact, const Message& message,
                              const SendOptions& options) {
  KnownDids known(host);
  const Did& to = message.to.front();
  TRY(const DidDocument document, known.resolve(to));
  TRY(const std::string packed,
      protocol::pack_anoncrypt(message, document.agreement_keys(), {}, host.keys(), host.random()));
  TRY(const Did own, Did::parse(contact.my_did));
  return protocol::send_or_queue(host, packed, own, to, *message.expires_time, options);
}

/// One sync with the entries from `first` on. Returns how many the peer then has.
Result<std::uint64_t> send_entries(Host& host, const Contact& contact,
                                   const std::vector<Bytes>& blobs, std::uint64_t first,
                                   std::string& message_id) {
  TRY(const Did theirs, Did::parse(contact.their_did));
  SendOptions options = options_for(contact);
  options.owner = kConnectionModule;
  options.context = timer_name("sync", contact.id);
  Message message =
      protocol::new_message(kConnectionSync, host.random(), protocol::epoch_seconds(host.now()));
  message.to = {theirs};
  message.expires_time = protocol::epoch_seconds(host.now() + options.life);
  if (options.wants_reply) message.return_route = "all";
  const auto end = std::min<std::uint64_t>(blobs.size(), first + limits::kSyncBlobsMax);
  SyncBody body{contact.my_did, {}};
  for (std::uint64_t i = first; i < end; ++i) body.log.push_back(blobs[i]);
  message.body = protocol::encode_body(body);
  message_id = message.id;
  CHECK(send_anonymously(host, contact, message, options));
  return end;
}

/// Anything of ours that goes with the relationship, except its history.
void close_contact(Host& host, Contact contact) {
  if (const auto handshake = find_handshake(host, contact.id)) drop_handshake(host, *handshake);
  for (const std::string_view what : {"sync", "retire"}) {
    host.cancel_timer(kConnectionModule, timer_name(what, contact.id));
  }
  host.erase({std::string(kSyncs), contact.id});
  protocol::unregister_own_did(host, contact.my_did);
  protocol::drop_waiting(host, contact);
  contact.state = ContactState::ended;
  protocol::save_contact(host, contact);
  host.audit("connection.ended", {{"contact", contact.id}});
}

/// What the peer's state says about the relationship.
void follow_status(Host& host, const Contact& contact, const LogView& view) {
  const auto state = parse_pair_state(view.current.state);
  const bool ended = view.status == LogStatus::deactivated ||
                     (state.has_value() && state->status != PairStatus::active);
  if (!ended || !view.key_changes_acceptable() || contact.state == ContactState::ended) return;
  if (state.has_value() && state->status == PairStatus::decry) {
    host.notify({"alarm",
                 contact.name + " says that the keys of your connection were taken over. Trust " +
                     "nothing that came over it lately, and ask them in person.",
                 contact.id,
                 {}});
  } else {
    host.notify({"contact-ended", contact.name + " has ended your connection.", contact.id, {}});
  }
  close_contact(host, contact);
}

std::optional<Contact> contact_with(Host& host, std::string_view did, bool theirs) {
  for (Contact& contact : protocol::list_contacts(host)) {
    if ((theirs ? contact.their_did : contact.my_did) == did) return std::move(contact);
  }
  return std::nullopt;
}

bool has_entry(const LogView& view, ByteView blob) {
  const auto entry = parse_entry(blob);
  if (!entry.has_value()) return false;
  const std::string hash = entry_hash(*entry);
  const auto is_it = [&](const LogRecord& record) { return record.hash == hash; };
  return std::ranges::any_of(view.history, is_it) || std::ranges::any_of(view.vetoed, is_it) ||
         std::ranges::any_of(view.replaced, is_it) ||
         (view.pending && view.pending->record.hash == hash);
}

/// Adds what is new. Errors: invalid_entry for the first that does not follow the rules.
Result<std::size_t> append_new(Host& host, const SyncBody& body) {
  std::size_t added = 0;
  for (const Bytes& blob : body.log) {
    TRY(const LogView before, stored_view(host, body.subject));
    if (has_entry(before, blob)) continue;
    TRY(const LogView after, append_checked(host, body.subject, blob, host.now()));
    ++added;
  }
  return added;
}

void watch_pending(Host& host, const LogView& view) {
  if (!view.pending) return;
  const Time due = protocol::from_epoch_ms(to_ms(view.pending->record.effective_from));
  host.set_timer(kConnectionModule, timer_name("log", view.subject),
                 std::max(due, host.now() + std::chrono::seconds{1}));
  host.notify({"alarm",
               "A recovery of a contact's keys is under way. No new keys of theirs count until " +
                   protocol::utc_text(due) + ". Ask them in person whether it is theirs.",
               view.subject,
               {}});
}

std::vector<std::string> agreement_kids(Host& host, std::string_view subject) {
  std::vector<std::string> kids;
  const auto did = Did::parse(subject);
  if (!did.has_value()) return kids;
  const auto document = protocol::KnownDids(host).resolve(*did);
  if (!document.has_value()) return kids;
  for (const NamedKey& key : document->agreement_keys()) kids.push_back(key.kid);
  return kids;
}

/// Texts under way to a lost device are sealed to keys that nobody has any more.
void resend_if_keys_changed(Host& host, const Contact& contact,
                            const std::vector<std::string>& before) {
  const auto now = protocol::find_contact(host, contact.id);  // It may have ended meanwhile.
  if (!now || now->state != ContactState::connected) return;
  if (agreement_kids(host, contact.their_did) != before) protocol::resend_texts(host, *now);
}

void send_ack(Host& host, const Inbound& inbound, const Contact& contact, const LogView& view) {
  const auto mine = Did::parse(contact.my_did);
  const auto theirs = Did::parse(contact.their_did);
  if (!mine.has_value() || !theirs.has_value()) return;
  Message ack =
      protocol::new_message(kConnectionSyncAck, host.random(), protocol::epoch_seconds(host.now()));
  ack.from = *mine;
  ack.to = {*theirs};
  ack.thid = inbound.message.thread();
  ack.body = protocol::encode_body(AckBody{view.subject, view.head().hash});
  SendOptions options = options_for(contact);
  options.wants_reply = false;
  options.answers_inbound = true;
  if (inbound.message.return_route == "all") options.channel = inbound.channel;
  // A peer whose log ended has no keys to answer to.
  static_cast<void>(protocol::send(host, std::move(ack), options));
}

}  // namespace

void note_synced(Host& host, const Contact& contact) {
  const std::uint64_t count = log_blobs(host, contact.my_did).size();
  save(host, kSyncs, contact.id, SyncState{count, count, {}, 0});
}

bool in_sync(Host& host, const Contact& contact) {
  return sync_state(host, contact.id).confirmed >= log_blobs(host, contact.my_did).size();
}

void send_sync(Host& host, const Contact& contact) {
  if (contact.their_did.empty() || contact.state == ContactState::ended) return;
  const auto blobs = log_blobs(host, contact.my_did);
  SyncState state = sync_state(host, contact.id);
  if (state.confirmed >= blobs.size()) return;
  auto sent = send_entries(host, contact, blobs, state.confirmed, state.message_id);
  if (sent.has_value()) {
    state.sent = *sent;
    save(host, kSyncs, contact.id, state);
  } else if (contact.role != ContactRole::client) {
    on_sync_sent(host, contact.id);  // Perhaps later; a client asks for its mail.
  }
}

void on_sync_sent(Host& host, std::string_view contact_id) {
  const auto contact = protocol::find_contact(host, contact_id);
  if (!contact || contact->state == ContactState::ended || in_sync(host, *contact)) return;
  SyncState state = sync_state(host, contact_id);
  host.set_timer(kConnectionModule, timer_name("sync", contact_id),
                 host.now() + repeat_delay(state.tries));
  if (++state.tries == kTriesBeforeAll) state.confirmed = 0;
  save(host, kSyncs, contact_id, state);
}

void repeat_sync(Host& host, std::string_view contact_id) {
  if (const auto contact = protocol::find_contact(host, contact_id)) send_sync(host, *contact);
}

Result<void> on_sync(Host& host, const Inbound& inbound) {
  if (!inbound.info.encrypted) return fail(Errc::not_authentic, "a sync is encrypted");
  TRY(const auto body, protocol::decode_body<SyncBody>(inbound.message.body));
  if (body.log.size() > limits::kSyncBlobsMax) {
    return fail(Errc::limit_exceeded, "too many log entries in one message");
  }
  const auto contact = contact_with(host, body.subject, true);
  const auto own = contact ? std::nullopt : contact_with(host, body.subject, false);
  if (!contact && !own) return fail(Errc::unknown_peer, "no contact has that log");
  if ((contact ? contact : own)->state == ContactState::ended) return {};
  const auto keys_before = agreement_kids(host, body.subject);
  TRY(const std::size_t added, append_new(host, body));
  TRY(const LogView view, stored_view(host, body.subject));
  CHECK(refresh_document(host, view));
  if (added > 0) {
    watch_pending(host, view);
    host.audit("log.taken", {{"subject", body.subject}, {"head", view.head().hash}});
  }
  if (own) {
    if (added > 0 && !protocol::has_other_devices(host)) {
      host.notify({"alarm",
                   "Your keys towards " + own->name + " were changed by another device. If that " +
                       "was not you, use your recovery plan now.",
                   own->id,
                   {}});
    }
    return {};
  }
  follow_status(host, *contact, view);
  const auto grant = protocol::mediator_grant(host);
  if (added > 0 && grant && grant->contact_id == contact->id) protocol::ask_for_grant_again(host);
  send_ack(host, inbound, *contact, view);
  resend_if_keys_changed(host, *contact, keys_before);
  return {};
}

Result<void> on_sync_ack(Host& host, const Inbound& inbound) {
  TRY(const Contact contact, protocol::sender_of(host, inbound));
  TRY(const auto body, protocol::decode_body<AckBody>(inbound.message.body));
  if (body.subject != contact.my_did) return fail(Errc::malformed, "that is not our log");
  SyncState state = sync_state(host, contact.id);
  if (inbound.message.thread() != state.message_id) return {};  // Of an older sync.
  const auto blobs = log_blobs(host, contact.my_did);
  const bool known = std::ranges::any_of(blobs, [&](const Bytes& blob) {
    const auto entry = parse_entry(blob);
    return entry.has_value() && entry_hash(*entry) == body.head;
  });
  if (!known && !protocol::has_other_devices(host)) {
    host.notify({"alarm",
                 contact.name + " knows an entry of your log that this device does not. If you " +
                     "have no other device, use your recovery plan now.",
                 contact.id,
                 {}});
  }
  state.confirmed = state.sent;
  state.tries = 0;
  save(host, kSyncs, contact.id, state);
  host.cancel_timer(kConnectionModule, timer_name("sync", contact.id));
  if (state.confirmed < blobs.size()) {
    send_sync(host, contact);
  } else {
    host.set_timer(kConnectionModule, timer_name("retire", contact.id),
                   host.now() + kKeepReplacedKeys);
    protocol::resend_texts(host, contact);  // Under way with our old keys, they are refused.
  }
  return {};
}

void reread_log(Host& host, std::string_view did) {
  const auto view = stored_view(host, did);
  if (!view.has_value()) return;
  const auto keys_before = agreement_kids(host, did);
  if (!refresh_document(host, *view).has_value()) return;
  if (view->pending) {
    host.set_timer(kConnectionModule, timer_name("log", did), host.now() + std::chrono::hours{1});
  } else if (const auto contact = contact_with(host, did, true)) {
    follow_status(host, *contact, *view);
    resend_if_keys_changed(host, *contact, keys_before);
  }
}

Result<void> update_own_pair_state(Host& host, const Contact& contact, const PairState& state) {
  CHECK(update_pair_log(host, contact.my_did, state));
  send_sync(host, contact);
  return {};
}

Result<void> rotate_pair_log(Host& host, const Contact& contact,
                             const std::optional<SealedKey>& vault, const PairState& state) {
  CHECK(rotate_pair_keys(host, contact.my_did, vault, state));
  send_sync(host, contact);
  return {};
}

void announce_address(Host& host) {
  const auto service = protocol::own_service(host);
  if (!service.has_value()) return;
  for (const Contact& contact : protocol::list_contacts(host)) {
    if (contact.state != ContactState::connected) continue;
    auto state = pair_state_of(host, contact.my_did);
    const bool has_address = state.has_value() && state->status == PairStatus::active &&
                             !state->services.empty();  // Towards a mediator there is none.
    if (!has_address || state->services.front() == pair_service(*service)) continue;
    state->services = {pair_service(*service)};
    if (!update_own_pair_state(host, contact, *state).has_value()) {
      host.audit("connection.address-unchanged", {{"contact", contact.id}});
    }
  }
  if (published_address_is_old(host)) {
    host.notify({"address-outdated",
                 "Your public DID still tells everybody your former address. Make an invitation "
                 "with `kith invite --public` to replace it.",
                 "",
                 {}});
  }
}

namespace {

/// Says that it is over, as far as the peer can be told. Errors: not_found (the log's active keys
/// are not on this device), those of update_pair_log.
Result<void> announce_log_end(Host& host, const Contact& contact) {
  if (!contact.my_did.starts_with("did:kith:")) {
    // Told once, like below. A peer without address never hears of it: it asks, and is refused.
    static_cast<void>(protocol::announce_end(host, contact));
    return {};
  }
  if (contact.their_did.empty()) return {};
  TRY(PairState state, pair_state_of(host, contact.my_did));
  if (state.status != PairStatus::active) return {};
  state.status = PairStatus::disabled;
  CHECK(update_pair_log(host, contact.my_did, state));
  std::string id;
  const auto blobs = log_blobs(host, contact.my_did);
  const std::uint64_t last =
      blobs.size() > limits::kSyncBlobsMax ? sync_state(host, contact.id).confirmed : 0;
  // Sent once: the answer could not be received any more. A peer without address sees it never.
  static_cast<void>(send_entries(host, contact, blobs, last, id));
  return {};
}

}  // namespace

Result<JsonObject> end_contact(Host& host, const Contact& contact) {
  if (contact.state == ContactState::ended) {
    return fail(Errc::wrong_state, "that connection has ended already");
  }
  const auto grant = protocol::mediator_grant(host);
  if (grant && grant->contact_id == contact.id) {
    return fail(Errc::wrong_state, "your mail comes through this mediator: choose another first");
  }
  const auto announced = announce_log_end(host, contact);
  // The device that has the log's keys says it, when it hears of the end.
  const bool left_to_another = !announced.has_value() && announced.error() == Errc::not_found &&
                               protocol::has_other_devices(host);
  if (!announced.has_value() && !left_to_another) return announced.error();
  close_contact(host, contact);
  return JsonObject{{"id", contact.id}, {"state", "ended"}};
}

void end_with_other_device(Host& host, const Contact& contact) {
  static_cast<void>(announce_log_end(host, contact));
  close_contact(host, contact);
}

}  // namespace kith::ledger
