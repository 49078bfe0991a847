#pragma once

/// Whom a mediator serves and how much it keeps for them: plain data from the operator's
/// configuration, decided upon here. Nothing in this file knows a network.
///
/// The policy in force is record meta/mediation-policy, written at each start; a home without one
/// has the defaults. What is stored in all is record meta/mail-total.

#include <string>
#include <string_view>
#include <vector>

#include "crypto/limits.hpp"
#include "protocol/host.hpp"

namespace kith::protocol {

/// Who may become a client. Stored: never renumber.
enum class Admission : std::uint8_t {
  open = 1,        ///< Everybody.
  invited = 2,     ///< Who answered an invitation that the operator made for one client.
  allow_list = 3,  ///< Whose DID the operator wrote down.
};
constexpr bool is_valid(Admission admission) {
  return admission >= Admission::open && admission <= Admission::allow_list;
}

struct MailQuota {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  std::uint64_t dids = 0;
  bool operator==(const MailQuota&) const = default;
  template <class V>
  void visit(V& v) {
    v("messages", messages), v("bytes", bytes), v("dids", dids);
  }
};

struct MediationPolicy {
  Admission admission = Admission::open;
  std::vector<std::string> allowed;  ///< For allow_list: DIDs that clients write from.
  MailQuota client{limits::kMailboxMessagesMax, limits::kMailboxBytesMax,
                   limits::kMailboxRecipientsMax};
  /// Of all clients together: a disk of 16 GiB, used by about a thousand of them.
  MailQuota total{1'000'000, std::uint64_t{8} << 30U, 500'000};
  std::uint64_t clients_max = 10'000;
  std::int64_t mail_days =
      std::chrono::duration_cast<std::chrono::hours>(limits::kMailLife).count() / 24;
  /// A fresh forward round all mail, addressed to its receiver (routing 2.0, "Rewrapping").
  bool rewrap = false;
  /// All mail waits a random time up to this, in ms, besides what its sender asks for.
  std::int64_t relay_delay_ms = 0;
  bool require_proof = false;  ///< New DIDs only with proof (recipient_proof.hpp).
  Time since{};                ///< Since when `admission` is in force; set by keep_policy.
  template <class V>
  void visit(V& v) {
    v("admission", admission), v("allowed", allowed), v("client", client), v("total", total),
        v("clients_max", clients_max), v("mail_days", mail_days), v("rewrap", rewrap),
        v("relay_delay_ms", relay_delay_ms), v("require_proof", require_proof), v("since", since);
  }
};

/// What is stored, for one client or for all.
struct MailUse {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  std::uint64_t dids = 0;
  std::uint64_t clients = 0;  ///< Of all: to whom mediation was granted.
  template <class V>
  void visit(V& v) {
    v("messages", messages), v("bytes", bytes), v("dids", dids), v("clients", clients);
  }
};

/// Who asks for mediation.
struct Applicant {
  std::string did;
  bool granted = false;  ///< Was granted mediation before.
  bool invited = false;  ///< Became a contact while only invitations of the operator were open.
};

/// Errors, each with a sentence for the applicant: refused (not one of those whom the mediator
/// serves), storage_full (too many clients already).
[[nodiscard]] Result<void> may_enter(const MediationPolicy& policy, const Applicant& applicant,
                                     const MailUse& total);
/// A client whom the operator took off the list gets no new mail; it may fetch what it has.
[[nodiscard]] bool still_served(const MediationPolicy& policy, std::string_view client_did);
/// Errors: storage_full.
[[nodiscard]] Result<void> may_store(const MediationPolicy& policy, const MailUse& client,
                                     const MailUse& total, std::uint64_t bytes);
/// Errors: limit_exceeded (the client's share), storage_full (of all).
[[nodiscard]] Result<void> may_register(const MediationPolicy& policy, const MailUse& client,
                                        const MailUse& total);

[[nodiscard]] MediationPolicy policy_of(Host& host);
/// Puts `policy` in force; a new kind of admission counts from now.
void keep_policy(Host& host, MediationPolicy policy);

[[nodiscard]] MailUse total_use(Host& host);
void save_total_use(Host& host, const MailUse& use);

}  // namespace kith::protocol
