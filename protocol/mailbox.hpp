#pragma once

/// Mailboxes of a mediator: one per client, bounded, oldest first. Which DID's mail goes where:
/// mail_route.hpp.

#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/host.hpp"
#include "protocol/mediation_policy.hpp"

namespace kith::protocol {

struct Mail {
  Bytes envelope;
  std::string recipient_did;
  Time received{};
  Time held_until{};      ///< Nobody gets to see it before (relay delay).
  std::string pair = {};  ///< mail_pair of a sender who is known; empty: nobody says who it is.
  template <class V>
  void visit(V& v) {
    v("envelope", envelope), v("recipient_did", recipient_did), v("received", received),
        v("held_until", held_until), v("pair", pair);
  }
};

/// Stands for sender and recipient: a digest, so that a mailbox does not list who writes to whom.
[[nodiscard]] std::string mail_pair(std::string_view sender, std::string_view recipient_did);

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

[[nodiscard]] MailboxState mailbox_state(Host& host, std::string_view client);
void save_mailbox_state(Host& host, std::string_view client, const MailboxState& state);
/// What the policy counts of one client.
[[nodiscard]] MailUse use_of(const MailboxState& state);

struct StoredMail {
  std::string id;
  Mail mail;
};
/// Returns the mail as stored. Errors: limit_exceeded (limits::kMailBytesMax), storage_full (a
/// quota of `policy`, the one in force, or limits::kMailPerPairMax of that pair wait).
[[nodiscard]] Result<StoredMail> put_mail(Host& host, const MediationPolicy& policy,
                                          std::string_view client, Mail mail);
[[nodiscard]] Result<StoredMail> put_mail(Host& host, std::string_view client, Mail mail);
/// Oldest first, without what is held; `recipient_did` empty: all of the client's.
[[nodiscard]] std::vector<StoredMail> read_mail(Host& host, std::string_view client,
                                                std::string_view recipient_did, std::size_t max);
void remove_mail(Host& host, std::string_view client, std::string_view mail_id);
/// The client has these: removes them, but not what is held back and so cannot have been delivered.
void confirm_mail(Host& host, std::string_view client, std::span<const std::string> mail_ids);

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
/// Moves mail for `dids` to the end of another client's mailbox, oldest first, and returns how much
/// it was. What was accepted is never dropped, so the new mailbox may be over its quota then.
std::uint64_t move_mail(Host& host, std::string_view from, std::string_view to,
                        const std::set<std::string>& dids);
/// Drops registrations and mail of a client.
void drop_mailbox(Host& host, std::string_view client);
/// Drops mail older than the policy's mail_days from every mailbox.
void drop_old_mail(Host& host);

}  // namespace kith::protocol
