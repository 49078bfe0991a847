#include "protocol/trust_ping.hpp"

#include "protocol/contact.hpp"
#include "protocol/messenger.hpp"

namespace kith::protocol {
namespace {

constexpr std::string_view kPings = "ping";
constexpr std::size_t kPingsKept = 32;  // Nobody asks for older ones.

struct SentPing {
  std::string contact_id;
  Time sent{};
  std::optional<Time> answered;
  template <class V>
  void visit(V& v) {
    v("contact_id", contact_id), v("sent", sent), v("answered", answered);
  }
};

void drop_oldest_ping(Host& host) {
  const auto ids = host.list(kPings);
  if (ids.size() < kPingsKept) return;
  std::string oldest;
  Time oldest_time = Time::max();
  for (const std::string& id : ids) {
    const Time sent = load<SentPing>(host, kPings, id)->sent;
    if (sent >= oldest_time) continue;
    oldest = id;
    oldest_time = sent;
  }
  host.erase({std::string(kPings), oldest});
}

Result<JsonObject> start_ping(Host& host, const JsonObject& args) {
  TRY(const std::string name, crypto::json_string(args, "contact"));
  TRY(const Contact contact, contact_named(host, name));
  TRY(const Did mine, Did::parse(contact.my_did));
  TRY(const Did theirs, Did::parse(contact.their_did));
  Message message = new_message(kPingType, host.random(), epoch_seconds(host.now()));
  message.from = mine;
  message.to = {theirs};
  message.body = {{"response_requested", true}};
  SendOptions options;
  options.life = std::chrono::hours{1};
  TRY(const std::string id, send(host, std::move(message), options));
  drop_oldest_ping(host);
  save(host, kPings, id, SentPing{contact.id, host.now(), std::nullopt});
  return JsonObject{{"id", id}};
}

}  // namespace

std::vector<std::string> TrustPing::message_types() const {
  return {std::string(kPingType), std::string(kPingResponseType)};
}

Result<void> TrustPing::on_message(Host& host, const Inbound& inbound) {
  if (!inbound.info.sender || !inbound.info.own_did) {
    return fail(Errc::not_authentic, "a ping must come from somebody");
  }
  if (inbound.message.type == kPingType) {
    const Json* wanted = inbound.message.body.if_contains("response_requested");
    if (wanted != nullptr && wanted->is_bool() && !wanted->get_bool()) return {};
    SendOptions options;
    options.life = std::chrono::hours{1};
    TRY(const std::string id, reply(host, inbound, kPingResponseType, {}, options));
    return {};
  }
  auto ping = load<SentPing>(host, kPings, inbound.message.thread());
  TRY(const Contact contact, contact_of(host, *inbound.info.own_did, *inbound.info.sender));
  if (!ping || ping->contact_id != contact.id || ping->answered) return {};
  ping->answered = host.now();
  save(host, kPings, inbound.message.thread(), *ping);
  return {};
}

Result<JsonObject> TrustPing::on_command(Host& host, const Command& command) {
  if (command.name == "ping") return start_ping(host, command.args);
  TRY(const std::string id, crypto::json_string(command.args, "id"));
  const auto ping = load<SentPing>(host, kPings, id);
  if (!ping) return fail(Errc::not_found, "no ping by that id");
  JsonObject reply{{"id", id}, {"answered", ping->answered.has_value()}};
  if (ping->answered) reply["round_trip_ms"] = (*ping->answered - ping->sent).count();
  return reply;
}

}  // namespace kith::protocol
