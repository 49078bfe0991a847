#include "protocol/discover_features.hpp"

#include <algorithm>

#include "crypto/limits.hpp"
#include "protocol/contact.hpp"
#include "protocol/message_type.hpp"
#include "protocol/messenger.hpp"
#include "protocol/pickup_dialect.hpp"
#include "protocol/sender.hpp"

namespace kith::protocol {
namespace {

constexpr std::string_view kAnswers = "features";

struct Disclosure {
  std::vector<std::string> contacts = {"*"};
  std::vector<std::string> strangers = {
      "https://didcomm.org/trust-ping/*", "https://didcomm.org/discover-features/*",
      "https://didcomm.org/out-of-band/*", "https://didcomm.org/empty/*",
      "https://didcomm.org/report-problem/*"};
  template <class V>
  void visit(V& v) {
    v("contacts", contacts), v("strangers", strangers);
  }
};

struct AskedFeatures {
  std::string contact_id;
  Time asked{};
  bool answered = false;
  JsonObject answer;  ///< {disclosures: [...]}
  template <class V>
  void visit(V& v) {
    v("contact_id", contact_id), v("asked", asked), v("answered", answered), v("answer", answer);
  }
};

struct Query {
  std::string type;
  std::string match;
};

Disclosure disclosure_of(Host& host) {
  return load<Disclosure>(host, "meta", "disclosure").value_or(Disclosure{});
}

// --- Answering

/// Unknown types are ignored: they match nothing.
Result<std::vector<Query>> read_queries(const JsonObject& body) {
  TRY(const JsonArray* items, crypto::json_array(body, "queries"));
  if (items->size() > limits::kFeatureQueriesMax) {
    return fail(Errc::limit_exceeded, "too many queries in one message");
  }
  std::vector<Query> queries;
  for (const Json& item : *items) {
    TRY(const JsonObject* object, crypto::as_object(item, "a query"));
    Query query;
    TRY(query.type, crypto::json_string(*object, "feature-type"));
    TRY(query.match, crypto::json_string(*object, "match"));
    if (query.match.size() > limits::kFeaturePatternCharsMax) {
      return fail(Errc::limit_exceeded, "a pattern is too long");
    }
    queries.push_back(std::move(query));
  }
  return queries;
}

bool allowed(const Feature& feature, const std::vector<std::string>& patterns) {
  return std::ranges::any_of(
      patterns, [&](const std::string& pattern) { return matches_pattern(feature.id, pattern); });
}

JsonObject disclosure_json(const Feature& feature) {
  JsonObject object{{"feature-type", feature.type}, {"id", feature.id}};
  if (!feature.roles.empty()) {
    object["roles"] = JsonArray(feature.roles.begin(), feature.roles.end());
  }
  if (!feature.value.empty()) object["value"] = feature.value;
  return object;
}

/// Fisher and Yates.
void shuffle(std::vector<Feature>& features, Random& random) {
  for (std::size_t left = features.size(); left > 1; --left) {
    std::swap(features[left - 1], features[static_cast<std::size_t>(random.below(left))]);
  }
}

JsonObject answer_to(Host& host, const std::vector<Feature>& all, const std::vector<Query>& queries,
                     const std::vector<std::string>& patterns) {
  std::vector<Feature> told;
  for (const Feature& feature : all) {
    const bool asked = std::ranges::any_of(queries, [&](const Query& query) {
      return query.type == feature.type && matches_pattern(feature.id, query.match);
    });
    if (asked && allowed(feature, patterns)) told.push_back(feature);
  }
  shuffle(told, host.random());
  JsonArray disclosures;
  for (const Feature& feature : told) disclosures.push_back(disclosure_json(feature));
  return JsonObject{{"disclosures", std::move(disclosures)}};
}

Result<void> on_queries(Host& host, const Inbound& inbound, const std::vector<Feature>& all) {
  if (!inbound.info.sender || !inbound.info.own_did) {
    return fail(Errc::not_authentic, "nobody can be answered");
  }
  TRY(const auto queries, read_queries(inbound.message.body));
  const bool known = contact_of(host, *inbound.info.own_did, *inbound.info.sender).has_value();
  const Disclosure disclosure = disclosure_of(host);
  JsonObject answer =
      answer_to(host, all, queries, known ? disclosure.contacts : disclosure.strangers);
  SendOptions options;
  options.life = std::chrono::hours{1};
  TRY(const std::string id,
      reply(host, inbound, kFeatureDisclose, std::move(answer), std::move(options)));
  return {};
}

// --- Asking

/// Of each disclosure what the standard names, as far as it is of use.
Result<JsonArray> read_disclosures(const JsonObject& body) {
  TRY(const JsonArray* items, crypto::json_array(body, "disclosures"));
  if (items->size() > limits::kFeaturesMax) {
    return fail(Errc::limit_exceeded, "too many features in one answer");
  }
  JsonArray kept;
  for (const Json& item : *items) {
    TRY(const JsonObject* object, crypto::as_object(item, "a disclosure"));
    TRY(const std::string type, crypto::json_string(*object, "feature-type"));
    TRY(const std::string id, crypto::json_string(*object, "id"));
    if (type.size() + id.size() > limits::kMessageTypeCharsMax) {
      return fail(Errc::limit_exceeded, "a feature with a long name");
    }
    JsonObject one{{"feature-type", type}, {"id", id}};
    for (const std::string_view more : {"roles", "value"}) {
      if (const Json* value = object->if_contains(more)) one[more] = *value;
    }
    kept.push_back(std::move(one));
  }
  return kept;
}

/// Disclosures that nobody asked for are taken and forgotten.
Result<void> on_disclose(Host& host, const Inbound& inbound) {
  if (!inbound.info.sender || !inbound.info.own_did) {
    return fail(Errc::not_authentic, "features must be somebody's");
  }
  TRY(JsonArray disclosures, read_disclosures(inbound.message.body));
  auto asked = load<AskedFeatures>(host, kAnswers, inbound.message.thread());
  if (!asked || asked->answered) return {};
  TRY(const Contact contact, contact_of(host, *inbound.info.own_did, *inbound.info.sender));
  if (contact.id != asked->contact_id) return {};
  asked->answered = true;
  asked->answer["disclosures"] = std::move(disclosures);
  save(host, kAnswers, inbound.message.thread(), *asked);
  return {};
}

void drop_oldest_answers(Host& host) {
  auto ids = host.list(kAnswers);
  while (ids.size() >= limits::kFeatureAnswersKept) {
    const auto oldest = std::ranges::min_element(ids, {}, [&](const std::string& id) {
      return load<AskedFeatures>(host, kAnswers, id)->asked;
    });
    host.erase({std::string(kAnswers), *oldest});
    ids.erase(oldest);
  }
}

Result<JsonArray> queries_of(const JsonObject& args) {
  JsonArray queries;
  if (!args.contains("queries")) {
    queries.push_back(JsonObject{{"feature-type", "protocol"}, {"match", "*"}});
    return queries;
  }
  TRY(const JsonArray* items, crypto::json_array(args, "queries"));
  if (items->empty() || items->size() > limits::kFeatureQueriesMax) {
    return fail(Errc::usage, "ask one question at least, and not too many");
  }
  for (const Json& item : *items) {
    TRY(const JsonObject* query, crypto::as_object(item, "a query"));
    TRY(const std::string type, crypto::json_string(*query, "type"));
    TRY(const std::string match, crypto::json_string(*query, "match"));
    queries.push_back(JsonObject{{"feature-type", type}, {"match", match}});
  }
  return queries;
}

Result<std::string> send_queries(Host& host, const Contact& contact, JsonArray queries) {
  if (contact.state != ContactState::connected) {
    return fail(Errc::wrong_state, contact.name + " is not connected");
  }
  TRY(Message message, message_to(host, contact, kFeatureQueries));
  message.body = {{"queries", std::move(queries)}};
  SendOptions options;
  options.life = std::chrono::hours{1};
  options.wants_reply = contact.role == ContactRole::mediator;
  TRY(const std::string id, send(host, std::move(message), options));
  drop_oldest_answers(host);
  save(host, kAnswers, id, AskedFeatures{contact.id, host.now(), false, {}});
  return id;
}

Result<JsonObject> ask(Host& host, const JsonObject& args) {
  TRY(const std::string name, crypto::json_string(args, "contact"));
  TRY(const Contact contact, contact_named(host, name));
  TRY(JsonArray queries, queries_of(args));
  TRY(const std::string id, send_queries(host, contact, std::move(queries)));
  return JsonObject{{"id", id}};
}

Result<JsonObject> answer_status(Host& host, const JsonObject& args) {
  TRY(const std::string id, crypto::json_string(args, "id"));
  const auto asked = load<AskedFeatures>(host, kAnswers, id);
  if (!asked) return fail(Errc::not_found, "no question by that id");
  const auto contact = find_contact(host, asked->contact_id);
  JsonObject reply{{"id", id},
                   {"contact", contact ? contact->name : asked->contact_id},
                   {"answered", asked->answered}};
  if (asked->answered) reply["disclosures"] = asked->answer.at("disclosures");
  return reply;
}

// --- The policy

Result<void> read_patterns(const JsonObject& args, std::string_view member,
                           std::vector<std::string>& patterns) {
  if (!args.contains(member)) return {};
  TRY(const JsonArray* items, crypto::json_array(args, member));
  if (items->size() > limits::kFeatureQueriesMax) {
    return fail(Errc::limit_exceeded, "too many patterns");
  }
  patterns.clear();
  for (const Json& item : *items) {
    const bool fits = item.is_string() && !item.get_string().empty() &&
                      item.get_string().size() <= limits::kFeaturePatternCharsMax;
    if (!fits) return fail(Errc::usage, "a pattern is a short text, such as https://didcomm.org/*");
    patterns.emplace_back(item.get_string().data(), item.get_string().size());
  }
  return {};
}

Result<JsonObject> policy(Host& host, const JsonObject& args) {
  Disclosure disclosure = disclosure_of(host);
  CHECK(read_patterns(args, "contacts", disclosure.contacts));
  CHECK(read_patterns(args, "strangers", disclosure.strangers));
  if (!args.empty()) save(host, "meta", "disclosure", disclosure);
  return encode_body(disclosure);
}

struct Roles {
  std::string_view module;  ///< Empty: any.
  std::string_view protocol;
  std::vector<std::string> roles;
};

/// Which roles Kith plays where a protocol has several.
const std::vector<Roles>& known_roles() {
  static const std::vector<Roles> roles = {
      {"", "https://didcomm.org/discover-features/2.0", {"requester", "responder"}},
      {"", "https://didcomm.org/trust-ping/2.0", {"sender", "receiver"}},
      {"", "https://didcomm.org/basicmessage/2.0", {"sender", "receiver"}},
      {"", "https://didcomm.org/out-of-band/2.0", {"sender", "receiver"}},
      {"", "https://didcomm.org/report-problem/2.0", {"notifier", "notified"}},
      {"mediator", "https://didcomm.org/routing/2.0", {"mediator"}},
      {"rewrapped", "https://didcomm.org/routing/2.0", {"sender", "recipient"}},
      {"mediator", "https://didcomm.org/coordinate-mediation/2.0", {"mediator"}},
      {"mediator", "https://didcomm.org/coordinate-mediation/3.0", {"mediator"}},
      {"pickup", "https://didcomm.org/coordinate-mediation/3.0", {"recipient"}},
      {"mediator", kPickup3.uri(), {"mediator"}},
      {"mediator", kPickup4.uri(), {"mediator"}},
      {"pickup", kPickup3.uri(), {"recipient"}},
      {"pickup", kPickup4.uri(), {"recipient"}},
  };
  return roles;
}

/// One feature for each protocol, with the roles that any of the modules plays in it.
void add_protocol(std::vector<Feature>& features, std::string_view module,
                  const std::string& type) {
  const auto parsed = MessageType::parse(type);
  if (!parsed.has_value()) return;
  const std::string uri = parsed->protocol_uri();
  auto feature = std::ranges::find(features, uri, &Feature::id);
  if (feature == features.end()) feature = features.insert(feature, Feature{"protocol", uri});
  for (const Roles& known : known_roles()) {
    if (known.protocol != uri || (!known.module.empty() && known.module != module)) continue;
    for (const std::string& role : known.roles) {
      if (std::ranges::find(feature->roles, role) == feature->roles.end()) {
        feature->roles.push_back(role);
      }
    }
  }
}

}  // namespace

Result<std::string> ask_for_protocol(Host& host, const Contact& contact, std::string_view piuri) {
  return send_queries(host, contact, {JsonObject{{"feature-type", "protocol"}, {"match", piuri}}});
}

std::optional<bool> was_told(Host& host, std::string_view question, std::string_view piuri) {
  const auto asked = load<AskedFeatures>(host, kAnswers, question);
  if (!asked) return false;  // Too many other questions since.
  if (!asked->answered) return std::nullopt;
  return std::ranges::any_of(asked->answer.at("disclosures").as_array(), [&](const Json& one) {
    return one.at("feature-type").get_string() == "protocol" &&
           std::string_view(one.at("id").get_string()) == piuri;
  });
}

bool matches_pattern(std::string_view text, std::string_view pattern) {
  std::size_t t = 0;
  std::size_t p = 0;
  std::size_t star = std::string_view::npos;  // The last '*', and where it began to match.
  std::size_t from = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      from = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++from;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::vector<std::string> DiscoverFeatures::message_types() const {
  return {std::string(kFeatureQueries), std::string(kFeatureDisclose)};
}

std::vector<std::string> DiscoverFeatures::commands() const {
  return {"features-ask", "features-status", "features-policy"};
}

bool DiscoverFeatures::only_reads(std::string_view what) const {
  return what == kFeatureQueries || what == "features-status";
}

Result<void> DiscoverFeatures::on_message(Host& host, const Inbound& inbound) {
  if (inbound.message.type == kFeatureQueries) return on_queries(host, inbound, features_);
  return on_disclose(host, inbound);
}

Result<JsonObject> DiscoverFeatures::on_command(Host& host, const Command& command) {
  if (command.name == "features-ask") return ask(host, command.args);
  if (command.name == "features-status") return answer_status(host, command.args);
  return policy(host, command.args);
}

std::vector<Feature> features_of(const std::vector<std::unique_ptr<Module>>& modules) {
  std::vector<Feature> features;
  for (const std::string& type :
       {std::string(kFeatureQueries), std::string("https://didcomm.org/out-of-band/2.0/invitation"),
        std::string(kProblemReportType)}) {
    add_protocol(features, "", type);
  }
  for (const auto& module : modules) {
    for (const std::string& type : module->message_types()) {
      add_protocol(features, module->name(), type);
    }
  }
  for (const char* header :
       {"thid", "pthid", "created_time", "expires_time", "from_prior", "please_ack", "ack",
        "return_route", "lang", "accept-lang", "sender_order", "received_orders", "web_redirect"}) {
    features.push_back({"header", header});
  }
  for (const char* goal : {"connect", "mediate", "recover"})
    features.push_back({"goal-code", goal});
  features.push_back(
      {"constraint", "max_receive_bytes", {}, std::to_string(limits::kEnvelopeBytesMax)});
  return features;
}

}  // namespace kith::protocol
