#pragma once

/// Invitations that others may still answer (collection `invitation`, by invitation id).

#include <string>

#include "protocol/contact.hpp"
#include "protocol/host.hpp"

namespace kith::protocol {

/// What an answer to the invitation starts. Stored: never renumber.
enum class InvitationUse : std::uint8_t {
  connection = 1,  ///< A relationship (connection protocol).
  recovery = 2,    ///< A recovery session with a trustee.
};
constexpr bool is_valid(InvitationUse use) {
  return use == InvitationUse::connection || use == InvitationUse::recovery;
}

struct OpenInvitation {
  std::string id;
  std::string did;   ///< The one-time (or routing) DID that answers are sent to.
  std::string name;  ///< Name for the contact that answers; empty: as they propose.
  InvitationUse use = InvitationUse::connection;
  ContactRole role = ContactRole::person;  ///< Of the contact that answers.
  std::string contact_id;  ///< recovery: the contact whom the trustee's user picked.
  bool reusable = false;
  std::uint32_t answered = 0;
  Time created{};
  Time expires{};
  template <class V>
  void visit(V& v) {
    v("id", id), v("did", did), v("name", name), v("use", use), v("role", role),
        v("contact_id", contact_id), v("reusable", reusable), v("answered", answered),
        v("created", created), v("expires", expires);
  }
};

inline const std::string kInvitations = "invitation";

}  // namespace kith::protocol
