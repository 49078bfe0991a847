#pragma once

/// Ledgers for tests: descriptors, temporary directories, and a ledger spoken to as if over HTTP.

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

#include "crypto/random.hpp"
#include "crypto/software_keys.hpp"
#include "ledger/light_client.hpp"
#include "ledger/receipt.hpp"
#include "ledger/remote/client.hpp"
#include "ledger/remote/service.hpp"

namespace kith::test {

/// The key of ledger_descriptor(seed).
struct LedgerKey {
  explicit LedgerKey(std::uint64_t seed)
      : random(seed, "ledger-kit"),
        ops(random.secret(32), random),
        pair(ops.generate(KeyType::ed25519, KeyPurpose::ledger).value()) {}
  crypto::SeededRandom random;
  SoftwareKeys ops;
  KeyPair pair;
};
inline ledger::LedgerProver::Sign ledger_signer(std::uint64_t seed = 1) {
  const auto key = std::make_shared<LedgerKey>(seed);
  return [key](ByteView text) { return key->ops.sign(key->pair.sealed, text); };
}

inline ledger::LedgerDescriptor ledger_descriptor(std::uint64_t seed = 1) {
  const LedgerKey key(seed);
  ledger::LedgerDescriptor descriptor;
  descriptor.kind = "host";
  descriptor.origin = "ledger.example/" + std::to_string(seed);
  descriptor.key = key.pair.public_key;
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

/// A client and a service over `inner`, with nothing but strings between them. The client believes
/// only what is proven. The key is that of ledger_descriptor().
class RemoteLedger final : public ledger::Ledger {
 public:
  static constexpr std::string_view kBase = "https://ledger.example";

  explicit RemoteLedger(ledger::TreeLedger& inner)
      : service_(inner, ledger_signer()),
        descriptor_(inner.descriptor()),
        client_(*ledger::LedgerClient::at(kBase)) {
    seen_.descriptor = ledger::descriptor_json(descriptor_);
  }

  const ledger::LedgerDescriptor& descriptor() const override { return descriptor_; }
  Result<ledger::AppendOutcome> append(const ledger::AppendRequest& request,
                                       ledger::AnchorTime now) override {
    now_ = now;
    TRY(auto reply, ledger::LedgerClient::read_append(exchange(client_.ask_append(request))));
    if (const auto* appended = std::get_if<ledger::Appended>(&reply.outcome)) {
      TRY(const ledger::Entry entry, ledger::parse_entry(request.blob));
      TRY(ledger::Receipt receipt, ledger::parse_receipt(reply.receipt));
      receipt.leaf = ledger::leaf_text({request.subject, request.blob, appended->time, entry.kind});
      CHECK(ledger::open_receipt(receipt, descriptor_));
    }
    return std::move(reply.outcome);
  }
  Result<ledger::LedgerPage> read(std::string_view subject, std::uint64_t from) override {
    TRY(const std::uint64_t seen, ledger::seen_size(seen_));
    TRY(auto proven, ledger::LedgerClient::read_page(
                         subject, from, exchange(client_.ask_read(subject, from, seen))));
    CHECK(believe(proven, seen));
    return std::move(proven.page);
  }
  Result<ledger::LedgerPage> follow(std::uint64_t position, std::size_t max) override {
    TRY(const std::uint64_t seen, ledger::seen_size(seen_));
    TRY(auto proven, ledger::LedgerClient::read_follow(
                         position, max, exchange(client_.ask_follow(position, max, seen))));
    TRY(const auto checkpoint, believe(proven, seen));
    CHECK(ledger::check_followed(proven.page, position, checkpoint));
    return std::move(proven.page);
  }
  Result<ledger::LedgerDescriptor> fetch_descriptor() {
    return ledger::LedgerClient::read_descriptor(exchange(client_.ask_descriptor()));
  }

 private:
  ledger::HttpReply exchange(ledger::HttpQuestion question) {
    question.target = question.target.substr(kBase.size());
    return service_.handle(question, now_);
  }

  Result<ledger::Checkpoint> believe(const ledger::ProvenPage& proven, std::uint64_t seen) {
    TRY(const auto judged, ledger::judge_checkpoint(seen_, *proven.proof, seen, now_));
    CHECK(ledger::check_included(proven.page.entries, proven.proof->inclusion, judged.checkpoint));
    if (judged.advances) seen_.checkpoint = proven.proof->checkpoint;
    return judged.checkpoint;
  }

  ledger::LedgerService service_;
  ledger::LedgerDescriptor descriptor_;
  ledger::SeenLedger seen_;
  ledger::LedgerClient client_;
  ledger::AnchorTime now_{};
};

}  // namespace kith::test
