#pragma once

/// The few questions that a ledger asks of etcd's v3 JSON gateway, and its answers.
///
///     POST /v3/kv/range          what lies between two keys, in the order of its making
///     POST /v3/kv/txn            several ranges of one moment; or: write if nothing changed
///     POST /v3/auth/authenticate a token for a name and a password
///     POST /v3/maintenance/status whether a server knows of a leader; needs no token
///
/// Keys and values are base64, 64-bit numbers are strings, and what is false, zero or empty is left
/// out: a condition that did not hold shows as a `succeeded` that is not there. Members that are
/// not known are passed over, because newer versions of etcd add some. Ranges and transactions are
/// linearizable.
///
/// Servers are not trusted with form: sizes, depth and double members are bounded and refused, keys
/// must be in the range that was asked for, revisions must fit together. Pure.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crypto/json.hpp"
#include "crypto/result.hpp"

namespace kith::ledger {

struct EtcdRange {
  std::string first;       ///< Key.
  std::string end;         ///< First key beyond; empty: `first` alone.
  std::uint64_t from = 0;  ///< Least revision of its making.
  std::size_t limit = 1;
  bool keys_only = false;
};

struct EtcdPair {
  std::string key;
  std::string value;
  std::uint64_t created = 0;   ///< Revision.
  std::uint64_t modified = 0;  ///< Revision; the same if it was never overwritten.
};

struct EtcdPairs {
  std::vector<EtcdPair> pairs;  ///< By revision of their making.
  bool more = false;
};

/// The key after all those that begin with `prefix`, which is not empty and ends in ASCII.
[[nodiscard]] std::string after_prefix(std::string prefix);

/// Bodies of questions.
[[nodiscard]] std::string range_question(const EtcdRange& range);
/// All of them at one moment.
[[nodiscard]] std::string ranges_question(std::span<const EtcdRange> ranges);

/// Writes `puts` if `absent` is not there and `unchanged` was last modified at `revision` (0: it is
/// not there).
struct EtcdWrite {
  std::string absent;
  std::string unchanged;  ///< Empty: no such condition.
  std::uint64_t revision = 0;
  std::vector<std::pair<std::string, std::string>> puts;  ///< Key and value.
};
[[nodiscard]] std::string write_question(const EtcdWrite& write);

/// Answers with status 200. Errors: malformed, limit_exceeded.
[[nodiscard]] Result<Json> parse_answer(std::string_view body);
[[nodiscard]] Result<EtcdPairs> read_range(const EtcdRange& asked, const Json& answer);
[[nodiscard]] Result<std::vector<EtcdPairs>> read_ranges(std::span<const EtcdRange> asked,
                                                         const Json& answer);
struct EtcdWritten {
  bool done = false;           ///< false: a condition did not hold, and nothing was written.
  std::uint64_t revision = 0;  ///< Of the key space after it.
};
[[nodiscard]] Result<EtcdWritten> read_written(const Json& answer);
[[nodiscard]] Result<std::string> read_token(const Json& answer);
/// Of a status: whether that server knows of a leader.
[[nodiscard]] Result<bool> read_has_leader(const Json& answer);

/// What another status than 200 means; a server's own words are not repeated.
enum class EtcdRefusal {
  try_elsewhere,   ///< No leader, overload, shutting down ...: unknown whether it was done.
  login_needed,    ///< Authentication is on, and no token was shown.
  token_expired,   ///< Or was never good.
  login_wrong,     ///< Name or password.
  no_logins_here,  ///< Authentication is off.
  not_allowed,     ///< The name may not read or write there.
  no_gateway,      ///< Nothing that speaks etcd v3 here.
  bad_question,
};
[[nodiscard]] EtcdRefusal read_refusal(int status, std::string_view body);

}  // namespace kith::ledger
