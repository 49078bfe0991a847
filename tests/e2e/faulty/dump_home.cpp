/// kith-dump-home HOME PASSPHRASE_FILE|- COLLECTION...: all records of these collections, opened,
/// one JSON document a line: {"collection", "id", "fields": {"path": "hex of the value"}}. For the
/// search for values that two homes share; never installed. The node must be stopped.
///
/// kith-dump-home HOME PASSPHRASE_FILE|- --keys: what must be in no memory but the key process's,
/// one JSON document a line: {"what", "value": "hex"}: the root, the keys that seal, every private
/// key and share of this device; and as a control "record keys", which the node has.

#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "crypto/bytes.hpp"
#include "crypto/hash.hpp"
#include "crypto/json.hpp"
#include "crypto/random.hpp"
#include "crypto/record_keys.hpp"
#include "crypto/sealed_blob.hpp"
#include "crypto/secret_bytes.hpp"
#include "crypto/software_keys.hpp"
#include "node/storage/home.hpp"
#include "node/storage/leveldb_store.hpp"
#include "protocol/value.hpp"

namespace kith::e2e {
namespace {

using protocol::Value;

void flatten(const std::string& path, const Value& value, JsonObject& fields) {
  if (const auto* map = value.map()) {
    for (const auto& [name, member] : *map) flatten(path + "/" + name, member, fields);
  } else if (const auto* list = value.list()) {
    std::size_t index = 0;
    for (const Value& item : *list) flatten(path + "/" + std::to_string(index++), item, fields);
  } else if (const auto* bytes = std::get_if<Bytes>(&value.data)) {
    fields[path] = crypto::hex(*bytes);
  } else if (const auto* text = std::get_if<std::string>(&value.data)) {
    fields[path] = crypto::hex(crypto::to_bytes(std::string_view(*text)));
  } else if (const auto* number = std::get_if<std::int64_t>(&value.data)) {
    fields[path] = *number;
  }
}

Result<SecretBytes> read_passphrase(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) return fail(Errc::io, path);
  SecretBytes secret = SecretBytes::copy_of(crypto::to_bytes(std::string_view(line)));
  crypto::wipe(line);
  return secret;
}

void say_secret(const std::string& what, ByteView value) {
  std::cout << crypto::json_text(JsonObject{{"what", what}, {"value", crypto::hex(value)}}) << "\n";
}

/// Whatever in `value` opens under one of the keys that seal.
void say_sealed(const std::string& path, const Value& value, const SecretBytes& key_key,
                const SecretBytes& share_key) {
  namespace blob = crypto::sealed_blob;
  if (const auto* map = value.map()) {
    for (const auto& [name, member] : *map) {
      say_sealed(path + "/" + name, member, key_key, share_key);
    }
  } else if (const auto* list = value.list()) {
    for (const Value& item : *list) say_sealed(path, item, key_key, share_key);
  } else if (const auto* bytes = std::get_if<Bytes>(&value.data)) {
    const auto key = blob::open(key_key, blob::kVersion, crypto::as_bytes(blob::kKeyLabel), *bytes);
    // Type and purpose stand before the private part.
    if (key.has_value()) say_secret(path, key->expose().subspan(2, blob::kKeyBytes));
    const auto share =
        blob::open(share_key, blob::kVersion, crypto::as_bytes(blob::kShareLabel), *bytes);
    if (share.has_value()) say_secret(path, share->expose());
  }
}

Result<void> dump_keys(const SecretBytes& root, protocol::Store& store) {
  const auto derived = [&](std::string_view label) {
    return crypto::hkdf_sha256(root.expose(), {}, crypto::as_bytes(label), root.size());
  };
  const SecretBytes key_key = derived(crypto::sealed_blob::kKeyLabel);
  const SecretBytes share_key = derived(crypto::sealed_blob::kShareLabel);
  say_secret("root", root.expose());
  say_secret("key of keys", key_key.expose());
  say_secret("key of shares", share_key.expose());
  say_secret("record keys", crypto::RecordKeys::of_root(root).both().expose());
  for (const std::string collection : {"own-key", "log-key", "session-key", "share", "meta"}) {
    TRY(const std::vector<std::string> ids, store.list(collection));
    for (const std::string& id : ids) {
      TRY(const auto bytes, store.get({collection, id}));
      TRY(const Value value, protocol::from_msgpack(*bytes));
      say_sealed(collection + "/" + id, value, key_key, share_key);
    }
  }
  return {};
}

Result<void> dump(const std::vector<std::string>& words) {
  TRY(const node::Home home, node::Home::open(words[0]));
  std::optional<SecretBytes> passphrase;
  if (words[1] != "-") {
    TRY(passphrase, read_passphrase(words[1]));
  }
  TRY(const node::Keystore keystore, node::Home::read_keystore(words[0]));
  TRY(const node::UnlockedKeys keys, keystore.unlock(passphrase ? &*passphrase : nullptr));
  crypto::OsRandom random;
  crypto::SoftwareKeys key_ops(keys.root, random);
  TRY(const auto store, node::LeveldbStore::open(home.database(), key_ops));
  if (words[2] == "--keys") return dump_keys(keys.root, *store);
  for (std::size_t i = 2; i < words.size(); ++i) {
    TRY(const std::vector<std::string> ids, store->list(words[i]));
    for (const std::string& id : ids) {
      TRY(const auto bytes, store->get({words[i], id}));
      TRY(const Value value, protocol::from_msgpack(*bytes));
      JsonObject fields;
      flatten("", value, fields);
      std::cout << crypto::json_text(
                       JsonObject{{"collection", words[i]}, {"id", id}, {"fields", fields}})
                << "\n";
    }
  }
  return {};
}

}  // namespace
}  // namespace kith::e2e

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() < 3) {
    std::cerr << "kith-dump-home HOME PASSPHRASE_FILE|- COLLECTION...\n";
    return 2;
  }
  const auto done = kith::e2e::dump(words);
  if (done.has_value()) return 0;
  std::cerr << kith::crypto::error_text(done.error().code).sentence << "\n";
  return 1;
}
