#include "node/runtime/etcd_ledgers.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/steady_timer.hpp>
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

HttpCall call_of(const ledger::EtcdQuestion& question) {
  HttpCall call;
  call.method = question.http.method;
  call.url = question.http.target;
  call.content_type = "application/json";
  call.body = crypto::to_bytes(std::string_view(question.http.body));
  call.authorization = question.authorization;
  call.follow_redirects = false;
  call.answer_bytes = limits::kJsonBytesMax;
  call.timeout = question.patience;
  return call;
}

Result<ledger::HttpReply> reply_of(Result<HttpReply> reply) {
  TRY(const HttpReply got, std::move(reply));
  return ledger::HttpReply{static_cast<int>(got.status), got.content_type,
                           std::string(crypto::as_text(got.body))};
}

/// One effect on its way; lives as long as a callback of its own is waited for.
class EtcdLedgers::Work : public std::enable_shared_from_this<Work> {
 public:
  Work(boost::asio::io_context& io, HttpClient& client,
       std::shared_ptr<ledger::EtcdSession> session, Submit submit)
      : client_(client), timer_(io), session_(std::move(session)), submit_(std::move(submit)) {}

  void start(std::unique_ptr<ledger::EtcdTask> task) {
    task_ = std::move(task);
    go_on();
  }

 private:
  void go_on() {
    auto question = task_->job().next();
    if (!question) return submit_(task_->result());
    if (question->wait.count() == 0) return send(*question);
    timer_.expires_after(question->wait);
    timer_.async_wait([self = shared_from_this(),
                       asked = std::move(*question)](const boost::system::error_code& error) {
      if (!error) self->send(asked);
    });
  }

  void send(const ledger::EtcdQuestion& question) {
    client_.request(call_of(question), [self = shared_from_this()](Result<HttpReply> reply) {
      self->task_->job().take(reply_of(std::move(reply)));
      self->go_on();
    });
  }

  HttpClient& client_;
  boost::asio::steady_timer timer_;
  std::shared_ptr<ledger::EtcdSession> session_;  ///< Outlives the task.
  Submit submit_;
  std::unique_ptr<ledger::EtcdTask> task_;
};

EtcdLedgers::EtcdLedgers(boost::asio::io_context& io, HttpClient& client, Random& random,
                         std::optional<ledger::EtcdLogin> login, bool test_mode)
    : io_(io), client_(client), random_(random), login_(std::move(login)), test_mode_(test_mode) {}

EtcdLedgers::~EtcdLedgers() = default;

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

void EtcdLedgers::perform(const protocol::Effect& effect, const std::string& url, Submit submit) {
  auto shared = session(url);
  if (!shared.has_value()) return submit({effect.id, shared.error(), false});
  const ledger::EtcdTask::Context context{ledger::anchor_time_ms(read_clocks().wall_ms), test_mode_,
                                          "kith.etcd/" + crypto::hex(random_.bytes(kOriginBytes))};
  auto task = ledger::EtcdTask::make(effect, **shared, context);
  if (!task.has_value()) return submit({effect.id, task.error(), false});
  std::make_shared<Work>(io_, client_, std::move(*shared), std::move(submit))
      ->start(std::move(*task));
}

}  // namespace kith::node
