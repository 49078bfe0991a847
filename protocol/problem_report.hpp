#pragma once

/// report-problem 2.0.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/message.hpp"

namespace kith::protocol {

inline constexpr std::string_view kProblemReportType =
    "https://didcomm.org/report-problem/2.0/problem-report";

struct ProblemReport {
  std::string code;     ///< sorter.scope.descriptor..., e.g. "e.p.xfer.cant-use-endpoint"
  std::string comment;  ///< With {1}, {2}, ... for `args`.
  std::vector<std::string> args;
  std::optional<std::string> escalate_to;

  [[nodiscard]] bool is_error() const;  ///< "e": the rest of the scope is undone.
  /// Whether the code is `prefix` or one of its descendants ("e.p.msg" covers "e.p.msg.size").
  [[nodiscard]] bool matches(std::string_view prefix) const;
  /// The comment with its arguments put in: a missing one is "?", surplus ones follow after commas.
  [[nodiscard]] std::string text() const;
};

/// Sorter e or w; scope p, m or a state name; at least one descriptor; all kebab-case.
[[nodiscard]] bool is_problem_code(std::string_view code);

/// A report about `failed`: its thread becomes the parent thread, its id is acknowledged.
/// A code that is_problem_code() refuses is our own bug.
[[nodiscard]] Message make_problem_report(const Message& failed, const ProblemReport& report,
                                          Random& random, std::int64_t now_seconds);
[[nodiscard]] bool is_problem_report(const Message& message);
/// `pthid` is required. Errors: malformed, limit_exceeded.
[[nodiscard]] Result<ProblemReport> parse_problem_report(const Message& message);

}  // namespace kith::protocol
