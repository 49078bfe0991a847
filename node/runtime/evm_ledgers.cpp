#include "node/runtime/evm_ledgers.hpp"

#include <utility>

#include "crypto/limits.hpp"
#include "node/runtime/system_clock.hpp"
#include "protocol/record.hpp"

namespace kith::node {

namespace evm = ledger::evm;

namespace {

struct ChainKey {
  PublicKey key;
  SealedKey sealed;
  template <class V>
  void visit(V& v) {
    v("key", key), v("sealed", sealed);
  }
};

protocol::RecordKey account_record() {
  return {"meta", "ledger-account"};
}

}  // namespace

EvmLedgers::EvmLedgers(boost::asio::io_context& io, HttpClient& client, protocol::Store& store,
                       crypto::KeyOps& keys, bool test_mode)
    : io_(io), client_(client), store_(store), keys_(keys), test_mode_(test_mode) {}

Result<evm::Signer> EvmLedgers::signer() {
  TRY(const auto stored, store_.get(account_record()));
  ChainKey own;
  if (stored) {
    TRY(own, protocol::decode_record<ChainKey>(*stored));
  } else {
    TRY(KeyPair made, keys_.generate(crypto::KeyType::secp256k1, KeyPurpose::chain));
    own = {std::move(made.public_key), std::move(made.sealed)};
    CHECK(store_.commit({{account_record(), protocol::encode_record(own)}}));
  }
  TRY(const evm::Account account, evm::account_of(own.key));
  return evm::Signer{account, [this, sealed = std::move(own.sealed)](ByteView hash) {
                       return keys_.sign_hash(sealed, hash);
                     }};
}

Result<JsonObject> EvmLedgers::account() {
  TRY(const evm::Signer own, signer());
  return JsonObject{{"account", evm::account_text(own.account)}};
}

Result<std::shared_ptr<evm::Session>> EvmLedgers::session(const std::string& url) {
  if (const auto found = sessions_.find(url); found != sessions_.end()) return found->second;
  TRY(evm::Location where, evm::Location::parse(url));
  TRY(evm::Signer own, signer());
  // Work under way keeps its own; what is forgotten is read from the chain.
  if (sessions_.size() >= limits::kLedgersPinned) sessions_.clear();
  auto made = std::make_shared<evm::Session>(std::move(where), std::move(own));
  sessions_.emplace(url, made);
  return made;
}

void EvmLedgers::perform(const protocol::Effect& effect, const std::string& url,
                         OnEffectResult submit) {
  auto shared = session(url);
  if (!shared.has_value()) return submit({effect.id, shared.error(), false});
  const evm::TaskContext context{ledger::anchor_time_ms(read_clocks().wall_ms), test_mode_};
  auto task = evm::task(effect, **shared, context);
  if (!task.has_value()) return submit({effect.id, task.error(), false});
  carry_task(io_, client_, std::move(*shared), std::move(*task), std::move(submit));
}

void EvmLedgers::deploy(const std::string& url, OnDeployed done) {
  struct Kept {
    evm::Session session;
    evm::Deploy job;
    explicit Kept(evm::Session made) : session(std::move(made)), job(session) {}
  };
  auto where = evm::Location::parse_chain(url);
  if (!where.has_value()) return done(where.error());
  auto own = signer();
  if (!own.has_value()) return done(own.error());
  const auto kept = std::make_shared<Kept>(evm::Session(std::move(*where), std::move(*own)));
  carry_job(io_, client_, kept->job, kept, [kept = kept.get(), done = std::move(done)] {
    const auto& made = kept->job.result();
    if (!made.has_value()) return done(made.error());
    evm::Location ledger = kept->session.where;
    ledger.contract = made->contract;
    ledger.from = made->block;
    done(JsonObject{{"account", evm::account_text(kept->session.signer->account)},
                    {"block", made->block},
                    {"contract", evm::account_text(made->contract)},
                    {"ledger", ledger.url()}});
  });
}

}  // namespace kith::node
