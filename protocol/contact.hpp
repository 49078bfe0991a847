#pragma once

/// Contacts: the relationships of this wallet. A contact joins a pairwise DID of ours with one of
/// theirs and a name that the user chose (a petname: what the peer calls itself is only a
/// proposal).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/did.hpp"
#include "protocol/host.hpp"

namespace kith::protocol {

/// Stored: never renumber.
enum class ContactRole : std::uint8_t {
  person = 1,    ///< Somebody's agent: friend, family, trustee.
  mediator = 2,  ///< Relays our mail and keeps our backups.
  client = 3,    ///< Whose mail and backups we keep as a mediator.
  device = 4,    ///< Another device of our own (recovery/own_agents.hpp).
  /// One that is being added; nothing is believed of it before codes were compared.
  new_device = 5,
};
constexpr bool is_valid(ContactRole role) {
  return role >= ContactRole::person && role <= ContactRole::new_device;
}

enum class ContactState : std::uint8_t {
  requested = 1,  ///< We accepted their invitation and wait for their answer.
  connected = 2,
  ended = 3,  ///< No messages are taken or sent any more; kept for its history.
  /// We answered their request: their messages are taken, none is sent before they confirm.
  answered = 4,
};
constexpr bool is_valid(ContactState state) {
  return state >= ContactState::requested && state <= ContactState::answered;
}

struct Contact {
  std::string id;  ///< 16 random bytes in hex.
  std::string name;
  std::string my_did;
  std::string their_did;  ///< Empty until known.
  ContactRole role = ContactRole::person;
  ContactState state = ContactState::requested;
  Time created{};
  template <class V>
  void visit(V& v) {
    v("id", id), v("name", name), v("my_did", my_did), v("their_did", their_did), v("role", role),
        v("state", state), v("created", created);
  }
};

/// Collection `contact`, by id; `contact-by-did` finds them by "<my_did> <their_did>".
void save_contact(Host& host, const Contact& contact);
[[nodiscard]] std::vector<Contact> list_contacts(Host& host);  ///< By name, then id.
[[nodiscard]] std::optional<Contact> find_contact(Host& host, std::string_view id);
/// By exact name or id; errors: unknown_peer, conflict (two have that name).
[[nodiscard]] Result<Contact> contact_named(Host& host, std::string_view name_or_id);
/// The connected (or answered) contact behind an authenticated message. Errors: unknown_peer.
[[nodiscard]] Result<Contact> contact_of(Host& host, const Did& own_did, const Did& sender);
/// The owner has another device that this one is connected with.
[[nodiscard]] bool has_other_devices(Host& host);
/// Module and timer ("<timer> <contact id>") that hear of a connection with a device to be added.
inline constexpr std::string_view kOwnAgentsModule = "own-agents";
inline constexpr std::string_view kAgentConnectedTimer = "connected";

/// `wanted`, or "wanted (2)", ...: free among the names. Cut to limits::kNameCharsMax, control
/// characters removed.
[[nodiscard]] std::string free_contact_name(Host& host, std::string_view wanted);

}  // namespace kith::protocol

namespace kith {
using protocol::Contact;
using protocol::ContactRole;
using protocol::ContactState;
}  // namespace kith
