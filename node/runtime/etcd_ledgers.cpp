#include "node/runtime/etcd_ledgers.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "crypto/hash.hpp"
#include "crypto/limits.hpp"
#include "node/runtime/system_clock.hpp"

namespace kith::node {
namespace {

constexpr std::size_t kLoginFileBytesMax = 4096;
constexpr std::size_t kOriginBytes = 16;

protocol::RecordKey login_record() {
  return {"meta", "ledger-login"};
}

/// Gives it to nobody who may not have it: the file belongs to its user alone.
Result<Bytes> read_login_file(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return fail(Errc::io, path + " cannot be read");
  struct stat info {};
  Bytes text(kLoginFileBytesMax + 1);
  const bool known = ::fstat(file, &info) == 0 && S_ISREG(info.st_mode);
  const ssize_t got = known ? ::read(file, text.data(), text.size()) : -1;
  ::close(file);
  if (got < 0) return fail(Errc::io, path + " cannot be read");
  if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    crypto::wipe(text);
    return fail(Errc::refused, path + " is open to other users; close it with chmod 600");
  }
  text.resize(static_cast<std::size_t>(got));
  return text;
}

}  // namespace

Result<std::optional<ledger::EtcdLogin>> ledger_login(protocol::Store& store,
                                                      const std::string& file) {
  if (!file.empty()) {
    TRY(Bytes text, read_login_file(file));
    const auto login = ledger::EtcdLogin::parse(crypto::as_text(text));
    if (!login.has_value()) {
      crypto::wipe(text);
      return login.error();
    }
    CHECK(store.commit({{login_record(), std::move(text)}}));
  }
  TRY(auto stored, store.get(login_record()));
  if (!stored) return std::optional<ledger::EtcdLogin>();
  auto login = ledger::EtcdLogin::parse(crypto::as_text(*stored));
  crypto::wipe(*stored);
  if (!login.has_value()) return fail(Errc::storage_corrupt, "the kept login is damaged");
  return std::optional<ledger::EtcdLogin>(std::move(*login));
}

EtcdLedgers::EtcdLedgers(boost::asio::io_context& io, HttpClient& client, Random& random,
                         std::optional<ledger::EtcdLogin> login, bool test_mode)
    : io_(io), client_(client), random_(random), login_(std::move(login)), test_mode_(test_mode) {}

Result<std::shared_ptr<ledger::EtcdSession>> EtcdLedgers::session(const std::string& url) {
  if (const auto found = sessions_.find(url); found != sessions_.end()) return found->second;
  TRY(ledger::EtcdAddress address, ledger::EtcdAddress::parse(url));
  std::optional<ledger::EtcdLogin> login;
  if (login_ && login_->is_for(address)) {
    login = ledger::EtcdLogin{login_->where, login_->name, login_->password.clone()};
  }
  // Work under way keeps its own; a token is learned anew.
  if (sessions_.size() >= limits::kLedgersPinned) sessions_.clear();
  auto made = std::make_shared<ledger::EtcdSession>(std::move(address), std::move(login));
  sessions_.emplace(url, made);
  return made;
}

void EtcdLedgers::perform(const protocol::Effect& effect, const std::string& url,
                          OnEffectResult submit) {
  auto shared = session(url);
  if (!shared.has_value()) return submit({effect.id, shared.error(), false});
  const ledger::EtcdTaskContext context{ledger::anchor_time_ms(read_clocks().wall_ms), test_mode_,
                                        "kith.etcd/" + crypto::hex(random_.bytes(kOriginBytes))};
  auto task = ledger::etcd_task(effect, **shared, context);
  if (!task.has_value()) return submit({effect.id, task.error(), false});
  carry_task(io_, client_, std::move(*shared), std::move(*task), std::move(submit));
}

}  // namespace kith::node
