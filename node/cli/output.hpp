#pragma once

/// Results on stdout, errors on stderr; for people, or with --json for programs.

#include <string>

#include "crypto/json.hpp"
#include "node/runtime/request.hpp"

namespace kith::node {

struct Output {
  bool json = false;

  /// Any reply: "name: value" lines, lists as numbered blocks, times in local time.
  void print(const JsonObject& reply) const;
  /// A sentence for people (nothing with --json).
  void say(const std::string& sentence) const;
  /// Returns the exit code.
  int error(const ErrorReport& report) const;
  int error(const Error& problem) const { return error(report_of(problem)); }
};

/// "2026-11-22T01:00:00Z" as the clock on the wall shows it; other text as it is.
[[nodiscard]] std::string local_time_text(const std::string& text);
/// Control characters from elsewhere must not reach the terminal.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace kith::node
