// SPDX-License-Identifier: Apache-2.0
#include "api/rpc/session.hpp"

#include <fmt/format.h>
#include <nghttp2/nghttp2.h>

#include <algorithm>

namespace infiniedge::api::rpc {
namespace {

constexpr std::uint32_t kStreamWindow = 1U << 20;
constexpr std::int32_t kConnectionWindow = 16 << 20;
constexpr std::uint32_t kMaxFrame = 1U << 20;
constexpr std::size_t kGoodWrite = 256U << 10;
constexpr int kMaxPings = 500;  ///< Within ten seconds.
constexpr std::string_view kAccepted = "identity,deflate,gzip";

nghttp2_nv field(std::string_view name, std::string_view value) {
  auto* n = reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data()));
  auto* v = reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data()));
  return {n, v, name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

std::string_view text(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// A status as header fields, which point into it.
struct Trailers {
  explicit Trailers(const Status& status)
      : code(std::to_string(static_cast<int>(status.code))),
        message(percent_encoded(status.message)),
        pushback(status.retry_after ? std::to_string(status.retry_after->count()) : "") {}
  void append_to(std::vector<nghttp2_nv>& fields) const {
    fields.push_back(field("grpc-status", code));
    if (!message.empty()) fields.push_back(field("grpc-message", message));
    if (!pushback.empty()) fields.push_back(field("grpc-retry-pushback-ms", pushback));
  }
  std::string code, message, pushback;
};

/// What is said instead of HTTP's own words.
std::optional<Status> unacceptable(const Head& head) {
  if (head.method != "POST") {
    return Status{StatusCode::Internal, "gRPC calls use the method POST"};
  }
  if (!head.content_type.starts_with("application/grpc")) {
    return Status{StatusCode::Internal, "gRPC calls have the content-type application/grpc"};
  }
  if (!head.encoding.empty() && head.encoding != "gzip" && head.encoding != "deflate") {
    return Status{StatusCode::Unimplemented,
                  fmt::format("grpc-encoding '{}' is not supported; use one of {}", head.encoding,
                              kAccepted)};
  }
  return std::nullopt;
}

}  // namespace

/// nghttp2's C interface, translated.
struct Session::Callbacks {
  static Session& self(void* user) { return *static_cast<Session*>(user); }

  static int on_begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
    return self(user).begin(frame->hd.stream_id);
  }
  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                       std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                       std::uint8_t, void* user) {
    auto* call = self(user).find(frame->hd.stream_id);
    if (call != nullptr && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
      self(user).header(*call, text(name, name_size), text(value, value_size));
    }
    return 0;
  }
  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    auto& session = self(user);
    session.greeted_ = true;
    if (frame->hd.type == NGHTTP2_PING && (frame->hd.flags & NGHTTP2_FLAG_ACK) == 0) {
      return session.too_many_pings() ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
    }
    const bool headers = frame->hd.type == NGHTTP2_HEADERS;
    if (!headers && frame->hd.type != NGHTTP2_DATA) return 0;
    auto* call = session.find(frame->hd.stream_id);
    if (call == nullptr) return 0;
    if (headers && frame->headers.cat == NGHTTP2_HCAT_REQUEST) session.headers_ended(*call);
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) session.requests_ended(*call);
    return 0;
  }
  static int on_data(nghttp2_session* http2, std::uint8_t, std::int32_t stream,
                     const std::uint8_t* data, std::size_t size, void* user) {
    nghttp2_session_consume_connection(http2, size);
    auto* call = self(user).find(stream);
    if (call != nullptr) self(user).data(*call, text(data, size));
    return 0;
  }
  static int on_close(nghttp2_session*, std::int32_t stream, std::uint32_t, void* user) {
    self(user).closed(stream);
    return 0;
  }
  static int on_sent(nghttp2_session* http2, const nghttp2_frame* frame, void*) {
    const auto stream = frame->hd.stream_id;
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0 || stream == 0) return 0;
    // The answer is out, the question is not over: what is left of it is of no use.
    if (nghttp2_session_get_stream_remote_close(http2, stream) == 0) {
      nghttp2_submit_rst_stream(http2, NGHTTP2_FLAG_NONE, stream, NGHTTP2_NO_ERROR);
    }
    return 0;
  }
  static ssize_t on_read(nghttp2_session*, std::int32_t, std::uint8_t*, std::size_t room,
                         std::uint32_t* flags, nghttp2_data_source* source, void* user) {
    return self(user).read(*static_cast<Call*>(source->ptr), room, flags);
  }
  static int on_write(nghttp2_session*, nghttp2_frame*, const std::uint8_t* frame_head,
                      std::size_t size, nghttp2_data_source* source, void* user) {
    self(user).write(*static_cast<Call*>(source->ptr), text(frame_head, 9), size);
    return 0;
  }

  static nghttp2_session* make(Session* user) {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_option* option = nullptr;
    nghttp2_session* out = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_sent);
    nghttp2_session_callbacks_set_send_data_callback(callbacks, on_write);
    nghttp2_option_new(&option);
    nghttp2_option_set_no_auto_window_update(option, 1);
    // Rapid reset (CVE-2023-44487) and endless CONTINUATION (CVE-2024-28182).
    nghttp2_option_set_stream_reset_rate_limit(option, 1000, 100);
    nghttp2_option_set_max_continuations(option, 8);
    nghttp2_session_server_new2(&out, callbacks, user, option);
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    return out;
  }
};

Session::Session(boost::asio::any_io_executor executor, const Limits& limits,
                 std::shared_ptr<Budget> budget, const runtime::http::Peer& peer, Admit admit)
    : executor_(std::move(executor)),
      limits_(limits),
      budget_(std::move(budget)),
      peer_(peer),
      admit_(std::move(admit)),
      http2_(Callbacks::make(this)) {
  const nghttp2_settings_entry settings[] = {
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits_.max_streams},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kStreamWindow},
      {NGHTTP2_SETTINGS_MAX_FRAME_SIZE, kMaxFrame},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, static_cast<std::uint32_t>(limits_.max_header)}};
  nghttp2_submit_settings(http2_, NGHTTP2_FLAG_NONE, settings, std::size(settings));
  nghttp2_session_set_local_window_size(http2_, NGHTTP2_FLAG_NONE, 0, kConnectionWindow);
}

Session::~Session() {
  abandon();
  nghttp2_session_del(http2_);
}

bool Session::alive() const {
  return nghttp2_session_want_read(http2_) != 0 || nghttp2_session_want_write(http2_) != 0;
}

Result<void> Session::put(std::string_view bytes) {
  const auto used = nghttp2_session_mem_recv(
      http2_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  for (const auto& call : std::exchange(closed_, {})) call->detach();
  if (used >= 0) return {};
  if (used == NGHTTP2_ERR_CALLBACK_FAILURE) {
    nghttp2_session_terminate_session(http2_, NGHTTP2_ENHANCE_YOUR_CALM);
  }
  return Error{Code::Corrupt, fmt::format("the client does not speak HTTP/2: {}",
                                          nghttp2_strerror(static_cast<int>(used)))};
}

Call* Session::find(std::int32_t stream) {
  const auto found = calls_.find(stream);
  return found == calls_.end() ? nullptr : found->second.get();
}

// --- Requests --------------------------------------------------------------------------------

int Session::begin(std::int32_t stream) {
  auto call = std::make_shared<Call>(executor_, *this, stream, budget_);
  call->head_.peer = &peer_;
  calls_.emplace(stream, std::move(call));
  return 0;
}

void Session::header(Call& call, std::string_view name, std::string_view value) {
  call.header_bytes_ += name.size() + value.size() + 32;  // As HTTP/2 counts them.
  if (call.header_bytes_ > limits_.max_header) return;
  auto& head = call.head_;
  if (name == ":path") {
    head.path = value;
  } else if (name == ":method") {
    head.method = value;
  } else if (name == "content-type") {
    head.content_type = value;
  } else if (name == "grpc-encoding") {
    if (value != "identity") head.encoding = value;
  } else if (name == "grpc-timeout") {
    head.timeout = value;
  } else if (!name.starts_with(':')) {
    head.metadata.emplace_back(name, value);
  }
}

void Session::headers_ended(Call& call) {
  if (call.header_bytes_ > limits_.max_header) {
    return refuse(call, {StatusCode::InvalidArgument,
                         fmt::format("the metadata is larger than {} bytes", limits_.max_header)});
  }
  if (auto refusal = unacceptable(call.head_)) return refuse(call, std::move(*refusal));
  if (call.head_.timeout) {
    const auto timeout = parse_timeout(*call.head_.timeout);
    if (!timeout) {
      return refuse(call, {StatusCode::InvalidArgument,
                           fmt::format("grpc-timeout '{}' is no time", *call.head_.timeout)});
    }
    call.deadline_ = std::chrono::steady_clock::now() + *timeout;
  }
  if (auto refusal = admit_(call.head_)) return refuse(call, std::move(*refusal));
  call.reader_.emplace(call.head_.encoding, limits_.max_message, budget_);
  if (call.deadline_) expect_deadline(call.shared_from_this());
}

/// Ends the call when the client has stopped waiting, whatever its handler does.
void Session::expect_deadline(const CallPtr& call) {
  call->expiry_.expires_at(*call->deadline_);
  call->expiry_.async_wait([weak = std::weak_ptr(call)](boost::system::error_code failed) {
    const auto late = weak.lock();
    if (failed || !late || late->gone()) return;
    late->finish({StatusCode::DeadlineExceeded, "the deadline of the call has passed"});
    late->cancel();
  });
}

void Session::data(Call& call, std::string_view bytes) {
  call.progress_ = std::chrono::steady_clock::now();
  if (!call.reader_ || call.status_) {
    nghttp2_session_consume_stream(http2_, call.stream_, bytes.size());
    return;
  }
  const auto before = call.inbox_.size();
  const auto read = call.reader_->put(bytes, call.inbox_);
  call.mirrored_ |= call.reader_->compressed();
  for (auto i = before; i < call.inbox_.size(); ++i) call.backlog_ += call.inbox_[i]->size();
  call.withheld_ += bytes.size();
  if (call.backlog_ <= Call::kMaxBacklog) {
    nghttp2_session_consume_stream(http2_, call.stream_, std::exchange(call.withheld_, 0));
  }
  if (!read) return refuse(call, status_of(read.error()));
  if (call.inbox_.size() == before) return;
  if (!call.started_) start(call);
  call.readable_.cancel();
}

void Session::requests_ended(Call& call) {
  if (call.status_) return;
  if (call.reader_ && call.reader_->inside()) {
    return refuse(call, {StatusCode::Internal, "the last message is cut short"});
  }
  call.close_requests();
  if (!call.started_ && call.reader_) start(call);
}

void Session::start(Call& call) {
  call.started_ = true;
  ready_.push_back(call.shared_from_this());
}

void Session::refuse(Call& call, Status status) {
  call.finish(std::move(status));
  call.close_requests();
  call.cancel();
}

void Session::closed(std::int32_t stream) {
  const auto found = calls_.find(stream);
  if (found == calls_.end()) return;
  closed_.push_back(std::move(found->second));
  calls_.erase(found);
}

/// A ping a second is fine, as are those that measure a link; a flood is not.
bool Session::too_many_pings() {
  const auto now = std::chrono::steady_clock::now();
  if (now - pings_since_ > std::chrono::seconds(10)) {
    pings_since_ = now;
    pings_ = 0;
  }
  return ++pings_ > kMaxPings;
}

void Session::consumed(std::int32_t stream, std::size_t bytes) {
  nghttp2_session_consume_stream(http2_, stream, bytes);
  if (on_output) on_output();
}

// --- Answers ---------------------------------------------------------------------------------

void Session::resume(std::int32_t stream) {
  auto* call = find(stream);
  if (call == nullptr) return;
  if (!call->answered_) {
    answer(*call);
  } else if (call->deferred_) {
    call->deferred_ = false;
    nghttp2_session_resume_data(http2_, stream);
  }
  if (on_output) on_output();
}

void Session::answer(Call& call) {
  call.answered_ = true;
  const bool only_trailers = call.status_ && call.queued_ == 0;
  submit_headers(call, only_trailers);
}

void Session::submit_headers(Call& call, bool only_trailers) {
  std::vector<nghttp2_nv> fields = {field(":status", "200"),
                                    field("content-type", "application/grpc")};
  if (!only_trailers) {
    if (call.mirrored_) fields.push_back(field("grpc-encoding", call.head_.encoding));
    fields.push_back(field("grpc-accept-encoding", kAccepted));
    nghttp2_data_provider provider{};
    provider.source.ptr = &call;
    provider.read_callback = Callbacks::on_read;
    nghttp2_submit_response(http2_, call.stream_, fields.data(), fields.size(), &provider);
    return;
  }
  if (call.status_->code == StatusCode::Unimplemented) {
    fields.push_back(field("grpc-accept-encoding", kAccepted));
  }
  const Trailers trailers(*call.status_);
  trailers.append_to(fields);
  nghttp2_submit_response(http2_, call.stream_, fields.data(), fields.size(), nullptr);
}

void Session::submit_trailers(Call& call) {
  std::vector<nghttp2_nv> fields;
  const Trailers trailers(*call.status_);
  trailers.append_to(fields);
  nghttp2_submit_trailer(http2_, call.stream_, fields.data(), fields.size());
}

std::ptrdiff_t Session::read(Call& call, std::size_t room, std::uint32_t* flags) {
  if (call.queued_ == 0 && !call.status_) {
    call.deferred_ = true;
    return NGHTTP2_ERR_DEFERRED;
  }
  const auto n = std::min(room, call.queued_);
  if (n > 0) *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
  if (n == call.queued_ && call.status_) {
    *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
    submit_trailers(call);
  }
  return static_cast<std::ptrdiff_t>(n);
}

void Session::write(Call& call, std::string_view frame_head, std::size_t size) {
  out_->copy(frame_head);
  call.progress_ = std::chrono::steady_clock::now();
  call.queued_ -= size;
  call.lease_.shrink_by(size);
  while (size > 0) {
    auto& front = call.outbox_.front();
    const auto bytes = front.bytes().substr(call.front_used_, size);
    out_->refer(bytes, front.owner);
    size -= bytes.size();
    call.front_used_ += bytes.size();
    if (call.front_used_ < front.bytes().size()) break;
    call.outbox_.pop_front();
    call.front_used_ = 0;
  }
  if (call.queued_ <= Call::kMaxQueued) call.writable_.cancel();
}

void Session::collect(Output& out) {
  out_ = &out;
  while (out.size() < kGoodWrite) {
    const std::uint8_t* data = nullptr;
    const auto size = nghttp2_session_mem_send(http2_, &data);
    if (size <= 0) break;
    out.copy(text(data, static_cast<std::size_t>(size)));
  }
  out_ = nullptr;
  for (const auto& call : std::exchange(closed_, {})) call->detach();
}

// --- The end ---------------------------------------------------------------------------------

void Session::go_away() {
  nghttp2_submit_goaway(http2_, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(http2_),
                        NGHTTP2_NO_ERROR, nullptr, 0);
  if (on_output) on_output();
}

void Session::end_stalled(Call::Time since) {
  for (auto& [stream, call] : calls_) {
    const bool inside = call->reader_ && call->reader_->inside() && !call->status_;
    if ((!inside && call->queued_ == 0) || call->progress_ > since) continue;
    nghttp2_submit_rst_stream(http2_, NGHTTP2_FLAG_NONE, stream, NGHTTP2_CANCEL);
  }
  if (on_output) on_output();
}

void Session::abandon() {
  for (auto& [stream, call] : std::exchange(calls_, {})) call->detach();
  for (const auto& call : std::exchange(closed_, {})) call->detach();
  ready_.clear();
}

}  // namespace infiniedge::api::rpc
