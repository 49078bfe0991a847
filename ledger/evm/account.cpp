#include "ledger/evm/account.hpp"

#include <algorithm>

#include "crypto/ec_secp256k1.hpp"
#include "ledger/evm/rlp.hpp"

namespace kith::ledger::evm {

namespace {

Account last_20(const Hash& hash) {
  Account account{};
  std::copy(hash.end() - static_cast<std::ptrdiff_t>(account.size()), hash.end(), account.begin());
  return account;
}

char small_letter(char c) {
  return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

std::string account_text(const Account& account) {
  std::string digits = crypto::hex(account);
  const Hash hash = keccak256(crypto::as_bytes(digits));
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const unsigned byte = hash[i / 2];
    const unsigned nibble = (byte >> (i % 2 == 0 ? 4U : 0U)) & 0x0fU;
    const bool letter = digits[i] >= 'a';
    if (letter && nibble >= 8) digits[i] = static_cast<char>(digits[i] - 'a' + 'A');
  }
  return "0x" + digits;
}

Result<Account> parse_account(std::string_view text) {
  if (text.size() != 42 || !text.starts_with("0x")) {
    return fail(Errc::malformed, "an address on a chain is 0x and 40 digits");
  }
  const std::string_view digits = text.substr(2);
  std::string small(digits);
  std::ranges::transform(small, small.begin(), small_letter);
  TRY(const Bytes bytes, crypto::from_hex(small));
  Account account{};
  std::ranges::copy(bytes, account.begin());
  const bool one_case = std::ranges::none_of(digits, [](char c) { return c >= 'A' && c <= 'F'; }) ||
                        std::ranges::none_of(digits, [](char c) { return c >= 'a' && c <= 'f'; });
  if (!one_case && text != account_text(account)) {
    return fail(Errc::malformed, "the address on the chain has a wrong letter in it");
  }
  return account;
}

Result<Account> account_of(const PublicKey& key) {
  if (key.type != crypto::KeyType::secp256k1) {
    return fail(Errc::bad_key, "accounts on a chain have secp256k1 keys");
  }
  TRY(const Bytes point, crypto::secp256k1_uncompress(key.bytes));
  return last_20(keccak256(ByteView(point).subspan(1)));
}

Account contract_made_by(const Account& sender, std::uint64_t nonce) {
  return last_20(keccak256(RlpList().add(ByteView(sender)).add(nonce).bytes()));
}

}  // namespace kith::ledger::evm
