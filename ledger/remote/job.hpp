#pragma once

/// One piece of work on a ledger that somebody else's servers keep (etcd, a chain), as questions to
/// carry and answers to take:
///
///     while (const auto question = job.next()) job.take(carry(*question));
///
/// Jobs know their servers' language and decide who is asked again, and when. What carries the
/// questions knows nothing of ledgers. Pure; single-threaded.

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>

#include "crypto/limits.hpp"
#include "crypto/result.hpp"
#include "ledger/remote/http.hpp"

namespace kith::ledger {

struct JobQuestion {
  HttpQuestion http;          ///< POST of JSON; the target is the whole URL.
  std::string authorization;  ///< Value of that field; empty: none. Secret, as a login's body is.
  std::size_t answer_bytes = limits::kJsonBytesMax;
  std::chrono::milliseconds wait{0};  ///< Before it is sent.
  std::chrono::milliseconds patience{0};
};

class RemoteJob {
 public:
  virtual ~RemoteJob() = default;
  RemoteJob(const RemoteJob&) = delete;
  RemoteJob& operator=(const RemoteJob&) = delete;

  /// nullopt: it has ended. Each is answered before the next is asked for.
  [[nodiscard]] virtual std::optional<JobQuestion> next() = 0;
  /// An error: no answer came (unreachable, timeout, limit_exceeded: it was too long ...).
  virtual void take(const Result<HttpReply>& reply) = 0;

 protected:
  RemoteJob() = default;
};

/// Waits, sends, and gives the answer or why there is none: unreachable, timeout, limit_exceeded
/// (too long), refused (an address that is not allowed) ...
using JobExchange = std::function<Result<HttpReply>(const JobQuestion&)>;

/// To the job's end, for callers that wait.
inline void drive(RemoteJob& job, const JobExchange& exchange) {
  while (const auto question = job.next()) job.take(exchange(*question));
}

}  // namespace kith::ledger
