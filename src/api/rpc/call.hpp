// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "api/rpc/framing.hpp"
#include "api/rpc/status.hpp"
#include "infiniedge/task.hpp"
#include "infiniedge/time.hpp"
#include "runtime/http/peer.hpp"
#include "runtime/scope.hpp"

namespace infiniedge::api::rpc {

/// What a call begins with.
struct Head {
  std::string path{};  ///< "/package.Service/Method".
  std::string method{}, content_type{};
  std::string encoding{};                                       ///< grpc-encoding; empty: identity.
  std::optional<std::string> timeout{};                         ///< grpc-timeout as sent.
  std::vector<std::pair<std::string, std::string>> metadata{};  ///< The rest, names lower-case.
  const runtime::http::Peer* peer = nullptr;

  /// First value of `name`, or empty.
  std::string_view get(std::string_view name) const;
};

/// What a call needs from the connection it came by.
class Wire {
 public:
  virtual ~Wire() = default;
  /// The call has something to send, or has ended.
  virtual void resume(std::int32_t stream) = 0;
  /// The call has taken `bytes` of its requests: the client may send more.
  virtual void consumed(std::int32_t stream, std::size_t bytes) = 0;
};

/// One call as its handler sees it: messages in, messages out.
///
/// Flow:    Session -> [Call] -> Handler
/// Thread:  the server's shard.
/// Owner:   shared by its session, until the stream closes, and by the handler's coroutine.
class Call : public std::enable_shared_from_this<Call> {
 public:
  using Time = std::chrono::steady_clock::time_point;

  Call(boost::asio::any_io_executor executor, Wire& wire, std::int32_t stream,
       std::shared_ptr<Budget> budget);

  const Head& head() const { return head_; }
  /// When the client stops waiting (grpc-timeout).
  std::optional<Time> deadline() const { return deadline_; }
  /// What is left of it; zero once it has passed.
  std::optional<Micros> time_left() const;
  /// True once nobody waits for the answer: the handler should end.
  bool gone() const { return wire_ == nullptr; }
  /// Stopped once nobody waits for the answer any more.
  std::stop_token cancelled() const { return stop_.get_token(); }

  /// The next request. Nothing: the client has sent them all, or is gone.
  Task<std::optional<Message>> receive();
  /// Queues an answer, waiting while the client is slow. Errors: Cancelled when it is gone;
  /// Exhausted when the server holds too much already.
  Task<Result<void>> send(Payload payload);
  /// No more requests are wanted: receive() has nothing from now on.
  void close_requests();

 private:
  friend class Session;
  friend class Connection;

  /// Requests that wait here; beyond it the client's window stays closed.
  static constexpr std::size_t kMaxBacklog = 1U << 20;
  /// Answers that wait here before send() does.
  static constexpr std::size_t kMaxQueued = 1U << 20;

  Result<void> queue(Payload payload);
  void finish(Status status);
  void detach();
  void cancel();

  Head head_;
  Wire* wire_;
  const std::int32_t stream_;
  std::optional<Time> deadline_;
  boost::asio::steady_timer expiry_;

  std::optional<MessageReader> reader_;
  std::deque<Message> inbox_;
  std::size_t backlog_ = 0;   ///< Bytes in the inbox.
  std::size_t withheld_ = 0;  ///< Bytes received for which no window was given back yet.
  std::size_t header_bytes_ = 0;
  bool requests_ended_ = false;
  bool mirrored_ = false;  ///< A request came compressed: so do answers worth it.
  boost::asio::steady_timer readable_;

  std::deque<Payload::Segment> outbox_;
  std::size_t queued_ = 0;      ///< Bytes in the outbox.
  std::size_t front_used_ = 0;  ///< Of its first segment.
  Lease lease_;                 ///< For what is queued.
  boost::asio::steady_timer writable_;

  std::optional<Status> status_;  ///< Once the call has ended.
  bool started_ = false;          ///< Given to the handler.
  bool answered_ = false;         ///< Response headers have been submitted.
  bool deferred_ = false;         ///< HTTP/2 waits for resume().
  Time progress_;                 ///< When bytes last moved, either way.
  runtime::Scope::Child handler_;
  std::stop_source stop_;
};

}  // namespace infiniedge::api::rpc
