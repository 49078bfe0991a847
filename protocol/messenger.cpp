#include "protocol/messenger.hpp"

#include <algorithm>

#include "protocol/acks.hpp"
#include "protocol/did_peer.hpp"
#include "protocol/forward.hpp"
#include "protocol/kept_document.hpp"
#include "protocol/key_choice.hpp"
#include "protocol/late_answers.hpp"
#include "protocol/outbox.hpp"
#include "protocol/problem_report.hpp"

namespace kith::protocol {
namespace {

constexpr std::string_view kDocuments = "did-doc";
constexpr std::string_view kKeys = "own-key";

struct StoredDocument {
  JsonObject document;
  template <class V>
  void visit(V& v) {
    v("document", document);
  }
};

struct StoredKey {
  SealedKey key;
  template <class V>
  void visit(V& v) {
    v("key", key);
  }
};

/// What KeyOps keeps for keys that the stored document of `did` lists and `next` does not.
void forget_stored_agreements(Host& host, std::string_view did, const JsonObject* next) {
  const auto stored = load<StoredDocument>(host, kDocuments, did);
  const auto parsed = Did::parse(did);
  if (!stored || !parsed.has_value()) return;
  const auto old = read_did_document(stored->document, *parsed);
  if (!old.has_value()) return;
  std::vector<NamedKey> kept;
  if (next != nullptr) {
    const auto document = read_did_document(*next, *parsed);
    if (document.has_value()) kept = document->agreement_keys();
  }
  for (const NamedKey& key : old->agreement_keys()) {
    if (std::ranges::find(kept, key) == kept.end()) host.keys().forget_agreements(key.key);
  }
}

/// Only other Kith nodes get padding: they alone gain from it. Our own protocols are spoken by
/// them.
bool is_for_kith(const Message& message) {
  return message.to.front().text().starts_with("did:kith:") ||
         message.type.starts_with("https://w3id.org/kith/");
}

/// Whether this node can send there. An endpoint without `accept` takes anything.
bool is_usable(const ServiceEndpoint& endpoint) {
  const auto& accept = endpoint.accept;
  return accept.empty() || std::ranges::find(accept, "didcomm/v2") != accept.end();
}

bool is_transport(std::string_view uri) {
  for (const std::string_view scheme : {"https://", "http://", "wss://", "ws://"}) {
    if (uri.size() > scheme.size() &&
        std::ranges::equal(uri.substr(0, scheme.size()), scheme,
                           [](char a, char b) { return a == b || a + ('a' - 'A') == b; })) {
      return true;
    }
  }
  return false;
}

/// The ways to a recipient in its order of preference, at least one.
Result<std::vector<Route>> routes_to(const DidDocument& document, Resolver& resolver) {
  std::vector<Route> routes;
  Error last = fail(Errc::unreachable, "that contact has no address");
  for (const ServiceEndpoint& endpoint : document.services) {
    if (routes.size() == limits::kEndpointsTriedMax) break;
    if (!is_usable(endpoint)) continue;
    auto route = plan_route(endpoint, resolver);
    if (!route.has_value()) {
      last = route.error();
    } else if (!is_transport(route->uri)) {
      last = fail(Errc::unreachable, "that contact has no address of a kind known here");
    } else {
      routes.push_back(std::move(*route));
    }
  }
  if (routes.empty()) return last;
  return routes;
}

/// Fills in where `packed` goes. Ways with the same relays share the bytes.
Result<void> address(SendPayload& payload, const std::string& packed, const Did& recipient,
                     const std::vector<Route>& routes, const RelayTerms& terms, Resolver& resolver,
                     Host& host) {
  for (const Route& route : routes) {
    const bool first = &route == &routes.front();
    OtherWay way{route.uri, {}};
    if (first || route.hops != routes.front().hops) {
      auto wrapped =
          wrap_forwards(packed, recipient, route, terms, resolver, host.keys(), host.random());
      if (!wrapped.has_value()) {
        if (first) return wrapped.error();
        continue;
      }
      way.packed = crypto::to_bytes(*wrapped);
    }
    if (first) {
      payload.uri = std::move(way.uri);
      payload.packed = std::move(way.packed);
    } else {
      payload.others.push_back(std::move(way));
    }
  }
  return {};
}

}  // namespace

Result<DidDocument> KnownDids::resolve(const Did& did) {
  if (is_self_contained(did)) return resolve_self_contained(did);
  const auto stored = load<StoredDocument>(host_, kDocuments, did.text());
  if (stored) return read_did_document(stored->document, did);
  if (auto kept = kept_document(host_, did)) return std::move(*kept);
  return fail(Errc::unknown_peer, did.text());
}

std::optional<SealedKey> OwnSecrets::find(std::string_view kid) {
  auto stored = load<StoredKey>(host_, kKeys, kid);
  if (!stored) return std::nullopt;
  return std::move(stored->key);
}

void remember_document(Host& host, std::string_view did, const JsonObject& document) {
  forget_stored_agreements(host, did, &document);
  save(host, kDocuments, did, StoredDocument{document});
}
Result<void> remember_long_form(Host& host, const Did& long_form) {
  TRY(const DidDocument document, did_peer4_short_document(long_form));
  remember_document(host, document.id.text(), document.raw);
  return {};
}
void forget_document(Host& host, std::string_view did) {
  forget_stored_agreements(host, did, nullptr);
  host.erase({std::string(kDocuments), std::string(did)});
}
void remember_key(Host& host, std::string_view kid, const SealedKey& key) {
  save(host, kKeys, kid, StoredKey{key});
}
void forget_key(Host& host, std::string_view kid) {
  KnownDids known(host);
  if (const auto url = DidUrl::parse_kid(kid); url.has_value()) {
    const auto document = known.resolve(url->did());
    const auto* method = document.has_value() ? document->find_method(kid) : nullptr;
    if (method != nullptr && method->key) host.keys().forget_agreements(*method->key);
  }
  host.erase({std::string(kKeys), std::string(kid)});
}

Result<std::string> pack_message(Host& host, const Message& message) {
  if (!message.from || message.to.size() != 1) {
    return fail(Errc::malformed, "a message needs one sender and one recipient");
  }
  KnownDids known(host);
  TRY(const DidDocument document, known.resolve(message.to.front()));
  TRY(const DidDocument own, known.resolve(*message.from));
  const std::vector<NamedKey> recipients = document.agreement_keys();
  OwnSecrets secrets(host);
  TRY(const SenderKey sender, choose_sender(own, secrets, recipients));
  PackOptions options;
  options.pad = is_for_kith(message);
  return pack_authcrypt(message, sender, recipients, options, host.keys(), host.random());
}

Result<Bytes> sign_as(Host& host, const Did& own, ByteView statement) {
  KnownDids known(host);
  OwnSecrets secrets(host);
  TRY(const DidDocument document, known.resolve(own));
  for (const NamedKey& key : document.authentication_keys()) {
    if (const auto sealed = secrets.find(key.kid)) return host.keys().sign(*sealed, statement);
  }
  return fail(Errc::not_found, "no key of ours for " + own.text());
}

Result<void> verify_from(Host& host, const Did& did, ByteView statement, ByteView signature) {
  KnownDids known(host);
  TRY(const DidDocument document, known.resolve(did));
  for (const NamedKey& key : document.authentication_keys()) {
    if (crypto::verify(key.key, statement, signature).has_value()) return {};
  }
  return fail(Errc::bad_signature, "no key of that contact made this signature");
}

Result<void> send_packed(Host& host, const std::string& packed, const Did& to,
                         std::int64_t expires_time, const SendOptions& options) {
  SendPayload payload;
  payload.wants_reply = options.wants_reply;
  if (options.channel.empty() && options.via.empty()) {
    KnownDids known(host);
    TRY(const DidDocument document, known.resolve(to));
    TRY(const auto routes, routes_to(document, known));
    const RelayTerms terms{expires_time, options.relay_delay};
    CHECK(address(payload, packed, to, routes, terms, known, host));
  } else {
    payload.channel = options.channel;
    payload.uri = options.via;
    payload.packed = crypto::to_bytes(packed);
  }

  Effect effect;
  effect.kind = EffectKind::send;
  effect.owner = options.owner;
  effect.context = options.context;
  effect.payload = encode_record(payload);
  effect.expires = host.now() + options.life;
  effect.transient = options.transient || !options.channel.empty();
  effect.answers_inbound = options.answers_inbound;
  host.start(std::move(effect));
  return {};
}

Result<std::string> send(Host& host, Message message, const SendOptions& options) {
  if (!message.from || message.to.size() != 1) {
    return fail(Errc::malformed, "a message needs one sender and one recipient");
  }
  const Time expires = host.now() + options.life;
  if (message.id.empty()) message.id = new_message_id(host.random());
  if (!message.created_time) message.created_time = epoch_seconds(host.now());
  if (!message.expires_time) message.expires_time = epoch_seconds(expires);
  if (options.wants_reply) message.return_route = "all";

  TRY(const std::string packed, pack_message(host, message));

  const Did& to = message.to.front();
  const bool over = options.channel == kChannelOver;
  if (over && options.transient) return message.id;  // Nobody waits for it any more.
  SendOptions way = options;
  if (over) way.channel.clear();
  // What went wrong is told at once or never: a mailbox is for what its owner may want to read.
  const bool may_wait = !options.transient && !is_problem_report(message);
  if (!way.channel.empty()) note_other_way(way, *message.from, to, may_wait);
  auto sent = may_wait ? send_or_queue(host, packed, *message.from, to, *message.expires_time, way)
                       : send_packed(host, packed, to, *message.expires_time, way);
  // Ends at once; but its bytes are kept with the inbox mark, and a repeat gets them.
  if (over && !sent.has_value() && sent.error() == Errc::unreachable) {
    sent = send_packed(host, packed, to, *message.expires_time, options);
  }
  if (!sent.has_value()) return sent.error();
  return message.id;
}

Result<void> send_or_queue(Host& host, const std::string& packed, const Did& own, const Did& to,
                           std::int64_t expires_time, const SendOptions& options) {
  auto sent = send_packed(host, packed, to, expires_time, options);
  if (sent.has_value() || sent.error() != Errc::unreachable) return sent;
  if (queue_for(host, own, to, packed).has_value()) return {};
  return sent;
}

void choose_way(SendPayload& payload, std::uint32_t attempts) {
  const std::size_t turn = attempts % (payload.others.size() + 1);
  if (turn == 0) return;
  OtherWay& way = payload.others[turn - 1];
  payload.uri = std::move(way.uri);
  if (!way.packed.empty()) payload.packed = std::move(way.packed);
}

Result<std::string> reply(Host& host, const Inbound& inbound, std::string_view type,
                          JsonObject body, SendOptions options) {
  if (!inbound.info.sender || !inbound.info.own_did) {
    return fail(Errc::not_authentic, "an anonymous message cannot be answered");
  }
  Message message = new_reply(inbound.message, type, host.random(), epoch_seconds(host.now()));
  message.from = inbound.info.own_did;
  message.to = {*inbound.info.sender};
  message.body = std::move(body);
  if (asks_for_ack(inbound.message)) message.ack = {inbound.message.id};
  if (inbound.message.return_route == "all") options.channel = inbound.channel;
  options.answers_inbound = true;
  return send(host, std::move(message), options);
}

}  // namespace kith::protocol
