#include "ledger/entry.hpp"

#include <algorithm>

#include "crypto/assert.hpp"
#include "crypto/hash.hpp"
#include "ledger/entry_json.hpp"
#include "ledger/strict_json.hpp"
#include "protocol/time.hpp"

namespace kith::ledger {

namespace {

constexpr std::string_view kSignedPrefix = "kith-log-v1\n";
constexpr std::size_t kMultihashBytes = 34;
constexpr std::uint8_t kSha256Code = 0x12;
constexpr std::uint8_t kSha256Bytes = 0x20;

std::string replace_all(std::string text, std::string_view from, std::string_view to) {
  std::size_t at = 0;
  while ((at = text.find(from, at)) != std::string::npos) {
    text.replace(at, from.size(), to);
    at += to.size();
  }
  return text;
}

std::string unsigned_text(const Entry& entry) {
  return crypto::canonical_json(entry_json(entry, Signatures::left_out));
}

}  // namespace

std::string utc_text(AnchorTime time) {
  return protocol::utc_text(protocol::from_epoch_ms(to_ms(time)));
}

std::string_view kind_name(Kind kind) {
  switch (kind) {
    case Kind::did:
      return "did";
    case Kind::policy:
      return "policy";
    case Kind::pair:
      return "pair";
  }
  UNREACHABLE();
}

std::string_view op_name(Op op) {
  switch (op) {
    case Op::genesis:
      return "genesis";
    case Op::update:
      return "update";
    case Op::rotate:
      return "rotate";
    case Op::recover:
      return "recover";
    case Op::veto:
      return "veto";
    case Op::move:
      return "move";
    case Op::deactivate:
      return "deactivate";
  }
  UNREACHABLE();
}

Bytes entry_blob(const Entry& entry) {
  return crypto::to_bytes(crypto::canonical_json(entry_json(entry, Signatures::put_in)));
}

EntryDigest digest_of_blob(ByteView blob) {
  // Members are sorted, and none that comes before "sigs" holds free text: a quote in a string has
  // a backslash before it. Signatures are base58 text.
  constexpr std::string_view kBegin = ",\"sigs\":[";
  const std::string_view text = crypto::as_text(blob);
  const std::size_t begin = text.find(kBegin);
  ASSERT(begin != std::string_view::npos);
  const std::size_t end = text.find(']', begin);
  ASSERT(end != std::string_view::npos);
  std::string rest;
  rest.reserve(text.size());
  rest.append(text.substr(0, begin)).append(text.substr(end + 1));
  return crypto::sha256(crypto::as_bytes(rest));
}

std::string entry_hash(const EntryDigest& digest) {
  Bytes multihash{kSha256Code, kSha256Bytes};
  crypto::append(multihash, digest);
  return crypto::multibase(multihash);
}

std::string entry_hash(const Entry& entry) {
  return entry_hash(crypto::sha256(crypto::as_bytes(unsigned_text(entry))));
}

std::string entry_hash_in(ByteView blob) {
  return parse_entry(blob).has_value() ? entry_hash(digest_of_blob(blob)) : std::string();
}

std::vector<std::string> signers_of(const Entry& entry) {
  std::vector<std::string> signers;
  for (const EntrySignature& signature : entry.sigs) signers.push_back(signature.k);
  return signers;
}

std::string blob_hash(ByteView blob) {
  return crypto::multihash_sha256(blob);
}

Bytes signed_message(const EntryDigest& digest) {
  Bytes message = crypto::to_bytes(kSignedPrefix);
  crypto::append(message, digest);
  return message;
}

Bytes signed_message(const Entry& entry) {
  return signed_message(crypto::sha256(crypto::as_bytes(unsigned_text(entry))));
}

std::string compute_scid(const Entry& genesis) {
  std::string text = unsigned_text(genesis);
  const std::string scid =
      genesis.id.size() > kDidPrefix.size() ? genesis.id.substr(kDidPrefix.size()) : std::string();
  if (!scid.empty()) text = replace_all(std::move(text), scid, kScidPlaceholder);
  return crypto::multihash_sha256(crypto::as_bytes(text));
}

Result<Entry> fill_scid(const Entry& draft) {
  const std::string draft_id = std::string(kDidPrefix) + std::string(kScidPlaceholder);
  if (draft.op != Op::genesis || draft.id != draft_id || !draft.sigs.empty()) {
    return fail(Errc::malformed, "not an unsigned draft of a genesis entry");
  }
  const std::string scid = compute_scid(draft);
  const std::string text = replace_all(unsigned_text(draft), kScidPlaceholder, scid);
  TRY(const Json json, crypto::parse_json(text));
  TRY(Entry entry, entry_from_json(json, Signatures::left_out));
  // Member names that hold the placeholder would sort elsewhere now, and no reader could agree.
  if (compute_scid(entry) != scid) {
    return fail(Errc::malformed, "a member name holds the placeholder of the identifier");
  }
  return entry;
}

std::string key_digest(std::string_view multikey) {
  return crypto::multihash_sha256(crypto::as_bytes(multikey));
}

std::string recovery_digest(const Reveal& reveal) {
  return crypto::multihash_sha256(crypto::as_bytes(crypto::canonical_json(reveal_json(reveal))));
}

bool is_digest(std::string_view text) {
  const auto bytes = multibase_bytes(text, kMultihashBytes, "digest");
  return bytes.has_value() && (*bytes)[0] == kSha256Code && (*bytes)[1] == kSha256Bytes;
}

Result<PublicKey> signing_key(std::string_view multikey) {
  TRY(PublicKey key, crypto::from_multikey(multikey));
  if (key.type != KeyType::ed25519 && key.type != KeyType::secp256k1) {
    return fail(Errc::unsupported, "a key that cannot sign log entries");
  }
  if (crypto::multikey(key) != multikey) {
    return fail(Errc::malformed, "a key in another spelling than its Multikey");
  }
  return key;
}

}  // namespace kith::ledger
