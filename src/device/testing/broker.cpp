// SPDX-License-Identifier: Apache-2.0
#include "device/testing/broker.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

namespace infiniedge::device::testing {
namespace {

std::string program() {
  for (const char* path : {"/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto"}) {
    if (::access(path, X_OK) == 0) return path;
  }
  return {};
}

}  // namespace

bool Broker::available() { return !program().empty(); }

Broker::Broker() : Broker(Options{}) {}

Broker::Broker(Options options) : options_(std::move(options)), port_(free_port()) {
  auto config = fmt::format(
      "listener {} 127.0.0.1\nallow_anonymous {}\npersistence false\nlog_type none\nuser root\n",
      port_, options_.password ? "false" : "true");
  if (options_.tls) {
    make_certificates();
    config +=
        fmt::format("certfile {0}/server.pem\nkeyfile {0}/server.key\n", dir_.path().string());
  }
  if (options_.password) {
    const auto file = dir_.write("passwords", "");
    run_program({"mosquitto_passwd", "-b", file, "edge", "secret"}, dir_.path() / "log");
    config += fmt::format("password_file {}\n", file);
  }
  if (!options_.acl.empty()) {
    config += fmt::format("acl_file {}\n", dir_.write("acl", options_.acl));
  }
  dir_.write("mosquitto.conf", config);
  start();
}

void Broker::make_certificates() const {
  const auto in = [this](const std::string& name) { return (dir_.path() / name).string(); };
  const auto log = dir_.path() / "log";
  run_program(
      {"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
       "-days", "2", "-subj", "/CN=Test CA", "-keyout", in("ca.key"), "-out", in("ca.pem")},
      log);
  run_program(
      {"openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
       "-subj", "/CN=127.0.0.1", "-keyout", in("server.key"), "-out", in("server.csr")},
      log);
  const auto names = dir_.write("names", "subjectAltName=IP:127.0.0.1,DNS:localhost\n");
  run_program(
      {"openssl", "x509", "-req", "-in", in("server.csr"), "-CA", in("ca.pem"), "-CAkey",
       in("ca.key"), "-CAcreateserial", "-days", "2", "-extfile", names, "-out", in("server.pem")},
      log);
}

void Broker::start() {
  process_ =
      Process({program(), "-c", (dir_.path() / "mosquitto.conf").string()}, dir_.path() / "log");
  wait_for_port(port_);
}

void Broker::kill() {
  process_.kill(SIGKILL);
  process_.wait();
}

std::string Broker::address() const {
  return fmt::format("{}://127.0.0.1:{}", options_.tls ? "mqtts" : "mqtt", port_);
}

bool Broker::publish(const std::string& topic, const std::string& message,
                     std::vector<std::string> more) const {
  std::vector<std::string> command{
      "mosquitto_pub", "-h", "127.0.0.1", "-p", std::to_string(port_), "-q", "1", "-t",
      topic,           "-m", message};
  if (options_.tls) command.insert(command.end(), {"--cafile", ca()});
  if (options_.password) command.insert(command.end(), {"-u", "edge", "-P", "secret"});
  command.insert(command.end(), more.begin(), more.end());
  return run_program(command, dir_.path() / "log") == 0;
}

bool Broker::publish_file(const std::string& topic, const std::string& file) const {
  return run_program({"mosquitto_pub", "-h", "127.0.0.1", "-p", std::to_string(port_), "-q", "1",
                      "-t", topic, "-f", file},
                     dir_.path() / "log") == 0;
}

}  // namespace infiniedge::device::testing
