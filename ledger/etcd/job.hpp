#pragma once

/// Work on a ledger in an etcd cluster (remote/job.hpp). This base finds a server that answers: it
/// logs in where that is asked for, renews a token that ran out, goes on to the next server when
/// one is silent, with more patience in each round, and in the end asks all of them how they are,
/// to say what is wrong:
///
///     unreachable          no server answers
///     ledger_no_quorum     fewer answer than a majority of those that the address names
///     ledger_no_leader     enough answer, and none knows of a leader
///     timeout              they answer, but not this
///     ledger_login_needed, ledger_login_wrong, refused (the name may not do that),
///     unsupported (no gateway of etcd v3), malformed, limit_exceeded (answers that are none)
///
/// Questions that write are different: without an answer their outcome is unknown, and the job
/// reads before it writes again. Pure; single-threaded.

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "ledger/etcd/address.hpp"
#include "ledger/etcd/keys.hpp"
#include "ledger/etcd/limits.hpp"
#include "ledger/remote/job.hpp"

namespace kith::ledger {

/// What the jobs on one cluster share and learn. Outlives them.
struct EtcdSession {
  EtcdSession(EtcdAddress where, std::optional<EtcdLogin> who)
      : address(std::move(where)), login(std::move(who)), keys(address.prefix) {}
  EtcdAddress address;
  std::optional<EtcdLogin> login;  ///< For this address.
  EtcdKeys keys;
  std::string token;       ///< Empty: not logged in.
  bool no_logins = false;  ///< Authentication is off.
  std::size_t server = 0;  ///< Answered last.
};

class EtcdJob : public RemoteJob {
 public:
  explicit EtcdJob(EtcdSession& session) : session_(session), server_(session.server) {}

  [[nodiscard]] std::optional<JobQuestion> next() final;
  void take(const Result<HttpReply>& reply) final;

 protected:
  struct Call {
    std::string path;
    std::string body;
    bool writes = false;
  };
  /// What the job asks now; the same until an answer or on_unknown() moves it on.
  [[nodiscard]] virtual Call call() const = 0;
  /// An error ends the job. For a call that writes, `malformed` counts as no answer.
  [[nodiscard]] virtual Result<void> on_answer(const Json& answer) = 0;
  /// The call that writes got no answer.
  virtual void on_unknown() {}
  /// The answer is longer than is read. False: the job cannot ask for less.
  [[nodiscard]] virtual bool ask_less() { return false; }
  virtual void on_failure(const Error& error) = 0;

  void end() { stage_ = Stage::ended; }
  [[nodiscard]] const EtcdKeys& keys() const { return session_.keys; }

 private:
  enum class Stage { calling, logging_in, examining, ended };

  [[nodiscard]] bool must_log_in() const;
  [[nodiscard]] std::chrono::milliseconds patience() const;
  void take_call(const Result<HttpReply>& reply);
  void take_login(const Result<HttpReply>& reply);
  void take_examination(const Result<HttpReply>& reply);
  void take_refusal(EtcdRefusal refusal);
  void log_in_again();
  void try_next(const Error& why);
  void finish_examination();
  void fail_with(const Error& error);

  EtcdSession& session_;
  Stage stage_ = Stage::calling;
  std::size_t server_;
  unsigned tries_ = 0;  ///< That brought nothing.
  unsigned questions_ = 0;
  unsigned logins_ = 0;
  std::chrono::milliseconds wait_{0};
  bool unsure_ = false;  ///< The present call writes and was sent.
  std::size_t examined_ = 0;
  std::size_t alive_ = 0;
  bool has_leader_ = false;
  std::optional<Error> last_;  ///< Why the last try brought nothing.
};

}  // namespace kith::ledger
