#include "protocol/mailbox_view.hpp"

#include "protocol/contact.hpp"
#include "protocol/messenger.hpp"
#include "protocol/own_service.hpp"
#include "protocol/pickup.hpp"

namespace kith::protocol {
namespace {

constexpr std::string_view kStatusRecord = "mailbox-status";

struct MailboxStatus {
  Time asked{};
  std::optional<Time> answered;
  std::int64_t messages = 0;
  std::int64_t bytes = 0;
  std::optional<std::int64_t> oldest;  ///< Epoch seconds.
  bool live = false;
  template <class V>
  void visit(V& v) {
    v("asked", asked), v("answered", answered), v("messages", messages), v("bytes", bytes),
        v("oldest", oldest), v("live", live);
  }
};

Result<Contact> mediator_of(Host& host) {
  const auto grant = mediator_grant(host);
  auto contact = grant ? find_contact(host, grant->contact_id) : std::nullopt;
  if (!contact) return fail(Errc::wrong_state, "this wallet has no mediator yet");
  return std::move(*contact);
}

Result<JsonObject> ask(Host& host) {
  TRY(const Contact mediator, mediator_of(host));
  TRY(const Did mine, Did::parse(mediator.my_did));
  TRY(const Did theirs, Did::parse(mediator.their_did));
  Message message = new_message(spoken_dialect(host).type(kStatusRequest), host.random(),
                                epoch_seconds(host.now()));
  message.from = mine;
  message.to = {theirs};
  SendOptions options;
  options.life = std::chrono::minutes{5};
  options.wants_reply = true;
  options.transient = true;
  TRY(const std::string id, send(host, std::move(message), options));
  MailboxStatus status;
  status.asked = host.now();
  save(host, "meta", kStatusRecord, status);
  return JsonObject{};
}

Result<JsonObject> show(Host& host) {
  TRY(const Contact mediator, mediator_of(host));
  const auto status = load<MailboxStatus>(host, "meta", kStatusRecord).value_or(MailboxStatus{});
  JsonObject reply{{"mediator", mediator.name},
                   {"answered", status.answered.has_value()},
                   {"asked", utc_text(status.asked)}};
  if (!status.answered) return reply;
  reply["messages"] = status.messages;
  reply["bytes"] = status.bytes;
  if (status.oldest) {
    const Time since = from_epoch_seconds(*status.oldest);
    reply["oldest"] = utc_text(since);
    reply["waited_s"] =
        std::chrono::duration_cast<std::chrono::seconds>(*status.answered - since).count();
  }
  reply["delivery"] = status.live ? "live" : "polling";
  return reply;
}

std::int64_t count_in(const JsonObject& body, std::string_view member) {
  const auto count = crypto::json_optional_int(body, member);
  return count.has_value() ? std::max<std::int64_t>(count->value_or(0), 0) : 0;
}

}  // namespace

Result<JsonObject> MailboxView::on_command(Host& host, const Command& command) {
  return command.name == "mailbox-ask" ? ask(host) : show(host);
}

void note_mailbox(Host& host, const JsonObject& status_body, const PickupDialect& dialect) {
  auto status = load<MailboxStatus>(host, "meta", kStatusRecord);
  if (!status || status->answered) return;  // Nobody asked.
  status->answered = host.now();
  status->messages = count_in(status_body, "message_count");
  status->bytes = count_in(status_body, "total_bytes");
  const auto oldest = crypto::json_optional_int(status_body, "oldest_received_time");
  if (oldest.has_value() && *oldest) {
    status->oldest = epoch_seconds(dialect.milliseconds ? from_epoch_ms(**oldest)
                                                        : from_epoch_seconds(**oldest));
  }
  const Json* live = status_body.if_contains("live_delivery");
  status->live = live != nullptr && live->is_bool() && live->get_bool();
  save(host, "meta", kStatusRecord, *status);
}

}  // namespace kith::protocol
