#pragma once

/// The home's ledger at work: answers for those who ask over HTTP, performs this node's own effects
/// on it, and fetches cosignatures of its witnesses if it has any (ledger/remote/cosigning.hpp).
///
/// Group commit: appends that wait at the same time, those of this node too, are made durable by
/// one synced write (ledger::TreeLedger). Nobody hears of one before; if the write fails, all of
/// them get an unknown outcome. Under load a group fills while the disk writes the one before.
///
/// An append to a ledger with witnesses is kept at once and answered when enough of them have seen
/// it, or after kQuorumWait with what is so far: no witness, however slow, holds it up for longer.

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "ledger/remote/service.hpp"
#include "node/net/http.hpp"
#include "node/runtime/ledgers.hpp"
#include "protocol/effect.hpp"

namespace kith::node {

class LedgerDesk {
 public:
  using Respond = std::function<void(ledger::HttpReply)>;
  using Submit = std::function<void(protocol::EffectResult)>;
  /// A write of the ledger failed.
  using OnFailure = std::function<void(const Error&)>;

  /// All references outlive it.
  LedgerDesk(boost::asio::io_context& io, HttpClient& client, HomeLedger& home,
             OnFailure on_failure);
  ~LedgerDesk();

  /// From now on the ledger is served. Errors: those of HomeLedger::open.
  [[nodiscard]] Result<void> serve();
  [[nodiscard]] bool serves() const { return service_ != nullptr; }
  /// A question for the ledger that is served.
  void handle(const ledger::HttpQuestion& question, Respond respond);
  /// An effect on the ledger at `url`; `submit` gets its one result, at once or later.
  void perform(const protocol::Effect& effect, const std::string& url, Submit submit);
  /// Command ledger-host: {} or {ledger, origin, key, ledger_id, served, size, witnesses?: report
  /// of Cosigning}. Errors: those of HomeLedger::open.
  [[nodiscard]] Result<JsonObject> report();

 private:
  struct Waiter {
    std::uint64_t size = 0;  ///< That enough witnesses must have seen.
    std::int64_t deadline_ms = 0;
    std::function<void()> go_on;
  };

  /// Hears of the group's write, once.
  using Member = std::function<void(const Result<void>& synced)>;

  [[nodiscard]] Result<ledger::TreeLedger*> open(const std::string& url);
  void append(const protocol::Effect& effect, Submit submit);
  void join_group(Member member);
  void look();
  void flush();
  void wait_for_witnesses(std::uint64_t size, std::function<void()> go_on);
  void ask_witnesses();
  void call(const ledger::Cosigning::Question& question);
  void release_waiters();
  void arm();
  void check(const Result<void>& done);

  boost::asio::io_context& io_;
  HttpClient& client_;
  HomeLedger& home_;
  OnFailure on_failure_;
  boost::asio::steady_timer timer_;
  ledger::TreeLedger* ledger_ = nullptr;  ///< Open.
  std::unique_ptr<ledger::LedgerProver> prover_;
  std::unique_ptr<ledger::Cosigning> cosigning_;  ///< Where the ledger asks for witnesses.
  std::unique_ptr<ledger::LedgerService> service_;
  std::vector<Member> group_;  ///< Staged, and not durable yet.
  bool is_looking_ = false;
  unsigned quiet_turns_ = 0;
  std::list<Waiter> waiters_;
  std::shared_ptr<bool> alive_;  ///< Callbacks of the client may come late.
};

}  // namespace kith::node
