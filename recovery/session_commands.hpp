#pragma once

/// Commands of the module "trustee-sessions"; documented in trustee_session.hpp.

#include "protocol/host.hpp"

namespace kith::recovery {

[[nodiscard]] Result<JsonObject> invite_device(Host& host, const JsonObject& args);
[[nodiscard]] Result<JsonObject> approve_by_user(Host& host, const JsonObject& args);
[[nodiscard]] Result<JsonObject> confirm_by_user(Host& host, const JsonObject& args);

}  // namespace kith::recovery
