#include "ledger/remote/service.hpp"

#include <charconv>
#include <optional>

#include "crypto/limits.hpp"
#include "ledger/hash_text.hpp"
#include "ledger/remote/page_json.hpp"
#include "ledger/remote/tiles.hpp"
#include "ledger/strict_json.hpp"

namespace kith::ledger {

namespace {

constexpr std::string_view kRoot = "/ledger/";
constexpr std::string_view kLog = "/ledger/log/";
constexpr std::string_view kProof = "/ledger/proof/";
constexpr std::string_view kTile = "/ledger/tile/";
constexpr std::chrono::minutes kWindow{1};

HttpReply json_reply(int status, const Json& body) {
  return {status, "application/json", crypto::json_text(body)};
}

HttpReply error_reply(int status, const Error& error) {
  const auto& text = crypto::error_text(error.code);
  std::string message(text.sentence);
  if (!error.detail.empty()) message += " (" + error.detail + ")";
  return json_reply(status, JsonObject{{"error", {{"code", text.code}, {"message", message}}}});
}

int status_of(const Error& error) {
  switch (error.code) {
    case Errc::limit_exceeded:
      return 413;
    case Errc::not_found:
      return 404;
    case Errc::storage_unknown:
    case Errc::storage_corrupt:
    case Errc::storage_full:
    case Errc::unreachable:
    case Errc::timeout:
    case Errc::ledger_not_witnessed:
      return 503;
    default:
      return 400;
  }
}

Result<AppendRequest> parse_append(std::string_view subject, std::string_view body) {
  TRY(const Json json, crypto::parse_json(body, {limits::kLedgerRequestBytesMax, 3, false, false}));
  TRY(const JsonObject* object, crypto::as_object(json, "append request"));
  CHECK(only_members(*object, {"blob", "expected_head", "witnessed"}, "an append request"));
  AppendRequest request;
  request.subject = subject;
  TRY(const std::string blob, crypto::json_string(*object, "blob"));
  TRY(request.blob, crypto::from_base64url(blob));
  TRY(request.expected_head, crypto::json_string(*object, "expected_head"));
  if (const Json* times = object->if_contains("witnessed")) {
    TRY(request.witnessed, parse_witness_times(*times));
  }
  return request;
}

}  // namespace

HttpReply unavailable_reply(const std::string& why) {
  return error_reply(503, fail(Errc::unreachable, why));
}

/// Reads "name=<digits>&..." with just these names, each at most once.
class LedgerService::Query {
 public:
  explicit Query(std::string_view text) : text_(text) {}

  [[nodiscard]] Result<std::optional<std::uint64_t>> number(std::string_view name) {
    std::string_view rest = text_;
    std::optional<std::uint64_t> found;
    while (!rest.empty()) {
      const std::string_view item = rest.substr(0, rest.find('&'));
      rest.remove_prefix(std::min(rest.size(), item.size() + 1));
      const std::size_t equals = item.find('=');
      if (equals == std::string_view::npos || item.substr(0, equals) != name) continue;
      if (found) return fail(Errc::malformed, "a parameter is given twice");
      TRY(found, digits(item.substr(equals + 1)));
      ++used_;
    }
    return found;
  }
  /// Is there anything that nobody asked for?
  [[nodiscard]] Result<void> done() const {
    std::size_t items = text_.empty() ? 0 : 1;
    for (const char c : text_) items += c == '&' ? 1 : 0;
    if (items != used_) return fail(Errc::malformed, "an unknown parameter");
    return {};
  }

 private:
  static Result<std::uint64_t> digits(std::string_view text) {
    std::uint64_t value = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (text.empty() || error != std::errc() || stop != end || value > kPositionMax) {
      return fail(Errc::malformed, "a parameter is not a number");
    }
    return value;
  }

  std::string_view text_;
  std::size_t used_ = 0;
};

bool LedgerService::handles(std::string_view target) {
  return target.starts_with(kRoot);
}

bool LedgerService::admit(AnchorTime now) {
  if (now < window_start_ || now >= window_start_ + kWindow) {
    window_start_ = now;
    appends_in_window_ = 0;
  }
  if (appends_in_window_ >= limits::kLedgerAppendsPerMinute) return false;
  ++appends_in_window_;
  return true;
}

HttpReply LedgerService::handle(const HttpQuestion& question, AnchorTime now,
                                std::optional<std::uint64_t>* awaits) {
  Begun begun = begin(question, now);
  if (auto* reply = std::get_if<HttpReply>(&begun)) return std::move(*reply);
  return finish(std::get<StagedAppend>(begun), ledger_.flush(), awaits);
}

LedgerService::Begun LedgerService::begin(const HttpQuestion& question, AnchorTime now) {
  if (question.target.size() > limits::kHttpUrlCharsMax) {
    return error_reply(414, fail(Errc::limit_exceeded, "the address is too long"));
  }
  if (question.body.size() > limits::kLedgerRequestBytesMax) {
    return error_reply(413, fail(Errc::limit_exceeded, "the request is too long"));
  }
  auto begun = answer(question, now);
  if (!begun.has_value()) return error_reply(status_of(begun.error()), begun.error());
  return std::move(*begun);
}

HttpReply LedgerService::finish(const StagedAppend& append, const Result<void>& synced,
                                std::optional<std::uint64_t>* awaits) {
  if (!synced.has_value()) {
    return error_reply(503, fail(Errc::storage_unknown, synced.error().detail));
  }
  auto reply = outcome_reply(append);
  if (reply.has_value()) return std::move(*reply);
  const auto* appended =
      append.outcome.has_value() ? std::get_if<Appended>(&*append.outcome) : nullptr;
  if (awaits != nullptr && appended != nullptr && reply.error() == Errc::ledger_not_witnessed) {
    *awaits = appended->position;
  }
  return error_reply(status_of(reply.error()), reply.error());
}

HttpReply LedgerService::appended(std::uint64_t position) {
  auto page = ledger_.follow(position, 1);
  if (!page.has_value()) return error_reply(status_of(page.error()), page.error());
  if (page->entries.empty()) return error_reply(404, fail(Errc::not_found));
  auto reply = appended_reply({position, page->entries.front().time});
  return reply.has_value() ? std::move(*reply)
                           : error_reply(status_of(reply.error()), reply.error());
}

Result<LedgerService::Begun> LedgerService::answer(const HttpQuestion& question, AnchorTime now) {
  const std::string_view target = question.target;
  const std::size_t mark = target.find('?');
  const std::string_view path = target.substr(0, mark);
  const std::string_view text =
      mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1);
  Query query(text);
  if (question.method == "POST" && path.starts_with(kLog)) {
    CHECK(query.done());
    return append(path.substr(kLog.size()), question, now);
  }
  if (question.method != "GET") {
    return Begun(error_reply(405, fail(Errc::unsupported, "that cannot be done here")));
  }
  TRY(HttpReply reply, get(path, query));
  return Begun(std::move(reply));
}

Result<HttpReply> LedgerService::get(std::string_view path, Query& query) {
  if (path == "/ledger/descriptor") {
    CHECK(query.done());
    return HttpReply{200, "application/json", descriptor_json(ledger_.descriptor())};
  }
  if (path == "/ledger/witnesses") {
    CHECK(query.done());
    return json_reply(200, witness_addresses_json(witnesses_));
  }
  if (path == "/ledger/checkpoint") {
    CHECK(query.done());
    TRY(std::string note, prover_.checkpoint());
    return HttpReply{200, "text/plain; charset=utf-8", std::move(note)};
  }
  if (path.starts_with(kLog)) {
    TRY(const auto from, query.number("from"));
    TRY(const auto seen, query.number("seen"));
    CHECK(query.done());
    TRY(LedgerPage entries, ledger_.read(path.substr(kLog.size()), from.value_or(0)));
    return page(std::move(entries), seen);
  }
  if (path == "/ledger/follow") {
    TRY(const auto position, query.number("position"));
    TRY(const auto max, query.number("max"));
    TRY(const auto seen, query.number("seen"));
    CHECK(query.done());
    if (max == 0U) return fail(Errc::malformed, "a page of no entries");
    const auto most = static_cast<std::size_t>(max.value_or(limits::kLedgerPageEntriesMax));
    TRY(LedgerPage entries, ledger_.follow(position.value_or(0), most));
    return page(std::move(entries), seen);
  }
  if (path.starts_with(kTile)) {
    CHECK(query.done());
    TRY(const Tile tile, parse_tile_path(path.substr(kRoot.size())));
    TRY(const std::uint64_t size, prover_.visible());
    TRY(std::string content, tile_content(ledger_, tile, size));
    return HttpReply{200, "application/octet-stream", std::move(content), true};
  }
  if (path.starts_with(kProof)) return get_proof(path.substr(kProof.size()), query);
  return fail(Errc::not_found, "no such path");
}

Result<HttpReply> LedgerService::page(LedgerPage page, std::optional<std::uint64_t> seen) {
  ProvenPage proven{std::move(page), std::nullopt};
  if (seen) {
    CHECK(check_seen(*seen));
    TRY(proven.proof, prover_.prove(proven.page, *seen));
  } else {
    CHECK(prover_.cut(proven.page));
  }
  return json_reply(200, page_json(proven));
}

Result<void> LedgerService::check_seen(std::uint64_t seen) const {
  if (origin_.empty()) return {};
  TRY(const std::uint64_t size, prover_.visible());
  if (seen <= size) return {};
  return fail(Errc::unreachable, "this copy has the first " + std::to_string(size) + " entries");
}

Result<HttpReply> LedgerService::get_proof(std::string_view kind, Query& query) {
  const bool of_entry = kind == "inclusion";
  if (!of_entry && kind != "consistency") return fail(Errc::not_found, "no such path");
  const std::string_view name = of_entry ? "position" : "old";
  TRY(const auto what, query.number(name));
  TRY(const auto asked_size, query.number("size"));
  CHECK(query.done());
  if (!what) return fail(Errc::malformed, "it is not said what to prove");
  TRY(const std::uint64_t visible, prover_.visible());
  const std::uint64_t size = asked_size.value_or(visible);
  TRY(const MerkleProof proof,
      of_entry ? prover_.inclusion(*what, size) : prover_.consistency(*what, size));
  JsonObject body;
  body[name] = static_cast<std::int64_t>(*what);
  body["proof"] = hashes_json(proof);
  body["size"] = static_cast<std::int64_t>(size);
  return json_reply(200, body);
}

Result<LedgerService::Begun> LedgerService::append(std::string_view subject,
                                                   const HttpQuestion& question, AnchorTime now) {
  if (!origin_.empty()) {
    return Begun(error_reply(
        403, fail(Errc::refused, "this is a copy; the ledger that takes entries is " + origin_)));
  }
  TRY(const AppendRequest request, parse_append(subject, question.body));
  if (!admit(now)) {
    return Begun(error_reply(429, fail(Errc::limit_exceeded, "too many entries this minute")));
  }
  return Begun(StagedAppend{ledger_.stage(request, now)});
}

Result<HttpReply> LedgerService::outcome_reply(const StagedAppend& append) {
  TRY(const AppendOutcome outcome, append.outcome);
  if (const auto* stale = std::get_if<StaleHead>(&outcome)) {
    return json_reply(409, JsonObject{{"head", stale->head}});
  }
  if (const auto* unknown = std::get_if<UnknownOutcome>(&outcome)) {
    return error_reply(503, fail(Errc::storage_unknown, unknown->why));
  }
  return appended_reply(std::get<Appended>(outcome));
}

Result<HttpReply> LedgerService::appended_reply(const Appended& appended) {
  JsonObject body;
  body["position"] = static_cast<std::int64_t>(appended.position);
  TRY(std::string receipt, prover_.receipt(appended.position));
  body["receipt"] = std::move(receipt);
  body["time"] = to_ms(appended.time);
  return json_reply(200, body);
}

}  // namespace kith::ledger
