// SPDX-License-Identifier: Apache-2.0
#include "api/rpc/call.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace infiniedge::api::rpc {
namespace {

constexpr auto kAwait = boost::asio::as_tuple(boost::asio::use_awaitable);
constexpr std::size_t kWorthCompressing = 1024;
constexpr auto kNever = boost::asio::steady_timer::time_point::max();

}  // namespace

std::string_view Head::get(std::string_view name) const {
  for (const auto& [key, value] : metadata) {
    if (key == name) return value;
  }
  return {};
}

Call::Call(boost::asio::any_io_executor executor, Wire& wire, std::int32_t stream,
           std::shared_ptr<Budget> budget)
    : wire_(&wire),
      stream_(stream),
      expiry_(executor),
      readable_(executor, kNever),
      lease_(std::move(budget)),
      writable_(executor, kNever),
      progress_(std::chrono::steady_clock::now()) {}

std::optional<Micros> Call::time_left() const {
  if (!deadline_) return std::nullopt;
  const auto left = std::chrono::ceil<Micros>(*deadline_ - std::chrono::steady_clock::now());
  return std::max(left, Micros{0});
}

Task<std::optional<Message>> Call::receive() {
  while (inbox_.empty() && !requests_ended_ && !gone()) co_await readable_.async_wait(kAwait);
  if (inbox_.empty() || gone()) co_return std::nullopt;
  auto message = std::move(inbox_.front());
  inbox_.pop_front();
  backlog_ -= message->size();
  if (withheld_ > 0 && backlog_ <= kMaxBacklog) {
    wire_->consumed(stream_, std::exchange(withheld_, 0));
  }
  co_return message;
}

Task<Result<void>> Call::send(Payload payload) {
  while (queued_ > kMaxQueued && !gone()) co_await writable_.async_wait(kAwait);
  co_return queue(std::move(payload));
}

Result<void> Call::queue(Payload payload) {
  if (gone() || status_) return Error{Code::Cancelled, "the client is gone"};
  const bool compress = mirrored_ && payload.size() >= kWorthCompressing;
  auto segments = std::move(payload).framed(compress ? head_.encoding : std::string{});
  std::size_t bytes = 0;
  for (const auto& segment : segments) bytes += segment.bytes().size();
  if (!lease_.grow_to(queued_ + bytes)) {
    return Error{Code::Exhausted, "the server holds too many answers; read them, or try later"};
  }
  queued_ += bytes;
  outbox_.insert(outbox_.end(), std::make_move_iterator(segments.begin()),
                 std::make_move_iterator(segments.end()));
  wire_->resume(stream_);
  return {};
}

void Call::finish(Status status) {
  if (gone() || status_) return;
  status_ = std::move(status);
  expiry_.cancel();
  wire_->resume(stream_);
}

void Call::close_requests() {
  requests_ended_ = true;
  readable_.cancel();
}

/// The stream is closed: nothing more is heard or said.
void Call::detach() {
  wire_ = nullptr;
  expiry_.cancel();
  readable_.cancel();
  writable_.cancel();
  inbox_.clear();
  outbox_.clear();
  lease_.shrink_by(queued_);
  queued_ = 0;
  cancel();
}

void Call::cancel() {
  stop_.request_stop();
  handler_.cancel();
}

}  // namespace infiniedge::api::rpc
