#pragma once

/// An etcd cluster in memory, as far as ledger/etcd asks it: several servers over one key space,
/// which answer in the words of etcd 3.4's JSON gateway. Servers can be dead or without a leader,
/// answers can be lost or changed on their way.

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/etcd/etcd_ledger.hpp"

namespace kith::test {

struct FakeServer {
  bool dead = false;       ///< Nothing listens there.
  bool has_leader = true;  ///< Without one, questions about keys hang.
};

class FakeEtcd {
 public:
  explicit FakeEtcd(std::size_t count = 3) : servers(count) {}

  [[nodiscard]] std::string url() const;
  [[nodiscard]] ledger::EtcdSession session(std::optional<ledger::EtcdLogin> login = {}) const;
  [[nodiscard]] ledger::JobExchange exchange();
  [[nodiscard]] Result<ledger::HttpReply> answer(const ledger::JobQuestion& question);

  /// Writes as whoever holds the cluster can, at the next revision.
  void put(const std::string& key, const std::string& value);
  /// Values that hold `text`.
  [[nodiscard]] std::size_t count_of(std::string_view text) const;

  struct Item {
    std::string value;
    std::uint64_t created = 0;
    std::uint64_t modified = 0;
  };
  std::map<std::string, Item> items;
  std::uint64_t revision = 1;
  std::vector<FakeServer> servers;

  /// Authentication is on where there is a password.
  std::string name, password;
  std::set<std::string> tokens;
  unsigned logins = 0;

  /// What happened: "<server> <path>" of each question.
  std::vector<std::string> asked;

 private:
  [[nodiscard]] ledger::HttpReply serve(std::size_t server, std::string_view path,
                                        const ledger::JobQuestion& question);
  [[nodiscard]] JsonObject range(const JsonObject& question) const;
  [[nodiscard]] JsonObject transact(const JsonObject& question);
  [[nodiscard]] bool holds(const JsonObject& condition) const;
  [[nodiscard]] JsonObject header() const;
};

[[nodiscard]] bool is_write(const ledger::JobQuestion& question);

}  // namespace kith::test
