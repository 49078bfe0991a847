#include <algorithm>

#include "protocol/own_did.hpp"
#include "protocol/pickup_parts.hpp"

/// Noticing that a DID of ours is another client's at the mediator, and ours no more. Nobody tells
/// who loses one (recipient_proof.hpp), so its list is read now and then. What it lacks is asked
/// for without proof: a mediator that has forgotten it takes it again, one that gave it away
/// refuses, and so does one that insists on proofs. There it is asked for with a proof that gives
/// way to another's: an ordinary one would take it back, and the other side would do the same.

namespace kith::protocol::pickup {
namespace {

constexpr std::string_view kCheckRecord = "pickup-check";
constexpr std::int64_t kPage = 200;
/// A mediator whose list never ends is not believed.
constexpr std::int64_t kOffsetMax = 100 * kPage;

/// Record meta/pickup-check.
struct DidCheck {
  std::string question;  ///< Message id of the query under way; empty: none.
  std::int64_t offset = 0;
  std::vector<std::string> missing;  ///< Registered when it began, and not listed yet.
  template <class V>
  void visit(V& v) {
    v("question", question), v("offset", offset), v("missing", missing);
  }
};

void ask_page(Host& host, const PickupState& state, DidCheck check) {
  AskOptions options;
  options.id = new_message_id(host.random());
  check.question = options.id;
  const JsonObject page{{"limit", kPage}, {"offset", check.offset}};
  static_cast<void>(ask(host, state, kRecipientQuery, {{"paginate", page}}, options));
  save(host, "meta", kCheckRecord, check);
}

/// How many DIDs come after this page.
Result<std::int64_t> remaining_after(const JsonObject& body) {
  const Json* member = body.if_contains("pagination");
  if (member == nullptr) return 0;
  TRY(const JsonObject* pagination, crypto::as_object(*member, "pagination"));
  return crypto::json_int(*pagination, "remaining");
}

}  // namespace

void check_own_dids(Host& host) {
  const auto state = state_of(host);
  if (!state || !mediator_grant(host)) return;
  DidCheck check;
  for (std::string& did : host.list(kOwnDids)) {
    if (load<OwnDid>(host, kOwnDids, did)->wish == DidWish::registered) {
      check.missing.push_back(std::move(did));
    }
  }
  if (check.missing.empty()) return save(host, "meta", kCheckRecord, check);
  ask_page(host, *state, std::move(check));
}

Result<void> on_recipients(Host& host, const Inbound& inbound, const PickupState& state) {
  auto check = load<DidCheck>(host, "meta", kCheckRecord);
  if (!check || check->question.empty() || inbound.message.thid != check->question) return {};
  TRY(const JsonArray* dids, crypto::json_array(inbound.message.body, "dids"));
  for (const Json& item : *dids) {
    TRY(const JsonObject* listed, crypto::as_object(item, "dids"));
    TRY(const std::string did, crypto::json_string(*listed, "recipient_did"));
    std::erase(check->missing, did);
  }
  TRY(const std::int64_t remaining, remaining_after(inbound.message.body));
  const bool more = remaining > 0 && !dids->empty() && !check->missing.empty();
  check->offset += static_cast<std::int64_t>(dids->size());
  if (more && check->offset < kOffsetMax) {
    ask_page(host, state, std::move(*check));
    return {};
  }
  if (more) check->missing.clear();
  for (const std::string& did : check->missing) {
    const auto own = load<OwnDid>(host, kOwnDids, did);
    if (!own || own->wish != DidWish::registered) continue;
    OwnDid missed;
    missed.missed = true;
    save(host, kOwnDids, did, missed);
    ask_soon(host);
  }
  save(host, "meta", kCheckRecord, DidCheck{});
  return {};
}

void on_lost(Host& host, const std::string& did) {
  OwnDid lost;
  lost.wish = DidWish::lost;
  save(host, kOwnDids, did, lost);
  host.audit("mail.did-lost");
  std::string whose = "one of your contacts";
  const auto contacts = list_contacts(host);
  const auto found = std::ranges::find(contacts, did, &Contact::my_did);
  if (found != contacts.end()) whose = found->name;
  host.notify({"alarm",
               "Your mediator gives mail from " + whose +
                   " to another agent, which proved that it has the keys. That is right if you "
                   "have moved to another device, or have removed this one; else somebody has your "
                   "keys: connect with " +
                   whose + " anew.",
               found == contacts.end() ? did : found->id,
               {}});
}

void plan_check(Host& host, Duration delay) {
  if (!checks_own_dids(host)) save(host, "meta", kCheckRecord, DidCheck{});
  host.set_timer(kModule, kCheck, host.now() + delay);
}

bool checks_own_dids(Host& host) {
  return host.get({"meta", std::string(kCheckRecord)}).has_value();
}

}  // namespace kith::protocol::pickup
