#pragma once

/// Work on a ledger on a chain (remote/job.hpp). This base makes sure once that the server speaks
/// of the right chain, and asks again where nothing is heard. Errors of every job:
///
///     unreachable, timeout      no answer, also not later
///     refused                   the server's own words (or another chain's server)
///     unsupported, malformed, limit_exceeded   answers that are none
///
/// Pure; single-threaded.

#include <chrono>
#include <map>
#include <optional>
#include <string>

#include "ledger/evm/location.hpp"
#include "ledger/evm/transaction.hpp"
#include "ledger/evm/wire.hpp"
#include "ledger/remote/job.hpp"

namespace kith::ledger::evm {

;

/// A transaction that was handed to a server: until its nonce is used it may still happen.
struct SentTransaction {
  Transaction transaction;
  SignedTransaction made;
};

/// What the jobs on one ledger share and learn. Outlives them.
struct Session {
  Session(Location at, std::optional<Signer> who) : where(std::move(at)), signer(std::move(who)) {}
  Location where;
  std::optional<Signer> signer;  ///< nullopt: only reading.
  bool chain_checked = false;
  std::uint64_t blocks_max = ~std::uint64_t{0};  ///< Of one question for events, as far as known.
  std::map<std::string, SentTransaction> sent;   ///< By what they are for.
};

/// What is asked now.
struct Call {
  const char* method = nullptr;
  JsonArray parameters = {};
  std::chrono::milliseconds wait{0};  ///< Before it is asked for the first time.
  std::size_t answer_bytes = limits::kJsonBytesMax;
};

class Job : public RemoteJob {
 public:
  explicit Job(Session& session) : session_(session) {}

  [[nodiscard]] std::optional<JobQuestion> next() final;
  void take(const Result<HttpReply>& reply) final;

 protected:
  /// The same until an answer moves the job on.
  [[nodiscard]] virtual Call call() const = 0;
  /// An error ends the job.
  [[nodiscard]] virtual Result<void> on_answer(const Json& result) = 0;
  /// The server says no. An error ends the job.
  [[nodiscard]] virtual Result<void> on_refusal(const Refusal& refusal);
  /// The answer is longer than is read. False: the job cannot ask for less.
  [[nodiscard]] virtual bool ask_less() { return false; }
  /// Nothing is heard. True: the job goes on to another question, false: this is asked again.
  [[nodiscard]] virtual bool on_silence() { return false; }
  virtual void on_failure(const Error& error) = 0;

  void end() { ended_ = true; }
  [[nodiscard]] Session& session() { return session_; }
  [[nodiscard]] const Session& session() const { return session_; }

 private:
  [[nodiscard]] Call present_call() const;
  [[nodiscard]] Result<void> take_answer(const HttpReply& reply);
  void try_again(const Error& why);
  void fail_with(const Error& error);

  Session& session_;
  bool ended_ = false;
  std::size_t questions_ = 0;
  unsigned silences_ = 0;  ///< Since the last answer.
};

/// What a refusal becomes where nothing better is known.
[[nodiscard]] Error refused_by_server(const Refusal& refusal);

}  // namespace kith::ledger::evm
