#include "ledger/evm/job.hpp"

#include <utility>

#include "crypto/assert.hpp"
#include "crypto/limits.hpp"
#include "ledger/evm/limits.hpp"

namespace kith::ledger::evm {

Error refused_by_server(const Refusal& refusal) {
  return fail(Errc::refused, "the chain's server says: " + refusal.words);
}

Result<void> Job::on_refusal(const Refusal& refusal) {
  return refused_by_server(refusal);
}

Call Job::present_call() const {
  if (!session_.chain_checked) return {"eth_chainId"};
  return call();
}

std::optional<JobQuestion> Job::next() {
  if (ended_) return std::nullopt;
  if (++questions_ > evm_limits::kQuestionsPerJob) {
    fail_with(fail(Errc::limit_exceeded, "the ledger holds too much that belongs to no log"));
    return std::nullopt;
  }
  const Call asked = present_call();
  JobQuestion question;
  question.http = {"POST", session_.where.rpc_url(), question_text(asked.method, asked.parameters)};
  question.answer_bytes = asked.answer_bytes;
  question.wait =
      silences_ == 0 ? asked.wait : evm_limits::kPause * (1U << std::min(silences_ - 1, 8U));
  question.patience = evm_limits::kPatience;
  return question;
}

void Job::take(const Result<HttpReply>& reply) {
  ASSERT(!ended_);  // Nobody asked.
  if (!reply.has_value()) {
    const Errc code = reply.error().code;
    if (code == Errc::limit_exceeded && ask_less()) return;
    const bool silent = code == Errc::unreachable || code == Errc::timeout;
    return silent ? try_again(reply.error()) : fail_with(reply.error());
  }
  const int status = reply->status;
  if (status == 408 || status == 429 || status >= 500) {
    return try_again(
        fail(Errc::timeout, "the chain's server answers with " + std::to_string(status)));
  }
  const auto taken = take_answer(*reply);
  if (!taken.has_value()) fail_with(taken.error());
}

Result<void> Job::take_answer(const HttpReply& reply) {
  const std::size_t bytes_max = present_call().answer_bytes;
  if (reply.body.size() > bytes_max) {
    if (ask_less()) return {};
    return fail(Errc::limit_exceeded, "the chain's server answers at too great a length");
  }
  auto answer = read_answer(reply.body, bytes_max);
  if (!answer.has_value()) {
    // Some servers say so with another status, and with words in JSON all the same.
    if (reply.status == 200) return answer.error();
    return fail(Errc::unsupported, "no server of a chain answers there, but one that says " +
                                       std::to_string(reply.status));
  }
  silences_ = 0;
  if (const auto* refusal = std::get_if<Refusal>(&*answer)) {
    return session_.chain_checked ? on_refusal(*refusal) : refused_by_server(*refusal);
  }
  const Json& result = std::get<Json>(*answer);
  if (session_.chain_checked) return on_answer(result);
  TRY(const std::uint64_t chain, read_quantity(result));
  if (chain != session_.where.chain) {
    return fail(Errc::refused, "the server speaks of chain " + std::to_string(chain) + ", not of " +
                                   std::to_string(session_.where.chain));
  }
  session_.chain_checked = true;
  return {};
}

void Job::try_again(const Error& why) {
  if (session_.chain_checked && on_silence()) {
    silences_ = 0;
    return;
  }
  if (++silences_ >= evm_limits::kTries) fail_with(why);
}

void Job::fail_with(const Error& error) {
  end();
  on_failure(error);
}

}  // namespace kith::ledger::evm
