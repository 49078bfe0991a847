#include "ledger/evm/location.hpp"

#include "crypto/assert.hpp"
#include "crypto/json.hpp"
#include "crypto/limits.hpp"
#include "ledger/evm/limits.hpp"
#include "ledger/host_port.hpp"

namespace kith::ledger::evm {

namespace {

constexpr std::string_view kPlainScheme = "evm://";
constexpr std::string_view kSecureScheme = "evms://";
constexpr std::string_view kRpcPort = ":8545";
constexpr std::string_view kConfirmations = "confirmations=";
constexpr std::string_view kFrom = "from=";

Result<std::uint64_t> decimal(std::string_view text, std::string_view what, std::uint64_t max) {
  std::uint64_t number = 0;
  bool good = !text.empty() && text.size() <= 16 && (text.size() == 1 || text.front() != '0');
  for (const char c : text) {
    good = good && c >= '0' && c <= '9';
    if (good) number = number * 10 + static_cast<std::uint64_t>(c - '0');
  }
  if (!good || number > max) {
    return fail(Errc::bad_url, "the " + std::string(what) + " in a ledger's address is no number");
  }
  return number;
}

Result<void> read_query(Location& location, std::string_view query) {
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view part = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (part.starts_with(kConfirmations) && !location.confirmations) {
      TRY(location.confirmations, decimal(part.substr(kConfirmations.size()), "confirmations",
                                          evm_limits::kConfirmationsMax));
    } else if (part.starts_with(kFrom) && location.from == 0) {
      TRY(location.from, decimal(part.substr(kFrom.size()), "first block",
                                 (std::uint64_t{1} << evm_limits::kPositionBlockBits) - 1));
    } else {
      return fail(Errc::bad_url, "a ledger's address ends in ?confirmations=K and &from=BLOCK");
    }
  }
  return {};
}

}  // namespace

bool is_url(std::string_view url) {
  return url.starts_with("evm:") || url.starts_with("evms:");
}

Result<Location> Location::parse_chain(std::string_view url) {
  if (url.size() > limits::kHttpUrlCharsMax) return fail(Errc::bad_url, "the address is too long");
  Location location;
  location.secure = url.starts_with(kSecureScheme);
  if (!location.secure && !url.starts_with(kPlainScheme)) {
    return fail(Errc::bad_url, "the address of a chain begins with evm:// or evms://");
  }
  url.remove_prefix(location.secure ? kSecureScheme.size() : kPlainScheme.size());
  if (url.find('@') != std::string_view::npos) {
    return fail(Errc::bad_url, "names and passwords do not belong in addresses");
  }
  const std::size_t mark = std::min(url.find('?'), url.size());
  if (mark < url.size()) CHECK(read_query(location, url.substr(mark + 1)));
  url = url.substr(0, mark);
  const std::size_t slash = std::min(url.find('/'), url.size());
  TRY(location.server, host_with_port(url.substr(0, slash), kRpcPort));
  url.remove_prefix(std::min(slash + 1, url.size()));
  const std::size_t second = std::min(url.find('/'), url.size());
  TRY(location.chain,
      decimal(url.substr(0, second), "chain", static_cast<std::uint64_t>(crypto::kJsonIntegerMax)));
  if (second == url.size()) return location;
  const auto contract = parse_account(url.substr(second + 1));
  if (!contract.has_value()) return fail(Errc::bad_url, contract.error().detail);
  location.contract = *contract;
  return location;
}

Result<Location> Location::parse(std::string_view url) {
  TRY(Location location, parse_chain(url));
  if (!location.contract) {
    return fail(Errc::bad_url,
                "the address names no contract (evm://HOST/CHAIN/0x...); `kith ledger deploy` "
                "makes one");
  }
  return location;
}

std::string Location::url() const {
  std::string text(secure ? kSecureScheme : kPlainScheme);
  text += server + "/" + std::to_string(chain);
  if (contract) text += "/" + account_text(*contract);
  if (confirmations) text += "?" + std::string(kConfirmations) + std::to_string(*confirmations);
  if (from != 0) text += (confirmations ? "&" : "?") + std::string(kFrom) + std::to_string(from);
  return text;
}

std::string Location::rpc_url() const {
  return (secure ? "https://" : "http://") + server + "/";
}

std::string Location::origin() const {
  ASSERT(contract.has_value());
  return "kith.evm/" + std::to_string(chain) + "/" + account_text(*contract) + "/" +
         (confirmations ? std::to_string(*confirmations) : "finalized");
}

}  // namespace kith::ledger::evm
