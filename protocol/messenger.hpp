#pragma once

/// Messenger: from a Message to a Send effect. It packs for the recipient, wraps forwards for the
/// recipient's routing keys, and chooses the first endpoint it can use. The packed bytes are stored
/// with the effect, so resends are byte-equal.
///
/// Who is known: DID documents that cannot be read off the DID itself are records of collection
/// `did-doc`, written by whoever verified them (the ledger modules). Own private keys are records
/// of collection `own-key`, by absolute key id.

#include <string>
#include <string_view>

#include "protocol/host.hpp"
#include "protocol/message.hpp"
#include "protocol/module.hpp"
#include "protocol/resolver.hpp"
#include "protocol/secrets.hpp"

namespace kith::protocol {

/// Resolves did:key and did:peer by themselves, all others from `did-doc` records, or from what was
/// looked up lately (kept_document.hpp).
class KnownDids final : public Resolver {
 public:
  explicit KnownDids(Host& host) : host_(host) {}
  [[nodiscard]] Result<DidDocument> resolve(const Did& did) override;

 private:
  Host& host_;
};

class OwnSecrets final : public Secrets {
 public:
  explicit OwnSecrets(Host& host) : host_(host) {}
  [[nodiscard]] std::optional<SealedKey> find(std::string_view kid) override;

 private:
  Host& host_;
};

void remember_document(Host& host, std::string_view did, const JsonObject& document);
/// Makes the short form of a did:peer of method 4 known by its long one. Errors: those of
/// resolve_did_peer4.
[[nodiscard]] Result<void> remember_long_form(Host& host, const Did& long_form);
void forget_document(Host& host, std::string_view did);
void remember_key(Host& host, std::string_view kid, const SealedKey& key);
void forget_key(Host& host, std::string_view kid);

struct SendOptions {
  std::string owner;  ///< Module told when the effect ends; empty: nobody.
  std::string context;
  Duration life = std::chrono::hours{24 * 14};  ///< Given up after this.
  bool wants_reply = false;  ///< Ask for the answer on the same connection (return_route: all).
  bool transient = false;    ///< May be lost in a crash.
  /// Answer on this waiting connection instead of an endpoint. If it is closed by then, see
  /// late_answers.hpp.
  std::string channel;
  std::string via;  ///< Go to this address instead of the recipient's endpoints.
  /// Relays on the way hold it back: this long, or if negative a random time up to it.
  std::chrono::milliseconds relay_delay{0};
  bool answers_inbound = false;  ///< Kept with the inbox mark: an identical repeat gets it again.
};

/// Authcrypt from `message.from` to `message.to[0]`; both must be set. Fills id, created_time and
/// expires_time where absent. Returns the message id. For a contact without an address it waits in
/// the outbox (outbox.hpp), and no effect begins. An answer to a connection that is over
/// (kChannelOver) goes the same ways; where there is none, it is kept for a repeat of the question.
/// Errors: unknown_peer (no document), unreachable (no usable endpoint and no channel), bad_key.
[[nodiscard]] Result<std::string> send(Host& host, Message message, const SendOptions& options);

/// Sends an envelope that the caller packed for `to`, with forwards like send. The Message of it is
/// valid until `expires_time`. Errors: unknown_peer, unreachable.
[[nodiscard]] Result<void> send_packed(Host& host, const std::string& packed, const Did& to,
                                       std::int64_t expires_time, const SendOptions& options);

/// As send_packed, or into the outbox of a contact without an address. Errors: as send_packed.
[[nodiscard]] Result<void> send_or_queue(Host& host, const std::string& packed, const Did& own,
                                         const Did& to, std::int64_t expires_time,
                                         const SendOptions& options);

/// The envelope alone, authcrypt from `message.from` to `message.to[0]`, without forwards.
/// Errors: as send.
[[nodiscard]] Result<std::string> pack_message(Host& host, const Message& message);

/// Signs with the first authentication key of `own` that we hold. Errors: not_found, unknown_peer.
[[nodiscard]] Result<Bytes> sign_as(Host& host, const Did& own, ByteView statement);
/// Verifies against every authentication key of `did`. Errors: bad_signature, unknown_peer.
[[nodiscard]] Result<void> verify_from(Host& host, const Did& did, ByteView statement,
                                       ByteView signature);

/// For transports: makes `uri` and `packed` those of the way whose turn it is at this attempt.
void choose_way(SendPayload& payload, std::uint32_t attempts);

/// A reply to `inbound`: thread, addresses and waiting connection taken from it.
[[nodiscard]] Result<std::string> reply(Host& host, const Inbound& inbound, std::string_view type,
                                        JsonObject body, SendOptions options = {});

}  // namespace kith::protocol
