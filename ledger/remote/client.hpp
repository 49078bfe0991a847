#pragma once

/// The asking side of a ledger over HTTP (http.hpp): builds questions and checks answers. A host is
/// not trusted: sizes are bounded, subjects must be the one asked for, positions must increase and
/// times must not run back, and pages must come with proofs. Whether these hold is judged by
/// light_client.hpp, whether entries count by the log reader.
///
/// Errors of the readers: unreachable and timeout (worth another try: 5xx, 429),
/// ledger_not_witnessed (the host says so), malformed and limit_exceeded (the host breaks the
/// protocol), and what the host refused (invalid_entry, limit_exceeded, unsupported, ...).

#include <string>
#include <string_view>

#include "ledger/ledger.hpp"
#include "ledger/remote/http.hpp"
#include "ledger/remote/page_json.hpp"

namespace kith::ledger {

class LedgerClient {
 public:
  /// Errors: bad_url (not http or https, or with query or fragment).
  [[nodiscard]] static Result<LedgerClient> at(std::string_view base_url);

  [[nodiscard]] HttpQuestion ask_descriptor() const;
  [[nodiscard]] static Result<LedgerDescriptor> read_descriptor(const HttpReply& reply);

  [[nodiscard]] HttpQuestion ask_append(const AppendRequest& request) const;
  /// 503 and the like give UnknownOutcome, with its code where too few witnesses have signed. The
  /// receipt of what was appended is unread.
  struct AppendReply {
    AppendOutcome outcome;
    std::string receipt;
  };
  [[nodiscard]] static Result<AppendReply> read_append(const HttpReply& reply);

  /// `seen`: size of the newest checkpoint that the reader trusts, 0 if none.
  [[nodiscard]] HttpQuestion ask_read(std::string_view subject, std::uint64_t from,
                                      std::uint64_t seen) const;
  [[nodiscard]] static Result<ProvenPage> read_page(std::string_view subject, std::uint64_t from,
                                                    const HttpReply& reply);

  [[nodiscard]] HttpQuestion ask_follow(std::uint64_t position, std::size_t max,
                                        std::uint64_t seen) const;
  [[nodiscard]] static Result<ProvenPage> read_follow(std::uint64_t position, std::size_t max,
                                                      const HttpReply& reply);

 private:
  explicit LedgerClient(std::string base) : base_(std::move(base)) {}
  std::string base_;  ///< Without a slash at the end.
};

}  // namespace kith::ledger
