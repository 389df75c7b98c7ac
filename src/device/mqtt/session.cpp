// SPDX-License-Identifier: Apache-2.0
#include "device/mqtt/session.hpp"

#include <fmt/format.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <boost/asio/this_coro.hpp>
#include <cerrno>
#include <cstring>

#include "base/check.hpp"
#include "device/deadline.hpp"
#include "device/mqtt/reasons.hpp"
#include "runtime/log.hpp"

namespace infiniedge::device::mqtt {
namespace {

namespace asio = boost::asio;

constexpr int kReadsAtOnce = 64;

void initialise_library() {
  static const int done = mosquitto_lib_init();
  INFINIEDGE_CHECK(done == MOSQ_ERR_SUCCESS);
}

const char* or_null(const std::string& text) { return text.empty() ? nullptr : text.c_str(); }

}  // namespace

struct Session::Callbacks {
  static Session& self(void* object) { return *static_cast<Session*>(object); }

  static void connect(::mosquitto*, void* object, int code, int, const mosquitto_property*) {
    auto& session = self(object);
    session.connected_.set(code == 0 ? Result<void>{}
                                     : Result<void>{refused(code, session.login_.broker.text())});
  }
  static void message(::mosquitto*, void* object, const mosquitto_message* message,
                      const mosquitto_property*) {
    auto* listener = self(object).listener_;
    if (listener == nullptr) return;
    listener->on_message(message->topic, {static_cast<const char*>(message->payload),
                                          static_cast<std::size_t>(message->payloadlen)});
  }
  static void subscribe(::mosquitto*, void* object, int id, int count, const int* granted,
                        const mosquitto_property*) {
    auto& session = self(object);
    Result<void> result;
    for (int i = count - 1; i >= 0; --i) {
      if (granted[i] < 128 || static_cast<std::size_t>(i) >= session.filters_.size()) continue;
      result = Error{Code::Denied, fmt::format("broker {} refuses the subscription to \"{}\"",
                                               session.login_.broker.text(),
                                               session.filters_[static_cast<std::size_t>(i)])};
    }
    answer(session, id, std::move(result));
  }
  static void publish(::mosquitto*, void* object, int id, int code, const mosquitto_property*) {
    auto& session = self(object);
    Result<void> result;
    if (code >= 128) {
      result = Error{Code::Denied,
                     fmt::format("broker {} refuses the message: {}", session.login_.broker.text(),
                                 mosquitto_reason_string(code))};
    }
    answer(session, id, std::move(result));
  }
  static void log(::mosquitto*, void* object, int level, const char* text) {
    if (level == MOSQ_LOG_ERR) self(object).tls_trouble_ = text;
  }
  static void answer(Session& session, int id, Result<void> result) {
    const auto at = session.answers_.find(id);
    if (at == session.answers_.end()) return;
    at->second->set(std::move(result));
    session.answers_.erase(at);
  }
};

Session::Session(Environment environment, Login login, Listener* listener)
    : environment_(environment),
      login_(std::move(login)),
      listener_(listener),
      connected_(environment.executor),
      lost_(environment.executor),
      resumed_(environment.executor),
      writable_(environment.executor),
      scope_(environment.executor) {
  initialise_library();
}

Session::~Session() {
  socket_.reset();
  if (handle_ != nullptr) mosquitto_destroy(handle_);
}

Result<void> Session::configure() {
  handle_ = mosquitto_new(or_null(login_.client_id), login_.clean, this);
  if (handle_ == nullptr) {
    return Error{Code::Invalid, fmt::format("client id \"{}\" is not usable", login_.client_id)};
  }
  mosquitto_int_option(handle_, MOSQ_OPT_PROTOCOL_VERSION,
                       login_.version5 ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311);
  mosquitto_int_option(handle_, MOSQ_OPT_TCP_NODELAY, 1);
  mosquitto_connect_v5_callback_set(handle_, &Callbacks::connect);
  mosquitto_message_v5_callback_set(handle_, &Callbacks::message);
  mosquitto_subscribe_v5_callback_set(handle_, &Callbacks::subscribe);
  mosquitto_publish_v5_callback_set(handle_, &Callbacks::publish);
  mosquitto_log_callback_set(handle_, &Callbacks::log);
  if (!login_.username.empty()) {
    mosquitto_username_pw_set(handle_, login_.username.c_str(), or_null(login_.password));
  }
  if (login_.version5 && !login_.clean) keep_session();
  return login_.broker.scheme == "mqtts" ? start_tls() : Result<void>{};
}

/// Only the blocking connect takes properties; it keeps them for later connects, and looks at the
/// port after that. So it gets an impossible port: nothing blocks, and connect_async sends them.
void Session::keep_session() {
  mosquitto_property* properties = nullptr;
  mosquitto_property_add_int32(&properties, MQTT_PROP_SESSION_EXPIRY_INTERVAL,
                               login_.session_expiry);
  mosquitto_connect_bind_v5(handle_, login_.broker.host.c_str(), -1, login_.keepalive, nullptr,
                            properties);
  mosquitto_property_free_all(&properties);
}

Result<void> Session::start_tls() {
  int code = MOSQ_ERR_SUCCESS;
  if (login_.ca.empty() && login_.cert.empty()) {
    code = mosquitto_int_option(handle_, MOSQ_OPT_TLS_USE_OS_CERTS, 1);
  } else {
    const char* const folder = login_.ca.empty() ? "/etc/ssl/certs" : nullptr;
    code = mosquitto_tls_set(handle_, or_null(login_.ca), folder, or_null(login_.cert),
                             or_null(login_.key), nullptr);
  }
  if (code == MOSQ_ERR_SUCCESS) return {};
  return Error{Code::Invalid, fmt::format("cannot use the TLS files (ca \"{}\", cert \"{}\"): {}",
                                          login_.ca, login_.cert, mosquitto_strerror(code))};
}

/// Looks the name up and begins to connect, on a worker: both may block.
Task<Result<void>> Session::start() {
  auto begin = [this]() -> Result<void> {
    errno = 0;
    const int code = mosquitto_connect_async(handle_, login_.broker.host.c_str(),
                                             login_.broker.port, login_.keepalive);
    if (code == MOSQ_ERR_SUCCESS) return {};
    return explain(code, "connect to");
  };
  INFINIEDGE_CO_TRY(co_await runtime::run_on(environment_.workers, std::move(begin)));
  const int fd = mosquitto_socket(handle_);
  if (fd < 0) co_return Error{Code::Unavailable, "no connection to broker " + login_.broker.text()};
  // A duplicate, because libmosquitto closes its own at any error, and the number could be
  // another file's before Asio has forgotten it.
  const int copy = ::dup(fd);
  if (copy < 0) co_return Error{Code::Exhausted, "no file descriptor is left"};
  socket_.emplace(environment_.executor, copy);
  co_return Result<void>{};
}

Task<Result<void>> Session::connect(Micros timeout) {
  INFINIEDGE_CHECK(handle_ == nullptr);
  INFINIEDGE_CO_TRY(configure());
  INFINIEDGE_CO_TRY(co_await start());
  if (closed_) co_return Error{Code::Cancelled, "the connection was closed"};
  scope_.spawn(read_loop());
  scope_.spawn(write_loop());
  scope_.spawn(keep_alive());
  auto late = fmt::format("broker {} does not answer", login_.broker.text());
  co_return co_await within(environment_.clock, timeout, connected_.wait(), std::move(late));
}

Task<Result<void>> Session::await_answer(std::shared_ptr<Outcome> answer, Micros timeout,
                                         std::string what) {
  auto late = fmt::format("broker {} does not answer {}", login_.broker.text(), what);
  co_return co_await within(environment_.clock, timeout, answer->wait(), std::move(late));
}

Task<Result<void>> Session::subscribe(std::vector<std::string> filters, int qos, Micros timeout) {
  if (lost_.is_set() || handle_ == nullptr) co_return co_await lost();
  filters_ = std::move(filters);
  std::vector<char*> names;
  for (auto& filter : filters_) names.push_back(filter.data());
  int id = 0;
  const int code = mosquitto_subscribe_multiple(handle_, &id, static_cast<int>(names.size()),
                                                names.data(), qos, 0, nullptr);
  if (code != MOSQ_ERR_SUCCESS) co_return give_up(code, "subscribe at");
  auto answer = std::make_shared<Outcome>(environment_.executor);
  answers_[id] = answer;
  kick_writer();
  co_return co_await await_answer(std::move(answer), timeout, "a subscription");
}

Task<Result<void>> Session::publish(std::string topic, std::string payload, int qos, bool retain,
                                    Micros timeout) {
  if (lost_.is_set() || handle_ == nullptr) co_return co_await lost();
  // At QoS 0 the callback may come from within the call, before the id is known here: then there
  // is nothing to wait for.
  int id = 0;
  const int code =
      mosquitto_publish_v5(handle_, &id, topic.c_str(), static_cast<int>(payload.size()),
                           payload.data(), qos, retain, nullptr);
  if (code != MOSQ_ERR_SUCCESS) co_return give_up(code, "publish to");
  if (qos == 0) {
    kick_writer();
    co_return Result<void>{};
  }
  auto answer = std::make_shared<Outcome>(environment_.executor);
  answers_[id] = answer;
  kick_writer();
  co_return co_await await_answer(std::move(answer), timeout, "a message");
}

Task<Result<void>> Session::lost() { co_return co_await lost_.wait(); }

void Session::pause(bool paused) {
  if (paused_ == paused) return;
  paused_ = paused;
  if (!paused) resumed_.notify();
}

Task<void> Session::close() {
  if (!closed_) {
    closed_ = true;
    if (handle_ != nullptr && socket_ && !lost_.is_set()) mosquitto_disconnect(handle_);
    lose(Error{Code::Cancelled, "the connection was closed"});
  }
  co_await scope_.close();
  socket_.reset();
}

int Session::read_some() {
  for (int i = 0; i < kReadsAtOnce && !paused_; ++i) {
    const int code = mosquitto_loop_read(handle_, 1);
    if (code != MOSQ_ERR_SUCCESS) return code;
    int waiting = 0;
    if (::ioctl(socket_->native_handle(), FIONREAD, &waiting) != 0 || waiting == 0) break;
  }
  return MOSQ_ERR_SUCCESS;
}

Task<void> Session::read_loop() {
  while (!lost_.is_set()) {
    while (paused_ && !lost_.is_set()) co_await resumed_.wait();
    auto [error] = co_await socket_->async_wait(asio::posix::stream_descriptor::wait_read,
                                                asio::as_tuple(asio::use_awaitable));
    if (error || lost_.is_set()) co_return;
    if (!drive(read_some(), "read from")) co_return;
    kick_writer();
  }
}

Task<void> Session::write_loop() {
  while (!lost_.is_set()) {
    while (!mosquitto_want_write(handle_) && !lost_.is_set()) co_await writable_.wait();
    if (lost_.is_set()) co_return;
    auto [error] = co_await socket_->async_wait(asio::posix::stream_descriptor::wait_write,
                                                asio::as_tuple(asio::use_awaitable));
    if (error || lost_.is_set()) co_return;
    if (!drive(mosquitto_loop_write(handle_, 1), "write to")) co_return;
  }
}

Task<void> Session::keep_alive() {
  while (co_await environment_.clock.sleep_for(Seconds{1})) {
    if (lost_.is_set()) co_return;
    // A paused reader would miss the broker's answer to a ping; the broker sees our silence as
    // what it is, and its own keep-alive decides.
    if (paused_) continue;
    if (!drive(mosquitto_loop_misc(handle_), "keep the connection to")) co_return;
    kick_writer();
  }
}

void Session::kick_writer() {
  if (mosquitto_want_write(handle_)) writable_.notify();
}

bool Session::drive(int code, std::string_view doing) {
  if (code == MOSQ_ERR_SUCCESS) return true;
  lose(explain(code, doing));
  return false;
}

/// libmosquitto writes at once where it can, so a call may be what finds the link gone.
Error Session::give_up(int code, std::string_view doing) {
  auto error = explain(code, doing);
  if (error.code() == Code::Unavailable) lose(error);
  return error;
}

void Session::lose(Error error) {
  connected_.set(error);
  for (const auto& [id, answer] : answers_) answer->set(error);
  answers_.clear();
  lost_.set(std::move(error));
  resumed_.notify();
  writable_.notify();
  if (socket_) socket_->cancel();
}

Error Session::explain(int code, std::string_view doing) const {
  const auto where = fmt::format("cannot {} broker {}", doing, login_.broker.text());
  if (code == MOSQ_ERR_TLS) {
    if (!is_certificate_fault(tls_trouble_)) {
      return {Code::Unavailable, fmt::format("{}: TLS: {}", where, tls_trouble_)};
    }
    return {Code::Denied, fmt::format("{}: a certificate is not accepted; see credentials: ca, "
                                      "cert and key ({})",
                                      where, tls_trouble_)};
  }
  const bool system = code == MOSQ_ERR_ERRNO && errno != 0;
  const auto text = system ? std::string{std::strerror(errno)} : mosquitto_strerror(code);
  const bool ours = code == MOSQ_ERR_INVAL || code == MOSQ_ERR_MALFORMED_UTF8 ||
                    code == MOSQ_ERR_PAYLOAD_SIZE || code == MOSQ_ERR_OVERSIZE_PACKET;
  return {ours ? Code::Invalid : Code::Unavailable, fmt::format("{}: {}", where, text)};
}

}  // namespace infiniedge::device::mqtt
