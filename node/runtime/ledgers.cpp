#include "node/runtime/ledgers.hpp"

#include "ledger/embedded/leveldb_ledger.hpp"
#include "protocol/record.hpp"

namespace kith::node {
namespace {

constexpr std::string_view kScheme = "leveldb:";

struct LedgerHost {
  std::string url;
  std::string origin;
  PublicKey key;
  SealedKey sealed_key;  ///< Signs checkpoints.
  template <class V>
  void visit(V& v) {
    v("url", url), v("origin", origin), v("key", key), v("sealed_key", sealed_key);
  }
};

}  // namespace

HomeLedger::HomeLedger(std::string default_directory, protocol::Store& store, crypto::KeyOps& keys,
                       Random& random, bool test_mode)
    : default_directory_(std::move(default_directory)),
      store_(store),
      keys_(keys),
      random_(random),
      test_mode_(test_mode) {}

HomeLedger::~HomeLedger() = default;

std::optional<Error> HomeLedger::failure() const {
  return ledger_ ? ledger_->failure() : std::nullopt;
}

bool HomeLedger::is_local(std::string_view ledger_url) {
  return ledger_url.starts_with(kScheme);
}

Result<ledger::TreeLedger*> HomeLedger::open(std::string_view ledger_url) {
  if (ledger_ && ledger_url == open_url_) return ledger_.get();
  TRY(const auto stored, store_.get({"meta", "ledger-host"}));
  LedgerHost host;
  if (stored) {
    TRY(host, protocol::decode_record<LedgerHost>(*stored));
    if (host.url != ledger_url) {
      return fail(Errc::refused,
                  "this home keeps its ledger in " + host.url.substr(kScheme.size()));
    }
  } else {
    TRY(const auto pair, keys_.generate(KeyType::ed25519, KeyPurpose::ledger));
    host = {std::string(ledger_url), "kith.home/" + crypto::hex(random_.bytes(16)), pair.public_key,
            pair.sealed};
    CHECK(store_.commit({{{"meta", "ledger-host"}, protocol::encode_record(host)}}));
  }
  ledger::LevelDbLedgerOptions options;
  options.directory = std::string(ledger_url.substr(kScheme.size()));
  options.descriptor.kind = "leveldb";
  options.descriptor.origin = host.origin;
  options.descriptor.key = host.key;
  options.test_mode = test_mode_;
  TRY(ledger_, ledger::LevelDbLedger::open(options));
  open_url_ = ledger_url;
  checkpoint_key_ = host.sealed_key;
  return ledger_.get();
}

ledger::LedgerProver::Sign HomeLedger::checkpoint_signer() {
  return [this](ByteView message) { return keys_.sign(checkpoint_key_, message); };
}

}  // namespace kith::node
