// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "model/native/backend.hpp"
#include "model/onnx/backend.hpp"
#include "model/server.hpp"
#include "runtime/testing/run.hpp"
#include "runtime/testing/sim_clock.hpp"

namespace infiniedge::model::testing {

/// A tiny model of tests/models.
inline std::filesystem::path model_file(const std::string& name) {
  return std::filesystem::path(INFINIEDGE_SOURCE_DIR) / "tests/models" / (name + ".onnx");
}

/// A model repository in a temporary directory, removed at the end.
class TempRepository {
 public:
  TempRepository() {
    static std::atomic<int> next{0};
    root_ = std::filesystem::temp_directory_path() /
            ("infiniedge-models-" + std::to_string(getpid()) + "-" + std::to_string(next++));
    std::filesystem::create_directories(root_);
  }
  ~TempRepository() {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }
  TempRepository(const TempRepository&) = delete;
  TempRepository& operator=(const TempRepository&) = delete;

  const std::filesystem::path& root() const { return root_; }
  /// Puts a test model in as a version.
  void add(const std::string& name, const std::string& model, int version = 1) {
    const auto folder = root_ / name / std::to_string(version);
    std::filesystem::create_directories(folder);
    std::filesystem::copy_file(model_file(model), folder / "model.onnx",
                               std::filesystem::copy_options::overwrite_existing);
  }
  void remove(const std::string& relative) { std::filesystem::remove_all(root_ / relative); }
  void write(const std::string& relative, const std::string& text) {
    std::filesystem::create_directories((root_ / relative).parent_path());
    std::ofstream(root_ / relative) << text;
  }

 private:
  std::filesystem::path root_;
};

/// A model server with everything it needs, on the test's own thread.
struct Bench {
  explicit Bench(std::optional<std::filesystem::path> repository = std::nullopt)
      : Bench(Server::Options{
            .name = "triton", .version = "test", .repository = std::move(repository)}) {}
  explicit Bench(Server::Options options)
      : server(context.get_executor(), clock, workers, metrics, std::move(options)) {
    server.add(backend);
    server.add(native);
  }
  ~Bench() { runtime::testing::run(context, server.close()); }

  template <class T>
  T run(Task<T> task) {
    return runtime::testing::run(context, std::move(task));
  }
  /// Runs what is pending until `over`, or for 30 s.
  template <class Over>
  bool until(Over over) {
    for (const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
         !over() && std::chrono::steady_clock::now() < end;) {
      context.restart();
      context.run_one_for(std::chrono::milliseconds(5));
    }
    return over();
  }
  Result<void> load_file(const std::string& name, const std::string& model,
                         std::vector<std::string> classes = {}) {
    return run(server.load_definition(define_file(name, model_file(model), std::move(classes))));
  }

  boost::asio::io_context context{1};
  runtime::testing::SimClock clock;
  runtime::Workers workers{"compute", 2};
  runtime::Metrics metrics;
  onnx::Backend backend;
  native::Backend native;
  Server server;
};

template <class T>
Tensor tensor_of(std::string name, DataType type, std::vector<std::int64_t> shape,
                 const std::vector<T>& values) {
  auto block = std::make_shared<std::vector<T>>(values);
  const auto bytes = std::as_bytes(std::span(*block));
  return {std::move(name), type, std::move(shape), bytes, std::move(block)};
}

template <class T>
std::vector<T> values_of(const Tensor& tensor) {
  std::vector<T> out(tensor.data.size() / sizeof(T));
  std::memcpy(out.data(), tensor.data.data(), out.size() * sizeof(T));
  return out;
}

inline std::vector<float> floats_of(const Tensor& tensor) { return values_of<float>(tensor); }

}  // namespace infiniedge::model::testing
