#pragma once

/// A copy of somebody else's ledger at work (ledger/remote/replica.hpp): follows the ledger, and
/// answers for those who ask over HTTP. The record meta/ledger-replica says which ledger it is, and
/// what was seen of it; the entries lie in a directory of the home.
///
/// Which ledger it is, is fixed when its address is asked for the first time. Another address may
/// be named later, of the same ledger or of another copy.

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "ledger/remote/replica.hpp"
#include "ledger/remote/service.hpp"
#include "node/net/http.hpp"
#include "protocol/store.hpp"

namespace kith::ledger {
class LevelDbLedger;
}

namespace kith::node {

class ReplicaDesk {
 public:
  using Respond = std::function<void(ledger::HttpReply)>;
  using Accuse = std::function<void(const ledger::LedgerEvidence&)>;
  /// The disk failed.
  using OnFailure = std::function<void(const Error&)>;

  /// All references outlive it.
  ReplicaDesk(boost::asio::io_context& io, HttpClient& client, protocol::Store& store,
              std::string directory, Accuse accuse, OnFailure on_failure);
  ~ReplicaDesk();

  /// From now on the ledger at `url` is followed. Errors: bad_url, those of the storage.
  [[nodiscard]] Result<void> follow(const std::string& url);
  void handle(const ledger::HttpQuestion& question, const Respond& respond);
  /// Command ledger-replica: {} or {replica_of, following, ledger_id?, origin?, key?, size?,
  /// shown?, seen?, followed?, error?}: entries that it has, that it shows, that the ledger said it
  /// has. Errors: of the storage.
  [[nodiscard]] Result<JsonObject> report();

 private:
  struct Copied;  ///< The record.

  [[nodiscard]] Result<void> load();
  [[nodiscard]] Result<void> open(const ledger::SeenLedger& seen);
  [[nodiscard]] Result<void> keep(const ledger::SeenLedger& seen);
  [[nodiscard]] Result<std::optional<ledger::HttpQuestion>> question();
  [[nodiscard]] Result<void> take(const Result<ledger::HttpReply>& reply);
  [[nodiscard]] Result<void> take_descriptor(const Result<ledger::HttpReply>& reply);
  void step();
  void call(const ledger::HttpQuestion& question);
  void arm();
  void check(const Result<void>& done);

  HttpClient& client_;
  protocol::Store& store_;
  std::string directory_;
  Accuse accuse_;
  OnFailure on_failure_;
  boost::asio::steady_timer timer_;
  std::string url_;  ///< Empty: nothing is followed, or known.
  bool following_ = false;
  std::unique_ptr<ledger::LevelDbLedger> copy_;  ///< As soon as it is known which ledger it is.
  std::optional<ledger::Replica> replica_;
  std::unique_ptr<ledger::LedgerService> service_;
  std::optional<Error> error_;   ///< Why it is not known yet.
  std::shared_ptr<bool> alive_;  ///< Callbacks of the client may come late.
};

}  // namespace kith::node
