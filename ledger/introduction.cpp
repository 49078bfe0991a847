#include "ledger/introduction.hpp"

#include "ledger/connection.hpp"
#include "ledger/log_store.hpp"

namespace kith::ledger {
namespace {

/// What an agent of `did` signs: that this log belongs to the one who speaks as `from` to `to`.
Bytes proof_statement(std::string_view did, const Did& from, const Did& to,
                      std::string_view thread) {
  const Json statement =
      JsonObject{{"did", did}, {"from", from.text()}, {"thread", thread}, {"to", to.text()}};
  return crypto::to_bytes("kith-connection-v1\n" + crypto::canonical_json(statement));
}

Result<void> check_proof(const LogView& view, const PairState& state, const Inbound& inbound,
                         const Introduction& intro) {
  const Bytes statement = proof_statement(view.subject, *inbound.info.sender, *inbound.info.own_did,
                                          inbound.message.thread());
  for (const PairAgent& agent : state.agents) {
    TRY(const PublicKey key, crypto::from_multikey(agent.auth));
    if (crypto::verify(key, statement, intro.proof).has_value()) return {};
  }
  return fail(Errc::bad_signature, "the sender did not prove that the log is theirs");
}

}  // namespace

Result<Introduction> introduce(Host& host, std::string_view my_did, const Message& message) {
  TRY(const PairState state, pair_state_of(host, my_did));
  Introduction intro;
  intro.label = load<Profile>(host, "meta", "profile").value_or(Profile{}).name;
  intro.log = log_blobs(host, my_did);
  protocol::OwnSecrets secrets(host);
  const auto key = secrets.find(std::string(my_did) + "#" + state.agents.front().auth);
  if (!key) return fail(Errc::not_found, "the keys of our own log are not here");
  TRY(intro.proof, host.keys().sign(*key, proof_statement(my_did, *message.from, message.to.front(),
                                                          message.thread())));
  return intro;
}

Result<std::string> take_peer_log(Host& host, const Inbound& inbound, const Introduction& intro) {
  if (intro.log.empty()) return fail(Errc::malformed, "the log is missing");
  if (intro.log.size() > limits::kSyncBlobsMax) {
    return fail(Errc::limit_exceeded, "too many log entries in one message");
  }
  TRY(const Entry genesis, parse_entry(intro.log.front()));
  if (genesis.kind != Kind::pair) {
    return fail(Errc::refused, "the log is not that of a relationship");
  }
  if (!log_blobs(host, genesis.id).empty()) {
    return fail(Errc::conflict, "the log belongs to another relationship");
  }
  for (const Bytes& blob : intro.log) {
    TRY(const LogView grown, append_checked(host, genesis.id, blob, host.now()));
  }
  TRY(const LogView view, stored_view(host, genesis.id));
  TRY(const PairState state, parse_pair_state(view.current.state));
  if (view.status != LogStatus::normal || state.status != PairStatus::active) {
    return fail(Errc::refused, "the log is disabled or contested");
  }
  CHECK(check_proof(view, state, inbound, intro));
  CHECK(refresh_document(host, view));
  return genesis.id;
}

}  // namespace kith::ledger
