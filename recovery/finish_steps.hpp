#pragma once

/// What the two rooms of the finish job share, and super_use.cpp with them: finish_begin.cpp
/// restores and signs, finish.cpp walks the steps. Internal to them (finish.hpp is the contract).

#include <optional>
#include <string>

#include "crypto/json.hpp"
#include "protocol/contact.hpp"
#include "recovery/finish.hpp"

namespace kith::recovery {

/// What a person does who has no mediator.
inline constexpr const char* kRegisterAnew = "register with a mediator: kith accept http://ADDRESS";

void save_finish_job(Host& host, const FinishJob& job);
void go_to(FinishJob& job, FinishStep step);
/// What the logs become: the policy names this device alone, and every rule asks for one; the
/// public document has fresh keys of this device, and keeps its services.
[[nodiscard]] Result<Json> new_policy_state(const PublicKey& agent, const Json& before);
[[nodiscard]] Result<Json> new_document(Host& host, const std::string& did, const Json& before);
/// The mediator that mail and backups go to now.
[[nodiscard]] std::optional<Contact> own_mediator(Host& host);
/// Everything that was planned counts in the log as it is known now, and no recover is pending;
/// else `problem` says why not.
[[nodiscard]] bool in_force(Host& host, const std::string& subject, const FinishJob& job,
                            std::string& problem);

}  // namespace kith::recovery
