#pragma once

/// The messages of the super-quorum (docs/wire-formats.md), one struct a type, as messages.hpp has
/// the others. The offer and the refusal of it are CapabilityOffer and CapabilityDecline.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/entry.hpp"
#include "protocol/contact.hpp"
#include "protocol/module.hpp"
#include "recovery/messages.hpp"
#include "recovery/super_limits.hpp"

namespace kith::recovery {

inline constexpr std::string_view kSuperCapability = "SUPER_QUORUM";
/// What the logs of an identity are called in messages.
inline constexpr std::string_view kDidLog = "did";
inline constexpr std::string_view kPolicyLog = "policy";

/// One key of a holder.
struct SuperKey {
  std::string log;  ///< kDidLog or kPolicyLog.
  std::string key;  ///< Multikey, Ed25519.
  Bytes proof;      ///< By that key over super_key_statement.
  template <class V>
  void visit(V& v) {
    v("log", log), v("key", key), v("proof", proof);
  }
};
/// trustee/1.0: holder -> owner, who asked for SUPER_QUORUM.
struct SuperAccept {
  static constexpr std::string_view kName = CapabilityRequest::kName;
  std::string offer_id;
  std::vector<std::string> capabilities;
  std::vector<SuperKey> keys;  ///< One for each log.
  template <class V>
  void visit(V& v) {
    v("offer_id", offer_id), v("capabilities", capabilities), v("keys", keys);
  }
};
/// What a log's rec.hi hashes (ledger::Reveal).
struct SuperOpening {
  std::string log;
  std::uint32_t t = 0;
  std::vector<std::string> k;
  std::string salt;
  template <class V>
  void visit(V& v) {
    v("log", log), v("t", t), v("k", k), v("salt", salt);
  }
  [[nodiscard]] ledger::Reveal reveal() const { return {t, k, salt}; }
};
/// trustee/1.0: owner -> holder, once the ledger shows it.
struct SuperResponse {
  static constexpr std::string_view kName = "capability-response";
  std::string offer_id;
  std::string did;
  std::string policy;
  std::string ledger;  ///< Its address.
  std::vector<SuperOpening> openings;
  template <class V>
  void visit(V& v) {
    v("offer_id", offer_id), v("did", did), v("policy", policy), v("ledger", ledger);
    v("openings", openings);
  }
};
/// trustee/1.0. capability-confirmed (holder -> owner): both logs hold it, and it is kept.
/// capability-withdrawn (owner -> holder): nothing came of that offer.
struct SuperRef {
  static constexpr std::string_view kConfirmed = "capability-confirmed";
  static constexpr std::string_view kWithdrawn = "capability-withdrawn";
  std::string offer_id;
  template <class V>
  void visit(V& v) {
    v("offer_id", offer_id);
  }
};

/// recovery/1.0: owner -> holder; `expires_time` is the end of the request.
struct SuperRequest {
  static constexpr std::string_view kName = "super-request";
  std::string request_id;
  std::vector<Bytes> entries;  ///< Blobs of recovers, one a log, without signatures.
  std::string text;            ///< The owner's own words.
  template <class V>
  void visit(V& v) {
    v("request_id", request_id), v("entries", entries), v("text", text);
  }
};
struct SuperSigned {
  std::string entry;  ///< Its hash.
  std::string k;
  Bytes s;
  template <class V>
  void visit(V& v) {
    v("entry", entry), v("k", k), v("s", s);
  }
};
/// recovery/1.0: holder -> owner, when its person has agreed.
struct SuperSignature {
  static constexpr std::string_view kName = "super-signature";
  std::string request_id;
  std::vector<SuperSigned> signatures;  ///< One for each entry.
  template <class V>
  void visit(V& v) {
    v("request_id", request_id), v("signatures", signatures);
  }
};
/// recovery/1.0: holder -> owner.
struct SuperDecline {
  static constexpr std::string_view kName = "super-decline";
  std::string request_id;
  std::string reason;
  std::string code;  ///< A stable code, when not the person but the program refuses.
  template <class V>
  void visit(V& v) {
    v("request_id", request_id), v("reason", reason), v("code", code);
  }
};
/// recovery/1.0: owner -> holder.
struct SuperOutcome {
  static constexpr std::string_view kName = "super-outcome";
  std::string request_id;
  std::string outcome;  ///< "posted" or "withdrawn".
  template <class V>
  void visit(V& v) {
    v("request_id", request_id), v("outcome", outcome);
  }
};

/// What the key of a holder signs, so that nobody offers a key that is another's: offer, log, key,
/// and the two DIDs, the holder's first.
[[nodiscard]] Bytes super_key_statement(std::string_view offer_id, std::string_view log,
                                        std::string_view key, std::string_view holder_did,
                                        std::string_view owner_did);
/// Six digits that owner and holder compare: of the entries' hashes, in their order.
[[nodiscard]] std::string super_code(const std::vector<std::string>& hashes);
/// Random bytes in hex: people type ids and names in the same place, and no id shall be a name.
/// Errors: malformed.
[[nodiscard]] Result<void> check_super_id(std::string_view id);
/// Errors: limit_exceeded, malformed (control characters).
[[nodiscard]] Result<void> check_super_text(std::string_view text);

/// Sends to a contact over the relationship. Errors: those of send.
[[nodiscard]] Result<void> send_super(Host& host, const Contact& to, std::string_view type,
                                      JsonObject body, Time expires = {});
template <class Body>
[[nodiscard]] Result<void> send_super(Host& host, const Contact& to, std::string_view protocol,
                                      std::string_view name, const Body& body, Time expires = {}) {
  return send_super(host, to, type_uri(protocol, name), protocol::encode_body(body), expires);
}

}  // namespace kith::recovery
