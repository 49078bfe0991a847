#pragma once

/// The host's side of witnessing: asks all witnesses of a ledger for cosignatures of its checkpoint
/// (C2SP tlog-witness) and keeps the checkpoint when the descriptor's w of them have signed one and
/// the same. Questions go out and answers come in as plain structs; the shell carries them.
///
/// A round is one checkpoint of one size, signed by the ledger when its entries were durable. All
/// witnesses are asked for it at the same time. It is over when w have signed, and moves to what
/// the ledger has become when nobody is being waited for; so a slow witness holds nobody up as long
/// as w others answer, and cosignatures of a round are all of one tree. Those who are missing when
/// it is over are asked on, and what comes late is added to the checkpoint that is kept, if it is
/// of the same tree.
///
/// What a witness may say, and what follows:
///   signatures          counted if they are good, made now (within kFutureMax), and not older than
///                       the newest checkpoint that is kept: anchor times never run back
///   another size        asked again from there, at once, kConflictsMax times in a row
///   a size beyond ours  this ledger lost entries that others have seen: told, never asked past it
///   another root        told: it has signed another history
///   anything else       asked again later: kRetryFirst, doubled up to kRetryMax
///
/// Single-threaded. The ledger outlives it.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/json.hpp"
#include "crypto/limits.hpp"
#include "ledger/prover.hpp"
#include "ledger/remote/http.hpp"
#include "ledger/signed_note.hpp"

namespace kith::ledger {

/// A witness as a host is told of it: "VERIFIER-KEY URL".
struct WitnessAddress {
  PublicKey key;
  std::string url;  ///< Without "/add-checkpoint".
};
/// Errors: malformed, unsupported, bad_key, limit_exceeded, bad_url.
[[nodiscard]] Result<WitnessAddress> parse_witness_address(std::string_view text);
/// What GET /ledger/witnesses says.
[[nodiscard]] JsonObject witness_addresses_json(const std::vector<WitnessAddress>& witnesses);
/// At most kLedgerWitnessesMax. Errors: malformed, bad_key, bad_url, limit_exceeded.
[[nodiscard]] Result<std::vector<WitnessAddress>> parse_witness_addresses(std::string_view text);
inline constexpr std::size_t kAddressesBytesMax =
    limits::kLedgerWitnessesMax * limits::kHttpUrlCharsMax;

/// How many of `count` witnesses are asked for where nobody says: more than half, so that any two
/// quorums have one in common.
[[nodiscard]] std::uint32_t usual_quorum(std::size_t count);

class Cosigning {
 public:
  struct Question {
    std::size_t witness = 0;  ///< For take().
    HttpQuestion http;
  };

  /// `ledger` asks for witnesses (asserted).
  Cosigning(TreeLedger& ledger, LedgerProver::Sign sign, std::vector<WitnessAddress> witnesses);

  /// What is to be asked now; each question must be answered by take(). `urgent`: an entry waits.
  /// Errors: of the storage and of `sign`.
  [[nodiscard]] Result<std::vector<Question>> ask(AnchorTime now, bool urgent);
  /// `reply`: what came back, or why nothing did. Errors: of the storage.
  [[nodiscard]] Result<void> take(std::size_t witness, const Result<HttpReply>& reply,
                                  AnchorTime now);
  /// When ask() may have something; nullopt: not before the next take() or append.
  [[nodiscard]] Result<std::optional<AnchorTime>> next(AnchorTime now, bool urgent) const;
  /// Entries that enough witnesses have seen. Errors: of the storage.
  [[nodiscard]] Result<std::uint64_t> witnessed() const { return prover_.visible(); }

  /// {needed, size, witnessed?: {size, time}, witnesses: [{key, url, signed?: {size, time},
  /// error?}]}: of this process's life, but for `witnessed`. Errors: of the storage.
  [[nodiscard]] Result<JsonObject> report() const;

 private:
  struct Witness {
    WitnessAddress address;
    std::uint64_t size = 0;  ///< That it signed last, as far as is known.
    bool busy = false;
    std::string asked;  ///< Text of the checkpoint that it was asked for.
    std::uint64_t asked_size = 0;
    AnchorTime tried{};
    unsigned failures = 0;   ///< In a row.
    unsigned conflicts = 0;  ///< In a row.
    bool at_once = true;
    std::optional<AnchorTime> signed_at;
    std::string error;
  };
  struct Round {
    std::uint64_t size = 0;
    SignedNote note;  ///< With the ledger's signature alone.
    std::map<std::size_t, NoteSignature> collected;
  };

  [[nodiscard]] Result<bool> is_needed(AnchorTime now) const;
  [[nodiscard]] bool round_is_over() const;
  [[nodiscard]] bool anybody_busy() const;
  [[nodiscard]] Result<void> begin_round();
  [[nodiscard]] AnchorTime next_try(const Witness& witness, bool urgent) const;
  [[nodiscard]] bool may_be_asked(std::size_t index, AnchorTime now, bool urgent) const;
  [[nodiscard]] Result<Question> question_for(std::size_t index, AnchorTime now);
  [[nodiscard]] Result<void> take_signatures(std::size_t index, std::string_view lines,
                                             AnchorTime now);
  void take_size(Witness& witness, const HttpReply& reply);
  [[nodiscard]] Result<void> collect(std::size_t index, NoteSignature signature);
  [[nodiscard]] Result<void> add_late(const Witness& witness, NoteSignature signature);
  [[nodiscard]] Result<std::optional<AnchorTime>> newest_time() const;
  static void fail_for_now(Witness& witness, std::string why);

  TreeLedger& ledger_;
  LedgerProver prover_;
  std::vector<Witness> witnesses_;
  std::optional<Round> round_;
};

}  // namespace kith::ledger
