#pragma once

/// The messages of recovery-protocol section 7, one struct a type: the body of a DIDComm message in
/// JSON (bytes as base64url). Readers refuse what does not fit; unknown members are ignored.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/record.hpp"

namespace kith::recovery {

/// Message type URIs: "https://w3id.org/kith/<protocol>/1.0/<name>".
[[nodiscard]] inline std::string type_uri(std::string_view protocol, std::string_view name) {
  return "https://w3id.org/kith/" + std::string(protocol) + "/1.0/" + std::string(name);
}

// trustee/1.0, owner and trustee over their relationship

struct CapabilityOffer {
  static constexpr std::string_view kName = "capability-offer";  // owner -> trustee
  std::string offer_id;                                          ///< Random per trustee.
  std::vector<std::string> capabilities;  ///< "RECOVERY_SHARE" and others by name.
  std::string text;                       ///< The owner's own words.
  template <class V>
  void visit(V& v) {
    v("offer_id", offer_id), v("capabilities", capabilities), v("text", text);
  }
};
struct CapabilityRequest {
  static constexpr std::string_view kName = "capability-request";  // trustee -> owner: accepted
  std::string offer_id;
  std::vector<std::string> capabilities;
  template <class V>
  void visit(V& v) {
    v("offer_id", offer_id), v("capabilities", capabilities);
  }
};
struct CapabilityDecline {
  static constexpr std::string_view kName = "capability-decline";
  std::string offer_id;
  std::string reason;
  template <class V>
  void visit(V& v) {
    v("offer_id", offer_id), v("reason", reason);
  }
};
/// A record version that a trustee holds.
struct HeldVersionRef {
  Bytes record_id;  ///< Empty: none.
  std::uint64_t version = 0;
  Bytes share_point;  ///< S_i
  std::string state;  ///< "prepared", "committed" or "retained"; not used in a base.
  template <class V>
  void visit(V& v) {
    v("record_id", record_id), v("version", version), v("share_point", share_point),
        v("state", state);
  }
};
struct SharePrepare {
  static constexpr std::string_view kName = "share-prepare";
  /// Random per trustee, 16 bytes; one for all leaves of a trustee in one change: the commit of a
  /// change replaces every record that the trustee holds from earlier changes.
  Bytes change_id;
  Bytes record;     ///< Leaf record, limits::kLeafRecordBytes.
  Bytes challenge;  ///< 32 bytes for the acknowledging proof.
  /// What the owner believes to be committed; absent: not stated, and not checked.
  std::optional<HeldVersionRef> base = std::nullopt;
  template <class V>
  void visit(V& v) {
    v("change_id", change_id), v("base", base), v("record", record), v("challenge", challenge);
  }
};
struct SharePrepared {
  static constexpr std::string_view kName = "share-prepared";
  Bytes change_id;
  Bytes record_id;
  std::uint64_t version = 0;
  Bytes proof;  ///< Heartbeat proof over the challenge.
  template <class V>
  void visit(V& v) {
    v("change_id", change_id), v("record_id", record_id), v("version", version), v("proof", proof);
  }
};
struct ShareBusy {
  static constexpr std::string_view kName = "share-busy";
  Bytes change_id;  ///< Of the other change.
  std::int64_t age_s = 0;
  template <class V>
  void visit(V& v) {
    v("change_id", change_id), v("age_s", age_s);
  }
};
/// Answer to a wrong base, to share-abort, and to share-retire: what the trustee holds now.
struct ShareHeld {
  static constexpr std::string_view kName = "share-held";
  Bytes change_id;  ///< Of the message answered.
  std::vector<HeldVersionRef> versions;
  template <class V>
  void visit(V& v) {
    v("change_id", change_id), v("versions", versions);
  }
};
/// share-commit, share-committed, share-retire, share-abort.
struct ShareChange {
  static constexpr std::string_view kCommit = "share-commit";
  static constexpr std::string_view kCommitted = "share-committed";
  static constexpr std::string_view kRetire = "share-retire";
  static constexpr std::string_view kAbort = "share-abort";
  Bytes change_id;
  Bytes record_id;
  std::uint64_t version = 0;
  Bytes signature;  ///< share-retire: by the retire key of that version (retire_statement).
  template <class V>
  void visit(V& v) {
    v("change_id", change_id), v("record_id", record_id), v("version", version),
        v("signature", signature);
  }
};
struct HeartbeatRequest {
  static constexpr std::string_view kName = "heartbeat-request";
  Bytes record_id;
  Bytes challenge;  ///< 32 bytes.
  Bytes head;       ///< head_i for this leaf; empty: unchanged.
  template <class V>
  void visit(V& v) {
    v("record_id", record_id), v("challenge", challenge), v("head", head);
  }
};
struct HeartbeatResponse {
  static constexpr std::string_view kName = "heartbeat-response";
  Bytes record_id;
  std::uint64_t version = 0;
  Bytes proof;
  std::int64_t time_ms = 0;  ///< The trustee's clock.
  Bytes signature;  ///< By the trustee's authentication key over "kith/time", challenge, time.
  template <class V>
  void visit(V& v) {
    v("record_id", record_id), v("version", version), v("proof", proof), v("time_ms", time_ms),
        v("signature", signature);
  }
};

// recovery/1.0, between a device and a trustee over a one-time connection

struct SessionRequest {
  static constexpr std::string_view kName = "request";  // device -> trustee
  Bytes session_id;                                     ///< 16 random bytes, one per trustee.
  PublicKey session_key;                                ///< X25519; answers are sealed to it.
  std::string text;                                     ///< Untrusted; shown, never used to match.
  template <class V>
  void visit(V& v) {
    v("session_id", session_id), v("session_key", session_key), v("text", text);
  }
};
/// code-commit (device), code-nonce (trustee), code-reveal (device).
struct CodeStep {
  static constexpr std::string_view kCommit = "code-commit";
  static constexpr std::string_view kNonce = "code-nonce";
  static constexpr std::string_view kReveal = "code-reveal";
  Bytes session_id;
  Bytes value;  ///< Commitment, n_T or n_D: 32 bytes.
  template <class V>
  void visit(V& v) {
    v("session_id", session_id), v("value", value);
  }
};
/// code-typed: the device's user typed code B; the trustee's program learns only right or wrong.
struct CodeTyped {
  static constexpr std::string_view kName = "code-typed";
  Bytes session_id;
  std::string code;  ///< Six digits.
  template <class V>
  void visit(V& v) {
    v("session_id", session_id), v("code", code);
  }
};
struct Challenge {
  static constexpr std::string_view kName = "challenge";
  Bytes session_id;
  std::string question;
  template <class V>
  void visit(V& v) {
    v("session_id", session_id), v("question", question);
  }
};
struct ChallengeResponse {
  static constexpr std::string_view kName = "challenge-response";
  Bytes session_id;
  std::string answer;
  template <class V>
  void visit(V& v) {
    v("session_id", session_id), v("answer", answer);
  }
};
struct SessionStatus {
  static constexpr std::string_view kName = "status";  // trustee -> device
  Bytes session_id;
  std::string state;             ///< A name of docs/recovery-states.md: "received", "matched", ...
  std::int64_t remaining_s = 0;  ///< Of the waiting period.
  std::string text;              ///< What to do next.
  template <class V>
  void visit(V& v) {
    v("session_id", session_id), v("state", state), v("remaining_s", remaining_s), v("text", text);
  }
};
struct BackupLocator {
  std::string did;  ///< did:peer:2 of a location, with its address inside.
  Bytes token;      ///< Reads, nothing else.
  template <class V>
  void visit(V& v) {
    v("did", did), v("token", token);
  }
};
struct Locate {
  static constexpr std::string_view kName = "locate";  // trustee -> device, after approval
  Bytes session_id;
  std::vector<BackupLocator> locations;
  template <class V>
  void visit(V& v) {
    v("session_id", session_id), v("locations", locations);
  }
};
/// Accepted after approval, answered at release, once more whenever it is repeated until the
/// session expires.
struct PartialRequest {
  static constexpr std::string_view kName = "partial-request";  // device -> trustee
  Bytes session_id;
  std::vector<Bytes> points;  ///< Blinded, 32 bytes each; the capsule's first (read_question).
  template <class V>
  void visit(V& v) {
    v("session_id", session_id), v("points", points);
  }
};
struct PartialReply {
  static constexpr std::string_view kName = "partial";  // trustee -> device, at release
  Bytes session_id;
  Bytes box;        ///< All answers, sealed to the session key (seal_answers).
  Bytes signature;  ///< By `signer` over answers_statement.
  /// The trustee's key of its relationship with the owner. A fresh device takes it as it comes (the
  /// envelope is authenticated) and compares when it knows its contacts.
  PublicKey signer;
  template <class V>
  void visit(V& v) {
    v("session_id", session_id), v("box", box), v("signature", signature), v("signer", signer);
  }
};
/// notice (trustee -> every agent of the owner), veto and vetoed (agent <-> trustee), close
/// (device).
struct SessionNotice {
  static constexpr std::string_view kName = "notice";
  Bytes session_id;
  std::int64_t matched_at_s = 0;
  std::int64_t earliest_release_s = 0;
  template <class V>
  void visit(V& v) {
    v("session_id", session_id), v("matched_at_s", matched_at_s),
        v("earliest_release_s", earliest_release_s);
  }
};
struct SessionRef {
  static constexpr std::string_view kVeto = "veto";
  static constexpr std::string_view kVetoed = "vetoed";
  static constexpr std::string_view kClose = "close";
  Bytes session_id;
  /// close: "recovered" or "abandoned"; vetoed: the session's state after the veto.
  std::string result;
  /// A veto may come from an agent that an update has removed meanwhile: then `key` is its
  /// authentication key (Multikey) and `signature` is by it over veto_statement.
  std::string key = {};
  Bytes signature = {};
  template <class V>
  void visit(V& v) {
    v("session_id", session_id), v("result", result), v("key", key), v("signature", signature);
  }
};

// backup/1.0, between an agent (or a recovering device) and a location
inline constexpr std::string_view kBackupProtocol = "backup";

/// Parts a location keeps. Stored: never renumber.
enum class BackupPart : std::uint8_t { backup = 1, capsule = 2, sheet = 3, log = 4 };
constexpr bool is_valid(BackupPart part) {
  return part >= BackupPart::backup && part <= BackupPart::log;
}

struct BackupPut {
  static constexpr std::string_view kName = "put";  // one chunk; the last activates the version
  BackupPart part = BackupPart::backup;
  Bytes set_id;  ///< 16 bytes.
  std::uint64_t counter = 0;
  std::uint32_t index = 0;
  std::uint32_t count = 1;
  Bytes chunk;
  Bytes digest;                     ///< H over all chunks: the version is active only when it fits.
  std::vector<Bytes> token_hashes;  ///< 64 in the sheet's put, empty elsewhere.
  template <class V>
  void visit(V& v) {
    v("part", part), v("set_id", set_id), v("counter", counter), v("index", index),
        v("count", count), v("chunk", chunk), v("digest", digest), v("token_hashes", token_hashes);
  }
};
struct BackupPutReply {
  static constexpr std::string_view kName = "put-reply";
  std::uint32_t index = 0;
  bool active = false;  ///< The whole version is stored, synced and readable.
  template <class V>
  void visit(V& v) {
    v("index", index), v("active", active);
  }
};
struct BackupGet {
  static constexpr std::string_view kName = "get";
  Bytes token;  ///< Empty when the owner's own agent asks over its relationship.
  BackupPart part = BackupPart::backup;
  std::optional<std::uint64_t> counter;  ///< Absent: the newest.
  std::uint32_t index = 0;
  Bytes nonce;  ///< Comes back in the signed time.
  template <class V>
  void visit(V& v) {
    v("token", token), v("part", part), v("counter", counter), v("index", index), v("nonce", nonce);
  }
};
struct BackupGetReply {
  static constexpr std::string_view kName = "get-reply";
  BackupPart part = BackupPart::backup;
  Bytes set_id;
  std::uint64_t counter = 0;
  std::uint32_t index = 0;
  std::uint32_t count = 1;
  Bytes chunk;
  Bytes digest;
  std::int64_t time_ms = 0;
  Bytes signature;  ///< By the location over "kith/time", nonce, time.
  template <class V>
  void visit(V& v) {
    v("part", part), v("set_id", set_id), v("counter", counter), v("index", index),
        v("count", count), v("chunk", chunk), v("digest", digest), v("time_ms", time_ms),
        v("signature", signature);
  }
};
struct BackupList {
  static constexpr std::string_view kName = "list";
  Bytes token;
  Bytes nonce = {};  ///< Comes back in the signed time.
  template <class V>
  void visit(V& v) {
    v("token", token), v("nonce", nonce);
  }
};
struct BackupVersion {
  BackupPart part = BackupPart::backup;
  Bytes set_id;
  std::uint64_t counter = 0;
  std::uint32_t count = 1;
  Bytes digest;
  Time stored{};
  template <class V>
  void visit(V& v) {
    v("part", part), v("set_id", set_id), v("counter", counter), v("count", count),
        v("digest", digest), v("stored", stored);
  }
};
struct BackupListReply {
  static constexpr std::string_view kName = "list-reply";
  std::vector<BackupVersion> versions;
  std::int64_t time_ms = 0;
  Bytes signature;  ///< As in BackupGetReply; empty if no nonce was sent.
  template <class V>
  void visit(V& v) {
    v("versions", versions), v("time_ms", time_ms), v("signature", signature);
  }
};

}  // namespace kith::recovery
