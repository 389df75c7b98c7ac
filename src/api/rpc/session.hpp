// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "api/rpc/call.hpp"
#include "api/rpc/output.hpp"

struct nghttp2_session;

namespace infiniedge::api::rpc {

/// What one client may ask of us.
struct Limits {
  std::size_t max_message = 64U << 20;    ///< Decompressed too.
  std::size_t max_header = 16U << 10;     ///< All header fields of a call.
  std::uint32_t max_streams = 128;        ///< Calls at once on one connection.
  std::size_t max_buffered = 256U << 20;  ///< Of all connections together, in and out.
  std::size_t max_connections = 1024;
  Micros stall{Seconds{30}};      ///< A message that stops half-way, in or out.
  Micros handshake{Seconds{10}};  ///< From accept to the first frame.
};

/// HTTP/2 of one connection without its socket: bytes in, calls out; answers in, bytes out.
///
/// Flow:    Connection -> [Session] -> Call
/// Thread:  the server's shard.
/// Owner:   its connection (or a test).
/// Errors:  put: Corrupt when the client's bytes are not HTTP/2; the connection ends after what
///          is left to send.
class Session final : public Wire {
 public:
  /// Looks at a call before any message is read; an answer ends it.
  using Admit = std::function<std::optional<Status>(const Head&)>;

  Session(boost::asio::any_io_executor executor, const Limits& limits,
          std::shared_ptr<Budget> budget, const runtime::http::Peer& peer, Admit admit);
  ~Session() override;

  Result<void> put(std::string_view bytes);
  /// Calls whose handler is to be started: since the last time, in the order of arrival.
  std::vector<std::shared_ptr<Call>> take_ready() { return std::exchange(ready_, {}); }
  /// Frames that may be sent now, as many as make a good write.
  void collect(Output& out);
  /// Says that no new calls are taken; those under way go on.
  void go_away();
  /// Ends calls that stopped half-way before `since`.
  void end_stalled(Call::Time since);
  /// Detaches every call: the connection is gone.
  void abandon();

  /// False once nothing more is to be read or written.
  bool alive() const;
  /// True once the client has sent its preface and settings.
  bool greeted() const { return greeted_; }
  std::size_t calls() const { return calls_.size(); }

  /// Called when there may be something to collect.
  std::function<void()> on_output;

 private:
  struct Callbacks;
  using CallPtr = std::shared_ptr<Call>;

  void resume(std::int32_t stream) override;
  void consumed(std::int32_t stream, std::size_t bytes) override;

  int begin(std::int32_t stream);
  void header(Call& call, std::string_view name, std::string_view value);
  void headers_ended(Call& call);
  void data(Call& call, std::string_view bytes);
  void requests_ended(Call& call);
  void closed(std::int32_t stream);
  void refuse(Call& call, Status status);
  void start(Call& call);
  void expect_deadline(const CallPtr& call);
  void answer(Call& call);
  void submit_headers(Call& call, bool only_trailers);
  void submit_trailers(Call& call);
  bool too_many_pings();
  std::ptrdiff_t read(Call& call, std::size_t room, std::uint32_t* flags);
  void write(Call& call, std::string_view frame_head, std::size_t size);
  Call* find(std::int32_t stream);

  boost::asio::any_io_executor executor_;
  const Limits& limits_;
  std::shared_ptr<Budget> budget_;
  const runtime::http::Peer& peer_;
  Admit admit_;
  nghttp2_session* http2_ = nullptr;
  std::unordered_map<std::int32_t, CallPtr> calls_;
  std::vector<CallPtr> ready_;
  std::vector<CallPtr> closed_;  ///< To be detached outside of nghttp2.
  Output* out_ = nullptr;        ///< While collecting.
  Call::Time pings_since_{};
  int pings_ = 0;
  bool greeted_ = false;
};

}  // namespace infiniedge::api::rpc
