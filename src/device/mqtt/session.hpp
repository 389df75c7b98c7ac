// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "device/endpoint.hpp"
#include "device/environment.hpp"
#include "device/outcome.hpp"
#include "infiniedge/result.hpp"
#include "runtime/scope.hpp"

struct mosquitto;

namespace infiniedge::device::mqtt {

struct Login {
  Endpoint broker;  ///< Scheme mqtt or mqtts, port set.
  std::string client_id;
  std::string username, password;
  std::string ca{}, cert{}, key{};  ///< PEM paths for mqtts; empty ca: the system's.
  bool version5 = false;
  bool clean = true;
  std::uint32_t session_expiry = 0;  ///< Seconds; MQTT 5 without clean start.
  int keepalive = 30;                ///< Seconds.
};

/// One connection to a broker, libmosquitto driven from the shard's own loop.
///
/// Flow:    broker -> [Session] -> Listener
/// Thread:  shard-bound; only name look-up and reading of PEM files happen on a worker.
/// Owner:   Connector or PlugFleet; close() before destruction. Connects once.
/// Errors:  Denied (login, certificate, refused topic), Invalid (client id, version),
///          Unavailable (network, broker), Timeout.
class Session {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    /// Views are valid during the call.
    virtual void on_message(std::string_view topic, std::string_view payload) = 0;
  };

  Session(Environment environment, Login login, Listener* listener);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Completes at CONNACK.
  Task<Result<void>> connect(Micros timeout);
  /// Completes at SUBACK. Errors: Denied, naming the filter that was refused.
  Task<Result<void>> subscribe(std::vector<std::string> filters, int qos, Micros timeout);
  /// Completes when the broker has it (QoS 1 and 2) or when it was sent (QoS 0).
  Task<Result<void>> publish(std::string topic, std::string payload, int qos, bool retain,
                             Micros timeout);
  /// Completes when the connection is lost, with the reason.
  Task<Result<void>> lost();
  /// Stops or resumes reading the socket: back-pressure.
  void pause(bool paused);
  /// Sends DISCONNECT if it can and ends. Idempotent.
  Task<void> close();

 private:
  struct Callbacks;  // libmosquitto's C functions, which must reach the members below.

  Result<void> configure();
  void keep_session();
  Result<void> start_tls();
  Task<Result<void>> start();
  Task<Result<void>> await_answer(std::shared_ptr<Outcome> answer, Micros timeout,
                                  std::string what);
  Task<void> read_loop();
  Task<void> write_loop();
  Task<void> keep_alive();
  bool drive(int code, std::string_view doing);
  int read_some();
  Error give_up(int code, std::string_view doing);
  void lose(Error error);
  Error explain(int code, std::string_view doing) const;
  void kick_writer();

  Environment environment_;
  Login login_;
  Listener* listener_;
  ::mosquitto* handle_ = nullptr;
  std::optional<boost::asio::posix::stream_descriptor> socket_;
  Outcome connected_, lost_;
  std::map<int, std::shared_ptr<Outcome>> answers_;  ///< By message id: SUBACK and PUBACK.
  std::vector<std::string> filters_;
  std::string tls_trouble_;  ///< What OpenSSL said last.
  Signal resumed_, writable_;
  bool paused_ = false;
  bool closed_ = false;
  runtime::Scope scope_;
};

}  // namespace infiniedge::device::mqtt
