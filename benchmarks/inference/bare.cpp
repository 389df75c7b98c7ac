// SPDX-License-Identifier: Apache-2.0
// The model alone: Run in a loop through our backend, in process, without a server. The measure of
// what a server adds, and of how much of the machine it leaves to the model.
//
//   inference_bare FILE SHAPE LOOPS SECONDS
//     LOOPS  loops side by side, each with a session and a thread of its own
#include "model/onnx/backend.hpp"
#include "samples.hpp"

namespace infiniedge::benchmarks {
namespace {

/// One session; a call runs it once.
class Session {
 public:
  Session(std::unique_ptr<Executable> executable, const std::vector<std::int64_t>& shape)
      : executable_(std::move(executable)) {
    auto values = std::make_shared<std::vector<float>>(elements_of(shape), 0.5F);
    const auto bytes = std::as_bytes(std::span(*values));
    inputs_.push_back(
        {executable_->inputs().front().name, DataType::Fp32, shape, bytes, std::move(values)});
  }
  bool operator()() { return executable_->run(inputs_, {}).has_value(); }

 private:
  std::unique_ptr<Executable> executable_;
  std::vector<Tensor> inputs_;
};

int main(const std::vector<std::string>& given) {
  if (given.size() != 4) {
    fmt::print(stderr, "usage: inference_bare FILE SHAPE LOOPS SECONDS\n");
    return 2;
  }
  model::onnx::Backend backend;
  std::vector<Session> sessions;
  for (int i = std::atoi(given[2].c_str()); i > 0; --i) {
    auto executable = backend.load(given[0], {});
    if (!executable) {
      fmt::print(stderr, "{}\n", executable.error().describe());
      return 1;
    }
    sessions.emplace_back(std::move(*executable), shape_of(given[1]));
  }
  return report(sessions, std::atof(given[3].c_str()));
}

}  // namespace
}  // namespace infiniedge::benchmarks

int main(int count, char** words) {
  return infiniedge::benchmarks::main({words + 1, words + count});
}
