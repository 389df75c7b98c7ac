// SPDX-License-Identifier: Apache-2.0
#include "api/inference/grpc/infer_stream.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <deque>

#include "api/inference/grpc/infer_write.hpp"

namespace infiniedge::api::inference::grpc {

namespace asio = boost::asio;

/// The requests of one stream that are under way.
///
/// Thread: the server's shard.
/// Owner:  infer_stream(), which closes it.
class InferStream {
 public:
  InferStream(Service& service, rpc::Call& call, asio::any_io_executor executor)
      : service_(service),
        call_(call),
        strict_(call.head().get("triton_grpc_error") == "true"),
        changed_(executor, asio::steady_timer::time_point::max()),
        scope_(executor) {}

  Task<rpc::Status> run() {
    scope_.spawn(write());
    while (!ended_) {
      while (!ended_ && under_way_.size() >= kMaxUnderWay) co_await change();
      auto message = ended_ ? std::nullopt : co_await call_.receive();
      if (!message) break;
      auto place = std::make_shared<Place>();
      under_way_.push_back(place);
      scope_.spawn(infer(std::move(*message), std::move(place)));
    }
    no_more_ = true;
    changed_.cancel();
    while (!ended_ && !call_.gone()) co_await change();
    co_return status_;
  }
  Task<void> close() { return scope_.close(); }

 private:
  /// Requests at once: enough for a batch, bounded for the sake of memory.
  static constexpr std::size_t kMaxUnderWay = 64;

  /// Where the answer to a request will be.
  struct Place {
    std::optional<rpc::Payload> answer;
    std::optional<rpc::Status> failed;
  };

  Task<void> change() { co_await changed_.async_wait(asio::as_tuple(asio::use_awaitable)); }

  Task<void> infer(rpc::Message message, std::shared_ptr<Place> place) {
    auto request = co_await service_.read(call_, std::move(message));
    if (!request) {
      fail(*place, rpc::status_of(request.error()), {});
      co_return;
    }
    const auto left = call_.time_left();
    const auto model = request->request.model;
    const auto timeout = request->request.timeout;
    auto answer = co_await service_.parts_.server.infer(std::move(request->request));
    if (!answer) {
      const bool own = left && timeout && *left <= *timeout;
      fail(*place, service_.failure(answer.error(), model, own), request->id);
      co_return;
    }
    auto payload = write_stream_infer(*request, *answer);
    if (payload) {
      place->answer = std::move(*payload);
      changed_.cancel();
    } else {
      fail(*place, rpc::status_of(payload.error()), request->id);
    }
  }

  void fail(Place& place, rpc::Status status, std::string_view id) {
    place.answer = write_stream_error(id, status.message);
    place.failed = std::move(status);
    changed_.cancel();
  }

  Task<void> write() {
    while (!no_more_ || !under_way_.empty()) {
      if (under_way_.empty() || !under_way_.front()->answer) {
        co_await change();
        continue;
      }
      const auto place = std::move(under_way_.front());
      under_way_.pop_front();
      changed_.cancel();
      if (strict_ && place->failed) {
        status_ = std::move(*place->failed);
        break;
      }
      const auto sent = co_await call_.send(std::move(*place->answer));
      if (!sent) {
        status_ = rpc::status_of(sent.error());
        break;
      }
    }
    ended_ = true;
    call_.close_requests();
    changed_.cancel();
  }

  Service& service_;
  rpc::Call& call_;
  const bool strict_;
  std::deque<std::shared_ptr<Place>> under_way_;
  rpc::Status status_;
  bool no_more_ = false;  ///< The client has sent its last request.
  bool ended_ = false;    ///< Everything is answered, or the first error has ended the call.
  asio::steady_timer changed_;
  runtime::Scope scope_;
};

Task<rpc::Status> infer_stream(Service& service, rpc::Call& call) {
  InferStream stream(service, call, co_await asio::this_coro::executor);
  rpc::Status status{rpc::StatusCode::Cancelled, "the call was cancelled"};
  std::exception_ptr failed;
  try {
    status = co_await stream.run();
  } catch (...) {
    failed = std::current_exception();
  }
  // However it ended: nothing may outlive the stream.
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  co_await stream.close();
  if (failed) std::rethrow_exception(failed);
  co_return status;
}

}  // namespace infiniedge::api::inference::grpc
