#pragma once

/// Effects: what a unit of work wants done outside. They are records, so a crash loses none and a
/// restart runs every open one again; all are idempotent. The shell performs one and returns an
/// EffectResult; the unit that takes it deletes the record in its own batch.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "crypto/bytes.hpp"
#include "crypto/result.hpp"
#include "protocol/record.hpp"
#include "protocol/time.hpp"

namespace kith::protocol {

/// Stored: never renumber.
enum class EffectKind : std::uint8_t {
  send = 1,           ///< SendPayload: deliver packed bytes to an endpoint.
  fetch = 2,          ///< FetchPayload: HTTP GET of a public document (invitation, descriptor).
  ledger_append = 3,  ///< LedgerAppendPayload.
  ledger_read = 4,    ///< LedgerReadPayload.
  /// LivePayload: keep a WebSocket open. Ends when it has closed or cannot be opened. Always
  /// transient: a new life of the node opens a new one.
  live = 5,
};
constexpr bool is_valid(EffectKind kind) {
  return kind >= EffectKind::send && kind <= EffectKind::live;
}

/// Another way to the same recipient.
struct OtherWay {
  std::string uri;
  Bytes packed;  ///< Empty: the same bytes as on the first way.
  template <class V>
  void visit(V& v) {
    v("uri", uri), v("packed", packed);
  }
};

struct SendPayload {
  /// Endpoint of the first hop, http(s) or ws(s); empty when `channel` carries it back.
  std::string uri;
  Bytes packed;  ///< The envelope; resends are byte-equal.
  bool wants_reply =
      false;            ///< return_route: all. The reply's body comes back as an envelope event.
  std::string channel;  ///< Connection that waits for this answer (return route).
  std::vector<OtherWay> others;  ///< Tried in turn with `uri`, one at each attempt.
  template <class V>
  void visit(V& v) {
    v("uri", uri), v("packed", packed), v("wants_reply", wants_reply), v("channel", channel),
        v("others", others);
  }
};

/// Messages to `uri` go over this connection while it is open, and what comes on it reaches the
/// agent as envelopes.
struct LivePayload {
  std::string uri;  ///< ws or wss.
  template <class V>
  void visit(V& v) {
    v("uri", uri);
  }
};

struct FetchPayload {
  std::string url;
  std::string accept;  ///< Value of the Accept field; empty: none is sent.
  /// The address was written by a stranger: addresses of private networks are refused, whatever the
  /// node otherwise allows.
  bool public_only = false;
  /// The outcome is a FetchedPage, whatever the status, and redirects are not followed; otherwise
  /// it is the body of a 200.
  bool page = false;
  std::uint64_t bytes_max = 0;  ///< Of the body; 0: as for an envelope.
  template <class V>
  void visit(V& v) {
    v("url", url), v("accept", accept), v("public_only", public_only), v("page", page),
        v("bytes_max", bytes_max);
  }
};

struct FetchedPage {
  std::uint32_t status = 0;
  std::string location;  ///< Of a redirect; as sent.
  std::string content_type;
  Bytes body;
  template <class V>
  void visit(V& v) {
    v("status", status), v("location", location), v("content_type", content_type), v("body", body);
  }
};

struct LedgerAppendPayload {
  std::string ledger;  ///< URL as in design section 4.
  std::string subject;
  Bytes blob;
  std::string expected_head;  ///< Hash of the entry it follows; empty for a genesis.
  /// When witnesses saw it, in their words (ledger/witness_time.hpp).
  std::vector<std::string> witnessed = {};
  template <class V>
  void visit(V& v) {
    v("ledger", ledger), v("subject", subject), v("blob", blob), v("expected_head", expected_head);
    v("witnessed", witnessed);
  }
};

struct LedgerReadPayload {
  std::string ledger;
  std::string subject;
  std::uint64_t from = 0;  ///< First position wanted.
  std::uint64_t seen = 0;  ///< Size of the newest checkpoint that the reader trusts.
  template <class V>
  void visit(V& v) {
    v("ledger", ledger), v("subject", subject), v("from", from), v("seen", seen);
  }
};

struct Effect {
  std::string id;  ///< Given by the Host; sorts in the order of making.
  EffectKind kind = EffectKind::send;
  std::string owner;    ///< Module that gets the result.
  std::string context;  ///< For the owner: what this was for.
  Bytes payload;        ///< encode_record of the kind's payload.
  Time expires{};       ///< Given up after this: the owner gets `expired`.
  std::uint32_t attempts = 0;
  Time next_try{};  ///< Not before this.
  /// Not stored: harmless to lose in a crash (polls, answers on a waiting connection).
  bool transient = false;
  /// Not stored: part of the answer to the message at hand; kept with its inbox mark for repeats.
  bool answers_inbound = false;
  template <class V>
  void visit(V& v) {
    v("id", id), v("kind", kind), v("owner", owner), v("context", context), v("payload", payload);
    v("expires", expires), v("attempts", attempts), v("next_try", next_try);
  }
};

/// What the shell reports. `retry`: worth another attempt (unreachable, timeout, unknown outcome).
struct EffectResult {
  std::string id;
  Result<Bytes> outcome = Bytes{};  ///< Kind-specific record; an error ends or retries the effect.
  bool retry = false;
};

/// Outcome records of the kinds.
struct LedgerAppended {
  std::uint64_t position = 0;
  Time time{};          ///< Anchor time.
  bool stale = false;   ///< Not appended: the head was another.
  std::string head;     ///< When stale: the head the ledger knows.
  std::string receipt;  ///< As the host gave it; empty: none (ledger/receipt.hpp).
  template <class V>
  void visit(V& v) {
    v("position", position), v("time", time), v("stale", stale), v("head", head);
    v("receipt", receipt);
  }
};

struct AnchoredBlob {
  std::uint64_t position = 0;
  Time time{};
  Bytes blob;
  std::vector<std::string> witnessed = {};  ///< As of LedgerAppendPayload.
  template <class V>
  void visit(V& v) {
    v("position", position), v("time", time), v("blob", blob), v("witnessed", witnessed);
  }
};

/// What a ledger's host says to prove an answer (ledger/light_client.hpp).
struct LedgerProof {
  using Hashes = std::vector<std::array<std::uint8_t, 32>>;
  /// When witnesses saw an entry: in the tree of one of `anchors`.
  struct Anchored {
    std::uint64_t anchor = 0;  ///< Place in `anchors`.
    Hashes inclusion;
    template <class V>
    void visit(V& v) {
      v("anchor", anchor), v("inclusion", inclusion);
    }
  };
  std::string descriptor;         ///< JSON.
  std::string checkpoint;         ///< Signed note.
  Hashes consistency;             ///< From the checkpoint that the reader named to this one.
  std::vector<Hashes> inclusion;  ///< Of each entry.
  // Of a ledger that asks for witnesses; otherwise both are empty.
  std::vector<std::string> anchors;  ///< Signed notes: the first that enough of them cosigned.
  std::vector<Anchored> anchored;    ///< Of each entry.
  template <class V>
  void visit(V& v) {
    v("descriptor", descriptor), v("checkpoint", checkpoint), v("consistency", consistency);
    v("inclusion", inclusion), v("anchors", anchors), v("anchored", anchored);
  }
};

struct LedgerEntries {
  std::vector<AnchoredBlob> entries;
  bool complete = true;  ///< false: more follow after the last position.
  std::optional<LedgerProof> proof;
  template <class V>
  void visit(V& v) {
    v("entries", entries), v("complete", complete), v("proof", proof);
  }
};

}  // namespace kith::protocol
