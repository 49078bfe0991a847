#include "node/keys/key_watch.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <cstring>

namespace kith::node {

class KeyWatch::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(boost::asio::io_context& io, int descriptor, std::function<void()> on_gone)
      : descriptor_(io, descriptor), on_gone_(std::move(on_gone)) {}

  void wait() {
    descriptor_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                           [self = shared_from_this()](const boost::system::error_code& error) {
                             if (!error) self->look();
                           });
  }
  void stop() {
    boost::system::error_code ignored;
    descriptor_.close(ignored);
  }

 private:
  void look() {
    char byte = 0;
    const ssize_t got = ::recv(descriptor_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    const bool there = got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
    if (there) return wait();
    stop();
    on_gone_();
  }

  boost::asio::posix::stream_descriptor descriptor_;
  std::function<void()> on_gone_;
};

KeyWatch::KeyWatch(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
KeyWatch::~KeyWatch() {
  stop();
}
void KeyWatch::stop() {
  if (impl_) impl_->stop();
}

Result<std::unique_ptr<KeyWatch>> KeyWatch::start(boost::asio::io_context& io, const KeyHost& keys,
                                                  std::function<void()> on_gone) {
  if (keys.watched() < 0) return std::unique_ptr<KeyWatch>(new KeyWatch(nullptr));
  const int copy = ::fcntl(keys.watched(), F_DUPFD_CLOEXEC, 0);
  if (copy < 0) return fail(Errc::io, std::strerror(errno));
  auto impl = std::make_shared<Impl>(io, copy, std::move(on_gone));
  impl->wait();
  return std::unique_ptr<KeyWatch>(new KeyWatch(std::move(impl)));
}

}  // namespace kith::node
