#include "protocol/forward.hpp"

#include <algorithm>

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
                             std::int64_t expires_time, Random& random) {
  crypto::JsonLimits json_limits;
  json_limits.bytes_max = limits::kEnvelopeBytesMax;
  TRY(Json payload, crypto::parse_json(envelope, json_limits));
  CHECK(crypto::as_object(payload, "an envelope to forward"));
  Message forward;
  forward.id = new_message_id(random);
  forward.type = kForwardType;
  forward.expires_time = expires_time;
  forward.body["next"] = next;
  Attachment attachment;
  attachment.media_type = std::string(kEncryptedMediaType);
  attachment.json = std::move(payload);
  forward.attachments.push_back(std::move(attachment));
  return forward;
}

Result<std::string> wrap_forwards(std::string envelope, const Did& recipient, const Route& route,
                                  std::int64_t expires_time, Resolver& resolver, KeyOps& keys,
                                  Random& random) {
  if (route.hops.size() > limits::kRoutingKeysMax) {
    return fail(Errc::limit_exceeded, "the way to the recipient has too many hops");
  }
  std::string next = recipient.text();
  for (auto hop = route.hops.rbegin(); hop != route.hops.rend(); ++hop) {
    TRY(const auto recipients, hop_keys(*hop, resolver));
    TRY(const Message forward, make_forward(next, envelope, expires_time, random));
    TRY(envelope, pack_anoncrypt(forward, recipients, PackOptions{}, keys, random));
    next = *hop;
  }
  return envelope;
}

bool is_forward(const Message& message) {
  return same_message(message.type, kForwardType);
}

Result<Forward> parse_forward(const Message& message) {
  if (!is_forward(message)) return fail(Errc::malformed, "not a forward");
  TRY(std::string next, crypto::json_string(message.body, "next"));
  CHECK(DidUrl::parse(next));
  if (message.attachments.size() != 1) {
    return fail(Errc::malformed, "a forward must carry exactly one envelope");
  }
  const Attachment& attachment = message.attachments.front();
  if (attachment.base64.has_value() == attachment.json.has_value()) {
    return fail(Errc::malformed, "a forward must carry its envelope as json or as base64");
  }
  TRY(std::string envelope, attachment.payload());
  if (envelope.size() > limits::kEnvelopeBytesMax) {
    return fail(Errc::limit_exceeded, "the forwarded envelope is too large");
  }
  crypto::JsonLimits json_limits;
  json_limits.bytes_max = limits::kEnvelopeBytesMax;
  TRY(const Json value, crypto::parse_json(envelope, json_limits));
  CHECK(crypto::as_object(value, "a forwarded envelope"));
  return Forward{std::move(next), std::move(envelope)};
}

bool next_is(std::string_view next, const Did& did) {
  const auto url = DidUrl::parse(next);
  return url.has_value() && url->did() == did;
}

}  // namespace kith::protocol
