#include "protocol/forward.hpp"

#include <algorithm>
#include <array>

#include "crypto/limits.hpp"

namespace kith::protocol {

namespace {

constexpr std::string_view kDidScheme = "did:";

/// What a hop is encrypted to: one key when a DID URL names it, else all keys of the DID.
Result<std::vector<NamedKey>> hop_keys(const std::string& hop, Resolver& resolver) {
  TRY(const DidUrl url, DidUrl::parse(hop));
  TRY(const DidDocument document, resolver.resolve(url.did()));
  if (!url.has_fragment()) return document.agreement_keys();
  TRY(PublicKey key, document.agreement_key(url.text()));
  return std::vector<NamedKey>{{url.text(), std::move(key)}};
}

/// The mediator's first endpoint that is a transport address.
Result<ServiceEndpoint> own_address(const DidDocument& mediator) {
  const auto found = std::ranges::find_if(mediator.services, [](const ServiceEndpoint& service) {
    return !service.uri.starts_with(kDidScheme);
  });
  if (found == mediator.services.end()) {
    return fail(Errc::unsupported, "the mediator has no address of its own");
  }
  return *found;
}

}  // namespace

Result<Route> plan_route(const ServiceEndpoint& endpoint, Resolver& resolver) {
  Route route{endpoint.uri, endpoint.routing_keys};
  if (endpoint.uri.starts_with(kDidScheme)) {
    TRY(const Did mediator, Did::parse(endpoint.uri));
    TRY(const DidDocument document, resolver.resolve(mediator));
    TRY(const ServiceEndpoint address, own_address(document));
    route.uri = address.uri;
    route.hops.insert(route.hops.begin(), mediator.text());
    route.hops.insert(route.hops.begin(), address.routing_keys.begin(), address.routing_keys.end());
  }
  if (route.hops.size() > limits::kRoutingKeysMax) {
    return fail(Errc::limit_exceeded, "the way to the recipient has too many hops");
  }
  return route;
}

Result<Message> make_forward(std::string_view next, std::string_view envelope,
                             const RelayTerms& terms, Random& random) {
  crypto::JsonLimits json_limits;
  json_limits.bytes_max = limits::kEnvelopeBytesMax;
  TRY(const FlatValue payload, crypto::read_json(envelope, json_limits));
  TRY(const ValueView object, crypto::as_object(payload.root(), "an envelope to forward"));
  Message forward;
  forward.id = new_message_id(random);
  forward.type = kForwardType;
  if (terms.expires_time != 0) forward.expires_time = terms.expires_time;
  if (terms.delay.count() != 0) forward.others["delay_milli"] = std::int64_t{terms.delay.count()};
  forward.body["next"] = next;
  Attachment attachment;
  attachment.media_type = std::string(kEncryptedMediaType);
  attachment.json = crypto::json_text(object);
  forward.attachments.push_back(std::move(attachment));
  return forward;
}

Result<std::string> wrap_forwards(std::string envelope, const Did& recipient, const Route& route,
                                  const RelayTerms& terms, Resolver& resolver, KeyOps& keys,
                                  Random& random) {
  if (route.hops.size() > limits::kRoutingKeysMax) {
    return fail(Errc::limit_exceeded, "the way to the recipient has too many hops");
  }
  std::string next = recipient.text();
  for (auto hop = route.hops.rbegin(); hop != route.hops.rend(); ++hop) {
    TRY(const auto recipients, hop_keys(*hop, resolver));
    TRY(const Message forward, make_forward(next, envelope, terms, random));
    TRY(envelope, pack_anoncrypt(forward, recipients, PackOptions{}, keys, random));
    next = *hop;
  }
  return envelope;
}

bool is_forward(const Message& message) {
  return same_message(message.type, kForwardType);
}

namespace {

bool looks_encrypted(ValueView envelope) {
  return std::ranges::all_of(
      std::array{"protected", "iv", "ciphertext", "tag"},
      [&](const char* member) { return crypto::json_string(envelope, member).has_value(); });
}

Result<void> take_envelope(const Attachment& attachment, Forward& forward) {
  if (!attachment.base64 && !attachment.json) {
    return fail(Errc::unsupported, "a forward must hold its envelope itself, not a link to it");
  }
  if (attachment.base64 && attachment.json) {
    return fail(Errc::malformed, "a forward must carry its envelope as json or as base64");
  }
  TRY(std::string envelope, attachment.payload());
  if (envelope.size() > limits::kEnvelopeBytesMax) {
    return fail(Errc::limit_exceeded, "the forwarded envelope is too large");
  }
  crypto::JsonLimits json_limits;
  json_limits.bytes_max = limits::kEnvelopeBytesMax;
  TRY(const FlatValue value, crypto::read_json(envelope, json_limits));
  TRY(const ValueView object, crypto::as_object(value.root(), "a forwarded envelope"));
  forward.encrypted = forward.encrypted && looks_encrypted(object);
  forward.envelopes.push_back(std::move(envelope));
  return {};
}

}  // namespace

Result<Forward> parse_forward(const Message& message) {
  if (!is_forward(message)) return fail(Errc::malformed, "not a forward");
  Forward forward;
  TRY(forward.next, crypto::json_string(message.body, "next"));
  CHECK(DidUrl::parse(forward.next));
  if (message.attachments.empty()) {
    return fail(Errc::malformed, "a forward must carry an envelope");
  }
  if (message.attachments.size() > limits::kForwardEnvelopesMax) {
    return fail(Errc::limit_exceeded, "a forward carries too many envelopes");
  }
  for (const Attachment& attachment : message.attachments) {
    CHECK(take_envelope(attachment, forward));
  }
  // A header that cannot be understood may be ignored (routing 2.0).
  const Json* delay = message.others.if_contains("delay_milli");
  const bool is_number = delay != nullptr && delay->is_int64();
  forward.delay = std::chrono::milliseconds{is_number ? delay->get_int64() : 0};
  forward.expires_time = message.expires_time.value_or(0);
  return forward;
}

Result<std::string> rewrap(std::string_view envelope, const Receiver& receiver,
                           const RelayTerms& terms, Resolver& resolver, KeyOps& keys,
                           Random& random) {
  TRY(const DidUrl next, DidUrl::parse(receiver.next));
  TRY(Message forward, make_forward(receiver.next, envelope, terms, random));
  const auto known = hop_keys(receiver.next, resolver);
  if (known.has_value() && !known->empty()) {
    forward.to = {next.did()};
    return pack_anoncrypt(forward, *known, PackOptions{}, keys, random);
  }
  forward.to = {receiver.client};
  TRY(const auto client, hop_keys(receiver.client.text(), resolver));
  return pack_anoncrypt(forward, client, PackOptions{}, keys, random);
}

std::chrono::milliseconds relay_delay(std::chrono::milliseconds asked, Random& random) {
  const std::chrono::milliseconds longest{limits::kRelayDelayMax};
  if (asked.count() >= 0) return std::min(asked, longest);
  const std::int64_t most = asked < -longest ? longest.count() : -asked.count();
  const auto drawn = random.below(static_cast<std::uint64_t>(most) + 1);
  return std::chrono::milliseconds{static_cast<std::int64_t>(drawn)};
}

bool next_is(std::string_view next, const Did& did) {
  const auto url = DidUrl::parse(next);
  return url.has_value() && url->did() == did;
}

}  // namespace kith::protocol
