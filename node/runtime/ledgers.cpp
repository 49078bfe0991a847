#include "node/runtime/ledgers.hpp"

#include <filesystem>

#include "crypto/limits.hpp"
#include "ledger/embedded/leveldb_ledger.hpp"
#include "protocol/record.hpp"

namespace kith::node {
namespace {

struct LedgerHost {
  std::string url;      ///< Its name in records, where it was made; the home may have moved since.
  bool inside = false;  ///< It lies in the home, at the place that is usual there.
  std::string origin;
  PublicKey key;
  SealedKey sealed_key;  ///< Signs checkpoints.
  template <class V>
  void visit(V& v) {
    v("url", url), v("inside", inside), v("origin", origin), v("key", key),
        v("sealed_key", sealed_key);
  }
};

std::string directory_in(std::string_view url) {
  return std::string(url.substr(ledger::kHomeLedgerScheme.size()));
}

bool is_there(const std::string& directory) {
  std::error_code error;
  return std::filesystem::exists(directory, error);
}

}  // namespace

Result<HomeWitnesses> home_witnesses(const std::vector<std::string>& lines, std::int64_t needed) {
  HomeWitnesses witnesses;
  const auto unusable = [](const std::string& what) {
    return fail(Errc::usage, "ledger.witnesses: " + what);
  };
  for (const std::string& line : lines) {
    auto address = ledger::parse_witness_address(line);
    if (!address.has_value()) return unusable(address.error().detail + ": " + line);
    for (const ledger::WitnessAddress& other : witnesses.addresses) {
      if (other.key == address->key) return unusable("a witness is named twice");
    }
    witnesses.addresses.push_back(std::move(*address));
  }
  if (witnesses.addresses.size() > limits::kLedgerWitnessesMax) return unusable("too many");
  if (needed > static_cast<std::int64_t>(lines.size())) {
    return fail(Errc::usage, "ledger.witnesses_needed: more than there are witnesses");
  }
  if (!lines.empty()) {
    witnesses.needed =
        needed == 0 ? ledger::usual_quorum(lines.size()) : static_cast<std::uint32_t>(needed);
  }
  return witnesses;
}

HomeLedger::HomeLedger(std::string default_directory, protocol::Store& store, crypto::KeyOps& keys,
                       Random& random, bool test_mode, HomeWitnesses witnesses)
    : default_directory_(std::move(default_directory)),
      store_(store),
      keys_(keys),
      random_(random),
      test_mode_(test_mode),
      witnesses_(std::move(witnesses)) {}

HomeLedger::~HomeLedger() = default;

std::optional<Error> HomeLedger::failure() const {
  return ledger_ ? ledger_->failure() : std::nullopt;
}

bool HomeLedger::is_local(std::string_view ledger_url) {
  return ledger::is_home_ledger(ledger_url);
}

Result<std::optional<std::string>> HomeLedger::made_url() {
  TRY(const auto stored, store_.get({"meta", "ledger-host"}));
  if (!stored) return std::optional<std::string>();
  TRY(LedgerHost host, protocol::decode_record<LedgerHost>(*stored));
  return std::optional<std::string>(host.inside ? default_url() : std::move(host.url));
}

Result<ledger::TreeLedger*> HomeLedger::open(std::string_view ledger_url) {
  if (ledger_ && (ledger_url == open_url_ || ledger_url == name_)) return ledger_.get();
  TRY(const auto stored, store_.get({"meta", "ledger-host"}));
  LedgerHost host;
  if (stored) {
    TRY(host, protocol::decode_record<LedgerHost>(*stored));
    // Before, records did not say; a home that was moved then has it here and not there.
    const bool moved = !is_there(directory_in(host.url)) && is_there(default_directory_);
    const bool inside = host.inside || host.url == default_url() || moved;
    if (host.url != ledger_url && !(inside && ledger_url == default_url())) {
      return fail(Errc::refused, "this home keeps its ledger in " +
                                     (inside ? default_directory_ : directory_in(host.url)));
    }
    if (inside != host.inside) {
      host.inside = inside;
      CHECK(store_.commit({{{"meta", "ledger-host"}, protocol::encode_record(host)}}));
    }
  } else {
    TRY(const auto pair, keys_.generate(KeyType::ed25519, KeyPurpose::ledger));
    host = {std::string(ledger_url), ledger_url == default_url(),
            "kith.home/" + crypto::hex(random_.bytes(16)), pair.public_key, pair.sealed};
    CHECK(store_.commit({{{"meta", "ledger-host"}, protocol::encode_record(host)}}));
  }
  ledger::LevelDbLedgerOptions options;
  options.directory = host.inside ? default_directory_ : directory_in(host.url);
  options.descriptor.kind = "leveldb";
  options.descriptor.origin = host.origin;
  options.descriptor.key = host.key;
  for (const ledger::WitnessAddress& witness : witnesses_.addresses) {
    options.descriptor.witnesses.push_back(witness.key);
  }
  options.descriptor.w = witnesses_.needed;
  options.any_witnesses = witnesses_.addresses.empty();
  options.test_mode = test_mode_;
  TRY(ledger_, ledger::LevelDbLedger::open(options));
  open_url_ = host.inside ? default_url() : host.url;
  name_ = host.url;
  checkpoint_key_ = host.sealed_key;
  return ledger_.get();
}

ledger::LedgerProver::Sign HomeLedger::checkpoint_signer() {
  return [this](ByteView message) { return keys_.sign(checkpoint_key_, message); };
}

}  // namespace kith::node
