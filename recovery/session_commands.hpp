#pragma once

/// Commands of the module "trustee-sessions"; documented in trustee_session.hpp.

#include <string_view>

#include "protocol/host.hpp"

namespace kith::recovery {

/// How the user made sure of the person: "in-person", "video" or "voice". Errors: usage, refused (a
/// text or an e-mail).
[[nodiscard]] Result<void> check_verified(std::string_view verified);

[[nodiscard]] Result<JsonObject> invite_device(Host& host, const JsonObject& args);
[[nodiscard]] Result<JsonObject> approve_by_user(Host& host, const JsonObject& args);
[[nodiscard]] Result<JsonObject> confirm_by_user(Host& host, const JsonObject& args);

}  // namespace kith::recovery
