// SPDX-License-Identifier: Apache-2.0
#include "relay.hpp"

#include <array>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

namespace infiniedge::tests {

namespace asio = boost::asio;
using asio::ip::tcp;

struct Relay::Pair : std::enable_shared_from_this<Relay::Pair> {
  explicit Pair(asio::io_context& context) : near(context), far(context) {}

  void pump(tcp::socket& from, tcp::socket& to, std::array<char, 16384>& buffer) {
    from.async_read_some(asio::buffer(buffer), [self = shared_from_this(), &from, &to, &buffer](
                                                   auto error, std::size_t n) {
      if (error) return self->close();
      asio::async_write(to, asio::buffer(buffer, n),
                        [self, &from, &to, &buffer](auto failed, std::size_t) {
                          if (failed) return self->close();
                          self->pump(from, to, buffer);
                        });
    });
  }
  void close() {
    boost::system::error_code ignored;
    near.close(ignored);
    far.close(ignored);
  }

  tcp::socket near, far;
  std::array<char, 16384> up{}, down{};
};

Relay::Relay(std::uint16_t target)
    : acceptor_(context_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
      port_(acceptor_.local_endpoint().port()),
      target_(target) {
  accept();
  thread_ = std::thread([this] { context_.run(); });
}

Relay::~Relay() {
  context_.stop();
  thread_.join();
}

void Relay::accept() {
  auto pair = std::make_shared<Pair>(context_);
  acceptor_.async_accept(pair->near, [this, pair](auto error) {
    if (error) return;
    accept();
    if (cut_) return pair->close();
    pairs_.push_back(pair);
    pair->far.async_connect(tcp::endpoint(asio::ip::address_v4::loopback(), target_),
                            [pair](auto failed) {
                              if (failed) return pair->close();
                              pair->pump(pair->near, pair->far, pair->up);
                              pair->pump(pair->far, pair->near, pair->down);
                            });
  });
}

void Relay::drop_all() {
  for (const auto& weak : pairs_) {
    if (const auto pair = weak.lock()) pair->close();
  }
  pairs_.clear();
}

void Relay::cut() {
  asio::post(context_, [this] {
    cut_ = true;
    drop_all();
  });
}

void Relay::mend() {
  asio::post(context_, [this] { cut_ = false; });
}

}  // namespace infiniedge::tests
