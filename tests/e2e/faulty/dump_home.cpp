/// kith-dump-home HOME PASSPHRASE_FILE|- COLLECTION...: all records of these collections, opened,
/// one JSON document a line: {"collection", "id", "fields": {"path": "hex of the value"}}. For the
/// search for values that two homes share; never installed. The node must be stopped.

#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "crypto/bytes.hpp"
#include "crypto/json.hpp"
#include "crypto/random.hpp"
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

Result<void> dump(const std::vector<std::string>& words) {
  TRY(const node::Home home, node::Home::open(words[0]));
  std::optional<SecretBytes> passphrase;
  if (words[1] != "-") {
    TRY(passphrase, read_passphrase(words[1]));
  }
  TRY(const node::UnlockedKeys keys, home.keystore().unlock(passphrase ? &*passphrase : nullptr));
  crypto::OsRandom random;
  crypto::SoftwareKeys key_ops(keys.root, random);
  TRY(const auto store, node::LeveldbStore::open(home.database(), key_ops));
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
