#include "ledger/resolution.hpp"

#include <algorithm>

#include "crypto/limits.hpp"
#include "ledger/did_kith.hpp"
#include "ledger/identity.hpp"
#include "ledger/strict_json.hpp"
#include "ledger/trail_reading.hpp"
#include "protocol/did_core.hpp"
#include "protocol/did_peer.hpp"
#include "protocol/did_web.hpp"
#include "protocol/kept_document.hpp"
#include "protocol/messenger.hpp"

namespace kith::ledger {
namespace {

constexpr std::string_view kCollection = "resolution";
constexpr std::string_view kAsker = "identity";

/// Of a log, it is the reading of that.
struct ResolutionJob : TrailReading {
  std::string did;
  std::string url;  ///< What was asked, when it was more than a DID.
  std::string ledger_url;
  std::string ledger_id;  ///< Empty: not known, when the user named the ledger.
  std::string error;      ///< DID Core word: notFound, invalidDid, ...
  std::string message;
  JsonObject document;
  JsonObject metadata;
  JsonObject content;  ///< {content, contentType} of a DID URL.
  std::uint32_t redirects = 0;
  bool json_ld = false;  ///< The representation that was asked for.
  Time created{};
  template <class V>
  void visit(V& v) {
    TrailReading::visit(v);
    v("did", did), v("ledger_url", ledger_url), v("ledger_id", ledger_id);
    v("error", error), v("message", message), v("document", document), v("metadata", metadata);
    v("created", created), v("url", url), v("content", content);
    v("redirects", redirects), v("json_ld", json_ld);
  }
};

std::string context_of(std::string_view id) {
  return std::string(kResolutionContext) + std::string(id);
}

void refuse(ResolutionJob& job, const Error& error) {
  switch (error.code) {
    case Errc::not_found:
      job.error = "notFound";
      break;
    case Errc::unsupported:
      job.error = "methodNotSupported";
      break;
    case Errc::malformed:
      job.error = job.url.empty() ? "invalidDid" : "invalidDidUrl";
      break;
    case Errc::bad_key:
    case Errc::not_authentic:
      job.error = "invalidDidDocument";
      break;
    default:
      job.error = "internalError";
  }
  job.message = std::string(crypto::error_text(error.code).sentence);
  if (!error.detail.empty()) job.message += " (" + error.detail + ")";
}

/// What the parameters of the DID URL ask for.
Result<WantedVersion> wanted_version(const ResolutionJob& job) {
  WantedVersion wanted;
  if (job.url.empty()) return wanted;
  TRY(const DidUrl url, DidUrl::parse(job.url));
  TRY(wanted.id, protocol::did_url_parameter(url, "versionId"));
  TRY(wanted.time, protocol::did_url_parameter(url, "versionTime"));
  return wanted;
}

/// The ledger that the user has was the log's, once or now.
bool lived_on(const LogView& view, std::string_view ledger) {
  return std::ranges::any_of(view.history, [&](const LogRecord& record) {
    return record.entry->content && contains(record.entry->content->ledgers, ledger);
  });
}

Result<void> settle(Host& host, ResolutionJob& job, const LogView& view) {
  const bool at_home = job.ledger_id.empty() || lived_on(view, job.ledger_id);
  if (!at_home) return fail(Errc::not_found, "that log is kept on another ledger");
  TRY(const WantedVersion wanted, wanted_version(job));
  TRY(const Resolution resolved, resolve_did_kith_version(view, wanted));
  TRY(const JsonObject* document, crypto::as_object(resolved.document, "document"));
  TRY(const JsonObject* metadata, crypto::as_object(resolved.metadata, "metadata"));
  job.document = *document;
  job.metadata = *metadata;
  if (const LogRecord* move = view.open_move(anchor_time(host.now()))) {
    const JsonObject moved{{"from", *move->entry->from},
                           {"to", move->entry->content->ledgers.front()},
                           {"contestableUntil", utc_text(*move->contestable_until)}};
    job.metadata.at("kith").get_object()["moved"] = moved;
  }
  const bool newest = !wanted.id && !wanted.time && view.kind == Kind::did;
  if (newest && !view.unconfirmed_move) {
    TRY(const Did did, Did::parse(job.did));
    // What is no use for messages is an answer all the same.
    const auto read = protocol::read_did_document(job.document, did);
    if (read.has_value()) protocol::keep_document(host, *read);
  }
  return {};
}

ReadingFor reading_for(std::string_view id) {
  return {kAsker, context_of(id)};
}

/// The log, if it was read to its end.
Result<void> settle_if_read(Host& host, ResolutionJob& job,
                            const Result<std::optional<LogView>>& read) {
  if (!read.has_value()) return read.error();
  return *read ? settle(host, job, **read) : Result<void>();
}

void start_fetch(Host& host, ResolutionJob& job, std::string_view id, const std::string& url) {
  protocol::Effect effect = protocol::did_web_fetch(url, host.now(), host.test_mode());
  effect.owner = kAsker;
  effect.context = context_of(id);
  job.effect = host.start(std::move(effect));
}

/// Other methods than did:kith: known, or fetched. Errors: those of the resolvers.
Result<void> resolve_foreign(Host& host, ResolutionJob& job, std::string_view id, const Did& did) {
  TRY(const WantedVersion wanted, wanted_version(job));
  if (wanted.id || wanted.time) {
    return fail(Errc::unsupported, "only did:kith has versions here");
  }
  if (did.method() == "web" && !protocol::kept_document(host, did)) {
    TRY(const std::string url, protocol::did_web_url(did, host.test_mode()));
    start_fetch(host, job, id, url);
    return {};
  }
  auto document = protocol::KnownDids(host).resolve(did);
  if (!document.has_value()) {
    if (document.error() == Errc::unknown_peer) {
      const bool short_form = protocol::did_peer_numalgo(did) == '4';
      return fail(short_form ? Errc::not_found : Errc::unsupported,
                  short_form ? "the long form of this did:peer was never seen here" : "");
    }
    return document.error();
  }
  if (protocol::is_did_peer4_long(did)) CHECK(protocol::remember_long_form(host, did));
  job.document = protocol::to_json(*document);
  return {};
}

/// False: the ledger must be asked.
Result<bool> resolve_here(Host& host, ResolutionJob& job, std::string_view id) {
  TRY(const DidUrl url, DidUrl::parse(job.did));
  if (url.text() != url.did().text()) {
    job.url = url.text();
    job.did = url.did().text();
  }
  if (url.did().method() != "kith") {
    CHECK(resolve_foreign(host, job, id, url.did()));
    return true;
  }
  CHECK(check_did_kith(job.did));
  const auto view = stored_view(host, job.did);
  if (!view.has_value() || view->kind != Kind::pair) return false;
  job.ledger_id.clear();
  CHECK(settle(host, job, *view));
  return true;
}

/// The document is there: finds in it what a DID URL names.
Result<void> follow_url(ResolutionJob& job) {
  if (job.url.empty()) return {};
  TRY(const Did did, Did::parse(job.did));
  TRY(const DidUrl url, DidUrl::parse(job.url));
  TRY(const DidDocument document, protocol::read_did_document(job.document, did));
  TRY(const protocol::Dereferenced found, protocol::dereference(document, url));
  job.content["contentType"] = found.media_type;
  job.content["content"] = found.content;
  return {};
}

Result<void> choose_ledger(Host& host, ResolutionJob& job, const JsonObject& args) {
  TRY(const auto asked, crypto::json_optional_string(args, "ledger"));
  const auto own = identity(host);
  if (!asked && !own) return fail(Errc::wrong_state, "there is no ledger to ask yet");
  job.ledger_url = asked ? *asked : own->ledger_url;
  CHECK(plain_text(job.ledger_url, "the ledger's address", limits::kHttpUrlCharsMax));
  if (own && own->ledger_url == job.ledger_url) job.ledger_id = own->ledger_id;
  return {};
}

/// DID Core 6.3.1: in JSON-LD its own context comes first.
void put_context_first(JsonObject& document) {
  JsonArray contexts{kDidContext};
  if (const Json* given = document.if_contains("@context")) {
    const JsonArray list = given->is_array() ? given->get_array() : JsonArray{*given};
    for (const Json& context : list) {
      if (context != contexts.front()) contexts.push_back(context);
    }
  }
  document["@context"] = std::move(contexts);
}

void finish(ResolutionJob& job) {
  if (job.json_ld) put_context_first(job.document);
  const auto followed = follow_url(job);
  if (!followed.has_value()) refuse(job, followed.error());
}

/// Ids sort by time, so the first is the oldest.
void make_room(Host& host) {
  const auto ids = host.list(kCollection);
  for (std::size_t i = 0; i + limits::kResolutionsKept <= ids.size(); ++i) {
    const auto job = load<ResolutionJob>(host, kCollection, ids[i]);
    if (job && !job->effect.empty()) host.cancel_effect(job->effect);
    host.erase({std::string(kCollection), ids[i]});
  }
}

std::string new_id(Host& host) {
  Bytes id;
  crypto::append_u64_be(id, static_cast<std::uint64_t>(protocol::epoch_ms(host.now())));
  crypto::append(id, host.random().bytes(8));
  return crypto::hex(id);
}

}  // namespace

Result<JsonObject> start_resolution(Host& host, const JsonObject& args) {
  CHECK(only_members(args, {"did", "ledger", "json_ld"}, "did-resolve"));
  ResolutionJob job;
  TRY(job.did, crypto::json_string(args, "did"));
  job.json_ld = crypto::json_true(args, "json_ld");
  job.created = host.now();
  const std::string id = new_id(host);
  const auto here = resolve_here(host, job, id);
  if (!here.has_value()) {
    refuse(job, here.error());
  } else if (!*here) {
    CHECK(choose_ledger(host, job, args));
    job.trail = begin_trail(host, job.did, job.ledger_url);
    const auto begun = settle_if_read(host, job, read_next_stop(host, job, reading_for(id)));
    if (!begun.has_value()) refuse(job, begun.error());
  } else if (job.effect.empty()) {
    finish(job);
  }
  make_room(host);
  save(host, kCollection, id, job);
  return JsonObject{{"id", id}};
}

/// DID Resolution: the members of a resolution, and for a DID URL those of dereferencing too.
Result<JsonObject> resolution_status(Host& host, const JsonObject& args) {
  TRY(const std::string id, crypto::json_string(args, "id"));
  const auto job = load<ResolutionJob>(host, kCollection, id);
  if (!job) return fail(Errc::not_found, "no such resolution");
  JsonObject reply;
  reply["did"] = job->did;
  if (!job->url.empty()) reply["url"] = job->url;
  if (!job->effect.empty()) {
    reply["state"] = "waiting";
    return reply;
  }
  JsonObject how;
  if (job->error.empty()) {
    how["contentType"] = job->json_ld ? "application/did+ld+json" : "application/did+json";
    reply["didDocument"] = job->document;
    reply["didDocumentMetadata"] = job->metadata;
  } else {
    how["error"] = job->error;
    how["message"] = job->message;
  }
  reply["state"] = job->error.empty() ? "done" : "failed";
  reply["didResolutionMetadata"] = how;
  if (job->url.empty()) return reply;
  if (job->error.empty()) {
    how["contentType"] = job->content.at("contentType");
    reply["content"] = job->content.at("content");
    reply["contentMetadata"] = job->metadata;
  }
  reply["dereferencingMetadata"] = std::move(how);
  return reply;
}

namespace {

Result<void> take_web_answer(Host& host, ResolutionJob& job, std::string_view id,
                             const Result<Bytes>& outcome) {
  TRY(const Did did, Did::parse(job.did));
  TRY(const protocol::WebAnswer answer, protocol::read_did_web(host, did, outcome));
  if (answer.document) {
    job.document = protocol::to_json(*answer.document);
    return {};
  }
  if (++job.redirects > limits::kHttpRedirectsMax) {
    return fail(Errc::limit_exceeded, "the web server leads from one address to the next");
  }
  start_fetch(host, job, id, answer.next_url);
  return {};
}

}  // namespace

void take_resolution_answer(Host& host, std::string_view id, const protocol::Effect& effect,
                            const Result<Bytes>& outcome) {
  auto job = load<ResolutionJob>(host, kCollection, id);
  if (!job || job->effect != effect.id) return;
  job->effect.clear();
  const bool web = job->trail.stops.empty();
  const auto taken =
      web ? take_web_answer(host, *job, id, outcome)
          : settle_if_read(host, *job,
                           take_trail_page(host, *job, reading_for(id), effect, outcome));
  if (!taken.has_value()) {
    refuse(*job, taken.error());
  } else if (job->effect.empty()) {
    finish(*job);
  }
  if (job->effect.empty()) {
    job->pages.clear();
    job->trail = {};
  }
  save(host, kCollection, id, *job);
}

}  // namespace kith::ledger
