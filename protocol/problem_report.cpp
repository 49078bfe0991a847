#include "protocol/problem_report.hpp"

#include <algorithm>

#include "crypto/assert.hpp"
#include "crypto/limits.hpp"

namespace kith::protocol {

namespace {

constexpr std::size_t kCodeCharsMax = 256;

/// Lower-case words of letters and digits, joined by single hyphens; descriptors of the standard
/// ("max-errors-exceeded", "message_too_big") also show underscores.
bool is_kebab(std::string_view token) {
  if (token.empty() || token.front() == '-' || token.back() == '-') return false;
  if (token.find("--") != std::string_view::npos) return false;
  return std::ranges::all_of(token, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

/// The number in "{12}" at the start of `text`, and how long it is; 0 characters if there is none.
struct Place {
  std::size_t number = 0;
  std::size_t chars = 0;
};

Place place_at(std::string_view text) {
  Place place;
  std::size_t i = 1;
  for (; i < text.size() && text[i] >= '0' && text[i] <= '9' && i <= 3; ++i) {
    place.number = place.number * 10 + static_cast<std::size_t>(text[i] - '0');
  }
  if (i > 1 && i < text.size() && text[i] == '}') place.chars = i + 1;
  return place;
}

}  // namespace

bool is_problem_code(std::string_view code) {
  if (code.size() > kCodeCharsMax) return false;
  std::size_t tokens = 0;
  while (true) {
    const std::size_t dot = code.find('.');
    const std::string_view token = code.substr(0, dot);
    if (tokens == 0 && token != "e" && token != "w") return false;
    if (!is_kebab(token)) return false;
    ++tokens;
    if (dot == std::string_view::npos) break;
    code.remove_prefix(dot + 1);
  }
  return tokens >= 3;
}

bool ProblemReport::is_error() const {
  return code.starts_with("e.");
}

bool ProblemReport::matches(std::string_view prefix) const {
  if (!code.starts_with(prefix)) return false;
  return code.size() == prefix.size() || code[prefix.size()] == '.';
}

std::string ProblemReport::text() const {
  std::string out;
  std::size_t used = 0;
  const std::string_view source(comment);
  // Bounded, because a short comment could name one long argument a thousand times.
  for (std::size_t i = 0; i < source.size() && out.size() < limits::kTextBytesMax;) {
    const Place place = source[i] == '{' ? place_at(source.substr(i)) : Place{};
    if (place.chars == 0) {
      out += source[i++];
      continue;
    }
    const bool known = place.number >= 1 && place.number <= args.size();
    out += known ? args[place.number - 1] : std::string("?");
    used = std::max(used, place.number);
    i += place.chars;
  }
  for (std::size_t i = used; i < args.size() && out.size() < limits::kTextBytesMax; ++i) {
    out += (out.empty() ? "" : ", ") + args[i];
  }
  return out;
}

Message make_problem_report(const Message& failed, const ProblemReport& report, Random& random,
                            std::int64_t now_seconds) {
  ASSERT(is_problem_code(report.code));
  Message message = new_message(kProblemReportType, random, now_seconds);
  if (!failed.to.empty()) message.from = failed.to.front();
  if (failed.from) message.to.push_back(*failed.from);
  message.pthid = failed.thread();
  message.ack.push_back(failed.id);
  message.body["code"] = report.code;
  if (!report.comment.empty()) {
    message.body["comment"] = report.comment;
    message.lang = "en";  // All of Kith's own texts are English.
  }
  if (!report.args.empty()) {
    message.body["args"] = JsonArray(report.args.begin(), report.args.end());
  }
  if (report.escalate_to) message.body["escalate_to"] = *report.escalate_to;
  return message;
}

bool is_problem_report(const Message& message) {
  return same_message(message.type, kProblemReportType);
}

Result<ProblemReport> parse_problem_report(const Message& message) {
  if (!is_problem_report(message)) return fail(Errc::malformed, "not a problem report");
  if (!message.pthid) return fail(Errc::malformed, "a problem report without pthid");
  ProblemReport report;
  TRY(report.code, crypto::json_string(message.body, "code"));
  if (!is_problem_code(report.code)) {
    return fail(Errc::malformed, "a problem report with an unreadable code");
  }
  TRY(const auto comment, crypto::json_optional_string(message.body, "comment"));
  report.comment = comment.value_or("");
  TRY(report.escalate_to, crypto::json_optional_string(message.body, "escalate_to"));
  std::size_t bytes = report.comment.size() + report.escalate_to.value_or("").size();
  if (message.body.contains("args")) {
    TRY(const JsonArray* args, crypto::json_array(message.body, "args"));
    if (args->size() > limits::kMessageHeaderItemsMax) {
      return fail(Errc::limit_exceeded, "a problem report with too many arguments");
    }
    for (const Json& arg : *args) {
      if (!arg.is_string()) return fail(Errc::malformed, "an argument that is not text");
      report.args.emplace_back(arg.get_string().data(), arg.get_string().size());
      bytes += report.args.back().size();
    }
  }
  if (bytes > limits::kTextBytesMax) {
    return fail(Errc::limit_exceeded, "a problem report with too much text");
  }
  return report;
}

}  // namespace kith::protocol
