#pragma once

/// Making an identity: at once what needs the passphrase, then the logs when the ledger's
/// descriptor has come. Between the two stands the record meta/identity-draft.

#include "ledger/identity.hpp"

namespace kith::ledger {

struct IdentityDraft {
  std::string name;
  std::string ledger_url;
  std::int64_t delay_seconds = 0;  ///< D and C of both logs.
  std::int64_t contest_seconds = 0;
  std::string effect;  ///< Open fetch of the descriptor.
  std::string error;   ///< Why the last fetch failed.
  Time created{};
  template <class V>
  void visit(V& v) {
    v("name", name), v("ledger_url", ledger_url), v("delay_seconds", delay_seconds);
    v("contest_seconds", contest_seconds), v("effect", effect), v("error", error);
    v("created", created);
  }
};

inline constexpr std::string_view kDescriptorContext = "descriptor";

[[nodiscard]] std::optional<IdentityDraft> identity_draft(Host& host);
/// Command identity-create.
[[nodiscard]] Result<JsonObject> create_identity(Host& host, const Command& command);
void take_descriptor(Host& host, const protocol::Effect& effect, const Result<Bytes>& outcome);
/// The wait after a failed fetch is over.
void fetch_again(Host& host);

}  // namespace kith::ledger
