#include "protocol/mail_pickup.hpp"

#include <algorithm>

#include "protocol/live.hpp"
#include "protocol/messenger.hpp"
#include "protocol/outbox.hpp"
#include "protocol/pickup_dialect.hpp"
#include "protocol/sender.hpp"

namespace kith::protocol {
namespace {

/// Every client reads base64, but it takes a third more than the envelope itself.
constexpr std::size_t kBase64MailBytesMax = limits::kMailBytesMax / 4 * 3;

/// An envelope too large for base64 goes as the JSON that it is.
Attachment mail_attachment(const StoredMail& mail) {
  const Bytes& envelope = mail.mail.envelope;
  if (envelope.size() > kBase64MailBytesMax) {
    crypto::JsonLimits json_limits;
    json_limits.bytes_max = limits::kMailBytesMax;
    const auto value = crypto::read_json(crypto::as_text(envelope), json_limits);
    if (value.has_value()) {
      Attachment attachment;
      attachment.id = mail.id;
      attachment.json = crypto::json_text(value->root());
      return attachment;
    }
  }
  return base64_attachment(envelope, mail.id);
}

bool can_be_answered(const Inbound& inbound) {
  return !inbound.channel.empty() && inbound.message.return_route == "all";
}

/// The client behind a message, or a contact whose mail waits in our outbox.
Result<Contact> client_of(Host& host, const Inbound& inbound) {
  TRY(Contact contact, sender_of(host, inbound));
  if (contact.role == ContactRole::client) return contact;
  TRY(const DidDocument document, KnownDids(host).resolve(*inbound.info.sender));
  if (!asks_for_mail(document) && mailbox_state(host, contact.id).count == 0) {
    return fail(Errc::refused, "this contact has no mailbox here");
  }
  return contact;
}

Result<void> check_waits(const Inbound& inbound) {
  if (can_be_answered(inbound)) return {};
  return fail(Errc::unsupported,
              "mail is handed out on the connection that asks: it needs return_route all");
}

Result<void> send_back(Host& host, const Inbound& inbound, Message message) {
  message.from = inbound.info.own_did;
  message.to = {*inbound.info.sender};
  SendOptions options;
  options.answers_inbound = true;
  options.channel = inbound.channel;
  options.transient = true;  // The mail stays where it is until it is confirmed.
  TRY(const std::string id, send(host, std::move(message), options));
  return {};
}

Result<void> answer_status(Host& host, const Inbound& inbound, const PickupDialect& dialect,
                           const Contact& client,
                           const std::optional<std::string>& recipient = std::nullopt) {
  const MailSummary mail = mail_summary(host, client.id, recipient.value_or(""));
  JsonObject body{{"message_count", mail.messages}, {"total_bytes", mail.bytes}};
  if (recipient) body["recipient_did"] = *recipient;
  // Another connection than the one in live mode starts without it.
  body["live_delivery"] =
      inbound.lasting ? is_live_on(host, client.id, inbound.channel) : is_live(host, client.id);
  if (mail.oldest && mail.newest) {
    body["oldest_received_time"] = dialect.time(*mail.oldest);
    body["newest_received_time"] = dialect.time(*mail.newest);
  }
  if (dialect.tells_longest_wait && mail.oldest) {
    const Duration waited = std::max(host.now() - *mail.oldest, Duration{0});
    body["longest_waited_seconds"] =
        std::chrono::duration_cast<std::chrono::seconds>(waited).count();
  }
  SendOptions options;
  options.transient = true;  // Old news on any other way.
  TRY(const std::string id, reply(host, inbound, dialect.type(kStatus), std::move(body), options));
  return {};
}

Result<void> on_status_request(Host& host, const Inbound& inbound, const PickupDialect& dialect,
                               const Contact& client) {
  CHECK(check_waits(inbound));
  TRY(const auto recipient, crypto::json_optional_string(inbound.message.body, "recipient_did"));
  return answer_status(host, inbound, dialect, client, recipient);
}

Result<void> on_delivery_request(Host& host, const Inbound& inbound, const PickupDialect& dialect,
                                 const Contact& client) {
  CHECK(check_waits(inbound));
  TRY(const std::int64_t wanted, crypto::json_int(inbound.message.body, dialect.limit_member));
  TRY(const auto recipient, crypto::json_optional_string(inbound.message.body, "recipient_did"));
  if (wanted < 1) {
    return fail(Errc::malformed, std::string(dialect.limit_member) + " must be at least 1");
  }
  const auto most = static_cast<std::size_t>(
      std::min<std::int64_t>(wanted, std::int64_t{limits::kPickupBatchMax}));
  const auto mails = read_mail(host, client.id, recipient.value_or(""), most);
  if (mails.empty() && !dialect.empty_delivery) {
    return answer_status(host, inbound, dialect, client, recipient);
  }
  Message delivery =
      new_reply(inbound.message, dialect.type(kDelivery), host.random(), epoch_seconds(host.now()));
  if (recipient) delivery.body["recipient_did"] = *recipient;
  std::size_t bytes = 0;
  for (const StoredMail& mail : mails) {
    bytes += mail.mail.envelope.size();
    if (bytes > limits::kPickupBytesMax && !delivery.attachments.empty()) break;
    delivery.attachments.push_back(mail_attachment(mail));
  }
  if (mails.empty()) delivery.others["attachments"] = JsonArray{};  // Written out, though empty.
  return send_back(host, inbound, std::move(delivery));
}

Result<void> on_messages_received(Host& host, const Inbound& inbound, const PickupDialect& dialect,
                                  const Contact& client) {
  TRY(const JsonArray* ids, crypto::json_array(inbound.message.body, "message_id_list"));
  if (ids->size() > limits::kRecipientUpdatesMax) {
    return fail(Errc::limit_exceeded, "too many ids in one message");
  }
  std::vector<std::string> received;
  received.reserve(ids->size());
  for (const Json& id : *ids) {
    if (!id.is_string()) return fail(Errc::malformed, "message_id_list holds texts");
    received.emplace_back(std::string_view(id.get_string()));
  }
  confirm_mail(host, client.id, received);
  // What is confirmed stays so, whether or not somebody waits for the new status.
  if (!dialect.receipt_answered || !can_be_answered(inbound)) return {};
  return answer_status(host, inbound, dialect, client);
}

/// A change that this connection does not allow has a code of its own.
Result<void> refuse_live(Host& host, const Inbound& inbound, const PickupDialect& dialect) {
  const ProblemReport report{"e.m.live-mode-not-supported",
                             "Connection does not support Live Delivery",
                             {inbound.message.type},
                             std::nullopt};
  Message problem =
      make_problem_report(inbound.message, report, host.random(), epoch_seconds(host.now()));
  if (!dialect.problem_type.empty()) problem.type = dialect.problem_type;
  // A sender without a way back simply gets none.
  if (can_be_answered(inbound)) CHECK(send_back(host, inbound, std::move(problem)));
  return {};
}

Result<void> on_live_delivery_change(Host& host, const Inbound& inbound,
                                     const PickupDialect& dialect, const Contact& client) {
  const Json* wanted = inbound.message.body.if_contains("live_delivery");
  if (wanted == nullptr || !wanted->is_bool()) {
    return fail(Errc::malformed, "live_delivery must be true or false");
  }
  if (!wanted->get_bool()) {
    forget_live(host, client.id);
    if (!can_be_answered(inbound)) return {};
  } else if (!note_live(host, client, inbound, dialect.prefix).has_value()) {
    return refuse_live(host, inbound, dialect);
  }
  return answer_status(host, inbound, dialect, client);
}

using Handler = Result<void> (*)(Host&, const Inbound&, const PickupDialect&, const Contact&);

struct Request {
  std::string_view name;
  Handler handle;
  bool only_reads;
};
constexpr std::array kRequests{Request{kStatusRequest, on_status_request, true},
                               Request{kDeliveryRequest, on_delivery_request, true},
                               Request{kMessagesReceived, on_messages_received, false},
                               Request{kLiveDeliveryChange, on_live_delivery_change, false}};

struct Asked {
  const PickupDialect* dialect = nullptr;
  const Request* request = nullptr;
};

std::optional<Asked> asked_by(std::string_view message_type) {
  const PickupDialect* dialect = pickup_dialect_of(message_type);
  if (dialect == nullptr) return std::nullopt;
  const std::string_view name = message_type.substr(dialect->prefix.size());
  const auto* request = std::ranges::find(kRequests, name, &Request::name);
  if (request == kRequests.end()) return std::nullopt;
  return Asked{dialect, request};
}

}  // namespace

std::vector<std::string> pickup_message_types() {
  std::vector<std::string> types;
  for (const PickupDialect* dialect : kPickupDialects) {
    for (const Request& request : kRequests) types.push_back(dialect->type(request.name));
  }
  return types;
}

bool is_pickup(std::string_view message_type) {
  return asked_by(message_type).has_value();
}

bool is_pickup_query(std::string_view message_type) {
  const auto asked = asked_by(message_type);
  return asked && asked->request->only_reads;
}

Result<void> on_pickup(Host& host, const Inbound& inbound) {
  const auto asked = asked_by(inbound.message.type);
  if (!asked) return fail(Errc::unknown_type);
  TRY(const Contact client, client_of(host, inbound));
  return asked->request->handle(host, inbound, *asked->dialect, client);
}

void deliver_live(Host& host, const std::string& client, const StoredMail& stored,
                  std::string_view owner) {
  const PickupDialect* dialect = pickup_dialect_of(live_protocol(host, client));
  if (dialect == nullptr) return;
  const auto contact = find_contact(host, client);
  if (!contact || contact->state == ContactState::ended) return;
  Message delivery =
      new_message(dialect->type(kDelivery), host.random(), epoch_seconds(host.now()));
  delivery.attachments.push_back(mail_attachment(stored));
  static_cast<void>(send_live(host, *contact, std::move(delivery), owner));
}

}  // namespace kith::protocol
