#pragma once

/// Ledgers for tests: descriptors, temporary directories, and a ledger spoken to as if over HTTP.

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

#include "crypto/random.hpp"
#include "crypto/software_keys.hpp"
#include "ledger/remote/client.hpp"
#include "ledger/remote/service.hpp"

namespace kith::test {

inline ledger::LedgerDescriptor ledger_descriptor(std::uint64_t seed = 1) {
  crypto::SeededRandom random(seed, "ledger-kit");
  SoftwareKeys ops(random.secret(32), random);
  const auto pair = ops.generate(KeyType::ed25519, KeyPurpose::ledger);
  if (!pair.has_value()) throw std::runtime_error("no key");
  ledger::LedgerDescriptor descriptor;
  descriptor.kind = "host";
  descriptor.origin = "ledger.example/" + std::to_string(seed);
  descriptor.key = pair->public_key;
  descriptor.urls = {"https://ledger.example"};
  return descriptor;
}

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "kith-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary directory");
    path_ = pattern;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  [[nodiscard]] std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

/// A client and a service over `inner`, with nothing but strings between them.
class RemoteLedger final : public ledger::Ledger {
 public:
  static constexpr std::string_view kBase = "https://ledger.example";

  explicit RemoteLedger(ledger::Ledger& inner)
      : service_(inner),
        descriptor_(inner.descriptor()),
        client_(*ledger::LedgerClient::at(kBase)) {}

  const ledger::LedgerDescriptor& descriptor() const override { return descriptor_; }
  Result<ledger::AppendOutcome> append(const ledger::AppendRequest& request,
                                       ledger::AnchorTime now) override {
    now_ = now;
    return ledger::LedgerClient::read_append(exchange(client_.ask_append(request)));
  }
  Result<ledger::LedgerPage> read(std::string_view subject, std::uint64_t from) override {
    return ledger::LedgerClient::read_page(subject, from,
                                           exchange(client_.ask_read(subject, from)));
  }
  Result<ledger::LedgerPage> follow(std::uint64_t position, std::size_t max) override {
    return ledger::LedgerClient::read_follow(position, max,
                                             exchange(client_.ask_follow(position, max)));
  }
  Result<ledger::LedgerDescriptor> fetch_descriptor() {
    return ledger::LedgerClient::read_descriptor(exchange(client_.ask_descriptor()));
  }

 private:
  ledger::HttpReply exchange(ledger::HttpQuestion question) {
    question.target = question.target.substr(kBase.size());
    return service_.handle(question, now_);
  }

  ledger::LedgerService service_;
  ledger::LedgerDescriptor descriptor_;
  ledger::LedgerClient client_;
  ledger::AnchorTime now_{};
};

}  // namespace kith::test
