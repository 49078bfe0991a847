#pragma once

/// Stands on the way to a ledger's servers, and does what a test wants to its next write.

#include <cstddef>
#include <functional>
#include <utility>

#include "ledger/remote/job.hpp"

namespace kith::test {

class LossyWay {
 public:
  using IsWrite = bool (*)(const ledger::JobQuestion&);
  LossyWay(ledger::JobExchange inner, IsWrite is_write)
      : inner_(std::move(inner)), is_write_(is_write) {}
  [[nodiscard]] ledger::JobExchange exchange() {
    return [this](const ledger::JobQuestion& question) { return carry(question); };
  }
  std::size_t lose_answers = 0;        ///< So many writes are done, and their answers lost.
  std::size_t lose_writes = 0;         ///< So many are lost on their way.
  std::function<void()> before_write;  ///< Called once, before the next one.

 private:
  Result<ledger::HttpReply> carry(const ledger::JobQuestion& question) {
    if (!is_write_(question)) return inner_(question);
    if (const auto first = std::exchange(before_write, nullptr)) first();
    if (lose_writes > 0) {
      --lose_writes;
      return fail(Errc::timeout, "no answer in time");
    }
    auto reply = inner_(question);
    if (lose_answers == 0) return reply;
    --lose_answers;
    return fail(Errc::timeout, "no answer in time");
  }

  ledger::JobExchange inner_;
  IsWrite is_write_;
};

}  // namespace kith::test
