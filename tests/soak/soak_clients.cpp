/// kith-soak-clients DIRECTORY FIRST LAST: the homes DIRECTORY/c<FIRST> to c<LAST> as whole nodes
/// in one process, each with its own store, loop, connections and control socket, made if they are
/// not there. Meant to be killed.
///
/// Says on stdout, one JSON document a line: {"ready":true}, and {"client":N,"text":"..."} for
/// every text that has come to one of them, when it is durable. Built for the tests, never
/// installed.

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "crypto/json.hpp"
#include "crypto/random.hpp"
#include "node/runtime/runtime.hpp"
#include "protocol/value.hpp"

namespace kith::soak {
namespace {

/// A database, two sockets and a loop each.
constexpr rlim_t kFilesWanted = 8192;

/// In one write, so that lines of several threads do not mix (pipe(7): up to 4096 bytes).
void say(const JsonObject& document) {
  const std::string line = crypto::json_text(document) + "\n";
  if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) std::abort();
}

/// Tells which received texts have become durable.
class ToldStore final : public protocol::Store {
 public:
  ToldStore(protocol::Store& disk, int client) : disk_(disk), client_(client) {}
  Result<std::optional<Bytes>> get(const protocol::RecordKey& key) override {
    return disk_.get(key);
  }
  Result<std::vector<std::string>> list(std::string_view collection) override {
    return disk_.list(collection);
  }
  Result<void> commit(const protocol::Batch& batch) override {
    CHECK(disk_.commit(batch));
    for (const protocol::Write& write : batch) {
      if (write.key.collection == "text" && write.value) CHECK(tell(*write.value));
    }
    return {};
  }

 private:
  Result<void> tell(ByteView record) const {
    TRY(const protocol::Value value, protocol::from_msgpack(record));
    const auto& fields = std::get<protocol::Value::Map>(value.data);
    if (std::get<bool>(fields.at("received").data)) {
      say(JsonObject{{"client", client_}, {"text", std::get<std::string>(fields.at("text").data)}});
    }
    return {};
  }

  protocol::Store& disk_;
  int client_;
};

Result<std::unique_ptr<node::Runtime>> open_client(const std::string& directory, int number) {
  node::RuntimeOptions options;
  options.serve_control = true;
  options.wrap_store = [number](protocol::Store& disk) -> std::unique_ptr<protocol::Store> {
    return std::make_unique<ToldStore>(disk, number);
  };
  if (node::Home::exists(directory)) {
    TRY(node::Home home, node::Home::open(directory));
    TRY(node::Keystore keystore, node::Home::read_keystore(directory));
    TRY(node::UnlockedKeys keys, keystore.unlock(nullptr));
    auto host = std::make_unique<node::LocalKeyHost>(std::move(keys), std::move(keystore), false);
    return node::Runtime::start(std::move(home), std::move(host), std::move(options));
  }
  crypto::OsRandom random;
  TRY(auto made, node::Keystore::make(nullptr, crypto::new_passphrase_parameters(random), random));
  TRY(node::Home home, node::Home::create(directory, made.keystore));
  options.new_home = node::HomeSettings{false, true};
  auto host =
      std::make_unique<node::LocalKeyHost>(std::move(made.keys), std::move(made.keystore), false);
  TRY(auto runtime, node::Runtime::start(std::move(home), std::move(host), std::move(options)));
  CHECK(runtime->finish_new_home());
  CHECK(runtime->finish_first_steps());
  return runtime;
}

[[noreturn]] void give_up(int number, const Error& error) {
  const std::string text = "client " + std::to_string(number) + ": " +
                           std::string(crypto::error_text(error.code).sentence) + " (" +
                           error.detail + ")\n";
  std::cerr << text;
  std::_Exit(1);
}

int run(const std::string& directory, int first, int last) {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < kFilesWanted) {
    files.rlim_cur = std::min(files.rlim_max, kFilesWanted);
    ::setrlimit(RLIMIT_NOFILE, &files);
  }
  std::vector<std::unique_ptr<node::Runtime>> clients;
  for (int number = first; number <= last; ++number) {
    auto client = open_client(directory + "/c" + std::to_string(number), number);
    if (!client.has_value()) give_up(number, client.error());
    clients.push_back(std::move(*client));
  }
  std::vector<std::thread> threads;
  int number = first;
  for (const auto& client : clients) {
    threads.emplace_back([&client, number] {
      const auto ended = client->run();
      if (!ended.has_value()) give_up(number, ended.error());
    });
    ++number;
  }
  say(JsonObject{{"ready", true}});
  for (std::thread& thread : threads) thread.join();
  return 0;
}

int number_in(const std::string& text) {
  int number = -1;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace
}  // namespace kith::soak

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() != 3) {
    std::cerr << "kith-soak-clients DIRECTORY FIRST LAST\n";
    return 2;
  }
  return kith::soak::run(words[0], kith::soak::number_in(words[1]),
                         kith::soak::number_in(words[2]));
}
