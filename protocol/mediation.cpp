#include "protocol/mediation.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "protocol/live.hpp"
#include "protocol/mail_route.hpp"
#include "protocol/mailbox.hpp"
#include "protocol/mediator.hpp"
#include "protocol/messenger.hpp"
#include "protocol/sender.hpp"

namespace kith::protocol {
namespace {

constexpr std::string_view kClients = "mail-client";
/// DIDs in one answer: as long as a DID may be, they still fit a message.
constexpr std::size_t kPageMax = 200;

/// How one version of the protocol names things.
struct Dialect {
  std::string_view prefix;
  std::string_view update;
  std::string_view update_response;
  std::string_view query;
  std::string_view list;
  const char* list_member;
  bool grant_is_list;
};
constexpr std::array kDialects{
    Dialect{"https://didcomm.org/coordinate-mediation/2.0/", "keylist-update",
            "keylist-update-response", "keylist-query", "keylist", "keys", false},
    Dialect{"https://didcomm.org/coordinate-mediation/3.0/", "recipient-update",
            "recipient-update-response", "recipient-query", "recipient", "dids", true}};

std::string type_of(const Dialect& dialect, std::string_view name) {
  return std::string(dialect.prefix) + std::string(name);
}

const Dialect* dialect_of(std::string_view message_type) {
  const auto found = std::ranges::find_if(
      kDialects, [&](const Dialect& one) { return message_type.starts_with(one.prefix); });
  return found == kDialects.end() ? nullptr : &*found;
}

Result<void> answer(Host& host, const Inbound& inbound, const std::string& type, JsonObject body) {
  TRY(const std::string id, reply(host, inbound, type, std::move(body)));
  return {};
}

bool was_granted(Host& host, const std::string& contact) {
  return load<MailClient>(host, kClients, contact).has_value();
}

/// Whoever asks for mediation: a contact, or a stranger who would become one.
struct Asker {
  Applicant applicant;
  std::optional<Contact> contact;
};

Result<Asker> who_asks(Host& host, const Inbound& inbound, const MediationPolicy& policy) {
  if (!inbound.info.sender || !inbound.info.own_did) {
    return fail(Errc::not_authentic, "an anonymous message asks for nothing");
  }
  Asker asker;
  asker.applicant.did = inbound.info.sender->text();
  auto contact = contact_of(host, *inbound.info.own_did, *inbound.info.sender);
  if (!contact.has_value()) {
    const auto routing = load<RoutingDid>(host, "meta", "routing-did");
    if (!routing || routing->did != inbound.info.own_did->text()) return contact.error();
    return asker;
  }
  if (contact->role != ContactRole::client) {
    return fail(Errc::refused, "this contact has no mailbox here");
  }
  asker.applicant.granted = was_granted(host, contact->id);
  asker.applicant.invited = contact->created >= policy.since;
  asker.contact = std::move(*contact);
  return asker;
}

Contact new_client(Host& host, const Inbound& inbound) {
  Contact contact;
  contact.id = crypto::hex(host.random().bytes(16));
  contact.name = "client " + contact.id.substr(0, 8);
  contact.my_did = inbound.info.own_did->text();
  contact.their_did = inbound.info.sender->text();
  contact.role = ContactRole::client;
  contact.state = ContactState::connected;
  contact.created = host.now();
  save_contact(host, contact);
  host.audit("mediation.client", {{"contact", contact.id}});
  return contact;
}

Result<void> on_request(Host& host, const Inbound& inbound, const Dialect& dialect) {
  const MediationPolicy policy = policy_of(host);
  TRY(Asker asker, who_asks(host, inbound, policy));
  const auto routing = load<RoutingDid>(host, "meta", "routing-did");
  if (!routing) return fail(Errc::wrong_state, "this mediator has no address yet");
  MailUse total = total_use(host);
  if (const auto entry = may_enter(policy, asker.applicant, total); !entry.has_value()) {
    return answer(host, inbound, type_of(dialect, "mediate-deny"),
                  {{"comment", entry.error().detail}});
  }
  if (!asker.applicant.granted && inbound.no_new_clients) {
    return fail(Errc::busy, "too many became clients within a minute: ask again later");
  }
  if (!asker.contact) asker.contact = new_client(host, inbound);
  if (!asker.applicant.granted) {
    host.audit(kGrantedEvent);
    save(host, kClients, asker.contact->id, MailClient{host.now()});
    ++total.clients;
    save_total_use(host, total);
  }
  JsonObject body;
  if (dialect.grant_is_list) {
    body["routing_did"] = JsonArray{boost::json::string(routing->did)};
  } else {
    body["routing_did"] = routing->did;
  }
  return answer(host, inbound, type_of(dialect, "mediate-grant"), std::move(body));
}

std::string_view word_of(Registration result) {
  switch (result) {
    case Registration::success:
      return "success";
    case Registration::no_change:
      return "no_change";
    case Registration::client_error:
      return "client_error";
    case Registration::server_error:
      return "server_error";
  }
  return "server_error";
}

/// Adds recipients for one client, one message's worth.
class Adder {
 public:
  Adder(Host& host, const Inbound& inbound, const Contact& client, const DidHistory* history)
      : host_(host),
        client_(client.id),
        ends_{*inbound.info.own_did, *inbound.info.sender},
        history_(history) {}

  /// `done` gets what is told beside the result. Errors: limit_exceeded (histories of all items
  /// together).
  Result<Registration> add(const JsonObject& update, const Did& did, JsonObject& done) {
    const Json* member = update.if_contains(kProofMember);
    if (member == nullptr) {
      const Registration bare = register_recipient(host_, client_, did.text());
      if (bare == Registration::client_error) done[kProofWantedMember] = true;
      return bare;
    }
    const auto checked = check(*member, did);
    if (history_bytes_ > kProofHistoryBytesMax) {
      return fail(Errc::limit_exceeded, "too long histories in one message");
    }
    if (crypto::json_true(update, kYieldMember) && is_taken(did, checked)) {
      done[kTakenMember] = true;
      return Registration::client_error;
    }
    if (!checked.has_value()) return Registration::client_error;
    const ProvenRegistration registered = register_proven(host_, client_, did.text(), *checked);
    for (const std::string& former : registered.former) {
      if (registered.moves) taken_[former].insert(did.text());
    }
    if (!registered.moves) revoked_ += registered.former.size();
    return registered.result;
  }

  /// One pass through the mailbox of each client that lost DIDs.
  void move_taken_mail() {
    for (const auto& [former, dids] : taken_) {
      const std::uint64_t moved = move_mail(host_, former, client_, dids);
      host_.audit("mediation.taken-over", {{"dids", dids.size()}, {"messages", moved}});
    }
    if (revoked_ > 0) host_.audit("mediation.revoked", {{"registrations", revoked_}});
  }

 private:
  /// Another client has proven it by the same key, or by a log that goes on from this one.
  bool is_taken(const Did& did, const Result<CheckedClaim>& checked) {
    if (checked.has_value()) return is_anothers(host_, client_, did.text(), *checked);
    return checked.error() == Errc::conflict && !claim_of(host_, client_, did.text());
  }
  Result<CheckedClaim> check(const Json& member, const Did& did) {
    TRY(const JsonObject* object, crypto::as_object(member, kProofMember));
    TRY(const auto proof, decode_body<RecipientProof>(*object));
    history_bytes_ += proof.history_bytes();
    if (history_bytes_ > kProofHistoryBytesMax) return fail(Errc::limit_exceeded);
    return check_recipient_proof(host_, history_, proof, did, ends_);
  }

  Host& host_;
  std::string client_;
  ProofEnds ends_;
  const DidHistory* history_;
  std::size_t history_bytes_ = 0;
  std::map<std::string, std::set<std::string>> taken_;  ///< DIDs by the client that had them.
  std::size_t revoked_ = 0;  ///< Registrations that ended beside others of the same DID.
};

Result<void> on_update(Host& host, const Inbound& inbound, const Dialect& dialect,
                       const Contact& client, const DidHistory* history) {
  TRY(const JsonArray* updates, crypto::json_array(inbound.message.body, "updates"));
  if (updates->size() > limits::kRecipientUpdatesMax) {
    return fail(Errc::limit_exceeded, "too many updates in one message");
  }
  const bool served =
      was_granted(host, client.id) && still_served(policy_of(host), client.their_did);
  Adder adder(host, inbound, client, history);
  JsonArray updated;
  for (const Json& item : *updates) {
    TRY(const JsonObject* update, crypto::as_object(item, "update"));
    TRY(const std::string text, crypto::json_string(*update, "recipient_did"));
    TRY(const std::string action, crypto::json_string(*update, "action"));
    const auto did = Did::parse(text);
    Registration result = Registration::client_error;
    JsonObject done;
    if (did.has_value() && action == "add" && served) {
      TRY(result, adder.add(*update, *did, done));
    } else if (did.has_value() && action == "remove") {
      result = remove_recipient(host, client.id, text);
    }
    done["recipient_did"] = text;
    done["action"] = action;
    done["result"] = word_of(result);
    const bool holds = result == Registration::success || result == Registration::no_change;
    if (action == "add" && holds && claim_of(host, client.id, text)) done[kProvenMember] = true;
    updated.push_back(std::move(done));
  }
  adder.move_taken_mail();
  return answer(host, inbound, type_of(dialect, dialect.update_response),
                {{"updated", std::move(updated)}});
}

struct Page {
  std::size_t limit = kPageMax;
  std::size_t offset = 0;
  bool asked = false;
};

Result<Page> page_of(const JsonObject& body) {
  const Json* paginate = body.if_contains("paginate");
  if (paginate == nullptr) return Page{};
  TRY(const JsonObject* wanted, crypto::as_object(*paginate, "paginate"));
  TRY(const std::int64_t limit, crypto::json_int(*wanted, "limit"));
  TRY(const std::int64_t offset, crypto::json_int(*wanted, "offset"));
  if (limit < 1 || offset < 0) {
    return fail(Errc::malformed, "limit is at least 1, offset at least 0");
  }
  return Page{std::min(static_cast<std::size_t>(limit), kPageMax), static_cast<std::size_t>(offset),
              true};
}

Result<void> on_query(Host& host, const Inbound& inbound, const Dialect& dialect,
                      const Contact& client) {
  TRY(const Page page, page_of(inbound.message.body));
  const std::vector<std::string> all = recipients_of(host, client.id);
  const std::size_t begin = std::min(page.offset, all.size());
  const std::size_t end = begin + std::min(page.limit, all.size() - begin);
  JsonArray dids;
  for (std::size_t i = begin; i < end; ++i) {
    dids.push_back(JsonObject{{"recipient_did", all[i]}});
  }
  JsonObject body{{dialect.list_member, std::move(dids)}};
  // Also unasked, where one page does not hold them all: else the rest would seem not to exist.
  if (page.asked || end < all.size()) {
    body["pagination"] =
        JsonObject{{"count", end - begin}, {"offset", begin}, {"remaining", all.size() - end}};
  }
  return answer(host, inbound, type_of(dialect, dialect.list), std::move(body));
}

}  // namespace

std::vector<std::string> mediation_message_types() {
  std::vector<std::string> types;
  for (const Dialect& dialect : kDialects) {
    types.push_back(type_of(dialect, "mediate-request"));
    types.push_back(type_of(dialect, dialect.update));
    types.push_back(type_of(dialect, dialect.query));
  }
  return types;
}

bool is_mediation(std::string_view message_type) {
  return dialect_of(message_type) != nullptr;
}

bool is_mediation_query(std::string_view message_type) {
  const Dialect* dialect = dialect_of(message_type);
  return dialect != nullptr && message_type.substr(dialect->prefix.size()) == dialect->query;
}

Result<void> on_mediation(Host& host, const Inbound& inbound, const DidHistory* history) {
  const std::string_view type = inbound.message.type;
  const Dialect* dialect = dialect_of(type);
  if (dialect == nullptr) return fail(Errc::unknown_type);
  const std::string_view name = type.substr(dialect->prefix.size());
  if (name == "mediate-request") return on_request(host, inbound, *dialect);
  TRY(const Contact client, sender_of(host, inbound));
  if (client.role != ContactRole::client) {
    return fail(Errc::refused, "this contact has no mailbox here");
  }
  if (name == dialect->update) return on_update(host, inbound, *dialect, client, history);
  if (name == dialect->query) return on_query(host, inbound, *dialect, client);
  return fail(Errc::unknown_type);
}

void drop_waiting(Host& host, const Contact& contact) {
  drop_mailbox(host, contact.id);
  forget_live(host, contact.id);
  if (contact.role != ContactRole::client || !was_granted(host, contact.id)) return;
  host.erase({std::string(kClients), contact.id});
  MailUse total = total_use(host);
  total.clients -= std::min<std::uint64_t>(total.clients, 1);
  save_total_use(host, total);
  host.audit("mediation.dropped", {{"contact", contact.id}});
}

void count_mail_once(Host& host) {
  if (host.get({"meta", "mail-total"})) return;
  MailUse total;
  for (const Contact& contact : list_contacts(host)) {
    if (contact.role != ContactRole::client) continue;
    const MailboxState state = mailbox_state(host, contact.id);
    total.messages += state.count;
    total.bytes += state.bytes;
    total.dids += state.recipients;
    // Before grants were written down, every client had one.
    if (!was_granted(host, contact.id)) save(host, kClients, contact.id, MailClient{host.now()});
    ++total.clients;
  }
  save_total_use(host, total);
}

}  // namespace kith::protocol
