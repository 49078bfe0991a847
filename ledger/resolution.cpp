#include "ledger/resolution.hpp"

#include <algorithm>

#include "crypto/limits.hpp"
#include "ledger/did_kith.hpp"
#include "ledger/identity.hpp"
#include "ledger/own_log.hpp"
#include "ledger/strict_json.hpp"
#include "protocol/messenger.hpp"

namespace kith::ledger {
namespace {

constexpr std::string_view kCollection = "resolution";

struct ResolutionJob {
  std::string did;
  std::string ledger_url;
  std::string ledger_id;  ///< Empty: not known, when the user named the ledger.
  std::string effect;     ///< Open read; empty: ended.
  std::string error;      ///< DID Core word: notFound, invalidDid, ...
  std::string message;
  JsonObject document;
  JsonObject metadata;
  std::vector<protocol::AnchoredBlob> pages;
  Time created{};
  template <class V>
  void visit(V& v) {
    v("did", did), v("ledger_url", ledger_url), v("ledger_id", ledger_id), v("effect", effect);
    v("error", error), v("message", message), v("document", document), v("metadata", metadata);
    v("pages", pages), v("created", created);
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
      job.error = "invalidDid";
      break;
    default:
      job.error = "internalError";
  }
  job.message = std::string(crypto::error_text(error.code).sentence);
  if (!error.detail.empty()) job.message += " (" + error.detail + ")";
}

Result<void> settle(Host& host, ResolutionJob& job, const std::vector<AnchoredBlob>& blobs) {
  TRY(const LogView view, read_log(job.did, blobs, {anchor_time(host.now()), host.test_mode()}));
  const bool at_home = job.ledger_id.empty() || contains(view.current.ledgers, job.ledger_id);
  if (!at_home) return fail(Errc::not_found, "that log is kept on another ledger");
  TRY(const Resolution resolved, resolve_did_kith(view));
  TRY(const JsonObject* document, crypto::as_object(resolved.document, "document"));
  TRY(const JsonObject* metadata, crypto::as_object(resolved.metadata, "metadata"));
  job.document = *document;
  job.metadata = *metadata;
  return {};
}

/// What needs no ledger: other methods, and logs between two parties.
Result<bool> resolve_here(Host& host, ResolutionJob& job) {
  TRY(const Did did, Did::parse(job.did));
  if (did.method() != "kith") {
    auto document = protocol::KnownDids(host).resolve(did);
    if (!document.has_value()) {
      if (document.error() == Errc::unknown_peer) return fail(Errc::unsupported);
      return document.error();
    }
    job.document = protocol::to_json(*document);
    return true;
  }
  CHECK(check_did_kith(job.did));
  const auto view = stored_view(host, job.did);
  if (!view.has_value() || view->kind != Kind::pair) return false;
  job.ledger_id.clear();
  CHECK(settle(host, job, stored_blobs(host, job.did)));
  return true;
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
  CHECK(only_members(args, {"did", "ledger"}, "did-resolve"));
  ResolutionJob job;
  TRY(job.did, crypto::json_string(args, "did"));
  job.created = host.now();
  const std::string id = new_id(host);
  const auto here = resolve_here(host, job);
  if (!here.has_value()) {
    refuse(job, here.error());
  } else if (!*here) {
    CHECK(choose_ledger(host, job, args));
    job.effect = start_read(host, context_of(id), job.ledger_url, job.did, 0);
  }
  make_room(host);
  save(host, kCollection, id, job);
  return JsonObject{{"id", id}};
}

Result<JsonObject> resolution_status(Host& host, const JsonObject& args) {
  TRY(const std::string id, crypto::json_string(args, "id"));
  const auto job = load<ResolutionJob>(host, kCollection, id);
  if (!job) return fail(Errc::not_found, "no such resolution");
  JsonObject reply;
  reply["did"] = job->did;
  if (!job->effect.empty()) {
    reply["state"] = "waiting";
    return reply;
  }
  JsonObject how;
  if (job->error.empty()) {
    how["contentType"] = "application/did+json";
    reply["didDocument"] = job->document;
    reply["didDocumentMetadata"] = job->metadata;
  } else {
    how["error"] = job->error;
    how["message"] = job->message;
  }
  reply["state"] = job->error.empty() ? "done" : "failed";
  reply["didResolutionMetadata"] = std::move(how);
  return reply;
}

void take_resolution_page(Host& host, std::string_view id, const protocol::Effect& effect,
                          const Result<Bytes>& outcome) {
  auto job = load<ResolutionJob>(host, kCollection, id);
  if (!job || job->effect != effect.id) return;
  job->effect.clear();
  if (!outcome.has_value()) {
    refuse(*job, outcome.error());
  } else if (const auto complete = take_page(job->pages, *outcome); !complete.has_value()) {
    refuse(*job, fail(Errc::limit_exceeded, complete.error().detail));
  } else if (!*complete) {
    job->effect =
        start_read(host, context_of(id), job->ledger_url, job->did, job->pages.back().position + 1);
  } else if (const auto settled = settle(host, *job, anchored(job->pages)); !settled.has_value()) {
    refuse(*job, settled.error());
  }
  if (job->effect.empty()) job->pages.clear();
  save(host, kCollection, id, *job);
}

}  // namespace kith::ledger
