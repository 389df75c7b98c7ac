// SPDX-License-Identifier: Apache-2.0
// A tiny model three ways: the bare Run, through the model server in process, and over HTTP with
// binary tensors on one kept connection by a client that does as little as possible. Read p50_us.
#include <arpa/inet.h>
#include <benchmark/benchmark.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "api/inference/testing/live_server.hpp"

namespace infiniedge::api::inference {
namespace {

using model::testing::Bench;
using model::testing::TempRepository;

constexpr int kWidth = 64;

Tensor features() {
  return model::testing::tensor_of<float>("x", DataType::Fp32, {1, kWidth},
                                          std::vector<float>(kWidth, 0.5F));
}

/// Runs `once` for every iteration and reports its quantiles.
template <class Once>
void measure(benchmark::State& state, Once once) {
  std::vector<double> us;
  us.reserve(1 << 20);
  for (int i = 0; i < 1000; ++i) once();
  for (auto _ : state) {
    const auto start = std::chrono::steady_clock::now();
    once();
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - start;
    us.push_back(took.count());
  }
  std::sort(us.begin(), us.end());
  const auto at = [&](double q) { return us[static_cast<std::size_t>(q * (us.size() - 1))]; };
  state.counters["p50_us"] = at(0.5);
  state.counters["p99_us"] = at(0.99);
}

void bare_run(benchmark::State& state) {
  model::onnx::Backend backend;
  auto executable = backend.load(model::testing::model_file("mlp"), {}).value();
  const std::vector<Tensor> inputs{features()};
  measure(state, [&] { benchmark::DoNotOptimize(executable->run(inputs, {})); });
}
BENCHMARK(bare_run);

Task<void> infer_once(model::Server& server) {
  model::InferRequest request{.model = "mlp"};
  request.inputs.push_back(features());
  auto response = co_await server.infer(std::move(request));
  benchmark::DoNotOptimize(response);
}

Task<void> infer_many(model::Server& server, benchmark::State& state, std::vector<double>& us) {
  for (int i = 0; i < 1000; ++i) co_await infer_once(server);
  for (auto _ : state) {
    const auto start = std::chrono::steady_clock::now();
    co_await infer_once(server);
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - start;
    us.push_back(took.count());
  }
}

void in_process(benchmark::State& state) {
  Bench bench;
  (void)bench.load_file("mlp", "mlp");
  while (!(*bench.server.find("mlp"))->measured()) {
    bench.context.restart();
    bench.context.run_one();
  }
  std::vector<double> us;
  runtime::testing::run(bench.context, infer_many(bench.server, state, us));
  std::sort(us.begin(), us.end());
  state.counters["p50_us"] = us[us.size() / 2];
  state.counters["p99_us"] = us[us.size() * 99 / 100];
}
BENCHMARK(in_process);

/// A blocking socket that sends the same bytes and reads one whole answer.
class Client {
 public:
  explicit Client(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    connected_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  ~Client() { ::close(socket_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  bool connected() const { return connected_; }
  /// Bytes of the answer, or 0 on failure.
  std::size_t ask(const std::string& request) {
    if (::send(socket_, request.data(), request.size(), 0) < 0) return 0;
    std::size_t have = 0, need = 0;
    while (need == 0 || have < need) {
      const auto got = ::recv(socket_, buffer_ + have, sizeof buffer_ - have, 0);
      if (got <= 0) return 0;
      have += static_cast<std::size_t>(got);
      if (need == 0) need = length({buffer_, have});
    }
    ok_ = std::string_view(buffer_, have).starts_with("HTTP/1.1 200");
    return ok_ ? have : 0;
  }

 private:
  static std::size_t length(std::string_view text) {
    const auto end = text.find("\r\n\r\n");
    const auto field = text.find("Content-Length: ");
    if (end == std::string_view::npos || field == std::string_view::npos) return 0;
    // The longer field that ends alike must not be taken for it.
    for (auto at = field; at != std::string_view::npos;
         at = text.find("Content-Length: ", at + 1)) {
      if (at >= 1 && text[at - 1] == '\n')
        return end + 4 + std::stoul(std::string(text.substr(at + 16, 9)));
    }
    return 0;
  }

  int socket_;
  bool connected_ = false, ok_ = false;
  char buffer_[65536];
};

std::string infer_bytes() {
  const std::string head = R"({"inputs":[{"name":"x","shape":[1,64],"datatype":"FP32",)"
                           R"("parameters":{"binary_data_size":256}}],"outputs":[{"name":"logits",)"
                           R"("parameters":{"binary_data":true}}]})";
  const auto tensor = features();
  return "POST /v2/models/mlp/infer HTTP/1.1\r\nHost: localhost\r\n"
         "Content-Type: application/octet-stream\r\nInference-Header-Content-Length: " +
         std::to_string(head.size()) +
         "\r\nContent-Length: " + std::to_string(head.size() + tensor.data.size()) + "\r\n\r\n" +
         head + std::string(reinterpret_cast<const char*>(tensor.data.data()), tensor.data.size());
}

void http_request(benchmark::State& state, const std::string& request) {
  TempRepository repository;
  repository.add("mlp", "mlp");
  testing::LiveServer server(repository.root());
  Client client(server.port());
  if (!server.load("mlp") || !client.connected() || client.ask(request) == 0) {
    state.SkipWithError("the server does not answer");
    return;
  }
  measure(state, [&] { benchmark::DoNotOptimize(client.ask(request)); });
}

void http_binary(benchmark::State& state) { http_request(state, infer_bytes()); }
BENCHMARK(http_binary)->UseRealTime();

/// The same socket and door without an inference: what transport and routing cost.
void http_live(benchmark::State& state) {
  http_request(state, "GET /v2/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n");
}
BENCHMARK(http_live)->UseRealTime();

}  // namespace
}  // namespace infiniedge::api::inference
