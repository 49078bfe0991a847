#include "protocol/out_of_band.hpp"

#include <algorithm>

#include "crypto/limits.hpp"
#include "protocol/contact.hpp"
#include "protocol/invitation.hpp"
#include "protocol/messenger.hpp"
#include "protocol/short_url_store.hpp"

namespace kith::protocol {
namespace {

constexpr std::string_view kOutOfBand = "out-of-band";
constexpr std::string_view kJobs = "short-url-job";
constexpr std::string_view kSweepShortUrls = "sweep";
constexpr std::string_view kEmpty = "https://didcomm.org/empty/1.0/empty";
constexpr std::string_view kInvitationTypes = "application/didcomm-plain+json, application/json";
constexpr std::chrono::hours kSweepShortUrlsEvery{24};
constexpr std::chrono::seconds kLongFormLife{60};
constexpr std::size_t kJobsKept = 32;

/// A shortening, by the id of the request, or an unshortening.
struct ShortUrlJob {
  std::string url;     ///< The result, once it is there.
  std::string asked;   ///< unshorten: the address fetched now.
  std::string effect;  ///< unshorten: the open fetch.
  std::string error;
  std::uint32_t hops = 0;
  Time created{};
  template <class V>
  void visit(V& v) {
    v("url", url), v("asked", asked), v("effect", effect), v("error", error), v("hops", hops),
        v("created", created);
  }
};

void keep_job(Host& host, std::string_view id, ShortUrlJob job) {
  auto ids = host.list(kJobs);
  while (ids.size() >= kJobsKept) {
    const auto oldest = std::ranges::min_element(ids, {}, [&](const std::string& one) {
      return load<ShortUrlJob>(host, kJobs, one)->created;
    });
    host.erase({std::string(kJobs), *oldest});
    ids.erase(oldest);
  }
  job.created = host.now();
  save(host, kJobs, id, job);
}

Result<JsonObject> job_status(Host& host, const JsonObject& args) {
  TRY(const std::string id, crypto::json_string(args, "id"));
  const auto job = load<ShortUrlJob>(host, kJobs, id);
  if (!job) return fail(Errc::not_found, "nothing by that id");
  JsonObject reply{{"id", id}};
  if (!job->error.empty()) {
    reply["state"] = "failed";
    reply["error"] = job->error;
  } else if (!job->url.empty()) {
    reply["state"] = "done";
    reply["url"] = job->url;
  } else {
    reply["state"] = "waiting";
  }
  return reply;
}

/// An invitation in its long form. Errors: bad_url, expired and those of parse_invitation_url.
Result<Invitation> long_form(Host& host, const std::string& url) {
  TRY(auto parsed, parse_invitation_url(url));
  if (!parsed.invitation) return fail(Errc::bad_url, "this address is short already");
  const auto& expires = parsed.invitation->expires_time;
  if (expires && from_epoch_seconds(*expires) <= host.now()) {
    return fail(Errc::expired, "the invitation has expired");
  }
  return std::move(*parsed.invitation);
}

// --- Serving short addresses

Result<Contact> proven_client(Host& host, const Inbound& inbound) {
  if (!inbound.info.sender || !inbound.info.own_did) {
    return fail(Errc::not_authentic, "short addresses are for proven clients only");
  }
  TRY(Contact contact, contact_of(host, *inbound.info.own_did, *inbound.info.sender));
  if (contact.role != ContactRole::client) {
    return fail(Errc::refused, "short addresses are for clients only");
  }
  return contact;
}

/// The end of a short address: what was asked for, and never after the invitation's own.
Result<Time> end_of(Host& host, const Invitation& invitation, std::int64_t wanted_seconds) {
  const std::chrono::seconds most = limits::kShortUrlLifeMax;
  if (wanted_seconds < 1 || wanted_seconds > most.count()) {
    return fail(Errc::limit_exceeded,
                "validity_too_long: at most " + std::to_string(most.count()) + " seconds");
  }
  Time end = host.now() + std::chrono::seconds{wanted_seconds};
  if (invitation.expires_time) end = std::min(end, from_epoch_seconds(*invitation.expires_time));
  return end;
}

Result<ShortUrl> shorten_here(Host& host, const std::string& public_url, const std::string& client,
                              const std::string& url, std::int64_t seconds) {
  TRY(const Invitation invitation, long_form(host, url));
  if (!url.starts_with(public_url)) {
    return fail(Errc::refused, "invalid_url: only invitations that lead here are shortened");
  }
  TRY(const Time end, end_of(host, invitation, seconds));
  return ShortUrl{client, url, end};
}

Result<void> on_shorten_request(Host& host, const Inbound& inbound, const std::string& public_url) {
  TRY(const Contact client, proven_client(host, inbound));
  const JsonObject& body = inbound.message.body;
  TRY(const std::string url, crypto::json_string(body, "url"));
  TRY(const std::string goal, crypto::json_string(body, "goal_code"));
  TRY(const std::int64_t seconds, crypto::json_int(body, "requested_validity_seconds"));
  TRY(const auto slug, crypto::json_optional_string(body, "short_url_slug"));
  if (goal != kShortenGoal) {
    return fail(Errc::unsupported, "invalid_goal_code: only " + std::string(kShortenGoal));
  }
  if (slug && !slug->empty()) return fail(Errc::unsupported, "slugs_not_supported");
  TRY(const ShortUrl record, shorten_here(host, public_url, client.id, url, seconds));
  TRY(const std::string id, keep_short_url(host, record));
  host.set_timer(kOutOfBand, kSweepShortUrls, host.now() + kSweepShortUrlsEvery);
  TRY(const std::string sent, reply(host, inbound, kShortened,
                                    {{"shortened_url", short_address(public_url, id)},
                                     {"expires_time", epoch_seconds(record.expires)}}));
  return {};
}

Result<void> on_invalidate(Host& host, const Inbound& inbound, const std::string& public_url) {
  TRY(const Contact client, proven_client(host, inbound));
  TRY(const std::string url, crypto::json_string(inbound.message.body, "shortened_url"));
  TRY(const std::string id, short_id_of(public_url, url));
  CHECK(drop_short_url(host, client.id, id));
  Message ack = new_reply(inbound.message, kEmpty, host.random(), epoch_seconds(host.now()));
  ack.from = inbound.info.own_did;
  ack.to = {*inbound.info.sender};
  ack.ack = {inbound.message.id};
  SendOptions options;
  options.answers_inbound = true;
  if (inbound.message.return_route == "all") options.channel = inbound.channel;
  TRY(const std::string sent, send(host, std::move(ack), options));
  return {};
}

Result<JsonObject> short_url_get(Host& host, const JsonObject& args) {
  TRY(const std::string id, crypto::json_string(args, "id"));
  const auto record = find_short_url(host, id);
  if (!record) return fail(Errc::not_found, "that invitation is not here any more");
  TRY(const Invitation invitation, long_form(host, record->url));
  return JsonObject{{"url", record->url}, {"invitation", to_json(to_message(invitation))}};
}

// --- Asking the mediator

std::optional<Contact> own_mediator(Host& host) {
  for (Contact& contact : list_contacts(host)) {
    if (contact.role == ContactRole::mediator && contact.state == ContactState::connected) {
      return std::move(contact);
    }
  }
  return std::nullopt;
}

Result<std::string> ask_mediator(Host& host, const Contact& mediator, const std::string& url,
                                 std::int64_t seconds) {
  TRY(const Did mine, Did::parse(mediator.my_did));
  TRY(const Did theirs, Did::parse(mediator.their_did));
  Message message = new_message(kShortenRequest, host.random(), epoch_seconds(host.now()));
  message.from = mine;
  message.to = {theirs};
  message.body = {{"url", url},
                  {"requested_validity_seconds", seconds},
                  {"goal_code", kShortenGoal},
                  {"short_url_slug", ""}};
  SendOptions options;
  options.owner = kOutOfBand;
  options.life = std::chrono::minutes{10};
  options.wants_reply = true;
  return send(host, std::move(message), options);
}

/// The job is named by the request, so that the answer finds it.
Result<JsonObject> shorten(Host& host, const JsonObject& args, const std::string& public_url) {
  TRY(const std::string url, crypto::json_string(args, "url"));
  TRY(const Invitation invitation, long_form(host, url));
  const std::int64_t most = std::chrono::seconds{limits::kShortUrlLifeMax}.count();
  const std::int64_t seconds =
      invitation.expires_time
          ? std::clamp<std::int64_t>(*invitation.expires_time - epoch_seconds(host.now()), 1, most)
          : most;
  ShortUrlJob job;
  std::string id;
  if (const auto mediator = own_mediator(host)) {
    TRY(id, ask_mediator(host, *mediator, url, seconds));
  } else if (!public_url.empty()) {
    TRY(const ShortUrl record, shorten_here(host, public_url, "", url, seconds));
    TRY(const std::string short_id, keep_short_url(host, record));
    id = new_message_id(host.random());
    job.url = short_address(public_url, short_id);
  } else {
    return fail(Errc::wrong_state, "a short address needs a mediator that keeps it");
  }
  keep_job(host, id, std::move(job));
  return JsonObject{{"id", id}};
}

/// The mediator answers with an address that really is short; the rest is not ours to judge.
Result<void> on_shortened(Host& host, const Inbound& inbound) {
  if (!inbound.info.sender || !inbound.info.own_did) return fail(Errc::not_authentic);
  TRY(const Contact mediator, contact_of(host, *inbound.info.own_did, *inbound.info.sender));
  if (mediator.role != ContactRole::mediator) {
    return fail(Errc::refused, "short addresses come from our mediator");
  }
  auto job = load<ShortUrlJob>(host, kJobs, inbound.message.thread());
  if (!job || !job->url.empty()) return {};
  TRY(const std::string url, crypto::json_string(inbound.message.body, "shortened_url"));
  TRY(const InvitationUrl parsed, parse_invitation_url(url));
  if (!parsed.short_id) return fail(Errc::malformed, "this is not a short address");
  job->url = url;
  save(host, kJobs, inbound.message.thread(), *job);
  return {};
}

// --- Following short addresses

void start_fetch(Host& host, ShortUrlJob& job, std::string_view id) {
  FetchPayload payload;
  payload.url = job.asked;
  payload.accept = kInvitationTypes;
  // The first address is the user's own word; where it leads to is a stranger's.
  payload.public_only = job.hops > 0 && !host.test_mode();
  payload.page = true;
  payload.bytes_max = limits::kInvitationUrlCharsMax;
  Effect effect;
  effect.kind = EffectKind::fetch;
  effect.owner = kOutOfBand;
  effect.context = id;
  effect.payload = encode_record(payload);
  effect.expires = host.now() + kLongFormLife;
  job.effect = host.start(std::move(effect));
}

Result<JsonObject> unshorten(Host& host, const JsonObject& args) {
  TRY(const std::string url, crypto::json_string(args, "url"));
  TRY(const InvitationUrl parsed, parse_invitation_url(url));
  const std::string id = new_message_id(host.random());
  ShortUrlJob job;
  if (parsed.invitation) {
    job.url = url;
  } else {
    job.asked = url;
    start_fetch(host, job, id);
  }
  keep_job(host, id, std::move(job));
  return JsonObject{{"id", id}};
}

/// The body is the invitation itself: put into an address at the place it came from.
Result<std::string> address_around(const ShortUrlJob& job, const FetchedPage& page) {
  TRY(const Message message, parse_message(crypto::as_text(page.body)));
  TRY(const Invitation invitation, parse_invitation(message));
  return invitation_url(invitation, job.asked.substr(0, job.asked.find('?')));
}

Result<void> take_page(Host& host, ShortUrlJob& job, std::string_view id,
                       const Result<Bytes>& outcome) {
  if (!outcome.has_value()) return outcome.error();
  TRY(const FetchedPage page, decode_record<FetchedPage>(*outcome));
  if (page.status == 200) {
    TRY(job.url, address_around(job, page));
    return {};
  }
  if (page.status == 404 || page.status == 410) {
    return fail(Errc::not_found, "the invitation is not there any more: ask for a new one");
  }
  if (page.status < 300 || page.status > 399 || page.location.empty()) {
    return fail(Errc::unreachable, "it answered with status " + std::to_string(page.status));
  }
  TRY(const InvitationUrl next, parse_invitation_url(page.location));
  if (next.invitation) {
    job.url = page.location;
    return {};
  }
  if (++job.hops >= limits::kShortUrlHopsMax) {
    return fail(Errc::limit_exceeded, "the short address leads from one to the next");
  }
  job.asked = page.location;
  start_fetch(host, job, id);
  return {};
}

std::string sentence(const Error& error) {
  std::string text(crypto::error_text(error.code).sentence);
  return error.detail.empty() ? text : text + " (" + error.detail + ")";
}

}  // namespace

// --- The module

std::vector<std::string> OutOfBand::message_types() const {
  if (public_url_.empty()) return {std::string(kShortened)};
  return {std::string(kShortened), std::string(kShortenRequest), std::string(kShortenInvalidate)};
}

std::vector<std::string> OutOfBand::commands() const {
  return {"shorten", "shorten-status", "unshorten", "unshorten-status", "short-url-get"};
}

bool OutOfBand::only_reads(std::string_view what) const {
  return what == "shorten-status" || what == "unshorten-status" || what == "short-url-get";
}

Result<void> OutOfBand::on_message(Host& host, const Inbound& inbound) {
  if (inbound.message.type == kShortenRequest) {
    return on_shorten_request(host, inbound, public_url_);
  }
  if (inbound.message.type == kShortenInvalidate) return on_invalidate(host, inbound, public_url_);
  return on_shortened(host, inbound);
}

Result<JsonObject> OutOfBand::on_command(Host& host, const Command& command) {
  if (command.name == "shorten") return shorten(host, command.args, public_url_);
  if (command.name == "unshorten") return unshorten(host, command.args);
  if (command.name == "short-url-get") return short_url_get(host, command.args);
  return job_status(host, command.args);
}

void OutOfBand::on_timer(Host& host, std::string_view) {
  sweep_short_urls(host);
  if (!host.list("short-url").empty()) {
    host.set_timer(kOutOfBand, kSweepShortUrls, host.now() + kSweepShortUrlsEvery);
  }
}

void OutOfBand::on_effect(Host& host, const Effect& effect, const Result<Bytes>& outcome) {
  if (effect.kind != EffectKind::fetch) return;
  auto job = load<ShortUrlJob>(host, kJobs, effect.context);
  if (!job || job->effect != effect.id) return;
  job->effect.clear();
  const auto taken = take_page(host, *job, effect.context, outcome);
  if (!taken.has_value()) job->error = sentence(taken.error());
  save(host, kJobs, effect.context, *job);
}

void OutOfBand::on_problem(Host& host, const Inbound& inbound, const ProblemReport& report) {
  if (!inbound.message.pthid || !report.is_error()) return;
  auto job = load<ShortUrlJob>(host, kJobs, *inbound.message.pthid);
  if (!job || !job->url.empty()) return;
  job->error = "The mediator keeps no short address: " + report.text().substr(0, 200);
  save(host, kJobs, *inbound.message.pthid, *job);
}

}  // namespace kith::protocol
