#include "protocol/live.hpp"

#include <utility>

#include "protocol/messenger.hpp"

namespace kith::protocol {
namespace {

constexpr std::string_view kLiveConnections = "live";
constexpr std::string_view kContext = "live ";

/// Record live/<contact id>.
struct LiveConnection {
  std::string channel;
  std::string protocol;
  template <class V>
  void visit(V& v) {
    v("channel", channel), v("protocol", protocol);
  }
};

}  // namespace

Result<void> note_live(Host& host, const Contact& contact, const Inbound& inbound,
                       std::string_view protocol) {
  if (!inbound.lasting || inbound.message.return_route != "all") {
    return fail(Errc::unsupported, "live delivery needs a lasting connection and return_route all");
  }
  save(host, kLiveConnections, contact.id, LiveConnection{inbound.channel, std::string(protocol)});
  return {};
}

void forget_live(Host& host, std::string_view contact_id) {
  if (is_live(host, contact_id))
    host.erase({std::string(kLiveConnections), std::string(contact_id)});
}

void forget_all_live(Host& host) {
  for (const std::string& id : host.list(kLiveConnections)) forget_live(host, id);
}

bool is_live(Host& host, std::string_view contact_id) {
  return load<LiveConnection>(host, kLiveConnections, contact_id).has_value();
}

bool is_live_on(Host& host, std::string_view contact_id, std::string_view channel) {
  const auto live = load<LiveConnection>(host, kLiveConnections, contact_id);
  return live && live->channel == channel;
}

std::string live_protocol(Host& host, std::string_view contact_id) {
  const auto live = load<LiveConnection>(host, kLiveConnections, contact_id);
  return live ? live->protocol : std::string();
}

Result<bool> send_live(Host& host, const Contact& contact, Message message,
                       std::string_view owner) {
  const auto live = load<LiveConnection>(host, kLiveConnections, contact.id);
  if (!live) return false;
  TRY(message.from, Did::parse(contact.my_did));
  TRY(Did theirs, Did::parse(contact.their_did));
  message.to = {std::move(theirs)};
  SendOptions options;
  options.owner = owner;
  options.context = std::string(kContext) + contact.id;
  options.channel = live->channel;
  TRY(const std::string id, send(host, std::move(message), options));
  return true;
}

bool live_ended(Host& host, const Effect& effect, const Result<Bytes>& outcome) {
  if (!effect.context.starts_with(kContext)) return false;
  const std::string contact_id = effect.context.substr(kContext.size());
  const auto live = load<LiveConnection>(host, kLiveConnections, contact_id);
  if (outcome.has_value() || !live) return true;
  const auto sent = decode_record<SendPayload>(effect.payload);
  // The contact may have come back on another connection meanwhile.
  if (sent.has_value() && sent->channel == live->channel) forget_live(host, contact_id);
  return true;
}

}  // namespace kith::protocol
