#pragma once

/// What each side of a handshake shows of itself: its name, its log, and a proof that the log
/// belongs to the one who speaks. Body of the messages request and response (connection.hpp).

#include <string>
#include <string_view>
#include <vector>

#include "protocol/module.hpp"

namespace kith::ledger {

struct Introduction {
  std::string label;
  std::vector<Bytes> log;
  Bytes proof;
  template <class V>
  void visit(V& v) {
    v("label", label), v("log", log), v("proof", proof);
  }
};

/// Our own towards the receiver of `message`, whose sender, receiver and thread are proved with it.
/// Errors: not_found (the log's keys are not here), those of stored_view.
[[nodiscard]] Result<Introduction> introduce(Host& host, std::string_view my_did,
                                             const Message& message);

/// Judges and keeps the log that came with a request or response; returns its DID. Errors:
/// malformed, limit_exceeded, conflict (a log that is known already), invalid_entry,
/// bad_signature, refused.
[[nodiscard]] Result<std::string> take_peer_log(Host& host, const Inbound& inbound,
                                                const Introduction& intro);

}  // namespace kith::ledger
