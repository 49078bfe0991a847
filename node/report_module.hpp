#pragma once

/// Module "reports": who may do what, and whether its owner looks at that from time to time.
///
/// Commands (arguments -> reply; `!` needs the passphrase):
///   report-roles   {} -> {people: [{id, name, person, roles: [text]}], flags: [{person, roles,
///   why}]} report-access  {} -> {access: [{id, name, role, may}], digest, review?: {at, due,
///   overdue,
///                  unchanged, signed, by?}}
///                  `unchanged`: what was reviewed is what there is now. `signed`: the review's
///                  signature holds; false where there was no identity to sign with
///   report-review! {days?} -> as report-access: the owner has looked at all of it, and will again
///                  within so many days (kReviewDays if not given, kReviewDaysMax at most). Errors:
///                  usage, step_up_required
///   reader-refused {command} -> {}: the shell tells that a reader (reader_role.hpp) asked for what
///   it
///                  may not have; the audit log gets reader.refused {command}, once a day for each
///
/// A review is a statement over the digest of what report-access shows, signed by this device's key
/// in the policy, and an entry report.reviewed {digest, due} of the audit log. When it is due, a
/// notice says so, and again every kRemindDays; kFirstReviewDays after the first start too, when
/// there was none.

#include <string>
#include <vector>

#include "protocol/module.hpp"

namespace kith::node {

inline constexpr std::int64_t kReviewDays = 90;
inline constexpr std::int64_t kReviewDaysMax = 400;
inline constexpr std::int64_t kFirstReviewDays = 30;
inline constexpr std::int64_t kRemindDays = 14;

/// Record meta/access-review: the newest.
struct AccessReview {
  std::string digest;  ///< SHA-256 in hex of what was shown, as canonical JSON.
  Time at{};
  Time due{};
  std::string agent;  ///< Multikey of who signed; empty: nobody.
  Bytes signature;    ///< Over "kith-access-review-v1\n" and canonical JSON {agent,at,digest,due}.
  template <class V>
  void visit(V& v) {
    v("digest", digest), v("at", at), v("due", due), v("agent", agent), v("signature", signature);
  }
};
[[nodiscard]] std::optional<AccessReview> access_review(Host& host);
/// Errors: of parse_multikey and verify; wrong_state (nobody signed).
[[nodiscard]] Result<void> check_review(const AccessReview& review);

class ReportModule final : public Module {
 public:
  std::string_view name() const override { return "reports"; }
  std::vector<std::string> commands() const override {
    return {"report-roles", "report-access", "report-review", "reader-refused"};
  }
  bool only_reads(std::string_view what) const override {
    return what != "report-review";  // Repeating a refusal does no harm.
  }
  Result<JsonObject> on_command(Host& host, const Command& command) override;
  void on_start(Host& host) override;
  void on_timer(Host& host, std::string_view timer) override;
};

}  // namespace kith::node
