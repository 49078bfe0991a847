#pragma once

/// Whose mail goes where: the DIDs that the clients of a mediator registered.
///
/// Several clients may have one DID, as the devices of a person do: each proves it by a key of its
/// own (recipient_proof.hpp), and mail for it is put into the mailbox of each. A registration
/// without proof is alone with its DID.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/host.hpp"

namespace kith::protocol {

enum class Registration : std::uint8_t { success, no_change, client_error, server_error };

/// What a client has proven of a DID that it registered.
struct RecipientClaim {
  Time time{};       ///< Of the proof.
  std::string head;  ///< Hash of the newest entry of the DID's log; empty: it has none.
  std::string key;   ///< Digest of the key that signed; empty: registered before it was kept.
  std::vector<std::string> recovers = {};  ///< Hashes of recovers that took effect in that log.
  std::vector<std::string> vetoed = {};    ///< Of those that are known not to.
  template <class V>
  void visit(V& v) {
    v("time", time), v("head", head), v("key", key);
    v("recovers", recovers), v("vetoed", vetoed);
  }
};

/// A proof that was checked.
struct CheckedClaim {
  RecipientClaim claim;
  std::vector<std::string> keys;  ///< Digests of all keys that sign for the DID now.
};

/// Only DIDs that nobody else registered. client_error: another's, beyond the client's quota, or
/// without a proof where the policy asks for one; server_error: beyond the quota of all
/// (mediation_policy.hpp).
[[nodiscard]] Registration register_recipient(Host& host, std::string_view client,
                                              std::string_view did);

struct ProvenRegistration {
  Registration result = Registration::client_error;
  std::vector<std::string> former;  ///< Clients that lost the DID.
  bool moves = false;               ///< Their mail for it is still to be moved to the new client.
};
/// Registers with a checked claim, beside clients whose claims are by other keys, of which there
/// are limits::kClientsPerDidMax with it at most. Who loses the DID:
/// - a client without proof;
/// - with more of the DID's log, every client whose key it does not name any more;
/// - a client that proved it by the same key (or in a version that kept none), if it has less of
///   the log, or else the older proof: whoever used a key last decides where its mail goes.
/// Mail moves where the client did not have the DID before; one that had it got copies. Results as
/// above; server_error also where equal claims took the DID from each other
/// limits::kTakeoversPerHour times within an hour.
[[nodiscard]] ProvenRegistration register_proven(Host& host, std::string_view client,
                                                 std::string_view did, const CheckedClaim& checked);
/// Whether another client has proven the DID by the key of this claim.
[[nodiscard]] bool is_anothers(Host& host, std::string_view client, std::string_view did,
                               const CheckedClaim& checked);

/// The claim behind a client's registration; absent: not registered, or without proof.
[[nodiscard]] std::optional<RecipientClaim> claim_of(Host& host, std::string_view client,
                                                     std::string_view did);
/// A claim with what clients have shown of the DID's log; absent: nobody has proven it.
[[nodiscard]] std::optional<RecipientClaim> known_claim(Host& host, std::string_view did);

/// client_error: registered, but not by this client.
[[nodiscard]] Registration remove_recipient(Host& host, std::string_view client,
                                            std::string_view did);
[[nodiscard]] std::vector<std::string> recipients_of(Host& host, std::string_view client);
/// The clients that registered `did`; empty: nobody did.
[[nodiscard]] std::vector<std::string> clients_for(Host& host, std::string_view did);

}  // namespace kith::protocol
