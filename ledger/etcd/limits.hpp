#pragma once

/// Limits of the etcd backend, each with its reason. docs/running-a-ledger.md names those that an
/// operator meets.

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace kith::ledger::etcd_limits {

/// Servers of one address: clusters have 3 or 5, rarely 7; more only slow a cluster down.
inline constexpr std::size_t kEndpointsMax = 9;
/// The part of the key space that a ledger lives in.
inline constexpr std::size_t kPrefixCharsMax = 64;
/// Name and password, each.
inline constexpr std::size_t kLoginCharsMax = 256;
/// Tokens of etcd: "simple" ones have 19 characters, signed ones (JWT) a few hundred.
inline constexpr std::size_t kTokenCharsMax = 4096;
/// Entries of one question: with the largest values, in base64 twice, the answer has 480 KiB and
/// stays below kJsonBytesMax.
inline constexpr std::size_t kKeysPerQuestion = 16;
/// Questions of one job: the longest log takes 100; the rest is for junk that has to be passed.
inline constexpr std::size_t kQuestionsPerJob = 400;
/// Objects and lists inside one another in an answer: txn, responses, range, kvs, kv make six.
inline constexpr std::size_t kAnswerDepth = 8;

/// The first patience with one server. What is in flight when a leader dies hangs, and the others
/// answer within milliseconds.
inline constexpr std::chrono::milliseconds kPatience{200};
/// Times that all servers are tried. Patience doubles from the third on: 200, 200, 400, 800 and
/// 1600 ms, so that a far or busy cluster is heard too, and an election (1 s by default) ends
/// first.
inline constexpr unsigned kRounds = 5;
/// Before the second round; then twice as long each time: what failed at once would fail again.
inline constexpr std::chrono::milliseconds kPause{50};
/// A login takes the server one slow hash of the password, a tenth of a second or more.
inline constexpr std::chrono::milliseconds kLoginPatience{3000};
/// Logins of one job: the first, and one for each token that ran out meanwhile.
inline constexpr unsigned kLoginsPerJob = 3;
/// Other writers of the same log that may come first before the writer is told to come later.
inline constexpr unsigned kConflictsMax = 16;

}  // namespace kith::ledger::etcd_limits
