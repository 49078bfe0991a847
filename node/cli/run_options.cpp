#include "node/cli/run_options.hpp"

#include <algorithm>

#include "node/runtime/config_file.hpp"

namespace kith::node {
namespace {

/// A number from a flag, in the range of the option in kith.toml.
Result<void> take_number(const Invocation& invocation, std::string_view flag,
                         RuntimeOptions& options) {
  if (!invocation.has(flag)) return {};
  const ConfigOption& option = *std::ranges::find(config_options(), flag, &ConfigOption::flag);
  const std::int64_t given = invocation.number(flag);
  if (given < option.least || given > option.most) {
    std::string range(flag);
    range.append(" must be from ").append(std::to_string(option.least));
    range.append(" to ").append(std::to_string(option.most));
    return fail(Errc::usage, std::move(range));
  }
  option.set(options, ConfigValue(given));
  return {};
}

}  // namespace

Result<RuntimeOptions> run_options(const Invocation& invocation, const std::string& directory) {
  RuntimeOptions options;
  const bool named = invocation.has("--config");
  CHECK(apply_config_file(named ? invocation.value("--config") : directory + "/kith.toml", !named,
                          options));
  const auto take = [&](const char* flag, std::string& option) {
    if (invocation.has(flag)) option = invocation.value(flag);
  };
  take("--listen", options.listen);
  take("--public-url", options.public_url);
  take("--metrics-listen", options.metrics_listen);
  take("--tls-cert", options.tls_certificate);
  take("--tls-key", options.tls_key);
  take("--tls-ca", options.tls_ca);
  take("--ledger-login", options.ledger_login);
  CHECK(take_number(invocation, "--relay-delay-ms", options));
  take("--replica-of", options.ledger_replica_of);
  options.mediate = options.mediate || invocation.has("--mediate");
  options.ledger_serve = options.ledger_serve || invocation.has("--ledger-serve") ||
                         invocation.spec->special == Special::ledger_serve;
  options.witness = options.witness || invocation.has("--witness");
  options.private_network = options.private_network || invocation.has("--private-network");
  CHECK(check_outlets(options.outlets));
  return options;
}

}  // namespace kith::node
