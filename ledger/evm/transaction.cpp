#include "ledger/evm/transaction.hpp"

#include "ledger/evm/rlp.hpp"

namespace kith::ledger::evm {

namespace {

constexpr std::uint8_t kType = 2;
constexpr std::size_t kRecoverableBytes = 65;

RlpList fields(const Transaction& transaction) {
  RlpList list;
  list.add(transaction.chain).add(transaction.nonce).add(transaction.tip);
  list.add(transaction.fee_max).add(transaction.gas);
  list.add(transaction.to ? ByteView(*transaction.to) : ByteView());
  list.add(transaction.value).add(ByteView(transaction.input));
  list.add_empty_list();  // No list of what it will touch (EIP-2930).
  return list;
}

Bytes typed(const RlpList& list) {
  Bytes bytes{kType};
  crypto::append(bytes, list.bytes());
  return bytes;
}

}  // namespace

Hash signing_hash(const Transaction& transaction) {
  return keccak256(typed(fields(transaction)));
}

Result<SignedTransaction> sign(const Transaction& transaction, const Signer& signer) {
  TRY(const Bytes signature, signer.sign(signing_hash(transaction)));
  if (signature.size() != kRecoverableBytes || signature.back() > 1) {
    return fail(Errc::bad_signature, "a transaction's signature has 65 bytes");
  }
  RlpList list = fields(transaction);
  list.add(std::uint64_t{signature.back()});
  list.add_number(ByteView(signature).first(32)).add_number(ByteView(signature).subspan(32, 32));
  SignedTransaction made;
  made.raw = typed(list);
  made.hash = keccak256(made.raw);
  return made;
}

}  // namespace kith::ledger::evm
