#pragma once

/// How `kith run` is to run.

#include <string>

#include "node/cli/args.hpp"
#include "node/runtime/runtime.hpp"

namespace kith::node {

/// kith.toml of the home in `directory` (or the file that --config names), then the flags.
/// Errors: usage, those of apply_config_file.
[[nodiscard]] Result<RuntimeOptions> run_options(const Invocation& invocation,
                                                 const std::string& directory);

}  // namespace kith::node
