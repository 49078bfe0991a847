#include "ledger/remote/client.hpp"

#include <optional>

#include "crypto/limits.hpp"
#include "ledger/remote/page_json.hpp"
#include "ledger/strict_json.hpp"

namespace kith::ledger {

namespace {

bool worth_another_try(int status) {
  return status == 429 || status == 408 || status >= 500;
}

/// What a host may refuse; any other word of its own is `refused`.
Errc errc_of(std::string_view code) {
  for (const Errc known : {Errc::malformed, Errc::limit_exceeded, Errc::unsupported,
                           Errc::invalid_entry, Errc::refused, Errc::not_found, Errc::bad_key}) {
    if (crypto::error_text(known).code == code) return known;
  }
  return Errc::refused;
}

/// Whether the ledger waits for witnesses.
bool lacks_witnesses(const HttpReply& reply) {
  if (reply.status != 503) return false;
  const auto json = crypto::parse_json(reply.body, {limits::kLedgerRequestBytesMax, 4});
  const JsonObject* object = json.has_value() ? json->if_object() : nullptr;
  const Json* error = object == nullptr ? nullptr : object->if_contains("error");
  if (error == nullptr || !error->is_object()) return false;
  const auto code = crypto::json_string(error->get_object(), "code");
  return code.has_value() && *code == crypto::error_text(Errc::ledger_not_witnessed).code;
}

std::string sentence_of(Errc code) {
  return std::string(crypto::error_text(code).sentence);
}

/// The host's own words are not repeated: they are a stranger's.
Error refusal(const HttpReply& reply) {
  const std::string status = "the ledger answered " + std::to_string(reply.status);
  if (lacks_witnesses(reply)) return fail(Errc::ledger_not_witnessed);
  if (worth_another_try(reply.status)) return fail(Errc::unreachable, status);
  const auto json = crypto::parse_json(reply.body, {limits::kLedgerRequestBytesMax, 4});
  const JsonObject* object = json.has_value() ? json->if_object() : nullptr;
  const Json* error = object == nullptr ? nullptr : object->if_contains("error");
  if (error == nullptr || !error->is_object()) return fail(Errc::malformed, status);
  const auto code = crypto::json_string(error->get_object(), "code");
  if (!code.has_value()) return fail(Errc::malformed, status);
  return fail(errc_of(*code), status);
}

Result<void> check_ok(const HttpReply& reply) {
  if (reply.status != 200) return refusal(reply);
  if (reply.body.size() > limits::kJsonBytesMax) {
    return fail(Errc::limit_exceeded, "the ledger's answer is too long");
  }
  return {};
}

/// Positions rise from `from` on, and times do not run back.
Result<void> check_order(const LedgerPage& page, std::uint64_t from) {
  std::uint64_t least = from;
  AnchorTime time = anchor_time_ms(0);
  for (const LedgerEntry& entry : page.entries) {
    if (entry.position < least) return fail(Errc::malformed, "ledger positions do not increase");
    if (entry.time < time) return fail(Errc::malformed, "ledger times run back");
    least = entry.position + 1;
    time = entry.time;
  }
  return {};
}

Result<StaleHead> parse_stale(const HttpReply& reply) {
  TRY(const Json json,
      crypto::parse_json(reply.body, {limits::kLedgerRequestBytesMax, 2, false, false}));
  TRY(const JsonObject* object, crypto::as_object(json, "stale head"));
  TRY(std::string head, crypto::json_string(*object, "head"));
  if (!head.empty() && !is_digest(head)) return fail(Errc::malformed, "the head is not a hash");
  return StaleHead{std::move(head)};
}

Result<LedgerClient::AppendReply> parse_appended(const HttpReply& reply) {
  CHECK(check_ok(reply));
  TRY(const Json json, crypto::parse_json(reply.body, {limits::kJsonBytesMax, 2, false, false}));
  TRY(const JsonObject* object, crypto::as_object(json, "append reply"));
  TRY(const std::int64_t position,
      ranged_int(*object, "position", 0, static_cast<std::int64_t>(kPositionMax)));
  TRY(const std::int64_t time, ranged_int(*object, "time", 0, to_ms(kAnchorTimeMax)));
  TRY(std::string receipt, crypto::json_string(*object, "receipt"));
  const Appended appended{static_cast<std::uint64_t>(position), anchor_time_ms(time)};
  return LedgerClient::AppendReply{appended, std::move(receipt)};
}

Result<ProvenPage> parse_proven(const HttpReply& reply) {
  CHECK(check_ok(reply));
  TRY(ProvenPage proven, parse_page(reply.body));
  if (!proven.proof) return fail(Errc::ledger_unproven, "the ledger gave no proof");
  return proven;
}

}  // namespace

Result<LedgerClient> LedgerClient::at(std::string_view base_url) {
  CHECK(plain_text(base_url, "ledger address", limits::kHttpUrlCharsMax));
  const bool is_http = base_url.starts_with("http://") || base_url.starts_with("https://");
  if (!is_http || base_url.find_first_of("?#") != std::string_view::npos) {
    return fail(Errc::bad_url, "a ledger host is named by an http or https address");
  }
  while (base_url.ends_with('/')) base_url.remove_suffix(1);
  return LedgerClient(std::string(base_url));
}

HttpQuestion LedgerClient::ask_descriptor() const {
  return {"GET", descriptor_url(base_), {}};
}

Result<LedgerDescriptor> LedgerClient::read_descriptor(const HttpReply& reply) {
  CHECK(check_ok(reply));
  return parse_descriptor(reply.body);
}

HttpQuestion LedgerClient::ask_append(const AppendRequest& request) const {
  JsonObject body;
  body["blob"] = crypto::base64url(request.blob);
  body["expected_head"] = request.expected_head;
  if (!request.witnessed.empty()) body["witnessed"] = witness_times_json(request.witnessed);
  return {"POST", base_ + "/ledger/log/" + request.subject, crypto::json_text(body)};
}

Result<LedgerClient::AppendReply> LedgerClient::read_append(const HttpReply& reply) {
  if (reply.status == 409) {
    TRY(StaleHead stale, parse_stale(reply));
    return AppendReply{std::move(stale), {}};
  }
  if (lacks_witnesses(reply)) {
    const Errc code = Errc::ledger_not_witnessed;
    return AppendReply{UnknownOutcome{sentence_of(code), code}, {}};
  }
  if (worth_another_try(reply.status)) {
    return AppendReply{UnknownOutcome{"the ledger answered " + std::to_string(reply.status)}, {}};
  }
  return parse_appended(reply);
}

HttpQuestion LedgerClient::ask_read(std::string_view subject, std::uint64_t from,
                                    std::uint64_t seen) const {
  return {"GET",
          base_ + "/ledger/log/" + std::string(subject) + "?from=" + std::to_string(from) +
              "&seen=" + std::to_string(seen),
          {}};
}

Result<ProvenPage> LedgerClient::read_page(std::string_view subject, std::uint64_t from,
                                           const HttpReply& reply) {
  TRY(ProvenPage proven, parse_proven(reply));
  for (const LedgerEntry& entry : proven.page.entries) {
    if (entry.subject != subject) return fail(Errc::malformed, "an entry of another log");
  }
  CHECK(check_order(proven.page, from));
  return proven;
}

HttpQuestion LedgerClient::ask_follow(std::uint64_t position, std::size_t max,
                                      std::uint64_t seen) const {
  return {"GET",
          base_ + "/ledger/follow?position=" + std::to_string(position) +
              "&max=" + std::to_string(max) + "&seen=" + std::to_string(seen),
          {}};
}

Result<ProvenPage> LedgerClient::read_follow(std::uint64_t position, std::size_t max,
                                             const HttpReply& reply) {
  TRY(ProvenPage proven, parse_proven(reply));
  if (proven.page.entries.size() > max) {
    return fail(Errc::limit_exceeded, "more entries than asked for");
  }
  CHECK(check_order(proven.page, position));
  return proven;
}

}  // namespace kith::ledger
