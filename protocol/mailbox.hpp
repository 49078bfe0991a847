#pragma once

/// Mailboxes of a mediator: one per client, bounded, oldest first.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/host.hpp"

namespace kith::protocol {

struct Mail {
  Bytes envelope;
  std::string recipient_did;
  Time received{};
  Time held_until{};  ///< Nobody gets to see it before (relay delay).
  template <class V>
  void visit(V& v) {
    v("envelope", envelope), v("recipient_did", recipient_did), v("received", received),
        v("held_until", held_until);
  }
};

/// Record `mailbox`/<client contact id>.
struct MailboxState {
  std::uint64_t next = 0;
  std::uint64_t count = 0;
  std::uint64_t bytes = 0;
  std::uint64_t recipients = 0;  ///< DIDs registered by this client.
  template <class V>
  void visit(V& v) {
    v("next", next), v("count", count), v("bytes", bytes), v("recipients", recipients);
  }
};

enum class Registration : std::uint8_t { success, no_change, client_error, server_error };

/// Only DIDs that nobody else registered. client_error: another's, or beyond the client's quota;
/// server_error: beyond the quota of all (mediation_policy.hpp).
[[nodiscard]] Registration register_recipient(Host& host, std::string_view client,
                                              std::string_view did);
[[nodiscard]] Registration remove_recipient(Host& host, std::string_view client,
                                            std::string_view did);
[[nodiscard]] std::vector<std::string> recipients_of(Host& host, std::string_view client);
/// The client that registered `did`.
[[nodiscard]] std::optional<std::string> client_for(Host& host, std::string_view did);

/// Returns the mail's id. Errors: storage_full (a quota of mediation_policy.hpp).
[[nodiscard]] Result<std::string> put_mail(Host& host, std::string_view client, Mail mail);
struct StoredMail {
  std::string id;
  Mail mail;
};
/// Oldest first, without what is held; `recipient_did` empty: all of the client's.
[[nodiscard]] std::vector<StoredMail> read_mail(Host& host, std::string_view client,
                                                std::string_view recipient_did, std::size_t max);
void remove_mail(Host& host, std::string_view client, std::string_view mail_id);
/// The client has it: removes it, unless it is held back and so cannot have been delivered.
void confirm_mail(Host& host, std::string_view client, std::string_view mail_id);

/// What the client may know of its mailbox: nothing of what is held back.
struct MailSummary {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  std::optional<Time> oldest;
  std::optional<Time> newest;
};
/// `recipient_did` empty: of all the client's mail.
[[nodiscard]] MailSummary mail_summary(Host& host, std::string_view client,
                                       std::string_view recipient_did);

/// Of all clients; a relay under limits::kMailHeldMax may hold more because a sender asks for it.
[[nodiscard]] std::size_t held_count(Host& host);
/// When the next held mail is due.
[[nodiscard]] std::optional<Time> next_release(Host& host);
/// Mail whose time has come, by client. Each is returned once.
[[nodiscard]] std::vector<std::pair<std::string, StoredMail>> release_mail(Host& host);
[[nodiscard]] MailboxState mailbox_state(Host& host, std::string_view client);
/// Drops mail older than the policy's mail_days from every mailbox.
void drop_old_mail(Host& host);

}  // namespace kith::protocol
