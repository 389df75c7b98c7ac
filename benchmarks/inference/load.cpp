// SPDX-License-Identifier: Apache-2.0
// A closed-loop client of the Open Inference Protocol that does as little as it can, so that what
// it measures is the server: the same bytes over kept connections, one blocking thread for each.
//
//   inference_load ADDRESS MODEL binary|json INPUT SHAPE CONNECTIONS SECONDS
//     ADDRESS  127.0.0.1:8000 or unix:/path
//     INPUT    name of the model's only input, FP32; every value sent is 0.5
//     INFERENCE_LOAD_TOKEN in the environment: the bearer token, where the server wants one
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <utility>

#include "samples.hpp"

namespace infiniedge::benchmarks {
namespace {

int connect_unix(const std::string& path) {
  const int made = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  return ::connect(made, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 ? made : -1;
}

int connect_tcp(const std::string& where) {
  const int made = ::socket(AF_INET, SOCK_STREAM, 0);
  const auto colon = where.find(':');
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(where.c_str() + colon + 1)));
  ::inet_pton(AF_INET, where.substr(0, colon).c_str(), &address.sin_addr);
  const int on = 1;
  ::setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return ::connect(made, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 ? made : -1;
}

/// One kept connection; a call asks once.
class Connection {
 public:
  Connection(const std::string& address, const std::string& request)
      : request_(&request),
        socket_(address.starts_with("unix:") ? connect_unix(address.substr(5))
                                             : connect_tcp(address)),
        buffer_(std::size_t{4} << 20) {}
  ~Connection() {
    if (socket_ >= 0) ::close(socket_);
  }
  Connection(Connection&& other) noexcept
      : request_(other.request_),
        socket_(std::exchange(other.socket_, -1)),
        buffer_(std::move(other.buffer_)) {}
  Connection& operator=(Connection&&) = delete;

  bool connected() const { return socket_ >= 0; }
  bool operator()() { return send() && receive(); }

 private:
  bool send() {
    for (std::size_t sent = 0; sent < request_->size();) {
      const auto n =
          ::send(socket_, request_->data() + sent, request_->size() - sent, MSG_NOSIGNAL);
      if (n <= 0) return false;
      sent += static_cast<std::size_t>(n);
    }
    return true;
  }

  bool receive() {
    std::size_t have = 0, need = 0;
    while (need == 0 || have < need) {
      const auto n = ::recv(socket_, buffer_.data() + have, buffer_.size() - have, 0);
      if (n <= 0) return false;
      have += static_cast<std::size_t>(n);
      if (need == 0) need = whole({buffer_.data(), have});
      if (need > buffer_.size()) return false;
    }
    const std::string_view answer(buffer_.data(), have);
    if (answer.starts_with("HTTP/1.1 200")) return true;
    std::fprintf(stderr, "%.*s\n", static_cast<int>(std::min<std::size_t>(have, 600)),
                 answer.data());
    return false;
  }

  /// Bytes of the head and the body; 0 while the head is not whole.
  static std::size_t whole(std::string_view text) {
    constexpr std::string_view kField = "\r\ncontent-length:";
    const auto end = text.find("\r\n\r\n");
    if (end == std::string_view::npos) return 0;
    const auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; };
    const auto head = text.substr(0, end + 2);
    const auto field = std::search(head.begin(), head.end(), kField.begin(), kField.end(), same);
    if (field == head.end()) return end + 4;
    return end + 4 + std::strtoull(field + kField.size(), nullptr, 10);
  }

  const std::string* request_;
  int socket_;
  std::vector<char> buffer_;
};

std::string post(const std::string& model, const std::string& fields, const std::string& body) {
  const char* token = std::getenv("INFERENCE_LOAD_TOKEN");
  return fmt::format(
      "POST /v2/models/{}/infer HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n"
      "{}Content-Length: {}\r\n\r\n{}",
      model, token != nullptr ? token : "none", fields, body.size(), body);
}

std::string binary_request(const std::string& model, const std::string& input,
                           const std::string& shape) {
  const auto count = elements_of(shape_of(shape));
  const auto head = fmt::format(
      R"({{"parameters":{{"binary_data_output":true}},"inputs":[{{"name":"{}","shape":[{}],)"
      R"("datatype":"FP32","parameters":{{"binary_data_size":{}}}}}]}})",
      input, shape, count * sizeof(float));
  const std::vector<float> values(count, 0.5F);
  auto body = head;
  body.append(reinterpret_cast<const char*>(values.data()), count * sizeof(float));
  return post(model,
              fmt::format("Content-Type: application/octet-stream\r\n"
                          "Inference-Header-Content-Length: {}\r\n",
                          head.size()),
              body);
}

std::string json_request(const std::string& model, const std::string& input,
                         const std::string& shape) {
  std::string values;
  for (auto n = elements_of(shape_of(shape)); n > 0; --n) values += n > 1 ? "0.5," : "0.5";
  return post(
      model, "Content-Type: application/json\r\n",
      fmt::format(R"({{"inputs":[{{"name":"{}","shape":[{}],"datatype":"FP32","data":[{}]}}]}})",
                  input, shape, values));
}

int main(const std::vector<std::string>& given) {
  if (given.size() != 7) {
    fmt::print(stderr,
               "usage: inference_load ADDRESS MODEL binary|json INPUT SHAPE CONNECTIONS SECONDS\n");
    return 2;
  }
  const auto make = given[2] == "json" ? json_request : binary_request;
  const auto request = make(given[1], given[3], given[4]);
  std::vector<Connection> connections;
  for (int i = std::atoi(given[5].c_str()); i > 0; --i) {
    connections.emplace_back(given[0], request);
    if (!connections.back().connected()) {
      fmt::print(stderr, "cannot connect to {}: {}\n", given[0], std::strerror(errno));
      return 1;
    }
  }
  return report(connections, std::atof(given[6].c_str()));
}

}  // namespace
}  // namespace infiniedge::benchmarks

int main(int count, char** words) {
  return infiniedge::benchmarks::main({words + 1, words + count});
}
