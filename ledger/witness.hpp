#pragma once

/// The witness's judgement (C2SP tlog-witness): whether the next checkpoint of a ledger may be
/// cosigned after the one that was cosigned last. A cosignature says only that the ledger grew and
/// changed nothing; what its entries say is their readers' to judge.
///
///     never cosigned --> cosigned at size N --> cosigned at size M >= N ...
///
/// One root for a size, no size below the last: whatever is signed next is decided from the kept
/// state alone, and it is kept before the signature leaves (witness_module.hpp).
///
/// Pure.

#include <cstdint>
#include <string>

#include "ledger/add_checkpoint.hpp"
#include "ledger/checkpoint.hpp"
#include "protocol/record.hpp"

namespace kith::ledger {

/// What a witness knows of a ledger; a record.
struct WatchedLedger {
  std::string descriptor;  ///< Canonical JSON. Of a log known by its key alone: origin and key.
  bool watched = true;     ///< Not any more; the state stays, so that it cannot be signed anew.
  std::string checkpoint;  ///< The last one cosigned: a note with the ledger's signature alone.
                           ///< Empty: none.
  Time cosigned{};         ///< When; whole seconds, never runs back.
  Time added{};
  template <class V>
  void visit(V& v) {
    v("descriptor", descriptor), v("watched", watched), v("checkpoint", checkpoint);
    v("cosigned", cosigned), v("added", added);
  }
};

/// The last checkpoint cosigned; of size 0 where there is none. Errors: storage_corrupt.
[[nodiscard]] Result<Checkpoint> last_cosigned(const WatchedLedger& watched);

enum class WitnessVerdict : std::uint8_t {
  cosign,        ///< Keep it, then sign.
  other_size,    ///< The request begins elsewhere: 409 with the kept size.
  other_root,    ///< Two trees of one size, both signed by the ledger: 409, and evidence.
  inconsistent,  ///< The proof does not hold: 422.
};

struct JudgedCheckpoint {
  WitnessVerdict verdict = WitnessVerdict::other_size;
  Checkpoint checkpoint;  ///< Of the request; signed by the ledger.
  std::string note;       ///< It with the ledger's signature alone.
  std::uint64_t kept_size = 0;
};

/// `watched` is the ledger that the checkpoint's origin names. Errors: malformed (also: the old
/// size is larger than the checkpoint's), limit_exceeded, bad_signature (not by the ledger's key),
/// storage_corrupt.
[[nodiscard]] Result<JudgedCheckpoint> judge_add_checkpoint(const AddCheckpoint& request,
                                                            const WatchedLedger& watched);

/// A descriptor for a log that is known by its verifier key alone. Errors: those of
/// parse_verifier_key and check_descriptor, unsupported (a witness's key).
[[nodiscard]] Result<LedgerDescriptor> descriptor_of_key(std::string_view verifier_key);

}  // namespace kith::ledger
